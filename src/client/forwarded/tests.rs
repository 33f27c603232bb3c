//! Headers of proxies that are kept to the letter, and of those who are not.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{client, is_claimed, strip};
use crate::client::address::{ClientAddr, Provenance};

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Whom lines name that the proxy 10.0.0.1 sent; it and 10.0.0.2 are trusted. `-` if they cannot be read.
fn named(lines: &[(&str, &str)]) -> String {
    let peer = ClientAddr::from_socket("10.0.0.1:9".parse().unwrap());
    let trusted = |ip: std::net::IpAddr| ["10.0.0.1", "10.0.0.2"].contains(&ip.to_string().as_str());
    client(peer, &headers(lines), trusted).map_or("-".to_owned(), |client| {
        let forwarded = client.provenance() == Provenance::Forwarded;
        assert_eq!(forwarded, client != peer);
        client.ip().to_string()
    })
}

/// H-13
#[test]
fn the_right_most_untrusted_name_is_the_client() {
    for (line, expected) in [
        ("203.0.113.9", "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9", "203.0.113.9"),
        ("10.9.9.9,203.0.113.9 , 10.0.0.2", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.2, 10.0.0.1", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, ::ffff:10.0.0.2", "1.1.1.1"),
        ("10.0.0.2", "10.0.0.2"),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        (", 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, unknown", "10.0.0.1"),
        ("1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
    ] {
        assert_eq!(named(&[("x-forwarded-for", line)]), expected, "{line}");
    }
    let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9, 10.0.0.2")];
    assert_eq!(named(&two), "203.0.113.9");
    assert_eq!(named(&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.0.0.2")]), "203.0.113.9");
    assert_eq!(named(&[]), "10.0.0.1");
    assert_eq!(named(&[("x-real-ip", "1.1.1.1")]), "10.0.0.1");
}

/// H-13
#[test]
fn garbage_that_would_have_to_be_believed_is_refused() {
    for line in [
        "",
        "garbage",
        "1.1.1.1, garbage, 10.0.0.2",
        "1.1.1.1,",
        "1.1.1.1, , 10.0.0.2",
        "010.0.0.1",
        "10.1",
        "0x0a000001",
        "1.1.1.1:",
        "1.1.1.1:x",
        "1.1.1.1:123456",
        "1.1.1.1 2.2.2.2",
        "[1.1.1.1]",
        "[::1",
        "::1]",
        "[::1]x",
        "fe80::1%eth0",
        "\"1.1.1.1\"",
        "for=1.1.1.1",
        "0.0.0.0",
        "ff02::1",
        "_hidden",
    ] {
        assert_eq!(named(&[("x-forwarded-for", line)]), "-", "{line}");
    }
}

/// RFC 7239 sections 4 to 6
#[test]
fn pairs_are_read_with_their_quotes() {
    for (line, expected) in [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=\"203.0.113.9:4711\";proto=http;by=10.0.0.1", "203.0.113.9"),
        ("for=1.1.1.1, for=\"[2001:db8::1]:_port\"", "2001:db8::1"),
        ("for=\"[2001:db8::1]\"", "2001:db8::1"),
        ("proto=https;for=203.0.113.9;host=\"a,b;c\\\"d\" ,\tFOR=10.0.0.2", "203.0.113.9"),
        ("for=\"\\2\\03.0.113.9\"", "203.0.113.9"),
        ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
        ("for=1.1.1.1, for=unknown, for=10.0.0.2", "10.0.0.2"),
        ("for=1.1.1.1, for=\"_x\"", "10.0.0.1"),
        ("for=1.1.1.1, by=10.0.0.1;proto=https", "10.0.0.1"),
        ("for=garbage, for=203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(named(&[("forwarded", line)]), expected, "{line}");
    }
    let two = [("forwarded", "for=1.1.1.1"), ("forwarded", "for=203.0.113.9")];
    assert_eq!(named(&two), "203.0.113.9");
}

#[test]
fn pairs_that_are_none_are_refused_wherever_they_stand() {
    for line in [
        "",
        "203.0.113.9",
        "for",
        "for=",
        "for =203.0.113.9",
        "for= 203.0.113.9",
        "for=203.0.113.9;",
        "for=203.0.113.9,",
        ",for=203.0.113.9",
        "for=203.0.113.9:80",
        "for=2001:db8::1",
        "for=\"2001:db8::1\"",
        "for=1.1.1.1;for=2.2.2.2",
        "for=\"1.1.1.1",
        "for=\"1.1.1.1\\",
        "for=1.1.1.1\"x\"",
        "for=\"1.1.1.1\"x",
        "for=_",
        "for=\"_ \"",
        // A quote that is opened to swallow what the proxy adds.
        "for=1.1.1.1;x=\", for=203.0.113.9",
        "for=1.1.1.1;x=\", for=\"[2001:db8::1]\"",
    ] {
        assert_eq!(named(&[("forwarded", line)]), "-", "{line}");
    }
    let across = [("forwarded", "for=1.1.1.1;x=\""), ("forwarded", "\", for=1.1.1.1")];
    assert_eq!(named(&across), "-");
    assert_eq!(named(&[("forwarded", "for=1.1.1.1"), ("forwarded", "for=2.2.2.2;x=\"")]), "-");
}

#[test]
fn a_proxy_that_writes_one_header_does_not_vouch_for_the_other() {
    let both = |plain, paired| named(&[("x-forwarded-for", plain), ("forwarded", paired)]);
    assert_eq!(both("203.0.113.9", "for=1.1.1.1"), "-");
    assert_eq!(both("1.1.1.1", "for=203.0.113.9"), "-");
    assert_eq!(both("1.1.1.1, 203.0.113.9", "for=2.2.2.2, for=203.0.113.9"), "203.0.113.9");
    assert_eq!(both("203.0.113.9", "for=_hidden"), "-");
}

/// H-14, H-15, H-16
#[test]
fn every_claim_is_taken_out_and_nothing_else() {
    let claims = [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-Uri",
        "X-Real-IP",
        "True-Client-IP",
        "X-Client-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
    ];
    for claim in claims {
        let mut all = headers(&[("accept", "a"), (claim, "x"), (claim, "y"), ("forwarder", "z")]);
        assert!(is_claimed(&all), "{claim}");
        strip(&mut all);
        assert!(!is_claimed(&all) && all.len() == 2, "{claim}");
    }
    assert!(!is_claimed(&headers(&[("accept", "a"), ("x-forward", "b")])));
}
