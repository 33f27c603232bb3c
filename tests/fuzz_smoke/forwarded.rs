//! Reads bytes as header lines that say who the client is, and checks that nobody untrusted is believed.

use std::net::IpAddr;

use http::header::{HeaderMap, HeaderValue};
use portcullis::client::address::{ClientAddr, Provenance};
use portcullis::client::forwarded::{client, is_claimed, strip};

/// `data` is one header value per line; those that begin with a space are of `X-Forwarded-For`, others of `Forwarded`.
pub(crate) fn check(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let name = if line.starts_with(b" ") { "x-forwarded-for" } else { "forwarded" };
        if let Ok(value) = HeaderValue::from_bytes(line.trim_ascii()) {
            headers.append(name, value);
        }
    }
    let peer = ClientAddr::from_socket("10.0.0.1:1".parse().unwrap());
    let nobody_else = client(peer, &headers, |_| false);
    if let Ok(found) = nobody_else {
        assert_eq!(found.provenance() == Provenance::Socket, found == peer);
        assert_eq!(found.ip(), found.ip().to_canonical());
        // Whoever claims more, further left, is not read.
        let mut longer = HeaderMap::new();
        for (name, value) in &headers {
            let first = !longer.contains_key(name);
            let claim = if name == "forwarded" { "for=1.2.3.4, " } else { "1.2.3.4," };
            let text = [if first { claim.as_bytes() } else { b"" }, value.as_bytes()].concat();
            longer.append(name, HeaderValue::from_bytes(&text).unwrap());
        }
        let again = client(peer, &longer, |_| false);
        assert_eq!(again.map(|found| found.ip()), Ok(found.ip()), "{longer:?}");
    }
    let trusted = |ip: IpAddr| ip.to_string().starts_with("10.");
    if let Ok(found) = client(peer, &headers, trusted) {
        assert!(nobody_else.is_ok_and(|last| trusted(last.ip()) || last == found));
    }
    strip(&mut headers);
    assert!(!is_claimed(&headers));
}
