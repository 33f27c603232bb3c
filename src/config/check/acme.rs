//! Reads `[acme]`, and compares it with the registries that it is for and the listeners that prove their names.

use crate::acme::Challenge;
use crate::config::files;
use crate::config::mistake::{Notes, Place};
use crate::config::section::{Placed, Section};
use crate::config::settings::{Acme, Listener, Registry, Surface};
use crate::ids::host::HostName;

/// The section, if it is there.
pub(super) fn read(top: &mut Section<'_>) -> Option<Placed<Acme>> {
    if !top.has("acme") {
        return None;
    }
    let mut section = top.section("acme");
    let place = section.place().clone();
    let advice = "write the URL of the authority's directory";
    let directory = section.required("directory", advice, |section, key| section.parsed(key, url));
    let contact = section.list("contact", contact).unwrap_or_default();
    let advice = "list the names of registries that the certificate is for";
    let names = section.required("names", advice, |section, key| section.list(key, HostName::parse));
    let folder = section.path("cache_dir").map_or_else(|| "data/acme".into(), |placed| placed.value);
    let ca_file = files::public(&mut section, "ca_file");
    let words = [("tls-alpn-01", Challenge::TlsAlpn), ("http-01", Challenge::Http)];
    let challenge = section.word("challenge", &words).unwrap_or(Challenge::TlsAlpn);
    let terms = section.place_of("agree_to_terms");
    if section.boolean("agree_to_terms") != Some(true) {
        let advice =
            "must be true: the authority gives certificates to those who agree to its terms of service only";
        section.notes.mistake(&terms, advice);
    }
    section.end();
    let contact = contact.into_iter().map(|placed| placed.value).collect();
    let names = names?.into_iter().map(|placed| placed.value).collect();
    let acme = Acme { directory: directory?, contact, names, folder, ca_file, challenge };
    Some(Placed { value: acme, place })
}

fn url(text: &str) -> Result<String, &'static str> {
    let parsed = text
        .parse::<http::Uri>()
        .ok()
        .filter(|url| url.scheme_str() == Some("https") && url.host().is_some());
    parsed
        .map(|_| text.to_owned())
        .ok_or("must be an https:// URL: who can change what the authority says has our names")
}

fn contact(text: &str) -> Result<String, &'static str> {
    let is_mail = text.strip_prefix("mailto:").is_some_and(|address| address.contains('@'));
    is_mail.then(|| text.to_owned()).ok_or("must be written as \"mailto:somebody@example.com\"")
}

/// What only shows when sections are compared.
pub(super) fn compare(
    acme: Option<&Placed<Acme>>,
    listeners: &[Placed<Listener>],
    registries: &[Placed<Registry>],
    notes: &Notes,
) {
    let serves = |listener: &Listener| listener.surfaces.contains(&Surface::Acme);
    let Some(Placed { value: acme, place }) = acme else {
        for Placed { value: listener, place } in listeners {
            if listener.acme || serves(listener) {
                notes.mistake(place, "needs a section [acme] that names the authority");
            }
        }
        return;
    };
    let hosts = |registry: &Registry| {
        let names = [Some(&registry.name), registry.private_name.as_ref()].into_iter().flatten();
        names.chain(&registry.aliases).cloned().collect::<Vec<_>>()
    };
    let served: Vec<HostName> = registries.iter().flat_map(|registry| hosts(&registry.value)).collect();
    if acme.names.is_empty() {
        notes.mistake(place, "names is empty: list the names of registries that the certificate is for");
    }
    for name in acme.names.iter().filter(|name| !served.contains(name)) {
        notes.mistake(
            place,
            format!("no registry is called `{name}`, so nobody could use a certificate for it"),
        );
    }
    provable(acme, place, listeners, notes);
}

/// Whether the authority would find what it looks for.
fn provable(acme: &Acme, place: &Place, listeners: &[Placed<Listener>], notes: &Notes) {
    let mut users = listeners.iter().filter(|listener| listener.value.acme).peekable();
    if users.peek().is_none() {
        notes.warning(place, "no listener has tls = { acme = true }, so nobody would see the certificate");
        return;
    }
    let page = listeners.iter().find(|listener| listener.value.surfaces.contains(&Surface::Acme));
    match (acme.challenge, page) {
        (Challenge::Http, None) => {
            let advice = "http-01 needs a listener without tls on port 80 with the surface \"acme\"";
            notes.mistake(place, advice);
        }
        (Challenge::Http, Some(listener)) => {
            if !listener.value.tls.is_empty() {
                notes.mistake(
                    &listener.place,
                    "serves \"acme\" over TLS, and the authority asks without: leave tls away",
                );
            }
        }
        (Challenge::TlsAlpn, Some(listener)) => {
            notes.mistake(&listener.place, "serves \"acme\", which is for acme.challenge = \"http-01\" only");
        }
        (Challenge::TlsAlpn, None) => {
            let closed = |listener: &Placed<Listener>| {
                let asked = listener.value.client_certificates.as_ref();
                asked.is_some_and(|asked| asked.required) || listener.value.proxy_protocol
            };
            if users.all(closed) {
                let advice = "the authority holds no client certificate and sends no PROXY header, which every listener with \
                    acme = true demands: choose challenge = \"http-01\"";
                notes.mistake(place, advice);
            }
        }
    }
}
