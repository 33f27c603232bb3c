//! Reads bytes as a request and checks that the parser neither panics nor accepts what it would write otherwise.

use http::{HeaderMap, HeaderValue, Method};
use portcullis::registry::operation::Operation;
use portcullis::registry::parse::parse;
use portcullis::registry::target::{upload_location, upload_query, upstream_target};

/// `data` is the method, the target and a header value, each on its own line.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, target, value) = (line(), line(), line());
    let _ = upload_location(target);
    let _ = upload_query(target);
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(value) {
        for name in ["range", "content-range", "content-type"] {
            headers.insert(name, value.clone());
        }
    }
    let Ok(operation) = read(&method, target, &headers) else { return };
    let written = upstream_target(&operation, None);
    assert!(written.starts_with("/v2/") && written.bytes().all(|b| b.is_ascii_graphic()), "{written}");
    let again = read(&method, &written, &headers).map(|operation| upstream_target(&operation, None));
    assert_eq!(again.as_ref(), Ok(&written), "{method} {target}");
}

fn read(method: &Method, target: &str, headers: &HeaderMap) -> Result<Operation, String> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    parse(method, path, query, headers).map_err(|error| error.into_error().to_string())
}
