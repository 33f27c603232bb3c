//! The roles and, for each, the complete list of its actions.
//!
//! Writer is no superset of Reader: it has no listing and no inspecting. Platform roles grant no pull and no push.
//!
//! What the source documents and this table leaves out, because the product has nothing that it could be done to:
//! `global-search-tagging.resource.read` (no tags), `cbr.rule.*` and `resource-controller.*` (rules and resource groups
//! are changed by whoever may change the account), `iam.role.assign` (who may grant may grant every role), and with them the service role Key Manager,
//! which is about the keys of service instances alone. Nobody can grant it: a role that allows nothing would only look like access.

use crate::policy::table::Action;

/// A role that a policy can grant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Platform: everything about who may do what.
    Administrator,
    /// Platform: change identities, but not who may do what.
    Editor,
    /// Service: everything the registry does.
    Manager,
    /// Platform: see identities, and use them.
    Operator,
    /// Service: pull, list, inspect.
    Reader,
    /// Service: what a configuration scanner reads.
    ServiceConfigurationReader,
    /// Service, of IAM: make service IDs, also where the account restricts that.
    ServiceIdCreator,
    /// Service, of IAM: make keys of one's own, also where the account restricts that.
    UserApiKeyCreator,
    /// Platform: see identities.
    Viewer,
    /// Service: pull, push, delete.
    Writer,
}

impl Role {
    /// All roles, alphabetically.
    pub const ALL: [Self; 10] = [
        Self::Administrator,
        Self::Editor,
        Self::Manager,
        Self::Operator,
        Self::Reader,
        Self::ServiceConfigurationReader,
        Self::ServiceIdCreator,
        Self::UserApiKeyCreator,
        Self::Viewer,
        Self::Writer,
    ];

    /// The name that people use.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Editor => "Editor",
            Self::Manager => "Manager",
            Self::Operator => "Operator",
            Self::Reader => "Reader",
            Self::ServiceConfigurationReader => "Service Configuration Reader",
            Self::ServiceIdCreator => "Service ID Creator",
            Self::UserApiKeyCreator => "User API Key Creator",
            Self::Viewer => "Viewer",
            Self::Writer => "Writer",
        }
    }

    /// Whether it is a platform role, whose CRN says `role:` and not `serviceRole:`.
    #[must_use]
    pub const fn is_platform(self) -> bool {
        match self {
            Self::Administrator | Self::Editor | Self::Operator | Self::Viewer => true,
            Self::Manager
            | Self::Reader
            | Self::ServiceConfigurationReader
            | Self::ServiceIdCreator
            | Self::UserApiKeyCreator
            | Self::Writer => false,
        }
    }

    /// The service whose role it is alone; `None` for those that every service has.
    #[must_use]
    pub const fn service(self) -> Option<&'static str> {
        match self {
            Self::ServiceIdCreator | Self::UserApiKeyCreator => Some("iam-identity"),
            Self::Administrator
            | Self::Editor
            | Self::Manager
            | Self::Operator
            | Self::Reader
            | Self::ServiceConfigurationReader
            | Self::Viewer
            | Self::Writer => None,
        }
    }

    /// The CRN as IAM writes it.
    #[must_use]
    pub fn crn(self) -> String {
        let kind = if self.is_platform() { "role" } else { "serviceRole" };
        let name = match self {
            Self::ServiceIdCreator => "ServiceIdCreator".to_owned(),
            Self::UserApiKeyCreator => "UserApiKeyCreator".to_owned(),
            Self::Administrator
            | Self::Editor
            | Self::Manager
            | Self::Operator
            | Self::Reader
            | Self::ServiceConfigurationReader
            | Self::Viewer
            | Self::Writer => self.display_name().split(' ').collect(),
        };
        format!("crn:v1:bluemix:public:{}::::{kind}:{name}", self.service().unwrap_or("iam"))
    }

    /// Finds a role by display name (any case) or by either spelling of its CRN.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text
            .strip_prefix("crn:v1:bluemix:public:iam::::")
            .or_else(|| text.strip_prefix("crn:v1:bluemix:public:container-registry::::"))
            .or_else(|| text.strip_prefix("crn:v1:bluemix:public:iam-identity::::"))
            .and_then(|rest| rest.strip_prefix("serviceRole:").or_else(|| rest.strip_prefix("role:")))
            .unwrap_or(text);
        Self::ALL.into_iter().find(|role| folded(role.display_name()).eq(folded(name)))
    }

    /// What the role allows, in the table's order.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.has(*action))
    }

    /// Whether the role allows it.
    #[must_use]
    pub fn has(self, action: Action) -> bool {
        self.lists().iter().any(|list| list.contains(&action))
    }

    const fn lists(self) -> &'static [&'static [Action]] {
        match self {
            Self::Administrator => &[ADMINISTRATOR, EDITOR],
            Self::Editor => &[EDITOR],
            Self::Manager => &[MANAGER, READER, WRITER],
            Self::Operator | Self::Viewer => &[VIEWER],
            Self::Reader => &[READER],
            Self::ServiceConfigurationReader => {
                &[&[Action::ImageList, Action::ImageVulnerabilities, Action::ConfigRead]]
            }
            Self::ServiceIdCreator => &[&[Action::ServiceIdCreate, Action::ServiceIdCreateRestricted]],
            Self::UserApiKeyCreator => &[&[Action::ApiKeyCreateRestricted]],
            Self::Writer => &[WRITER],
        }
    }
}

