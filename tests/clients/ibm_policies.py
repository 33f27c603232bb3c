"""IamPolicyManagementV1: policies of both versions and custom roles, from creation to deletion, and what is refused on the way."""

from datetime import datetime, timezone

from ibm_platform_services import IamIdentityV1, IamPolicyManagementV1
from ibm_platform_services.iam_policy_management_v1 import (
    Control,
    Grant,
    PolicyResource,
    PolicyRole,
    PolicySubject,
    ResourceAttribute,
    Roles,
    RuleAttribute,
    SubjectAttribute,
    V2PolicyResource,
    V2PolicyResourceAttribute,
    V2PolicyRuleRuleAttribute,
    V2PolicyRuleRuleWithNestedConditions,
    V2PolicySubject,
    V2PolicySubjectAttribute,
)

from cloud import ACCOUNT, done, finish, refused, same, service, tag

pap, iam = service(IamPolicyManagementV1), service(IamIdentityV1)
UNKNOWN = "ba934ca1-36a4-4d6c-a649-af45a2fc184b"
READER, WRITER = (f"crn:v1:bluemix:public:iam::::serviceRole:{name}" for name in ("Reader", "Writer"))


def someone(name):
    made = done(201, iam.create_service_id(account_id=ACCOUNT, name=name))
    return made["iam_id"], done(201, iam.create_api_key(name="k", iam_id=made["iam_id"]))["apikey"]


def subject(who):
    return [PolicySubject(attributes=[SubjectAttribute(name="iam_id", value=who)])]


def resource(**attributes):
    named = {"accountId": ACCOUNT, "serviceName": "container-registry", **attributes}
    return [PolicyResource(attributes=[ResourceAttribute(name=name, value=value) for name, value in named.items()])]


def roles(*crns):
    return [PolicyRole(role_id=crn) for crn in crns]


# Version 1.
robot, robots_key = someone("robot")
made = pap.create_policy(type="access", subjects=subject(robot), roles=roles(READER), resources=resource(region="us-south"), description="may pull")
policy = done(201, made)
same(policy, type="access", description="may pull", state="active", roles=[{"role_id": READER, "display_name": "Reader", "description": "Can pull, list and inspect images."}])
assert policy["href"].endswith("/v1/policies/" + policy["id"]), policy
read = pap.get_policy(policy_id=policy["id"])
same(done(200, read), id=policy["id"], subjects=policy["subjects"])
assert tag(read) == tag(made)
replaced = pap.replace_policy(policy_id=policy["id"], if_match=tag(read), type="access", subjects=subject(robot), roles=roles(READER, WRITER), resources=resource())
same(done(200, replaced), description="")
assert len(replaced.get_result()["roles"]) == 2
stale = dict(policy_id=policy["id"], if_match=tag(read), type="access", subjects=subject(robot), roles=roles(READER), resources=resource())
refused(412, "policy_conflict_error", pap.replace_policy, **stale)
listed = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot))
assert [row["id"] for row in listed["policies"]] == [policy["id"]], listed
assert done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, type="authorization"))["policies"] == []
assert done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, service_type="platform_service"))["policies"] == []

# What is no policy.
plain = dict(type="access", subjects=subject(robot), roles=roles(READER), resources=resource())
for wrong in (
    {"type": "authorization"},
    {"subjects": []},
    {"roles": []},
    {"roles": roles("crn:v1:bluemix:public:iam::::serviceRole:Owner")},
    {"resources": resource(color="red")},
    {"resources": resource(serviceName="kms")},
    {"resources": resource(accountId="another")},
    {"resources": [PolicyResource(attributes=[ResourceAttribute(name="accountId", value=ACCOUNT)])]},
):
    refused(400, "invalid_body", pap.create_policy, **{**plain, **wrong})
nobody = subject("iam-ServiceId-" + UNKNOWN)
refused(404, "not_found", pap.create_policy, **{**plain, "subjects": nobody})
body = refused(404, "policy_not_found", pap.get_policy, policy_id=UNKNOWN)
assert body["errors"][0]["message"] == f"Policy with Id {UNKNOWN} not found." and body["status_code"] == 404 and body["trace"], body
refused(404, "policy_not_found", pap.delete_policy, policy_id=UNKNOWN)

