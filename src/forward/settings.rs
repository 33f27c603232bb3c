//! Where the upstream is, how it is spoken to, and how long each wait may last.
//!
//! It parses and checks what an operator wrote; it opens no file and no socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::cache::Shelf;
use crate::credential::signer::Signers;
use crate::ids::{Malformed, text_type};
use crate::secret::Secret;

/// Everything about one upstream registry.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// Where it is.
    pub url: UpstreamUrl,
    /// What else is needed to trust it and to be trusted by it.
    pub tls: TlsFiles,
    /// How the proxy proves itself to it. What a client sends is never passed on.
    pub credentials: Credentials,
    /// The longest that name lookup, connecting and the TLS handshake may take together.
    pub connect_timeout: Duration,
    /// The longest wait for the first byte of an answer, counted from the end of the request.
    pub first_byte_timeout: Duration,
    /// The same for requests that carry or complete a blob: the registry may move gigabytes before it answers.
    pub upload_timeout: Duration,
    /// The longest pause in the middle of a body, in either direction. There is no limit on the whole transfer.
    pub idle_timeout: Duration,
    /// How many idle connections each worker keeps.
    pub max_idle_per_worker: usize,
    /// How long an idle connection is kept; keep it below what the upstream allows.
    pub idle_keepalive: Duration,
    /// How old a connection may become before it is replaced, so that a changed DNS answer is followed.
    pub max_connection_age: Duration,
    /// Where blob reads may be redirected to (`307` to an object store).
    pub redirect_hosts: RedirectHosts,
    /// Where what it said is remembered, if it is.
    pub shelf: Option<Shelf>,
    /// The keys that signatures of images are held against.
    pub signers: Arc<Signers>,
}

impl UpstreamSettings {
    /// The defaults, for `url`.
    #[must_use]
    pub fn new(url: UpstreamUrl) -> Self {
        Self {
            url,
            tls: TlsFiles::default(),
            credentials: Credentials::None,
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(60),
            upload_timeout: Duration::from_secs(15 * 60),
            idle_timeout: Duration::from_secs(60),
            max_idle_per_worker: 64,
            idle_keepalive: Duration::from_secs(30),
            max_connection_age: Duration::from_secs(5 * 60),
            redirect_hosts: RedirectHosts::Any,
            shelf: None,
            signers: Arc::default(),
        }
    }
}

/// Files for `https` upstreams; nothing else reads them.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// The only authorities to trust (PEM); without it, the operating system's.
    pub ca: Option<PathBuf>,
    /// The proxy's own certificate chain (PEM), for upstreams that ask for one.
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub key: Option<PathBuf>,
}

/// What the proxy shows the upstream.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// HTTP Basic. A registry that checks bcrypt does so on every request: prefer the others.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret<String>,
    },
    /// A bearer token.
    Bearer(Secret<String>),
    /// Nothing: the network, a unix socket or a client certificate is what protects the upstream.
    None,
}

/// Where `307` answers to blob reads may point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RedirectHosts {
    /// Anywhere but the upstream itself.
    Any,
    /// Only to these hosts; a leading `*.` stands for any labels.
    Only(Vec<String>),
}

impl RedirectHosts {
    /// Whether `host` is covered. Case does not matter.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let covers = |pattern: &String| match pattern.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => {
                let host = host.to_ascii_lowercase();
                host.len() > suffix.len() && host.ends_with(&suffix.to_ascii_lowercase())
            }
            Some(_) | None => pattern.eq_ignore_ascii_case(host),
        };
        match self {
            Self::Any => true,
            Self::Only(patterns) => patterns.iter().any(covers),
        }
    }
}

/// Where an upstream is: `http://host[:port][/prefix]`, `https://…`, or `unix:/path/to/socket`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct UpstreamUrl {
    text: Box<str>,
    place: Place,
    prefix: Box<str>,
    authority: Box<str>,
}

/// What to connect to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// A TCP port.
    Tcp {
        /// Name or address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// Whether TLS is spoken.
        tls: bool,
    },
    /// A unix socket.
    Unix(PathBuf),
}

