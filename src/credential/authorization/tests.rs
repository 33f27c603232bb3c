//! Header forms against the attack catalogue; each case is named in a comment after its entry there.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};
use http::{HeaderMap, HeaderValue};

use super::{HEADER_MAX, Presented};
use crate::secret::Secret;

fn read(values: &[&[u8]]) -> Presented {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    Presented::read(&headers)
}

fn basic(text: &[u8]) -> Presented {
    read(&[format!("Basic {}", BASE64.encode(text)).as_bytes()])
}

#[test]
fn both_schemes_are_read_in_any_case() {
    assert_eq!(read(&[]), Presented::Absent);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let token = Presented::Bearer(Secret::from("a.b-c_d~e+f/g=="));
        assert_eq!(read(&[format!("{scheme} a.b-c_d~e+f/g==").as_bytes()]), token);
    }
    let expected = Presented::Basic { user: "iamapikey".to_owned(), password: Secret::from("key") };
    assert_eq!(basic(b"iamapikey:key"), expected);
    assert_eq!(read(&[format!("bAsIc {}", BASE64.encode(b"iamapikey:key")).as_bytes()]), expected);
}

// B-02
#[test]
fn only_the_first_colon_separates() {
    let expected = Presented::Basic { user: "u".to_owned(), password: Secret::from(":p:\u{e9}") };
    assert_eq!(basic("u::p:\u{e9}".as_bytes()), expected);
    for text in ["no colon", "", ":", "u:", ":p"] {
        assert!(matches!(basic(text.as_bytes()), Presented::Unusable(_)), "{text}");
    }
}

// T-35, S-54
#[test]
fn every_other_shape_is_unusable() {
    let shapes: [&[u8]; 17] = [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Bearer  x",
        b" Bearer x",
        b"Bearer\tx",
        b"Bearer x ",
        b"Bearer x y",
        b"Bearer x,y",
        b"Bearer x, Basic eA==",
        b"Bearer =",
        b"Bearer a=b",
        b"Bearer x\xe9",
        b"Bearerx",
        b"Digest x",
        b"AWS4-HMAC-SHA256 x",
        b"x",
    ];
    for value in shapes {
        assert!(matches!(read(&[value]), Presented::Unusable(_)), "{:?}", String::from_utf8_lossy(value));
    }
    assert!(matches!(read(&[b"Bearer a", b"Bearer a"]), Presented::Unusable(_)));
    assert!(matches!(read(&[b"Bearer a", b"Basic dTpw"]), Presented::Unusable(_)));
}

// B-01, B-03, T-37
#[test]
fn basic_credentials_have_one_spelling_and_no_control_characters() {
    let encoded = [
        BASE64_NOPAD.encode(b"user:pass!"),
        BASE64URL.encode(b"u:\xc3\xbf\xc3\xbf\xc3\xbe"),
        "dTp=".to_owned(),
        "dTpx====".to_owned(),
        "dTpx!".to_owned(),
        // The last bits of the last character are not zero.
        "dTpwcB==".to_owned(),
    ];
    for text in encoded {
        let value = format!("Basic {text}");
        assert!(matches!(read(&[value.as_bytes()]), Presented::Unusable(_)), "{value}");
    }
    for text in ["u\r\n:p", "u:p\0", "u:p\n", "u\x1b[1m:p", "u:p\u{85}", "u\x7f:p"] {
        assert!(matches!(basic(text.as_bytes()), Presented::Unusable(_)), "{text:?}");
    }
    assert!(matches!(basic(b"u:\xff"), Presented::Unusable(_)));
}

// B-04
#[test]
fn long_headers_are_not_looked_at() {
    let fitting = format!("Bearer {}", "x".repeat(HEADER_MAX - "Bearer ".len()));
    assert!(matches!(read(&[fitting.as_bytes()]), Presented::Bearer(_)));
    assert!(matches!(read(&[format!("{fitting}x").as_bytes()]), Presented::Unusable(_)));
}

#[test]
fn nothing_presented_is_ever_printed() {
    let shown = format!("{:?} {:?}", basic(b"iamapikey:hunter2"), read(&[b"Bearer hunter2"]));
    assert!(!shown.contains("hunter2"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn whatever_basic_yields_is_what_was_encoded(text in ".{0,20}(:.{0,20})?") {
        if let Presented::Basic { user, password } = basic(text.as_bytes()) {
            proptest::prop_assert_eq!(format!("{user}:{}", password.expose()), text);
        }
    }
}
