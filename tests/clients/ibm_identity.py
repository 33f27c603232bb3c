"""IamIdentityV1: service IDs, API keys and account settings, from creation to deletion, and what is refused on the way."""

import re

from ibm_platform_services import IamIdentityV1, IamPolicyManagementV1, UserManagementV1
from ibm_platform_services.iam_identity_v1 import ApiKeyInsideCreateServiceIdRequest

from cloud import ACCOUNT, done, every, finish, refused, same, service, tag

iam = service(IamIdentityV1)
UNKNOWN = "ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b"

# Service IDs.
made = iam.create_service_id(account_id=ACCOUNT, name="builder", description="builds")
builder = done(201, made)
same(builder, name="builder", description="builds", account_id=ACCOUNT, locked=False, iam_id="iam-" + builder["id"])
assert re.fullmatch(r"ServiceId-[0-9a-f-]{36}", builder["id"]), builder
assert re.fullmatch(r"[0-9]+-[0-9a-f]{32}", builder["entity_tag"]), builder
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+0000", builder["created_at"]), builder
assert builder["crn"] == f"crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::serviceid:{builder['id']}", builder
read = iam.get_service_id(id=builder["id"])
same(done(200, read), id=builder["id"], entity_tag=builder["entity_tag"])
renamed = iam.update_service_id(id=builder["id"], if_match=tag(read), name="builder-2")
same(done(200, renamed), name="builder-2", description="builds")
refused(412, "BXNIM0109E", iam.update_service_id, id=builder["id"], if_match=tag(read), name="builder-3")
done(200, iam.update_service_id(id=builder["id"], if_match="*", description=""))
refused(404, "BXNIM0415E", iam.get_service_id, id=UNKNOWN)
refused(404, "BXNIM0415E", iam.update_service_id, id=UNKNOWN, if_match="*", name="x")
refused(404, "BXNIM0415E", iam.delete_service_id, id=UNKNOWN)
refused(400, "BXNIM0109E", iam.create_service_id, account_id=ACCOUNT, name="")
refused(400, "BXNIM0109E", iam.create_service_id, account_id="another", name="x")

# A locked one refuses changes.
done(204, iam.lock_service_id(id=builder["id"]))
same(done(200, iam.get_service_id(id=builder["id"])), locked=True)
refused(409, "BXNIM0109E", iam.update_service_id, id=builder["id"], if_match="*", name="x")
refused(409, "BXNIM0109E", iam.delete_service_id, id=builder["id"])
refused(409, "BXNIM0109E", iam.create_api_key, name="k", iam_id=builder["iam_id"])
done(204, iam.unlock_service_id(id=builder["id"]))
same(done(201, iam.create_service_id(account_id=ACCOUNT, name="fixed", entity_lock="true")), locked=True)

# Lists: pages, filters, order.
for number in range(5):
    done(201, iam.create_service_id(account_id=ACCOUNT, name=f"many-{number}"))
paged = every(iam.list_service_ids, "serviceids", account_id=ACCOUNT, pagesize=2)
assert [row["name"] for row in paged] == ["builder-2", "fixed"] + [f"many-{n}" for n in range(5)], paged
named = done(200, iam.list_service_ids(account_id=ACCOUNT, name="many-3"))
assert [row["name"] for row in named["serviceids"]] == ["many-3"], named
ordered = done(200, iam.list_service_ids(account_id=ACCOUNT, sort="name", order="desc", pagesize=1))
assert [row["name"] for row in ordered["serviceids"]] == ["many-4"], ordered
refused(400, "BXNIM0109E", iam.list_service_ids, account_id=ACCOUNT, pagetoken="made-up")
refused(400, "BXNIM0109E", iam.list_service_ids, account_id=ACCOUNT, sort="colour")

