//! ECR: repositories, images, layers, and the policies of repositories. JSON 1.1 (aws.md 7.4).

mod image;
mod layer;
mod lifecycle;
mod page;
mod registry;
mod repository;
mod shape;
mod wire;

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::ecr::Asker;
use crate::control::aws::ecr::registry::Absent;
use crate::control::aws::problem::AwsProblem;

operations! {
    /// The operations of ECR.
    Ecr, "ecr":
        BatchCheckLayerAvailability, BatchDeleteImage, BatchGetImage, BatchGetRepositoryScanningConfiguration,
        CompleteLayerUpload, CreatePullThroughCacheRule, CreateRepository, CreateRepositoryCreationTemplate,
        DeleteLifecyclePolicy, DeletePullThroughCacheRule, DeleteRegistryPolicy, DeleteRepository,
        DeleteRepositoryCreationTemplate, DeleteRepositoryPolicy, DeleteSigningConfiguration,
        DeregisterPullTimeUpdateExclusion, DescribeImageReplicationStatus, DescribeImageScanFindings,
        DescribeImageSigningStatus, DescribeImages, DescribePullThroughCacheRules, DescribeRegistry,
        DescribeRepositories, DescribeRepositoryCreationTemplates, GetAccountSetting, GetAuthorizationToken,
        GetDownloadUrlForLayer, GetLifecyclePolicy,
        GetLifecyclePolicyPreview, GetRegistryPolicy, GetRegistryScanningConfiguration, GetRepositoryPolicy,
        GetSigningConfiguration, InitiateLayerUpload, ListImages, ListPullTimeUpdateExclusions, ListTagsForResource,
        PutAccountSetting, PutImage, PutImageScanningConfiguration, PutImageTagMutability, PutLifecyclePolicy,
        PutRegistryPolicy, PutRegistryScanningConfiguration, PutReplicationConfiguration, PutSigningConfiguration,
        RegisterPullTimeUpdateExclusion, SetRepositoryPolicy, StartImageScan, StartLifecyclePolicyPreview, TagResource,
        UntagResource, UpdateImageStorageClass, UpdatePullThroughCacheRule, UpdateRepositoryCreationTemplate,
        UploadLayerPart, ValidatePullThroughCacheRule,
}

/// Who asks, of which registry.
fn asker<'a>(call: &'a AwsCall<'_>, registry_id: Option<&'a str>) -> Asker<'a> {
    Asker { caller: &call.caller, region: call.region, registry_id }
}

/// Answers a call.
///
/// # Errors
/// [`AwsProblem`]
pub async fn answer(operation: Ecr, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let absent = async |what| registry::absent(call, operation.label(), what).await;
    let not_offered = async |what| absent(Absent::NotOffered(what)).await;
    match operation {
        Ecr::BatchCheckLayerAvailability => layer::availability(call).await,
        Ecr::BatchDeleteImage => image::batch_delete(call).await,
        Ecr::BatchGetImage => image::batch_get(call).await,
        Ecr::BatchGetRepositoryScanningConfiguration => repository::scanning(call).await,
        Ecr::CompleteLayerUpload => layer::complete(call).await,
        Ecr::CreateRepository => repository::create(call).await,
        Ecr::DeleteLifecyclePolicy => lifecycle::delete(call).await,
        Ecr::DeleteRegistryPolicy => registry::delete_policy(call).await,
        Ecr::DeleteRepository => repository::delete(call).await,
        Ecr::DeleteRepositoryPolicy => repository::delete_policy(call).await,
        Ecr::DescribeImageReplicationStatus => image::replication_status(call).await,
        Ecr::DescribeImageScanFindings => image::scan_findings(call).await,
        Ecr::DescribeImageSigningStatus => image::signing_status(call).await,
        Ecr::DescribeImages => image::describe(call).await,
        Ecr::DescribeRegistry => registry::describe(call).await,
        Ecr::DescribeRepositories => repository::describe(call).await,
        Ecr::GetAccountSetting => registry::account_setting(call).await,
        Ecr::GetAuthorizationToken => layer::authorization(call).await,
        Ecr::GetDownloadUrlForLayer => layer::download(call).await,
        Ecr::GetLifecyclePolicy => lifecycle::read(call).await,
        Ecr::GetLifecyclePolicyPreview => lifecycle::preview(call).await,
        Ecr::GetRegistryPolicy => registry::policy(call).await,
        Ecr::GetRegistryScanningConfiguration => registry::scanning(call).await,
        Ecr::GetRepositoryPolicy => repository::repository_policy(call).await,
        Ecr::InitiateLayerUpload => layer::initiate(call).await,
        Ecr::ListImages => image::list(call).await,
        Ecr::ListTagsForResource => repository::list_tags(call).await,
        Ecr::PutAccountSetting => registry::put_account_setting(call).await,
        Ecr::PutImage => image::put(call).await,
        Ecr::PutImageScanningConfiguration => repository::put_scanning(call).await,
        Ecr::PutImageTagMutability => repository::put_mutability(call).await,
        Ecr::PutLifecyclePolicy => lifecycle::put(call).await,
        Ecr::PutRegistryPolicy => registry::put_policy(call).await,
        Ecr::PutRegistryScanningConfiguration => registry::put_scanning(call).await,
        Ecr::PutReplicationConfiguration => registry::put_replication(call).await,
        Ecr::SetRepositoryPolicy => repository::set_policy(call).await,
        Ecr::StartImageScan => image::start_scan(call).await,
        Ecr::StartLifecyclePolicyPreview => lifecycle::start_preview(call).await,
        Ecr::TagResource => repository::tag_resource(call).await,
        Ecr::UntagResource => repository::untag_resource(call).await,
        Ecr::UpdateImageStorageClass => image::storage_class(call).await,
        Ecr::UploadLayerPart => layer::part(call).await,
        Ecr::CreatePullThroughCacheRule => not_offered("pull-through caches").await,
        Ecr::CreateRepositoryCreationTemplate => not_offered("templates for new repositories").await,
        Ecr::PutSigningConfiguration => not_offered("signing of images on their way in").await,
        Ecr::RegisterPullTimeUpdateExclusion => not_offered("pulls that do not count").await,
        Ecr::DeletePullThroughCacheRule
        | Ecr::UpdatePullThroughCacheRule
        | Ecr::ValidatePullThroughCacheRule => absent(Absent::NoCacheRule).await,
        Ecr::DeleteRepositoryCreationTemplate | Ecr::UpdateRepositoryCreationTemplate => {
            absent(Absent::NoTemplate).await
        }
        Ecr::DeregisterPullTimeUpdateExclusion => absent(Absent::NoExclusion).await,
        Ecr::DeleteSigningConfiguration | Ecr::GetSigningConfiguration => absent(Absent::NoSigning).await,
        Ecr::DescribePullThroughCacheRules => {
            registry::empty(call, operation.label(), "pullThroughCacheRules", Absent::NoCacheRule).await
        }
        Ecr::DescribeRepositoryCreationTemplates => {
            registry::empty(call, operation.label(), "repositoryCreationTemplates", Absent::NoTemplate).await
        }
        Ecr::ListPullTimeUpdateExclusions => {
            registry::empty(call, operation.label(), "pullTimeUpdateExclusions", Absent::NoExclusion).await
        }
    }
}
