//! `iam …`, beyond the tutorial.

use serde_json::{Value, json};

use super::world::{API_KEY, GROUP, NEW_KEY, POLICY, SERVICE_ID, World, api_key, service_id};

const WHO: &str = "michaelh@uk.ibm.com";

#[test]
fn json_is_all_there_is_on_the_standard_output() {
    let world = World::logged_in();
    for command in [
        "iam service-ids",
        "iam service-id think-registry-demo",
        "iam service-id-create x",
        "iam api-keys",
        "iam users",
        "iam service-api-keys think-registry-demo",
        "iam service-policies think-registry-demo",
        "iam roles",
        "iam access-groups",
        "iam access-group-users pullers",
        "iam access-group-create g",
        "iam oauth-tokens",
        "iam user-invite new@x.test",
        "cr region",
        "cr info",
        "cr namespace-list",
        "cr image-list",
        "target",
        "cr iam-policies-status",
        "explain --action push --resource birds/owl",
    ] {
        let out = world.run(&format!("{command} --output JSON")).done();
        assert!(serde_json::from_str::<Value>(&out).is_ok(), "{command}: {out}");
    }
}

#[test]
fn a_name_that_means_two_things_asks_for_the_id() {
    let world = World::logged_in();
    let second = "ServiceId-ca934ca1-36a4-4d6c-a649-af45a2fc184b";
    let both = json!({"serviceids": [service_id(SERVICE_ID, "ci"), service_id(second, "ci"), service_id("x", "ci2")]});
    world.answering(move |seen| seen.line.starts_with("GET /v1/serviceids/?").then(|| (200, both.clone())));
    let complaint = world.run("iam service-id-delete ci -f").failed();
    assert!(
        complaint.contains(&format!("not the only one of that name: {SERVICE_ID}, {second}")),
        "{complaint}"
    );
    assert!(complaint.contains("with the id instead"));
    assert!(
        world.run("iam service-id-delete nobody -f").failed().contains("`portcullis iam service-ids` lists")
    );
    assert_eq!(
        world.run(&format!("iam service-id-delete {SERVICE_ID} -f")).done(),
        format!(
            "Deleting service ID think-registry-demo bound to current account as {WHO}...\nOK\n\
             Service ID think-registry-demo is deleted successfully\n"
        )
    );
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/serviceids/{SERVICE_ID}")]);
}

#[test]
fn lists_are_read_page_by_page() {
    let world = World::logged_in();
    world.answering(|seen| {
        let next = "https://elsewhere.test/v1/serviceids/?account_id=123456789012&pagesize=100&pagetoken=2";
        let first = !seen.line.contains("pagetoken");
        let page = if first {
            json!({"serviceids": [service_id("a", "a")], "next": next})
        } else {
            json!({"serviceids": [service_id("b", "b")]})
        };
        seen.line.starts_with("GET /v1/serviceids/?").then_some((200, page))
    });
    assert_eq!(world.run("iam service-ids --uuid").done(), "a\nb\n");
    assert_eq!(world.run("iam service-ids --uuid --name b").done(), "b\n");
}

#[test]
fn a_service_id_is_updated_and_locked() {
    let world = World::logged_in();
    world.run("iam service-id-update think-registry-demo -n ci -d text").done();
    let put = world.seen().into_iter().find(|seen| seen.line.starts_with("PUT")).unwrap();
    assert_eq!(put.headers["if-match"], "1-f0aed7b1e4fd");
    assert_eq!(
        serde_json::from_str::<Value>(&put.body).unwrap(),
        json!({"name": "ci", "description": "text"})
    );
    world.run("iam service-id-update think-registry-demo").misused();
    assert_eq!(
        world.run("iam service-id-lock think-registry-demo").done(),
        format!(
            "Locking service ID think-registry-demo as {WHO}...\nOK\nService ID think-registry-demo is locked successfully\n"
        )
    );
    world.run("iam service-id-unlock think-registry-demo -q").done();
    assert_eq!(world.lines("POST /v1/serviceids/"), [format!("POST /v1/serviceids/{SERVICE_ID}/lock")]);
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/serviceids/{SERVICE_ID}/lock")]);
}