# Deleted, and restored.
done(204, pap.delete_policy(policy_id=policy["id"]))
refused(404, "policy_not_found", pap.get_policy, policy_id=policy["id"])
gone = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, state="deleted"))["policies"]
same(gone[0], id=policy["id"], state="deleted")
refused(412, "policy_conflict_error", pap.update_policy_state, policy_id=policy["id"], if_match=tag(read), state="active")
restored = pap.update_policy_state(policy_id=policy["id"], if_match=tag(replaced), state="active")
same(done(200, restored), id=policy["id"], state="active")
same(done(200, pap.get_policy(policy_id=policy["id"])), roles=replaced.get_result()["roles"])
assert done(200, pap.list_policies(account_id=ACCOUNT, state="deleted"))["policies"] == []

# Pages.
for number in range(5):
    done(201, pap.create_policy(**{**plain, "resources": resource(resource=f"team-{number}")}))
start, seen = None, []
while True:
    page = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, limit=2, **({"start": start} if start else {})))
    assert len(page["policies"]) <= 2
    seen += [row["id"] for row in page["policies"]]
    if "next" not in page:
        break
    start = page["next"]["start"]
assert len(set(seen)) == 6 == len(seen), seen

# Back again, and in other orders.
back = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, limit=2, start=page["previous"]["start"]))
assert [row["id"] for row in back["policies"]] == seen[2:4], back
assert back["first"]["href"] and back["previous"]["start"] and back["next"]["start"], back
assert "previous" not in done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, limit=2))
by_id = [row["id"] for row in done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, sort="-id"))["policies"]]
assert by_id == sorted(seen, reverse=True), by_id
half = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, sort="id", limit=4))
rest = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, sort="id", limit=4, start=half["next"]["start"]))
assert [row["id"] for row in half["policies"] + rest["policies"]] == sorted(seen), (half, rest)
assert rest["previous"]["start"] and "next" not in rest, rest
refused(400, "invalid_body", pap.list_policies, account_id=ACCOUNT, sort="colour")
shown = done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, format="display"))["policies"][0]["roles"][0]
assert "container-registry.image.pull" in [one["id"] for one in shown["actions"]], shown
done(200, pap.list_policies(account_id=ACCOUNT, iam_id=robot, format="include_last_permit"))
refused(400, "invalid_body", pap.list_policies, account_id=ACCOUNT, format="pretty")

# What another policy says already.
twice = {**plain, "resources": resource(resource="team-0")}
body = refused(409, "policy_conflict_error", pap.create_policy, **twice)
conflict = body["errors"][0]["details"]["conflicts_with"]
assert conflict["policy"] in seen and conflict["etag"] == tag(pap.get_policy(policy_id=conflict["policy"])).strip('"'), body
refused(409, "policy_conflict_error", pap.replace_policy, policy_id=seen[-1], if_match="*", **twice)
done(204, pap.delete_policy(policy_id=conflict["policy"]))
again = done(201, pap.create_policy(**twice))
refused(409, "policy_conflict_error", pap.update_policy_state, policy_id=conflict["policy"], if_match="*", state="active")
done(204, pap.delete_policy(policy_id=again["id"]))


# Version 2.
def v2_resource(*attributes):
    named = [("accountId", "stringEquals", ACCOUNT), ("serviceName", "stringEquals", "container-registry"), *attributes]
    return V2PolicyResource(attributes=[V2PolicyResourceAttribute(key=k, operator=o, value=v) for k, o, v in named])


def v2(who, *crns, rule=None, pattern=None, of=()):
    return dict(
        type="access",
        subject=V2PolicySubject(attributes=[V2PolicySubjectAttribute(key="iam_id", operator="stringEquals", value=who)]),
        control=Control(grant=Grant(roles=[Roles(role_id=crn) for crn in crns])),
        resource=v2_resource(*of),
        **({"rule": rule} if rule else {}),
        **({"pattern": pattern} if pattern else {}),
    )


def weekly(*days):
    return V2PolicyRuleRuleWithNestedConditions(
        operator="and",
        conditions=[
            RuleAttribute(key="{{environment.attributes.day_of_week}}", operator="dayOfWeekAnyOf", value=list(days)),
            RuleAttribute(key="{{environment.attributes.current_time}}", operator="timeGreaterThanOrEquals", value="00:00:00+00:00"),
            RuleAttribute(key="{{environment.attributes.current_time}}", operator="timeLessThanOrEquals", value="23:59:59+00:00"),
        ],
    )


