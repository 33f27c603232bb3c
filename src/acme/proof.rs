//! What shows the authority that a name is ours, while it looks: pages for HTTP-01, certificates for TLS-ALPN-01.
//!
//! Nothing of it is secret, and nothing of it outlives the order that it is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{CertificateParams, CustomExtension, KeyPair};

use super::{AcmeError, Challenge};
use crate::edge::tls::{CertificateStore, Proof};

/// Pages by token.
#[derive(Debug, Default)]
pub struct Pages(Mutex<HashMap<String, String>>);

impl Pages {
    /// The page that a token is answered with.
    #[must_use]
    pub fn of(&self, token: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn replace(&self, pages: HashMap<String, String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = pages;
    }
}

/// Where proofs are shown.
#[derive(Clone, Debug)]
pub struct Stage {
    /// To those who ask by HTTP.
    pub pages: Arc<Pages>,
    /// To those who ask by TLS, on each listener that serves the certificate.
    pub stores: Vec<Arc<CertificateStore>>,
}

/// What is shown now; nothing is, once this is dropped.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    stage: &'a Stage,
    pages: HashMap<String, String>,
    proofs: Vec<Proof>,
}

impl<'a> Shown<'a> {
    pub(super) fn nothing(stage: &'a Stage) -> Self {
        Self { stage, pages: HashMap::new(), proofs: Vec::new() }
    }

    /// Shows one thing more. `digest` is that of `authorization` (RFC 8555 §8.1).
    pub(super) fn show(
        &mut self,
        challenge: Challenge,
        name: &str,
        (token, authorization, digest): (&str, &str, &[u8]),
    ) -> Result<(), AcmeError> {
        match challenge {
            Challenge::Http => {
                self.pages.insert(token.to_owned(), authorization.to_owned());
                self.stage.pages.replace(self.pages.clone());
            }
            Challenge::TlsAlpn => {
                self.proofs.push(proof(name, digest)?);
                for store in &self.stage.stores {
                    store.prove(&self.proofs)?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.stage.pages.replace(HashMap::new());
        for store in &self.stage.stores {
            store.stop_proving();
        }
    }
}

/// A certificate that is good for nothing but this (RFC 8737 §3).
fn proof(name: &str, digest: &[u8]) -> Result<Proof, AcmeError> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    Ok(Proof {
        name: name.to_owned(),
        certificate: certificate.der().to_vec(),
        key: key.serialize_der().into(),
    })
}
