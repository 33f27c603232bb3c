//! Case 7: a token is ours, whole, for this purpose and still good, or it is nothing (T-01…T-17, T-34, T-35).

use serde_json::{Value, json};

use super::forge::{self, Forger};
use super::people::{bearer, text};
use super::scene::{Scene, Trace};
use super::wire::Wire;
use crate::support::recorder::Recorder;
use crate::support::who::{IAMAPIKEY, Who};

const SCOPE: &str = "repository:tenant-a/app:pull";
const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// A good token of alice's: its header and claims.
fn good(scene: &Scene<Recorder>) -> (String, String) {
    forge::read(&scene.alice.token(&scene.at, &[SCOPE]))
}

fn refused(scene: &Scene<Recorder>, case: &str, token: &str) {
    let answer = scene.refuses(case, scene.head("GET", TARGET, &bearer(token)), &[401], &Trace::Unproven);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{case}: {challenge}");
}

/// A claim set with one claim changed; `null` takes it away.
fn with(claims: &str, name: &str, value: Value) -> String {
    let mut all: Value = serde_json::from_str(claims).unwrap();
    if value.is_null() {
        all.as_object_mut().unwrap().remove(name);
    } else {
        all[name] = value;
    }
    all.to_string()
}

/// T-01, T-02, T-03, T-04, T-05, T-06, T-07, T-08
#[test]
fn a_token_that_the_servers_key_has_not_signed_is_nothing() {
    let scene = Scene::recorded();
    let (header, claims) = good(&scene);
    let kid = text(&serde_json::from_str(&header).unwrap(), "kid");
    let named = |alg: &str| json!({"typ": "registry+jwt", "alg": alg, "kid": kid}).to_string();
    let (stranger, ours) = (Forger::with_own_key(), Forger::with_the_servers_key(&scene.at));
    for alg in ["none", "None", "nOnE", ""] {
        refused(&scene, &format!("T-01 {alg}"), &forge::with_signature(&named(alg), &claims, b""));
        refused(&scene, &format!("T-01 signed {alg}"), &ours.sign(&named(alg), &claims));
    }
    for secret in [ours.public(), Vec::new(), kid.clone().into_bytes()] {
        refused(&scene, "T-02", &forge::hmac_signed(&named("HS256"), &claims, &secret));
        refused(&scene, "T-02 named ES256", &forge::hmac_signed(&header, &claims, &secret));
    }
    for alg in ["HS512", "RS256", "ES256K", "ES384", "EdDSA", "es256"] {
        refused(&scene, &format!("T-03 {alg}"), &ours.sign(&named(alg), &claims));
    }
    refused(&scene, "T-04 zeroes", &forge::with_signature(&header, &claims, &[0; 64]));
    refused(&scene, "T-04 short", &forge::with_signature(&header, &claims, &[1; 63]));
    refused(&scene, "T-04 long", &forge::with_signature(&header, &claims, &[1; 65]));
    refused(&scene, "T-04 DER", &ours.sign_der(&header, &claims));
    refused(&scene, "another key", &stranger.sign(&header, &claims));
    for (case, more) in [
        ("T-05", json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}})),
        ("T-06", json!({"jku": format!("http://{}/keys", scene.upstream.address())})),
        ("T-06", json!({"x5u": format!("http://{}/chain", scene.upstream.address())})),
        ("T-08", json!({"crit": ["x"], "x": 1})),
        ("T-08", json!({"b64": false, "crit": ["b64"]})),
        ("T-07", json!({"kid": "../../../dev/null"})),
        ("T-07", json!({"kid": "' OR 1=1--"})),
        ("T-07", json!({"kid": "a\0b"})),
        ("T-07", json!({"kid": [kid]})),
        ("T-07", json!({"kid": Value::Null})),
    ] {
        let mut made: Value = serde_json::from_str(&header).unwrap();
        more.as_object().unwrap().iter().for_each(|(name, value)| made[name] = value.clone());
        // Signed with our own key, too: it is the header that is wrong.
        refused(&scene, case, &ours.sign(&made.to_string(), &claims));
        refused(&scene, case, &stranger.sign(&made.to_string(), &claims));
    }
}

