//! Jobs of CI systems and pods of clusters: with the token that they are given anyway, they push images, and no secret is stored.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::support::aws::Aws;
use super::support::client::{Client, Docker, Skopeo};
use super::support::http::Response;
use super::support::image::Image;
use super::support::issuer::{Issuer, Key, encoded, now};
use super::support::portcullis::{ACCOUNT, Portcullis};
use super::support::registry::Registry;
use super::support::wait::{PATIENCE, until};

/// Whom AWS's own tools ask tokens for.
const AUDIENCE: &str = "sts.amazonaws.com";

/// Where there is nothing to push to or pull from.
fn start(issuer: &Issuer) -> Portcullis {
    Portcullis::with("http://127.0.0.1:9", &[], &issuer.settings())
}

/// Tells Portcullis of the issuer, and lets those of its subjects take on the role `pusher`; returns its ARN.
fn trust(at: &Portcullis, issuer: &Issuer, subjects: &str) -> String {
    let administrator = Aws::administrator(at);
    let create =
        ["iam", "create-open-id-connect-provider", "--client-id-list", AUDIENCE, "--url", &issuer.url];
    let provider = administrator.json(&create)["OpenIDConnectProviderArn"].as_str().unwrap().to_owned();
    assert_eq!(provider, format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", issuer.name()));
    let (aud, sub) = (format!("{}:aud", issuer.name()), format!("{}:sub", issuer.name()));
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {aud: AUDIENCE}, "StringLike": {sub: subjects}},
    }]});
    let create = ["iam", "create-role", "--role-name", "pusher", "--assume-role-policy-document"];
    let made = administrator.json(&[&create[..], &[&trust.to_string()]].concat());
    let policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser";
    let attach = ["iam", "attach-role-policy", "--role-name", "pusher", "--policy-arn", policy];
    administrator.run(&attach).must_succeed();
    made["Role"]["Arn"].as_str().unwrap().to_owned()
}

/// What a workflow of a repository is given.
fn workflow() -> Value {
    json!({
        "sub": "repo:octo-org/octo-repo:ref:refs/heads/main", "aud": AUDIENCE, "jti": "42", "ref": "refs/heads/main",
        "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "run_attempt": "1", "workflow": "push",
    })
}

/// What a pod of a cluster is given.
fn service_account() -> Value {
    json!({
        "sub": "system:serviceaccount:ci:builder", "aud": [AUDIENCE],
        "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "builder", "uid": "7"}},
    })
}

/// One call, as no client of AWS's makes it.
fn call(at: &Portcullis, role: &str, token: &str) -> Response {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", "build-7"),
        ("WebIdentityToken", token),
    ];
    let encode =
        |text: &str| text.replace('+', "%2B").replace('/', "%2F").replace(':', "%3A").replace('=', "%3D");
    let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    at.http().send("POST", "/", &headers, form.join("&").as_bytes())
}

#[track_caller]
fn assert_refused(answer: &Response, status: u16, code: &str, message: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(&format!("<Code>{code}</Code>")) && text.contains(message), "{text}");
    assert!(!text.contains("SecretAccessKey"), "{text}");
}

fn is_login(event: &Value) -> bool {
    event["target"]["id"].as_str().is_some_and(|id| id.ends_with(":role/pusher"))
        && event["action"] == "sts:AssumeRoleWithWebIdentity"
}

