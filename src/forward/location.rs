//! Where the upstream points: read strictly, and written anew on the client's own origin.
//!
//! An upload must stay where it was permitted. A redirect may leave the registry, but only for a blob, only to a host
//! that the operator allows, and it is never followed from here.

use super::settings::{RedirectHosts, UpstreamUrl};
use crate::registry::name::RepositoryName;
use crate::registry::operation::UploadId;
use crate::registry::target::upload_location;

/// An upload as the upstream names it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Upload {
    pub(super) id: UploadId,
    /// Opaque, byte for byte: the registry's own state.
    pub(super) query: String,
}

/// Reads the `Location` of an upload answer.
///
/// # Errors
/// A sentence for the log when it is not an upload of `repository` at this upstream.
pub(super) fn upload(
    location: &str,
    upstream: &UpstreamUrl,
    repository: &RepositoryName,
) -> Result<Upload, String> {
    if !location.bytes().all(|b| b.is_ascii_graphic()) || location.contains(['#', '\\']) {
        return Err("the Location has characters that no URL has".into());
    }
    let path = own_path(location, upstream)?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.strip_prefix(upstream.prefix()).ok_or("the Location lacks the upstream's path prefix")?;
    let (name, id) = upload_location(path).ok_or("the Location is not one of an upload")?;
    if name != *repository {
        return Err("the Location is an upload of another repository".into());
    }
    if query.split(['&', ';']).any(is_reserved) {
        return Err("the Location's query says more than the upload's state".into());
    }
    Ok(Upload { id, query: query.to_owned() })
}

/// The path and query of a URL that points at the upstream itself. The scheme does not matter: a registry behind a
/// TLS terminator may not know its own.
fn own_path<'a>(location: &'a str, upstream: &UpstreamUrl) -> Result<&'a str, String> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Ok(location);
    }
    let rest = location.strip_prefix("http://").or_else(|| location.strip_prefix("https://"));
    let rest = rest.ok_or("the Location is neither a path nor an http URL")?;
    let (authority, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    if bare(authority).eq_ignore_ascii_case(bare(upstream.authority())) {
        return Ok(path);
    }
    Err("the Location names another host: unset `http.host` at the upstream, or set `http.relativeurls: true`".into())
}

/// Without the port that goes without saying.
fn bare(authority: &str) -> &str {
    authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443")).unwrap_or(authority)
}

/// Parameters that make a vanilla registry do something else than continue the upload.
fn is_reserved(pair: &str) -> bool {
    let key = pair.split('=').next().unwrap_or_default().replace('+', " ");
    let key = percent_encoding::percent_decode_str(&key).decode_utf8_lossy();
    matches!(&*key, "digest" | "from" | "mount")
}

/// Whether a redirect of a blob read may be passed on as it is.
pub(super) fn may_redirect(location: &str, upstream: &UpstreamUrl, allowed: &RedirectHosts) -> bool {
    let plain = location.bytes().all(|b| b.is_ascii_graphic()) && !location.contains('\\');
    let Some(rest) = location.strip_prefix("http://").or_else(|| location.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Ok(parsed) = authority.parse::<http::uri::Authority>() else { return false };
    plain
        && !authority.contains('@')
        && !parsed.host().is_empty()
        && !bare(authority).eq_ignore_ascii_case(bare(upstream.authority()))
        && allowed.allow(parsed.host())
}

#[cfg(test)]
mod tests {
    use super::{may_redirect, upload};
    use crate::forward::settings::{RedirectHosts, UpstreamUrl};
    use crate::registry::name::RepositoryName;

    #[test]
    fn an_upload_stays_at_its_upstream_and_in_its_repository() {
        let url = UpstreamUrl::parse("http://up.test:5000/reg").unwrap();
        let name = RepositoryName::parse("a/b").unwrap();
        for good in [
            "/reg/v2/a/b/blobs/uploads/u1?_state=x%3D",
            "https://UP.test:5000/reg/v2/a/b/blobs/uploads/u1?_state=x%3D",
        ] {
            let found = upload(good, &url, &name).unwrap();
            assert_eq!((found.id.as_str(), found.query.as_str()), ("u1", "_state=x%3D"));
        }
        let wrong = [
            "/v2/a/b/blobs/uploads/u1",
            "/reg/v2/a/c/blobs/uploads/u1",
            "//up.test:5000/reg/v2/a/b/blobs/uploads/u1",
            "http://evil/reg/v2/a/b/blobs/uploads/u1",
            "http://u@up.test:5000/reg/v2/a/b/blobs/uploads/u1",
            "http://up.test:5000.evil/reg/v2/a/b/blobs/uploads/u1",
            "gopher://up.test:5000/reg/v2/a/b/blobs/uploads/u1",
            "/reg/v2/a/b/blobs/uploads/../u1",
            "/reg/v2/a/b/blobs/uploads/",
            "/reg/v2/a/b/blobs/uploads/u1?from=x",
            "/reg/v2/a/b/blobs/uploads/u1?a=1&%66rom=x",
            "/reg/v2/a/b/blobs/uploads/u1?a;mount=x",
            "u1",
            "",
            "/reg/v2/a/b/blobs/uploads/u1\r\nx: y",
            "/reg/v2/a/b/blobs/uploads/u1#f",
            "/reg/v2/a/b/manifests/x",
        ];
        for location in wrong {
            assert!(upload(location, &url, &name).is_err(), "{location}");
        }
    }

    #[test]
    fn a_redirect_leaves_the_upstream_or_is_refused() {
        let url = UpstreamUrl::parse("http://up.test").unwrap();
        let (any, only) = (RedirectHosts::Any, RedirectHosts::Only(vec!["s3.test".into()]));
        assert!(may_redirect("https://s3.test:9000/b?X-Amz-Signature=a%2Fb", &url, &only));
        assert!(may_redirect("https://elsewhere.test/b", &url, &any));
        for wrong in
            ["https://other.test/b", "http://s3.test@evil/", "http://s3.test\\@evil/", "http://evil#s3.test"]
        {
            assert!(!may_redirect(wrong, &url, &only), "{wrong}");
        }
        for wrong in [
            "/v2/x",
            "//s3.test/x",
            "http://up.test:80/x",
            "http://UP.test/x",
            "file:///x",
            "http:///x",
            "http://a b/",
            "",
        ] {
            assert!(!may_redirect(wrong, &url, &any), "{wrong}");
        }
    }
}
