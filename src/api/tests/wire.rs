//! What holds for every endpoint: the route table walked as nobody and as a stranger, and bodies that are refused.

use http::Method;
use serde_json::json;

use super::super::routes::{Access, Found, ROUTES, find, owns};
use super::{ACCOUNT, Ask, House, get, post, put};
use crate::ids::principal::PrincipalId;

const UUID: &str = "ba934ca1-36a4-4d6c-a649-af45a2fc184b";

/// Fills a template with ids; `exists` gives those of things that are there.
fn filled(template: &str, [group, key, policy, service_id, user, profile]: [&str; 6]) -> String {
    let id = match template.split('/').nth(2).unwrap() {
        "apikeys" => key,
        "groups" => group,
        "policies" => policy,
        "profiles" => profile,
        "roles" => UUID,
        _ if template.starts_with("/notifications/") => policy,
        _ if template.starts_with("/config/") => &format!("rule-{UUID}"),
        "resource_groups" | "rules" | "zones" => "65810ac762004f22ac19f8f8edf70a34",
        _ => service_id,
    };
    template
        .replace("{account}", ACCOUNT)
        .replace("{id}", id)
        .replace("{iam_id}", user)
        .replace("{name}", "birds")
        .replace("{type}/{identifier}", &format!("user/{user}"))
        .replace("{type}", "user")
        .replace("{link}", &format!("Link-{UUID}"))
        .replace("{namespace}", "birds")
        .replace("{image}", "birds%2Fowl:1")
        .replace("/images/tags", "/images/tags?fromimage=birds/owl:1&toimage=birds/owl:2")
        .replace("{attachment}", &format!("attachment-{UUID}"))
        .replace("{rule}", &format!("ClaimRule-{UUID}"))
}

/// A body that the endpoint reads.
fn body(method: &Method, template: &str, someone: &PrincipalId) -> Option<String> {
    let value = match (method.as_str(), template) {
        ("POST", "/v1/serviceids") => json!({"account_id": ACCOUNT, "name": "x"}),
        ("POST" | "PATCH", "/v2/resource_groups" | "/v2/resource_groups/{id}") => json!({"name": "x"}),
        ("POST", "/v1/profiles") => json!({"account_id": ACCOUNT, "name": "x"}),
        ("POST" | "PUT", "/v1/profiles/{id}/rules" | "/v1/profiles/{id}/rules/{rule}") => {
            let condition = json!({"claim": "a", "operator": "EQUALS", "value": "true"});
            json!({"type": "Profile-SAML", "realm_name": "r", "expiration": 900, "conditions": [condition]})
        }
        ("POST", "/v1/profiles/{id}/links") => {
            let link = json!({"crn": "crn:v1:x", "namespace": "n", "name": "s"});
            json!({"cr_type": "IKS_SA", "link": link})
        }
        ("POST", "/v1/profiles/{id}/identities/{type}") => json!({"identifier": someone, "type": "user"}),
        ("POST", "/v1/apikeys") => json!({"name": "x", "iam_id": someone}),
        ("POST", "/api/native/access-keys") => json!({"iam_id": someone}),
        ("POST" | "PUT", "/v1/policies" | "/v1/policies/{id}") => {
            let registry = [("serviceName", "container-registry")];
            super::policy(&json!(someone), super::role("serviceRole", "Reader"), &registry)
        }
        (_, "/v1/zones" | "/v1/zones/{id}") if *method != Method::GET && *method != Method::DELETE => {
            json!({"name": "x", "addresses": [{"type": "ipAddress", "value": "192.0.2.1"}]})
        }
        (_, "/v1/rules" | "/v1/rules/{id}") if *method != Method::GET && *method != Method::DELETE => {
            json!({"contexts": [], "resources": [{"attributes": [{"name": "serviceName", "value": "container-registry"}]}]})
        }
        ("POST" | "PUT", "/config/v1/rules" | "/config/v1/rules/{id}") => {
            let target = json!({"service_name": "container-registry", "resource_kind": "service"});
            let required = json!({"property": "private_only", "operator": "is_true"});
            let rule = json!({"target": target, "required_config": required});
            if *method == Method::POST { json!({"rules": [{"rule": rule}]}) } else { rule }
        }
        ("POST" | "PUT", attachments) if attachments.starts_with("/config/") => {
            let attachment = json!({"included_scope": {"scope_id": ACCOUNT, "scope_type": "account"}});
            if *method == Method::POST { json!({"attachments": [attachment]}) } else { attachment }
        }
        ("PATCH", "/v1/policies/{id}") => json!({"state": "active"}),
        ("POST" | "PUT", "/v2/policies" | "/v2/policies/{id}") => {
            let equals =
                |key: &str, value: &str| json!({"key": key, "operator": "stringEquals", "value": value});
            let of = [equals("accountId", ACCOUNT), equals("serviceName", "container-registry")];
            json!({
                "type": "access",
                "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": someone}]},
                "control": {"grant": {"roles": [super::role("serviceRole", "Reader")]}},
                "resource": {"attributes": of},
            })
        }
        ("POST", "/v2/roles") => {
            let (actions, service) = (["container-registry.image.pull"], "container-registry");
            json!({"name": "X", "display_name": "x", "actions": actions, "service_name": service,
                "account_id": ACCOUNT})
        }
        ("PUT", "/v2/roles/{id}") => {
            json!({"display_name": "x", "actions": ["container-registry.image.pull"]})
        }
        ("POST", "/v2/groups/{id}/members/delete") => json!({"members": [someone]}),
        ("PUT", "/v2/groups/_allgroups/members/{iam_id}") => {
            json!({"type": "user", "groups": [format!("AccessGroupId-{UUID}")]})
        }
        ("POST" | "PUT", "/v2/groups/{id}/rules" | "/v2/groups/{id}/rules/{rule}") => {
            let condition = json!({"claim": "a", "operator": "EQUALS", "value": "true"});
            json!({"realm_name": "r", "expiration": 1, "conditions": [condition]})
        }
        ("POST", "/v2/groups") => json!({"name": "x"}),
        ("PUT", "/v2/groups/{id}/members") => json!({"members": [{"iam_id": someone, "type": "user"}]}),
        ("POST", "/v2/accounts/{account}/users") => json!({"users": [{"email": "x@y"}]}),
        ("POST", "/api/v1/images/bulkdelete") => json!(["birds/owl@sha256:x"]),
        ("POST", "/api/v1/images/digests") => json!({"repositories": []}),
        ("POST", "/api/v1/retentions" | "/api/v1/retentions/analyze") => {
            json!({"namespace": "birds", "images_per_repo": 1, "retain_untagged": true})
        }
        ("PATCH", "/api/v1/plans") => json!({"plan": "Standard"}),
        ("PATCH", "/api/v1/quotas") => json!({"storage_megabytes": 1}),
        ("PATCH", "/api/v1/settings") => json!({"platform_metrics": true}),
        ("PATCH", "/api/v1/auth") => json!({"iam_authz": true}),
        ("POST", "/api/native/explain") => {
            json!({"principal": someone, "action": "pull", "namespace": "birds"})
        }
        ("POST", "/api/native/who-can") => json!({"action": "pull", "namespace": "birds"}),
        ("PATCH", "/v2/accounts/{account}/users/{iam_id}/settings")
        | ("PUT", "/api/native/allowlists/{id}") => json!({"allowed_ip_addresses": ""}),
        ("POST" | "PUT", channels) if channels.starts_with("/notifications/") => {
            json!({"name": "x", "type": "Webhook", "endpoint": "https://alerts.example.com/ok"})
        }
        ("DELETE", "/notifications/v1/{account}/notifications/channels") => json!([UUID]),
        ("PUT" | "PATCH", _) => json!({}),
        _ => return None,
    };
    Some(value.to_string())
}

