"""IamIdentityV1: trusted profiles, whom they trust, taking one on, and how every way in ends at once."""

import base64
import json
import re

import requests
from ibm_cloud_sdk_core.authenticators import IAMAssumeAuthenticator
from ibm_platform_services import IamAccessGroupsV2, IamIdentityV1, IamPolicyManagementV1
from ibm_platform_services.iam_access_groups_v2 import AddGroupMembersRequestMembersItem
from ibm_platform_services.iam_identity_v1 import (
    CreateProfileLinkRequestLink,
    ProfileClaimRuleConditions,
    ProfileIdentityRequest,
)
from ibm_platform_services.iam_policy_management_v1 import (
    PolicyResource,
    PolicyRole,
    PolicySubject,
    ResourceAttribute,
    SubjectAttribute,
)

from cloud import ACCOUNT, KEY, URL, done, every, finish, refused, same, service, tag

iam = service(IamIdentityV1)
UNKNOWN = "Profile-ba934ca1-36a4-4d6c-a649-af45a2fc184b"
CLUSTER = "crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::"

# Profiles.
profile = done(201, iam.create_profile(name="deployer", account_id=ACCOUNT, description="deploys"))
pid = profile["id"]
same(profile, name="deployer", description="deploys", account_id=ACCOUNT, iam_id="iam-" + pid)
assert re.fullmatch(r"Profile-[0-9a-f-]{36}", pid), profile
assert profile["crn"] == f"crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::profile:{pid}", profile
refused(409, "BXNIM0109E", iam.create_profile, name="DEPLOYER", account_id=ACCOUNT)
refused(400, "BXNIM0109E", iam.create_profile, name="", account_id=ACCOUNT)
refused(404, "BXNIM0415E", iam.get_profile, profile_id=UNKNOWN)
read = iam.get_profile(profile_id=pid)
same(done(200, read), id=pid)
same(done(200, iam.update_profile(profile_id=pid, if_match=tag(read), email="ops@example.test")), email="ops@example.test")
refused(412, "BXNIM0109E", iam.update_profile, profile_id=pid, if_match=tag(read), name="x")
for number in range(4):
    done(201, iam.create_profile(name=f"many-{number}", account_id=ACCOUNT))
listed = every(iam.list_profiles, "profiles", account_id=ACCOUNT, pagesize=2, include_history=True)
assert [row["name"] for row in listed] == ["deployer"] + [f"many-{n}" for n in range(4)], listed
assert [one["action"] for one in listed[0]["history"]] == ["UPDATE", "CREATE"], listed[0]
assert [row["name"] for row in done(200, iam.list_profiles(account_id=ACCOUNT, name="many-2"))["profiles"]] == ["many-2"]
last = done(200, iam.list_profiles(account_id=ACCOUNT, sort="name", order="desc", pagesize=1))
assert [row["name"] for row in last["profiles"]] == ["many-3"], last
done(204, iam.delete_profile(profile_id=listed[4]["id"]))
refused(404, "BXNIM0415E", iam.delete_profile, profile_id=listed[4]["id"])

# Rules.
blue = ProfileClaimRuleConditions(claim="groups", operator="CONTAINS", value='"blue"')
made = iam.create_claim_rule(profile_id=pid, type="Profile-SAML", realm_name="https://idp.test", expiration=3600, conditions=[blue], name="blue")
rule = done(201, made)
same(rule, type="Profile-SAML", realm_name="https://idp.test", expiration=3600, name="blue")
here = ProfileClaimRuleConditions(claim="namespace", operator="EQUALS", value='"build"')
cr = done(201, iam.create_claim_rule(profile_id=pid, type="Profile-CR", cr_type="IKS_SA", conditions=[here]))
same(cr, type="Profile-CR", cr_type="IKS_SA")
assert [row["id"] for row in done(200, iam.list_claim_rules(profile_id=pid))["rules"]] == [rule["id"], cr["id"]]
read = iam.get_claim_rule(profile_id=pid, rule_id=rule["id"])
changed = iam.update_claim_rule(profile_id=pid, rule_id=rule["id"], if_match=tag(read), type="Profile-SAML", realm_name="https://other.test", expiration=900, conditions=[blue])
same(done(200, changed), realm_name="https://other.test", expiration=900)
refused(412, "BXNIM0109E", iam.update_claim_rule, profile_id=pid, rule_id=rule["id"], if_match=tag(read), type="Profile-SAML", realm_name="x", expiration=900, conditions=[blue])
for wrong in (
    dict(type="Profile-CR", cr_type="PVS", conditions=[here]),
    dict(type="Profile-CR", conditions=[here]),
    dict(type="Profile-SAML", realm_name="x", conditions=[blue]),
    dict(type="Profile-SAML", realm_name="x", expiration=5, conditions=[blue]),
    dict(type="Other", conditions=[blue]),
    dict(type="Profile-CR", cr_type="VSI", conditions=[]),
    dict(type="Profile-CR", cr_type="VSI", conditions=[ProfileClaimRuleConditions(claim="a", operator="EQUALS", value="not json")]),
):
    refused(400, "BXNIM0109E", iam.create_claim_rule, profile_id=pid, **wrong)
