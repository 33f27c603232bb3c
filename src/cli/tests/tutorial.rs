//! The tutorial that the product is made for, line by line.

use serde_json::json;

use super::world::{API_KEY, KEY, NEW_KEY, POLICY, SERVICE_ID, World};

#[test]
fn login_says_where_and_as_whom() {
    let world = World::new();
    let (endpoint, address) = (world.endpoint(), world.address);
    assert_eq!(
        world.run(&format!("login -a {endpoint} --apikey {KEY}")).done(),
        format!(
            "API endpoint: {endpoint}\nAuthenticating...\nOK\n\nTargeted account example (123456789012)\n\n\
             API endpoint:   {endpoint}\nRegion:         us-south\nRegistry:       {address}\n\
             User:           michaelh@uk.ibm.com\nAccount:        example (123456789012)\n"
        )
    );
    assert!(
        world
            .run("target")
            .done()
            .starts_with(&format!("API endpoint:   {endpoint}\nRegion:         us-south\n"))
    );
}

#[test]
fn a_service_id_is_created_as_the_tutorial_shows() {
    let world = World::logged_in();
    let words = [
        "iam",
        "service-id-create",
        "think-registry-demo",
        "--description",
        "Service ID created for session 2406",
    ];
    assert_eq!(
        world.run_words(&words).done(),
        format!(
            "Creating service ID think-registry-demo bound to current account as michaelh@uk.ibm.com...\nOK\n\
             Service ID think-registry-demo is created successfully\n\n\
             ID            {SERVICE_ID}\n\
             Name          think-registry-demo\n\
             Description   Service ID created for session 2406 at Think 2019\n\
             CRN           crn:v1:bluemix:public:iam-identity::a/123456789012::serviceid:{SERVICE_ID}\n\
             Version       1-f0aed7b1e4fd\n\
             Locked        false\n"
        )
    );
    let sent = json!({"account_id": "123456789012", "name": "think-registry-demo",
        "description": "Service ID created for session 2406"});
    assert_eq!(world.body("POST /v1/serviceids/"), sent);
}

#[test]
fn service_ids_are_listed_exactly_as_the_tutorial_prints_them() {
    let world = World::logged_in();
    assert_eq!(
        world.run("iam service-ids").done(),
        "Getting all services IDs bound to current account as michaelh@uk.ibm.com...\n\
         OK\n\
         UUID                                             Name                  Created At              Last Updated            Description                                         Locked\n\
         ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b   think-registry-demo   2019-01-29T10:57+0000   2019-01-29T10:57+0000   Service ID created for session 2406 at Think 2019   false\n"
    );
    assert_eq!(
        world.lines("GET /v1/serviceids/"),
        ["GET /v1/serviceids/?account_id=123456789012&pagesize=100"]
    );
}

#[test]
fn an_api_key_is_shown_once() {
    let world = World::logged_in();
    assert_eq!(
        world.run("iam service-api-key-create think-registry-demo-key think-registry-demo").done(),
        format!(
            "Creating API key think-registry-demo-key of service ID think-registry-demo under account 123456789012 \
             as michaelh@uk.ibm.com...\nOK\nService ID API key think-registry-demo-key is created\n\n\
             Please preserve the API key! It cannot be retrieved after it's created.\n\n\
             ID            {API_KEY}\n\
             Name          think-registry-demo-key\n\
             Description\n\
             Created At    2019-02-01T19:06+0000\n\
             API Key       {NEW_KEY}\n\
             Locked        false\n"
        )
    );
    assert_eq!(world.body("POST /v1/apikeys")["iam_id"], format!("iam-{SERVICE_ID}"));
}

#[test]
fn a_region_is_targeted_and_policies_are_enforced_there() {
    let world = World::logged_in();
    let registry = world.address;
    assert_eq!(
        world.run("cr region-set us-south").done(),
        format!("The region is set to 'us-south', the registry is '{registry}'.\n\nOK\n")
    );
    assert_eq!(
        world.run("cr iam-policies-enable").done(),
        format!("Enabling IAM policies for account 'example' in registry '{registry}'...\n\nOK\n")
    );
    assert_eq!(world.body("PATCH /api/v1/auth"), json!({"iam_authz": true}));
    let patch = world.seen().into_iter().find(|seen| seen.line.starts_with("PATCH")).unwrap();
    assert_eq!(patch.headers["account"], "123456789012");
}

#[test]
fn reader_is_granted_on_one_namespace() {
    let world = World::logged_in();
    let command = "iam service-policy-create think-registry-demo --roles Reader --service-name container-registry \
                   --region us-south --resource-type namespace --resource my_namespace";
    assert_eq!(
        world.run(command).done(),
        format!(
            "Creating policy under current account for service ID think-registry-demo as michaelh@uk.ibm.com...\nOK\n\
             Service policy is successfully created\n\n\
             Policy ID:   {POLICY}\n\
             Version:     1-a87c6b7290bb93db\n\
             Roles:       Reader\n\
             Resources:\n\
             \x20            Service Name    container-registry\n\
             \x20            Region          us-south\n\
             \x20            Resource Type   namespace\n\
             \x20            Resource        my_namespace\n"
        )
    );
    let sent = world.body("POST /v1/policies");
    assert_eq!(
        sent["subjects"],
        json!([{"attributes": [{"name": "iam_id", "value": format!("iam-{SERVICE_ID}")}]}])
    );
    assert_eq!(sent["type"], "access");
}
