//! Looks at the files that a configuration names, so that a missing one is a mistake and not a failure later on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::mistake::Notes;
use super::section::{Placed, Section};
use super::settings::CertificateFiles;

/// A file that anyone may read, for example a certificate.
pub(super) fn public(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, false);
    Some(file.value)
}

/// A file that only we may read, for example a private key.
pub(super) fn private(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, true);
    Some(file.value)
}

/// Reads a certificate and its key.
pub(super) fn certificate(mut section: Section<'_>) -> Option<CertificateFiles> {
    let advice = "name the PEM file with the certificate chain";
    let certificate = section.required("certificate", advice, public);
    let key = section.required("key", "name the PEM file with the private key", private);
    section.end();
    Some(CertificateFiles { certificate: certificate?, key: key? })
}

/// A private file that may not exist yet.
pub(super) fn check_private_if_present(file: &Placed<PathBuf>, notes: &Notes) {
    if file.value.exists() {
        check(file, notes, true);
    }
}

fn check(file: &Placed<PathBuf>, notes: &Notes, private: bool) {
    let path = file.value.display();
    let opened = std::fs::File::open(&file.value).and_then(|opened| opened.metadata());
    match opened {
        Err(error) => notes.mistake(&file.place, format!("`{path}` cannot be read: {error}")),
        Ok(found) if found.is_dir() => {
            notes.mistake(&file.place, format!("`{path}` is a directory, not a file"))
        }
        Ok(found) if private && found.permissions().mode() & 0o007 != 0 => {
            notes.mistake(&file.place, format!("everyone may read `{path}`; run: chmod o= {path}"));
        }
        Ok(_) => {}
    }
}
