//! Logging in, staying logged in, and who gets to see which secret.

use serde_json::json;

use super::world::{ACCESS, KEY, NEW_KEY, POLICY, REFRESH, SERVICE_ID, World};
use crate::secret::Secret;

#[test]
fn a_fresh_machine_is_told_what_to_do() {
    let world = World::new();
    for command in ["target", "iam service-ids", "cr region", "explain --action pull"] {
        let complaint = world.run(command).failed();
        assert_eq!(
            complaint,
            "FAILED\nNot logged in.\nLog in with `portcullis login -a https://HOST[:PORT] --apikey KEY`.\n",
            "{command}"
        );
    }
    assert!(world.run("login").misused().contains("PORTCULLIS_ENDPOINT"));
    assert!(world.run(&format!("login -a {}", world.endpoint())).misused().contains("--apikey @FILE"));
    assert!(world.seen().is_empty());
}

#[test]
fn a_wrong_key_is_refused_and_nothing_is_remembered() {
    let world = World::new();
    let complaint = world.run(&format!("login -a {} --apikey pWrong", world.endpoint())).failed();
    assert!(
        complaint
            .contains("Provided API key could not be found. (BXNIM0415E, status 400)\nCheck the API key"),
        "{complaint}"
    );
    assert!(!complaint.contains("pWrong"));
    assert!(world.run("target").failed().contains("Not logged in"));
}

#[test]
fn a_key_comes_from_a_file_or_the_standard_input_or_the_environment() {
    let mut world = World::new();
    let endpoint = world.endpoint();
    for content in [format!("{KEY}\n"), json!({"name": "k", "apikey": KEY}).to_string()] {
        std::fs::write(world.path("key"), content).unwrap();
        world.run(&format!("login -a {endpoint} --apikey @{}", world.path("key"))).done();
    }
    world.input = format!("{KEY}\n");
    world.run(&format!("login -a {endpoint} --apikey @-")).done();
    world.input.clear();
    world.environment.ibm_api_key = Some(Secret::from(KEY));
    world.environment.endpoint = Some(endpoint);
    world.run("login").done();
    assert!(world.run("login --apikey @/nowhere/key").failed().contains("/nowhere/key cannot be read"));
}

#[test]
fn the_environment_alone_is_enough_and_leaves_nothing_behind() {
    let mut world = World::new();
    world.environment.endpoint = Some(world.endpoint());
    world.use_key(KEY);
    assert!(world.run("iam service-ids --uuid").done().contains(SERVICE_ID));
    assert!(!world.home.path().join("portcullis").exists());
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let world = World::logged_in();
    world.advance(880);
    world.run("iam users").done();
    assert!(world.lines("POST /identity/token").is_empty());
    world.forget();
    world.advance(11);
    world.run("iam users").done();
    assert_eq!(world.lines("POST /identity/token").len(), 1);
    assert!(world.seen()[0].body.starts_with("grant_type=refresh_token&refresh_token="));
    world.run("iam users").done();
    assert_eq!(world.lines("POST /identity/token").len(), 1, "the new token is remembered");
}

#[test]
fn a_token_that_is_refused_early_is_renewed_once() {
    let world = World::logged_in();
    world.answer(
        "GET /v2/roles?account_id=123456789012&service_name=container-registry",
        401,
        json!({"errors": []}),
    );
    let complaint = world.run("iam roles").failed();
    assert!(complaint.contains("Log in again with `portcullis login`."), "{complaint}");
    assert_eq!(world.lines("POST /identity/token").len(), 1);
    assert_eq!(world.lines("GET /v2/roles").len(), 2);
}

#[test]
fn a_dead_session_says_so() {
    let world = World::logged_in();
    world.answer("POST /identity/token", 400, json!({"errorCode": "BXNIM0408E", "errorMessage": "expired"}));
    world.advance(100_000);
    assert!(world.run("iam users").failed().starts_with("FAILED\nYour session has ended.\nLog in with"));
    world.answer("POST /identity/token", 503, json!({}));
    assert!(world.run("iam users").failed().contains("503"), "an outage is no end of the session");
}

#[test]
fn logging_out_forgets_the_tokens_and_keeps_the_address() {
    let world = World::logged_in();
    assert!(world.file("portcullis/config.json").contains(ACCESS));
    assert_eq!(world.run("logout").done(), "Logging out...\nOK\n");
    let kept = world.file("portcullis/config.json");
    assert!(!kept.contains(ACCESS) && !kept.contains(REFRESH) && kept.contains(&world.endpoint()));
    assert!(world.run("target").failed().contains("Not logged in"));
    world.run(&format!("login --apikey {KEY}")).done();
}

#[test]
fn tokens_go_only_to_the_server_that_they_are_from() {
    let mut world = World::logged_in();
    let other = World::new();
    world.environment.endpoint = Some(other.endpoint());
    assert!(world.run("iam users").failed().contains(&format!("Not logged in to {}", other.endpoint())));
    assert!(other.seen().is_empty());
}

