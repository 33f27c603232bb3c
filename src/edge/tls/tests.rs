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
    let first = store.current();
    assert!(!store.reload_if_changed().unwrap());

    // F-13: the key arrives first, then half of the certificate, then the rest.
    let next = pair(directory.path(), "next", &["a.test"]);
    std::fs::copy(&next.key, &files.key).unwrap();
    assert!(store.reload_if_changed().is_err());
    let whole = std::fs::read(&next.certificate).unwrap();
    std::fs::write(&files.certificate, &whole[..whole.len() / 2]).unwrap();
    assert!(store.reload_if_changed().is_err());
    assert!(std::sync::Arc::ptr_eq(&first, &store.current()), "the old pair is still served");
    std::fs::write(&files.certificate, &whole).unwrap();
    assert!(store.reload_if_changed().unwrap());
    assert!(!std::sync::Arc::ptr_eq(&first, &store.current()));
}
