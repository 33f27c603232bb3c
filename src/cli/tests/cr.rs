//! `cr …` and `explain`, beyond the tutorial.

use serde_json::json;

use super::world::{ACCESS, KEY, World};

#[test]
fn regions_are_shown_listed_and_asked_for() {
    let mut world = World::logged_in();
    let registry = world.address;
    assert_eq!(
        world.run("cr region").done(),
        format!("You are targeting region 'us-south', the registry is '{registry}'.\n\nOK\n")
    );
    assert_eq!(
        world.run("cr region-set").done(),
        "Choose a region\n\nRegion     Registry\nus-south   us.registry.test\neu-de      localhost\n\n\
         Run `portcullis cr region-set REGION` with one of them.\n"
    );
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(&world.run(line).done()).unwrap();
    assert_eq!(
        json("cr region-set --output json"),
        json!([{"region": "us-south", "registry": "us.registry.test"}, {"region": "eu-de", "registry": "localhost"}])
    );
    let south = json!({"region": "us-south", "registry": registry.to_string()});
    assert_eq!(json("cr region-set us-south --output json"), south);
    world.interactive = true;
    world.input = "eu-central\n".to_owned();
    let out = world.run("cr region-set").done();
    assert!(
        out.ends_with(&format!(
            "The region is set to 'eu-de', the registry is 'localhost:{}'.\n\nOK\n",
            registry.port()
        )),
        "{out}"
    );
    assert!(world.run("cr region").done().contains("'eu-de'"), "it is remembered");
    assert!(world.run("cr region-set mars").failed().contains("us-south, eu-de"));
    assert!(world.run("target -r us-south").done().contains("Region:         us-south\n"));
}

#[test]
fn each_region_is_asked_at_its_own_host() {
    let world = World::logged_in();
    world.run("cr region-set eu-de").done();
    world.forget();
    world.answering(|seen| (seen.line == "GET /api/v1/namespaces").then(|| (200, json!([]))));
    world.run("cr namespace-list").done();
    let asked = world.seen().into_iter().find(|seen| seen.line == "GET /api/v1/namespaces").unwrap();
    assert_eq!(asked.headers["host"], format!("localhost:{}", world.address.port()));
}

#[test]
fn namespaces_are_added_listed_and_removed() {
    let world = World::logged_in();
    let registry = world.address;
    assert_eq!(
        world.run("cr namespace-add birds").done(),
        format!(
            "Adding namespace 'birds' for account 'example' in registry '{registry}'...\n\nSuccessfully added namespace 'birds'\n\nOK\n"
        )
    );
    let added = world.run("cr namespace-add birds -g beaks").done();
    assert!(added.contains("'birds' in resource group 'beaks' for account"), "{added}");
    assert_eq!(
        world.run("cr namespace-list").done(),
        format!(
            "Listing namespaces for account 'example' in registry '{registry}'...\n\nNamespace\nbirds\ncats\n\nOK\n"
        )
    );
    assert!(
        world.run("cr namespaces -v").done().contains("birds                        2019-01-01T00:00:00Z")
    );
    assert_eq!(
        world.run("cr namespace-rm birds --force").done(),
        format!(
            "Removing namespace 'birds' in registry '{registry}'...\n\nSuccessfully removed namespace 'birds'\n\nOK\n"
        )
    );
}

#[test]
fn a_name_cannot_leave_its_place_in_the_path() {
    let world = World::logged_in();
    world.run("cr namespace-rm ../auth?x=%2f --force").done();
    assert_eq!(world.lines("DELETE"), ["DELETE /api/v1/namespaces/..%2Fauth%3Fx%3D%252f"]);
}

#[test]
fn enforcement_is_shown() {
    let world = World::logged_in();
    let registry = world.address;
    let line = |state: &str| {
        format!("IAM policy enforcement is {state} for account 'example' in registry '{registry}'.\n\nOK\n")
    };
    assert_eq!(world.run("cr iam-policies-status").done(), line("enabled"));
    world.answer("GET /api/v1/auth", 200, json!({"iam_authz": false}));
    assert_eq!(world.run("cr iam-policies-status").done(), line("disabled"));
}

