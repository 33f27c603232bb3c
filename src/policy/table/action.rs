//! The actions that the program itself names: a closed enum for each cloud, so that one that no table has cannot be named.

use std::sync::LazyLock;

use super::{ActionId, product};

/// Declares actions: variant, wire name.
macro_rules! actions {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is the action whose wire name stands beside it")]
        pub enum $type { $($variant,)* }

        impl $type {
            /// Every action, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as policies and audit events write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its place in the product's table.
            #[must_use]
            pub fn id(self) -> ActionId {
                static IDS: LazyLock<Box<[ActionId]>> = LazyLock::new(|| {
                    $type::ALL.iter().map(|action| product().find(action.name()).unwrap_or(ActionId::NONE)).collect()
                });
                IDS.get(self as usize).copied().unwrap_or(ActionId::NONE)
            }
        }
    };
}

actions! {
    /// What this product does, as IBM names it. Control calls and audit events use these names.
    Action {
        AccountRead = "iam-identity.account.get",
        AccountUpdate = "iam-identity.account.update",
        ApiKeyCreate = "iam-identity.apikey.create",
        ApiKeyCreateRestricted = "iam-identity.apikey.create-restricted",
        ApiKeyDelete = "iam-identity.apikey.delete",
        ApiKeyList = "iam-identity.apikey.list",
        ApiKeyRead = "iam-identity.apikey.get",
        ApiKeyUpdate = "iam-identity.apikey.update",
        AuthGet = "container-registry.auth.get",
        AuthSet = "container-registry.auth.set",
        ChannelRead = "iam-identity.notification-channel.get",
        ChannelUpdate = "iam-identity.notification-channel.update",
        ConfigRead = "container-registry.config.read",
        ExemptionList = "container-registry.exemption.list",
        ExemptionManager = "container-registry.exemption.manager",
        FindingsWrite = "container-registry.findings.write",
        GroupCreate = "iam-groups.groups.create",
        GroupDelete = "iam-groups.groups.delete",
        GroupList = "iam-groups.groups.list",
        GroupMemberAdd = "iam-groups.members.add",
        GroupMemberDelete = "iam-groups.members.delete",
        GroupMemberList = "iam-groups.members.list",
        GroupRead = "iam-groups.groups.read",
        GroupUpdate = "iam-groups.groups.update",
        ImageDelete = "container-registry.image.delete",
        ImageInspect = "container-registry.image.inspect",
        ImageList = "container-registry.image.list",
        ImagePull = "container-registry.image.pull",
        ImagePush = "container-registry.image.push",
        ImageVulnerabilities = "container-registry.image.vulnerabilities",
        NamespaceCreate = "container-registry.namespace.create",
        NamespaceDelete = "container-registry.namespace.delete",
        NamespaceList = "container-registry.namespace.list",
        PlanGet = "container-registry.plan.get",
        PlanSet = "container-registry.plan.set",
        PolicyCreate = "iam.policy.create",
        PolicyDelete = "iam.policy.delete",
        PolicyRead = "iam.policy.read",
        PolicyUpdate = "iam.policy.update",
        ProfileCreate = "iam-identity.profile.create",
        ProfileDelete = "iam-identity.profile.delete",
        ProfileLink = "iam-identity.profile.linkToResource",
        ProfileList = "iam-identity.profile.list",
        ProfileRead = "iam-identity.profile.get",
        ProfileUpdate = "iam-identity.profile.update",
        QuotaGet = "container-registry.quota.get",
        QuotaSet = "container-registry.quota.set",
        RetentionAnalyze = "container-registry.retention.analyze",
        RetentionGet = "container-registry.retention.get",
        RetentionList = "container-registry.retention.list",
        RetentionSet = "container-registry.retention.set",
        RoleCreate = "iam.role.create",
        RoleDelete = "iam.role.delete",
        RoleRead = "iam.role.read",
        RoleUpdate = "iam.role.update",
        ServiceIdCreate = "iam-identity.serviceid.create",
        ServiceIdCreateRestricted = "iam-identity.serviceid.create-restricted",
        ServiceIdDelete = "iam-identity.serviceid.delete",
        ServiceIdList = "iam-identity.serviceid.list",
        ServiceIdRead = "iam-identity.serviceid.get",
        ServiceIdUpdate = "iam-identity.serviceid.update",
        SettingsGet = "container-registry.settings.get",
        SettingsSet = "container-registry.settings.set",
        UserDelete = "user-management.user.delete",
        UserInvite = "user-management.user.create",
        UserList = "user-management.user.list",
        UserRead = "user-management.user.retrieve",
        UserUpdate = "user-management.user.update",
    }
}