#[test]
fn keys_are_listed_switched_and_deleted() {
    let world = World::logged_in();
    assert_eq!(
        world.run("iam service-api-keys think-registry-demo").done(),
        format!(
            "Getting all API keys of service ID think-registry-demo under account 123456789012 as {WHO}...\nOK\n\
             ID                                            Name                      Created At              Last Updated            Description   Locked   Disabled\n\
             {API_KEY}   think-registry-demo-key   2019-02-01T19:06+0000   2019-02-01T19:06+0000                 false    false\n"
        )
    );
    let key = "think-registry-demo-key think-registry-demo";
    let said = "API key think-registry-demo-key of service ID think-registry-demo";
    assert_eq!(
        world.run(&format!("iam service-api-key-disable {key}")).done(),
        format!("Disabling {said} as {WHO}...\nOK\n{said} is disabled successfully\n")
    );
    for verb in ["enable", "lock", "unlock"] {
        world.run(&format!("iam service-api-key-{verb} {key}")).done();
        world.run(&format!("iam api-key-{verb} think-registry-demo-key")).done();
    }
    assert_eq!(world.lines("POST /v1/apikeys/").len(), 3);
    assert_eq!(world.lines("DELETE /v1/apikeys/").len(), 4);
    world.run(&format!("iam service-api-key-delete {API_KEY} {SERVICE_ID} -f")).done();
    assert_eq!(world.lines("DELETE").last().unwrap(), &format!("DELETE /v1/apikeys/{API_KEY}"));
    world.run("iam service-api-keys --all").done();
    assert!(world.lines("GET /v1/apikeys").last().unwrap().contains("scope=account&type=serviceid"));
}

#[test]
fn a_key_goes_to_a_file_that_only_its_owner_can_read_and_not_to_the_screen() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::logged_in();
    let file = world.path("key.json");
    for format in ["", "--output json"] {
        let out = world.run(&format!("iam api-key-create mine -d text --lock --file {file} {format}")).done();
        assert!(!out.contains(NEW_KEY), "{out}");
    }
    let written: Value = serde_json::from_str(&world.file("key.json")).unwrap();
    assert_eq!(written["apikey"], NEW_KEY);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let create = world.seen().into_iter().find(|seen| seen.line == "POST /v1/apikeys").unwrap();
    assert_eq!(create.headers["entity-lock"], "true");
    assert!(create.body.contains("\"iam_id\":\"IBMid-1\""));
    assert_eq!(world.run("iam api-key-create mine -q").done(), format!("{NEW_KEY}\n"));
}

#[test]
fn an_own_key_is_found_among_ones_own() {
    let world = World::logged_in();
    world.answering(|seen| {
        let mine = seen.line.starts_with("GET /v1/apikeys?") && seen.line.contains("iam_id=IBMid-1");
        mine.then(|| (200, json!({"apikeys": [api_key("mine")]})))
    });
    world.run("iam api-key-delete mine -f").done();
    assert!(world.run("iam api-key-delete theirs -f").failed().contains("There is no API key `theirs`"));
}

#[test]
fn policies_are_listed_shown_and_deleted_by_id() {
    let world = World::logged_in();
    let out = world.run("iam service-policies think-registry-demo").done();
    assert!(out.starts_with(&format!(
        "Getting policies under current account of service ID think-registry-demo as {WHO}...\nOK\n\nPolicy ID:   {POLICY}\nRoles:       Reader\n"
    )), "{out}");
    assert!(world.lines("GET /v1/policies?")[0].contains(&format!("iam_id=iam-{SERVICE_ID}")));
    let out = world.run(&format!("iam service-policy think-registry-demo {POLICY}")).done();
    assert!(out.contains("Version:     1-a87c6b7290bb93db\n"), "{out}");
    let other = world.run(&format!("iam user-policy-delete eve@x.test {POLICY} -f")).failed();
    assert!(other.contains("is not one of user eve@x.test"), "{other}");
    assert!(world.lines("DELETE").is_empty());
    world.run(&format!("iam service-policy-delete think-registry-demo {POLICY} -f")).done();
    assert_eq!(world.lines("DELETE"), [format!("DELETE /v1/policies/{POLICY}")]);
}