nightly, nightlys_key = someone("nightly")
never = "time-based-conditions:weekly:custom-hours"
made = pap.create_v2_policy(**v2(nightly, READER, rule=weekly("1+00:00"), pattern=never))
timed = done(201, made)
same(timed, pattern=never, state="active", type="access", control={"grant": {"roles": [{"role_id": READER}]}})
assert timed["rule"]["conditions"][0]["value"] == ["1+00:00"], timed
read = pap.get_v2_policy(id=timed["id"])
same(done(200, read), rule=timed["rule"], subject=timed["subject"], resource=timed["resource"])
shown = done(200, pap.get_v2_policy(id=timed["id"], format="display"))["control"]["grant"]["roles"][0]
assert shown["display_name"] == "Reader" and "container-registry.image.pull" in [one["id"] for one in shown["actions"]], shown
week = [f"{day}+00:00" for day in range(1, 8)]
replaced = pap.replace_v2_policy(id=timed["id"], if_match=tag(read), **v2(nightly, READER, rule=weekly(*week), pattern=never))
assert done(200, replaced)["rule"]["conditions"][0]["value"] == week
refused(412, "policy_conflict_error", pap.replace_v2_policy, id=timed["id"], if_match=tag(read), **v2(nightly, READER))
same(done(200, pap.list_v2_policies(account_id=ACCOUNT, iam_id=nightly))["policies"][0], id=timed["id"])
assert done(200, pap.list_v2_policies(account_id=ACCOUNT, iam_id=nightly, service_name="iam-groups"))["policies"] == []
# Version 1 cannot say it, and cannot take its conditions away.
same(done(200, pap.list_policies(account_id=ACCOUNT, iam_id=nightly))["policies"][0], subjects=[{"attributes": [{"name": "iam_id", "value": "unsupported version"}]}], href=timed["href"])
refused(409, "policy_conflict_error", pap.replace_policy, policy_id=timed["id"], if_match="*", **{**plain, "subjects": subject(nightly)})
# Operators.
patterns = [("region", "stringExists", True), ("resource", "stringMatchAnyOf", ["team-*", "birds?"]), ("resourceType", "stringEqualsAnyOf", ["namespace"])]
made = done(201, pap.create_v2_policy(**v2(nightly, WRITER, of=patterns)))
assert [(one["key"], one["operator"], one["value"]) for one in made["resource"]["attributes"][2:]] == patterns, made
by_name = V2PolicyRuleRuleAttribute(key="{{resource.attributes.resource}}", operator="stringMatch", value="team-*")
done(201, pap.create_v2_policy(**v2(nightly, WRITER, rule=by_name, pattern="attribute-based-condition:resource:literal-and-wildcard")))
for wrong in (
    dict(rule=RuleAttribute(key="{{environment.attributes.weather}}", operator="stringEquals", value="fine")),
    dict(rule=RuleAttribute(key="{{environment.attributes.current_time}}", operator="timeLessThan", value="noon")),
    dict(rule=weekly("8+00:00")),
    dict(rule=by_name, pattern="whenever"),
    dict(of=[("region", "stringExists", "us-south")]),
    dict(of=[("resource", "stringEqualsAnyOf", [])]),
):
    refused(400, "invalid_body", pap.create_v2_policy, **v2(nightly, READER, **wrong))
body = refused(409, "policy_conflict_error", pap.create_v2_policy, **v2(nightly, WRITER, of=patterns))
assert body["errors"][0]["details"]["conflicts_with"]["policy"] == made["id"], body
ordered = done(200, pap.list_v2_policies(account_id=ACCOUNT, iam_id=nightly, sort="-created_at", limit=1))
assert "next" in ordered and ordered["policies"][0]["id"] != timed["id"], ordered
done(204, pap.delete_v2_policy(id=timed["id"]))
refused(404, "policy_not_found", pap.get_v2_policy, id=timed["id"])

# Roles.
known = done(200, pap.list_roles(account_id=ACCOUNT, service_name="container-registry"))
assert {role["display_name"] for role in known["service_roles"]} >= {"Reader", "Writer", "Manager"}, known
pull, push = "container-registry.image.pull", "container-registry.image.push"
new = dict(name="Puller", display_name="Only pull", actions=[pull], account_id=ACCOUNT, service_name="container-registry", description="pulls")
made = pap.create_role(**new)
role = done(201, made)
same(role, crn=f"crn:v1:ibmcloud:public:iam-access-management::a/{ACCOUNT}::customRole:Puller", actions=[pull], display_name="Only pull")
refused(409, "role_conflict_error", pap.create_role, **new)
refused(409, "role_conflict_error", pap.create_role, **{**new, "name": "Other", "display_name": "reader"})
for wrong in ({"name": "lower"}, {"actions": []}, {"actions": ["iam.policy.create"]}, {"service_name": "kms"}):
    refused(400, "invalid_body", pap.create_role, **{**new, "display_name": "x", "name": "Other", **wrong})
