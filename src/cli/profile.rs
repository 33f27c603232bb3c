//! What is remembered between commands: the server, who is logged in, the region. Never an API key.
//!
//! The file holds tokens, so only its owner may read it, and it is replaced in one step.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::clock::UnixTime;

/// The file's content.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Profile {
    /// The server that commands talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<String>,
    /// Its certificate authority; absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ca_file: Option<PathBuf>,
    /// The targeted region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    /// Who is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) login: Option<Login>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Login {
    /// The tokens.
    pub(super) tokens: Tokens,
    /// Who.
    pub(super) who: Who,
}

/// A token for calls, and one to get the next. Its `Debug` shows neither.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Tokens {
    /// Goes with every call.
    pub(super) access: String,
    /// Buys the next pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
    /// When the access token ends.
    pub(super) expires_at: UnixTime,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Who a token proves: the answer of `GET /api/native/whoami`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Who {
    /// The account's id.
    pub(super) account_id: String,
    /// The account's name.
    #[serde(default)]
    pub(super) account_name: String,
    /// The principal.
    pub(super) iam_id: String,
    /// The principal's name.
    #[serde(default)]
    pub(super) name: String,
}

impl Profile {
    /// Reads the file in `directory`; an empty profile if there is none.
    pub(super) fn load(directory: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = directory.map(|directory| directory.join("config.json")) else {
            return Ok(Self::default());
        };
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::new(
                format!("{} cannot be read: {error}.", path.display()),
                "Remove it, and log in again with `portcullis login`.",
            )
        };
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| wrong(&error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(wrong(&error)),
        }
    }

    /// Replaces the file in `directory`.
    pub(super) fn save(&self, directory: Option<&Path>) -> Result<(), Failure> {
        let next = "Set PORTCULLIS_HOME to a directory that you can write to.";
        let directory = directory
            .ok_or_else(|| Failure::new("There is no home directory to remember the login in.", next))?;
        let write = || -> std::io::Result<()> {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let path = directory.join("config.json");
            let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
            replace(&path, &text)
        };
        write().map_err(|error| {
            Failure::new(format!("The login cannot be remembered in {}: {error}.", directory.display()), next)
        })
    }
}

/// Writes a file that only its owner may read, all of it or none.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let fresh = path.with_file_name(name);
    let _ = std::fs::remove_file(&fresh);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let written =
        file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&fresh, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Login, Profile, Tokens, Who};
    use crate::clock::UnixTime;

    #[test]
    fn only_the_owner_can_read_a_profile_and_it_comes_back_whole() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("deep/portcullis");
        assert!(Profile::load(Some(&directory)).unwrap().login.is_none());
        let tokens = Tokens { access: "a.b.c".into(), refresh: None, expires_at: UnixTime::from_seconds(9) };
        let profile = Profile { login: Some(Login { tokens, who: Who::default() }), ..Profile::default() };
        for _ in 0..2 {
            profile.save(Some(&directory)).unwrap();
        }
        let mode = std::fs::metadata(directory.join("config.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        let read = Profile::load(Some(&directory)).unwrap();
        assert_eq!(read.login.unwrap().tokens.access, "a.b.c");
        assert!(!format!("{profile:?}").contains("a.b.c"));
    }

    #[test]
    fn a_damaged_profile_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.json"), "{").unwrap();
        assert!(Profile::load(Some(home.path())).unwrap_err().next.contains("log in again"));
    }
}
