//! Checked settings to the settings of each part.

use std::path::Path;
use std::sync::Arc;

use super::failure::{Doing, Failure};
use crate::acme;
use crate::config;
use crate::config::settings::{
    InternalIssuer, Listener, Registry, Settings, SignerSetting, Surface, Upstream, UpstreamAddress,
    UpstreamCredentials,
};
use crate::credential::signer::{SignerKey, Signers};
use crate::edge::ListenerSpec;
use crate::edge::settings::Settings as EdgeSettings;
use crate::edge::tls::{CertificateFiles, CertificateStore, ClientFiles, Demand, ListenerFiles};
use crate::edge::trust::Trust;
use crate::forward::cache::disk::Disk;
use crate::forward::cache::{CacheSettings, ContentCache, Shelf};
use crate::forward::issuers::{Internal, Issuers};
use crate::forward::settings::{Credentials, TlsFiles, UpstreamSettings, UpstreamUrl};
use crate::secret::Secret;
use crate::serve::limits::Rates;
use crate::serve::sites::{Site, Sites, Surfaces};

/// The edge's limits.
#[must_use]
pub fn edge(settings: &Settings) -> EdgeSettings {
    let limits = &settings.limits;
    EdgeSettings {
        handshake: limits.handshake_timeout,
        header: limits.header_timeout,
        idle: limits.idle_timeout,
        body_stall: limits.body_idle_timeout,
        write_stall: limits.body_idle_timeout,
        max_connections: limits.max_connections,
        max_connections_per_address: limits.max_connections_per_address,
        ..EdgeSettings::default()
    }
}

/// How often an address may ask, and guess.
#[must_use]
pub fn rates(settings: &Settings) -> Rates {
    let limits = &settings.limits;
    Rates {
        requests: limits.requests_per_address,
        calls: limits.requests_per_principal,
        failed_logins: limits.failed_logins_per_address,
    }
}

/// How issuers of identity tokens are asked.
#[must_use]
pub fn issuers(settings: &Settings) -> Issuers {
    let internal = |issuer: &InternalIssuer| Internal {
        origin: issuer.origin.clone(),
        ca: issuer.ca_file.clone(),
        token: issuer.token_file.clone(),
    };
    let federation = &settings.federation;
    Issuers { ca: federation.ca_file.clone(), internal: federation.internal.iter().map(internal).collect() }
}

/// Names and surfaces.
#[must_use]
pub fn sites(settings: &Settings) -> Sites {
    let mut sites = Sites::default();
    for (index, registry) in settings.registries.iter().enumerate() {
        sites.add(site(index, registry), &registry.aliases, registry.private_name.as_ref());
    }
    for listener in &settings.listeners {
        sites.listen(surfaces(listener));
    }
    sites
}

/// One registry, as requests find it.
#[must_use]
pub fn site(index: usize, registry: &Registry) -> Site {
    Site {
        index,
        name: registry.name.clone(),
        region: registry.region.clone(),
        create_on_push: registry.create_on_push,
    }
}

fn surfaces(listener: &Listener) -> Surfaces {
    let has = |surface| listener.surfaces.contains(&surface);
    Surfaces {
        acme: has(Surface::Acme),
        registry: has(Surface::Registry),
        control: has(Surface::Control),
        metrics: has(Surface::Metrics),
        health: has(Surface::Health),
    }
}

/// The listeners, with their certificates loaded.
///
/// # Errors
/// [`Failure`] that names the file that cannot be used.
pub fn listeners(settings: &Settings) -> Result<Vec<ListenerSpec>, Failure> {
    settings.listeners.iter().map(listener).collect()
}

/// The files of a listener's certificates, and of those that it asks for.
#[must_use]
pub fn certificates(listener: &Listener) -> ListenerFiles {
    let pairs = listener.tls.iter();
    let pair = |files: &config::settings::CertificateFiles| CertificateFiles {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
    };
    let clients = listener.client_certificates.as_ref().map(|asked| ClientFiles {
        authorities: asked.ca.clone(),
        revoked: asked.crl.clone(),
        demand: if asked.required { Demand::Required } else { Demand::Optional },
        naming: asked.identity,
    });
    ListenerFiles { certificates: pairs.map(pair).collect(), clients }
}