read = pap.get_role(role_id=role["id"])
same(done(200, read), id=role["id"], description="pulls")
same(done(200, pap.list_roles(account_id=ACCOUNT))["custom_roles"][0], id=role["id"])
granted = done(201, pap.create_policy(**{**plain, "roles": roles(role["crn"])}))
same(granted["roles"][0], role_id=role["crn"], display_name="Only pull")
refused(409, "role_conflict_error", pap.delete_role, role_id=role["id"])
changed = pap.replace_role(role_id=role["id"], if_match=tag(read), display_name="Pull and push", actions=[pull, push])
same(done(200, changed), actions=[pull, push], description="pulls")
refused(412, "role_conflict_error", pap.replace_role, role_id=role["id"], if_match=tag(read), display_name="x", actions=[pull])
same(done(200, pap.get_policy(policy_id=granted["id"]))["roles"][0], display_name="Pull and push")
done(204, pap.delete_policy(policy_id=granted["id"]))
done(204, pap.delete_role(role_id=role["id"]))
refused(404, "role_not_found", pap.get_role, role_id=role["id"])
refused(404, "role_not_found", pap.delete_role, role_id=role["id"])
# Its role is gone, so it cannot come back.
refused(404, "policy_not_found", pap.update_policy_state, policy_id=granted["id"], if_match="*", state="active")

# What is granted is in force at once: by a custom role, and at its times only.
def may_read(who):
    return service(IamIdentityV1, who).get_service_id(id=nightly.removeprefix("iam-")).get_status_code() == 200


identity = {"name": "IdReader", "display_name": "Reads service IDs", "service_name": "iam-identity", "account_id": ACCOUNT}
made = pap.create_role(**identity, actions=["iam-identity.serviceid.get"])
role = done(201, made)
platform = resource(serviceName="iam-identity")
granted = done(201, pap.create_policy(**{**plain, "roles": roles(role["crn"]), "resources": platform}))
assert may_read(robots_key)
listing = pap.replace_role(role_id=role["id"], if_match=tag(made), display_name="Lists", actions=["iam-identity.serviceid.list"])
done(200, listing)
refused(404, "BXNIM0415E", service(IamIdentityV1, robots_key).get_service_id, id=nightly.removeprefix("iam-"))
done(204, pap.delete_policy(policy_id=granted["id"]))
done(204, pap.delete_role(role_id=role["id"]))
today = datetime.now(timezone.utc).isoweekday()
viewer = "crn:v1:bluemix:public:iam::::role:Viewer"
of_identity = V2PolicyResource(
    attributes=[
        V2PolicyResourceAttribute(key="accountId", operator="stringEquals", value=ACCOUNT),
        V2PolicyResourceAttribute(key="serviceName", operator="stringEquals", value="iam-identity"),
    ]
)
other_days = [f"{day}+00:00" for day in range(1, 8) if (day - today) % 7 in (2, 3, 4)]
made = pap.create_v2_policy(**{**v2(robot, viewer, rule=weekly(*other_days), pattern=never), "resource": of_identity})
timed = done(201, made)
refused(404, "BXNIM0415E", service(IamIdentityV1, robots_key).get_service_id, id=nightly.removeprefix("iam-"))
whole_week = {**v2(robot, viewer, rule=weekly(*week), pattern=never), "resource": of_identity}
done(200, pap.replace_v2_policy(id=timed["id"], if_match=tag(made), **whole_week))
assert may_read(robots_key)
done(204, pap.delete_v2_policy(id=timed["id"]))

# Who cannot grant cannot escalate: not by a policy, not by a role, not by its own key.
weak = service(IamPolicyManagementV1, robots_key)
refused(403, "insufficent_permissions", weak.create_policy, **plain)
refused(403, "insufficent_permissions", weak.create_v2_policy, **v2(robot, WRITER))
refused(403, "insufficent_permissions", weak.delete_policy, policy_id=policy["id"])
refused(403, "insufficent_permissions", weak.create_role, **{**new, "name": "Mine", "display_name": "Mine"})
same(done(200, weak.get_policy(policy_id=policy["id"])), id=policy["id"])
stranger = service(IamPolicyManagementV1, nightlys_key)
refused(404, "policy_not_found", stranger.get_policy, policy_id=policy["id"])
refused(401, "invalid_token", service(IamPolicyManagementV1, None).list_policies, account_id=ACCOUNT)

# A locked service ID refuses changes of its policies.
done(204, iam.lock_service_id(id=robot.removeprefix("iam-")))
refused(409, "policy_conflict_error", pap.create_policy, **plain)
refused(409, "policy_conflict_error", pap.delete_policy, policy_id=policy["id"])
done(204, iam.unlock_service_id(id=robot.removeprefix("iam-")))
done(204, pap.delete_policy(policy_id=policy["id"]))
finish()
