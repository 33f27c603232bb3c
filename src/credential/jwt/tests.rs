//! Tokens against the attack catalogue; each case is named in a comment after its entry there.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{KeyFault, Rejected, SigningKey, TOKEN_MAX, VerifyingKeys};
use crate::secret::Secret;

#[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
}

struct Issuer {
    key: SigningKey,
    pkcs8: Secret<Vec<u8>>,
    keys: VerifyingKeys,
}

impl Issuer {
    fn fresh() -> Self {
        let (key, pkcs8) = SigningKey::generate().unwrap();
        let keys = VerifyingKeys::new([key.public()]).unwrap();
        Self { key, pkcs8, keys }
    }

    /// Signs any header and claims with the genuine key.
    fn forge(&self, header: &str, claims: &str) -> String {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, self.pkcs8.expose()).unwrap();
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let signature = super::low_s::normalised(signature.as_ref()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn header(&self) -> String {
        format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{}"}}"#, self.key.kid())
    }

    fn verify(&self, token: &str) -> Result<Claims, Rejected> {
        self.keys.verify(token, "JWT")
    }
}

fn encode(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

fn claims() -> Claims {
    Claims { sub: "alice".to_owned(), exp: 2_000_000_000, nbf: None }
}

const GOOD: &str = r#"{"sub":"alice","exp":2000000000,"nbf":null}"#;

#[test]
fn a_signed_token_is_read_back_by_any_holder_of_the_public_key() {
    let issuer = Issuer::fresh();
    for _ in 0..32 {
        let token = issuer.key.sign("JWT", &claims()).unwrap();
        assert_eq!(issuer.verify(&token), Ok(claims()));
    }
    assert_eq!(issuer.verify(&issuer.forge(&issuer.header(), GOOD)), Ok(claims()));
    let again = SigningKey::from_pkcs8(issuer.pkcs8.expose()).unwrap();
    assert_eq!((again.kid(), again.public()), (issuer.key.kid(), issuer.key.public()));
    assert_eq!(issuer.verify(&again.sign("JWT", &claims()).unwrap()), Ok(claims()));
    assert_eq!(issuer.key.public().len(), 65);
}

#[test]
fn another_key_or_another_type_is_refused() {
    let (issuer, other) = (Issuer::fresh(), Issuer::fresh());
    let token = other.key.sign("JWT", &claims()).unwrap();
    assert_eq!(issuer.verify(&token), Err(Rejected::UnknownKey));
    // Another's signature under our key id.
    assert_eq!(issuer.verify(&other.forge(&issuer.header(), GOOD)), Err(Rejected::Signature));
    // T-09
    let refresh = issuer.key.sign("refresh", &claims()).unwrap();
    assert_eq!(issuer.verify(&refresh), Err(Rejected::Header));
    assert_eq!(issuer.keys.verify::<Claims>(&refresh, "refresh"), Ok(claims()));
    // T-33: with both keys, both are good.
    let both = VerifyingKeys::new([issuer.key.public(), other.key.public()]).unwrap();
    assert_eq!(both.verify::<Claims>(&token, "JWT"), Ok(claims()));
}

#[test]
fn only_our_own_header_is_accepted() {
    let issuer = Issuer::fresh();
    let kid = issuer.key.kid();
    let jwk = issuer.keys.jwks()["keys"][0].clone();
    let good = json!({ "typ": "JWT", "alg": "ES256", "kid": kid });
    let with = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        header.to_string()
    };
    let headers = [
        with("alg", json!("none")),   // T-01
        with("alg", json!("None")),   // T-01
        with("alg", json!("")),       // T-01
        with("alg", json!("HS256")),  // T-02
        with("alg", json!("HS512")),  // T-03
        with("alg", json!("RS512")),  // T-03
        with("alg", json!("ES256K")), // T-03
        with("alg", json!("EdDSA")),  // T-03
        with("alg", json!("es256")),
        with("alg", json!(["ES256"])),
        with("alg", Value::Null),
        with("jwk", jwk),                                // T-05
        with("jku", json!("https://evil.example/keys")), // T-06
        with("x5u", json!("https://evil.example/cert")), // T-06
        with("x5c", json!(["MIIB"])),                    // T-06
        with("kid", json!([kid])),                       // T-07
        with("kid", Value::Null),                        // T-07
        with("crit", json!(["x"])),                      // T-08
        with("b64", json!(false)),                       // T-08
        with("enc", json!("A256GCM")),                   // T-08
        with("cty", json!("JWT")),                       // T-08
        with("typ", json!("jwt")),
        with("typ", json!("at+jwt")),                        // T-09
        json!({ "typ": "JWT", "alg": "ES256" }).to_string(), // T-07
        json!({ "alg": "ES256", "kid": kid }).to_string(),
        format!(r#"{{"typ":"JWT","alg":"none","alg":"ES256","kid":"{kid}"}}"#),
        format!("{good} {good}"),
        format!("[{good}]"),
        format!(r#"["JWT","ES256","{kid}"]"#),
        String::new(),
        "null".to_owned(),
    ];
    for header in headers {
        assert_eq!(issuer.verify(&issuer.forge(&header, GOOD)), Err(Rejected::Header), "{header}");
    }
    for wrong in ["../../../dev/null", "' OR 1=1--", "\0", "", &"k".repeat(2000)] {
        let token = issuer.forge(&with("kid", json!(wrong)), GOOD); // T-07
        assert_eq!(issuer.verify(&token), Err(Rejected::UnknownKey), "{wrong:?}");
    }
}

// T-02
#[test]
fn the_public_key_is_no_secret_to_sign_with() {
    let issuer = Issuer::fresh();
    for secret in [issuer.key.public(), b"", issuer.keys.jwks().to_string().as_bytes()] {
        for alg in ["HS256", "ES256"] {
            let header = format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{}"}}"#, issuer.key.kid());
            let message = format!("{}.{}", encode(&header), encode(GOOD));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            let token = format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()));
            assert!(issuer.verify(&token).is_err(), "{alg}");
        }
    }
}

// T-01, T-04
#[test]
fn a_signature_has_one_form() {
    let issuer = Issuer::fresh();
    let token = issuer.key.sign("JWT", &claims()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let verify = |bytes: &[u8]| issuer.verify(&format!("{message}.{}", BASE64URL_NOPAD.encode(bytes)));
    assert_eq!(verify(&raw), Ok(claims()));
    let flip = |at: usize| {
        let mut bytes = raw.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut long = raw.clone();
    long.push(0);
    // The other spelling of the same signature, which ECDSA itself accepts.
    let s: [u8; 32] = raw[32..].try_into().unwrap();
    let high = [&raw[..32], &super::low_s::order_minus(s).unwrap()].concat();
    let der = [&[0x30, 0x44, 0x02, 0x20], &raw[..32], &[0x02, 0x20], &raw[32..]].concat();
    for wrong in
        [vec![], vec![0; 64], raw[..63].to_vec(), long, high, der, flip(0), flip(31), flip(32), flip(63)]
    {
        assert_eq!(verify(&wrong), Err(Rejected::Signature), "{} bytes", wrong.len());
    }
}

// T-08, T-15, T-17
#[test]
fn the_text_of_a_token_cannot_be_varied() {
    let issuer = Issuer::fresh();
    let token = issuer.key.sign("JWT", &claims()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let shapes = [
        String::new(),
        ".".to_owned(),
        parts[..2].join("."),
        format!("{token}.{}", parts[2]),
        format!("{token}.."),
        ".".repeat(8000),
        format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2]),
    ];
    for text in shapes {
        assert_eq!(issuer.verify(&text), Err(Rejected::Shape), "{text}");
    }
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() ^ 1).unwrap();
    let encodings = [
        format!("{token}="),
        format!("{token}=="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{}+.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}/.{}.{}", parts[0], parts[1], parts[2]),
        // The unused last bits of the signature's last character.
        format!("{}{next}", token.strip_suffix(last).unwrap()),
    ];
    for text in encodings {
        assert_eq!(issuer.verify(&text), Err(Rejected::Encoding), "{text}");
    }
    assert_eq!(issuer.verify(&"a".repeat(TOKEN_MAX + 1)), Err(Rejected::TooLong));
    assert_eq!(issuer.verify(&".".repeat(1_000_000)), Err(Rejected::TooLong));
    let tampered = format!("{}.{}.{}", parts[0], encode(r#"{"sub":"root","exp":2000000000}"#), parts[2]);
    assert_eq!(issuer.verify(&tampered), Err(Rejected::Signature));
}

// T-13, T-15, T-16
#[test]
fn claims_are_of_their_type_and_given_once() {
    let issuer = Issuer::fresh();
    let deep = format!(r#"{{"sub":{}{},"exp":1}}"#, "[".repeat(2000), "]".repeat(2000));
    let wrong = [
        r#"{"sub":"alice","sub":"root","exp":2000000000}"#,
        r#"{"sub":"alice","exp":1,"exp":2000000000}"#,
        r#"{"sub":"alice","exp":"2000000000"}"#,
        r#"{"sub":"alice","exp":2000000000.5}"#,
        r#"{"sub":"alice","exp":2e9}"#,
        r#"{"sub":"alice","exp":9223372036854775808}"#,
        r#"{"sub":"alice","exp":null}"#,
        r#"{"sub":"alice"}"#,
        r#"{"sub":"alice","exp":2000000000,"nbf":"0"}"#,
        r#"{"sub":"alice","exp":2000000000,"admin":true}"#,
        r#"{"sub":"alice","exp":2000000000}{}"#,
        r#"["alice",2000000000,null]"#,
        r#" {"sub":"alice","exp":2000000000}"#,
        "",
        &deep,
    ];
    for text in wrong {
        assert_eq!(issuer.verify(&issuer.forge(&issuer.header(), text)), Err(Rejected::Claims), "{text}");
    }
}

#[test]
fn claims_that_nobody_could_read_back_are_not_signed() {
    let issuer = Issuer::fresh();
    let long = Claims { sub: "x".repeat(TOKEN_MAX), ..claims() };
    assert_eq!(issuer.key.sign("JWT", &long), Err(KeyFault::Unwritable));
    assert_eq!(issuer.key.sign("JWT", &"text"), Err(KeyFault::Unwritable));
}

#[test]
fn the_key_set_is_public_and_named_by_thumbprint() {
    // RFC 7517, appendix A.1, the EC key; its RFC 7638 thumbprint.
    let x = BASE64URL_NOPAD.decode(b"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4").unwrap();
    let y = BASE64URL_NOPAD.decode(b"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM").unwrap();
    let point = [&[4], x.as_slice(), &y].concat();
    let set = VerifyingKeys::new([point.as_slice()]).unwrap().jwks();
    let expected = json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "kid": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    }] });
    assert_eq!(set, expected);
}

#[test]
fn what_is_no_key_is_refused_and_keys_do_not_print() {
    let issuer = Issuer::fresh();
    let mut off_curve = issuer.key.public().to_vec();
    off_curve[64] ^= 1;
    let compressed = [&[2], &issuer.key.public()[1..33]].concat();
    for point in [vec![], vec![4; 64], vec![4; 66], vec![0; 65], off_curve, compressed] {
        assert_eq!(VerifyingKeys::new([point.as_slice()]).unwrap_err(), KeyFault::NotAKey);
    }
    assert_eq!(SigningKey::from_pkcs8(b"not a key").unwrap_err(), KeyFault::NotAKey);
    assert_eq!(format!("{:?}", issuer.key), format!("SigningKey({})", issuer.key.kid()));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_verification_panic_or_succeed(text in ".{0,40}(\\..{0,40}){0,3}") {
        let issuer = Issuer::fresh();
        proptest::prop_assert!(issuer.verify(&text).is_err());
    }
}
