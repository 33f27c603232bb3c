//! Whose certificates a listener asks its clients for, and which it believes.
//!
//! A certificate that is shown must be good, also where none is demanded. With a list of revoked certificates, one that the
//! list says nothing about, or that comes after the list's own time has run out, is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::CertificateError;
use super::files::{CertificateFiles, Fingerprint, read_file};
use crate::client::certificate::Naming;

/// Whether a client may come without a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Demand {
    /// It may.
    Optional,
    /// Its handshake fails.
    Required,
}

/// The authorities of clients' certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientFiles {
    /// The authorities that are believed.
    pub authorities: PathBuf,
    /// What they have revoked.
    pub revoked: Option<PathBuf>,
    /// Whether a certificate is demanded.
    pub demand: Demand,
    /// By which name a certificate says whose it is, if it is taken for an identity.
    pub naming: Option<Naming>,
}

/// All files of a listener.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenerFiles {
    /// Its own certificates.
    pub certificates: Vec<CertificateFiles>,
    /// Those of its clients, if it asks for any.
    pub clients: Option<ClientFiles>,
}

impl From<Vec<CertificateFiles>> for ListenerFiles {
    fn from(certificates: Vec<CertificateFiles>) -> Self {
        Self { certificates, clients: None }
    }
}

/// What the files hold.
pub(super) struct Contents {
    authorities: Vec<u8>,
    revoked: Option<Vec<u8>>,
}

impl ClientFiles {
    /// Reads the files.
    pub(super) fn read(&self, fingerprint: &mut Fingerprint) -> Result<Contents, CertificateError> {
        let authorities = read_file(&self.authorities, |_| Ok(()))?;
        fingerprint.add(&authorities);
        let revoked = self.revoked.as_ref().map(|path| read_file(path, |_| Ok(()))).transpose()?;
        if let Some(revoked) = &revoked {
            fingerprint.add(revoked);
        }
        Ok(Contents { authorities, revoked })
    }

    /// The judge of clients' certificates.
    pub(super) fn verifier(
        &self,
        contents: &Contents,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
        let unusable = |reason: String| unusable(&self.authorities, "certificate", reason);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&contents.authorities) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("the file has none".to_owned()));
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        if let (Some(path), Some(revoked)) = (&self.revoked, &contents.revoked) {
            builder = builder.with_crls(lists(path, revoked)?).enforce_revocation_expiration();
        }
        if self.demand == Demand::Optional {
            builder = builder.allow_unauthenticated();
        }
        let place = self.revoked.as_ref().unwrap_or(&self.authorities);
        builder.build().map_err(|error| self::unusable(place, "revocation list", error.to_string()))
    }
}

fn lists(path: &Path, pem: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, CertificateError> {
    let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(path, "revocation list", error.to_string()))?;
    if lists.is_empty() {
        return Err(unusable(path, "revocation list", "the file has none".to_owned()));
    }
    Ok(lists)
}

fn unusable(path: &Path, expected: &'static str, reason: String) -> CertificateError {
    CertificateError::Unusable { path: path.to_owned(), expected, reason }
}
