"""VulnerabilityAdvisorV4: reports of images and of the account, and exemptions at every scope.

Expects prod/owl:v1 with a report of three vulnerabilities and two configuration issues, and prod/owl:clean without one.
"""

import cloud
from cloud import ACCOUNT, KEY, URL, done
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_container_registry.vulnerability_advisor_v4 import VulnerabilityAdvisorV4

HOST = URL.split("://")[1]


def service(account=ACCOUNT):
    made = VulnerabilityAdvisorV4(
        account=account, authenticator=IAMAuthenticator(KEY, url=URL)
    )
    made.set_service_url(URL)
    return made


def refused(status, call, *arguments, **named):
    cloud.steps += 1
    try:
        answer = call(*arguments, **named)
    except ApiException as error:
        assert error.status_code == status, f"{error.status_code} {error}"
        return error.message
    raise AssertionError(f"{call.__name__} was answered: {answer}")


va = service()
refused(403, service(account="210987654321").exempt_handler)
image = f"{HOST}/prod/owl:v1"

report = done(200, va.image_report_query_path(name=image))
assert report["status"] == "FAIL" and report["os_distribution"]["distribution_id"] == "debian", report
first = report["vulnerabilities"][0]
assert first["cve_id"] == "CVE-2026-1001" and first["exempt_status"] == "active", first
package = first["security_notices"][0]["vulnerable_packages"][0]
assert package["fix_version"] == "3.0.2-1" and first["security_notices"][0]["notice_id"] == "DSA-9001-1", first
assert {one["type"] for one in report["configuration_issues"]} == {"DS002", "private-key"}, report

status = done(200, va.image_status_query_path(name=image))
assert (status["vulnerability_count"], status["configuration_issue_count"], status["issue_count"]) == (3, 2, 5), status
assert done(200, va.image_status_query_path(name=f"{HOST}/prod/owl:clean"))["status"] == "UNSCANNED"
refused(404, va.image_report_query_path, name=f"{HOST}/prod/owl:nothing")

whole = done(200, va.account_report_query_path())["assessments"]
assert len(whole) == 1 and next(iter(whole)).startswith(f"{HOST}/prod/owl@sha256:"), whole
listed = done(200, va.account_status_query_path(repository="prod/owl"))["images"]
assert {one["name"]: one["status"] for one in listed} == {image: "FAIL", f"{HOST}/prod/owl:clean": "UNSCANNED"}, listed

kinds = done(200, va.exempt_handler())
assert {one["identifier"] for one in kinds} == {"configuration", "cve", "sn"}, kinds
assert done(200, va.list_exemption_account()) == []
made = done(201, va.create_exemption_account(issue_type="cve", issue_id="CVE-2026-1002"))
assert made["scope"]["scope_type"] == "account" and made["account_id"] == ACCOUNT, made
done(201, va.create_exemption_resource(resource="prod/owl:v1", issue_type="sn", issue_id="DSA-9001-1"))
done(201, va.create_exemption_resource(resource="prod", issue_type="configuration", issue_id="DS002"))
done(201, va.create_exemption_resource(resource="prod/owl", issue_type="cve", issue_id="CVE-2026-1003"))
refused(400, va.create_exemption_resource, resource="Prod!", issue_type="cve", issue_id="CVE-2026-1")
refused(400, va.create_exemption_account, issue_type="nothing", issue_id="CVE-2026-1")
status = done(200, va.image_status_query_path(name=image))
assert (status["issue_count"], status["exempt_issue_count"], status["status"]) == (1, 4, "FAIL"), status
done(201, va.create_exemption_account(issue_type="configuration", issue_id="private-key"))
assert done(200, va.image_status_query_path(name=image))["status"] == "WARN"

assert len(done(200, va.list_account_exemptions())) == 5
assert len(done(200, va.list_exemption_account())) == 2
read = done(200, va.get_exemption_resource(resource="prod/owl:v1", issue_type="sn", issue_id="DSA-9001-1"))
assert (read["scope"]["namespace"], read["scope"]["repository"], read["scope"]["tag"]) == ("prod", "owl", "v1"), read
assert len(done(200, va.list_exemption_resource(resource="prod/owl:v1"))) == 1
assert len(done(200, va.list_image_exemptions(resource="prod/owl:v1"))) == 5
assert len(done(200, va.list_bulk_image_exemptions(body=["prod/owl:v2"]))["prod/owl:v2"]) == 4
done(200, va.get_exemption_account(issue_type="cve", issue_id="CVE-2026-1002"))
done(204, va.delete_exemption_account(issue_type="cve", issue_id="CVE-2026-1002"))
done(204, va.delete_exemption_resource(resource="prod", issue_type="configuration", issue_id="DS002"))
refused(404, va.get_exemption_account, issue_type="cve", issue_id="CVE-2026-1002")
refused(404, va.delete_exemption_account, issue_type="cve", issue_id="CVE-2026-1002")
gone = done(200, va.exemptions_account_delete_handler())
assert gone == {"number_of_exemptions_deleted": 3}, gone
assert done(200, va.image_status_query_path(name=image))["issue_count"] == 5
cloud.finish()