fn listener(listener: &Listener) -> Result<ListenerSpec, Failure> {
    let files = certificates(listener);
    let tls = match files.certificates.is_empty() {
        true => None,
        false => Some(Arc::new(
            CertificateStore::load(files).doing(format_args!("listener {}", listener.address))?,
        )),
    };
    let trust = Trust { proxy_protocol: listener.proxy_protocol, proxies: listener.trusted_proxies.clone() };
    Ok(ListenerSpec { address: listener.address, endpoint: listener.endpoint, tls, trust })
}

/// The authority that signs certificates, if there is one.
#[must_use]
pub fn acme(settings: &Settings) -> Option<acme::Settings> {
    settings.acme.as_ref().map(|set| acme::Settings {
        directory: set.directory.clone(),
        contact: set.contact.clone(),
        names: set.names.clone(),
        folder: set.folder.clone(),
        ca: set.ca_file.clone(),
        challenge: set.challenge,
    })
}

/// What is remembered of what upstreams say; `None` if that is switched off.
///
/// # Errors
/// [`Failure`] for sizes that cannot be.
pub fn content(settings: &Settings) -> Result<Option<Arc<ContentCache>>, Failure> {
    let set = &settings.cache;
    if !set.content {
        return Ok(None);
    }
    let cache = ContentCache::new(CacheSettings {
        max_bytes: set.max_bytes,
        max_blob: set.max_blob_bytes,
        tags: set.tag_staleness,
        content: set.content_staleness,
    });
    let open = |folder: &std::path::PathBuf| Disk::open(folder, set.disk_max_bytes).doing("cache.disk");
    let disk = set.disk.as_ref().map(open).transpose()?;
    Ok(Some(Arc::new(cache.doing("cache")?.with_disk(disk))))
}

/// How to reach every upstream, in the order of the registries.
///
/// # Errors
/// [`Failure`] that names the file that cannot be used.
pub fn upstreams(
    settings: &Settings,
    content: Option<&Arc<ContentCache>>,
) -> Result<Vec<UpstreamSettings>, Failure> {
    let signers = Arc::new(signers(settings));
    let one = |(site, registry): (usize, &Registry)| {
        let upstream = upstream(&registry.upstream)?;
        let shelf = content.map(|content| Shelf::new(Arc::clone(content), site, upstream.url.clone()));
        Ok(UpstreamSettings { shelf, signers: Arc::clone(&signers), ..upstream })
    };
    settings.registries.iter().enumerate().map(one).collect()
}

/// The keys that signatures of images are held against.
#[must_use]
pub fn signers(settings: &Settings) -> Signers {
    let key = |one: &SignerSetting| Some((one.namespace.clone(), SignerKey::parse(&one.pem).ok()?));
    Signers::new(settings.findings.signers.iter().filter_map(key).collect())
}

/// How to reach an upstream, with its secrets read.
///
/// # Errors
/// [`Failure`] that names the file that cannot be used.
pub fn upstream(upstream: &Upstream) -> Result<UpstreamSettings, Failure> {
    let url = url(&upstream.address, "registry.upstream")?;
    let client = upstream.client_certificate.as_ref();
    Ok(UpstreamSettings {
        tls: TlsFiles {
            ca: upstream.ca_file.clone(),
            certificate: client.map(|files| files.certificate.clone()),
            key: client.map(|files| files.key.clone()),
        },
        credentials: match &upstream.credentials {
            UpstreamCredentials::Basic(user, file) => {
                Credentials::Basic { user: user.clone(), password: read_secret(file)? }
            }
            UpstreamCredentials::Bearer(file) => Credentials::Bearer(read_secret(file)?),
            UpstreamCredentials::None => Credentials::None,
        },
        connect_timeout: upstream.connect_timeout,
        first_byte_timeout: upstream.first_byte_timeout,
        idle_timeout: upstream.idle_timeout,
        ..UpstreamSettings::new(url)
    })
}

/// Where something is that `key` names.
///
/// # Errors
/// [`Failure`] for an address that cannot be written as a URL.
pub fn url(address: &UpstreamAddress, key: &'static str) -> Result<UpstreamUrl, Failure> {
    let text = match address {
        UpstreamAddress::Http(host, port) => format!("http://{host}:{port}"),
        UpstreamAddress::Https(host, port) => format!("https://{host}:{port}"),
        UpstreamAddress::Unix(path) => format!("unix:{}", path.display()),
    };
    UpstreamUrl::parse(&text).doing(key)
}

fn read_secret(file: &Path) -> Result<Secret<String>, Failure> {
    let text = std::fs::read_to_string(file).doing(format_args!("reading {}", file.display()))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(Secret::from(text.trim_end_matches(['\r', '\n'])))
}