const FORM: &str = "an upstream such as `http://127.0.0.1:5000`, `https://registry.internal/prefix` or `unix:/run/registry.sock`";

impl UpstreamUrl {
    /// Parses an upstream URL.
    ///
    /// # Errors
    /// [`Malformed`] for another scheme, user info (use `credentials`), a query, a fragment, or an odd prefix.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, FORM);
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let plain =
                path.starts_with('/') && path.len() > 1 && !path.bytes().any(|b| b.is_ascii_control());
            let place = plain.then(|| Place::Unix(Path::new(path).to_owned())).ok_or_else(malformed)?;
            return Ok(Self { text: text.into(), place, prefix: "".into(), authority: "localhost".into() });
        }
        let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(malformed()),
        };
        let (authority, prefix) =
            rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let parsed = authority.parse::<http::uri::Authority>().map_err(|_| malformed())?;
        let port = match authority.strip_prefix(parsed.host()).ok_or_else(malformed)? {
            "" => None,
            rest => {
                let digits = rest.strip_prefix(':').filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                let port = digits.and_then(|text| text.parse::<u16>().ok()).filter(|&port| port > 0);
                Some(port.ok_or_else(malformed)?)
            }
        };
        if authority.contains('@') || parsed.host().is_empty() || !is_prefix(prefix) {
            return Err(malformed());
        }
        let host = parsed.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let place = Place::Tcp { host, port: port.unwrap_or(if tls { 443 } else { 80 }), tls };
        let authority = authority.to_ascii_lowercase().into();
        Ok(Self { text: text.into(), place, prefix: prefix.into(), authority })
    }

    /// The URL as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What to connect to.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What precedes `/v2/` in paths: empty, or `/…` without a slash at its end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `host[:port]` in lower case, as the `Host` header says it.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

text_type!(UpstreamUrl);

fn is_prefix(prefix: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(plain);
    prefix.is_empty() || prefix.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment))
}

#[cfg(test)]
mod tests {
    use super::{Place, RedirectHosts, UpstreamUrl};

    #[test]
    fn the_three_forms_of_an_upstream_are_read() {
        let url = UpstreamUrl::parse("https://Registry.internal/some/prefix/").unwrap();
        assert_eq!(url.place(), &Place::Tcp { host: "Registry.internal".into(), port: 443, tls: true });
        assert_eq!((url.prefix(), url.authority()), ("/some/prefix", "registry.internal"));
        let url = UpstreamUrl::parse("http://[::1]:5000").unwrap();
        assert_eq!(url.place(), &Place::Tcp { host: "::1".into(), port: 5000, tls: false });
        assert_eq!(url.authority(), "[::1]:5000");
        for unix in ["unix:/run/r.sock", "unix:///run/r.sock"] {
            assert_eq!(UpstreamUrl::parse(unix).unwrap().place(), &Place::Unix("/run/r.sock".into()));
        }
    }

    #[test]
    fn urls_that_say_more_than_where_are_refused() {
        let wrong = [
            "",
            "localhost:5000",
            "ftp://x",
            "http://",
            "http:///v2",
            "http://u:p@x",
            "http://x:0",
            "http://x:99999",
            "http://x:",
            "http://x?a=b",
            "http://x/a?b",
            "http://x/#f",
            "http://x/a//b",
            "http://x/../b",
            "http://x/%2f",
            "unix:relative",
            "unix:/",
            "HTTP://x",
            "http://a b",
        ];
        for text in wrong {
            assert!(UpstreamUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn redirects_can_be_held_to_a_list_of_hosts() {
        let only = RedirectHosts::Only(vec!["s3.test".into(), "*.Blob.test".into()]);
        assert!(RedirectHosts::Any.allow("anywhere") && only.allow("S3.test") && only.allow("a.b.blob.test"));
        assert!(!only.allow("blob.test") && !only.allow("evil-blob.test") && !only.allow("x.s3.test"));
    }
}