#[test]
fn users_and_groups_are_granted_access_by_name() {
    let world = World::logged_in();
    world.run("iam user-policy-create EVE@x.test -r Reader,Writer").done();
    assert_eq!(
        world.body("POST /v1/policies")["subjects"][0]["attributes"][0],
        json!({"name": "iam_id", "value": "IBMid-2"})
    );
    world.forget();
    let out = world.run("iam access-group-policy-create Pullers --roles Reader -q").done();
    assert_eq!(out, format!("{POLICY}\n"));
    let subject = json!({"name": "access_group_id", "value": GROUP});
    assert_eq!(world.body("POST /v1/policies")["subjects"][0]["attributes"][0], subject);
}

#[test]
fn account_management_is_granted_by_one_flag() {
    let world = World::logged_in();
    world.run("iam service-policy-create think-registry-demo --roles Viewer --account-management").done();
    assert_eq!(
        world.body("POST /v1/policies")["resources"][0]["attributes"][1],
        json!({"name": "serviceType", "value": "platform_service", "operator": "stringEquals"})
    );
    world.forget();
    for wrong in ["--roles Reader", "--roles Viewer --region us-south", "--roles Viewer --service-name x"] {
        let line = format!("iam service-policy-create think-registry-demo --account-management {wrong}");
        world.run(&line).misused();
    }
    assert!(world.lines("POST /v1/policies").is_empty());
}

fn v2() -> Value {
    json!({
        "id": POLICY, "type": "access", "state": "active", "description": "",
        "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": format!("iam-{SERVICE_ID}")}]},
        "control": {"grant": {"roles": [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader"}]}},
        "resource": {"attributes": [{"key": "serviceName", "operator": "stringEquals", "value": "container-registry"}]},
    })
}

#[test]
fn policies_are_written_and_read_in_either_version_of_the_api() {
    let world = World::logged_in();
    let create = "iam service-policy-create think-registry-demo --roles Reader";
    world.run(&format!("{create} --api-version V1")).done();
    world.answering(|seen| {
        let (method, path) = seen.line.split_once(' ').unwrap();
        let one = format!("/v2/policies/{POLICY}");
        match (method, path.split('?').next().unwrap()) {
            ("GET", "/v2/policies") => Some((200, json!({"policies": [v2()]}))),
            ("POST", "/v2/policies") => Some((201, v2())),
            ("GET" | "PUT", path) if path == one => Some((200, v2())),
            ("DELETE", path) if path == one => Some((204, Value::Null)),
            _ => None,
        }
    });
    world.forget();
    let out = world.run(&format!("{create} --api-version v2")).done();
    assert!(out.contains(&format!("Policy ID:   {POLICY}\nRoles:       Reader\n")), "{out}");
    let body = world.body("POST /v2/policies");
    assert_eq!(body["subject"], v2()["subject"]);
    assert_eq!(body["control"], v2()["control"]);
    assert_eq!(body["resource"]["attributes"][1], v2()["resource"]["attributes"][0]);
    for line in [
        "iam service-policies think-registry-demo".to_owned(),
        format!("iam service-policy think-registry-demo {POLICY}"),
        format!("iam service-policy-update think-registry-demo {POLICY} --roles Writer"),
        format!("iam service-policy-delete think-registry-demo {POLICY} -f"),
    ] {
        world.run(&format!("{line} --api-version v2")).done();
    }
    let role = json!("crn:v1:bluemix:public:iam::::serviceRole:Writer");
    assert_eq!(world.body("PUT /v2/policies").pointer("/control/grant/roles/0/role_id"), Some(&role));
    assert!(world.seen().iter().all(|seen| !seen.line.contains("/v1/policies")));
    world.run(&format!("{create} --api-version v3")).misused();
}

