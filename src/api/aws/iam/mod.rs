//! IAM: users, groups, roles, policies and identity providers.
//!
//! The table below is all that there is; what it lacks is no operation here (`InvalidAction`).

use super::call::{AwsAnswer, AwsCall};
use super::operation::operations;
use crate::control::aws::iam::role::Absent;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::kind::Owner::{Group, Role, User};
use crate::policy::table::IamAction;

mod access_keys;
mod account;
mod details;
mod groups;
mod holdings;
mod input;
mod policies;
mod providers;
mod roles;
mod shape;
mod simulation;
mod tags;
mod users;
mod versions;

/// What a handler says.
type Answered = Result<AwsAnswer, AwsProblem>;

/// Defines the operations, each with what answers it.
macro_rules! answers {
    ($($name:ident: $module:ident :: $handler:ident $(($($argument:expr),+))?,)+) => {
        operations! {
            /// The operations of IAM.
            Iam, "iam": $($name),+
        }

        /// Answers a call.
        ///
        /// # Errors
        /// [`AwsProblem`]
        pub async fn answer(operation: Iam, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
            match operation {
                $(Iam::$name => $module::$handler(call $($(, $argument)+)?).await,)+
            }
        }
    };
}

answers! {
    AddClientIDToOpenIDConnectProvider: providers::add_client,
    AddUserToGroup: groups::add_user,
    AttachGroupPolicy: holdings::attach(Group),
    AttachRolePolicy: holdings::attach(Role),
    AttachUserPolicy: holdings::attach(User),
    CreateAccessKey: access_keys::create,
    CreateGroup: groups::create,
    CreateOpenIDConnectProvider: providers::create,
    CreatePolicy: policies::create,
    CreatePolicyVersion: versions::create,
    CreateRole: roles::create,
    CreateUser: users::create,
    DeleteAccessKey: access_keys::delete,
    DeleteGroup: groups::delete,
    DeleteGroupPolicy: holdings::delete_inline(Group),
    DeleteOpenIDConnectProvider: providers::delete,
    DeletePolicy: policies::delete,
    DeletePolicyVersion: versions::delete,
    DeleteRole: roles::delete,
    DeleteRolePermissionsBoundary: holdings::delete_boundary(Role),
    DeleteRolePolicy: holdings::delete_inline(Role),
    DeleteUser: users::delete,
    DeleteUserPermissionsBoundary: holdings::delete_boundary(User),
    DeleteUserPolicy: holdings::delete_inline(User),
    DetachGroupPolicy: holdings::detach(Group),
    DetachRolePolicy: holdings::detach(Role),
    DetachUserPolicy: holdings::detach(User),
    GetAccessKeyLastUsed: access_keys::last_used,
    GetAccountAuthorizationDetails: details::list,
    GetAccountPasswordPolicy: account::password_policy,
    GetAccountSummary: account::summary,
    GetContextKeysForCustomPolicy: simulation::custom_keys,
    GetContextKeysForPrincipalPolicy: simulation::principal_keys,
    GetGroup: groups::get,
    GetGroupPolicy: holdings::inline(Group),
    GetLoginProfile: account::login_profile,
    GetOpenIDConnectProvider: providers::get,
    GetPolicy: policies::get,
    GetPolicyVersion: versions::get,
    GetRole: roles::get,
    GetRolePolicy: holdings::inline(Role),
    GetUser: users::get,
    GetUserPolicy: holdings::inline(User),
    ListAccessKeys: access_keys::list,
    ListAccountAliases: account::none(IamAction::ListAccountAliases, "AccountAliases"),
    ListAttachedGroupPolicies: holdings::list_attached(Group),
    ListAttachedRolePolicies: holdings::list_attached(Role),
    ListAttachedUserPolicies: holdings::list_attached(User),
    ListEntitiesForPolicy: policies::entities,
    ListGroupPolicies: holdings::list_inline(Group),
    ListGroups: groups::list,
    ListGroupsForUser: groups::list_for_user,
    ListInstanceProfiles: account::none(IamAction::ListInstanceProfiles, "InstanceProfiles"),
    ListInstanceProfilesForRole: account::none_of(Absent::InstanceProfiles),
    ListMFADevices: account::none_of(Absent::MfaDevices),
    ListOpenIDConnectProviderTags: tags::list(tags::Of::Provider),
    ListOpenIDConnectProviders: providers::list,
    ListPolicies: policies::list,
    ListPoliciesGrantingServiceAccess: policies::granting,
    ListPolicyTags: tags::list(tags::Of::Policy),
    ListPolicyVersions: versions::list,
    ListRolePolicies: holdings::list_inline(Role),
    ListRoleTags: tags::list(tags::Of::Role),
    ListRoles: roles::list,
    ListSAMLProviders: account::none(IamAction::ListSamlProviders, "SAMLProviderList"),
    ListSSHPublicKeys: account::none_of(Absent::SshPublicKeys),
    ListServerCertificates: account::none(IamAction::ListServerCertificates, "ServerCertificateMetadataList"),
    ListServiceSpecificCredentials: account::none_of(Absent::ServiceSpecificCredentials),
    ListSigningCertificates: account::none_of(Absent::SigningCertificates),
    ListUserPolicies: holdings::list_inline(User),
    ListUserTags: tags::list(tags::Of::User),
    ListUsers: users::list,
    ListVirtualMFADevices: account::none(IamAction::ListVirtualMfaDevices, "VirtualMFADevices"),
    PutGroupPolicy: holdings::put_inline(Group),
    PutRolePermissionsBoundary: holdings::put_boundary(Role),
    PutRolePolicy: holdings::put_inline(Role),
    PutUserPermissionsBoundary: holdings::put_boundary(User),
    PutUserPolicy: holdings::put_inline(User),
    RemoveClientIDFromOpenIDConnectProvider: providers::remove_client,
    RemoveUserFromGroup: groups::remove_user,
    SetDefaultPolicyVersion: versions::set_default,
    SimulateCustomPolicy: simulation::custom,
    SimulatePrincipalPolicy: simulation::principal,
    TagOpenIDConnectProvider: tags::tag(tags::Of::Provider),
    TagPolicy: tags::tag(tags::Of::Policy),
    TagRole: tags::tag(tags::Of::Role),
    TagUser: tags::tag(tags::Of::User),
    UntagOpenIDConnectProvider: tags::untag(tags::Of::Provider),
    UntagPolicy: tags::untag(tags::Of::Policy),
    UntagRole: tags::untag(tags::Of::Role),
    UntagUser: tags::untag(tags::Of::User),
    UpdateAccessKey: access_keys::update,
    UpdateAssumeRolePolicy: roles::update_trust,
    UpdateGroup: groups::update,
    UpdateOpenIDConnectProviderThumbprint: providers::thumbprints,
    UpdateRole: roles::update,
    UpdateRoleDescription: roles::describe,
    UpdateUser: users::update,
}

#[cfg(test)]
mod tests {
    use super::Iam;
    use crate::policy::table::IamAction;

    #[test]
    fn every_operation_takes_the_action_of_its_own_name() {
        let mut operations: Vec<&str> = Iam::ALL.iter().map(|operation| operation.label()).collect();
        let mut actions: Vec<&str> = IamAction::ALL.iter().map(|action| action.name()).collect();
        operations.sort_unstable();
        actions.sort_unstable();
        assert_eq!(operations, actions);
    }
}
