//! A certificate authority and a server certificate, made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Where the PEM files lie.
pub(crate) struct Certificate {
    pub(crate) ca: PathBuf,
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// The names that a test's server may be called by.
const NAMES: [&str; 4] = ["localhost", "us.registry.test", "private.us.registry.test", "127.0.0.1"];

/// Makes `ca.crt`, `tls.crt` and `tls.key` in a folder.
pub(crate) fn make(folder: &Path) -> Certificate {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "The suite's authority");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    let pem = leaf.signed_by(&key, &issuer).unwrap().pem();

    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        // A key that others may read is refused.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    Certificate {
        ca: write("ca.crt", &authority_pem),
        chain: write("tls.crt", &pem),
        key: write("tls.key", &key.serialize_pem()),
    }
}