done(204, iam.delete_claim_rule(profile_id=pid, rule_id=cr["id"]))
refused(404, "BXNIM0415E", iam.get_claim_rule, profile_id=pid, rule_id=cr["id"])

# Links.
runner = CreateProfileLinkRequestLink(crn=CLUSTER, namespace="build", name="runner")
link = done(201, iam.create_link(profile_id=pid, cr_type="IKS_SA", link=runner, name="runner"))
same(link, cr_type="IKS_SA", name="runner", link={"crn": CLUSTER, "namespace": "build", "name": "runner"})
refused(409, "BXNIM0109E", iam.create_link, profile_id=pid, cr_type="IKS_SA", link=runner)
refused(400, "BXNIM0109E", iam.create_link, profile_id=pid, cr_type="IKS_SA", link=CreateProfileLinkRequestLink(crn=CLUSTER))
assert [row["id"] for row in done(200, iam.list_links(profile_id=pid))["links"]] == [link["id"]]
same(done(200, iam.get_link(profile_id=pid, link_id=link["id"])), id=link["id"])
done(204, iam.delete_link(profile_id=pid, link_id=link["id"]))
refused(404, "BXNIM0415E", iam.get_link, profile_id=pid, link_id=link["id"])
done(201, iam.create_link(profile_id=pid, cr_type="IKS_SA", link=runner))
done(204, iam.delete_link_by_parameters(profile_id=pid, type="IKS_SA", crn=CLUSTER, namespace="build", name="runner"))
assert done(200, iam.list_links(profile_id=pid))["links"] == []

# Identities.
robot = done(201, iam.create_service_id(account_id=ACCOUNT, name="robot"))
robot_key = done(201, iam.create_api_key(name="k", iam_id=robot["iam_id"]))
secret = robot_key["apikey"]
read = iam.get_profile_identities(profile_id=pid)
assert done(200, read)["identities"] == [], read
trusted = ProfileIdentityRequest(identifier=robot["id"], type="serviceid", description="ours")
cluster = ProfileIdentityRequest(identifier=CLUSTER, type="crn", description="all of it")
put = done(200, iam.set_profile_identities(profile_id=pid, if_match=tag(read), identities=[trusted, cluster]))
assert [one["iam_id"] for one in put["identities"]] == [robot["iam_id"], "crn-" + CLUSTER], put
refused(412, "BXNIM0109E", iam.set_profile_identities, profile_id=pid, if_match=tag(read), identities=[trusted])
done(204, iam.delete_profile_identity(profile_id=pid, identity_type="crn", identifier_id=CLUSTER))
refused(404, "BXNIM0415E", iam.get_profile_identity, profile_id=pid, identity_type="crn", identifier_id=CLUSTER)
same(done(200, iam.get_profile_identity(profile_id=pid, identity_type="serviceid", identifier_id=robot["id"])), iam_id=robot["iam_id"], description="ours")
stranger = "ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b"
refused(404, "BXNIM0415E", iam.set_profile_identity, profile_id=pid, identity_type="serviceid", identifier=stranger, type="serviceid")
refused(400, "BXNIM0109E", iam.set_profile_identity, profile_id=pid, identity_type="serviceid", identifier=pid, type="serviceid")


# Taking it on, as IBM's own authenticator does.
def acting(key=secret, **which):
    made = IamIdentityV1(authenticator=IAMAssumeAuthenticator(apikey=key, url=URL, **which))
    made.set_service_url(URL)
    return made


def trust_again():
    again = dict(profile_id=pid, identity_type="serviceid", identifier=robot["id"], type="serviceid")
    same(done(200, iam.set_profile_identity(**again)), iam_id=robot["iam_id"])


