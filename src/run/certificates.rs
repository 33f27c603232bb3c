//! A certificate authority and a server certificate for `quickstart`: ECDSA P-256, because no client resumes sessions and
//! a full RSA handshake costs three times as much.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::files::{private_directory, write_private, write_public};

/// Where the files are.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate, for clients.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// They cannot be made.
    #[error("making the certificates: {0}")]
    Make(#[from] rcgen::Error),
    /// They cannot be written.
    #[error("writing the certificates: {0}")]
    Write(#[from] std::io::Error),
}

/// Makes the authority and a certificate for `names` in `directory`, unless they are there.
///
/// # Errors
/// [`CertificateError`].
pub fn ensure(directory: &Path, names: &[String]) -> Result<Certificates, CertificateError> {
    let files = Certificates {
        authority: directory.join("ca.crt"),
        certificate: directory.join("tls.crt"),
        key: directory.join("tls.key"),
    };
    if files.authority.exists() && files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let authority_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Portcullis quickstart CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut leaf = CertificateParams::new(names.to_vec())?;
    let name = names.first().map_or("localhost", String::as_str);
    leaf.distinguished_name.push(DnType::CommonName, name);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &issuer)?;

    write_private(&files.key, key.serialize_pem().as_bytes())?;
    write_public(&files.certificate, certificate.pem().as_bytes())?;
    // podman and skopeo take a directory, in which they read every `.crt` as an authority.
    let directory = directory.join("certs");
    private_directory(&directory)?;
    write_public(&directory.join("ca.crt"), authority_certificate.pem().as_bytes())?;
    // The last, because its presence says that all is there.
    write_public(&files.authority, authority_certificate.pem().as_bytes())?;
    Ok(files)
}
