//! One report: what a scanner, or somebody who has looked into its findings, says of an image.

use super::finding::Finding;
use super::severity::Severity;
use crate::clock::UnixTime;
use crate::registry::reference::Digest;

/// In which format a report came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Format {
    /// CycloneDX, as a bill of materials with vulnerabilities or as VEX.
    CycloneDx,
    /// Grype's own JSON.
    Grype,
    /// SARIF 2.1.
    Sarif,
    /// Trivy's own JSON.
    Trivy,
}

impl Format {
    /// All.
    pub const ALL: [Self; 4] = [Self::CycloneDx, Self::Grype, Self::Sarif, Self::Trivy];

    /// As it is stored and shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CycloneDx => "cyclonedx",
            Self::Grype => "grype",
            Self::Sarif => "sarif",
            Self::Trivy => "trivy",
        }
    }

    /// Reads a label.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.label() == label)
    }
}

/// The distribution that an image is made of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Os {
    /// `debian`.
    pub name: Box<str>,
    /// `12.5`.
    pub version: Box<str>,
}

/// What was read of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// In which format.
    pub format: Format,
    /// What made it.
    pub tool: Box<str>,
    /// When, if it says so.
    pub made_at: Option<UnixTime>,
    /// The distribution, if it says so.
    pub os: Option<Os>,
    /// Whether the image was looked at, and not only what had been found.
    pub is_scan: bool,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The vulnerabilities that the image is said not to have.
    pub dismissed: Vec<Box<str>>,
    /// The digests that it says it is about, where that is a part of the format; none says nothing.
    pub subjects: Vec<Digest>,
}

/// How many findings of each severity, in the order of [`Severity::ALL`].
pub type Counts = [u32; Severity::ALL.len()];

/// Counts findings by severity, each only once.
#[must_use]
pub fn counts<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Counts {
    let mut counts = Counts::default();
    for finding in findings {
        if let Some(count) = counts.get_mut(finding.severity as usize) {
            *count = count.saturating_add(1);
        }
    }
    counts
}
