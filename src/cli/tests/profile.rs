//! `iam trusted-profile…`, dynamic rules, and what else has a trusted profile in it.

use serde_json::{Value, json};

use super::world::{ACCOUNT, GROUP, POLICY, SERVICE_ID, World, policy};

const WHO: &str = "michaelh@uk.ibm.com";
const PROFILE: &str = "Profile-2a934ca1-36a4-4d6c-a649-af45a2fc184b";
const RULE: &str = "ClaimRule-3a934ca1-36a4-4d6c-a649-af45a2fc184b";
const CLUSTER: &str = "crn:v1:bluemix:public:containers-kubernetes:us-south:a/1:c1::";

fn profile(id: &str) -> Value {
    json!({
        "id": id, "iam_id": format!("iam-{id}"), "entity_tag": "1-f0aed7b1e4fd", "name": "builders",
        "crn": format!("crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::profile:{id}"),
        "created_at": "2019-01-29T10:57+0000", "modified_at": "2019-01-29T10:57+0000", "description": "CI",
        "account_id": ACCOUNT,
    })
}

fn rule() -> Value {
    json!({
        "id": RULE, "entity_tag": "2-rule", "name": "staff", "type": "Profile-SAML", "realm_name": "corp", "expiration": 900,
        "created_at": "2019-01-29T10:57+0000", "cr_type": null,
        "conditions": [{"claim": "team", "operator": "EQUALS", "value": "\"blue\""}],
    })
}

fn link() -> Value {
    json!({"id": "ProfileLink-1", "name": "runner", "cr_type": "IKS_SA", "created_at": "2019-01-29T10:57+0000",
        "link": {"crn": CLUSTER, "namespace": "build", "name": "default"}})
}

fn identity() -> Value {
    json!({"iam_id": format!("iam-{SERVICE_ID}"), "identifier": SERVICE_ID, "type": "serviceid", "description": "ours"})
}

/// A server with one trusted profile, one group, and one of everything in them.
fn world() -> World {
    let world = World::logged_in();
    world.answering(|seen| {
        let (method, path) = seen.line.split_once(' ').unwrap();
        let path = path.split('?').next().unwrap();
        let below = path.strip_prefix(&format!("/v1/profiles/{PROFILE}")).map(str::to_owned);
        let below = below.or_else(|| path.strip_prefix(&format!("/v2/groups/{GROUP}")).map(str::to_owned));
        let one_rule = format!("/rules/{RULE}");
        match (method, path, below.as_deref()) {
            ("GET", "/v1/profiles", _) => Some((200, json!({"profiles": [profile(PROFILE)]}))),
            ("POST", "/v1/profiles", _) => Some((201, profile(PROFILE))),
            ("GET" | "PUT", _, Some("")) => Some((200, profile(PROFILE))),
            ("GET", _, Some("/rules")) => Some((200, json!({"rules": [rule()]}))),
            ("POST", _, Some("/rules")) => Some((201, rule())),
            ("GET" | "PUT", _, Some(path)) if path == one_rule => Some((200, rule())),
            ("GET", _, Some("/links")) => Some((200, json!({"links": [link()]}))),
            ("POST", _, Some("/links")) => Some((201, link())),
            ("GET", _, Some("/identities")) => Some((200, json!({"identities": [identity()]}))),
            ("GET" | "POST", _, Some(path)) if path.starts_with("/identities/") => Some((200, identity())),
            ("DELETE", "/v2/groups/_allgroups/members/IBMid-2", _) => {
                let row = json!({"access_group_id": GROUP, "status_code": 204});
                Some((207, json!({"iam_id": "IBMid-2", "groups": [row]})))
            }
            ("DELETE", _, Some(_)) => Some((204, Value::Null)),
            _ => None,
        }
    });
    world
}

