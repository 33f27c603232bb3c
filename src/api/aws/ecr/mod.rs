//! ECR: repositories, images, layers, and the policies of repositories. JSON 1.1.

mod image;
mod layer;
mod lifecycle;
mod page;
mod registry;
mod repository;
mod scan;
mod shape;
mod wire;

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::ecr::Asker;
use crate::control::aws::ecr::registry::Absent;
use crate::control::aws::problem::AwsProblem;

/// Defines the operations, each with what answers it.
macro_rules! answers {
    ($($name:ident: $module:ident::$handler:ident $(($($argument:expr),+))?),+ $(,)?) => {
        operations! {
            /// The operations of ECR.
            Ecr, "ecr": $($name),+,
        }

        /// Answers a call.
        ///
        /// # Errors
        /// [`AwsProblem`]
        pub async fn answer(operation: Ecr, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
            match operation {
                $(Ecr::$name => $module::$handler(call $($(, $argument)+)?).await,)+
            }
        }
    };
}

answers! {
    BatchCheckLayerAvailability: layer::availability,
    BatchDeleteImage: image::batch_delete,
    BatchGetImage: image::batch_get,
    BatchGetRepositoryScanningConfiguration: repository::scanning,
    CompleteLayerUpload: layer::complete,
    CreatePullThroughCacheRule: registry::not_offered("ecr:CreatePullThroughCacheRule", "pull-through caches"),
    CreateRepository: repository::create,
    CreateRepositoryCreationTemplate: registry::not_offered("ecr:CreateRepositoryCreationTemplate", "templates for new repositories"),
    DeleteLifecyclePolicy: lifecycle::delete,
    DeletePullThroughCacheRule: registry::absent("ecr:DeletePullThroughCacheRule", Absent::NoCacheRule),
    DeleteRegistryPolicy: registry::delete_policy,
    DeleteRepository: repository::delete,
    DeleteRepositoryCreationTemplate: registry::absent("ecr:DeleteRepositoryCreationTemplate", Absent::NoTemplate),
    DeleteRepositoryPolicy: repository::delete_policy,
    DeleteSigningConfiguration: registry::absent("ecr:DeleteSigningConfiguration", Absent::NoSigning),
    DeregisterPullTimeUpdateExclusion: registry::absent("ecr:DeregisterPullTimeUpdateExclusion", Absent::NoExclusion),
    DescribeImageReplicationStatus: image::replication_status,
    DescribeImageScanFindings: image::scan_findings,
    DescribeImageSigningStatus: image::signing_status,
    DescribeImages: image::describe,
    DescribePullThroughCacheRules: registry::empty("ecr:DescribePullThroughCacheRules", "pullThroughCacheRules", Absent::NoCacheRule),
    DescribeRegistry: registry::describe,
    DescribeReplicationBackfillResults: registry::absent("ecr:DescribeReplicationBackfillResults", Absent::NoBackfill),
    DescribeRepositories: repository::describe,
    DescribeRepositoryCreationTemplates: registry::empty("ecr:DescribeRepositoryCreationTemplates", "repositoryCreationTemplates", Absent::NoTemplate),
    GetAccountSetting: registry::account_setting,
    GetAuthorizationToken: layer::authorization,
    GetDownloadUrlForLayer: layer::download,
    GetLifecyclePolicy: lifecycle::read,
    GetLifecyclePolicyPreview: lifecycle::preview,
    GetRegistryPolicy: registry::policy,
    GetRegistryScanningConfiguration: registry::scanning,
    GetRepositoryPolicy: repository::repository_policy,
    GetSigningConfiguration: registry::absent("ecr:GetSigningConfiguration", Absent::NoSigning),
    InitiateLayerUpload: layer::initiate,
    ListImageReferrers: image::referrers,
    ListImages: image::list,
    ListPullTimeUpdateExclusions: registry::empty("ecr:ListPullTimeUpdateExclusions", "pullTimeUpdateExclusions", Absent::NoExclusion),
    ListReplicationBackfills: registry::empty("ecr:ListReplicationBackfills", "backfills", Absent::NoBackfill),
    ListTagsForResource: repository::list_tags,
    PutAccountSetting: registry::put_account_setting,
    PutImage: image::put,
    PutImageScanningConfiguration: repository::put_scanning,
    PutImageTagMutability: repository::put_mutability,
    PutLifecyclePolicy: lifecycle::put,
    PutRegistryPolicy: registry::put_policy,
    PutRegistryScanningConfiguration: registry::put_scanning,
    PutReplicationConfiguration: registry::put_replication,
    PutSigningConfiguration: registry::not_offered("ecr:PutSigningConfiguration", "signing of images on their way in"),
    RegisterPullTimeUpdateExclusion: registry::not_offered("ecr:RegisterPullTimeUpdateExclusion", "pulls that do not count"),
    SetRepositoryPolicy: repository::set_policy,
    StartImageScan: image::start_scan,
    StartLifecyclePolicyPreview: lifecycle::start_preview,
    StartReplicationBackfill: registry::not_offered("ecr:StartReplicationBackfill", "replication"),
    StopReplicationBackfill: registry::absent("ecr:StopReplicationBackfill", Absent::NoBackfill),
    TagResource: repository::tag_resource,
    UntagResource: repository::untag_resource,
    UpdateImageStorageClass: image::storage_class,
    UpdatePullThroughCacheRule: registry::absent("ecr:UpdatePullThroughCacheRule", Absent::NoCacheRule),
    UpdateRepositoryCreationTemplate: registry::absent("ecr:UpdateRepositoryCreationTemplate", Absent::NoTemplate),
    UploadLayerPart: layer::part,
    ValidatePullThroughCacheRule: registry::absent("ecr:ValidatePullThroughCacheRule", Absent::NoCacheRule),
}

/// Who asks, of which registry.
fn asker<'a>(call: &'a AwsCall<'_>, registry_id: Option<&'a str>) -> Asker<'a> {
    Asker { caller: &call.caller, region: call.region, registry_id }
}

#[cfg(test)]
mod tests {
    use super::Ecr;
    use crate::policy::table::product;

    /// What policies can speak of and nobody can call: AWS's own services do these.
    const PERMISSIONS: [&str; 3] =
        ["ecr:BatchImportUpstreamImage", "ecr:GetImageCopyStatus", "ecr:ReplicateImage"];

    #[test]
    fn every_operation_takes_the_action_of_its_own_name() {
        for operation in Ecr::ALL {
            assert!(product().find(operation.label()).is_some(), "{}", operation.label());
        }
        for permission in PERMISSIONS {
            let is_operation = Ecr::ALL.iter().any(|operation| operation.label() == permission);
            assert!(product().find(permission).is_some() && !is_operation, "{permission}");
        }
    }
}
