//! `check`: would these settings start a server?

use std::path::Path;

use super::failure::Failure;
use super::plan;
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
    plan::listeners(settings)?;
    for registry in &settings.registries {
        let upstream = plan::upstream(&registry.upstream)?;
        Forwarder::new(upstream).map_err(|error| Failure::plain(error.to_string()))?;
    }
    Ok(())
}
