//! Tokens of other issuers against the attack catalogue.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::keys::{KeySet, NoKeys};
use super::sample::{Signer, jwks};
use super::{Flaw, TOKEN_MAX, Unverified};

fn keys(value: &Value) -> KeySet {
    KeySet::parse(value.to_string().as_bytes()).unwrap()
}

fn good() -> Value {
    json!({"iss": "https://issuer.test", "sub": "repo:a/b", "aud": "us", "exp": 2_000_000_000, "iat": 1_999_999_000})
}

fn verify(token: &str, keys: &KeySet) -> Result<super::Claims, Flaw> {
    Unverified::parse(token)?.verify(keys)
}

#[test]
fn each_algorithm_is_verified_with_its_own_key() {
    let signers = [Signer::rsa("r"), Signer::p256("p"), Signer::ed25519("e")];
    let set = keys(&jwks(&signers.each_ref()));
    for signer in &signers {
        let claims = verify(&signer.token(&good()), &set).unwrap();
        assert_eq!((claims.subject(), claims.audiences()), ("repo:a/b", &["us".to_owned()][..]));
        assert_eq!(claims.expires_at().seconds(), 2_000_000_000);
        // Another key of the same kind under the same id.
        let other = match signer.algorithm() {
            "RS256" => Signer::rsa("r"),
            "ES256" => Signer::p256("p"),
            _ => Signer::ed25519("e"),
        };
        assert_eq!(verify(&other.token(&good()), &set).unwrap_err(), Flaw::Signature);
    }
}

#[test]
fn a_token_never_chooses_how_it_is_verified() {
    let (signer, other) = (Signer::p256("k"), Signer::ed25519("k"));
    let set = keys(&jwks(&[&signer]));
    let claims = good().to_string();
    // Unsigned, and signed with the public key as if it were a shared secret.
    for algorithm in ["none", "None", "HS256", "RS512", "ES256K", "", "es256"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": "k"}).to_string();
        assert_eq!(
            verify(&signer.forge(&header, &claims), &set).unwrap_err(),
            Flaw::Algorithm,
            "{algorithm}"
        );
        let message = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(header.as_bytes()),
            BASE64URL_NOPAD.encode(claims.as_bytes())
        );
        assert_eq!(verify(&format!("{message}."), &set).unwrap_err(), Flaw::Algorithm, "{algorithm}");
        let secret = hmac::Key::new(hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
        let tag = BASE64URL_NOPAD.encode(hmac::sign(&secret, message.as_bytes()).as_ref());
        assert_eq!(verify(&format!("{message}.{tag}"), &set).unwrap_err(), Flaw::Algorithm, "{algorithm}");
    }
    // The right id, with the algorithm of another kind of key.
    let header = json!({"alg": "RS256", "kid": "k"}).to_string();
    assert_eq!(verify(&signer.forge(&header, &claims), &set).unwrap_err(), Flaw::UnknownKey);
    assert_eq!(verify(&other.token(&good()), &set).unwrap_err(), Flaw::UnknownKey);
    // Keys that the token brings along, and members that would change how it is read.
    for member in ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"] {
        let mut header = signer.header();
        header[member] = signer.jwk();
        assert_eq!(
            verify(&signer.forge(&header.to_string(), &claims), &set).unwrap_err(),
            Flaw::Header,
            "{member}"
        );
    }
    for kind in [json!("at+jwt"), json!("logout+jwt"), json!(1), json!(null)] {
        let mut header = signer.header();
        header["typ"] = kind.clone();
        assert_eq!(
            verify(&signer.forge(&header.to_string(), &claims), &set).unwrap_err(),
            Flaw::Header,
            "{kind}"
        );
    }
    for kid in [json!(null), json!(""), json!(7), json!("k".repeat(513))] {
        let mut header = signer.header();
        header["kid"] = kid.clone();
        assert_eq!(
            verify(&signer.forge(&header.to_string(), &claims), &set).unwrap_err(),
            Flaw::Header,
            "{kid}"
        );
    }
    let without_type = json!({"alg": "ES256", "kid": "k", "x5t": "ignored"}).to_string();
    assert!(verify(&signer.forge(&without_type, &claims), &set).is_ok());
    let twice = r#"{"alg":"ES256","kid":"x","kid":"k"}"#;
    assert_eq!(verify(&signer.forge(twice, &claims), &set).unwrap_err(), Flaw::Encoding);
}

#[test]
fn what_was_signed_is_what_is_read() {
    let signer = Signer::p256("k");
    let set = keys(&jwks(&[&signer]));
    let token = signer.token(&good());
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let mut other = good();
    other["sub"] = json!("repo:evil/b");
    let other = BASE64URL_NOPAD.encode(other.to_string().as_bytes());
    assert_eq!(verify(&format!("{header}.{other}.{signature}"), &set).unwrap_err(), Flaw::Signature);
    let cut = signature.get(..signature.len() - 2).unwrap();
    assert_eq!(verify(&format!("{header}.{claims}.{cut}"), &set).unwrap_err(), Flaw::Signature);
    for (wrong, flaw) in [
        (String::new(), Flaw::Shape),
        (format!("{header}.{claims}"), Flaw::Shape),
        (format!("{token}.x"), Flaw::Shape),
        (format!("{token}="), Flaw::Encoding),
        (format!(" {token}"), Flaw::Encoding),
        (format!("{header}.{claims}\n.{signature}"), Flaw::Encoding),
        ("x".repeat(TOKEN_MAX + 1), Flaw::TooLong),
    ] {
        assert_eq!(verify(&wrong, &set).unwrap_err(), flaw, "{wrong:.80}");
    }
}

