//! What calls of ECR say, as JSON.

use serde::Deserialize;

use crate::control::aws::ecr::image::{ImageId, TagStatus};
use crate::control::aws::ecr::{invalid, repository_name};
use crate::control::aws::problem::AwsProblem;
use crate::registry::name::RepositoryName;

/// A call that names a repository.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository<T> {
    pub(super) registry_id: Option<String>,
    repository_name: String,
    #[serde(flatten)]
    pub(super) rest: T,
}

impl<T> Repository<T> {
    pub(super) fn name(&self) -> Result<RepositoryName, AwsProblem> {
        repository_name(&self.repository_name)
    }
}

/// A call that says nothing more.
#[derive(Deserialize)]
pub(super) struct NoMore {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    pub(super) registry_id: Option<String>,
    pub(super) repository_names: Option<Vec<String>>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) image_tag_mutability: Option<String>,
    pub(super) image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
    pub(super) image_scanning_configuration: Option<Scanning>,
    pub(super) encryption_configuration: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    pub(super) filter_type: String,
    pub(super) filter: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scanning {
    #[serde(default)]
    pub(super) scan_on_push: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    pub(super) encryption_type: String,
}

#[derive(Deserialize)]
pub(super) struct Forced {
    #[serde(default)]
    pub(super) force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    pub(super) policy_text: String,
    #[serde(default)]
    pub(super) force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mutability {
    pub(super) image_tag_mutability: String,
    pub(super) image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutScanning {
    pub(super) image_scanning_configuration: Scanning,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<u32>,
    pub(super) filter: Option<Status>,
    pub(super) image_ids: Option<Vec<Image>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    tag_status: Option<String>,
}

impl Listed {
    pub(super) fn status(&self) -> Result<TagStatus, AwsProblem> {
        match self.filter.as_ref().and_then(|filter| filter.tag_status.as_deref()) {
            None | Some("ANY") => Ok(TagStatus::Any),
            Some("TAGGED") => Ok(TagStatus::Tagged),
            Some("UNTAGGED") => Ok(TagStatus::Untagged),
            Some(_) => Err(invalid("filter.tagStatus", "must be TAGGED, UNTAGGED or ANY")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    image_digest: Option<String>,
    image_tag: Option<String>,
}

impl From<Image> for ImageId {
    fn from(image: Image) -> Self {
        Self { digest: image.image_digest, tag: image.image_tag }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Images {
    image_ids: Vec<Image>,
}

impl Images {
    pub(super) fn ids(self) -> Result<Vec<ImageId>, AwsProblem> {
        if !(1..=100).contains(&self.image_ids.len()) {
            return Err(invalid("imageIds", "must have 1 to 100 members"));
        }
        Ok(self.image_ids.into_iter().map(ImageId::from).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneImage {
    pub(super) image_id: Image,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScanFindings {
    pub(super) image_id: Image,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Referrers {
    pub(super) subject_id: Subject,
    pub(super) filter: Option<Artifacts>,
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subject {
    pub(super) image_digest: String,
}

/// Everything is active: nothing is ever archived here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifacts {
    pub(super) artifact_types: Option<Vec<String>>,
    pub(super) artifact_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutImage {
    pub(super) image_manifest: String,
    pub(super) image_manifest_media_type: Option<String>,
    pub(super) image_tag: Option<String>,
    pub(super) image_digest: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layers {
    pub(super) layer_digests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer {
    pub(super) layer_digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    pub(super) upload_id: String,
    pub(super) part_first_byte: u64,
    pub(super) part_last_byte: u64,
    pub(super) layer_part_blob: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompletedUpload {
    pub(super) upload_id: String,
    pub(super) layer_digests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lifecycle {
    pub(super) lifecycle_policy_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tagged {
    pub(super) resource_arn: String,
    pub(super) tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Untagged {
    pub(super) resource_arn: String,
    pub(super) tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    pub(super) resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registries {
    pub(super) registry_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistryPolicy {
    pub(super) policy_text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replication {
    pub(super) replication_configuration: Rules,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistryScanning {
    pub(super) scan_type: Option<String>,
    pub(super) rules: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
pub(super) struct Rules {
    #[serde(default)]
    pub(super) rules: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Names {
    pub(super) repository_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prefixes {
    #[serde(alias = "prefixes")]
    pub(super) ecr_repository_prefixes: Option<Vec<String>>,
}
