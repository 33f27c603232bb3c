//! Where account, certificate and key lie. What is there is always a pair that a listener can serve: one is replaced only by
//! another that has been tried, and the first is one that we sign ourselves, until the authority has signed a better one.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair};
use zeroize::Zeroizing;

use super::AcmeError;
use crate::edge::tls::{self, CertificateFiles};
use crate::ids::host::HostName;

/// The files of the certificate in a folder.
#[must_use]
pub fn files(folder: &Path) -> CertificateFiles {
    CertificateFiles { certificate: folder.join("acme.crt"), key: folder.join("acme.key") }
}

/// Makes the folder, and a pair to begin with, unless a usable one is there.
///
/// # Errors
/// [`AcmeError`] when the folder cannot be made or written to.
pub fn prepare(folder: &Path, names: &[HostName]) -> Result<(), AcmeError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| AcmeError::File { path: folder.to_owned(), source })?;
    if tls::usable(&files(folder)).is_ok() {
        return Ok(());
    }
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = request(names)?.self_signed(&key)?;
    replace(folder, &certificate.pem(), &Zeroizing::new(key.serialize_pem()))
}

/// What a certificate says of itself.
pub(super) fn request(names: &[HostName]) -> Result<CertificateParams, AcmeError> {
    let texts: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let mut params = CertificateParams::new(texts)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(first) = names.first() {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    Ok(params)
}

/// Puts a new pair in place of the old one, if it can be used.
///
/// # Errors
/// [`AcmeError`]; then the old one is still there.
pub(super) fn replace(folder: &Path, chain: &str, key: &Zeroizing<String>) -> Result<(), AcmeError> {
    let (old, new) = (
        files(folder),
        CertificateFiles { certificate: folder.join("acme.crt.new"), key: folder.join("acme.key.new") },
    );
    write(&new.certificate, chain.as_bytes())?;
    write(&new.key, key.as_bytes())?;
    tls::usable(&new)?;
    // Between the two, the pair does not match, which listeners notice: they keep what they have.
    for (from, to) in [(new.key, old.key), (new.certificate, old.certificate)] {
        fs::rename(&from, &to).map_err(|source| AcmeError::File { path: to, source })?;
    }
    Ok(())
}

/// The certificate that lies there; empty if it cannot be read.
#[must_use]
pub fn certificate(folder: &Path) -> Vec<u8> {
    fs::read(files(folder).certificate).unwrap_or_default()
}

/// The account's file, one for each authority.
pub(super) fn account(folder: &Path, directory: &str) -> PathBuf {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, directory.as_bytes());
    let short = digest.as_ref().get(..8).unwrap_or_default();
    folder.join(format!("account-{}.json", data_encoding::HEXLOWER.encode(short)))
}

/// Writes a file that only we can read.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), AcmeError> {
    let error = |source| AcmeError::File { path: path.to_owned(), source };
    let opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = opened.map_err(error)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(error)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{certificate, files, prepare, replace};
    use crate::edge::tls;
    use crate::ids::host::HostName;

    #[test]
    fn there_is_always_a_pair_that_can_be_served() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, names) = (folder.path().join("acme"), [HostName::parse("us.registry.test").unwrap()]);
        prepare(&folder, &names).unwrap();
        let first = certificate(&folder);
        prepare(&folder, &names).unwrap();
        assert_eq!(certificate(&folder), first, "a usable one stays");
        assert!(replace(&folder, "no chain", &Zeroizing::new("no key".to_owned())).is_err());
        assert_eq!(certificate(&folder), first);
        std::fs::write(files(&folder).key, "half").unwrap();
        prepare(&folder, &names).unwrap();
        assert!(certificate(&folder) != first && tls::usable(&files(&folder)).is_ok());
    }
}