# API keys.
made = iam.create_api_key(name="k1", iam_id=builder["iam_id"], description="first", account_id=ACCOUNT)
key = done(201, made)
same(key, name="k1", iam_id=builder["iam_id"], account_id=ACCOUNT, locked=False, disabled=False)
secret = key["apikey"]
assert re.fullmatch(r"[A-Za-z0-9_-]{44}", secret), "44 characters that a URL may hold"
read = iam.get_api_key(id=key["id"])
same(done(200, read), name="k1", description="first")
assert "apikey" not in read.get_result(), "the key itself is shown once"
same(done(200, iam.get_api_keys_details(iam_api_key=secret)), id=key["id"])
refused(404, "BXNIM0415E", iam.get_api_keys_details, iam_api_key="p" * 44)
same(done(200, iam.update_api_key(id=key["id"], if_match=tag(read), name="k2")), name="k2")
refused(412, "BXNIM0109E", iam.update_api_key, id=key["id"], if_match=tag(read), name="k3")
same(done(200, iam.update_api_key(id=key["id"], if_match="*", expires_at="2099-01-01T00:00+0000")), expires_at="2099-01-01T00:00+0000")
refused(400, "BXNIM0109E", iam.update_api_key, id=key["id"], if_match="*", expires_at="2001-01-01T00:00+0000")
own = service(IamIdentityV1, secret)
same(done(200, own.get_service_id(id=builder["id"])), name="builder-2")
done(204, iam.disable_api_key(id=key["id"]))
same(done(200, iam.get_api_key(id=key["id"])), disabled=True)
refused(400, "BXNIM0415E", service(IamIdentityV1, secret).get_service_id, id=builder["id"])
refused(401, "BXNIM0407E", own.get_service_id, id=builder["id"])
done(204, iam.enable_api_key(id=key["id"]))
done(204, iam.lock_api_key(id=key["id"]))
refused(409, "BXNIM0109E", iam.update_api_key, id=key["id"], if_match="*", name="x")
refused(409, "BXNIM0109E", iam.delete_api_key, id=key["id"])
done(204, iam.unlock_api_key(id=key["id"]))
for number in range(4):
    done(201, iam.create_api_key(name=f"more-{number}", iam_id=builder["iam_id"]))
listed = every(iam.list_api_keys, "apikeys", account_id=ACCOUNT, iam_id=builder["iam_id"], pagesize=2)
assert [row["name"] for row in listed] == ["k2"] + [f"more-{n}" for n in range(4)], listed
of_services = every(iam.list_api_keys, "apikeys", account_id=ACCOUNT, scope="account", type="serviceid")
assert {row["iam_id"] for row in of_services} == {builder["iam_id"]}, of_services
done(204, iam.delete_api_key(id=key["id"]))
refused(404, "BXNIM0415E", iam.get_api_key, id=key["id"])
refused(400, "BXNIM0415E", service(IamIdentityV1, secret).get_service_id, id=builder["id"])

# A key of the caller's own, and one that comes with its owner.
mine = "Zq3vN8xT1mB7kR5wY2pL9sD4fG6hJ0cA"
same(done(201, iam.create_api_key(name="mine", iam_id=builder["iam_id"], apikey=mine)), apikey=mine)
same(done(200, iam.get_api_keys_details(iam_api_key=mine)), name="mine")
refused(409, "BXNIM0109E", iam.create_api_key, name="again", iam_id=builder["iam_id"], apikey=mine)
for wrong in ("short", "a" * 40, "not a key because of the spaces in it"):
    refused(400, "BXNIM0109E", iam.create_api_key, name="x", iam_id=builder["iam_id"], apikey=wrong)
inner = ApiKeyInsideCreateServiceIdRequest(name="first", description="made with it")
both = done(201, iam.create_service_id(account_id=ACCOUNT, name="both", apikey=inner, entity_lock="true"))
same(both, locked=True)
same(done(200, service(IamIdentityV1, both["apikey"]["apikey"]).get_service_id(id=both["id"])), name="both")
wrong = ApiKeyInsideCreateServiceIdRequest(name="first", apikey="short")
refused(400, "BXNIM0109E", iam.create_service_id, account_id=ACCOUNT, name="neither", apikey=wrong)
assert done(200, iam.list_service_ids(account_id=ACCOUNT, name="neither"))["serviceids"] == []