/// T-10, T-11, T-13, T-14, T-16, T-34: well signed, wrong in what it says
#[test]
fn a_well_signed_token_with_wrong_claims_is_nothing() {
    let scene = Scene::recorded();
    let (header, claims) = good(&scene);
    let ours = Forger::with_the_servers_key(&scene.at);
    let all: Value = serde_json::from_str(&claims).unwrap();
    let (iss, iat) = (text(&all, "iss"), all["iat"].as_i64().unwrap());
    let ok = Wire::open(&scene.at).ask(scene.head("GET", TARGET, &bearer(&ours.sign(&header, &claims))));
    assert_eq!((ok.status, scene.heard().len()), (200, 1), "the forger's own work is good: {}", ok.text());
    let wrong = [
        ("T-10 iss", "iss", json!("https://evil.test/identity/123456789012")),
        ("T-10 slash", "iss", json!(format!("{iss}/"))),
        ("T-10 case", "iss", json!(iss.to_uppercase())),
        ("T-10 none", "iss", Value::Null),
        ("T-11 aud", "aud", json!("other")),
        ("T-11 none", "aud", Value::Null),
        ("T-11 list", "aud", json!(["registry", "other"])),
        ("T-11 list of one", "aud", json!(["registry"])),
        ("T-11 prefix", "aud", json!("registry2")),
        ("T-11 number", "aud", json!(1)),
        ("T-13 text", "exp", json!(format!("{}", iat + 600))),
        ("T-13 fraction", "exp", json!(iat as f64 + 600.5)),
        ("T-13 none", "exp", Value::Null),
        ("T-13 2^63", "exp", json!(9_223_372_036_854_775_808_u64)),
        ("T-13 iat text", "iat", json!("0")),
        ("T-14 far future", "iat", json!(iat + 3600)),
        ("T-13 unknown claim", "nbf", json!("soon")),
        ("sub of another", "sub", json!(scene.bob.iam_id)),
        ("no such sub", "sub", json!("root")),
        ("key of another", "key", json!(scene.bob.key_id)),
        ("no key", "key", json!("")),
        ("access of everything", "access", json!("*")),
        (
            "an unknown action",
            "access",
            json!([{"type": "repository", "name": "tenant-a/app", "actions": ["*"]}]),
        ),
    ];
    for (case, name, value) in wrong {
        refused(&scene, case, &ours.sign(&header, &with(&claims, name, value)));
    }
    for past in [-1, 0, iat - 1, iat] {
        // Whose it was is known, and that it is over.
        let token = bearer(&ours.sign(&header, &with(&claims, "exp", json!(past))));
        scene.refuses("T-13 over", scene.head("GET", TARGET, &token), &[401], &Trace::Refused(&scene.alice));
    }
    for (case, twice) in [
        ("T-16 sub", format!("\"sub\":\"{}\",", scene.bob.iam_id)),
        ("T-16 exp", "\"exp\":9999999999,".to_owned()),
        ("T-16 escaped", format!("\"\\u0073ub\":\"{}\",", scene.bob.iam_id)),
    ] {
        refused(&scene, case, &ours.sign(&header, &claims.replacen('{', &format!("{{{twice}"), 1)));
        let last = format!("{},{}}}", claims.trim_end_matches('}'), twice.trim_end_matches(','));
        refused(&scene, case, &ours.sign(&header, &last));
    }
    refused(&scene, "T-15 not an object", &ours.sign(&header, "[]"));
}

/// A wider claim does not widen the right: policy decides at use
#[test]
fn a_token_is_a_ceiling_and_never_a_grant() {
    let scene = Scene::recorded();
    let (header, claims) = good(&scene);
    let ours = Forger::with_the_servers_key(&scene.at);
    let access =
        json!([{"type": "repository", "name": "tenant-b/secret", "actions": ["pull", "push", "delete"]}]);
    let token = ours.sign(&header, &with(&claims, "access", access));
    let request = scene.head("GET", "/v2/tenant-b/secret/manifests/v1", &bearer(&token));
    scene.refuses("a generous mint", request, &[403], &Trace::Refused(&scene.alice));
}

/// T-09
#[test]
fn each_kind_of_token_is_good_for_its_own_purpose_only() {
    let scene = Scene::recorded();
    let given = scene.alice.identity(&scene.at);
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    let registry = scene.alice.token(&scene.at, &[SCOPE]);
    refused(&scene, "an IAM token as registry bearer", &access);
    refused(&scene, "a refresh token as registry bearer", &refresh);
    for (case, token) in [("registry", &registry), ("refresh", &refresh)] {
        let control = scene.head("GET", "/v1/apikeys", &bearer(token));
        scene.refuses(&format!("a {case} token at the management API"), control, &[401], &Trace::Unproven);
        let coded = data_encoding::BASE64.encode(format!("iambearer:{token}").as_bytes());
        let login =
            scene.head("GET", "/oauth/token?service=registry", &format!("Authorization: Basic {coded}\r\n"));
        scene.refuses(&format!("a {case} token as iambearer"), login, &[401], &Trace::Unproven);
    }
    for token in [&registry, &access] {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let request = scene.with_body(
            "POST",
            "/identity/token",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            &form,
        );
        scene.refuses("as refresh token", request, &[400, 401], &Trace::Unproven);
    }
    for token in [&registry, &access, &refresh] {
        let coded = data_encoding::BASE64.encode(format!("{IAMAPIKEY}:{token}").as_bytes());
        let request = scene.head("GET", TARGET, &format!("Authorization: Basic {coded}\r\n"));
        scene.refuses("as API key", request, &[401], &Trace::Unproven);
        let exchange = scene.head("GET", "/oauth/token?service=registry", &bearer(token));
        scene.refuses("a token for a token", exchange, &[401], &Trace::Unproven);
    }
    let control = Wire::open(&scene.at).ask(scene.head("GET", "/v1/apikeys", &bearer(&access)));
    assert_eq!(control.status, 200, "an IAM token is good for what it is for");
    let typ = |kind: &str| with(&good(&scene).0, "typ", json!(kind));
    let ours = Forger::with_the_servers_key(&scene.at);
    for kind in ["JWT", "refresh+jwt", "jwt", "at+jwt", "Registry+JWT"] {
        refused(&scene, &format!("typ {kind}"), &ours.sign(&typ(kind), &good(&scene).1));
    }
}

