//! `cr …`: the verbs and flags of the IBM Cloud container-registry plug-in.

use clap::{Args, Subcommand};

use super::ContainerClient;
use super::{shelf, va};
use crate::cli::cr::image;
use crate::cli::display::{Display, Output};
use crate::cli::template::Template;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Exempt a vulnerability, a notice or a configuration issue
    ExemptionAdd(va::ExemptionAdd),
    /// List exemptions
    #[command(visible_alias = "exemptions")]
    ExemptionList(va::ExemptionList),
    /// End an exemption
    ExemptionRm(va::Exemption),
    /// List what exemptions can be of
    ExemptionTypes(Formatted),
    /// Enforce IAM policies; this cannot be undone
    IamPoliciesEnable,
    /// Show whether IAM policies are enforced
    IamPoliciesStatus(Formatted),
    /// List the images that you may see
    #[command(visible_alias = "images")]
    ImageList(ImageList),
    /// List images by digest, those without tags too
    #[command(visible_alias = "digests")]
    ImageDigests(shelf::ImageDigests),
    /// Show what images say of themselves
    ImageInspect(shelf::Inspection),
    /// Delete all images without tags
    ImagePruneUntagged(shelf::PruneUntagged),
    /// Restore a deleted image
    ImageRestore(shelf::ImageRestore),
    /// Delete images with all their tags
    ImageRm(shelf::ImageNames),
    /// Give an image another name
    ImageTag(shelf::ImageTag),
    /// Take tags off images, which stay
    ImageUntag(shelf::ImageNames),
    /// Show the targeted registry, server and account
    Info(Formatted),
    /// Log docker or podman in to the targeted registry
    Login(Login),
    /// Show the manifests of images
    ManifestInspect(shelf::Inspection),
    /// Add a namespace
    NamespaceAdd(NamespaceAdd),
    /// Put a namespace into a resource group, for good
    NamespaceAssign(shelf::NamespaceAssign),
    /// List the namespaces that you may see
    #[command(visible_alias = "namespaces")]
    NamespaceList(NamespaceList),
    /// Remove a namespace and all its images
    NamespaceRm(NamespaceRm),
    /// Show the plan
    Plan(Formatted),
    /// Change the plan
    PlanUpgrade(shelf::PlanUpgrade),
    /// Publish platform metrics, or no longer
    PlatformMetrics(PrivateOnly),
    /// Refuse pulls and pushes over public networks, or no longer
    PrivateOnly(PrivateOnly),
    /// Show quotas and usage
    Quota(Formatted),
    /// Set quotas
    QuotaSet(shelf::QuotaSet),
    /// Show the targeted region and its registry
    Region(Formatted),
    /// Target a region
    RegionSet(RegionSet),
    /// List the retention policies of the namespaces that you may see
    RetentionPolicyList(Formatted),
    /// Keep so many images in each repository of a namespace, and delete others every day
    RetentionPolicySet(shelf::RetentionSet),
    /// Delete, once, all but so many images in each repository of a namespace
    RetentionRun(shelf::RetentionRun),
    /// List deleted images that can be restored
    TrashList(shelf::TrashList),
    /// Show what scanners have found in images
    #[command(visible_alias = "vulnerability-assessment")]
    Va(va::Va),
    /// Send a scanner's report about an image
    VaUpload(va::VaUpload),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Formatted {
    /// Print JSON instead of text
    #[arg(short, long, ignore_case = true, value_name = "FORMAT")]
    pub(in crate::cli) output: Option<Output>,
}

impl Formatted {
    /// How to show the result.
    pub(in crate::cli) fn display(&self) -> Display {
        Display { output: self.output, quiet: false }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Login {
    /// The program to log in; whichever is installed, docker first, unless given
    #[arg(long, ignore_case = true)]
    pub(in crate::cli) client: Option<ContainerClient>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct NamespaceAdd {
    /// The name: 4 to 30 lower-case letters, digits, hyphens and underscores
    pub(in crate::cli) namespace: String,
    /// The resource group that it gets into, for good
    #[arg(short = 'g', long, value_name = "GROUP")]
    pub(in crate::cli) resource_group: Option<String>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct NamespaceList {
    /// Also show when each was created
    #[arg(short, long)]
    pub(in crate::cli) verbose: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct NamespaceRm {
    /// The namespace
    pub(in crate::cli) namespace: String,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct PrivateOnly {
    /// Refuse them
    #[arg(long)]
    pub(in crate::cli) enable: bool,
    /// Let them through
    #[arg(long)]
    pub(in crate::cli) disable: bool,
    /// Show whether they are refused
    #[arg(long)]
    pub(in crate::cli) status: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RegionSet {
    /// The region; they are listed unless given
    pub(in crate::cli) region: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ImageList {
    /// Print each image by a Go template: '{{ .Repository }}:{{ .Tag }}'. There are Created, Digest, ManifestType,
    /// Namespace, Repository, SecurityStatus (with Status, IssueCount and ExemptionCount), Size and Tag
    #[arg(long, value_name = "TEMPLATE", value_parser = image::format, conflicts_with_all = ["quiet", "output"])]
    pub(in crate::cli) format: Option<Template>,
    /// Only this namespace, or this repository (NAMESPACE/REPOSITORY)
    #[arg(long, value_name = "WHERE")]
    pub(in crate::cli) restrict: Option<String>,
    /// Print only REPOSITORY:TAG
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// Do not shorten digests
    #[arg(long)]
    pub(in crate::cli) no_trunc: bool,
    /// Also show the type of each manifest
    #[arg(long)]
    pub(in crate::cli) show_type: bool,
    /// Accepted for compatibility: there are no IBM images
    #[arg(long, hide = true)]
    pub(in crate::cli) include_ibm: bool,
    /// Show the security status, which is shown anyway
    #[arg(long, hide = true, conflicts_with = "no_va")]
    pub(in crate::cli) va: bool,
    /// Leave out the security status
    #[arg(long)]
    pub(in crate::cli) no_va: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}