#[test]
fn a_policy_is_updated_as_it_stands_and_only_if_it_is_the_subjects() {
    let world = World::logged_in();
    world.answering(|seen| {
        let mut known = super::world::policy();
        known["description"] = "why".into();
        seen.line.ends_with(POLICY).then_some((200, known))
    });
    let change = format!("iam service-policy-update think-registry-demo {POLICY} --roles Reader,Writer");
    let out = world.run(&change).done();
    assert!(out.contains("Service policy is successfully updated"), "{out}");
    let put = world.seen().into_iter().find(|seen| seen.line.starts_with("PUT")).unwrap();
    assert_eq!(put.headers["if-match"], "1-a87c6b7290bb93db");
    let body: Value = serde_json::from_str(&put.body).unwrap();
    assert_eq!((&body["description"], body["roles"].as_array().unwrap().len()), (&json!("why"), 2));
    world.forget();
    let other = world.run(&format!("iam user-policy-update eve@x.test {POLICY} --roles Reader")).failed();
    assert!(other.contains("is not one of user eve@x.test") && world.lines("PUT").is_empty(), "{other}");
}

#[test]
fn all_policies_are_listed_with_the_names_of_their_subjects() {
    let world = World::logged_in();
    let out = world.run("iam access-policies -t service_id --sort-by -created_at").done();
    assert!(out.contains("think-registry-demo") && out.contains("region=us-south"), "{out}");
    assert!(world.lines("GET /v2/groups").is_empty(), "only names that occur are asked for");
    world.run("iam access-policies --sort-by color").misused();
    assert!(world.run("iam access-policies -t user").done().contains("No policy found."));
    assert!(world.run("iam account-policies -t access").done().contains(POLICY));
    assert!(world.run("iam account-policies -t auth").done().contains("No policy found."));
}

#[test]
fn roles_are_made_out_of_actions_changed_granted_and_deleted() {
    let world = World::logged_in();
    let role = json!({"id": "CustomRole-1", "name": "Puller", "display_name": "Image Puller", "description": "",
        "service_name": "container-registry", "actions": ["container-registry.image.pull"],
        "crn": "crn:v1:bluemix:public:iam::a/123456789012::customRole:Puller"});
    world.answering(move |seen| {
        let (method, path) = seen.line.split_once(' ').unwrap();
        match (method, path.split('?').next().unwrap()) {
            ("GET", "/v2/roles") => {
                Some((200, json!({"custom_roles": [role.clone()], "system_roles": [], "service_roles": []})))
            }
            ("POST", "/v2/roles") => Some((201, role.clone())),
            ("GET" | "PUT", "/v2/roles/CustomRole-1") => Some((200, role.clone())),
            ("DELETE", "/v2/roles/CustomRole-1") => Some((204, Value::Null)),
            _ => None,
        }
    });
    let create = "iam role-create Puller --display-name ImagePuller -s container-registry -a container-registry.image.pull";
    let out = world.run(create).done();
    assert!(out.contains("Custom role Puller is created successfully"), "{out}");
    assert_eq!(world.body("POST /v2/roles")["actions"], json!(["container-registry.image.pull"]));
    assert!(world.run("iam role Puller").done().contains("customRole:Puller"));
    assert!(world.run("iam roles --roles ImagePuller").done().lines().count() == 3);
    world.run("iam role-update Puller -d text").done();
    let body = world.body("PUT /v2/roles/CustomRole-1");
    assert_eq!(body["actions"], json!(["container-registry.image.pull"]), "said again");
    world.run("iam service-policy-create think-registry-demo --roles Puller").done();
    let granted = world.body("POST /v1/policies")["roles"][0]["role_id"].clone();
    assert_eq!(granted, "crn:v1:bluemix:public:iam::a/123456789012::customRole:Puller");
    let unknown = world.run("iam service-policy-create think-registry-demo --roles Owner").misused();
    assert!(unknown.contains("Image Puller"), "{unknown}");
    world.run("iam role-delete Puller -f").done();
    assert_eq!(world.lines("DELETE"), ["DELETE /v2/roles/CustomRole-1"]);
}

