//! The address of a server as people write it. Plain HTTP is for this machine only: keys and tokens travel there.

use super::failure::Failure;
use crate::ids::host::HostName;

/// Where a server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Endpoint {
    /// Whether TLS is spoken.
    pub(super) secure: bool,
    /// The host.
    pub(super) host: HostName,
    /// The port.
    pub(super) port: u16,
}

impl Endpoint {
    /// Parses `https://HOST[:PORT]`, or `HOST[:PORT]` for the same; `http://` only for a loopback host.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(
                format!("`{text}` is no endpoint: {why}."),
                "Write it as https://HOST[:PORT], without a path.",
            )
        };
        let (secure, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err(wrong("it must start with https://")),
            None => (true, text),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = HostName::parse_with_port(authority).map_err(|_| wrong("it has no host name"))?;
        if !secure && !is_loopback(&host) {
            return Err(wrong("plain HTTP would show keys and tokens to the network"));
        }
        Ok(Self { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }) })
    }

    /// The host, with the port unless it is the usual one: what goes into `Host`, and into image names.
    pub(super) fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }

    /// The host as the resolver and TLS know it: an IPv6 address without brackets.
    pub(super) fn bare_host(&self) -> &str {
        self.host.as_str().trim_start_matches('[').trim_end_matches(']')
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.authority())
    }
}

fn is_loopback(host: &HostName) -> bool {
    let bare = host.as_str().trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn endpoints_have_one_spelling() {
        for (text, expected) in [
            ("https://CR.test:8443/", "https://cr.test:8443"),
            ("cr.test", "https://cr.test"),
            ("https://cr.test:443", "https://cr.test"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn keys_never_travel_in_the_clear_to_another_machine() {
        for wrong in [
            "http://cr.test",
            "http://10.0.0.1",
            "ftp://cr.test",
            "https://cr.test/path",
            "",
            "https://",
            "https://u@h",
        ] {
            assert!(Endpoint::parse(wrong).unwrap_err().usage, "{wrong}");
        }
    }
}
