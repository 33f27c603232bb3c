//! Which host names and surfaces are served where.
//!
//! A host must be one that the listener serves, and the one that the TLS handshake was for: anything else is 421.

use std::collections::HashMap;

use crate::admit::refusal::Refusal;
use crate::api::routes;
use crate::edge::connection::Connection;
use crate::edge::head::Authority;
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::network::endpoint::Endpoint;

/// One fronted registry, as requests find it.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its position in the configuration.
    pub index: usize,
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub region: Region,
    /// Whether a push may bring its namespace into being.
    pub create_on_push: bool,
}

/// What one listener serves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surfaces {
    /// `/.well-known/acme-challenge/`.
    pub acme: bool,
    /// `/v2/` and `/oauth/token`.
    pub registry: bool,
    /// The management APIs and `/identity/`.
    pub control: bool,
    /// `/metrics`.
    pub metrics: bool,
    /// `/livez` and `/readyz`.
    pub health: bool,
}

/// All sites and listeners.
#[derive(Debug, Default)]
pub struct Sites {
    sites: Vec<Site>,
    names: HashMap<HostName, Served>,
    listeners: Vec<Surfaces>,
}

/// Which site a name stands for, and on which network.
#[derive(Clone, Copy, Debug)]
struct Served {
    site: usize,
    only_on: Option<Endpoint>,
}

/// Where layers are downloaded from by ticket.
pub const LAYERS: &str = "/ecr/layers/";

/// Which surface a request asks.
#[derive(Debug)]
pub enum Surface<'a> {
    /// What an ACME authority looks for.
    Acme,
    /// AWS's APIs.
    Aws(&'a Site),
    /// The management APIs.
    Control(&'a Site),
    /// Whether we live, or are ready.
    Health(HealthQuestion),
    /// The metrics page.
    Metrics,
    /// None that this listener serves under this host.
    Nothing(Refusal),
    /// The registry API.
    Registry(&'a Site),
    /// A token endpoint.
    Token(TokenEndpoint, &'a Site),
}

/// What a health probe asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HealthQuestion {
    /// `/livez`.
    Alive,
    /// `/readyz`.
    Ready,
}

/// The token endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenEndpoint {
    /// `/oauth/token`.
    Docker,
    /// `/identity/token`.
    Identity,
    /// `/identity/keys`.
    Keys,
}

/// Where an ACME authority looks (RFC 8555 §8.3).
pub const ACME: &str = "/.well-known/acme-challenge/";

impl Sites {
    /// Adds a registry under its names. The private name is served on private listeners only and, where there is one, the
    /// public name on public ones only; aliases are served on both.
    pub fn add(&mut self, site: Site, aliases: &[HostName], private_name: Option<&HostName>) {
        let index = self.sites.len();
        let public = private_name.map(|_| Endpoint::Public);
        self.names.insert(site.name.clone(), Served { site: index, only_on: public });
        for name in aliases {
            self.names.insert(name.clone(), Served { site: index, only_on: None });
        }
        if let Some(name) = private_name {
            self.names.insert(name.clone(), Served { site: index, only_on: Some(Endpoint::Private) });
        }
        self.sites.push(site);
    }

    /// Adds a listener; its position is what connections carry.
    pub fn listen(&mut self, surfaces: Surfaces) {
        self.listeners.push(surfaces);
    }

    /// Every site, in configuration order.
    #[must_use]
    pub fn all(&self) -> &[Site] {
        &self.sites
    }

    /// Which surface a request for `path` asks.
    #[must_use]
    pub fn surface(&self, connection: &Connection, authority: Option<&Authority>, path: &str) -> Surface<'_> {
        let serves = self.listeners.get(connection.listener).copied().unwrap_or_default();
        // Probes and scrapers come by address: these surfaces show nothing that depends on the host.
        match path {
            "/livez" if serves.health => return Surface::Health(HealthQuestion::Alive),
            "/readyz" if serves.health => return Surface::Health(HealthQuestion::Ready),
            "/metrics" if serves.metrics => return Surface::Metrics,
            _ if serves.acme && path.starts_with(ACME) => return Surface::Acme,
            _ => {}
        }
        let Some(site) = authority.and_then(|authority| self.site(connection, &authority.host)) else {
            return Surface::Nothing(Refusal::Misdirected);
        };
        match path {
            "/oauth/token" if serves.registry => Surface::Token(TokenEndpoint::Docker, site),
            "/identity/token" if serves.control => Surface::Token(TokenEndpoint::Identity, site),
            "/identity/keys" if serves.control => Surface::Token(TokenEndpoint::Keys, site),
            "/" if serves.control => Surface::Aws(site),
            _ if serves.control && routes::owns(path) => Surface::Control(site),
            _ if (serves.registry || serves.control) && path.starts_with(LAYERS) => Surface::Registry(site),
            _ if serves.registry && (path == "/v2" || path.starts_with("/v2/")) => Surface::Registry(site),
            _ => Surface::Nothing(Refusal::NoSuchRoute),
        }
    }

    fn site(&self, connection: &Connection, host: &HostName) -> Option<&Site> {
        let same = connection.server_name.as_ref().is_none_or(|name| name == host);
        let served = self.names.get(host).filter(|_| same)?;
        let here = served.only_on.is_none_or(|endpoint| endpoint == connection.endpoint);
        self.sites.get(served.site).filter(|_| here)
    }
}