/// A name without spaces, in lower case.
fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b' ').map(|byte| byte.to_ascii_lowercase())
}

/// A role that the account has made for itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomRole {
    /// `crn:v1:ibmcloud:public:iam-access-management::a/<account>::customRole:<Name>`.
    pub crn: String,
    /// The name that people use.
    pub display_name: String,
    /// What it allows.
    pub actions: Vec<Action>,
}

/// Reading policies shows those that lie wholly within what the role is granted on.
const READER: &[Action] = &[
    Action::ImagePull,
    Action::ImageList,
    Action::ImageInspect,
    Action::ImageVulnerabilities,
    Action::NamespaceList,
    Action::QuotaGet,
    Action::AuthGet,
    Action::SettingsGet,
    Action::RetentionAnalyze,
    Action::RetentionGet,
    Action::RetentionList,
    Action::ExemptionList,
    Action::PolicyRead,
];

const WRITER: &[Action] = &[
    Action::ImagePull,
    Action::ImagePush,
    Action::ImageDelete,
    Action::QuotaGet,
    Action::AuthGet,
    Action::SettingsGet,
    Action::RetentionSet,
    Action::PolicyRead,
];

const MANAGER: &[Action] = &[
    Action::NamespaceCreate,
    Action::NamespaceDelete,
    Action::QuotaSet,
    Action::PlanGet,
    Action::PlanSet,
    Action::AuthSet,
    Action::SettingsSet,
    Action::ExemptionManager,
    Action::FindingsWrite,
];

const VIEWER: &[Action] = &[
    Action::AccountRead,
    Action::ApiKeyList,
    Action::ApiKeyRead,
    Action::ChannelRead,
    Action::GroupList,
    Action::GroupMemberList,
    Action::GroupRead,
    Action::PolicyRead,
    Action::ProfileList,
    Action::ProfileRead,
    Action::RoleRead,
    Action::ServiceIdList,
    Action::ServiceIdRead,
    Action::UserList,
    Action::UserRead,
];

const EDITOR: &[Action] = &[
    Action::AccountRead,
    Action::ApiKeyList,
    Action::ApiKeyRead,
    Action::ChannelRead,
    Action::GroupCreate,
    Action::GroupDelete,
    Action::GroupList,
    Action::GroupMemberList,
    Action::GroupRead,
    Action::GroupUpdate,
    Action::PolicyRead,
    Action::ProfileCreate,
    Action::ProfileDelete,
    Action::ProfileList,
    Action::ProfileRead,
    Action::ProfileUpdate,
    Action::RoleRead,
    Action::ServiceIdCreate,
    Action::ServiceIdDelete,
    Action::ServiceIdList,
    Action::ServiceIdRead,
    Action::ServiceIdUpdate,
    Action::UserList,
    Action::UserRead,
    Action::UserInvite,
    Action::UserUpdate,
    Action::AccountUpdate,
];

/// What Editor lacks. Membership, keys, whom a profile trusts and who is told of what is found are here because each
/// would hand on rights that an Editor does not have.
const ADMINISTRATOR: &[Action] = &[
    Action::ApiKeyCreate,
    Action::ApiKeyDelete,
    Action::ApiKeyUpdate,
    Action::ChannelUpdate,
    Action::GroupMemberAdd,
    Action::GroupMemberDelete,
    Action::PolicyCreate,
    Action::PolicyDelete,
    Action::PolicyUpdate,
    Action::ProfileLink,
    Action::RoleCreate,
    Action::RoleDelete,
    Action::RoleUpdate,
    Action::UserDelete,
];

#[cfg(test)]
mod tests {
    use super::Role;
    use crate::policy::table::Action;

    #[test]
    fn service_roles_see_policies_and_change_none() {
        for role in [Role::Reader, Role::Writer, Role::Manager] {
            assert!(role.has(Action::PolicyRead), "{role:?}");
            for other in [Action::PolicyCreate, Action::PolicyUpdate, Action::PolicyDelete] {
                assert!(!role.has(other), "{role:?} {other:?}");
            }
        }
        assert!(!Role::ServiceConfigurationReader.has(Action::PolicyRead));
    }

    #[test]
    fn a_role_that_could_allow_nothing_here_is_none() {
        assert_eq!(Role::parse("Key Manager"), None);
        assert_eq!(Role::parse("crn:v1:bluemix:public:iam::::serviceRole:KeyManager"), None);
        assert!(Role::ALL.into_iter().all(|role| role.actions().next().is_some()));
    }
}