#[test]
fn a_workflow_pushes_with_docker_and_its_token() {
    let (registry, issuer) = (Registry::start(), Issuer::start(""));
    let at = Portcullis::with(&registry.url(), &[], &issuer.settings());
    let role = trust(&at, &issuer, "repo:octo-org/octo-repo:ref:refs/heads/*");
    let token = issuer.token(&workflow());
    let job = Aws::anonymous(&at);
    let assume =
        ["sts", "assume-role-with-web-identity", "--role-session-name", "run-42", "--role-arn", &role];
    let assumed = job.json(&[&assume[..], &["--web-identity-token", &token]].concat());
    assert_eq!(assumed["SubjectFromWebIdentityToken"], "repo:octo-org/octo-repo:ref:refs/heads/main");
    assert_eq!((&assumed["Provider"], &assumed["Audience"]), (&json!(issuer.url), &json!(AUDIENCE)));
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/pusher/run-42");
    assert_eq!(assumed["AssumedRoleUser"]["Arn"], arn);
    let session = Aws::in_session(&at, &assumed["Credentials"]);
    assert_eq!(session.json(&["sts", "get-caller-identity"])["Arn"], arn);
    let password = session.run(&["ecr", "get-login-password"]).must_succeed().stdout;
    let docker = Docker::start(&at.trust());
    docker.login(&at.host(), "AWS", password.trim()).must_succeed();
    docker.push(&Image::tiny(), &at.image("octo-org/app:v1")).must_succeed();
    docker.pull(&at.image("octo-org/app:v1")).must_succeed();
    let event = at.await_audit("the login", |event| is_login(event) && event["outcome"] == "success");
    let credential = &event["initiator"]["credential"];
    assert_eq!(credential["type"], "webidentity");
    let subject = "repo:octo-org/octo-repo:ref:refs/heads/main";
    assert_eq!(credential["id"], format!("{} {subject}", issuer.url));
    let files = std::fs::read_to_string(at.folder().join("audit.jsonl")).unwrap() + &at.log();
    assert!(!files.contains(token.rsplit('.').next().unwrap()), "the token is in no log");
}

#[test]
fn a_pod_pushes_with_the_file_that_its_cluster_puts_there() {
    let (registry, cluster) = (Registry::start(), Issuer::with_bearer("", Some("token-of-portcullis")));
    let at = Portcullis::with(&registry.url(), &[], &cluster.settings());
    let role = trust(&at, &cluster, "system:serviceaccount:ci:builder");
    let pod = Aws::with_web_identity(&at, &role, &cluster.token(&service_account()));
    let password = pod.run(&["ecr", "get-login-password"]).must_succeed().stdout;
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), "AWS", password.trim()).must_succeed();
    skopeo.push(&Image::tiny(), &at.image("ci/app:v1")).must_succeed();
    pod.run(&["iam", "list-users"]).must_fail_saying(&["because no identity-based policy allows"]);
    let other = json!({"sub": "system:serviceaccount:ci:other", "aud": [AUDIENCE]});
    let other = Aws::with_web_identity(&at, &role, &cluster.token(&other));
    other.run(&["ecr", "get-login-password"]).must_fail_saying(&[
        "(AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
    ]);
    // Whoever takes the trust away takes it from the next login; whoever takes the role, from the next request.
    let administrator = Aws::administrator(&at);
    let policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser";
    administrator
        .run(&["iam", "detach-role-policy", "--role-name", "pusher", "--policy-arn", policy])
        .must_succeed();
    administrator.run(&["iam", "delete-role", "--role-name", "pusher"]).must_succeed();
    skopeo
        .push(&Image::tiny(), &at.image("ci/app:v2"))
        .must_fail_saying(&["unauthorized", "authentication required"]);
    // It has kept its session.
    pod.run(&["ecr", "get-login-password"]).must_fail_saying(&["(UnrecognizedClientException)"]);
}

