//! Who gets in: every way to log in, and every way to be turned away.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::aws::Aws;
use crate::support::client::{Client, Docker, Podman, Skopeo, Trust};
use crate::support::http::Http;
use crate::support::image::{Image, MANIFEST};
use crate::support::in_process::InProcess;
use crate::support::portcullis::{ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY, Portcullis};
use crate::support::process::{bare, run};
use crate::support::recorder::Recorder;
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{Administrator, IAMAPIKEY, Nobody, Stranger, Who};

/// What clients say of credentials that are no good: the registry's words, or their own.
const NOT_VALID: [&str; 2] = ["The login credentials are not valid", "invalid username/password"];

/// In front of nothing that matters.
fn alone() -> (Recorder, Portcullis) {
    let upstream = Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    (upstream, at)
}

fn clients(trust: &Trust) -> [Box<dyn Client>; 3] {
    [Box::new(Docker::start(trust)), Box::new(Podman::new(trust)), Box::new(Skopeo::new(trust))]
}

#[test]
fn a_wrong_a_disabled_and_a_deleted_key_and_a_misspelt_user_name_log_nobody_in() {
    let (_upstream, at) = alone();
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let disabled = robot.another_key(&administrator, json!({}));
    let deleted = robot.another_key(&administrator, json!({}));
    let switch = format!("/v1/apikeys/{}/disable", disabled.id);
    assert_eq!(administrator.call("POST", &switch, &Value::Null).status, 204);
    let place = format!("/v1/apikeys/{}", deleted.id);
    assert_eq!(administrator.call("DELETE", &place, &Value::Null).status, 204);

    for client in clients(&at.trust()) {
        let login = |user: &str, key: &str| client.login(&at.host(), user, key);
        login(IAMAPIKEY, &robot.key.value).must_succeed();
        client.logout(&at.host()).must_succeed();
        for key in [Stranger.key().unwrap(), &disabled.value, &deleted.value, "x"] {
            login(IAMAPIKEY, key).must_fail_saying(&NOT_VALID);
        }
        for user in ["iamapikeys", "IAMAPIKEY", "admin", "token"] {
            login(user, &robot.key.value).must_fail_saying(&NOT_VALID);
        }
    }
    // Enabled again, it is as good as before; the deleted one never comes back.
    assert_eq!(administrator.call("DELETE", &switch, &Value::Null).status, 204);
    let skopeo = Skopeo::new(&at.trust());
    skopeo.login(&at.host(), IAMAPIKEY, &disabled.value).must_succeed();
    assert_eq!(administrator.call("DELETE", &place, &Value::Null).status, 404);
}

#[test]
fn nobody_can_tell_from_the_answer_what_is_wrong_with_a_key() {
    let (_upstream, at) = alone();
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let good = robot.at(&at).get("/oauth/token?service=registry");
    assert_eq!(good.status, 200, "{}", good.text());
    let switch = format!("/v1/apikeys/{}/disable", robot.key.id);
    assert_eq!(administrator.call("POST", &switch, &Value::Null).status, 204);
    let answers = [
        robot.at(&at).get("/oauth/token?service=registry"),
        Stranger.http(&at).get("/oauth/token?service=registry"),
        at.http().basic("iamapykey", &robot.key.value).get("/oauth/token?service=registry"),
    ];
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body));
    }
    // The administrator can: the log says which of them it was.
    let event = at.await_audit("the refused login", |event| {
        event["reason"]["reasonForFailure"].as_str().is_some_and(|why| why.contains("disabled"))
    });
    assert_eq!(event["decision"], "credentials_rejected");
}

