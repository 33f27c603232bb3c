//! Issuers of identity tokens, and where they publish what their tokens are checked with.
//!
//! An issuer is a URL and has one spelling here, so that what a token says, what is configured and what is stored compare as
//! values. Whether one is believed, or may be asked at all, is not said here.

use std::fmt;

use super::aws::ProviderUrl;
use super::host::HostName;
use super::{Malformed, text_type};

/// What OpenID Connect Discovery puts behind the issuer (section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The longest issuer, in bytes.
const ISSUER_MAX: usize = 255;

/// The longest URL of a document, in bytes.
const URL_MAX: usize = 2_048;

/// `https://HOST[:PORT]`; `http` for this machine alone.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Origin {
    encrypted: bool,
    host: HostName,
    port: u16,
    text: Box<str>,
}

impl Origin {
    /// Parses an origin.
    ///
    /// # Errors
    /// [`Malformed`] for anything more, another scheme, and `http` to another machine.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an origin such as `https://kubernetes.default.svc`");
        let (origin, rest) = Self::split(text).ok_or_else(malformed)?;
        if rest.is_empty() { Ok(origin) } else { Err(malformed()) }
    }

    /// The origin at the beginning of a URL, and what follows it.
    fn split(url: &str) -> Option<(Self, &str)> {
        let (encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (host, port) = HostName::parse_with_port(authority).ok()?;
        let usual = if encrypted { 443 } else { 80 };
        let port = port.unwrap_or(usual);
        let scheme = if encrypted { "https" } else { "http" };
        let shown = if port == usual { String::new() } else { format!(":{port}") };
        let origin = Self { encrypted, text: format!("{scheme}://{host}{shown}").into(), host, port };
        (encrypted || origin.is_loopback()).then_some((origin, rest))
    }

    /// Whether it is on this machine by its very name.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let literal = self.host.as_str().trim_start_matches('[').trim_end_matches(']');
        let address = literal.parse::<std::net::IpAddr>();
        address.map_or(self.host.as_str() == "localhost", |address| address.is_loopback())
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// `HOST[:PORT]`, as a `Host` header says it.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The one spelling, without the port that everybody expects.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

text_type!(Origin);

/// Who signs tokens: `https://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Issuer {
    origin: Origin,
    text: Box<str>,
}

impl Issuer {
    /// Parses an issuer. A slash at its end makes no other issuer, because the same document speaks for both.
    ///
    /// # Errors
    /// [`Malformed`] for a query, a fragment, user info, dots as path segments, or more than 255 bytes.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an issuer such as `https://token.example.com/path`");
        let (origin, path) = Origin::split(text).ok_or_else(malformed)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%!&'()+,;=:@".contains(&b);
        let segment = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(plain);
        let good = path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment));
        let spelt = format!("{origin}{path}");
        let fits = good && spelt.len() <= ISSUER_MAX;
        if fits { Ok(Self { origin, text: spelt.into() }) } else { Err(malformed()) }
    }

    /// The issuer that an OpenID Connect provider of IAM stands for.
    ///
    /// # Errors
    /// [`Malformed`], for the few spellings that a provider may have and an issuer may not.
    pub fn of_provider(provider: &ProviderUrl) -> Result<Self, Malformed> {
        Self::parse(&format!("https://{provider}"))
    }

    /// Where its documents are.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The document that says where its keys are.
    #[must_use]
    pub fn discovery(&self) -> DocumentUrl {
        let path = self.text.strip_prefix(self.origin.as_str()).unwrap_or_default();
        DocumentUrl { origin: self.origin.clone(), target: format!("{path}{DISCOVERY}").into() }
    }

    /// The one spelling, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

text_type!(Issuer);

/// Where a document is: an origin, a path and perhaps a query.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DocumentUrl {
    origin: Origin,
    target: Box<str>,
}

impl DocumentUrl {
    /// Parses the URL of a document.
    ///
    /// # Errors
    /// [`Malformed`] for a fragment, for what is no visible ASCII, and beyond 2048 bytes.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "the URL of a document, such as `https://example.com/keys`");
        let (origin, target) = Origin::split(text).ok_or_else(malformed)?;
        let plain = |b: u8| b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b);
        let fits = text.len() <= URL_MAX && target.starts_with('/') && target.bytes().all(plain);
        if fits { Ok(Self { origin, target: target.into() }) } else { Err(malformed()) }
    }

    /// Where it is.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }
}

impl fmt::Display for DocumentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentUrl, Issuer, Origin};
    use crate::ids::aws::ProviderUrl;

    #[test]
    fn an_issuer_has_one_spelling_and_one_document() {
        let issuer = Issuer::parse("https://Token.Example.com:443/org/x/").unwrap();
        assert_eq!(issuer.as_str(), "https://token.example.com/org/x");
        assert_eq!(Issuer::parse(issuer.as_str()), Ok(issuer.clone()));
        let discovery = issuer.discovery().to_string();
        assert_eq!(discovery, "https://token.example.com/org/x/.well-known/openid-configuration");
        let provider = ProviderUrl::parse("token.example.com/org/x").unwrap();
        assert_eq!(Issuer::of_provider(&provider), Ok(issuer));
        let root = Issuer::parse("https://a.test/").unwrap();
        assert_eq!(root.discovery().target(), "/.well-known/openid-configuration");
    }

    #[test]
    fn urls_that_two_readers_could_read_differently_are_refused() {
        let wrong = [
            "",
            "a.test",
            "ftp://a.test",
            "http://a.test",
            "https://u@a.test",
            "https://a.test?x",
            "https://a.test/?q",
            "https://a.test/#f",
            "https://a.test/a//b",
            "https://a.test/../b",
            "https://a.test/./b",
            "https://a.test\\@b.test",
            "https://a.test/a b",
            "HTTPS://a.test",
        ];
        for text in wrong {
            assert!(Issuer::parse(text).is_err(), "{text}");
        }
        assert!(Issuer::parse(&format!("https://a.test/{}", "x".repeat(250))).is_err());
        for text in ["https://a.test", "https://a.test/k#f", "https://a.test/k\\", "https://a.test/ü", "/k"]
        {
            assert!(DocumentUrl::parse(text).is_err(), "{text}");
        }
        let keys = DocumentUrl::parse("https://a.test/keys?p=one").unwrap();
        assert_eq!((keys.origin().authority(), keys.target()), ("a.test", "/keys?p=one"));
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for here in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80"] {
            assert!(Origin::parse(here).is_ok_and(|origin| !origin.is_encrypted()), "{here}");
        }
        for there in
            ["http://10.0.0.1", "http://a.test", "http://localhost.a.test", "http://127.0.0.1.a.test"]
        {
            assert!(Origin::parse(there).is_err(), "{there}");
        }
        assert!(Origin::parse("https://a.test/x").is_err());
        assert!(!Origin::parse("https://10.0.0.1").unwrap().is_loopback());
    }
}