#[test]
fn images_are_listed_by_repository_and_tag() {
    let world = World::logged_in();
    assert_eq!(
        world.run("cr image-list").done(),
        "Listing images...\n\n\
         Repository                   Tag   Digest         Namespace   Created     Size     Security status\n\
         us.registry.test/birds/owl   1     d1668a9a1f5b   birds       1 day ago   2.7 MB   -\n\
         us.registry.test/birds/owl   2     d1668a9a1f5b   birds       1 day ago   2.7 MB   -\n\nOK\n"
    );
    assert_eq!(
        world.run("cr images -q").done(),
        "us.registry.test/birds/owl:1\nus.registry.test/birds/owl:2\n"
    );
    assert!(world.run("cr image-list --no-trunc --no-va").done().contains("sha256:d1668a9a1f5bd1668a9a"));
    world.forget();
    world.run("cr image-list --restrict birds").done();
    world.run("cr image-list --restrict birds/owl").done();
    assert_eq!(
        world.lines("GET /api/v1"),
        ["GET /api/v1/images?namespace=birds", "GET /api/v1/images?repository=birds%2Fowl"]
    );
    world.answer("GET /api/v1/images", 200, json!([]));
    assert!(world.run("cr image-list").done().contains("There are no images"));
}

#[test]
fn images_are_printed_by_a_go_template_and_nothing_else_is() {
    let world = World::logged_in();
    let format = |template: &str| format!("cr image-list --format {template}");
    assert_eq!(
        world.run(&format("{{.Repository}}:{{.Tag}}")).done(),
        "us.registry.test/birds/owl:1\nus.registry.test/birds/owl:2\n"
    );
    assert_eq!(
        world.run(&format("{{if(eq(.Tag)(\"2\"))}}{{.Digest}}/{{.Size}}/{{.SecurityStatus}}{{end}}")).done(),
        "sha256:d1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd166/2700000/{- 0 0}\n",
        "an image for which nothing is printed has no line"
    );
    world.forget();
    assert!(world.run(&format("{{.Repo}}")).misused().contains("there is no field `Repo`"));
    assert!(world.run(&format("{{.Tag")).misused().contains("`{{` without `}}`"));
    world.run(&format("{{.Tag}} --quiet")).misused();
    world.run(&format("{{.Tag}} --output json")).misused();
    assert_eq!(world.lines("GET"), Vec::<String>::new(), "a slip shows before anything is asked");
}

#[test]
fn the_type_of_a_manifest_is_shown_on_demand() {
    let world = World::logged_in();
    let oci = "application/vnd.oci.image.index.v1+json";
    let image = json!({"RepoTags": ["us.registry.test/birds/owl:1"], "ManifestType": oci, "Size": 1});
    world.answer("GET /api/v1/images", 200, json!([image]));
    let table = world.run("cr image-list --show-type").done();
    let heading = "Namespace   Manifest Type                             Created";
    assert!(table.contains(heading) && table.contains(&format!("birds       {oci}   -")), "{table}");
    assert!(!world.run("cr image-list").done().contains(oci));
    assert_eq!(world.run("cr image-list --format {{.ManifestType}}").done(), format!("{oci}\n"));
}

#[test]
fn docker_is_given_a_token_through_a_pipe() {
    let mut world = World::logged_in();
    world.install("docker", "echo \"$@\" > arguments; cat > password");
    let registry = world.address;
    let ran = world.run("cr login");
    assert!(ran.err.contains("This login ends at 2019-01-29T11:12+0000"), "{}", ran.err);
    assert_eq!(
        ran.done(),
        format!("Logging 'docker' in to '{registry}'...\nLogged in to '{registry}'.\n\nOK\n")
    );
    assert_eq!(world.file("arguments"), format!("login --username iambearer --password-stdin {registry}\n"));
    assert_eq!(world.file("password"), ACCESS);
    world.use_key(KEY);
    world.run("cr login --client docker").done();
    assert!(world.file("arguments").contains("--username iamapikey"));
    assert_eq!(world.file("password"), KEY);
    assert!(world.run("cr login --client podman").failed().contains("There is no podman on the PATH."));
}

#[test]
fn a_container_client_that_refuses_is_quoted_with_advice() {
    let mut world = World::logged_in();
    world.install("podman", "echo 'x509: certificate signed by unknown authority' >&2; exit 125");
    let complaint = world.run("cr login").failed();
    assert!(
        complaint.contains("podman did not log in") && complaint.contains("/etc/containers/certs.d/"),
        "{complaint}"
    );
}

