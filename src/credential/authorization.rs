//! The `Authorization` header: one documented grammar, everything else is unusable.
//!
//! It decides which form was presented, never whether it is right. What is unusable is refused like a wrong
//! credential; the reason is for the log and repeats nothing of the header.

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The longest header value that is looked at, in bytes.
pub const HEADER_MAX: usize = 8192;

/// What a request presents in its `Authorization` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presented {
    /// There is no such header.
    Absent,
    /// A user name and a password, neither of them empty, without control characters (RFC 7617).
    Basic {
        /// What stands before the first colon.
        user: String,
        /// What stands after it.
        password: Secret<String>,
    },
    /// A token (RFC 6750).
    Bearer(Secret<String>),
    /// Something else, and why, for the log.
    Unusable(&'static str),
}

impl Presented {
    /// Reads the header: `<scheme> <credentials>`, with exactly one space and a scheme in any case.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) if value.len() > HEADER_MAX => Self::Unusable("the header is too long"),
            (Some(value), None) => value.to_str().map_or(Self::Unusable("the header is not ASCII"), parse),
            (Some(_), Some(_)) => Self::Unusable("there are two Authorization headers"),
        }
    }
}

fn parse(text: &str) -> Presented {
    let Some((scheme, credentials)) = text.split_once(' ') else {
        return Presented::Unusable("there is no space after the scheme");
    };
    if !is_token68(credentials) {
        return Presented::Unusable("the credentials are not one plain token");
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        Presented::Bearer(Secret::from(credentials))
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(credentials)
    } else {
        Presented::Unusable("the scheme is neither Basic nor Bearer")
    }
}

/// RFC 9110 §11.2: no spaces, no commas, padding only at the end.
fn is_token68(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(plain)
}

fn basic(credentials: &str) -> Presented {
    let Ok(bytes) = BASE64.decode(credentials.as_bytes()).map(Zeroizing::new) else {
        return Presented::Unusable("the Basic credentials are not canonical base64");
    };
    let Some((user, password)) = std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once(':'))
    else {
        return Presented::Unusable("the Basic credentials are not UTF-8 with a colon");
    };
    if user.is_empty() || password.is_empty() {
        return Presented::Unusable("the user name or the password is empty");
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Presented::Unusable("the user name or the password has control characters");
    }
    Presented::Basic { user: user.to_owned(), password: Secret::from(password) }
}

#[cfg(test)]
mod tests {
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
}