#[test]
fn keys_groups_and_users_are_shown_changed_and_removed() {
    let world = World::logged_in();
    let one = |method: &str| format!("{method} /v1/apikeys/{API_KEY}");
    world.answering(|seen| {
        let key = format!("/v1/apikeys/{API_KEY}");
        let group = format!("/v2/groups/{GROUP}");
        match seen.line.split_once(' ').unwrap() {
            ("GET" | "PUT", path) if path == key => Some((200, api_key("think-registry-demo-key"))),
            ("GET" | "PATCH", path) if path == group => {
                Some((200, json!({"id": GROUP, "name": "pullers", "description": "may pull"})))
            }
            ("DELETE", path) if path.ends_with("/users/IBMid-2") => Some((204, Value::Null)),
            _ => None,
        }
    });
    let key = "think-registry-demo-key think-registry-demo";
    let out = world.run(&format!("iam service-api-key {key}")).done();
    assert!(out.contains(API_KEY) && !out.contains("API Key "), "{out}");
    world.run(&format!("iam service-api-key-update {key} -n other")).done();
    world.run("iam api-key-update think-registry-demo-key -d text").done();
    assert_eq!(world.lines("PUT"), [one("PUT"), one("PUT")]);
    world.run("iam service-api-key-update a b").misused();
    assert!(world.run("iam access-group pullers").done().contains("may pull"));
    world.run("iam access-group-update pullers -n drawers").done();
    assert_eq!(world.body("PATCH")["name"], "drawers");
    world.run("iam user-remove eve@x.test -f").done();
    assert_eq!(world.lines("DELETE"), ["DELETE /v2/accounts/123456789012/users/IBMid-2"]);
    let token = world.run("iam bearer-token").done();
    assert!(token.starts_with("Bearer ey") && token.lines().count() == 1, "{token}");
}

#[test]
fn groups_are_made_filled_and_shown() {
    let world = World::logged_in();
    assert_eq!(
        world.run("iam access-groups").done(),
        format!(
            "Getting all access groups under current account as {WHO}...\nOK\n\
                 Name      ID                                                   Description\n\
                 pullers   {GROUP}   may pull\n"
        )
    );
    world.run("iam access-group-create pullers -d text").done();
    assert_eq!(world.body("POST /v2/groups"), json!({"name": "pullers", "description": "text"}));
    assert_eq!(
        world.run("iam access-group-user-add pullers eve@x.test").done(),
        format!(
            "Adding user eve@x.test to access group pullers under current account as {WHO}...\nOK\n\
                 user eve@x.test added to access group pullers\n"
        )
    );
    assert_eq!(world.body("PUT /v2/groups/"), json!({"members": [{"iam_id": "IBMid-2", "type": "user"}]}));
    world.forget();
    world.run("iam access-group-service-id-add pullers think-registry-demo").done();
    assert_eq!(world.body("PUT /v2/groups/")["members"][0]["type"], "service");
    let users = world.run("iam access-group-users pullers").done();
    assert!(users.contains("eve@x.test   IBMid-2") && !users.contains("ServiceId"), "{users}");
    let services = world.run("iam access-group-service-ids pullers").done();
    assert!(
        services.contains("think-registry-demo   iam-ServiceId-") && !services.contains("IBMid-2"),
        "{services}"
    );
}

#[test]
fn a_member_that_is_refused_is_a_failure() {
    let world = World::logged_in();
    world.answering(|seen| {
        let refused = json!({"members": [{"iam_id": "IBMid-2", "status_code": 404, "errors": [{"message": "no such user"}]}]});
        seen.line.starts_with("PUT").then_some((207, refused))
    });
    assert!(
        world
            .run("iam access-group-user-add pullers eve@x.test")
            .failed()
            .contains("IBMid-2 was not added: no such user")
    );
}

#[test]
fn users_are_invited_and_listed() {
    let world = World::logged_in();
    world.run("iam user-invite new@x.test --access-groups pullers").done();
    assert_eq!(
        world.body("POST /v2/accounts/123456789012/users"),
        json!({"users": [{"email": "new@x.test", "account_role": "Member"}]})
    );
    assert_eq!(world.body("PUT /v2/groups/")["members"][0]["iam_id"], "IBMid-3");
    assert_eq!(
        world.run("iam users").done(),
        format!(
            "Getting users under current account as {WHO}...\nOK\n\
                 User ID      Name   State    IAM ID    Added On\n\
                 eve@x.test          ACTIVE   IBMid-2   2019-02-01T19:06:00Z\n"
        )
    );
    let roles = world.run("iam roles").done();
    assert!(
        roles.contains(
            "Reader   Service   2         crn:v1:bluemix:public:iam::::serviceRole:Reader   Pulls\n"
        ),
        "{roles}"
    );
}
