//! The settings: one TOML file, overridden by environment variables, checked as a whole.
//!
//! Every mistake is reported at once, with its place, and none is passed over: an unknown key is a mistake. Nothing here
//! reads the process's environment (only `main` does) and nothing here holds a secret: secrets are named by file.

use std::path::Path;

use self::mistake::Mistakes;
use self::settings::Settings;

pub mod amount;
mod check;
mod files;
mod layer;
pub mod mistake;
pub mod profile;
mod raw;
mod section;
pub mod settings;
mod upstream;

/// A configuration without mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What was set, and the defaults for the rest.
    pub settings: Settings,
    /// What works, but is probably not meant: one sentence each, with its place.
    pub warnings: Vec<String>,
}

/// Reads the file, lays the environment over it (`PORTCULLIS__STORE__URL`, `PORTCULLIS__REGISTRY__0__UPSTREAM`), and
/// checks the result, including the files that it names. Other variables are not looked at.
///
/// # Errors
/// All [`Mistakes`], also when the file cannot be read.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text, environment),
        Err(error) => Err(Mistakes::unreadable(path, &error)),
    }
}

/// Like [`load`], for a text that stands for the file at `path`.
///
/// # Errors
/// All [`Mistakes`].
pub fn parse(
    path: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, Mistakes> {
    let notes = mistake::Notes::default();
    let mut table = raw::read(text, &notes);
    if notes.is_empty() {
        layer::overlay(&mut table, environment, &notes);
        if let Some(settings) = check::settings(table, &notes) {
            let (mistakes, warnings) = notes.into_parts(path);
            return if mistakes.is_empty() { Ok(Loaded { settings, warnings }) } else { Err(mistakes) };
        }
    }
    Err(notes.into_parts(path).0)
}

#[cfg(test)]
mod tests;
