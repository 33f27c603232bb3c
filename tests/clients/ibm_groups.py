"""IamAccessGroupsV2: groups, members, dynamic rules and settings, from creation to deletion, and what is refused on the way."""

from ibm_platform_services import IamAccessGroupsV2, IamIdentityV1, IamPolicyManagementV1
from ibm_platform_services.iam_access_groups_v2 import AddGroupMembersRequestMembersItem as Member
from ibm_platform_services.iam_access_groups_v2 import RuleConditions

from cloud import ACCOUNT, done, finish, refused, same, service, tag

groups, iam, pap = service(IamAccessGroupsV2), service(IamIdentityV1), service(IamPolicyManagementV1)
UNKNOWN = "AccessGroupId-ba934ca1-36a4-4d6c-a649-af45a2fc184b"
NOBODY = "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b"


def someone(name):
    made = done(201, iam.create_service_id(account_id=ACCOUNT, name=name))
    return made["iam_id"], done(201, iam.create_api_key(name="k", iam_id=made["iam_id"]))["apikey"]


def member(who):
    return Member(iam_id=who, type="service")


# Groups.
made = groups.create_access_group(account_id=ACCOUNT, name="Developers", description="write code")
devs = done(201, made)
same(devs, name="Developers", description="write code", account_id=ACCOUNT, is_federated=False)
assert devs["id"].startswith("AccessGroupId-") and devs["href"].endswith("/v2/groups/" + devs["id"]), devs
read = groups.get_access_group(access_group_id=devs["id"])
same(done(200, read), id=devs["id"])
assert "crn" not in read.get_result()
crn = done(200, groups.get_access_group(access_group_id=devs["id"], show_crn=True))["crn"]
assert crn == f"crn:v1:bluemix:public:iam-groups::a/{ACCOUNT}::access-group:{devs['id']}", crn
changed = groups.update_access_group(access_group_id=devs["id"], if_match=tag(read), description="write and test code")
same(done(200, changed), name="Developers", description="write and test code")
refused(412, "conflict", groups.update_access_group, access_group_id=devs["id"], if_match=tag(read), name="x")
refused(409, "conflict", groups.create_access_group, account_id=ACCOUNT, name="developers")
refused(400, "invalid_body", groups.create_access_group, account_id=ACCOUNT, name="x" * 101)
refused(400, "invalid_body", groups.create_access_group, account_id=ACCOUNT, name="x", description="x" * 251)
refused(404, "not_found", groups.get_access_group, access_group_id=UNKNOWN)
refused(404, "not_found", groups.delete_access_group, access_group_id=UNKNOWN)

# Members.
(one, ones_key), (two, _), (three, _) = someone("one"), someone("two"), someone("three")
added = done(207, groups.add_members_to_access_group(access_group_id=devs["id"], members=[member(one), member(two), member(NOBODY)]))
assert [row["status_code"] for row in added["members"]] == [200, 200, 404], added
assert added["members"][2]["errors"][0]["code"] == "not_found" and added["members"][2]["trace"], added
again = done(207, groups.add_members_to_access_group(access_group_id=devs["id"], members=[member(one)]))
assert again["members"][0]["status_code"] == 409, again
done(204, groups.is_member_of_access_group(access_group_id=devs["id"], iam_id=one))
refused(404, None, groups.is_member_of_access_group, access_group_id=devs["id"], iam_id=three)
listed = done(200, groups.list_access_group_members(access_group_id=devs["id"], limit=1))
same(listed, total_count=2, limit=1, offset=0)
assert listed["next"]["href"], listed
verbose = done(200, groups.list_access_group_members(access_group_id=devs["id"], verbose=True, type="service"))
assert sorted(row["name"] for row in verbose["members"]) == ["one", "two"], verbose
assert done(200, groups.list_access_group_members(access_group_id=devs["id"], type="user"))["members"] == []
refused(400, "invalid_body", groups.add_members_to_access_group, access_group_id=devs["id"], members=[])
refused(400, "invalid_body", groups.add_members_to_access_group, access_group_id=devs["id"], members=[member(one)] * 51)
refused(400, "invalid_body", groups.add_members_to_access_group, access_group_id=devs["id"], members=[Member(iam_id=one, type="user")])
done(204, groups.remove_member_from_access_group(access_group_id=devs["id"], iam_id=two))
refused(404, "not_found", groups.remove_member_from_access_group, access_group_id=devs["id"], iam_id=two)
removed = done(207, groups.remove_members_from_access_group(access_group_id=devs["id"], members=[one, two]))
same(removed, access_group_id=devs["id"])
assert [(row["iam_id"], row["status_code"]) for row in removed["members"]] == [(one, 204), (two, 404)], removed