#[test]
fn tokens_that_are_not_for_this_role_here_and_now_are_refused_and_told_of() {
    let (issuer, other) = (Issuer::start("/org"), Issuer::start("/org"));
    let at = start(&issuer);
    let role = trust(&at, &issuer, "repo:octo-org/octo-repo:*");
    let with = |name: &str, value: Value| {
        let mut claims = workflow();
        claims[name] = value;
        call(&at, &role, &issuer.token(&claims))
    };
    let answer = call(&at, &role, &issuer.token(&workflow()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_refused(&with("aud", json!("you")), 400, "InvalidIdentityToken", "Incorrect token audience");
    let denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    assert_refused(&with("sub", json!("repo:evil/octo-repo:x")), 403, "AccessDenied", denied);
    let missing = call(&at, &role.replace("pusher", "missing"), &issuer.token(&workflow()));
    assert_refused(&missing, 403, "AccessDenied", denied);
    let expired = with("exp", json!(now() - 3600));
    assert_refused(&expired, 400, "ExpiredTokenException", "must be before the expiration date/time");
    assert_refused(&with("nbf", json!(now() + 3600)), 400, "InvalidIdentityToken", "could not be validated");
    assert_refused(&with("iat", json!(now() - 90_000)), 400, "InvalidIdentityToken", "within 24 hours");
    assert_refused(
        &with("iss", json!(other.url)),
        400,
        "InvalidIdentityToken",
        "No OpenIDConnect provider found",
    );
    let elsewhere = call(&at, &role, &other.token(&workflow()));
    assert_refused(&elsewhere, 400, "InvalidIdentityToken", "No OpenIDConnect provider found");
    // Another's key under the issuer's name, and no signature at all.
    let claims = issuer.claims(&workflow());
    let forged = call(&at, &role, &Key::fresh("one").sign(&claims));
    assert_refused(&forged, 400, "InvalidIdentityToken", "could not be validated");
    for algorithm in ["none", "HS256"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": "one"});
        let unsigned = format!("{}.{}.{}", encoded(&header), encoded(&claims), BASE64URL_NOPAD.encode(b"x"));
        assert_refused(&call(&at, &role, &unsigned), 400, "InvalidIdentityToken", "could not be validated");
    }
    assert_refused(&call(&at, &role, "no-token"), 400, "InvalidIdentityToken", "not a valid JWT");
    assert_refused(&call(&at, "nonsense", "token"), 400, "ValidationError", "is invalid");
    let login = |message: &'static str| {
        at.await_audit(message, |event| {
            let reason = event["reason"]["reasonForFailure"].as_str();
            event["action"] == "sts:AssumeRoleWithWebIdentity"
                && reason.is_some_and(|reason| reason.contains(message))
        })
    };
    for reason in [
        "another audience",
        "no trust policy lets this web identity",
        "the token has expired",
        "not good yet",
        "the token is old",
        "no provider of the account",
        "the token's signature is wrong",
        "not signed with RS256",
        "the token is no JWT",
    ] {
        assert_eq!(login(reason)["outcome"], "failure");
    }
    assert_eq!(issuer.asked(), 1);
    assert_eq!(other.asked(), 0, "an issuer that nobody made a provider is not asked");
}

#[test]
fn a_flood_of_unknown_keys_is_stopped_and_reaches_no_issuer() {
    let issuer = Issuer::start("");
    let limited = format!("{}[limits]\nfailed_logins_per_address = 2\n", issuer.settings());
    let at = Portcullis::with("http://127.0.0.1:9", &[], &limited);
    let role = trust(&at, &issuer, "*");
    assert_eq!(call(&at, &role, &issuer.token(&workflow())).status, 200);
    let stranger = Key::fresh("stranger");
    let guess = || call(&at, &role, &stranger.sign(&issuer.claims(&workflow()))).text();
    let begun = Instant::now();
    let throttled: Vec<bool> = (0..40).map(|_| guess().contains("<Code>Throttling</Code>")).collect();
    assert_eq!(throttled[..2], [false, false], "{throttled:?}");
    let forgiven = begun.elapsed().as_secs() / 30 + 1;
    let judged = throttled[2..].iter().filter(|throttled| !**throttled).count();
    assert!(judged as u64 <= forgiven, "one every thirty seconds is forgiven: {throttled:?}");
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn an_issuer_may_be_down_and_its_keys_may_change() {
    let mut issuer = Issuer::start("");
    let mut at = start(&issuer);
    let role = trust(&at, &issuer, "*");
    let first = issuer.token(&workflow());
    issuer.down(true);
    assert_refused(&call(&at, &role, &first), 400, "IDPCommunicationError", "could not be read");
    issuer.down(false);
    until("the issuer is asked again", PATIENCE, || (call(&at, &role, &first).status == 200).then_some(()));
    issuer.down(true);
    assert_eq!(call(&at, &role, &first).status, 200, "its keys are known");
    issuer.down(false);
    issuer.rotate();
    at.restart();
    assert_refused(
        &call(&at, &role, &first),
        400,
        "InvalidIdentityToken",
        "Couldn't retrieve verification key",
    );
    assert_eq!(call(&at, &role, &issuer.token(&workflow())).status, 200);
}

#[test]
fn what_a_token_says_decides_and_stays_with_the_session() {
    let issuer = Issuer::start("");
    let at = start(&issuer);
    let role = trust(&at, &issuer, "*");
    let administrator = Aws::administrator(&at);
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{}", issuer.name());
    let key = |claim: &str| format!("{}:{claim}", issuer.name());
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": provider},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {
            "StringEquals": {key("repository"): "octo-org/octo-repo", key("aud"): "the-party", "aws:RequestTag/team": "a"},
            "ForAnyValue:StringEquals": {key("oaud"): AUDIENCE, key("groups"): "pushers"},
            "NumericLessThan": {"sts:DurationSeconds": "2000"},
        },
    }]});
    let update = ["iam", "update-assume-role-policy", "--role-name", "pusher", "--policy-document"];
    administrator.run(&[&update[..], &[&trust.to_string()]].concat()).must_succeed();
    let only = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
        "Condition": {"StringEquals": {
            key("sub"): "repo:octo-org/octo-repo:ref:refs/heads/main", "aws:FederatedProvider": issuer.name(),
            "aws:PrincipalTag/team": "a", "aws:SourceIdentity": "ada",
        }},
    }]});
    let put = ["iam", "put-role-policy", "--role-name", "pusher", "--policy-name", "p", "--policy-document"];
    administrator.run(&[&put[..], &[&only.to_string()]].concat()).must_succeed();

    let mut claims = workflow();
    claims["azp"] = json!("the-party");
    claims["groups"] = json!(["readers", "pushers"]);
    claims["https://aws.amazon.com/tags"] =
        json!({"principal_tags": {"team": ["a"]}, "transitive_tag_keys": ["team"]});
    claims["https://aws.amazon.com/source_identity"] = json!("ada");
    let job = Aws::anonymous(&at);
    let assume = |claims: &Value, more: &[&str]| {
        let token = issuer.token(claims);
        let words =
            ["sts", "assume-role-with-web-identity", "--role-session-name", "run-42", "--role-arn", &role];
        job.run(&[&words[..], &["--web-identity-token", &token, "--output", "json"], more].concat())
    };
    let short = ["--duration-seconds", "1800"];
    for (name, value) in [
        ("repository", json!("evil/octo-repo")),
        ("azp", json!("another")),
        ("groups", json!(["readers"])),
        ("https://aws.amazon.com/tags", json!({"principal_tags": {"team": ["b"]}})),
    ] {
        let mut other = claims.clone();
        other[name] = value;
        assume(&other, &short).must_fail_saying(&["(AccessDenied)"]);
    }
    let mut malformed = claims.clone();
    malformed["https://aws.amazon.com/tags"] = json!({"principal_tags": {"team": "a"}});
    assume(&malformed, &short).must_fail_saying(&["(IDPRejectedClaim)"]);
    assume(&claims, &["--duration-seconds", "3000"]).must_fail_saying(&["(AccessDenied)"]);
    assume(&claims, &["--duration-seconds", "7200"]).must_fail_saying(&["(AccessDenied)"]);
    assume(&claims, &["--provider-id", "www.amazon.com"]).must_fail_saying(&["(ValidationError)"]);

    let assumed: Value = serde_json::from_str(&assume(&claims, &short).must_succeed().stdout).unwrap();
    assert_eq!(assumed["SourceIdentity"], "ada");
    let session = Aws::in_session(&at, &assumed["Credentials"]);
    session.run(&["iam", "list-users"]).must_succeed();
    session.run(&["iam", "list-roles"]).must_fail_saying(&["because no identity-based policy allows"]);
    let nothing =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}"#;
    let limited = assume(&claims, &[&short[..], &["--policy", nothing]].concat()).must_succeed().stdout;
    let limited: Value = serde_json::from_str(&limited).unwrap();
    let limited = Aws::in_session(&at, &limited["Credentials"]);
    limited.run(&["iam", "list-users"]).must_fail_saying(&["because no session policy allows"]);
}
