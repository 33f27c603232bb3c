//! Reads `[[listener]]`, and compares listeners with each other and with the registries.

use std::net::SocketAddr;

use super::tls;
use crate::config::mistake::Notes;
use crate::config::section::{Placed, Section, choose};
use crate::config::settings::{Acme, Listener, Registry, Surface, UpstreamAddress};
use crate::config::upstream::is_loopback;
use crate::network::block::Block;
use crate::network::endpoint::Endpoint;
use crate::network::set::AddressSet;

/// All listeners that could be read.
pub(super) fn all(top: &mut Section<'_>, acme: Option<&Acme>) -> Vec<Placed<Listener>> {
    let place = top.place_of("listener");
    let sections = top.sections("listener");
    if sections.is_empty() {
        top.notes.mistake(&place, "is missing; describe at least one address in a section [[listener]]");
    }
    sections.into_iter().filter_map(|section| one(section, acme)).collect()
}

fn one(mut section: Section<'_>, acme: Option<&Acme>) -> Option<Placed<Listener>> {
    let own = section.place().clone();
    let advice = "write an IP address and a port, such as \"0.0.0.0:8443\"";
    let parse =
        |text: &str| text.parse::<SocketAddr>().map_err(|_| format!("`{text}` is no address; {advice}"));
    let address = section.required("address", advice, |section, key| section.parsed(key, parse));
    let endpoints = [("public", Endpoint::Public), ("private", Endpoint::Private)];
    let endpoint = section.word("endpoint", &endpoints).unwrap_or_default();
    let surfaces = surfaces(&mut section);
    let tls::Tls { pairs: tls, acme, clients: client_certificates } = tls::read(&mut section, acme);
    let (proxy_protocol, trusted_proxies) = proxies(&mut section);
    section.end();
    let address = address?;
    let listener = Listener {
        address,
        endpoint,
        surfaces,
        tls,
        acme,
        client_certificates,
        proxy_protocol,
        trusted_proxies,
    };
    Some(Placed { value: listener, place: own })
}

fn surfaces(section: &mut Section<'_>) -> Vec<Surface> {
    let place = section.place_of("surfaces");
    let advice = "list what is served there, such as [\"registry\", \"control\", \"health\"]";
    let word = |text: &str| choose(text, &Surface::WORDS);
    let before = section.notes.count();
    let listed = section.required("surfaces", advice, |section, key| section.list(key, word));
    let mut surfaces: Vec<Surface> = Vec::new();
    for Placed { value, place } in listed.unwrap_or_default() {
        if surfaces.contains(&value) {
            section.notes.mistake(&place, "is listed twice");
        } else {
            surfaces.push(value);
        }
    }
    if surfaces.is_empty() && section.notes.count() == before {
        section.notes.mistake(&place, "is empty; list at least one surface");
    }
    surfaces
}

/// Whether connections begin with a PROXY header, and whose word on the client's address is believed.
fn proxies(section: &mut Section<'_>) -> (bool, AddressSet) {
    let (place, trusted_place) = (section.place_of("proxy_protocol"), section.place_of("trusted_proxies"));
    let required = section.boolean("proxy_protocol").unwrap_or(false);
    let before = section.notes.count();
    let listed = section.list("trusted_proxies", str::parse::<Block>).unwrap_or_default();
    for Placed { value, place } in &listed {
        if value.is_everything() {
            section.notes.mistake(place, "is everybody, who could then claim any address; name the proxies");
        }
    }
    if required && listed.is_empty() && section.notes.count() == before {
        let advice =
            "needs trusted_proxies: a PROXY header from anybody else ends the connection; list the proxies";
        section.notes.mistake(&place, advice);
    }
    let trusted = AddressSet::of(listed.iter().map(|block| &block.value));
    if trusted.holds_a_whole_family() && section.notes.count() == before {
        let advice = "are everybody, taken together, who could then claim any address; name the proxies";
        section.notes.mistake(&trusted_place, advice);
    }
    if trusted.holds_most_of_a_family() && section.notes.count() == before {
        let advice = "hold most of the internet, and each of them may claim any address; name the proxies";
        section.notes.warning(&trusted_place, advice);
    }
    (required, trusted)
}

/// What only shows when sections are compared.
pub(super) fn compare(listeners: &[Placed<Listener>], registries: &[Placed<Registry>], notes: &Notes) {
    for (at, Placed { value: listener, place }) in listeners.iter().enumerate() {
        let taken = listeners.iter().take(at).find(|first| collide(first.value.address, listener.address));
        if let Some(first) = taken {
            let (address, first) = (listener.address, &first.place.key);
            notes.mistake(place, format!("the address {address} is taken by {first}; choose another port"));
        }
        warn(listener, place, notes);
    }
    for Placed { value: registry, place } in registries {
        let own =
            |listener: &&Placed<Listener>| is_itself(&registry.upstream.address, listener.value.address);
        if let Some(listener) = listeners.iter().find(own) {
            let key = &listener.place.key;
            notes
                .mistake(place, format!("the upstream is this server's own {key}; name the registry behind"));
        }
        let private = |listener: &Placed<Listener>| listener.value.endpoint == Endpoint::Private;
        if registry.private_name.is_some() && !listeners.iter().any(private) {
            notes.warning(place, "has a private_name, but no listener has endpoint = \"private\"");
        }
        if registry.private_name.is_some() && listeners.iter().all(private) {
            let advice = "has a private_name, so its name is served on listeners with endpoint = \"public\" only: there is none";
            notes.warning(place, advice);
        }
    }
}

fn warn(listener: &Listener, place: &crate::config::mistake::Place, notes: &Notes) {
    let serves = |surface| listener.surfaces.contains(&surface);
    let open = !listener.address.ip().to_canonical().is_loopback();
    if open && listener.tls.is_empty() {
        for surface in [Surface::Registry, Surface::Control] {
            if serves(surface) {
                let word = surface.label();
                notes.warning(
                    place,
                    format!("{word} without TLS: credentials cross the network in clear text"),
                );
            }
        }
    }
    let public = open && listener.endpoint == Endpoint::Public;
    let known_only = listener.client_certificates.as_ref().is_some_and(|asked| asked.required);
    if public && serves(Surface::Control) && !known_only {
        notes.warning(
            place,
            "control on a public network: anyone can try credentials on the management API; give it a private listener",
        );
    }
    if public && serves(Surface::Metrics) {
        notes.warning(place, "metrics on a public network: anyone can read them");
    }
}

/// Whether two addresses cannot be listened on at the same time.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip();
    let covers = a.is_ipv4() == b.is_ipv4() && (a.ip().is_unspecified() || b.ip().is_unspecified());
    a.port() != 0 && a.port() == b.port() && (same_ip || covers)
}

/// Whether an upstream is the listener, seen from this machine.
fn is_itself(upstream: &UpstreamAddress, listener: SocketAddr) -> bool {
    match upstream {
        UpstreamAddress::Http(host, port) | UpstreamAddress::Https(host, port) => {
            let ip = listener.ip();
            let same = host.as_str().trim_matches(['[', ']']).parse() == Ok(ip);
            *port == listener.port()
                && (same || (is_loopback(host) && (ip.is_loopback() || ip.is_unspecified())))
        }
        UpstreamAddress::Unix(_) => false,
    }
}
