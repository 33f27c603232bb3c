//! Files that only we may read: written whole or not at all, refused when others can read them.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::clock::Entropy;
use crate::credential::seal::MasterKey;

/// Makes a directory (and its parents) that only we can enter. An existing one is left as it is.
///
/// # Errors
/// The operating system's.
pub fn private_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only we can read, in one step: it is there whole, or the old one is.
///
/// # Errors
/// The operating system's.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with_mode(path, content, 0o600)
}

/// Writes a file that everyone may read, in one step.
///
/// # Errors
/// The operating system's.
pub fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with_mode(path, content, 0o644)
}

fn write_with_mode(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// Why the master key is not to be had; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// It cannot be read or written.
    #[error("master key {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("master key {0}: others can read it; `chmod 600` it, and consider what it seals known")]
    Exposed(PathBuf),
    /// It is not one.
    #[error("master key {0}: not a master key; restore the file that `init` made")]
    Malformed(PathBuf),
}

/// Reads the master key.
///
/// # Errors
/// [`MasterKeyError`].
pub fn read_master_key(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
    let found = fs::metadata(path).map_err(io)?;
    if MasterKey::is_exposed(found.uid(), found.mode()) {
        return Err(MasterKeyError::Exposed(path.to_owned()));
    }
    let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    MasterKey::parse(text.trim_end()).map_err(|_| MasterKeyError::Malformed(path.to_owned()))
}

/// Reads the master key, or makes one if there is none.
///
/// # Errors
/// [`MasterKeyError`].
pub fn ensure_master_key(path: &Path, entropy: &dyn Entropy) -> Result<MasterKey, MasterKeyError> {
    let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
    if !path.try_exists().map_err(io)? {
        private_directory(path.parent().unwrap_or(Path::new(""))).map_err(io)?;
        let key = MasterKey::fresh(entropy);
        let line = zeroize::Zeroizing::new(format!("{}\n", key.encode().expose()));
        write_private(path, line.as_bytes()).map_err(io)?;
    }
    read_master_key(path)
}
