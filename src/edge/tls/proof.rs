//! Certificates that prove names to an ACME authority (TLS-ALPN-01, RFC 8737), shown only while an order needs them, and only to
//! whoever asks for the protocol `acme-tls/1` and no other. A connection by that protocol ends with its handshake.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::CertificateError;

/// The protocol of authorities that look.
pub(in crate::edge) const ACME: &[u8] = b"acme-tls/1";

/// A certificate, and the name that it proves.
#[derive(Clone)]
pub struct Proof {
    /// The name.
    pub name: String,
    /// The certificate, in DER form.
    pub certificate: Vec<u8>,
    /// Its key, in PKCS #8 form.
    pub key: zeroize::Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The proofs of a listener, by name.
#[derive(Debug)]
pub(super) struct Proofs(HashMap<String, Arc<CertifiedKey>>);

impl Proofs {
    pub(super) fn of(proofs: &[Proof], provider: &CryptoProvider) -> Result<Self, CertificateError> {
        let pair = |proof: &Proof| {
            let key = PrivatePkcs8KeyDer::from(proof.key.to_vec());
            let key = provider.key_provider.load_private_key(key.into())?;
            let chain = vec![CertificateDer::from(proof.certificate.clone())];
            Ok((proof.name.to_ascii_lowercase(), Arc::new(CertifiedKey::new(chain, key))))
        };
        Ok(Self(proofs.iter().map(pair).collect::<Result<_, rustls::Error>>()?))
    }
}

/// A listener's configuration that shows proofs too.
pub(super) fn proving(config: &ServerConfig, proofs: Arc<Proofs>) -> ServerConfig {
    let mut config = config.clone();
    config.alpn_protocols.push(ACME.to_vec());
    let otherwise = Arc::clone(&config.cert_resolver);
    config.cert_resolver = Arc::new(ByProtocol { proofs, otherwise });
    config
}

/// Chooses between proofs and certificates.
#[derive(Debug)]
struct ByProtocol {
    proofs: Arc<Proofs>,
    otherwise: Arc<dyn ResolvesServerCert>,
}

impl ResolvesServerCert for ByProtocol {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if !hello.alpn().is_some_and(|offered| offered.eq([ACME])) {
            return self.otherwise.resolve(hello);
        }
        self.proofs.0.get(&hello.server_name()?.to_ascii_lowercase()).cloned()
    }
}
