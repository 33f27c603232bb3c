//! Looks at the files that a configuration names, so that a missing one is a mistake and not a failure later on.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::mistake::Notes;
use super::section::{Placed, Section};
use super::settings::CertificateFiles;
use crate::credential::seal::MasterKey;

/// Permission bits of everyone. A group may read private files: that is how keys are shared with a service.
const EVERYONE: u32 = 0o007;

/// Who must not be able to use a file.
#[derive(Clone, Copy)]
enum Keep {
    /// Anyone may.
    Public,
    /// Not everyone.
    FromEveryone,
    /// Nobody else.
    FromOthers,
}

/// A file that anyone may read, for example a certificate.
pub(super) fn public(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, Keep::Public);
    Some(file.value)
}

/// A file that not everyone may read, for example a private key.
pub(super) fn private(section: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    let file = section.path(key)?;
    check(&file, section.notes, Keep::FromEveryone);
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
        check(file, notes, Keep::FromOthers);
    }
}

fn check(file: &Placed<PathBuf>, notes: &Notes, keep: Keep) {
    let path = file.value.display();
    let opened = std::fs::File::open(&file.value).and_then(|opened| opened.metadata());
    match opened {
        Err(error) => notes.mistake(&file.place, format!("`{path}` cannot be read: {error}")),
        Ok(found) if found.is_dir() => {
            notes.mistake(&file.place, format!("`{path}` is a directory, not a file"))
        }
        Ok(found) => {
            if let Some((who, whom)) = keep.broken(&found) {
                notes.mistake(&file.place, format!("{who} may use `{path}`; run: chmod {whom} {path}"));
            }
        }
    }
}

impl Keep {
    /// Who may use a file and should not, and what takes that away.
    fn broken(self, found: &Metadata) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Public => None,
            Self::FromEveryone => (found.mode() & EVERYONE != 0).then_some(("everyone", "o=")),
            Self::FromOthers => MasterKey::is_exposed(found.uid(), found.mode()).then_some(("others", "go=")),
        }
    }
}