/// T-17, T-15, T-08: one spelling
#[test]
fn a_token_has_one_spelling() {
    let scene = Scene::recorded();
    let token = scene.alice.token(&scene.at, &[SCOPE]);
    let parts: Vec<&str> = token.split('.').collect();
    let last = token.chars().last().unwrap();
    // The last character of 64 bytes carries two bits; the other four must be zero.
    let loose = char::from(last as u8 + 1);
    for (case, spelt) in [
        ("T-17 padded", format!("{token}==")),
        ("T-17 loose bits", format!("{}{loose}", token.split_at(token.len() - 1).0)),
        ("T-15 dots", format!("{token}.")),
        ("T-08 five parts", format!("{token}.a.b")),
        ("two parts", parts[..2].join(".")),
        ("no claims", format!("{}..{}", parts[0], parts[2])),
        ("T-15 many dots", ".".repeat(7_000)),
    ] {
        let request = scene.head("GET", TARGET, &bearer(&spelt));
        scene.refuses(case, request, &[400, 401], &Trace::Unproven);
    }
    let huge = scene.head("GET", TARGET, &bearer(&"a".repeat(200_000)));
    scene.refuses("T-15 huge", huge, &[400, 401, 431], &Trace::Unread);
}

/// T-35, T-37, B-01, B-02, B-03
#[test]
fn the_authorization_header_has_one_grammar() {
    let scene = Scene::recorded();
    let token = scene.alice.token(&scene.at, &[SCOPE]);
    let key = scene.alice.key().unwrap();
    let coded = |pair: &str| data_encoding::BASE64.encode(pair.as_bytes());
    let good = coded(&format!("{IAMAPIKEY}:{key}"));
    for value in [
        format!("Bearer  {token}"),
        "Bearer".to_owned(),
        format!("Bearer {token} x"),
        format!("Token {token}"),
        token.clone(),
        format!("Basic {}", good.trim_end_matches('=').to_owned() + "*"),
        format!("Basic {}", coded(key)),
        format!("Basic {}", coded(&format!(":{key}"))),
        format!("Basic {}", coded("iamapikey:")),
        format!("Basic {}", coded(&format!("IAMAPIKEY:{key}"))),
        format!("Basic {}", coded(&format!("iamapikey :{key}"))),
        format!("Basic {}", coded(&format!("iamapikey\0:{key}"))),
        format!("Basic {}", coded(&format!("iamapikey:{key}\n"))),
        format!("Basic {}", coded(&format!("iamapikey:{key} "))),
        format!("Basic {}", coded(&format!("iambearer:{key}"))),
        format!("Basic {}", coded(&format!("iamapikey:{}", key.repeat(100)))),
        format!("Digest {good}"),
    ] {
        let request = scene.head("GET", TARGET, &format!("Authorization: {value}\r\n"));
        scene.refuses(&format!("T-35 {value}"), request, &[400, 401], &Trace::Unproven);
    }
    for (case, lines) in [
        ("S-54 two", format!("Authorization: Bearer {token}\r\nAuthorization: Basic {good}\r\n")),
        ("S-54 twice", format!("Authorization: Basic {good}\r\nAuthorization: Basic {good}\r\n")),
        ("S-54 list", format!("Authorization: Bearer {token}, Basic {good}\r\n")),
    ] {
        scene.refuses(case, scene.head("GET", TARGET, &lines), &[400], &Trace::Unread);
    }
    let cookie = scene.head("GET", TARGET, &format!("Cookie: token={token}; Authorization={token}\r\n"));
    scene.refuses("a cookie", cookie, &[401], &Trace::Unproven);
}
