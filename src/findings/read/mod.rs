//! Reads reports in the formats that scanners write: whoever sends one does not say which it is.
//!
//! The bytes are anybody's. They are bounded before they are read, typed reading bounds what is kept, and a report of which a
//! part cannot be read is refused whole: half a report would look like a better image.

mod attestation;
mod cyclonedx;
mod grype;
mod sarif;
mod trivy;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::finding::distinct;
use super::report::Report;

/// The longest report, in bytes.
pub const REPORT_MAX: usize = 32 << 20;

/// The most findings of one report.
pub const FINDINGS_MAX: usize = 100_000;

/// Why a report cannot be read. The texts are for whoever sent it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unread {
    /// It is none of the formats.
    #[error(
        "this is no report of a known format: send Trivy JSON, Grype JSON, SARIF 2.1, CycloneDX or an in-toto attestation of one"
    )]
    Format,
    /// It is of this format, and broken.
    #[error("this {0} report cannot be read: {1}")]
    Broken(&'static str, String),
    /// It is too much.
    #[error("the report is larger than {} MiB or has more than {FINDINGS_MAX} findings", REPORT_MAX >> 20)]
    TooLarge,
}

/// The members by which formats are told apart.
#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "SchemaVersion")]
    schema_version: Option<IgnoredAny>,
    #[serde(rename = "ArtifactName")]
    artifact_name: Option<IgnoredAny>,
    #[serde(rename = "Results")]
    results: Option<IgnoredAny>,
    matches: Option<IgnoredAny>,
    runs: Option<IgnoredAny>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<IgnoredAny>,
    #[serde(rename = "payloadType")]
    payload_type: Option<IgnoredAny>,
    #[serde(rename = "predicateType")]
    predicate_type: Option<IgnoredAny>,
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<IgnoredAny>,
}

/// Reads a report.
///
/// # Errors
/// [`Unread`]
pub fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let probe = probe(bytes)?;
    if probe.payload_type.is_some() || probe.envelope.is_some() || probe.predicate_type.is_some() {
        return attestation::read(bytes);
    }
    plain(bytes, &probe)
}

fn probe(bytes: &[u8]) -> Result<Probe, Unread> {
    if bytes.len() > REPORT_MAX {
        return Err(Unread::TooLarge);
    }
    // A list of members' values in their order would be read as an object otherwise.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Unread::Format);
    }
    serde_json::from_slice(bytes).map_err(|_| Unread::Format)
}

/// Reads a report that is in no envelope.
fn plain(bytes: &[u8], probe: &Probe) -> Result<Report, Unread> {
    let report = if probe.bom_format.is_some() {
        cyclonedx::read(bytes)
    } else if probe.runs.is_some() {
        sarif::read(bytes)
    } else if probe.matches.is_some() {
        grype::read(bytes)
    } else if probe.schema_version.is_some() && (probe.artifact_name.is_some() || probe.results.is_some()) {
        trivy::read(bytes)
    } else {
        Err(Unread::Format)
    }?;
    if report.findings.len() > FINDINGS_MAX || report.dismissed.len() > FINDINGS_MAX {
        return Err(Unread::TooLarge);
    }
    Ok(Report { findings: distinct(report.findings), ..report })
}

/// Reads a document of one format.
fn typed<T: DeserializeOwned>(format: &'static str, bytes: &[u8]) -> Result<T, Unread> {
    serde_json::from_slice(bytes).map_err(|error| Unread::Broken(format, error.to_string()))
}

/// What may be null or missing.
fn text(given: &Option<String>) -> &str {
    given.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