# What was done with them.
past = done(200, iam.get_service_id(id=builder["id"], include_history=True))["history"]
assert [one["action"] for one in past] == ["UNLOCK", "LOCK", "UPDATE", "UPDATE", "CREATE"], past
assert past[0]["iam_id"].startswith("IBMid-") and past[0]["iam_id_account"] == ACCOUNT and past[0]["timestamp"], past
named = every(iam.list_api_keys, "apikeys", account_id=ACCOUNT, iam_id=builder["iam_id"], include_history=True)
assert [one["action"] for one in named[0]["history"]] == ["CREATE"], named

# When they were used: at once, and added up.
brand_new = done(201, iam.create_service_id(account_id=ACCOUNT, name="idle"))
assert "activity" not in done(200, iam.get_service_id(id=brand_new["id"]))
never = done(200, iam.get_service_id(id=brand_new["id"], include_activity="true"))["activity"]
assert never == {"authn_count": 0}, never
idle = done(201, iam.create_api_key(name="k", iam_id=brand_new["iam_id"]))
for count in (1, 2):
    service(IamIdentityV1, idle["apikey"]).authenticator.token_manager.request_token()
    for found in (
        done(200, iam.get_service_id(id=brand_new["id"], include_activity="true")),
        done(200, iam.get_api_key(id=idle["id"], include_activity="true")),
    ):
        assert found["activity"]["authn_count"] == count, found
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+0000", found["activity"]["last_authn"]), found
done(204, iam.delete_service_id(id=brand_new["id"]))

# Filters.
found = done(200, iam.list_service_ids(account_id=ACCOUNT, filter='name sw "MANY"'))
assert len(found["serviceids"]) == 5, found
found = done(200, iam.list_api_keys(account_id=ACCOUNT, scope="account", filter='description eq "made with it"'))
assert [row["name"] for row in found["apikeys"]] == ["first"], found
refused(400, "BXNIM0109E", iam.list_service_ids, account_id=ACCOUNT, filter="colour is blue")

# Account settings.
same(done(200, iam.get_effective_account_settings(account_id=ACCOUNT))["effective"], mfa="NONE")
read = iam.get_account_settings(account_id=ACCOUNT)
same(done(200, read), account_id=ACCOUNT, allowed_ip_addresses="", mfa="NONE")
listed = "127.0.0.0/8, ::1"
changed = iam.update_account_settings(if_match=tag(read), account_id=ACCOUNT, allowed_ip_addresses=listed)
same(done(200, changed), allowed_ip_addresses=listed)
refused(412, "BXNIM0109E", iam.update_account_settings, if_match=tag(read), account_id=ACCOUNT, allowed_ip_addresses="")
refused(400, "BXNIM0109E", iam.update_account_settings, if_match="*", account_id=ACCOUNT, allowed_ip_addresses="nowhere")
done(200, iam.update_account_settings(if_match="*", account_id=ACCOUNT, allowed_ip_addresses=""))
refused(400, "BXNIM0109E", iam.get_account_settings, account_id="another")

# What the account says of its identities, and what cannot be set here.
def change(**settings):
    return done(200, iam.update_account_settings(if_match="*", account_id=ACCOUNT, **settings))


same(change(), restrict_create_service_id="NOT_SET", mfa="NONE", restrict_user_list_visibility="RESTRICTED")
for wrong in (
    {"mfa": "TOTP"}, {"mfa": "LEVEL3"}, {"max_sessions_per_identity": "5"},
    {"session_expiration_in_seconds": "899"}, {"session_invalidation_in_seconds": "7201"},
    {"system_access_token_expiration_in_seconds": "3601"}, {"system_refresh_token_expiration_in_seconds": "259201"},
    {"restrict_create_service_id": "SOMETIMES"}, {"user_mfa": [{"iam_id": "IBMid-1", "mfa": "NONE"}]},
    {"restrict_user_domains": [{"realm_id": "elsewhere", "restrict_invitation": True}]},
):
    refused(400, "BXNIM0109E", iam.update_account_settings, if_match="*", account_id=ACCOUNT, **wrong)
