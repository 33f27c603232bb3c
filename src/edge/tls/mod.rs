//! The certificates of a listener: read from files, chosen by name, replaced while serving.
//!
//! A set of files takes effect as a whole or not at all: whoever connects meets the last set that was complete and
//! valid. Keys never leave this module except to sign.

mod clients;
mod files;
mod proof;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ProducesTickets, ResolvesServerCert,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;

use proof::{Proofs, proving};

use crate::client::certificate::Naming;

pub use clients::{ClientFiles, Demand, ListenerFiles};
pub use files::CertificateFiles;
pub(super) use proof::ACME;
pub use proof::Proof;

/// Protocols on offer, the preferred one first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why certificates cannot be used. Every message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A private key that everyone may read.
    #[error("{} has mode {mode:04o}, so everyone may use this key; run `chmod o=` on it", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file without what it should hold, or with something that does not parse.
    #[error("{} holds no usable {expected} in PEM form: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// `certificate`, `private key` or `revocation list`.
        expected: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A key that does not belong to the certificate.
    #[error("the key {} does not belong to the first certificate in {}; give the pair that was issued together",
        key.display(), certificate.display())]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// TLS cannot be set up with the given certificates.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// No files at all.
    #[error("a TLS listener needs at least one certificate and key")]
    None,
}

/// The certificates of a listener. What [`CertificateStore::load`] returns is complete and valid, and stays so.
pub struct CertificateStore {
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    current: ArcSwap<Loaded>,
    /// What is shown to an ACME authority that looks.
    proofs: ArcSwapOption<Proofs>,
}

/// A complete and valid set of certificates, read from files. It takes effect by [`CertificateStore::install`].
pub struct Loaded {
    files: ListenerFiles,
    config: Arc<ServerConfig>,
    fingerprint: u64,
}

impl CertificateStore {
    /// Reads certificates and keys, and the authorities of clients. The first pair serves clients that name no host, or one that no pair is for.
    ///
    /// # Errors
    /// [`CertificateError`] for the first file that is unreadable, exposed, malformed or mismatched.
    pub fn load(files: impl Into<ListenerFiles>) -> Result<Self, CertificateError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        // Tickets are sealed with a key of this store, so none is accepted by another listener.
        let tickets = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        let loaded = read(files.into(), &provider, &tickets)?;
        Ok(Self { provider, tickets, current: ArcSwap::from_pointee(loaded), proofs: ArcSwapOption::empty() })
    }

    /// Reads the files again. If they changed and are complete and valid, new connections get the new certificates.
    /// Returns whether they did. Blocks on the file system.
    ///
    /// # Errors
    /// [`CertificateError`]; the certificates in use stay as they are.
    pub fn reload_if_changed(&self) -> Result<bool, CertificateError> {
        let current = self.current.load_full();
        if fingerprint(&current.files)? == current.fingerprint {
            return Ok(false);
        }
        self.install(self.prepare(current.files.clone())?);
        Ok(true)
    }

    /// Reads other files, which change nothing yet.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn prepare(&self, files: ListenerFiles) -> Result<Loaded, CertificateError> {
        read(files, &self.provider, &self.tickets)
    }

    /// New connections get these certificates from now on.
    pub fn install(&self, loaded: Loaded) {
        self.current.store(Arc::new(loaded));
    }

    /// From now on, these are shown to whoever looks for them by `acme-tls/1`, and no others.
    ///
    /// # Errors
    /// [`CertificateError`] for one that cannot be shown; then nothing changes.
    pub fn prove(&self, proofs: &[Proof]) -> Result<(), CertificateError> {
        self.proofs.store(Some(Arc::new(Proofs::of(proofs, &self.provider)?)));
        Ok(())
    }

    /// From now on, nobody speaks `acme-tls/1` here.
    pub fn stop_proving(&self) {
        self.proofs.store(None);
    }

    /// What a new connection is made by.
    pub(super) fn current(&self) -> Terms {
        let loaded = self.current.load();
        let config = Arc::clone(&loaded.config);
        let config = match self.proofs.load_full() {
            None => config,
            Some(proofs) => Arc::new(proving(&config, proofs)),
        };
        Terms { config, naming: loaded.files.clients.as_ref().and_then(|clients| clients.naming) }
    }
}

/// What a connection is made by.
pub(super) struct Terms {
    pub(super) config: Arc<ServerConfig>,
    /// By which name the client's certificate says whose it is.
    pub(super) naming: Option<Naming>,
}

/// Looks whether a pair could be served.
///
/// # Errors
/// [`CertificateError`].
pub fn usable(files: &CertificateFiles) -> Result<(), CertificateError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let contents = files.read(&mut files::Fingerprint::default())?;
    files.parse(&contents, &provider).map(|_| ())
}

impl std::fmt::Debug for CertificateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateStore").field("current", &self.current.load()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("files", &self.files).finish_non_exhaustive()
    }
}

fn fingerprint(files: &ListenerFiles) -> Result<u64, CertificateError> {
    let mut hasher = files::Fingerprint::default();
    for pair in &files.certificates {
        pair.read(&mut hasher)?;
    }
    if let Some(clients) = &files.clients {
        clients.read(&mut hasher)?;
    }
    Ok(hasher.value())
}

fn read(
    files: ListenerFiles,
    provider: &Arc<CryptoProvider>,
    tickets: &Arc<dyn ProducesTickets>,
) -> Result<Loaded, CertificateError> {
    let mut hasher = files::Fingerprint::default();
    let mut keys = Vec::new();
    for pair in &files.certificates {
        let contents = pair.read(&mut hasher)?;
        keys.push(Arc::new(pair.parse(&contents, provider)?));
    }
    if keys.is_empty() {
        return Err(CertificateError::None);
    }
    let verifier = match &files.clients {
        Some(clients) => {
            let contents = clients.read(&mut hasher)?;
            clients.verifier(&contents, provider)?
        }
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(ByName { keys }));
    config.alpn_protocols = ALPN.iter().map(|protocol| protocol.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // A resumed session brings the client's certificate along without another look at it: where certificates are asked
    // for, every handshake is a whole one, and no ticket from before that was so is good (H-09).
    config.send_tls13_tickets = 0;
    if files.clients.is_none() {
        config.ticketer = Arc::clone(tickets);
        config.send_tls13_tickets = 1;
    }
    // Early data can be replayed, and a replayed push is a push (H-33).
    config.max_early_data_size = 0;
    Ok(Loaded { files, config: Arc::new(config), fingerprint: hasher.value() })
}

/// Chooses a certificate by the name that the client asks for.
#[derive(Debug)]
struct ByName {
    keys: Vec<Arc<CertifiedKey>>,
}

impl ByName {
    fn choose(
        &self,
        name: Option<&str>,
        usable: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let name = name.and_then(|name| ServerName::try_from(name).ok());
        let named = |key: &CertifiedKey| name.as_ref().is_some_and(|name| is_for(key, name));
        let best = self.keys.iter().find(|key| named(key) && usable(key));
        best.or_else(|| self.keys.first()).map(Arc::clone)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let [only] = self.keys.as_slice() {
            return Some(Arc::clone(only));
        }
        let usable = |key: &CertifiedKey| key.key.choose_scheme(hello.signature_schemes()).is_some();
        self.choose(hello.server_name(), usable)
    }
}

/// Whether a certificate is for `name`, by its subject alternative names, wildcards included.
fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    key.end_entity_cert()
        .and_then(ParsedCertificate::try_from)
        .is_ok_and(|certificate| rustls::client::verify_server_name(&certificate, name).is_ok())
}
