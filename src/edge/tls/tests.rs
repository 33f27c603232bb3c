//! Certificate files as they come: by name, exposed, mismatched, half written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{CertificateError, CertificateFiles, CertificateStore};

/// Writes a self-signed pair for `names` and returns its files.
fn pair(directory: &Path, stem: &str, names: &[&str]) -> CertificateFiles {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let files = CertificateFiles {
        certificate: directory.join(format!("{stem}.crt")),
        key: directory.join(format!("{stem}.key")),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
    files
}

fn chosen(files: &[CertificateFiles], name: Option<&str>) -> usize {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut fingerprint = super::files::Fingerprint::default();
    let mut parse =
        |f: &CertificateFiles| f.parse(&f.read(&mut fingerprint).unwrap(), &provider).unwrap().into();
    let by_name = super::ByName { keys: files.iter().map(&mut parse).collect() };
    let key = by_name.choose(name, |_| true).unwrap();
    by_name.keys.iter().position(|k| k.cert == key.cert).unwrap()
}

#[test]
fn a_certificate_is_chosen_by_name_and_the_first_is_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        pair(directory.path(), "a", &["a.test"]),
        pair(directory.path(), "b", &["b.test"]),
        pair(directory.path(), "w", &["*.w.test"]),
    ];
    for (name, expected) in [
        (Some("a.test"), 0),
        (Some("b.test"), 1),
        (Some("B.TEST"), 1),
        (Some("x.w.test"), 2),
        (Some("x.y.w.test"), 0),
        (Some("unknown.test"), 0),
        (None, 0),
    ] {
        assert_eq!(chosen(&files, name), expected, "{name:?}");
    }
}

#[test]
fn a_key_that_everyone_may_read_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let files = pair(directory.path(), "a", &["a.test"]);
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(CertificateStore::load(vec![files.clone()]).is_ok(), "a group may share a key");
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o604)).unwrap();
    let error = CertificateStore::load(vec![files]).unwrap_err();
    assert!(matches!(error, CertificateError::Exposed { mode: 0o604, .. }));
    assert!(error.to_string().contains("a.key") && error.to_string().contains("chmod o="), "{error}");
}

#[test]
fn files_that_do_not_belong_together_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let (a, b) = (pair(directory.path(), "a", &["a.test"]), pair(directory.path(), "b", &["b.test"]));
    let crossed = CertificateFiles { certificate: a.certificate.clone(), key: b.key.clone() };
    let error = CertificateStore::load(vec![crossed]).unwrap_err();
    assert!(matches!(error, CertificateError::Mismatch { .. }), "{error}");
    std::fs::write(&a.certificate, "").unwrap();
    let error = CertificateStore::load(vec![a.clone()]).unwrap_err();
    assert!(error.to_string().contains("a.crt holds no usable certificate"), "{error}");
    std::fs::write(&b.key, "no key").unwrap();
    let error = CertificateStore::load(vec![b]).unwrap_err();
    assert!(error.to_string().contains("b.key holds no usable private key"), "{error}");
    std::fs::remove_file(&a.certificate).unwrap();
    assert!(matches!(CertificateStore::load(vec![a]), Err(CertificateError::Unreadable { .. })));
    assert!(matches!(CertificateStore::load(vec![]), Err(CertificateError::None)));
}

#[test]
fn a_new_pair_takes_effect_only_when_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let files = pair(directory.path(), "a", &["a.test"]);
    let store = CertificateStore::load(vec![files.clone()]).unwrap();
    let first = store.current().config;
    assert!(!store.reload_if_changed().unwrap());

    // F-13: the key arrives first, then half of the certificate, then the rest.
    let next = pair(directory.path(), "next", &["a.test"]);
    std::fs::copy(&next.key, &files.key).unwrap();
    assert!(store.reload_if_changed().is_err());
    let whole = std::fs::read(&next.certificate).unwrap();
    std::fs::write(&files.certificate, &whole[..whole.len() / 2]).unwrap();
    assert!(store.reload_if_changed().is_err());
    assert!(std::sync::Arc::ptr_eq(&first, &store.current().config), "the old pair is still served");
    std::fs::write(&files.certificate, &whole).unwrap();
    assert!(store.reload_if_changed().unwrap());
    assert!(!std::sync::Arc::ptr_eq(&first, &store.current().config));
}

/// What a client sees that speaks these protocols: the one that is chosen, and the certificate.
fn seen(store: &CertificateStore, name: &str, protocols: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // Nobody is trusted: the certificate is only looked at.
    let mut config =
        builder.unwrap().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let looked = std::sync::Arc::new(Looked(std::sync::Mutex::default()));
    config.dangerous().set_certificate_verifier(looked.clone());
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
    let mut server = rustls::ServerConnection::new(store.current().config).unwrap();
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &*wire).unwrap();
        server.process_new_packets().ok()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &*wire).unwrap();
        client.process_new_packets().ok()?;
    }
    let certificate = looked.0.lock().unwrap().clone();
    Some((client.alpn_protocol().unwrap_or_default().to_vec(), certificate))
}

/// Remembers the certificate that it is shown.
#[derive(Debug)]
struct Looked(std::sync::Mutex<Vec<u8>>);

impl rustls::client::danger::ServerCertVerifier for Looked {
    fn verify_server_cert(
        &self,
        shown: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = shown.to_vec();
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// RFC 8737; H-11
#[test]
fn a_proof_is_shown_to_whoever_asks_for_nothing_else_and_only_while_it_is_needed() {
    let directory = tempfile::tempdir().unwrap();
    let store = CertificateStore::load(vec![pair(directory.path(), "a", &["a.test"])]).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().into();
    let proof = super::Proof { name: "A.test".to_owned(), certificate: made.cert.der().to_vec(), key };
    let (http, acme): (&[u8], &[u8]) = (b"http/1.1", b"acme-tls/1");

    assert!(seen(&store, "a.test", &[acme]).is_none());
    let own = seen(&store, "a.test", &[http]).unwrap();
    store.prove(std::slice::from_ref(&proof)).unwrap();
    assert_eq!(seen(&store, "a.test", &[acme]).unwrap(), (acme.to_vec(), proof.certificate.clone()));
    for offered in [&[http][..], &[acme, http], &[http, acme]] {
        assert_eq!(seen(&store, "a.test", offered).unwrap(), own, "for clients that also speak HTTP");
    }
    assert!(seen(&store, "b.test", &[acme]).is_none(), "there is no proof of that name");
    store.stop_proving();
    assert!(seen(&store, "a.test", &[acme]).is_none());
}