actions! {
    /// What AWS calls the same things, as far as the gate asks for them.
    EcrAction {
        BatchCheckLayerAvailability = "ecr:BatchCheckLayerAvailability",
        BatchDeleteImage = "ecr:BatchDeleteImage",
        BatchGetImage = "ecr:BatchGetImage",
        CompleteLayerUpload = "ecr:CompleteLayerUpload",
        CreateRepository = "ecr:CreateRepository",
        DeleteRepository = "ecr:DeleteRepository",
        DescribeImageScanFindings = "ecr:DescribeImageScanFindings",
        DescribeImages = "ecr:DescribeImages",
        DescribeRepositories = "ecr:DescribeRepositories",
        GetDownloadUrlForLayer = "ecr:GetDownloadUrlForLayer",
        InitiateLayerUpload = "ecr:InitiateLayerUpload",
        ListImages = "ecr:ListImages",
        PutImage = "ecr:PutImage",
        UploadLayerPart = "ecr:UploadLayerPart",
    }
}

actions! {
    /// What AWS's IAM offers here; each operation is the action that it takes.
    IamAction {
        AddClientIdToOpenIdConnectProvider = "iam:AddClientIDToOpenIDConnectProvider",
        AddUserToGroup = "iam:AddUserToGroup",
        AttachGroupPolicy = "iam:AttachGroupPolicy",
        AttachRolePolicy = "iam:AttachRolePolicy",
        AttachUserPolicy = "iam:AttachUserPolicy",
        CreateAccessKey = "iam:CreateAccessKey",
        CreateGroup = "iam:CreateGroup",
        CreateOpenIdConnectProvider = "iam:CreateOpenIDConnectProvider",
        CreatePolicy = "iam:CreatePolicy",
        CreatePolicyVersion = "iam:CreatePolicyVersion",
        CreateRole = "iam:CreateRole",
        CreateUser = "iam:CreateUser",
        DeleteAccessKey = "iam:DeleteAccessKey",
        DeleteGroup = "iam:DeleteGroup",
        DeleteGroupPolicy = "iam:DeleteGroupPolicy",
        DeleteOpenIdConnectProvider = "iam:DeleteOpenIDConnectProvider",
        DeletePolicy = "iam:DeletePolicy",
        DeletePolicyVersion = "iam:DeletePolicyVersion",
        DeleteRole = "iam:DeleteRole",
        DeleteRolePermissionsBoundary = "iam:DeleteRolePermissionsBoundary",
        DeleteRolePolicy = "iam:DeleteRolePolicy",
        DeleteUser = "iam:DeleteUser",
        DeleteUserPermissionsBoundary = "iam:DeleteUserPermissionsBoundary",
        DeleteUserPolicy = "iam:DeleteUserPolicy",
        DetachGroupPolicy = "iam:DetachGroupPolicy",
        DetachRolePolicy = "iam:DetachRolePolicy",
        DetachUserPolicy = "iam:DetachUserPolicy",
        GetAccessKeyLastUsed = "iam:GetAccessKeyLastUsed",
        GetAccountAuthorizationDetails = "iam:GetAccountAuthorizationDetails",
        GetAccountPasswordPolicy = "iam:GetAccountPasswordPolicy",
        GetAccountSummary = "iam:GetAccountSummary",
        GetContextKeysForCustomPolicy = "iam:GetContextKeysForCustomPolicy",
        GetContextKeysForPrincipalPolicy = "iam:GetContextKeysForPrincipalPolicy",
        GetGroup = "iam:GetGroup",
        GetGroupPolicy = "iam:GetGroupPolicy",
        GetLoginProfile = "iam:GetLoginProfile",
        GetOpenIdConnectProvider = "iam:GetOpenIDConnectProvider",
        GetPolicy = "iam:GetPolicy",
        GetPolicyVersion = "iam:GetPolicyVersion",
        GetRole = "iam:GetRole",
        GetRolePolicy = "iam:GetRolePolicy",
        GetUser = "iam:GetUser",
        GetUserPolicy = "iam:GetUserPolicy",
        ListAccessKeys = "iam:ListAccessKeys",
        ListAccountAliases = "iam:ListAccountAliases",
        ListAttachedGroupPolicies = "iam:ListAttachedGroupPolicies",
        ListAttachedRolePolicies = "iam:ListAttachedRolePolicies",
        ListAttachedUserPolicies = "iam:ListAttachedUserPolicies",
        ListEntitiesForPolicy = "iam:ListEntitiesForPolicy",
        ListGroupPolicies = "iam:ListGroupPolicies",
        ListGroups = "iam:ListGroups",
        ListGroupsForUser = "iam:ListGroupsForUser",
        ListInstanceProfiles = "iam:ListInstanceProfiles",
        ListInstanceProfilesForRole = "iam:ListInstanceProfilesForRole",
        ListMfaDevices = "iam:ListMFADevices",
        ListOpenIdConnectProviderTags = "iam:ListOpenIDConnectProviderTags",
        ListOpenIdConnectProviders = "iam:ListOpenIDConnectProviders",
        ListPolicies = "iam:ListPolicies",
        ListPoliciesGrantingServiceAccess = "iam:ListPoliciesGrantingServiceAccess",
        ListPolicyTags = "iam:ListPolicyTags",
        ListPolicyVersions = "iam:ListPolicyVersions",
        ListRolePolicies = "iam:ListRolePolicies",
        ListRoleTags = "iam:ListRoleTags",
        ListRoles = "iam:ListRoles",
        ListSamlProviders = "iam:ListSAMLProviders",
        ListSshPublicKeys = "iam:ListSSHPublicKeys",
        ListServerCertificates = "iam:ListServerCertificates",
        ListServiceSpecificCredentials = "iam:ListServiceSpecificCredentials",
        ListSigningCertificates = "iam:ListSigningCertificates",
        ListUserPolicies = "iam:ListUserPolicies",
        ListUserTags = "iam:ListUserTags",
        ListUsers = "iam:ListUsers",
        ListVirtualMfaDevices = "iam:ListVirtualMFADevices",
        PutGroupPolicy = "iam:PutGroupPolicy",
        PutRolePermissionsBoundary = "iam:PutRolePermissionsBoundary",
        PutRolePolicy = "iam:PutRolePolicy",
        PutUserPermissionsBoundary = "iam:PutUserPermissionsBoundary",
        PutUserPolicy = "iam:PutUserPolicy",
        RemoveClientIdFromOpenIdConnectProvider = "iam:RemoveClientIDFromOpenIDConnectProvider",
        RemoveUserFromGroup = "iam:RemoveUserFromGroup",
        SetDefaultPolicyVersion = "iam:SetDefaultPolicyVersion",
        SimulateCustomPolicy = "iam:SimulateCustomPolicy",
        SimulatePrincipalPolicy = "iam:SimulatePrincipalPolicy",
        TagOpenIdConnectProvider = "iam:TagOpenIDConnectProvider",
        TagPolicy = "iam:TagPolicy",
        TagRole = "iam:TagRole",
        TagUser = "iam:TagUser",
        UntagOpenIdConnectProvider = "iam:UntagOpenIDConnectProvider",
        UntagPolicy = "iam:UntagPolicy",
        UntagRole = "iam:UntagRole",
        UntagUser = "iam:UntagUser",
        UpdateAccessKey = "iam:UpdateAccessKey",
        UpdateAssumeRolePolicy = "iam:UpdateAssumeRolePolicy",
        UpdateGroup = "iam:UpdateGroup",
        UpdateOpenIdConnectProviderThumbprint = "iam:UpdateOpenIDConnectProviderThumbprint",
        UpdateRole = "iam:UpdateRole",
        UpdateRoleDescription = "iam:UpdateRoleDescription",
        UpdateUser = "iam:UpdateUser",
    }
}

impl Action {
    /// Whether it is about what a registry holds or how it is set up, and not about who may do what.
    #[must_use]
    pub fn is_registrys(self) -> bool {
        self.name().starts_with("container-registry.")
    }

    /// Finds an action by its exact name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, ActionId, EcrAction, IamAction};
    use crate::policy::table::product;

    #[test]
    fn every_action_that_can_be_named_is_in_the_table() {
        let ibm = Action::ALL.iter().map(|action| (action.id(), action.name()));
        let ecr = EcrAction::ALL.iter().map(|action| (action.id(), action.name()));
        let iam = IamAction::ALL.iter().map(|action| (action.id(), action.name()));
        for (id, name) in ibm.chain(ecr).chain(iam) {
            assert!(id != ActionId::NONE, "{name}");
            assert_eq!(product().name(id), name);
        }
    }
}