#[tokio::test]
async fn nobody_gets_in_and_a_stranger_cannot_tell_what_exists() {
    let house = House::open().await;
    let (admin, stranger) = (house.admin.clone(), house.stranger.clone());
    let service_id = house.service_id("victim").await;
    let registry = [("serviceName", "container-registry")];
    let policy = house.grant(&admin, super::role("serviceRole", "Reader"), &registry).await;
    let key = house.ask(post("/v1/apikeys", json!({"name": "k", "iam_id": admin}))).await.expect(201);
    let group = house.ask(post("/v2/groups", json!({"name": "victims"}))).await.expect(201);
    house.ask(Ask::new(Method::PUT, "/api/v1/namespaces/birds")).await.expect(201);
    let named = json!({"name": "p", "account_id": ACCOUNT});
    let profile = house.ask(post("/v1/profiles", named)).await.expect(201);
    let text = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let profile = text(&profile);
    let (group, key, user) = (text(&group), text(&key), admin.to_string());
    let member = json!({"members": [{"iam_id": admin, "type": "user"}]});
    house.ask(put(&format!("/v2/groups/{group}/members"), "*", member)).await.expect(207);
    let random = |tag: &str| format!("{tag}-{UUID}");
    for route in ROUTES {
        let real = filled(route.template, [&group, &key, &policy, &service_id, &user, &profile]);
        let others = ["AccessGroupId", "ApiKey", "ServiceId", "IBMid", "Profile"].map(random);
        let made_up =
            filled(route.template, [&others[0], &others[1], UUID, &others[2], &others[3], &others[4]]);
        let ask = |path: &str| {
            let ask = Ask::new(route.method.clone(), path).header("if-match", "*");
            match body(&route.method, route.template, &admin) {
                Some(body) => ask.raw(&body),
                None => ask,
            }
        };
        let name = format!("{} {}", route.method, route.template);
        let nobody = house.send(None, ask(&real)).await;
        if route.access == Access::Anyone {
            nobody.expect(204);
            continue;
        }
        nobody.expect(401);
        assert_eq!(nobody.header("www-authenticate"), "Bearer", "{name}");
        let there = house.send(Some(&stranger), ask(&real)).await;
        let not_there = house.send(Some(&stranger), ask(&made_up)).await;
        let neutral = |reply: &super::Reply| {
            let text = String::from_utf8(reply.0.body.to_vec()).unwrap();
            let ids = [&group, &key, &policy, &service_id, &user, &profile];
            let text = ids.iter().fold(text, |text, id| text.replace(id.as_str(), "ID"));
            ["AccessGroupId-", "ApiKey-", "ServiceId-", "IBMid-", "Profile-", ""]
                .iter()
                .fold(text, |text, tag| text.replace(&format!("{tag}{UUID}"), "ID"))
        };
        assert_eq!((there.0.status, neutral(&there)), (not_there.0.status, neutral(&not_there)), "{name}");
        assert_eq!(there.0.headers, not_there.0.headers, "{name}");
        let status = there.0.status.as_u16();
        let fine = match route.access {
            Access::Anyone | Access::Proven | Access::Listing(_) => status == 200,
            Access::Needs(_) => status == 403 || status == 404,
        };
        assert!(fine, "{name}: {status} {}", neutral(&there));
        for secret in [&group, &key, &policy, &service_id, &user] {
            let shown = String::from_utf8(there.0.body.to_vec()).unwrap();
            assert!(status != 200 || !shown.contains(secret.as_str()), "{name} shows {secret}");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart_in_the_dialect_of_the_path() {
    let house = House::open().await;
    assert_eq!(house.ask(get("/api/v1/nonsense")).await.expect(404)["code"], "CRG0404E");
    assert_eq!(house.ask(get("/v1/%61pikeys")).await.expect(404)["status_code"], 404);
    let wrong = house.ask(Ask::new(Method::PATCH, "/v1/serviceids")).await;
    assert_eq!(wrong.expect(405)["errors"][0]["message_code"], "BXNIM0109E");
    assert_eq!(wrong.header("allow"), "GET, POST");
    house.ask(get("/v1/apikeys/..")).await.expect(404);
    house.ask(get("/v1/apikeys/%ff")).await.expect(400);
    house.ask(get("/v1/apikeys?iam_id=a&iam_id=b")).await.expect(400);
    house.ask(get("/v1/apikeys?account_id=210987654321")).await.expect(400);
}

#[test]
fn no_route_shadows_another_and_none_takes_the_registrys_paths() {
    for route in ROUTES {
        let path = route.template.replace(['{', '}'], "");
        let Found::Route(found, _) = find(&route.method, &path) else { panic!("{path} leads nowhere") };
        assert_eq!(found.template, route.template);
        assert!(owns(&path), "{path}");
    }
    for registry in [
        "/v2/",
        "/v2/_catalog",
        "/v2/groups/manifests/members",
        "/v2/groups/blobs/uploads/",
        "/v2/groups/tags/list",
        "/v2/accounts/manifests/users",
        "/v2/groups/referrers/members",
        "/v2/roles/manifests/latest",
        "/v2/accounts/x/users/manifests/y",
        "/v2/groups/x/members/manifests/y",
        "/oauth/token",
    ] {
        assert!(!owns(registry), "{registry}");
    }
}

#[tokio::test]
async fn bodies_that_smuggle_something_are_refused() {
    let house = House::open().await;
    let create = |raw: &str| Ask::new(Method::POST, "/v1/serviceids").raw(raw);
    let base = r#""account_id":"123456789012","name":"x""#;
    house.ask(create(&format!("{{{base}}}"))).await.expect(201);
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for extra in [
        r#""name":"y""#,
        r#""n\u0061me":"y""#,
        r#""iam_id":"iam-ServiceId-1""#,
        r#""locked":true"#,
        r#""created_at":"2001""#,
        r#""id":"x""#,
        &format!(r#""unique_instance_crns":{deep}"#),
    ] {
        let reply = house.ask(create(&format!("{{{base},{extra}}}"))).await;
        assert!(reply.expect(400)["errors"][0]["message"].as_str().unwrap().len() > 10);
    }
    for raw in [
        "",
        "{",
        "[]",
        "null",
        "\u{feff}{}",
        &format!("{{{base}}} x"),
        &format!("{{{base}/**/}}"),
        r#"{"account_id":"210987654321","name":"x"}"#,
        r#"{"account_id":"123456789012","name":"a\u0000b"}"#,
        r#"{"account_id":"123456789012","name":""}"#,
        r#"{"account_id":"123456789012","name":"\ud800"}"#,
        r#"{"account_id":123456789012,"name":"x"}"#,
        r#" ["123456789012","x","",[]]"#,
    ] {
        house.ask(create(raw)).await.expect(400);
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-7", ""] {
        house.ask(create(&format!("{{{base}}}")).header("content-type", kind)).await.expect(415);
    }
    house
        .ask(create(&format!("{{{base}}}")).header("content-type", "Application/JSON; charset=UTF-8"))
        .await
        .expect(201);
    house.ask(create(&" ".repeat((1 << 20) + 1))).await.expect(413);
}
