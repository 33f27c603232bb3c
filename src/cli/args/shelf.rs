//! `cr …`: the verbs of single images, the trash, quotas and retention.

use clap::Args;

use super::cr::Formatted;
use crate::cli::cr::digest;
use crate::cli::template::Template;

#[derive(Args, Debug)]
pub(in crate::cli) struct ImageDigests {
    /// Print each image by a Go template: '{{ if not .Tags }}{{ .Repository }}@{{ .Digest }}{{ end }}'. There are Created, Digest,
    /// ManifestType, Repository, SecurityStatus (with Status, IssueCount and ExemptionCount), Size and Tags
    #[arg(long, value_name = "TEMPLATE", value_parser = digest::format, conflicts_with_all = ["quiet", "output"])]
    pub(in crate::cli) format: Option<Template>,
    /// Only this namespace, or this repository (NAMESPACE/REPOSITORY)
    #[arg(long, value_name = "WHERE")]
    pub(in crate::cli) restrict: Option<String>,
    /// Print only REPOSITORY@DIGEST
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// Accepted for compatibility: digests are never shortened here
    #[arg(long, hide = true)]
    no_trunc: bool,
    /// Accepted for compatibility: there are no IBM images
    #[arg(long, hide = true)]
    pub(in crate::cli) include_ibm: bool,
    /// Accepted for compatibility
    #[arg(long, hide = true)]
    pub(in crate::cli) va: bool,
    /// Accepted for compatibility
    #[arg(long, hide = true, conflicts_with = "va")]
    pub(in crate::cli) no_va: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImageNames {
    /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST, with or without the registry's host
    #[arg(required = true, value_name = "IMAGE")]
    pub(in crate::cli) images: Vec<String>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Inspection {
    /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST, with or without the registry's host
    #[arg(required = true, value_name = "IMAGE")]
    pub(in crate::cli) images: Vec<String>,
    /// Print nothing but the documents
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImageTag {
    /// The image as it is called now
    pub(in crate::cli) source: String,
    /// The name that it gets as well: REPOSITORY:TAG, in the same registry
    pub(in crate::cli) target: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImageRestore {
    /// The deleted image: REPOSITORY:TAG, or REPOSITORY@DIGEST for all the tags that it had
    pub(in crate::cli) image: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PruneUntagged {
    /// Only this namespace, or this repository (NAMESPACE/REPOSITORY)
    #[arg(long, value_name = "WHERE")]
    pub(in crate::cli) restrict: Option<String>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct TrashList {
    /// Only this namespace
    #[arg(long, value_name = "NAMESPACE")]
    pub(in crate::cli) restrict: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct QuotaSet {
    /// The most megabytes that are pulled over public networks in a month; -1 is any number
    #[arg(long, value_name = "MB", allow_hyphen_values = true)]
    pub(in crate::cli) traffic: Option<i64>,
    /// The most megabytes that images may hold; -1 is any number
    #[arg(long, value_name = "MB", allow_hyphen_values = true)]
    pub(in crate::cli) storage: Option<i64>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PlanUpgrade {
    /// The plan
    #[arg(default_value = "standard")]
    pub(in crate::cli) plan: String,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RetentionSet {
    /// The namespace
    pub(in crate::cli) namespace: String,
    #[command(flatten)]
    pub(in crate::cli) which: Keeping,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RetentionRun {
    /// The namespace
    pub(in crate::cli) namespace: String,
    #[command(flatten)]
    pub(in crate::cli) which: Keeping,
    /// Do not ask for confirmation
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(in crate::cli) force: bool,
    /// Only show what would be deleted
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

/// Which images are kept.
#[derive(Args, Debug)]
pub(in crate::cli) struct Keeping {
    /// How many images of each repository are kept, the newest first; or All
    #[arg(long, value_name = "N", value_parser = images)]
    pub(in crate::cli) images: i64,
    /// Keep images without tags, and do not count them
    #[arg(long)]
    pub(in crate::cli) retain_untagged: bool,
    /// Also keep images that are not older than this many days
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) deletion_threshold_days: Option<u32>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct NamespaceAssign {
    /// The namespace
    pub(in crate::cli) namespace: String,
    /// The resource group that it gets into, for good
    #[arg(short = 'g', long, value_name = "GROUP")]
    pub(in crate::cli) resource_group: String,
}

/// -1 is all.
fn images(text: &str) -> Result<i64, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(-1);
    }
    let number = text.parse().ok().filter(|number| (1..=i64::from(u32::MAX)).contains(number));
    number.ok_or_else(|| "write a number of images, or All".to_owned())
}
