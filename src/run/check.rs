//! `check`: would these settings start a server?

use std::path::Path;

use super::failure::Failure;
use super::plan;
use crate::acme::place;
use crate::config;
use crate::config::settings::Settings;
use crate::forward::Forwarder;

/// Reads and checks a configuration, and everything that it names.
///
/// # Errors
/// [`Failure`] with every mistake.
pub fn load(path: &Path, environment: &[(String, String)]) -> Result<config::Loaded, Failure> {
    config::load(path, environment.iter().cloned()).map_err(|mistakes| Failure::plain(mistakes.to_string()))
}

/// Opens what settings name, without starting anything.
///
/// # Errors
/// [`Failure`] with the first file that cannot be used.
pub fn openable(settings: &Settings) -> Result<(), Failure> {
    plan::listeners(&without_missing(settings))?;
    for registry in &settings.registries {
        let upstream = plan::upstream(&registry.upstream)?;
        Forwarder::new(upstream).map_err(|error| Failure::plain(error.to_string()))?;
    }
    Ok(())
}

/// Without the certificate that an authority has not given yet, and that `serve` makes a stand-in for.
fn without_missing(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let missing = settings
        .acme
        .as_ref()
        .map(|acme| place::files(&acme.folder).certificate)
        .filter(|file| !file.exists());
    for listener in &mut settings.listeners {
        listener.tls.retain(|pair| Some(&pair.certificate) != missing.as_ref());
    }
    settings
}