#[test]
fn a_key_stops_to_log_in_when_its_time_is_over() {
    let upstream = Recorder::silent();
    let at = InProcess::before(&format!("http://{}", upstream.address()), "");
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let end = at.now().plus(Duration::from_secs(3600));
    let key = robot.another_key(&administrator, json!({"expires_at": end.ibm()}));
    let past = json!({"name": "x", "iam_id": robot.iam_id, "expires_at": "2019-01-29T10:57+0000"});
    assert_eq!(administrator.call("POST", "/v1/apikeys", &past).status, 400, "born dead");

    let clients = clients(&at.trust());
    let ping = |token: &str| at.http().bearer(token).get("/v2/").status;
    for client in &clients {
        client.login(&at.host(), IAMAPIKEY, &key.value).must_succeed();
    }
    let token = at.http().basic(IAMAPIKEY, &key.value).token(&[]);
    assert_eq!(ping(&token), 200);
    at.pass(Duration::from_secs(3601));
    for client in &clients {
        client.login(&at.host(), IAMAPIKEY, &key.value).must_fail_saying(&NOT_VALID);
        client.login(&at.host(), IAMAPIKEY, &robot.key.value).must_succeed();
    }
    assert_eq!(ping(&token), 401, "a token outlives its key");
    assert_eq!(at.http().basic(IAMAPIKEY, &key.value).get("/v2/").status, 401);
}

#[test]
fn an_ecr_password_is_over_after_twelve_hours_and_its_bearer_is_told_so() {
    let upstream = Recorder::silent();
    let at = InProcess::before(&format!("http://{}", upstream.address()), "");
    let aws = Aws::anonymous_at(&at.host(), &at.trust());
    let aws = aws.keyed(ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY);
    let password = aws.run(&["ecr", "get-login-password"]).must_succeed().stdout;
    at.pass(Duration::from_secs(11 * 3600 + 3590));
    for client in &clients(&at.trust()) {
        client.login(&at.host(), "AWS", password.trim()).must_succeed();
    }
    at.pass(Duration::from_secs(10));
    let over = "Your authorization token has expired. Reauthenticate and try again.";
    let answer = at.http().basic("AWS", password.trim()).get("/oauth/token?service=registry");
    assert_eq!((answer.status, answer.text().contains(over)), (401, true), "{}", answer.text());
    for client in &clients(&at.trust()) {
        client.login(&at.host(), "AWS", password.trim()).must_fail_saying(&[
            "authorization token has expired",
            "invalid username/password",
            "unauthorized",
        ]);
    }
    let mut forged = password.trim().to_owned();
    forged.pop();
    let answer = at.http().basic("AWS", &forged).get("/oauth/token?service=registry");
    assert_eq!((answer.status, answer.text().contains("expired")), (401, false), "{}", answer.text());
}

#[test]
fn a_locked_key_logs_in_and_refuses_to_be_changed() {
    let (_upstream, at) = alone();
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let place = format!("/v1/apikeys/{}", robot.key.id);
    let switch = |method: &str, name: &str| {
        administrator.call(method, &format!("{place}/{name}"), &Value::Null).status
    };
    let change = || administrator.call("PUT", &place, &json!({"name": "renamed"})).status;
    assert_eq!(switch("POST", "lock"), 204);
    assert_eq!(administrator.get(&place).json()["locked"], true);

    Skopeo::new(&at.trust()).login(&at.host(), IAMAPIKEY, &robot.key.value).must_succeed();
    for refused in [change(), switch("POST", "disable"), switch("DELETE", "disable")] {
        assert!((400..500).contains(&refused), "a locked key was changed: {refused}");
    }
    let deleted = administrator.call("DELETE", &place, &Value::Null);
    assert!((400..500).contains(&deleted.status), "a locked key was deleted: {}", deleted.status);
    let kept = administrator.get(&place).json();
    assert_eq!((&kept["name"], &kept["disabled"]), (&json!("made-by-the-suite"), &json!(false)));

    assert_eq!(switch("DELETE", "lock"), 204);
    assert_eq!((change(), switch("POST", "disable")), (200, 204));
    Skopeo::new(&at.trust()).login(&at.host(), IAMAPIKEY, &robot.key.value).must_fail_saying(&NOT_VALID);
}

#[test]
fn a_listener_with_tls_answers_clear_text_with_advice_and_reads_no_credentials_from_it() {
    let (_upstream, at) = alone();
    let plain = Http::plain(at.public()).basic(IAMAPIKEY, at.admin_key());
    let answer = plain.get("/oauth/token?service=registry");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    let mut curl = bare("curl");
    curl.args(["--silent", "--show-error", "--user", "iamapikey:wrong"]);
    let shown = run(curl.arg(format!("http://{}/v2/", at.host())), "");
    assert!(shown.said().contains("https://"), "{}", shown.said());
    // TLS goes on as before, on the same port.
    assert_eq!(Administrator::of(&at).http(&at).get("/v2/").status, 200);
}