for which in (
    dict(iam_profile_id=pid),
    dict(iam_profile_crn=profile["crn"]),
    dict(iam_profile_name="Deployer", iam_account_id=ACCOUNT),
):
    same(done(200, acting(**which).get_profile(profile_id=pid)), name="deployer")
refused(403, "BXNIM0513E", acting(iam_profile_id=listed[1]["id"]).get_profile, profile_id=pid)
refused(403, "BXNIM0513E", acting(iam_profile_id=UNKNOWN).get_profile, profile_id=pid)
refused(400, "BXNIM0109E", acting(iam_profile_name="deployer", iam_account_id="another").get_profile, profile_id=pid)
as_profile = acting(iam_profile_id=pid)
token = as_profile.authenticator.token_manager.get_token()
part = token.split(".")[1]
claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
same(claims, iam_id="iam-" + pid, sub=pid, sub_type="Profile", realmid="iam", name="deployer")
same(claims, grant_type="urn:ibm:params:oauth:grant-type:assume")
same(claims["authn"], iam_id=robot["iam_id"], sub=robot["id"], sub_type="ServiceId", name="robot")
assert secret not in token and robot_key["id"] not in json.dumps(claims), claims

# One profile cannot take on another, has no keys, and gets no refresh token.
form = {"grant_type": "urn:ibm:params:oauth:grant-type:assume", "access_token": token, "profile_id": pid}
chained = requests.post(URL + "/identity/token", data=form)
assert chained.status_code == 403, chained.text
key_form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": secret}
plain = requests.post(URL + "/identity/token", data=key_form).json()["access_token"]
assumed = requests.post(URL + "/identity/token", data={**form, "access_token": plain}, auth=("bx", "bx")).json()
same(assumed, refresh_token="not_supported", token_type="Bearer")
refused(400, "BXNIM0109E", iam.create_api_key, name="k", iam_id="iam-" + pid)
refused(400, "BXNIM0109E", as_profile.create_api_key, name="k", iam_id="iam-" + pid)

# A policy and a group for it.
policies = service(IamPolicyManagementV1)
held = done(
    201,
    policies.create_policy(
        type="access",
        subjects=[PolicySubject(attributes=[SubjectAttribute(name="iam_id", value="iam-" + pid)])],
        roles=[PolicyRole(role_id="crn:v1:bluemix:public:iam::::role:Viewer")],
        resources=[PolicyResource(attributes=[ResourceAttribute(name="accountId", value=ACCOUNT), ResourceAttribute(name="serviceName", value="iam-identity")])],
    ),
)
same(done(200, as_profile.get_service_id(id=robot["id"])), name="robot")
refused(403, "BXNIM0513E", as_profile.create_service_id, account_id=ACCOUNT, name="x")
done(204, policies.delete_policy(policy_id=held["id"]))
refused(404, "BXNIM0415E", as_profile.get_service_id, id=robot["id"])
groups = service(IamAccessGroupsV2)
group = done(201, groups.create_access_group(account_id=ACCOUNT, name="deployers"))
member = AddGroupMembersRequestMembersItem(iam_id="iam-" + pid, type="profile")
added = done(207, groups.add_members_to_access_group(access_group_id=group["id"], members=[member]))
same(added["members"][0], iam_id="iam-" + pid, type="profile", status_code=200)
members = done(200, groups.list_access_group_members(access_group_id=group["id"], verbose=True))
same(members["members"][0], iam_id="iam-" + pid, type="profile", name="deployer")

# Nobody lets anybody into a profile that may do more than they could do or grant.
def robot_with(name, role, service_name):
    made = done(201, iam.create_service_id(account_id=ACCOUNT, name=name))
    if role:
        grant(made["iam_id"], role, service_name)
    return made, service(IamIdentityV1, done(201, iam.create_api_key(name="k", iam_id=made["iam_id"]))["apikey"])


def grant(iam_id, role, service_name):
    subject = PolicySubject(attributes=[SubjectAttribute(name="iam_id", value=iam_id)])
    where = [ResourceAttribute(name="accountId", value=ACCOUNT), ResourceAttribute(name="serviceName", value=service_name)]
    kind = "serviceRole" if role in ("Reader", "Writer", "Manager") else "role"
    roles = [PolicyRole(role_id=f"crn:v1:bluemix:public:iam::::{kind}:{role}")]
    return done(201, policies.create_policy(type="access", subjects=[subject], roles=roles, resources=[PolicyResource(attributes=where)]))


