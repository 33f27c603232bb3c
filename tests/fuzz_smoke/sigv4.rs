//! Reads bytes as a signed request, and checks what a claim promises: whatever stands there, there is an answer, it is the
//! same every time, and no secret but the signer's proves it.

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis::clock::UnixTime;
use portcullis::credential::sigv4::Received;
use portcullis::credential::sigv4::canonical::{Paths, path};
use portcullis::credential::sigv4::claim::Claim;
use portcullis::secret::Secret;

/// `data` is a path, a query, and headers as lines.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let (route, query) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.take(64).filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let received = Received { method: "POST", path: route, query, host: &host, headers: &headers };
    normal(route);
    let Ok(Some(claim)) = Claim::read(&received) else { return };
    let now = UnixTime::from_seconds(1_440_938_160);
    assert!(claim.check("sts", now).is_err() || claim.check("ecr", now).is_err(), "{text:?}");
    let canonical = claim.canonical(&received, b"", Paths::Normalised);
    assert_eq!(canonical, claim.canonical(&received, b"", Paths::Normalised), "{text:?}");
    for secret in ["", "wJalrXUtnFEMI"] {
        assert!(
            claim.verify(&claim.key(&Secret::from(secret)), &received, b"", Paths::Normalised).is_err(),
            "{text:?}"
        );
    }
    assert!(headers.get_all("authorization").iter().count() <= 1, "{text:?}");
}

/// A path has no empty, `.` or `..` segments left, and begins with a slash.
fn normal(route: &str) {
    let normal = path(route, Paths::Normalised);
    assert!(normal.starts_with('/'), "{route:?}");
    let inner = normal.trim_start_matches('/').trim_end_matches('/');
    let plain = |segment: &str| !matches!(segment, "" | "." | "..");
    assert!(inner.is_empty() || inner.split('/').all(plain), "{route:?} is {normal:?}");
}
