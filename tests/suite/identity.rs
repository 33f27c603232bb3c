//! `/identity/`: keys and tokens in the shapes of IBM IAM, for programs that know nothing of registries.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::http::{Http, Response};
use crate::support::portcullis::Portcullis;
use crate::support::recorder::Recorder;
use crate::support::robot::Robot;

/// What a program says of itself to get a refresh token: it is the command line.
const COMMAND_LINE: (&str, &str) = ("bx", "bx");

fn alone() -> (Recorder, Portcullis) {
    let upstream = Recorder::silent();
    let at = Portcullis::before(&format!("http://{}", upstream.address()));
    (upstream, at)
}

fn ask(http: &Http, form: &str) -> Response {
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    http.send("POST", "/identity/token", &kind, form.as_bytes())
}

fn by_key(http: &Http, key: &str) -> Response {
    ask(http, &format!("grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey={key}"))
}

fn refresh(http: &Http, token: &str) -> Response {
    ask(http, &format!("grant_type=refresh_token&refresh_token={token}"))
}

fn text(answer: &Response, name: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()[name].as_str().unwrap().to_owned()
}

fn decoded(part: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()
}

/// Checks a token's signature as a stranger would who has nothing but the published keys.
fn is_signed_by(keys: &Value, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decoded(signed.split('.').next().unwrap())).unwrap();
    assert_eq!(header["alg"], "ES256", "{header}");
    let mut keys = keys["keys"].as_array().unwrap().iter();
    let key = keys.find(|key| key["kid"] == header["kid"]).expect("the token names a published key");
    let number = |name: &str| decoded(key[name].as_str().unwrap());
    let point = [vec![4], number("x"), number("y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &decoded(signature))
        .is_ok()
}

#[test]
fn every_token_is_signed_by_a_key_that_anyone_can_fetch() {
    let (_upstream, at) = alone();
    let keys = at.http().get("/identity/keys");
    assert_eq!((keys.status, keys.header("content-type")), (200, Some("application/json")));
    let keys = keys.json();
    for key in keys["keys"].as_array().unwrap() {
        let known = [&key["kty"], &key["crv"], &key["alg"], &key["use"]];
        assert_eq!(known, [&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig")]);
        assert!(key.get("d").is_none(), "a private key is published");
    }
    let issued = by_key(&at.http().basic(COMMAND_LINE.0, COMMAND_LINE.1), at.admin_key());
    let tokens = [
        at.administrator().token(&["repository:team/app:pull"]),
        text(&issued, "access_token"),
        text(&issued, "refresh_token"),
    ];
    for token in &tokens {
        assert!(is_signed_by(&keys, token), "{token}");
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let forged = format!("{head}.{}.{signature}", BASE64URL_NOPAD.encode(b"{\"sub\":\"me\"}"));
        assert!(!is_signed_by(&keys, &forged));
    }
}

#[test]
fn the_command_line_gets_a_refresh_token_that_lives_as_long_as_its_key() {
    let (_upstream, at) = alone();
    let administrator = at.administrator();
    let robot = Robot::create(&administrator, "robot");
    let client = at.http().basic(COMMAND_LINE.0, COMMAND_LINE.1);
    let issued = by_key(&client, &robot.key.value);
    assert_eq!(text(&issued, "token_type"), "Bearer");
    let token = text(&issued, "refresh_token");

    let again = refresh(&client, &token);
    let access = text(&again, "access_token");
    let me = at.http().bearer(&access).get("/api/native/whoami");
    assert_eq!((me.status, &me.json()["iam_id"]), (200, &json!(robot.iam_id)), "{}", me.text());
    // One is not good in the place of the other.
    assert_eq!(at.http().bearer(&token).get("/api/native/whoami").status, 401);
    assert_eq!(refresh(&client, &access).status, 400);

    let place = format!("/v1/apikeys/{}", robot.key.id);
    assert_eq!(administrator.call("DELETE", &place, &Value::Null).status, 204);
    let ended = refresh(&client, &token);
    assert_eq!((ended.status, &ended.json()["errorCode"]), (400, &json!("BXNIM0407E")), "{}", ended.text());
    assert_eq!(by_key(&client, &robot.key.value).status, 400);
}

#[test]
fn any_other_program_gets_no_refresh_token() {
    let (_upstream, at) = alone();
    for program in [at.http(), at.http().basic("other", "program")] {
        let issued = by_key(&program, at.admin_key());
        assert_eq!(text(&issued, "refresh_token"), "not_supported");
        assert_eq!(refresh(&program, "not_supported").status, 400);
        let me = at.http().bearer(&text(&issued, "access_token")).get("/api/native/whoami");
        assert_eq!(me.status, 200, "{}", me.text());
    }
}