change(restrict_create_service_id="RESTRICTED")
same(done(200, iam.get_effective_account_settings(account_id=ACCOUNT))["effective"], restrict_create_service_id="RESTRICTED")
refused(403, "BXNIM0513E", iam.create_service_id, account_id=ACCOUNT, name="restricted")
policies = service(IamPolicyManagementV1)
me = past[0]["iam_id"]
creator = "crn:v1:bluemix:public:iam-identity::::serviceRole:"
attributes = [{"name": "accountId", "value": ACCOUNT}, {"name": "serviceName", "value": "iam-identity"}]


def grant(role):
    subject = [{"attributes": [{"name": "iam_id", "value": me}]}]
    return done(201, policies.create_policy(
        type="access", subjects=subject, roles=[{"role_id": creator + role}], resources=[{"attributes": attributes}]))


given = grant("ServiceIdCreator")
assert given["roles"][0]["role_id"] == creator + "ServiceIdCreator", given
done(201, iam.create_service_id(account_id=ACCOUNT, name="restricted"))
change(restrict_create_service_id="NOT_RESTRICTED")
done(204, policies.delete_policy(policy_id=given["id"]))
done(201, iam.create_service_id(account_id=ACCOUNT, name="unrestricted"))
change(restrict_create_platform_apikey="RESTRICTED")
refused(403, "BXNIM0513E", iam.create_api_key, name="mine", iam_id=me)
done(201, iam.create_api_key(name="of a service ID", iam_id=builder["iam_id"]))
grant("UserApiKeyCreator")
done(201, iam.create_api_key(name="mine", iam_id=me))
change(restrict_create_service_id="NOT_SET", restrict_create_platform_apikey="NOT_SET")
only = [{"realm_id": "IBMid", "invitation_email_allow_patterns": ["*@example.test"], "restrict_invitation": True}]
same(change(restrict_user_domains=only), restrict_user_domains=only)
people = service(UserManagementV1)
refused(409, 409, people.invite_users, account_id=ACCOUNT, users=[{"email": "eve@example.org"}])
done(202, people.invite_users(account_id=ACCOUNT, users=[{"email": "ann@example.test"}]))
same(change(restrict_user_domains=[{"realm_id": "IBMid"}]), restrict_user_domains=[])
past = done(200, iam.get_account_settings(account_id=ACCOUNT, include_history=True))["history"]
assert past and past[0]["action"] == "UPDATE" and past[0]["iam_id"] == me, past

# How long tokens are good.
change(system_access_token_expiration_in_seconds="900")
brief = service(IamIdentityV1).authenticator.token_manager.request_token()
assert brief["expires_in"] == 900, brief["expires_in"]
change(system_access_token_expiration_in_seconds="NOT_SET")
assert service(IamIdentityV1).authenticator.token_manager.request_token()["expires_in"] == 3600

# Who has no right, and who is nobody.
helper = done(201, iam.create_service_id(account_id=ACCOUNT, name="helper"))
secret = done(201, iam.create_api_key(name="k", iam_id=helper["iam_id"]))["apikey"]
weak = service(IamIdentityV1, secret)
refused(404, "BXNIM0415E", weak.get_service_id, id=builder["id"])
refused(403, "BXNIM0513E", weak.create_service_id, account_id=ACCOUNT, name="x")
refused(403, "BXNIM0513E", weak.get_account_settings, account_id=ACCOUNT)
same(done(200, weak.get_service_id(id=helper["id"])), name="helper")
nobody = service(IamIdentityV1, None)
refused(401, "BXNIM0407E", nobody.list_service_ids, account_id=ACCOUNT)

done(204, iam.delete_service_id(id=builder["id"]))
refused(404, "BXNIM0415E", iam.get_service_id, id=builder["id"])
finish()
