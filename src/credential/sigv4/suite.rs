//! AWS's signing test suite, both forms of every case, each a test of its own (tests/vectors, Apache-2.0).

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::Received;
use super::canonical::Paths;
use super::claim::Claim;
use super::problem::Problem;
use crate::clock::UnixTime;
use crate::secret::Secret;

const CASES: &str = include_str!("../../../tests/vectors/sigv4_cases.jsonl");

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// When all of the suite was signed: 2015-08-30T12:36:00Z.
pub(super) const THEN: UnixTime = UnixTime::from_seconds(1_440_938_160);

/// A request of the suite, read as a server of HTTP would.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        // A folded line is one line (RFC 9112 section 5.2).
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let first = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).unwrap());
        }
        let host = headers["host"].to_str().unwrap().to_owned();
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        Self { method, path, query, host, headers, body: body.as_bytes().to_vec() }
    }

    pub(super) fn received(&self) -> Received<'_> {
        let Self { method, path, query, host, headers, .. } = self;
        Received { method, path, query, host, headers }
    }

    pub(super) fn proven(&self, paths: Paths, now: UnixTime) -> Result<(), Problem> {
        let claim = Claim::read(&self.received())?.expect("a claim");
        claim.check("service", now)?;
        claim.verify(&claim.key(&Secret::from(SECRET)), &self.received(), &self.body, paths)
    }
}

pub(super) fn case(name: &str) -> Value {
    let cases = CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    cases.into_iter().find(|case| case["name"] == name).expect("a case of that name")
}

/// Both forms write down what the suite writes down, and are proven now, and by no other secret, body, method or path.
fn check(name: &str) {
    let case = case(name);
    let paths = if case["normalize"] == true { Paths::Normalised } else { Paths::AsReceived };
    for form in ["header", "query"] {
        let wire = Wire::read(case[form].as_str().unwrap());
        let claim = Claim::read(&wire.received()).unwrap().unwrap();
        let canonical = claim.canonical(&wire.received(), &wire.body, paths).unwrap();
        assert_eq!(canonical, case[format!("{form}_canonical")].as_str().unwrap(), "{form}");
        assert_eq!(claim.is_presigned(), form == "query");
        assert_eq!(wire.proven(paths, THEN), Ok(()), "{form}");
        let other = claim.verify(&claim.key(&Secret::from("other")), &wire.received(), &wire.body, paths);
        assert_eq!(other, Err(Problem::Mismatch));
        for tampered in [
            Wire { method: "PUT".to_owned(), ..wire.clone() },
            Wire { path: "/other".to_owned(), ..wire.clone() },
            Wire { query: format!("{}&a=b", wire.query), ..wire.clone() },
            Wire { body: b"other".to_vec(), ..wire.clone() },
            Wire { host: "example.test".to_owned(), ..wire.clone() },
        ] {
            assert_eq!(tampered.proven(paths, THEN), Err(Problem::Mismatch), "{tampered:?}");
        }
    }
}

macro_rules! suite {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(&stringify!($name).replace('_', "-"));
            }
        )*

        #[test]
        fn every_case_of_the_suite_is_tested() {
            let all: Vec<String> = CASES.lines().map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().replace('-', "_")
            }).collect();
            let tested = [$(stringify!($name)),*, "post_sts_header_after"];
            assert!(all.iter().all(|name| tested.contains(&name.as_str())), "{all:?}");
        }
    };
}

suite! {
    get_header_key_duplicate
    get_header_value_multiline
    get_header_value_order
    get_header_value_trim
    get_relative_normalized
    get_relative_relative_normalized
    get_relative_relative_unnormalized
    get_relative_unnormalized
    get_slash_dot_slash_normalized
    get_slash_dot_slash_unnormalized
    get_slash_normalized
    get_slash_pointless_dot_normalized
    get_slash_pointless_dot_unnormalized
    get_slash_unnormalized
    get_slashes_normalized
    get_slashes_unnormalized
    get_space_normalized
    get_space_unnormalized
    get_unreserved
    get_utf8
    get_vanilla
    get_vanilla_empty_query_key
    get_vanilla_query
    get_vanilla_query_order_encoded
    get_vanilla_query_order_key_case
    get_vanilla_query_unreserved
    get_vanilla_utf8_query
    get_vanilla_with_session_token
    post_header_key_case
    post_header_key_sort
    post_header_value_case
    post_sts_header_before
    post_vanilla
    post_vanilla_empty_query_value
    post_vanilla_query
    post_x_www_form_urlencoded
    post_x_www_form_urlencoded_parameters
}

/// A session token that was added after signing: good where AWS allows it, which is none of our services.
#[test]
fn post_sts_header_after() {
    let case = case("post-sts-header-after");
    let wire = Wire::read(case["header"].as_str().unwrap());
    let refused = Claim::read(&wire.received()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "There were headers present in the request which were not signed: x-amz-security-token"
    );
    let wire = Wire::read(case["query"].as_str().unwrap());
    assert_eq!(wire.proven(Paths::Normalised, THEN), Err(Problem::Mismatch));
}
