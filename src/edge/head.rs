//! What every request head must satisfy, in HTTP/1.1 and HTTP/2 alike, before an application sees it.
//!
//! HTTP/1.1 heads have passed `framing` before; for HTTP/2 this is where the same rules are applied, and those that
//! only it needs. It looks at the form of a request only: whether a host is one of ours is decided behind it.

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Version};

use super::framing::lines::{check_target, is_known_method, plain_number};
use super::rejection::Rejection;
use crate::ids::host::HostName;

const MAX_FIELDS: usize = 100;

/// The host that a request is for, as the client named it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// The host.
    pub host: HostName,
    /// The port, if it was named.
    pub port: Option<u16>,
}

/// Judges a head. `encrypted` says whether the connection is; `has_body` whether a body follows.
///
/// # Errors
/// The status and reason to refuse with; sources: RFC 9110 §5, RFC 9113 §8.2 and §8.3.1.
pub fn check(parts: &Parts, encrypted: bool, has_body: bool) -> Result<Authority, Rejection> {
    if !is_known_method(parts.method.as_str()) {
        return Err(Rejection::method());
    }
    let second = parts.version == Version::HTTP_2;
    if second {
        check_scheme(parts, encrypted)?;
        check_fields(&parts.headers)?;
    }
    check_target(parts.uri.path_and_query().map_or("", |target| target.as_str()))?;
    if has_body && matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Rejection::malformed("GET and HEAD have no body"));
    }
    check_authorization(&parts.headers)?;
    check_expect(&parts.headers, has_body)?;
    if second { authority_of_second(parts) } else { authority_of_first(&parts.headers) }
}

fn check_scheme(parts: &Parts, encrypted: bool) -> Result<(), Rejection> {
    let expected = if encrypted { "https" } else { "http" };
    match parts.uri.scheme_str() {
        Some(scheme) if scheme == expected => Ok(()),
        _ => Err(Rejection::malformed("the :scheme is not that of the connection")),
    }
}

fn check_fields(headers: &HeaderMap) -> Result<(), Rejection> {
    if headers.len() > MAX_FIELDS {
        return Err(Rejection::head_too_large());
    }
    for (name, value) in headers {
        check_field(name, value)?;
    }
    let lengths: Vec<_> = headers.get_all(header::CONTENT_LENGTH).iter().collect();
    match lengths.as_slice() {
        [] => Ok(()),
        [only] if only.to_str().ok().and_then(plain_number).is_some() => Ok(()),
        _ => Err(Rejection::malformed("the Content-Length is not one plain number")),
    }
}

fn check_field(name: &HeaderName, value: &HeaderValue) -> Result<(), Rejection> {
    if name.as_str().contains('_') {
        return Err(Rejection::malformed("a field name is not made of letters, digits and dashes"));
    }
    let text = value.to_str().map_err(|_| Rejection::malformed("a field value is not printable ASCII"))?;
    let guarded =
        matches!(*name, header::AUTHORIZATION | header::HOST) || name.as_str().starts_with("content-");
    if guarded && text.trim_matches([' ', '\t']).len() != text.len() {
        return Err(Rejection::malformed("a field value begins or ends with a space"));
    }
    Ok(())
}

fn check_authorization(headers: &HeaderMap) -> Result<(), Rejection> {
    let ambiguous = Rejection::malformed("there is more than one Authorization");
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(first), None) = (all.next(), all.next()) else {
        return if headers.contains_key(header::AUTHORIZATION) { Err(ambiguous) } else { Ok(()) };
    };
    let text =
        first.to_str().map_err(|_| Rejection::malformed("the Authorization is not printable ASCII"))?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let single = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic");
    if single && rest.contains(',') { Err(ambiguous) } else { Ok(()) }
}

fn check_expect(headers: &HeaderMap, has_body: bool) -> Result<(), Rejection> {
    let mut all = headers.get_all(header::EXPECT).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(()),
        (Some(only), None) if has_body && only.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(()),
        (Some(_), _) => Err(Rejection::expectation()),
    }
}

fn authority_of_first(headers: &HeaderMap) -> Result<Authority, Rejection> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => parse_authority(host.as_bytes()),
        _ => Err(Rejection::malformed("there is not exactly one Host")),
    }
}

