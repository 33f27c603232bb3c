//! `cr va` and `cr exemption-…`: the verbs of Vulnerability Advisor.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::cr::Formatted;

#[derive(Args, Debug)]
pub(in crate::cli) struct Va {
    /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST, with or without the registry's host
    #[arg(required = true, value_name = "IMAGE")]
    pub(in crate::cli) images: Vec<String>,
    /// Also show what each finding is, and what mends it
    #[arg(short, long)]
    pub(in crate::cli) extended: bool,
    /// Only vulnerabilities
    #[arg(short, long, conflicts_with = "configuration_issues")]
    pub(in crate::cli) vulnerabilities: bool,
    /// Only configuration issues
    #[arg(short, long)]
    pub(in crate::cli) configuration_issues: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct VaUpload {
    /// The image that the report is about
    pub(in crate::cli) image: String,
    /// The report: Trivy JSON, Grype JSON, SARIF, CycloneDX, or an attestation of one; - reads standard input
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

/// What an exemption is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum IssueType {
    /// A failed check
    Configuration,
    /// A vulnerability
    Cve,
    /// A security notice
    Sn,
}

impl IssueType {
    /// As the API calls it.
    pub(in crate::cli) const fn label(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Cve => "cve",
            Self::Sn => "sn",
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Exemption {
    /// Where: "*", NAMESPACE, NAMESPACE/REPOSITORY, and that with :TAG or @DIGEST
    #[arg(long)]
    pub(in crate::cli) scope: String,
    /// Of what
    #[arg(long, ignore_case = true)]
    pub(in crate::cli) issue_type: IssueType,
    /// Which: CVE-2026-0001
    #[arg(long)]
    pub(in crate::cli) issue_id: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExemptionAdd {
    #[command(flatten)]
    pub(in crate::cli) which: Exemption,
    /// Until when: 2026-12-31T00:00:00Z; for good unless given
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) expires: Option<String>,
    /// Why
    #[arg(long)]
    pub(in crate::cli) reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ExemptionList {
    /// Only those of this scope; all unless given
    #[arg(long)]
    pub(in crate::cli) scope: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}
