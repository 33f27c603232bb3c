//! Looks at the files that a configuration names, so that a missing one is a mistake and not a failure later on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::mistake::Notes;
use super::section::{Placed, Section};
use super::settings::CertificateFiles;

/// Permission bits of everyone. A group may read private files: that is how keys are shared with a service.
const EVERYONE: u32 = 0o007;
/// Permission bits of anybody but the owner.
const OTHERS: u32 = 0o077;

/// A file that anyone may read, for example a certificate.
pub(super) fn public(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, 0);
    Some(file.value)
}

/// A file that not everyone may read, for example a private key.
pub(super) fn private(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, EVERYONE);
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

/// The master key, which may not exist yet, and is nobody's but ours.
pub(super) fn check_master_key(file: &Placed<PathBuf>, notes: &Notes) {
    if file.value.exists() {
        check(file, notes, OTHERS);
    }
}

fn check(file: &Placed<PathBuf>, notes: &Notes, forbidden: u32) {
    let path = file.value.display();
    let opened = std::fs::File::open(&file.value).and_then(|opened| opened.metadata());
    match opened {
        Err(error) => notes.mistake(&file.place, format!("`{path}` cannot be read: {error}")),
        Ok(found) if found.is_dir() => {
            notes.mistake(&file.place, format!("`{path}` is a directory, not a file"))
        }
        Ok(found) if found.permissions().mode() & forbidden != 0 => {
            let (who, whom) = if forbidden == OTHERS { ("others", "go=") } else { ("everyone", "o=") };
            notes.mistake(&file.place, format!("{who} may use `{path}`; run: chmod {whom} {path}"));
        }
        Ok(_) => {}
    }
}
