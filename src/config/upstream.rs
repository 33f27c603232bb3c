//! Reads what stands behind a registry: the URL, and the options for talking to it.

use std::path::PathBuf;
use std::time::Duration;

use super::files;
use super::section::Section;
use super::settings::{CertificateFiles, Upstream, UpstreamAddress, UpstreamCredentials};
use crate::ids::host::HostName;

/// Limits of the time limits.
const TIMEOUT: std::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// Reads `upstream` and `upstream_options` of a registry.
pub(super) fn read(registry: &mut Section<'_>) -> Option<Upstream> {
    let advice = "write the URL of the registry behind, such as http://127.0.0.1:5000";
    let place = registry.place_of("upstream");
    let address = registry.required("upstream", advice, |registry, key| registry.parsed(key, parse));
    let mut options = registry.section("upstream_options");
    let credentials = credentials(&mut options);
    let (ca_place, certificate_place) = (options.place_of("ca_file"), options.place_of("client_certificate"));
    let ca_file = files::public(&mut options, "ca_file");
    let client_certificate = client_certificate(&mut options);
    let mut timeout = |key, default| options.duration(key, TIMEOUT).unwrap_or(Duration::from_secs(default));
    let connect_timeout = timeout("connect_timeout", 5);
    let first_byte_timeout = timeout("first_byte_timeout", 60);
    let idle_timeout = timeout("idle_timeout", 60);
    let notes = options.notes;
    options.end();
    let address = address?;
    match &address {
        UpstreamAddress::Https(..) => {}
        UpstreamAddress::Http(host, _) => {
            if credentials != UpstreamCredentials::None && !is_loopback(host) {
                notes.warning(&place, "our credentials cross the network in clear text; use https");
            }
            tls_is_unused(ca_file.as_ref(), &ca_place, notes);
            tls_is_unused(client_certificate.as_ref(), &certificate_place, notes);
        }
        UpstreamAddress::Unix(_) => {
            tls_is_unused(ca_file.as_ref(), &ca_place, notes);
            tls_is_unused(client_certificate.as_ref(), &certificate_place, notes);
        }
    }
    Some(Upstream {
        address,
        credentials,
        ca_file,
        client_certificate,
        connect_timeout,
        first_byte_timeout,
        idle_timeout,
    })
}

/// A setting for TLS where there is none gives a false feeling of safety.
fn tls_is_unused<T>(setting: Option<&T>, place: &super::mistake::Place, notes: &super::mistake::Notes) {
    if setting.is_some() {
        notes.mistake(place, "is only for https upstreams; drop it, or make the upstream https");
    }
}

fn credentials(options: &mut Section<'_>) -> UpstreamCredentials {
    let place = options.place().clone();
    let (username, password) = (options.text("username"), files::private(options, "password_file"));
    let token = files::private(options, "token_file");
    match (username, password, token) {
        (None, None, None) => UpstreamCredentials::None,
        (Some(username), Some(password), None) => UpstreamCredentials::Basic(username, password),
        (None, None, Some(token)) => UpstreamCredentials::Bearer(token),
        (Some(_), None, _) | (None, Some(_), _) | (Some(_), Some(_), Some(_)) => {
            options.notes.mistake(&place, "needs username and password_file together, or token_file alone");
            UpstreamCredentials::None
        }
    }
}

fn client_certificate(options: &mut Section<'_>) -> Option<CertificateFiles> {
    let place = options.place().clone();
    let certificate = files::public(options, "client_certificate");
    let key = files::private(options, "client_key");
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            options.notes.mistake(&place, "needs client_certificate and client_key together");
            None
        }
    }
}

/// Parses `http://host[:port]`, `https://host[:port]` or `unix:/path`. Errors never repeat the text, which may hold a
/// password.
pub(super) fn parse(text: &str) -> Result<UpstreamAddress, &'static str> {
    if let Some(path) = text.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return match path {
            absolute if absolute.starts_with('/') => Ok(UpstreamAddress::Unix(PathBuf::from(absolute))),
            _ => Err("must name an absolute path, such as unix:/run/registry.sock"),
        };
    }
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err("must begin with http://, https:// or unix:"),
    };
    if rest.contains('@') {
        return Err("must not hold credentials; use upstream_options.username and password_file");
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err("must end after the host and port: registries have no path in front of /v2/");
    }
    let parsed = HostName::parse_with_port(authority);
    let (host, port) =
        parsed.map_err(|_| "must name a host and perhaps a port, such as http://127.0.0.1:5000")?;
    Ok(if secure {
        UpstreamAddress::Https(host, port.unwrap_or(443))
    } else {
        UpstreamAddress::Http(host, port.unwrap_or(80))
    })
}

/// Whether the host is this machine.
pub(super) fn is_loopback(host: &HostName) -> bool {
    let text = host.as_str().trim_matches(['[', ']']);
    text == "localhost" || text.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{UpstreamAddress, parse};

    #[test]
    fn upstreams_are_hosts_or_sockets_and_nothing_more() {
        let host = || "registry.test".parse().unwrap();
        assert_eq!(parse("http://registry.test"), Ok(UpstreamAddress::Http(host(), 80)));
        assert_eq!(parse("https://registry.test/"), Ok(UpstreamAddress::Https(host(), 443)));
        assert_eq!(parse("unix:///run/r.sock"), Ok(UpstreamAddress::Unix("/run/r.sock".into())));
        assert_eq!(parse("unix:/run/r.sock"), parse("unix:///run/r.sock"));
        for wrong in [
            "",
            "registry:5000",
            "ftp://h",
            "http://",
            "http://h/p",
            "http://u:p@h",
            "unix:r.sock",
            "http://h?x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(!parse("http://u:hunter2@h").unwrap_err().contains("hunter2"));
    }
}
