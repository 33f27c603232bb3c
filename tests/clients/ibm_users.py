"""UserManagementV1: users, from invitation to removal, and what is refused on the way."""

from ibm_platform_services import IamAccessGroupsV2, IamIdentityV1, IamPolicyManagementV1, UserManagementV1
from ibm_platform_services.user_management_v1 import Attribute, InviteUser, InviteUserIamPolicy, Resource, Role

from cloud import ACCOUNT, done, finish, refused, same, service

users, iam = service(UserManagementV1), service(IamIdentityV1)
groups, pap = service(IamAccessGroupsV2), service(IamPolicyManagementV1)
UNKNOWN = "IBMid-ba934ca1-36a4-4d6c-a649-af45a2fc184b"

crew = done(201, groups.create_access_group(account_id=ACCOUNT, name="Crew"))
reader = InviteUserIamPolicy(
    type="access",
    roles=[Role(role_id="crn:v1:bluemix:public:iam::::serviceRole:Reader")],
    resources=[Resource(attributes=[Attribute(name="accountId", value=ACCOUNT), Attribute(name="serviceName", value="container-registry")])],
)
invited = done(202, users.invite_users(account_id=ACCOUNT, users=[InviteUser(email="ann@example.test", account_role="Member"), InviteUser(email="bob@example.test", account_role="Member")], iam_policy=[reader], access_groups=[crew["id"]]))
ann, bob = invited["resources"]
same(ann, email="ann@example.test", state="ACTIVE")
assert ann["id"].startswith("IBMid-") and ann["id"] != bob["id"], invited
done(204, groups.is_member_of_access_group(access_group_id=crew["id"], iam_id=ann["id"]))
assert len(done(200, pap.list_policies(account_id=ACCOUNT, iam_id=bob["id"]))["policies"]) == 1
refused(409, 409, users.invite_users, account_id=ACCOUNT, users=[InviteUser(email="ANN@example.test")])
refused(400, 400, users.invite_users, account_id=ACCOUNT, users=[])
refused(400, 400, users.invite_users, account_id=ACCOUNT, users=[InviteUser(email="with space")])
refused(400, 400, users.invite_users, account_id=ACCOUNT, users=[InviteUser(email="c@example.test")], access_groups=["nonsense"])
refused(404, 404, users.invite_users, account_id=ACCOUNT, users=[InviteUser(email="c@example.test")], access_groups=["AccessGroupId-ba934ca1-36a4-4d6c-a649-af45a2fc184b"])
refused(400, 400, users.list_users, account_id="another")

# Lists.
listed = done(200, users.list_users(account_id=ACCOUNT, limit=2))
same(listed, total_results=3, limit=2)
assert "_start=" in listed["next_url"] and listed["first_url"], listed
assert [row["email"] for row in done(200, users.list_users(account_id=ACCOUNT, user_id="ann@example.test"))["resources"]] == ["ann@example.test"]
assert [row["email"] for row in done(200, users.list_users(account_id=ACCOUNT, search="bob"))["resources"]] == ["bob@example.test"]
same(done(200, users.list_users(account_id=ACCOUNT, user_id="ann@example.test", include_settings=True))["resources"][0]["user_settings"], allowed_ip_addresses="")

# Profiles and settings.
read = done(200, users.get_user_profile(account_id=ACCOUNT, iam_id=ann["id"]))
same(read, iam_id=ann["id"], user_id="ann@example.test", email="ann@example.test", state="ACTIVE", realm="IBMid", account_id=ACCOUNT)
done(204, users.update_user_profile(account_id=ACCOUNT, iam_id=ann["id"], firstname="Ann", lastname="Other", phonenumber="123"))
same(done(200, users.get_user_profile(account_id=ACCOUNT, iam_id=ann["id"])), firstname="Ann", lastname="Other", phonenumber="123")
refused(404, 404, users.get_user_profile, account_id=ACCOUNT, iam_id=UNKNOWN)
refused(404, 404, users.update_user_profile, account_id=ACCOUNT, iam_id=UNKNOWN, firstname="x")
refused(400, 400, users.update_user_profile, account_id=ACCOUNT, iam_id=ann["id"], state="VPN_ONLY")
same(done(200, users.get_user_settings(account_id=ACCOUNT, iam_id=ann["id"])), allowed_ip_addresses="")
done(204, users.update_user_settings(account_id=ACCOUNT, iam_id=ann["id"], allowed_ip_addresses="192.0.2.0/24"))
same(done(200, users.get_user_settings(account_id=ACCOUNT, iam_id=ann["id"])), allowed_ip_addresses="192.0.2.0/24")
done(204, users.update_user_settings(account_id=ACCOUNT, iam_id=ann["id"], allowed_ip_addresses=""))
refused(400, 400, users.update_user_settings, account_id=ACCOUNT, iam_id=ann["id"], allowed_ip_addresses="nowhere")

# One who is switched off has no way in.
secret = done(201, iam.create_api_key(name="k", iam_id=bob["id"]))["apikey"]
same(done(200, service(UserManagementV1, secret).get_user_profile(account_id=ACCOUNT, iam_id=bob["id"])), email="bob@example.test")
weak = service(UserManagementV1, secret)
refused(403, 403, weak.invite_users, account_id=ACCOUNT, users=[InviteUser(email="c@example.test")])
refused(404, 404, weak.get_user_profile, account_id=ACCOUNT, iam_id=ann["id"])
assert [row["email"] for row in done(200, weak.list_users(account_id=ACCOUNT))["resources"]] == ["bob@example.test"]
refused(401, 401, service(UserManagementV1, None).list_users, account_id=ACCOUNT)
done(204, users.update_user_profile(account_id=ACCOUNT, iam_id=bob["id"], state="DISABLED_CLASSIC_INFRASTRUCTURE"))
refused(401, 401, weak.list_users, account_id=ACCOUNT)
refused(400, "BXNIM0415E", service(UserManagementV1, secret).list_users, account_id=ACCOUNT)
done(204, users.update_user_profile(account_id=ACCOUNT, iam_id=bob["id"], state="ACTIVE"))
same(done(200, service(UserManagementV1, secret).get_user_profile(account_id=ACCOUNT, iam_id=bob["id"])), state="ACTIVE")

# Removal.
done(204, users.remove_user(account_id=ACCOUNT, iam_id=ann["id"]))
refused(404, 404, users.get_user_profile, account_id=ACCOUNT, iam_id=ann["id"])
refused(404, 404, users.remove_user, account_id=ACCOUNT, iam_id=ann["id"])
myself = done(200, iam.list_api_keys(account_id=ACCOUNT))["apikeys"][0]["iam_id"]
refused(409, 409, users.remove_user, account_id=ACCOUNT, iam_id=myself)
finish()