#[test]
fn claims_are_of_their_types_or_refused() {
    let signer = Signer::ed25519("k");
    let set = keys(&jwks(&[&signer]));
    let claims = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        verify(&signer.token(&claims), &set)
    };
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(verify(&signer.token(&claims), &set).unwrap_err(), Flaw::Claims, "{name}");
    }
    let wrong = [
        ("sub", json!("")),
        ("sub", json!(["a"])),
        ("aud", json!([])),
        ("aud", json!(["a", 1])),
        ("aud", json!(true)),
        ("exp", json!("2000000000")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("iat", json!(null)),
        ("nbf", json!("soon")),
    ];
    for (name, value) in wrong {
        assert_eq!(claims(name, value.clone()).unwrap_err(), Flaw::Claims, "{name} {value}");
    }
    assert_eq!(claims("exp", json!(2_000_000_000.5)).unwrap().expires_at().millis(), 2_000_000_000_500);
    let twice = r#"{"iss":"a","sub":"a","sub":"b","aud":"us","exp":2000000000,"iat":1}"#;
    assert_eq!(verify(&signer.forge(&signer.header().to_string(), twice), &set).unwrap_err(), Flaw::Encoding);
}

#[test]
fn claims_are_read_by_name_and_by_path() {
    let signer = Signer::ed25519("k");
    let mut all = good();
    all["aud"] = json!(["us", "them"]);
    all["groups"] = json!(["a", 1, true, {"x": 1}]);
    all["kubernetes.io"] = json!({"namespace": "ci"});
    let claims = verify(&signer.token(&all), &keys(&jwks(&[&signer]))).unwrap();
    assert_eq!(claims.texts("groups"), ["a", "1", "true"]);
    assert_eq!((claims.texts("sub"), claims.text("sub")), (vec!["repo:a/b".to_owned()], Some("repo:a/b")));
    assert_eq!(claims.at(&["kubernetes.io", "namespace"]), Some(&json!("ci")));
    assert_eq!((claims.at(&["kubernetes.io", "pod"]), claims.at(&[])), (None, None));
    assert!(claims.texts("absent").is_empty() && claims.all().count() == 7);
    assert!(!format!("{claims:?}").contains("repo:a/b"));
}

#[test]
fn keys_that_could_not_or_should_not_sign_are_left_out() {
    let (signer, rsa) = (Signer::p256("k"), Signer::rsa("r"));
    let changed = |signer: &Signer, name: &str, value: Value| {
        let mut jwk = signer.jwk();
        jwk[name] = value;
        json!({"keys": [jwk]})
    };
    let unusable = [
        changed(&signer, "use", json!("enc")),
        changed(&signer, "alg", json!("ES384")),
        changed(&signer, "alg", json!("RS256")),
        changed(&signer, "kty", json!("RSA")),
        changed(&signer, "kty", json!("oct")),
        changed(&signer, "crv", json!("P-384")),
        changed(&signer, "kid", json!("")),
        changed(&signer, "key_ops", json!(["encrypt"])),
        changed(&signer, "x", json!("AAAA")),
        changed(&signer, "y", json!(BASE64URL_NOPAD.encode(&[7; 32]))),
        // RSA keys that are short, long, or cheap to forge for.
        changed(&rsa, "n", json!(BASE64URL_NOPAD.encode(&[0xc1; 128]))),
        changed(&rsa, "n", json!(BASE64URL_NOPAD.encode(&[0xc1; 2048]))),
        changed(&rsa, "e", json!("Aw")),
        changed(&rsa, "e", json!("AQAA")),
        changed(&rsa, "e", json!("AQAAAAE")),
        json!({"keys": []}),
        json!({"keys": [1, "x", null]}),
    ];
    for set in unusable {
        assert_eq!(KeySet::parse(set.to_string().as_bytes()).unwrap_err(), NoKeys::NoneUsable, "{set}");
    }
    for wrong in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::parse(wrong.as_bytes()).unwrap_err(), NoKeys::NotASet, "{wrong}");
    }
    let many = json!({"keys": vec![signer.jwk(); 65]}).to_string();
    assert_eq!(KeySet::parse(many.as_bytes()).unwrap_err(), NoKeys::TooMany);
    // What is unusable does not spoil the rest.
    let mixed = json!({"keys": [{"kty": "oct", "k": "AAAA", "kid": "k"}, signer.jwk()]});
    assert!(verify(&signer.token(&good()), &keys(&mixed)).is_ok());
}