#[test]
fn a_trusted_profile_is_made_listed_shown_changed_and_deleted() {
    let world = world();
    let made = world.run("iam trusted-profile-create builders -d CI").done();
    let shown = format!(
        "ID             {PROFILE}\nName           builders\nDescription    CI\n\
         CRN            crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::profile:{PROFILE}\n\
         IAM ID         iam-{PROFILE}\nVersion        1-f0aed7b1e4fd\n\
         Created At     2019-01-29T10:57+0000\nLast Updated   2019-01-29T10:57+0000\n"
    );
    let said = format!(
        "Creating trusted profile builders under current account as {WHO}...\nOK\n\
         Trusted profile builders is created successfully\n\n{shown}"
    );
    assert_eq!(made, said);
    assert_eq!(
        world.body("POST /v1/profiles"),
        json!({"account_id": ACCOUNT, "name": "builders", "description": "CI"})
    );
    assert_eq!(
        world.run("iam trusted-profiles").done(),
        format!(
            "Getting all trusted profiles under current account as {WHO}...\nOK\n\
             ID                                             Name       Created At              Last Updated            Description\n\
             {PROFILE}   builders   2019-01-29T10:57+0000   2019-01-29T10:57+0000   CI\n"
        )
    );
    assert_eq!(world.run("iam trusted-profiles --id").done(), format!("{PROFILE}\n"));
    for name in ["builders", PROFILE, &format!("iam-{PROFILE}")] {
        assert!(world.run(&format!("iam trusted-profile {name}")).done().ends_with(&shown));
    }
    assert_eq!(world.run("iam trusted-profile builders --id").done(), format!("{PROFILE}\n"));
    world.run("iam trusted-profile builders --id --output json").misused();
    world.run("iam trusted-profile-update builders -n makers").done();
    let put = world.seen().into_iter().find(|seen| seen.line.starts_with("PUT")).unwrap();
    assert_eq!(
        (put.headers["if-match"].to_str().unwrap(), put.body.as_str()),
        ("1-f0aed7b1e4fd", r#"{"name":"makers"}"#)
    );
    world.run("iam trusted-profile-update builders").misused();
    assert!(
        world
            .run("iam trusted-profile-delete nobody -f")
            .failed()
            .contains("There is no trusted profile `nobody`")
    );
    world.run("iam trusted-profile-delete builders -f").done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/profiles/{PROFILE}")]);
}

#[test]
fn two_profiles_of_one_name_ask_for_the_id() {
    let world = world();
    let other = PROFILE.replace('2', "9");
    let both = json!({"profiles": [profile(PROFILE), profile(&other)]});
    world.answering(move |seen| seen.line.starts_with("GET /v1/profiles?").then(|| (200, both.clone())));
    let complaint = world.run("iam trusted-profile-delete builders -f").failed();
    assert!(
        complaint.contains(&format!("{PROFILE}, {other}")) && complaint.contains("with the id"),
        "{complaint}"
    );
}

#[test]
fn whom_a_profile_trusts_by_name_and_by_place_is_told_in_names() {
    let world = world();
    let service_id = "--id think-registry-demo --id-type SERVICEID";
    world.run(&format!("iam trusted-profile-identity-create builders {service_id} -d ours")).done();
    assert_eq!(
        world.body(&format!("POST /v1/profiles/{PROFILE}/identities/serviceid")),
        json!({"identifier": SERVICE_ID, "type": "serviceid", "description": "ours"})
    );
    assert_eq!(
        world.run("iam trusted-profile-identities builders").done(),
        format!(
            "Getting all identities of trusted profile builders as {WHO}...\nOK\n\
             Identifier                                       Type        IAM ID                                               Description\n\
             {SERVICE_ID}   serviceid   iam-{SERVICE_ID}   ours\n"
        )
    );
    world.run(&format!("iam trusted-profile-identity builders {service_id}")).done();
    world.forget();
    let gone = format!("--id iam-{SERVICE_ID} --id-type serviceid");
    world.run(&format!("iam trusted-profile-identity-delete builders {gone} -f")).done();
    assert!(world.lines("GET /v1/serviceids").is_empty(), "who is gone need not be found");
    let at = format!("DELETE /v1/profiles/{PROFILE}/identities/serviceid/{SERVICE_ID}");
    assert_eq!(world.lines("DELETE"), [at]);
    world.forget();
    world.run("iam trusted-profile-identity-delete builders --id eve@x.test --id-type user -f").done();
    world
        .run(&format!("iam trusted-profile-identity-delete builders --id {CLUSTER} --id-type CRN -f"))
        .done();
    let encoded = CLUSTER.replace(':', "%3A").replace('/', "%2F");
    let at = format!("DELETE /v1/profiles/{PROFILE}/identities");
    assert_eq!(world.lines("DELETE"), [format!("{at}/user/IBMid-2"), format!("{at}/crn/{encoded}")]);

    let cluster = format!("--cr-type iks_sa --link-crn {CLUSTER} --link-namespace build --link-name default");
    world.run(&format!("iam trusted-profile-link-create builders --name runner {cluster}")).done();
    assert_eq!(
        world.body(&format!("POST /v1/profiles/{PROFILE}/links")),
        json!({"name": "runner", "cr_type": "IKS_SA", "link": {"crn": CLUSTER, "namespace": "build", "name": "default"}})
    );
    let links = world.run("iam trusted-profile-links builders").done();
    assert!(links.ends_with(&format!("ProfileLink-1   runner   IKS_SA   {CLUSTER}   build       default           2019-01-29T10:57+0000\n")), "{links}");
    assert_eq!(world.run("iam trusted-profile-links builders --id").done(), "ProfileLink-1\n");
    assert!(
        world.run("iam trusted-profile-link builders runner").done().contains("Service Account   default")
    );
    world.run("iam trusted-profile-link-delete builders runner -f").done();
    assert_eq!(
        world.lines("DELETE").last().unwrap(),
        &format!("DELETE /v1/profiles/{PROFILE}/links/ProfileLink-1")
    );
    assert!(
        world
            .run("iam trusted-profile-link-delete builders other -f")
            .failed()
            .contains("trusted-profile-links")
    );
}

#[test]
fn rules_are_made_of_conditions_and_changed_in_part() {
    let world = world();
    let create = "iam trusted-profile-rule-create builders --name staff --type profile-saml --realm-name corp --expiration 900 \
                  --conditions claim:team,operator:EQUALS,value:blue --conditions claim:role,operator:in,value:dev";
    world.run(create).done();
    assert_eq!(
        world.body(&format!("POST /v1/profiles/{PROFILE}/rules")),
        json!({"name": "staff", "type": "Profile-SAML", "realm_name": "corp", "expiration": 900, "conditions": [
            {"claim": "team", "operator": "EQUALS", "value": "\"blue\""},
            {"claim": "role", "operator": "IN", "value": "[\"dev\"]"}]})
    );
    for wrong in [
        "--type Profile-SAML --realm-name corp --conditions claim:a,operator:EQUALS,value:b",
        "--type Profile-CR --conditions claim:a,operator:EQUALS,value:b",
        "--type Profile-CR --cr-type VSI",
        "--type Profile-CR --cr-type VSI --conditions a=b",
    ] {
        world.run(&format!("iam trusted-profile-rule-create builders {wrong}")).misused();
    }
    assert_eq!(
        world.run("iam trusted-profile-rules builders").done(),
        format!(
            "Getting all rules of trusted profile builders as {WHO}...\nOK\n\
             ID                                               Name    Of     Expiration   Conditions\n\
             {RULE}   staff   corp   900 s        team EQUALS \"blue\"\n"
        )
    );
    assert!(
        world
            .run(&format!("iam trusted-profile-rule builders {RULE}"))
            .done()
            .contains("Realm        corp\n")
    );
    world.forget();
    world.run("iam trusted-profile-rule-update builders staff --expiration 60").done();
    let kept = json!({"name": "staff", "type": "Profile-SAML", "realm_name": "corp", "expiration": 60,
        "conditions": rule()["conditions"]});
    assert_eq!(world.body("PUT"), kept);
    world.forget();
    world.run("iam trusted-profile-rule-update builders staff --type Profile-CR --cr-type ROKS_SA").done();
    let turned = json!({"name": "staff", "type": "Profile-CR", "cr_type": "ROKS_SA", "conditions": rule()["conditions"]});
    assert_eq!(world.body("PUT"), turned);
    assert!(
        world
            .run("iam trusted-profile-rule-update builders staff")
            .misused()
            .contains("Nothing is to be changed")
    );
    world.run("iam trusted-profile-rule-delete builders staff -f").done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/profiles/{PROFILE}/rules/{RULE}")]);
}

#[test]
fn groups_have_rules_and_profiles_in_them() {
    let world = world();
    let create = "iam access-group-rule-create pullers --name staff --realm-name corp --expiration 12 \
                  --conditions claim:team,operator:CONTAINS,value:blue";
    world.run(create).done();
    assert_eq!(
        world.body(&format!("POST /v2/groups/{GROUP}/rules")),
        json!({"name": "staff", "realm_name": "corp", "expiration": 12,
            "conditions": [{"claim": "team", "operator": "CONTAINS", "value": "\"blue\""}]})
    );
    assert!(world.run("iam access-group-rules pullers").done().contains("team EQUALS \"blue\""));
    assert!(world.run("iam access-group-rule pullers staff").done().contains(RULE));
    world.run("iam access-group-rule-update pullers staff --name people").done();
    let body = world.body("PUT");
    assert_eq!(
        (&body["name"], &body["realm_name"], body.get("type")),
        (&json!("people"), &json!("corp"), None)
    );
    world.run("iam access-group-rule-delete pullers staff -f").done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v2/groups/{GROUP}/rules/{RULE}")]);

    world.forget();
    world.run("iam access-group-trusted-profile-add pullers builders").done();
    assert_eq!(
        world.body(&format!("PUT /v2/groups/{GROUP}/members")),
        json!({"members": [{"iam_id": format!("iam-{PROFILE}"), "type": "profile"}]})
    );
    let none = world.run("iam access-group-trusted-profiles pullers").done();
    assert!(none.contains("No trusted profile found in access group pullers."), "{none}");
    world.run("iam access-group-trusted-profile-remove pullers builders -f").done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v2/groups/{GROUP}/members/iam-{PROFILE}")]);
    world.run("iam access-groups -p builders").done();
    assert!(world.lines("GET /v2/groups?").last().unwrap().contains(&format!("iam_id=iam-{PROFILE}")));
    world.run("iam access-groups -p builders -u eve@x.test").misused();
    let gone = world.run("iam access-group-user-purge eve@x.test -f").done();
    assert!(gone.ends_with("OK\nuser eve@x.test removed from all access groups\n"), "{gone}");
}

#[test]
fn profiles_are_granted_access_and_their_policies_found() {
    let world = world();
    let theirs = || {
        let mut theirs = policy();
        theirs["subjects"][0]["attributes"][0]["value"] = format!("iam-{PROFILE}").into();
        theirs["created_at"] = "2020".into();
        theirs
    };
    world.run("iam trusted-profile-policy-create builders --roles Reader").done();
    assert_eq!(
        world.body("POST /v1/policies")["subjects"][0]["attributes"][0],
        json!({"name": "iam_id", "value": format!("iam-{PROFILE}")})
    );
    world.answering(move |seen| {
        let mut other = policy();
        (other["id"], other["created_at"]) = ("other".into(), "2019".into());
        let both = json!({"policies": [other, theirs()]});
        let one = seen.line == format!("GET /v1/policies/{POLICY}");
        let list = seen.line.starts_with("GET /v1/policies?");
        if one { Some((200, theirs())) } else { list.then_some((200, both)) }
    });
    let table = world.run("iam access-policies -t trusted_profile").done();
    assert!(table.contains("builders") && !table.contains("think-registry-demo"), "{table}");
    let order = |by: &str| {
        let table = world.run(&format!("iam access-policies --sort-by {by}")).done();
        table.lines().skip(3).map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (order("created_at"), order("-created_at")),
        (vec!["other".into(), POLICY.into()], vec![POLICY.into(), "other".into()])
    );
    world.run(&format!("iam trusted-profile-policy builders {POLICY}")).done();
    world.run(&format!("iam trusted-profile-policy-delete builders {POLICY} -f")).done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/policies/{POLICY}")]);
}

#[test]
fn settings_of_the_account_are_changed_by_flags_and_the_servers_words_come_through() {
    let world = world();
    let at = format!("/v1/accounts/{ACCOUNT}/settings/identity");
    let put = format!("PUT {at}");
    let line = put.clone();
    world.answering(move |seen| {
        (seen.line == line).then(|| (200, json!({"account_id": ACCOUNT, "mfa": "TOTP"})))
    });
    let change = "iam account-settings-update --mfa totp --restrict-create-service-id restricted \
                  --restrict-create-platform-apikey NOT_RESTRICTED --access-token-expiration-in-seconds 600 \
                  --refresh-token-expiration-in-seconds not_set --session-expiration-in-seconds 7200 \
                  --session-invalidation-in-seconds 900 --max-sessions-per-identity 5";
    let out = world.run(change).done();
    assert!(out.contains("MFA                         TOTP\n"), "{out}");
    assert_eq!(
        world.body(&put),
        json!({"mfa": "TOTP", "restrict_create_service_id": "RESTRICTED", "restrict_create_platform_apikey": "NOT_RESTRICTED",
            "system_access_token_expiration_in_seconds": "600", "system_refresh_token_expiration_in_seconds": "NOT_SET",
            "session_expiration_in_seconds": "7200", "session_invalidation_in_seconds": "900", "max_sessions_per_identity": "5"})
    );
    for wrong in ["--mfa SMS", "--max-sessions-per-identity 0", "--restrict-create-service-id maybe", ""] {
        world.run(&format!("iam account-settings-update {wrong}")).misused();
    }
    world.answering(move |seen| {
        (seen.line == put).then(|| {
            (400, json!({"errors": [{"code": "bad_request", "message": "`mfa` cannot be set to that here"}]}))
        })
    });
    assert!(
        world
            .run("iam account-settings-update --mfa LEVEL3")
            .failed()
            .contains("`mfa` cannot be set to that here")
    );
}