#[test]
fn a_listener_without_tls_serves_clients_that_are_told_so() {
    let registry = Registry::start();
    let plain = "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]";
    let at = Portcullis::with(&registry.url(), &[], plain);
    let line = at.log().lines().rev().find(|line| line.contains("surfaces registry)")).unwrap().to_owned();
    let port = line.split_once("listening on 127.0.0.1:").unwrap().1.split_once(' ').unwrap().0.to_owned();
    let host = format!("localhost:{port}");
    let challenge = Http::plain(format!("127.0.0.1:{port}").parse().unwrap());
    let by_address = challenge.get("/v2/");
    assert_eq!(by_address.status, 421, "an address is no name of the registry");

    // docker takes `localhost` for a host that may do without TLS.
    for (name, client) in ["docker", "podman", "skopeo"].into_iter().zip(clients(&Trust::Plain)) {
        client.login(&host, IAMAPIKEY, Stranger.key().unwrap()).must_fail_saying(&NOT_VALID);
        client.login(&host, IAMAPIKEY, at.admin_key()).must_succeed();
        let image = Image::tiny();
        let reference = format!("{host}/plain/{name}:1");
        client.push(&image, &reference).must_succeed();
        client.pull(&reference).must_succeed();
        assert_eq!(client.id_of(&reference), image.id());
    }
}

#[test]
fn iambearer_takes_an_iam_token_for_as_long_as_the_key_behind_it_is_good() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let administrator = at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Writer", "team");
    robot.grant(&administrator, "Reader", "team");
    let form =
        format!("grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={}", robot.key.value);
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let got = at.http().send("POST", "/identity/token", &kind, form.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    let token = got.json()["access_token"].as_str().unwrap().to_owned();

    let image = Image::tiny();
    let all = clients(&at.trust());
    for (number, client) in all.iter().enumerate() {
        client.login(&at.host(), "iambearer", &token).must_succeed();
        let reference = at.image(&format!("team/app:{number}"));
        client.push(&image, &reference).must_succeed();
        client.pull(&reference).must_succeed();
    }
    assert_eq!(at.http().basic("iambearer", &token).get("/v2/team/app/tags/list").status, 200);
    // Neither is good in the place of the other.
    all[2].login(&at.host(), IAMAPIKEY, &token).must_fail_saying(&NOT_VALID);
    all[2].login(&at.host(), "iambearer", &robot.key.value).must_fail_saying(&NOT_VALID);

    let place = format!("/v1/apikeys/{}/disable", robot.key.id);
    assert_eq!(administrator.call("POST", &place, &Value::Null).status, 204);
    for client in &all {
        client.login(&at.host(), "iambearer", &token).must_fail_saying(&NOT_VALID);
    }
}

#[test]
fn a_key_as_basic_credentials_works_on_every_request() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let image = Image::tiny();
    let administrator = Administrator::of(&at).http(&at);
    assert_eq!(administrator.push(&image, "team/app", "1").status, 201);
    let accept = [("Accept", MANIFEST)];
    let read = administrator.send("GET", "/v2/team/app/manifests/1", &accept, b"");
    assert_eq!((read.status, &read.body), (200, &image.manifest.bytes));
    let wrong = Stranger.http(&at).get("/v2/team/app/manifests/1");
    assert_eq!(wrong.status, 401);
    assert!(wrong.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
}

/// The access that a token says it gives.
fn access_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["access"].clone()
}