#[test]
fn an_explanation_is_asked_for_by_name() {
    let world = World::logged_in();
    assert_eq!(
        world
            .run("explain --principal think-registry-demo --action push --resource localhost:99/birds/owl:1")
            .done(),
        "think-registry-demo may not do container-registry.image.push on repository birds/owl in us-south\n\
         ├─ access policies: none that you may see, for it or for a group that it is in\n\
         └─ any of these roles would be enough: Manager, Writer\n   \
            └─ portcullis iam user-policy-create think-registry-demo --roles Writer --region us-south\n"
    );
    let asked = world.body("POST /api/native/explain");
    assert_eq!(
        asked,
        json!({"principal": "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b", "action": "push",
               "region": "us-south", "repository": "birds/owl", "context": {"registry:Tag": "1"}})
    );
    let elsewhere = world.run("explain --action push --resource elsewhere.test/birds/owl").failed();
    assert!(elsewhere.contains("There is no registry 'elsewhere.test' here."), "{elsewhere}");
    world.forget();
    let quiet = world.run("explain --action container-registry.auth.set --quiet").done();
    assert_eq!(quiet.lines().count(), 1, "{quiet}");
    assert_eq!(world.body("POST /api/native/explain"), json!({"action": "container-registry.auth.set"}));
}

#[test]
fn who_can_is_asked_page_by_page() {
    let world = World::logged_in();
    world.answering(|seen| {
        (seen.line == "POST /api/native/who-can").then(|| {
            let second = seen.body.contains("start");
            let able = |name: &str| {
                json!({"iam_id": format!("IBMid-{name}"), "name": name, "type": "user", "through": [
                    {"kind": "access policy", "policy_id": "p1", "roles": ["Reader"], "access_group_name": "robots"},
                    {"kind": "identity policy", "policy_id": "inline:x", "statement": "2"}]})
            };
            let answer = json!({"action": "ecr:BatchGetImage", "resource": {"region": "us-south", "repository": "birds/owl"},
                "principals": [able(if second { "bob" } else { "al\u{1b}ice" })], "total": 7,
                "next": (!second).then_some("page-2"), "warnings": ["check its name"]});
            (200, answer)
        })
    });
    let ran = world.run("who-can ecr:BatchGetImage birds/owl:1 --context a=1 --context a=2");
    assert_eq!(ran.err, "Warning: check its name.\n");
    assert_eq!(
        ran.done(),
        "Who may do ecr:BatchGetImage on repository birds/owl in us-south:\n\
         al\u{fffd}ice (user IBMid-al\u{fffd}ice)\n\
         ├─ access policy p1 (Reader) of access group robots\n\
         └─ identity policy inline:x, statement 2\n\
         bob (user IBMid-bob)\n\
         ├─ access policy p1 (Reader) of access group robots\n\
         └─ identity policy inline:x, statement 2\n\n\
         2 of 7 principals may.\n"
    );
    let asked: Vec<serde_json::Value> =
        world.seen().iter().filter_map(|seen| serde_json::from_str(&seen.body).ok()).collect();
    let context = json!({"a": ["1", "2"], "registry:Tag": "1"});
    let starts: Vec<_> =
        asked.iter().filter(|body| body["context"] == context).map(|body| &body["start"]).collect();
    assert_eq!(starts, [&json!(null), &json!("page-2")]);
    let whole: serde_json::Value =
        serde_json::from_str(&world.run("who-can pull birds --output json").done()).unwrap();
    assert_eq!(whole["principals"].as_array().map(Vec::len), Some(2), "{whole}");
}

#[test]
fn manifests_are_listed_by_whole_digest_and_the_untagged_by_a_format() {
    let world = World::logged_in();
    let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let row = |letter: &str, tags: serde_json::Value| {
        json!({"id": digest(letter), "created": super::world::NOW - 86_400, "size": 2_700_000, "manifestType": "oci",
            "repoTags": {"us.registry.test/birds/owl": tags}})
    };
    let both = json!([row("a", json!({"1": {}, "2": {}})), row("b", json!({}))]);
    world.answer("POST /api/v1/images/digests", 200, both);
    assert_eq!(
        world.run("cr image-digests").done(),
        format!(
            "Listing image digests...\n\n\
             Repository                   Digest                                                                    Tags   Created     Size\n\
             us.registry.test/birds/owl   {}   1,2    1 day ago   2.7 MB\n\
             us.registry.test/birds/owl   {}          1 day ago   2.7 MB\n\nOK\n",
            digest("a"),
            digest("b")
        )
    );
    let untagged = "{{if not .Tags}}{{.Repository}}@{{.Digest}}{{end}}";
    let printed = world.run_words(&["cr", "image-digests", "--format", untagged]).done();
    assert_eq!(printed, format!("us.registry.test/birds/owl@{}\n", digest("b")));
    let tags = world.run_words(&["cr", "digests", "--format", "{{.ManifestType}} {{.Tags}}"]).done();
    assert_eq!(tags, "oci [1 2]\noci []\n");
    world.run("cr image-digests --format {{.Tag}}").misused();
}