fn authority_of_second(parts: &Parts) -> Result<Authority, Rejection> {
    let named = parts.uri.authority().ok_or(Rejection::malformed("there is no :authority"))?;
    let authority = parse_authority(named.as_str().as_bytes())?;
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(authority),
        (Some(host), None) if parse_authority(host.as_bytes())? == authority => Ok(authority),
        _ => Err(Rejection::malformed("the Host is not the :authority")),
    }
}

fn parse_authority(bytes: &[u8]) -> Result<Authority, Rejection> {
    let malformed = Rejection::malformed("the host is not host[:port]");
    let text = std::str::from_utf8(bytes).map_err(|_| malformed)?;
    let (host, port) = HostName::parse_with_port(text).map_err(|_| malformed)?;
    Ok(Authority { host, port })
}

#[cfg(test)]
mod tests {
    use http::request::Parts;
    use http::{Request, StatusCode, Version};

    use super::check;

    type Fields<'a> = &'a [(&'a str, &'a str)];

    fn second(uri: &str, fields: Fields<'_>) -> Parts {
        let mut request = Request::builder().version(Version::HTTP_2).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn status(parts: &Parts) -> StatusCode {
        check(parts, true, false).map_or_else(|rejection| rejection.status, |_| StatusCode::OK)
    }

    #[test]
    fn the_authority_of_a_sound_request_is_its_canonical_host() {
        let parts = second("https://CR.Test:8443/v2/", &[("host", "cr.test:8443"), ("accept", "a, b")]);
        let authority = check(&parts, true, false).unwrap();
        assert_eq!((authority.host.as_str(), authority.port), ("cr.test", Some(8443)));
    }

    #[test]
    fn ambiguous_second_version_heads_are_refused() {
        let good = "https://cr.test/v2/";
        let table: &[(&str, &str, Fields<'_>)] = &[
            ("S-46 other host", good, &[("host", "evil")]),
            ("S-46 other port", good, &[("host", "cr.test:444")]),
            ("S-46 two hosts", good, &[("host", "cr.test"), ("host", "cr.test")]),
            ("S-47 no authority", "/v2/", &[("host", "cr.test")]),
            ("S-47 user info", "https://u:p@cr.test/v2/", &[]),
            ("S-50 two equal lengths", good, &[("content-length", "3"), ("content-length", "3")]),
            ("S-20 leading zero", good, &[("content-length", "003")]),
            ("S-21 underscore", good, &[("x_forwarded_for", "10.0.0.1")]),
            ("S-52 leading tab", good, &[("authorization", "\tBearer a")]),
            ("S-52 trailing space", good, &[("content-type", "a/b ")]),
            ("S-53 other scheme", "http://cr.test/v2/", &[]),
            ("S-53 strange scheme", "file://cr.test/v2/", &[]),
            ("S-54 two credentials", good, &[("authorization", "Bearer a"), ("authorization", "Bearer a")]),
            ("S-54 two in one", good, &[("authorization", "Bearer a, Basic b")]),
            ("S-31 obs-text", good, &[("x", "\u{e9}")]),
            ("P-08 double slash", "https://cr.test//v2/", &[]),
            ("P-12 backslash", "https://cr.test/v2\\x", &[]),
        ];
        for (case, uri, fields) in table {
            assert_eq!(status(&second(uri, fields)), StatusCode::BAD_REQUEST, "{case}");
        }
    }

    #[test]
    fn a_signature_with_commas_is_one_credential() {
        let signed = "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c";
        assert_eq!(status(&second("https://cr.test/", &[("authorization", signed)])), StatusCode::OK);
    }

    #[test]
    fn unknown_methods_and_expectations_are_refused() {
        for method in ["get", "CONNECT", "TRACE", "PURGE"] {
            let mut parts = second("https://cr.test/v2/", &[]);
            parts.method = method.parse().unwrap();
            assert_eq!(status(&parts), StatusCode::METHOD_NOT_ALLOWED, "M-04 {method}");
        }
        let parts = second("https://cr.test/v2/", &[("expect", "100-continue")]);
        assert_eq!(status(&parts), StatusCode::EXPECTATION_FAILED, "S-15");
    }

    #[test]
    fn reading_methods_have_no_body_and_many_fields_are_too_many() {
        let parts = second("https://cr.test/v2/", &[]);
        assert_eq!(check(&parts, true, true).unwrap_err().status, StatusCode::BAD_REQUEST, "M-09");
        let many = second("https://cr.test/v2/", &[("x", "y"); 101]);
        assert_eq!(status(&many), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "D-17");
    }
}
