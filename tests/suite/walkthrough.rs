//! The tutorial of the clouds, word by word, with `portcullis` where it says `ibmcloud`: a service ID may not pull,
//! becomes a Reader and may, may still not push, becomes a Writer and may.

use crate::support::client::{Client, Skopeo};
use crate::support::image::Image;
use crate::support::portcullis::{Portcullis, field};
use crate::support::registry::Registry;
use crate::support::who::{Administrator, IAMAPIKEY, Nobody, ServiceId, Stranger, Who};

/// What a refused caller reads: the tutorial's words, or the registry's current ones.
const REFUSED: [&str; 2] = [
    "You do not have access to the specified resource.",
    "You are not authorized to access the specified resource.",
];

#[test]
fn docker_is_refused_then_reads_then_writes() {
    walk(|who, at| who.docker(at));
}

#[test]
fn podman_is_refused_then_reads_then_writes() {
    walk(|who, at| who.podman(at));
}

#[test]
fn skopeo_is_refused_then_reads_then_writes() {
    walk(|who, at| who.skopeo(at));
}

fn walk<C: Client>(client_of: impl Fn(&dyn Who, &Portcullis) -> C) {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let ibmcloud = at.administration();
    let hello = at.image("my_namespace/hello-world:3.6");

    // Before the tutorial: a namespace with an image in it.
    ibmcloud.run("cr namespace-add my_namespace").must_succeed();
    let image = Image::with_layers(&[5_000, 100]);
    client_of(&Administrator::of(&at), &at).push(&image, &hello).must_succeed();

    // Creating an IAM Service ID and API Key
    let name = "think-registry-demo";
    let description = "Service ID created for session 2406 at Think 2019";
    ibmcloud.run_with(&["iam", "service-id-create", name, "--description", description]).must_succeed();
    let listed = ibmcloud.run("iam service-ids").must_succeed().stdout;
    for expected in [
        "Getting all services IDs bound to current account as",
        "OK",
        "UUID",
        "ServiceId-",
        name,
        description,
    ] {
        assert!(listed.contains(expected), "`{expected}` is missing in\n{listed}");
    }
    let made = ibmcloud.run(&format!("iam service-api-key-create {name}-key {name}")).must_succeed();
    let key = field(&made.stdout, "API Key").unwrap_or_else(|| panic!("no key in\n{}", made.stdout));

    // Enabling IAM policy enforcement
    ibmcloud.run("target").must_succeed();
    let region = ibmcloud.run("cr region-set us-south").must_succeed();
    assert!(region.said().contains("us-south"), "{region:?}");
    ibmcloud.run("cr iam-policies-enable").must_succeed();

    // Let's prove that we can't pull images using the Service ID.
    let client = client_of(&ServiceId::known(name, key), &at);
    client.pull(&hello).must_fail_saying(&REFUSED);

    // Create an IAM policy to grant Reader role on your namespace, and try again.
    let grant = |role: &str| {
        let policy = format!(
            "iam service-policy-create {name} --roles {role} --service-name container-registry --region us-south \
             --resource-type namespace --resource my_namespace"
        );
        ibmcloud.run(&policy).must_succeed();
    };
    grant("Reader");
    client.pull(&hello).must_succeed();
    assert_eq!(client.id_of(&hello), image.id());

    // The push is not allowed because your Service ID does not have Writer access.
    let other = Image::tiny();
    client.push(&other, &hello).must_fail_saying(&REFUSED);
    grant("Writer");
    client.push(&other, &hello).must_succeed();

    // It cannot access anything else.
    client.pull(&at.image("other_namespace/hello-world:3.6")).must_fail_saying(&REFUSED);
    client.logout(&at.host()).must_succeed();
}

#[test]
fn nobody_and_a_stranger_get_nothing_and_the_upstream_hears_nothing_of_it() {
    let upstream = crate::support::recorder::Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    let manifest = "/v2/my_namespace/hello-world/manifests/3.6";
    for response in [Nobody.http(&at).get(manifest), Stranger.http(&at).get(manifest)] {
        assert_eq!(response.status, 401, "{}", response.text());
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with(&format!("Bearer realm=\"https://{}/oauth/token\"", at.host())),
            "{challenge}"
        );
    }
    let asked: Vec<String> =
        upstream.seen().into_iter().filter(|request| request.contains("my_namespace")).collect();
    assert!(asked.is_empty(), "{asked:?}");
    Skopeo::new(&at.trust())
        .login(&at.host(), IAMAPIKEY, Stranger.key().unwrap())
        .must_fail_saying(&["invalid username/password"]);
}

#[test]
fn roles_on_one_namespace_say_nothing_about_another() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let administration = at.administration();
    let reader = ServiceId::with_roles(&administration, "reader", "Reader", "ours");
    let image = Image::tiny();
    for name in ["ours/a", "theirs/a"] {
        assert_eq!(Administrator::of(&at).http(&at).push(&image, name, "1").status, 201);
    }
    assert_eq!(reader.http(&at).get("/v2/ours/a/tags/list").status, 200);
    assert_ne!(reader.http(&at).get("/v2/theirs/a/tags/list").status, 200);

    // The store outlives the process, however it ended; SIGTERM is a clean end.
    at.kill();
    at.restart();
    assert_eq!(reader.http(&at).get("/v2/ours/a/tags/list").status, 200);
    at.signal("TERM");
    assert!(at.stop().success());
    assert!(!at.log().contains(reader.key().unwrap()), "the log holds a key");
    assert!(at.folder().join("audit.jsonl").is_file());
}

#[test]
fn health_and_metrics_are_on_their_own_listener() {
    let upstream = crate::support::recorder::Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    assert_eq!(at.observer().get("/livez").status, 200);
    let metrics = at.observer().get("/metrics");
    assert!(metrics.text().contains("portcullis_"), "{}", metrics.text());
    assert_ne!(at.http().get("/metrics").status, 200);
}
