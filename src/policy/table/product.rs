//! What this product can do, in both clouds' names. This file is data.

use std::sync::LazyLock;

use super::{Action, ActionTable, Row};

/// The product's own table.
#[must_use]
pub fn product() -> &'static ActionTable {
    static TABLE: LazyLock<ActionTable> = LazyLock::new(|| {
        let of = |service: &'static str, names: &'static str, typed: bool| {
            names.split_whitespace().map(move |name| (format!("{service}:{name}"), typed))
        };
        let ibm = Action::ALL.iter().map(|action| (action.name().to_owned(), false));
        let aws = [
            of("ecr", ECR_REPOSITORY, true),
            of("ecr", ECR_REGISTRY, false),
            of("iam", IAM_TYPED, true),
            of("iam", IAM_ACCOUNT, false),
            of("sts", STS_TYPED, true),
            of("sts", STS_ACCOUNT, false),
        ];
        let names: Vec<(String, bool)> = ibm.chain(aws.into_iter().flatten()).collect();
        let rows = names.iter().map(|(name, typed)| Row { name, typed: *typed });
        ActionTable::new(rows).unwrap_or_default()
    });
    &TABLE
}

/// On a repository.
const ECR_REPOSITORY: &str = "
    BatchCheckLayerAvailability BatchDeleteImage BatchGetImage BatchGetRepositoryScanningConfiguration
    BatchImportUpstreamImage CompleteLayerUpload CreateRepository DeleteLifecyclePolicy DeleteRepository
    DeleteRepositoryPolicy DescribeImageReplicationStatus DescribeImageScanFindings DescribeImageSigningStatus
    DescribeImages DescribeRepositories GetDownloadUrlForLayer GetImageCopyStatus GetLifecyclePolicy
    GetLifecyclePolicyPreview GetRepositoryPolicy InitiateLayerUpload ListImageReferrers ListImages ListTagsForResource PutImage
    PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy ReplicateImage SetRepositoryPolicy
    StartImageScan StartLifecyclePolicyPreview TagResource UntagResource UpdateImageStorageClass UploadLayerPart
";

/// On the registry as a whole.
const ECR_REGISTRY: &str = "
    CreatePullThroughCacheRule CreateRepositoryCreationTemplate DeletePullThroughCacheRule DeleteRegistryPolicy
    DeleteRepositoryCreationTemplate DeleteSigningConfiguration DeregisterPullTimeUpdateExclusion
    DescribePullThroughCacheRules DescribeRegistry DescribeReplicationBackfillResults
    DescribeRepositoryCreationTemplates GetAccountSetting
    GetAuthorizationToken GetRegistryPolicy GetRegistryScanningConfiguration GetSigningConfiguration
    ListPullTimeUpdateExclusions ListReplicationBackfills PutAccountSetting PutRegistryPolicy PutRegistryScanningConfiguration
    PutReplicationConfiguration PutSigningConfiguration RegisterPullTimeUpdateExclusion StartReplicationBackfill
    StopReplicationBackfill UpdatePullThroughCacheRule
    UpdateRepositoryCreationTemplate ValidatePullThroughCacheRule
";

/// On a user, role, group, policy or identity provider.
const IAM_TYPED: &str = "
    AddClientIDToOpenIDConnectProvider AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy
    CreateAccessKey CreateGroup CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion CreateRole
    CreateServiceLinkedRole CreateUser DeleteAccessKey DeleteGroup DeleteGroupPolicy DeleteOpenIDConnectProvider
    DeletePolicy DeletePolicyVersion DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DeleteUser
    DeleteUserPermissionsBoundary DeleteUserPolicy DetachGroupPolicy DetachRolePolicy DetachUserPolicy
    GetAccessKeyLastUsed GetContextKeysForPrincipalPolicy GetGroup GetGroupPolicy GetLoginProfile
    GetOpenIDConnectProvider GetPolicy GetPolicyVersion GetRole GetRolePolicy GetUser GetUserPolicy ListAccessKeys
    ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies ListEntitiesForPolicy
    ListGroupPolicies ListGroupsForUser ListInstanceProfilesForRole ListMFADevices ListOpenIDConnectProviderTags
    ListPoliciesGrantingServiceAccess ListPolicyTags ListPolicyVersions ListRolePolicies ListRoleTags
    ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates ListUserPolicies ListUserTags PassRole
    PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy
    RemoveClientIDFromOpenIDConnectProvider RemoveUserFromGroup SetDefaultPolicyVersion SimulatePrincipalPolicy
    TagOpenIDConnectProvider TagPolicy TagRole TagUser UntagOpenIDConnectProvider UntagPolicy UntagRole UntagUser
    UpdateAccessKey UpdateAssumeRolePolicy UpdateGroup UpdateOpenIDConnectProviderThumbprint UpdateRole
    UpdateRoleDescription UpdateUser
";

/// On the account.
const IAM_ACCOUNT: &str = "
    CreateAccountAlias DeleteAccountAlias GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountSummary
    GetContextKeysForCustomPolicy ListAccountAliases ListGroups ListInstanceProfiles ListOpenIDConnectProviders
    ListPolicies ListRoles ListSAMLProviders ListServerCertificates ListUsers ListVirtualMFADevices
    SimulateCustomPolicy
";

/// On a role or a session.
const STS_TYPED: &str = "
    AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity GetFederationToken SetSourceIdentity TagSession
";

/// On nothing in particular.
const STS_ACCOUNT: &str = "DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetSessionToken";
