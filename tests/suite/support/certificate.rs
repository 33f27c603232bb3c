//! A certificate authority, its server certificate, and those of its clients, made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

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
    make_for(folder, &NAMES)
}

/// The same, for other names.
pub(crate) fn make_for(folder: &Path, names: &[&str]) -> Certificate {
    let authority = Authority::new(folder, "ca");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    let (chain, key) = authority.issue(folder, "tls", &leaf);
    Certificate { ca: authority.pem, chain, key }
}

/// An authority.
pub(crate) struct Authority {
    /// The file with its certificate.
    pub(crate) pem: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A fresh one, in the file `NAME.crt`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(DnType::CommonName, "The suite's authority");
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // By the first method of RFC 5280 §4.2.1.2, which acme2certifier takes for granted.
        let identifier = digest(&SHA1_FOR_LEGACY_USE_ONLY, key.public_key_raw()).as_ref().to_vec();
        authority.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        let pem = write(folder, &format!("{name}.crt"), &authority.self_signed(&key).unwrap().pem());
        Self { pem, issuer: Issuer::new(authority, key) }
    }

    /// The files of a client's certificate and key.
    pub(crate) fn client(&self, folder: &Path, name: &str, serial: u64) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let uri = format!("spiffe://suite.test/{name}").try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        params.serial_number = Some(SerialNumber::from(serial));
        self.issue(folder, name, &params)
    }

    /// Lists what it has revoked, in the file `NAME.crl`.
    pub(crate) fn revoke(&self, folder: &Path, name: &str, serials: &[u64]) -> PathBuf {
        let long_ago = date_time_ymd(2020, 1, 1);
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: long_ago,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: long_ago,
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        write(folder, &format!("{name}.crl"), &list.signed_by(&self.issuer).unwrap().pem().unwrap())
    }

    /// Writes its own key to the file `NAME.key`.
    pub(crate) fn write_key(&self, folder: &Path, name: &str) {
        write(folder, &format!("{name}.key"), &self.issuer.key().serialize_pem());
    }

    /// The files of a certificate as described and its key.
    pub(crate) fn issue(&self, folder: &Path, name: &str, params: &CertificateParams) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let chain = write(folder, &format!("{name}.crt"), &pem);
        (chain, write(folder, &format!("{name}.key"), &key.serialize_pem()))
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    // A key that others may read is refused.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