#[test]
fn an_api_key_is_never_remembered_and_secrets_are_printed_only_where_they_are_the_answer() {
    let world = World::logged_in();
    assert!(!world.file("portcullis/config.json").contains(KEY));
    for command in [
        "target",
        "target --output json",
        "iam service-ids",
        "iam service-ids --output json",
        "iam users",
        "iam roles",
        "iam api-keys",
        "iam api-keys --output json",
        "iam service-policies think-registry-demo",
        "cr info",
        "cr region",
        "cr image-list",
        "cr namespace-list",
        "iam service-api-key-create k think-registry-demo --file /dev/full/key",
    ] {
        let ran = world.run(command);
        for secret in [KEY, NEW_KEY, ACCESS, REFRESH] {
            assert!(
                !ran.out.contains(secret) && !ran.err.contains(secret),
                "{command}: {}{}",
                ran.out,
                ran.err
            );
        }
    }
    assert_eq!(world.run("iam oauth-tokens").done(), format!("IAM token:  Bearer {ACCESS}\n"));
}

#[test]
fn nothing_is_deleted_without_a_yes() {
    let mut world = World::logged_in();
    let deletes = [
        "iam service-id-delete think-registry-demo".to_owned(),
        "iam service-api-key-delete think-registry-demo-key think-registry-demo".to_owned(),
        "iam api-key-delete think-registry-demo-key".to_owned(),
        format!("iam service-policy-delete think-registry-demo {POLICY}"),
        "iam access-group-delete pullers".to_owned(),
        "iam access-group-user-remove pullers eve@x.test".to_owned(),
        "cr namespace-rm birds".to_owned(),
    ];
    for delete in &deletes {
        assert!(world.run(delete).misused().contains("`--force`"), "{delete}");
    }
    world.interactive = true;
    for answer in ["n\n", "\n", ""] {
        world.input = answer.to_owned();
        for delete in &deletes {
            assert!(world.run(delete).err.contains("Nothing was changed."), "{delete}");
        }
    }
    assert!(world.lines("DELETE").is_empty());
    world.input = "y\n".to_owned();
    for (count, delete) in deletes.iter().enumerate() {
        world.run(delete).done();
        assert_eq!(world.lines("DELETE").len(), count + 1, "{delete}");
    }
    world.interactive = false;
    for delete in &deletes {
        world.run(&format!("{delete} --force")).done();
    }
}

#[test]
fn refusals_exit_with_1_and_wrong_usage_with_2_and_both_say_what_next() {
    let world = World::logged_in();
    let forbidden = json!({"code": "CRG0020E", "message": "You are not authorized to access the specified resource.", "request-id": "9"});
    world.answer("PUT /api/v1/namespaces/birds", 403, forbidden);
    let complaint = world.run("cr namespace-add birds").failed();
    assert!(complaint.contains("You are not authorized to access the specified resource. (CRG0020E, status 403)\nAsk an administrator"));
    assert!(complaint.contains("req-1"));
    for wrong in [
        "iam",
        "iam no-such",
        "iam service-ids --output yaml",
        "serve",
        "iam service-policy-create x",
        "--nonsense",
    ] {
        world.run(wrong).misused();
    }
    let instance = "iam service-policy-create think-registry-demo --roles Reader --service-instance 1";
    assert!(world.run(instance).misused().contains("no service instances"));
    assert!(world.run("--help").done().contains("quickstart"));
    assert!(world.run("--version").done().starts_with("portcullis "));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let complaint = world.run(&format!("login -a {gone} --apikey {KEY}")).failed();
    assert!(
        complaint.contains(&format!("Cannot reach {gone}: ")) && complaint.contains("Check the address"),
        "{complaint}"
    );
    world.environment.endpoint = Some("http://cr.test".to_owned());
    assert!(world.run("target").misused().contains("plain HTTP would show keys"));
    let tls = format!("https://{}", world.address);
    let complaint = world.run(&format!("login -a {tls} --apikey {KEY}")).failed();
    assert!(complaint.contains("does not speak TLS"), "{complaint}");
}

#[test]
fn a_private_certificate_authority_is_believed_only_when_given() {
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&issuer_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, issuer_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
    let world = World::serving(Some(config));
    let endpoint = format!("https://{}", world.address);
    let complaint = world.run(&format!("login -a {endpoint} --apikey {KEY}")).failed();
    assert!(complaint.contains("portcullis login --ca-file CA.pem"), "{complaint}");
    std::fs::write(world.path("ca.pem"), authority_certificate.pem()).unwrap();
    world.run(&format!("login -a {endpoint} --apikey {KEY} --ca-file {}", world.path("ca.pem"))).done();
    world.run("iam users").done();
    let elsewhere = format!("https://localhost:{}", world.address.port());
    let complaint = world
        .run(&format!("login -a {elsewhere} --apikey {KEY} --ca-file {}", world.path("ca.pem")))
        .failed();
    assert!(complaint.contains("a host name that the certificate is for"), "{complaint}");
    std::fs::write(world.path("empty.pem"), "").unwrap();
    let empty = world
        .run(&format!("login -a {endpoint} --apikey {KEY} --ca-file {}", world.path("empty.pem")))
        .failed();
    assert!(empty.contains("it holds no certificate"), "{empty}");
}

#[test]
fn completions_know_the_commands() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.run(&format!("completion {shell}")).done();
        assert!(
            script.contains("service-policy-create") && script.contains("iam-policies-enable"),
            "{shell}"
        );
    }
    world.run("completion cmd").misused();
}
