//! What is no signature, or none for now and for this request.

use http::{HeaderName, HeaderValue};

use super::canonical::Paths;
use super::claim::Claim;
use super::problem::{Class, Problem};
use super::suite::{THEN, Wire, case};
use crate::clock::UnixTime;

fn signed(form: &str) -> Wire {
    Wire::read(case("post-x-www-form-urlencoded")[form].as_str().unwrap())
}

/// The words that the request is refused with.
fn refusal(wire: &Wire, at: UnixTime) -> String {
    wire.proven(Paths::Normalised, at).unwrap_err().to_string()
}

fn later(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(THEN.seconds() + seconds)
}

fn changed(from: &str, to: &str) -> Wire {
    let mut wire = signed("header");
    let text = wire.headers["authorization"].to_str().unwrap().replace(from, to);
    wire.headers.insert("authorization", text.parse().unwrap());
    wire
}

#[test]
fn what_makes_no_claim_is_no_mistake() {
    let mut wire = signed("header");
    wire.headers.remove("authorization");
    assert!(Claim::read(&wire.received()).unwrap().is_none());
}

#[test]
fn a_signature_is_good_for_a_quarter_of_an_hour_either_way() {
    for good in [-900, 0, 900] {
        assert_eq!(signed("header").proven(Paths::Normalised, later(good)), Ok(()), "{good}");
    }
    assert_eq!(
        refusal(&signed("header"), later(901)),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        refusal(&signed("header"), later(-901)),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn a_presigned_url_is_good_as_long_as_it_says_and_no_longer_than_any_signature() {
    let wire = signed("query");
    assert!(wire.query.contains("X-Amz-Expires=3600"));
    assert_eq!(wire.proven(Paths::Normalised, later(900)), Ok(()));
    assert!(refusal(&wire, later(901)).starts_with("Signature expired"));
    let short = Wire { query: wire.query.replace("=3600", "=60"), ..wire.clone() };
    assert_eq!(short.proven(Paths::Normalised, later(60)), Err(Problem::Mismatch));
    assert!(refusal(&short, later(61)).starts_with("Signature expired"));
    for wrong in ["=0", "=604801", "=x", "=-1"] {
        let wire = Wire { query: wire.query.replace("=3600", wrong), ..wire.clone() };
        assert_eq!(Claim::read(&wire.received()).unwrap_err().class(), Class::Incomplete, "{wrong}");
    }
}

#[test]
fn the_scope_must_be_for_this_service_and_this_day_in_any_region() {
    let service = changed("/service/", "/iam/");
    assert_eq!(refusal(&service, THEN), "Credential should be scoped to correct service: 'service'.");
    let end = changed("aws4_request", "aws5_request");
    assert_eq!(
        refusal(&end, THEN),
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    );
    let day = changed("/20150830/", "/20150831/");
    assert!(refusal(&day, THEN).starts_with("Date in Credential scope does not match"));
    let region = changed("us-east-1", "mars-1");
    assert_eq!(region.proven(Paths::Normalised, THEN), Err(Problem::Mismatch));
    for wrong in [
        "AKIDEXAMPLE/20150830/us-east-1/service",
        "a/b/c/d/e/f",
        "AKIDEXAMPLE//us-east-1/service/aws4_request",
    ] {
        let wire = changed("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", wrong);
        assert!(refusal(&wire, THEN).starts_with("Credential must have exactly 5"), "{wrong}");
    }
}

#[test]
fn what_must_be_signed_is_signed() {
    let host = changed(";host;", ";");
    assert_eq!(
        refusal(&host, THEN),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
    for name in ["x-amz-target", "x-amz-meta-x"] {
        let mut wire = signed("header");
        wire.headers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        let text = format!("There were headers present in the request which were not signed: {name}");
        assert_eq!(refusal(&wire, THEN), text);
    }
    let kind = changed("content-type;", "");
    assert!(refusal(&kind, THEN).ends_with("not signed: content-type"));
    let mut absent = signed("header");
    absent.headers.remove("content-type");
    assert_eq!(refusal(&absent, THEN), "The signed header 'content-type' is not in the request.");
}

#[test]
fn a_header_that_is_read_once_stands_once() {
    for name in
        ["authorization", "content-type", "host", "x-amz-date", "x-amz-content-sha256", "x-amz-target"]
    {
        let mut wire = signed("header");
        for _ in 0..2 {
            wire.headers.append(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        let text = format!("The header '{name}' is repeated or cannot be read.");
        assert_eq!(refusal(&wire, THEN), text);
    }
}

#[test]
fn names_of_signed_headers_stand_in_order_and_once() {
    for wrong in ["host;content-length", "host;host", "Host", "", "host;", "host;x y", "a;b;host;\u{e9}"] {
        let wire = changed("content-length;content-type;host;x-amz-content-sha256;x-amz-date", wrong);
        let refused = Claim::read(&wire.received());
        assert!(refused.is_err(), "{wrong}");
    }
}

#[test]
fn a_body_is_hashed_and_not_asked() {
    for claimed in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""] {
        let mut wire = signed("header");
        wire.headers.insert("x-amz-content-sha256", HeaderValue::from_static(claimed));
        assert_eq!(wire.proven(Paths::Normalised, THEN), Err(Problem::Mismatch), "{claimed}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let mut wire = signed("header");
    wire.headers.insert("authorization", HeaderValue::from_static("Bearer abc"));
    wire.headers.remove("x-amz-date");
    assert_eq!(
        refusal(&wire, THEN),
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a \
         'X-Amz-Date' or a 'Date' header."
    );
    let both = Wire { query: signed("query").query, ..signed("header") };
    assert!(refusal(&both, THEN).contains("not with both"));
    let query = signed("query");
    for part in ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"] {
        let wire = Wire { query: query.query.replace(part, "X-Other"), ..query.clone() };
        assert!(refusal(&wire, THEN).contains(part), "{part}");
        let twice = Wire { query: format!("{}&{part}=1", query.query), ..query.clone() };
        assert_eq!(Claim::read(&twice.received()).unwrap_err().class(), Class::Query, "{part}");
    }
    for wrong in ["&a=+", "&a=%", "&a=%4", "&a=%zz", "&a=%ff"] {
        let wire = Wire { query: format!("{}{wrong}", query.query), ..query.clone() };
        assert_eq!(Claim::read(&wire.received()).unwrap_err().class(), Class::Query, "{wrong}");
    }
}

#[test]
fn a_date_header_will_do_if_it_is_signed() {
    let mut wire = changed("x-amz-content-sha256;x-amz-date", "x-amz-content-sha256");
    wire.headers.remove("x-amz-date");
    wire.headers.insert("date", HeaderValue::from_static("Sun, 30 Aug 2015 12:36:00 GMT"));
    assert!(refusal(&wire, THEN).contains("must be a 'SignedHeader'"));
    let mut wire = changed(
        "content-type;host;x-amz-content-sha256;x-amz-date",
        "content-type;date;host;x-amz-content-sha256",
    );
    wire.headers.remove("x-amz-date");
    wire.headers.insert("date", HeaderValue::from_static("Sun, 30 Aug 2015 12:36:00 GMT"));
    assert_eq!(wire.proven(Paths::Normalised, THEN), Err(Problem::Mismatch), "read, and not what was signed");
    for wrong in
        ["20150830T123600", "20150830T126000Z", "20151330T123600Z", "2015-08-30T12:36", "+0150830T123600Z"]
    {
        let mut wire = signed("header");
        wire.headers.insert("x-amz-date", wrong.parse().unwrap());
        assert!(refusal(&wire, THEN).starts_with("Date must be in ISO-8601"), "{wrong}");
    }
}

#[test]
fn neither_secret_nor_token_prints() {
    for form in ["header", "query"] {
        let wire = Wire::read(case("get-vanilla-with-session-token")[form].as_str().unwrap());
        let claim = Claim::read(&wire.received()).unwrap().unwrap();
        let token = claim.token().unwrap().expose().clone();
        assert!(!format!("{claim:?}").contains(&token), "{form}");
    }
}
