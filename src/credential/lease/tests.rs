//! Leases survive the way through an address, and nothing else opens.

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};
use http::{HeaderMap, Method};

use super::{Lease, LeaseKey};
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, UploadId};
use crate::registry::parse::parse;

fn lease(upstream_query: &str) -> Lease {
    Lease {
        principal: PrincipalId::parse("iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b").unwrap(),
        region: Region::parse("us-south").unwrap(),
        repository: RepositoryName::parse("ns/a").unwrap(),
        upload: UploadId::parse("5f0c9c35-b0a5-4d1e-8d63-1cc7ab4e1d6b").unwrap(),
        upstream_query: upstream_query.to_owned(),
        expires_at: UnixTime::from_seconds(2_000_000_000),
    }
}

#[test]
fn a_lease_is_read_back_by_the_same_key_only() {
    let (one, two) = (LeaseKey::new(&[1; 32]), LeaseKey::new(&[2; 32]));
    for query in ["", "_state=abc%3D%3D", "\"],[\\\n\u{e9}", &"x".repeat(2048)] {
        let text = one.issue(&lease(query));
        assert_eq!(one.open(&text), Some(lease(query)));
        assert_eq!(two.open(&text), None);
    }
}

#[test]
fn a_lease_fits_into_an_address_as_it_is() {
    let key = LeaseKey::new(&[1; 32]);
    let long = Lease {
        repository: RepositoryName::parse(&"a".repeat(255)).unwrap(),
        upload: UploadId::parse(&"u".repeat(128)).unwrap(),
        ..lease(&"x".repeat(2048))
    };
    for lease in [lease("_state=1"), long] {
        let text = key.issue(&lease);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let query = format!("lease={text}");
        let parsed = parse(&Method::PATCH, "/v2/ns/a/blobs/uploads/u", Some(&query), &HeaderMap::new());
        let Ok(Operation::UploadChunk { session, .. }) = parsed else { panic!("{parsed:?}") };
        assert_eq!(key.open(session.lease.as_deref().unwrap()), Some(lease));
    }
}

// R-14, R-17
#[test]
fn any_change_makes_it_worthless() {
    let key = LeaseKey::new(&[1; 32]);
    let text = key.issue(&lease("_state=abc"));
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    assert_eq!(BASE64URL_NOPAD.encode(&bytes), text);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(key.open(&BASE64URL_NOPAD.encode(&changed)), None, "byte {at}");
        assert_eq!(key.open(&BASE64URL_NOPAD.encode(&bytes[..at])), None, "cut to {at}");
    }
    let longer = [bytes.as_slice(), b" "].concat();
    let texts = [
        String::new(),
        format!("{text}="),
        format!("{text} "),
        format!("{text}A"),
        BASE64URL.encode(&longer),
        BASE64URL_NOPAD.encode(&longer),
        BASE64.encode(&bytes).replace('=', "+"),
        "A".repeat(100),
        "A".repeat(100_000),
    ];
    for text in texts {
        assert_eq!(key.open(&text), None, "{text}");
    }
}

#[test]
fn signed_nonsense_is_no_lease() {
    let key = LeaseKey::new(&[1; 32]);
    let sign = |payload: &str| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), payload.as_bytes());
        BASE64URL_NOPAD.encode(&[tag.as_ref(), payload.as_bytes()].concat())
    };
    let who = "iam-ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b";
    assert!(key.open(&sign(&format!(r#"["{who}","r","a","u","",1]"#))).is_some());
    let payloads = [
        String::new(),
        "{}".to_owned(),
        format!(r#"["{who}","r","a","u",""]"#),
        format!(r#"["{who}","r","a","u","",1,2]"#),
        format!(r#"["{who}","r","a","u","",1.5]"#),
        format!(r#"["{who}","r","a","..","",1]"#),
        format!(r#"["{who}","r","A","u","",1]"#),
        r#"["root","r","a","u","",1]"#.to_owned(),
    ];
    for payload in payloads {
        assert_eq!(key.open(&sign(&payload)), None, "{payload}");
    }
}

#[test]
fn a_lease_never_prints_the_upstreams_query() {
    assert!(!format!("{:?}", lease("_state=secret")).contains("secret"));
}
