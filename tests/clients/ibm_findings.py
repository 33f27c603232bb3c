"""Walks notes and occurrences by ibm-scc, unmodified but for its URL: they are reported, listed, read, changed, told of and deleted."""

import os

from ibm_cloud_sdk_core import ApiException
from ibm_scc.findings_v1 import ApiNoteRelatedUrl, Context, Finding, FindingsV1, FindingType, Kpi, KpiType, RemediationStep, Reporter
from ibm_scc.notifications_v1 import NotificationChannelAlertSourceItem, NotificationsV1

import cloud
from cloud import ACCOUNT, KEY, URL, done, same, service
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, IAMAuthenticator

HOOK = os.environ["PORTCULLIS_HOOK"]


def findings_of(key=KEY):
    known = IAMAuthenticator(key, url=URL) if key else BearerTokenAuthenticator("eyJhbGciOiJub25lIn0.e30.AA")
    made = FindingsV1(account_id=ACCOUNT, authenticator=known)
    made.set_service_url(f"{URL}/findings")
    return made


def refused(status, call, *arguments, **named):
    cloud.steps += 1
    try:
        call(*arguments, **named)
    except ApiException as error:
        assert error.status_code == status, error
        return error.message
    raise AssertionError(f"{call.__name__} was answered")


findings, stranger = findings_of(), findings_of(None)
notifications = service(NotificationsV1)
notifications.set_service_url(f"{URL}/notifications")
source = NotificationChannelAlertSourceItem(provider_name="my-scanner", finding_types=["old-base"])
done(200, notifications.create_notification_channel(
    ACCOUNT, "ops", "Webhook", HOOK, severity=["critical", "high"], enabled=True, alert_source=[source],
))

# As the documentation on custom findings makes one.
reporter = Reporter(id="my-scanner", title="My scanner", url="https://scanner.example.com")
words = {"short_description": "An old base image", "long_description": "It has not been mended.", "reported_by": reporter}
kind = FindingType(severity="HIGH", next_steps=[RemediationStep(title="rebuild", url="https://example.com")])
link = ApiNoteRelatedUrl(label="more", url="https://example.com/more")
made = done(200, findings.create_note("my-scanner", kind="FINDING", id="old-base", finding=kind, related_url=[link], **words))
same(made, id="old-base", provider_id="my-scanner", finding=kind.to_dict(), reported_by=reporter.to_dict())
kpi = KpiType(aggregation_type="SUM")
done(200, findings.create_note("my-scanner", kind="KPI", id="images", kpi=kpi, **words))
refused(400, findings.create_note, "my-scanner", kind="FINDING", id="both", finding=kind, kpi=kpi, **words)
refused(409, findings.create_note, "my-scanner", kind="FINDING", id="old-base", finding=kind, **words)
refused(409, findings.create_note, "security-advisor", kind="FINDING", id="x", finding=kind, **words)

note = f"{ACCOUNT}/providers/my-scanner/notes/old-base"
where = Context(region="us-south", resource_name="birds/owl", resource_type="image")
found = Finding(severity="CRITICAL", certainty="HIGH", next_steps=[RemediationStep(title="rebuild")])
one = {"note_name": note, "kind": "FINDING", "id": "owl-1", "context": where, "finding": found, "remediation": "rebuild it"}
same(done(200, findings.create_occurrence("my-scanner", reference_data={"any": ["thing"]}, **one)), id="owl-1", context=where.to_dict())
refused(409, findings.create_occurrence, "my-scanner", **one)
same(done(200, findings.create_occurrence("my-scanner", replace_if_exists=True, **one)), id="owl-1")
number = {"note_name": f"{ACCOUNT}/providers/my-scanner/notes/images", "kind": "KPI", "id": "count"}
same(done(200, findings.create_occurrence("my-scanner", kpi=Kpi(value=3, total=9), **number)), kpi={"value": 3, "total": 9})
refused(404, findings.create_occurrence, "my-scanner", **{**one, "id": "x", "note_name": note + "x"})

providers = done(200, findings.list_providers())
assert {row["id"] for row in providers["providers"]} == {"my-scanner", "security-advisor"}, providers
assert [row["id"] for row in done(200, findings.list_notes("my-scanner"))["notes"]] == ["images", "old-base"]
page = done(200, findings.list_occurrences("my-scanner", page_size=1))
rest = done(200, findings.list_occurrences("my-scanner", page_size=1, page_token=page["next_page_token"]))
assert [row["id"] for row in page["occurrences"] + rest["occurrences"]] == ["count", "owl-1"], (page, rest)
of = done(200, findings.list_note_occurrences("my-scanner", "old-base"))["occurrences"]
assert [row["id"] for row in of] == ["owl-1"], of
same(done(200, findings.get_note("my-scanner", "old-base")), short_description="An old base image")
same(done(200, findings.get_occurrence("my-scanner", "owl-1")), remediation="rebuild it")
same(done(200, findings.get_occurrence_note("my-scanner", "owl-1")), id="old-base")
renamed = {**words, "short_description": "A very old base image"}
same(done(200, findings.update_note("my-scanner", "old-base", kind="FINDING", id="old-base", finding=kind, **renamed)), kind="FINDING")
same(done(200, findings.update_occurrence("my-scanner", "owl-1", **{**one, "remediation": "again"})), remediation="again")

refused(401, stranger.list_notes, "my-scanner")
refused(401, stranger.create_occurrence, "my-scanner", **one)
done(200, findings.delete_occurrence("my-scanner", "count"))
refused(404, findings.get_occurrence, "my-scanner", "count")
done(200, findings.delete_note("my-scanner", "old-base"))
refused(404, findings.get_occurrence, "my-scanner", "owl-1")
refused(404, findings.delete_note, "my-scanner", "old-base")
cloud.finish()
