//! IAM's messages for what cannot be done. It decides nothing.

use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::kind::Owner;
use crate::policy::aws::message::{Code, Invalid};
use crate::store::StoreError;
use crate::store::aws::{AwsError, Quota, Remains};

/// What a call is about, by name.
#[derive(Clone, Copy, Debug)]
pub enum Noun<'a> {
    /// An access key.
    AccessKey(&'a str),
    /// The boundary of a user or role.
    Boundary(Owner, &'a str),
    /// A group.
    Group(&'a str),
    /// An inline policy.
    Inline(Owner, &'a str),
    /// A managed policy, by its ARN.
    Policy(&'a str),
    /// A managed policy that is to be attached, by its ARN.
    PolicyToAttach(&'a str),
    /// A new managed policy, by its name.
    NewPolicy(&'a str),
    /// An OpenID Connect provider, by its ARN.
    Provider(&'a str),
    /// A new OpenID Connect provider, by its URL.
    NewProvider(&'a str),
    /// A role.
    Role(&'a str),
    /// A managed policy that is to be a boundary, by its ARN.
    Scope(&'a str),
    /// A user.
    User(&'a str),
    /// A version of a managed policy.
    Version(&'a str, &'a str),
}

/// `user`, `group` or `role`.
#[must_use]
pub const fn owner(kind: Owner) -> &'static str {
    match kind {
        Owner::Group => "group",
        Owner::Role => "role",
        Owner::User => "user",
    }
}

/// There is no such thing.
#[must_use]
pub fn missing(noun: Noun<'_>) -> AwsProblem {
    let message = match noun {
        Noun::AccessKey(id) => format!("The Access Key with id {id} cannot be found."),
        Noun::Boundary(kind, name) => {
            format!("The {} with name {name} does not have a permissions boundary.", owner(kind))
        }
        Noun::Group(name) => format!("The group with name {name} cannot be found."),
        Noun::Inline(kind, name) => format!("The {} policy with name {name} cannot be found.", owner(kind)),
        Noun::Policy(arn) => format!("Policy {arn} was not found."),
        Noun::PolicyToAttach(arn) => format!("Policy {arn} does not exist or is not attachable."),
        Noun::NewPolicy(name) => format!("The policy with name {name} cannot be found."),
        Noun::Provider(arn) => format!("OpenIDConnect Provider not found for arn {arn}"),
        Noun::NewProvider(url) => format!("OpenIDConnect Provider not found for url {url}"),
        Noun::Role(name) => format!("The role with name {name} cannot be found."),
        Noun::Scope(arn) => format!("Scope ARN: {arn} does not exist or is not attachable."),
        Noun::User(name) => format!("The user with name {name} cannot be found."),
        Noun::Version(arn, version) => {
            format!("Policy {arn} version {version} does not exist or is not attachable.")
        }
    };
    AwsProblem::said(AwsCode::NoSuchEntity, message)
}

/// There is one already.
fn taken(noun: Noun<'_>) -> AwsProblem {
    let message = match noun {
        Noun::Group(name) => format!("Group with name {name} already exists."),
        Noun::NewPolicy(name) => {
            format!("A policy called {name} already exists. Duplicate names are not allowed.")
        }
        Noun::NewProvider(url) => format!("Provider with url {url} already exists."),
        Noun::Role(name) => format!("Role with name {name} already exists."),
        Noun::User(name) => format!("User with name {name} already exists."),
        Noun::AccessKey(name)
        | Noun::Boundary(_, name)
        | Noun::Inline(_, name)
        | Noun::Policy(name)
        | Noun::PolicyToAttach(name)
        | Noun::Provider(name)
        | Noun::Scope(name)
        | Noun::Version(name, _) => format!("{name} already exists."),
    };
    AwsProblem::said(AwsCode::EntityAlreadyExists, message)
}

/// What a failed write of `noun` means. `name` is that of the user, group or role whose policies are meant.
#[must_use]
pub fn failed(error: impl Into<AwsError>, noun: Noun<'_>, name: &str) -> AwsProblem {
    match error.into() {
        AwsError::Quota(quota) => AwsProblem::said(AwsCode::LimitExceeded, over(quota, name)),
        AwsError::Remains(remains) => AwsProblem::said(AwsCode::DeleteConflict, left(remains)),
        AwsError::Store(StoreError::NotFound) => missing(noun),
        AwsError::Store(StoreError::Conflict(_)) => taken(noun),
        AwsError::Store(StoreError::Stale) => {
            let text = "The request was rejected because multiple requests to change this object were submitted \
                        simultaneously. Wait a few minutes and submit your request again.";
            AwsProblem::said(AwsCode::ConcurrentModification, text)
        }
        AwsError::Store(other @ (StoreError::Corrupt(_) | StoreError::Unavailable(_))) => other.into(),
    }
}

/// What must go first.
fn left(remains: Remains) -> &'static str {
    match remains {
        Remains::AccessPolicies => "Cannot delete entity, must delete access policies first.",
        Remains::AttachedPolicies => "Cannot delete entity, must detach all policies first.",
        Remains::Credentials => "Cannot delete entity, must remove referenced objects first.",
        Remains::DefaultVersion => "Cannot delete the default version of a policy.",
        Remains::Entities => "Cannot delete a policy attached to entities.",
        Remains::InlinePolicies => "Cannot delete entity, must delete policies first.",
        Remains::Members | Remains::Memberships => {
            "Cannot delete entity, must remove users from group first."
        }
        Remains::Versions => {
            "This policy has more than one version. Before you delete a policy, you must delete the policy's \
             versions. The default version is deleted with the policy."
        }
    }
}

/// Which quota, and how much it is.
fn over(quota: Quota, name: &str) -> String {
    let word = match quota {
        Quota::InlineSize(owner) => return owner.inline_excess(name),
        Quota::VersionsPerPolicy => {
            return format!(
                "A managed policy can have up to {} versions. Before you create a new version, you must delete an \
                 existing version.",
                quota.most()
            );
        }
        Quota::AccessKeysPerUser => "AccessKeysPerUser",
        Quota::AttachedPolicies(Owner::Group) => "PoliciesPerGroup",
        Quota::AttachedPolicies(Owner::Role) => "PoliciesPerRole",
        Quota::AttachedPolicies(Owner::User) => "PoliciesPerUser",
        Quota::ClientIdsPerProvider => "ClientIdsPerOpenIdConnectProvider",
        Quota::Groups => "GroupsPerAccount",
        Quota::GroupsPerUser => "GroupsPerUser",
        Quota::OidcProviders => "OpenIdConnectProvidersPerAccount",
        Quota::Policies => "PoliciesPerAccount",
        Quota::Roles => "RolesPerAccount",
        Quota::Tags => "TagsPerResource",
        Quota::ThumbprintsPerProvider => {
            return format!("Thumbprint list must contain fewer than {} entries.", quota.most());
        }
        Quota::Users => "UsersPerAccount",
    };
    format!("Cannot exceed quota for {word}: {}", quota.most())
}

/// What is wrong with a document.
#[must_use]
pub fn invalid(invalid: Invalid) -> AwsProblem {
    let code = match invalid.code {
        Code::InvalidParameterException | Code::MalformedPolicyDocument => AwsCode::MalformedPolicyDocument,
        Code::LimitExceeded => AwsCode::LimitExceeded,
        Code::ValidationError => AwsCode::ValidationError,
    };
    AwsProblem::said(code, invalid.message)
}