# One member, many groups.
ops = done(201, groups.create_access_group(account_id=ACCOUNT, name="Operators"))
many = done(207, groups.add_member_to_multiple_access_groups(account_id=ACCOUNT, iam_id=one, type="service", groups=[devs["id"], ops["id"], UNKNOWN]))
same(many, iam_id=one)
assert [(row["access_group_id"], row["status_code"]) for row in many["groups"]] == [(devs["id"], 200), (ops["id"], 200), (UNKNOWN, 404)], many
mine = done(200, groups.list_access_groups(account_id=ACCOUNT, iam_id=one))
same(mine, total_count=2)
gone = done(207, groups.remove_member_from_all_access_groups(account_id=ACCOUNT, iam_id=one))
assert sorted(row["access_group_id"] for row in gone["groups"]) == sorted([devs["id"], ops["id"]]), gone
assert {row["status_code"] for row in gone["groups"]} == {204}, gone
refused(404, "not_found", groups.remove_member_from_all_access_groups, account_id=ACCOUNT, iam_id=one)
found = done(200, groups.list_access_groups(account_id=ACCOUNT, search="oper", sort="-name"))
assert [row["name"] for row in found["groups"]] == ["Operators", "Developers"], found
refused(400, "invalid_body", groups.list_access_groups, account_id=ACCOUNT, sort="colour")

# Dynamic rules.
everyone = RuleConditions(claim="isManager", operator="EQUALS", value="true")
made = groups.add_access_group_rule(access_group_id=devs["id"], expiration=12, realm_name="https://idp.example.test", conditions=[everyone], name="managers")
rule = done(201, made)
same(rule, name="managers", expiration=12, realm_name="https://idp.example.test", access_group_id=devs["id"], account_id=ACCOUNT)
assert rule["conditions"] == [{"claim": "isManager", "operator": "EQUALS", "value": "true"}], rule
read = groups.get_access_group_rule(access_group_id=devs["id"], rule_id=rule["id"])
same(done(200, read), id=rule["id"])
in_list = RuleConditions(claim="groups", operator="IN", value='["a", "b"]')
changed = groups.replace_access_group_rule(access_group_id=devs["id"], rule_id=rule["id"], if_match=tag(read), expiration=24, realm_name="https://idp.example.test", conditions=[everyone, in_list], name="m")
same(done(200, changed), name="m", expiration=24)
refused(412, "conflict", groups.replace_access_group_rule, access_group_id=devs["id"], rule_id=rule["id"], if_match=tag(read), expiration=1, realm_name="x", conditions=[everyone])
assert [row["id"] for row in done(200, groups.list_access_group_rules(access_group_id=devs["id"]))["rules"]] == [rule["id"]]
same(done(200, groups.get_access_group(access_group_id=devs["id"], show_federated=True)), is_federated=True)
plain = dict(access_group_id=devs["id"], expiration=1, realm_name="r", conditions=[everyone])
for wrong in (
    {"expiration": 0},
    {"expiration": 25},
    {"conditions": []},
    {"conditions": [RuleConditions(claim="a", operator="LIKE", value='"x"')]},
    {"conditions": [RuleConditions(claim="a", operator="EQUALS", value="not json")]},
    {"conditions": [RuleConditions(claim="a", operator="IN", value='"x"')]},
):
    refused(400, "invalid_body", groups.add_access_group_rule, **{**plain, **wrong})
refused(404, "not_found", groups.add_access_group_rule, **{**plain, "access_group_id": UNKNOWN})
refused(409, "conflict", groups.delete_access_group, access_group_id=devs["id"])
done(204, groups.remove_access_group_rule(access_group_id=devs["id"], rule_id=rule["id"]))
refused(404, "not_found", groups.get_access_group_rule, access_group_id=devs["id"], rule_id=rule["id"])

# Settings.
same(done(200, groups.get_account_settings(account_id=ACCOUNT)), account_id=ACCOUNT, public_access_enabled=False)
same(done(200, groups.update_account_settings(account_id=ACCOUNT, public_access_enabled=False)), public_access_enabled=False)
refused(400, "invalid_body", groups.update_account_settings, account_id=ACCOUNT, public_access_enabled=True)

# What a group may, its members may: so who cannot grant that cannot add any.
weak = service(IamAccessGroupsV2, ones_key)
refused(404, "not_found", weak.get_access_group, access_group_id=devs["id"])
refused(404, "not_found", weak.add_members_to_access_group, access_group_id=devs["id"], members=[member(one)])
refused(403, "insufficent_permissions", weak.create_access_group, account_id=ACCOUNT, name="mine")
refused(401, "invalid_token", service(IamAccessGroupsV2, None).list_access_groups, account_id=ACCOUNT)
assert done(200, weak.list_access_groups(account_id=ACCOUNT))["groups"] == []
done(207, groups.add_members_to_access_group(access_group_id=devs["id"], members=[member(one)]))
same(done(200, weak.get_access_group(access_group_id=devs["id"])), name="Developers")
refused(409, "conflict", groups.delete_access_group, access_group_id=devs["id"])
done(204, groups.delete_access_group(access_group_id=devs["id"], force=True))
refused(404, "not_found", groups.get_access_group, access_group_id=devs["id"])
done(204, groups.delete_access_group(access_group_id=ops["id"]))
finish()