strong = done(201, iam.create_profile(name="strong", account_id=ACCOUNT))["id"]
grant("iam-" + strong, "Manager", "container-registry")
kept = done(201, iam.create_claim_rule(profile_id=strong, type="Profile-CR", cr_type="IKS_SA", conditions=[here]))
limited, as_limited = robot_with("limited", "Administrator", "iam-identity")
me = dict(identity_type="serviceid", identifier=limited["id"], type="serviceid")
weak = done(201, as_limited.create_profile(name="weak", account_id=ACCOUNT))["id"]
done(200, as_limited.set_profile_identity(profile_id=weak, **me))
refused(403, "BXNIM0513E", as_limited.set_profile_identity, profile_id=strong, **me)
itself = [ProfileIdentityRequest(identifier=limited["id"], type="serviceid")]
refused(403, "BXNIM0513E", as_limited.set_profile_identities, profile_id=strong, if_match="*", identities=itself)
refused(403, "BXNIM0513E", as_limited.create_link, profile_id=strong, cr_type="IKS_SA", link=runner)
anyone = ProfileClaimRuleConditions(claim="name", operator="NOT_EQUALS", value='""')
refused(403, "BXNIM0513E", as_limited.create_claim_rule, profile_id=strong, type="Profile-CR", cr_type="IKS_SA", conditions=[anyone])
wider = dict(profile_id=strong, rule_id=kept["id"], if_match="*", type="Profile-CR", cr_type="IKS_SA", conditions=[anyone])
refused(403, "BXNIM0513E", as_limited.update_claim_rule, **wider)
editor, as_editor = robot_with("editor", "Editor", "iam-identity")
done(201, as_editor.create_profile(name="edited", account_id=ACCOUNT))
refused(403, "BXNIM0513E", as_editor.set_profile_identity, profile_id=weak, **me)
nobody, as_nobody = robot_with("nobody", None, None)
refused(404, "BXNIM0415E", as_nobody.get_profile, profile_id=strong)
refused(404, "BXNIM0415E", as_nobody.set_profile_identity, profile_id=strong, **me)
# What the profile may do counts through its groups too.
member = AddGroupMembersRequestMembersItem(iam_id="iam-" + weak, type="profile")
mighty = done(201, groups.create_access_group(account_id=ACCOUNT, name="mighty"))["id"]
subject = PolicySubject(attributes=[SubjectAttribute(name="access_group_id", value=mighty)])
where = [ResourceAttribute(name="accountId", value=ACCOUNT), ResourceAttribute(name="serviceName", value="container-registry")]
manager = [PolicyRole(role_id="crn:v1:bluemix:public:iam::::serviceRole:Manager")]
done(201, policies.create_policy(type="access", subjects=[subject], roles=manager, resources=[PolicyResource(attributes=where)]))
done(207, groups.add_members_to_access_group(access_group_id=mighty, members=[member]))
refused(403, "BXNIM0513E", as_limited.set_profile_identity, profile_id=weak, identity_type="user", identifier=iam.get_api_keys_details(iam_api_key=KEY).get_result()["iam_id"], type="user")

# However trust ends, it ends at once, for tokens that were given before.
done(204, iam.delete_profile_identity(profile_id=pid, identity_type="serviceid", identifier_id=robot["id"]))
refused(401, "BXNIM0407E", as_profile.get_profile, profile_id=pid)
trust_again()
same(done(200, as_profile.get_profile(profile_id=pid)), name="deployer")
done(204, iam.disable_api_key(id=robot_key["id"]))
refused(401, "BXNIM0407E", as_profile.get_profile, profile_id=pid)
done(204, iam.enable_api_key(id=robot_key["id"]))
same(done(200, as_profile.get_profile(profile_id=pid)), name="deployer")
done(204, iam.delete_service_id(id=robot["id"]))
refused(401, "BXNIM0407E", as_profile.get_profile, profile_id=pid)
assert done(200, iam.get_profile_identities(profile_id=pid))["identities"] == []
done(204, iam.delete_profile(profile_id=pid))
refused(404, "BXNIM0415E", iam.get_profile, profile_id=pid)
members = done(200, groups.list_access_group_members(access_group_id=group["id"]))
assert members["members"] == [], members
finish()