#[test]
fn a_posted_form_is_read_in_one_piece_in_chunks_and_with_its_scopes_in_several_fields() {
    let (_upstream, at) = alone();
    let administrator = at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Reader", "team");
    let form = format!(
        "client_id=containerd-client&grant_type=password&service=registry&username=iamapikey&password={}\
         &scope=repository%3Ateam%2Fa%3Apull%2Cpush&scope=repository%3Aother%2Fb%3Apull\
         &scope=repository%3Ateam%2Fc%3Apull+repository%3Ateam%2Fd%3Apull",
        robot.key.value
    );
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let whole = at.http().send("POST", "/oauth/token", &kind, form.as_bytes());
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\r\n",
        at.host()
    );
    let mut bytes = head.into_bytes();
    for piece in form.as_bytes().chunks(7) {
        bytes.extend(format!("{:x}\r\n", piece.len()).bytes().chain(piece.iter().copied()).chain(*b"\r\n"));
    }
    bytes.extend(b"0\r\n\r\n");
    let chunked = crate::support::http::parse(&at.http().raw(&bytes), "POST").unwrap();
    for answer in [whole, chunked] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert!(body.get("refresh_token").is_none(), "{body}");
        let given = access_of(body["access_token"].as_str().unwrap());
        let names: Vec<&str> =
            given.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["team/a", "team/c", "team/d"], "what may be had, and no more");
        assert!(!given.to_string().contains("push"), "{given}");
    }
    let mut curl = bare("curl");
    curl.args(["--silent", "--cacert"]).arg(&at.certificate().ca);
    curl.args(["--data", &form.replace(&robot.key.value, "wrong")]);
    let refused = run(curl.arg(format!("https://{}/oauth/token", at.host())), "").must_succeed();
    assert!(refused.stdout.contains(NOT_VALID[0]), "{}", refused.stdout);
    let refresh = form.replace("grant_type=password", "grant_type=refresh_token&refresh_token=x");
    assert_eq!(at.http().send("POST", "/oauth/token", &kind, refresh.as_bytes()).status, 401);
}

#[test]
fn nobody_gets_a_token_that_is_good_for_nothing() {
    let (upstream, at) = alone();
    let scope = "repository:team/app:pull,push";
    let token = Nobody.http(&at).token(&[scope]);
    assert_eq!(access_of(&token), json!([]));
    let bearer = at.http().bearer(&token);
    assert_eq!(bearer.get("/v2/").status, 401);
    for path in ["/v2/team/app/manifests/1", "/v2/team/app/tags/list", "/v2/_catalog"] {
        let answer = bearer.get(path);
        assert!(matches!(answer.status, 401 | 403), "{path}: {}", answer.status);
    }
    Skopeo::new(&at.trust()).pull(&at.image("team/app:1")).must_fail_saying(&["Authorization required"]);
    assert!(!upstream.seen().iter().any(|request| request.contains("team")), "{:?}", upstream.seen());
}

#[test]
fn a_token_is_given_out_again_until_a_fifth_of_its_time_is_over_or_anything_changes() {
    let upstream = Recorder::silent();
    let at = InProcess::before(&format!("http://{}", upstream.address()), "");
    let administrator = at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Reader", "team");
    let http = robot.over(at.http());
    let token = |scope: &str| {
        let granted = http.get(&format!("/oauth/token?service=registry&scope={scope}")).json();
        (granted["token"].as_str().unwrap().to_owned(), granted["expires_in"].as_i64().unwrap())
    };
    let (pull, push) = ("repository:team/app:pull", "repository:team/app:pull,push");
    // What the server itself finds out about the account is a change like any other, and may come in between.
    until("the same token is given twice", PATIENCE, || {
        let (first, told) = token(pull);
        at.pass(Duration::from_secs(179));
        let (again, left) = token(pull);
        // Decided anew: who asks for more than they may have is given the same.
        let (narrowed, _) = token(push);
        let same = first == again && again == narrowed;
        assert!(!same || (told, left) == (900, 721), "it is over when it was to be over");
        assert_ne!(token("repository:team/other:pull").0, first);
        at.pass(Duration::from_secs(2));
        assert!(token(pull).0 != first, "a fifth is over");
        same.then_some(())
    });
    let (second, _) = token(pull);

    // Any change, whoever it is about.
    Robot::create(&administrator, "somebody-else");
    let (third, _) = token(pull);
    assert_ne!(third, second);
    // What it is for is what may be done now.
    robot.grant(&administrator, "Writer", "team");
    assert_eq!(access_of(&token(push).0)[0]["actions"], json!(["pull", "push"]));
    assert_eq!(access_of(&third)[0]["actions"], json!(["pull"]));
}
