//! Certificate and key files: read once, fingerprinted and parsed from the same bytes.

use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::CertificateError;

/// Permission bits of everyone. A group may read keys: that is how they are shared with a service.
const EVERYONE: u32 = 0o007;

/// A certificate chain, the server's own certificate first, and its private key, both in PEM form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The key; not everyone may read it.
    pub key: PathBuf,
}

/// What the files hold.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Tells whether files changed. It detects no forgery: whoever writes the files decides anyway.
#[derive(Default)]
pub(super) struct Fingerprint(DefaultHasher);

impl Fingerprint {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.write_usize(bytes.len());
        self.0.write(bytes);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl CertificateFiles {
    /// Reads both files.
    pub(super) fn read(&self, fingerprint: &mut Fingerprint) -> Result<Contents, CertificateError> {
        let certificate = read_file(&self.certificate, |_| Ok(()))?;
        let key = Zeroizing::new(read_file(&self.key, |mode| private(&self.key, mode))?);
        fingerprint.add(&certificate);
        fingerprint.add(&key);
        Ok(Contents { certificate, key })
    }

    /// Parses what was read, and proves that key and certificate belong together.
    pub(super) fn parse(
        &self,
        contents: &Contents,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, CertificateError> {
        let unusable = |path: &Path, expected, reason: String| CertificateError::Unusable {
            path: path.to_owned(),
            expected,
            reason,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(&self.certificate, "certificate", error.to_string()))?;
        if chain.is_empty() {
            return Err(unusable(&self.certificate, "certificate", "the file has none".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .map_err(|error| unusable(&self.key, "private key", error.to_string()))?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| unusable(&self.key, "private key", error.to_string()))?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) => Ok(pair),
            Err(rustls::Error::InvalidCertificate(error)) => {
                Err(unusable(&self.certificate, "certificate", error.to_string()))
            }
            Err(_) => Err(CertificateError::Mismatch {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
            }),
        }
    }
}

fn private(path: &Path, mode: u32) -> Result<(), CertificateError> {
    if mode & EVERYONE == 0 {
        Ok(())
    } else {
        Err(CertificateError::Exposed { path: path.to_owned(), mode: mode & 0o7777 })
    }
}

/// Judges the permissions of the very file that is read.
pub(super) fn read_file(
    path: &Path,
    judge: impl Fn(u32) -> Result<(), CertificateError>,
) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    judge(file.metadata().map_err(unreadable)?.permissions().mode())?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
