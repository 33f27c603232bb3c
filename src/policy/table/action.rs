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
        ApiKeyDelete = "iam-identity.apikey.delete",
        ApiKeyList = "iam-identity.apikey.list",
        ApiKeyRead = "iam-identity.apikey.get",
        ApiKeyUpdate = "iam-identity.apikey.update",
        AuthGet = "container-registry.auth.get",
        AuthSet = "container-registry.auth.set",
        ConfigRead = "container-registry.config.read",
        ExemptionList = "container-registry.exemption.list",
        ExemptionManager = "container-registry.exemption.manager",
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
        QuotaGet = "container-registry.quota.get",
        QuotaSet = "container-registry.quota.set",
        RetentionAnalyze = "container-registry.retention.analyze",
        RetentionGet = "container-registry.retention.get",
        RetentionList = "container-registry.retention.list",
        RetentionSet = "container-registry.retention.set",
        RoleRead = "iam.role.read",
        ServiceIdCreate = "iam-identity.serviceid.create",
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
        DescribeImages = "ecr:DescribeImages",
        DescribeRepositories = "ecr:DescribeRepositories",
        GetDownloadUrlForLayer = "ecr:GetDownloadUrlForLayer",
        InitiateLayerUpload = "ecr:InitiateLayerUpload",
        ListImages = "ecr:ListImages",
        PutImage = "ecr:PutImage",
        UploadLayerPart = "ecr:UploadLayerPart",
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
    use super::{Action, ActionId, EcrAction};
    use crate::policy::table::product;

    #[test]
    fn every_action_that_can_be_named_is_in_the_table() {
        let ibm = Action::ALL.iter().map(|action| (action.id(), action.name()));
        let ecr = EcrAction::ALL.iter().map(|action| (action.id(), action.name()));
        for (id, name) in ibm.chain(ecr) {
            assert!(id != ActionId::NONE, "{name}");
            assert_eq!(product().name(id), name);
        }
    }
}
