//! `iam access-group…` and `iam …-policy…`.

use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};

use super::{Consent, Create, Entity, Listing, One, Reword};
use crate::cli::display::Display;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GroupCommand {
    /// Create an access group
    #[command(name = "access-group-create")]
    Create(Create),
    /// Delete an access group
    #[command(name = "access-group-delete")]
    Delete(GroupDelete),
    /// Show an access group
    #[command(name = "access-group")]
    Show(One),
    /// Change the name or description of an access group
    #[command(name = "access-group-update")]
    Update(Reword),
    /// Add service IDs to an access group
    #[command(name = "access-group-service-id-add")]
    ServiceIdAdd(Members),
    /// Remove a service ID from all access groups
    #[command(name = "access-group-service-id-purge")]
    ServiceIdPurge(Entity),
    /// Remove service IDs from an access group
    #[command(name = "access-group-service-id-remove")]
    ServiceIdRemove(Members),
    /// List the service IDs in an access group
    #[command(name = "access-group-service-ids")]
    ServiceIds(Listing),
    /// Add trusted profiles to an access group
    #[command(name = "access-group-trusted-profile-add")]
    ProfileAdd(Members),
    /// Remove a trusted profile from all access groups
    #[command(name = "access-group-trusted-profile-purge")]
    ProfilePurge(Entity),
    /// Remove trusted profiles from an access group
    #[command(name = "access-group-trusted-profile-remove")]
    ProfileRemove(Members),
    /// List the trusted profiles in an access group
    #[command(name = "access-group-trusted-profiles")]
    Profiles(Listing),
    /// Add users to an access group
    #[command(name = "access-group-user-add")]
    UserAdd(Members),
    /// Remove a user from all access groups
    #[command(name = "access-group-user-purge")]
    UserPurge(Entity),
    /// Remove users from an access group
    #[command(name = "access-group-user-remove")]
    UserRemove(Members),
    /// List the users in an access group
    #[command(name = "access-group-users")]
    Users(Listing),
    /// List the access groups
    #[command(name = "access-groups")]
    List(Groups),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// List the policies of an access group
    AccessGroupPolicies(PolicyListing),
    /// Show a policy of an access group
    AccessGroupPolicy(PolicyShow),
    /// Grant an access group access
    AccessGroupPolicyCreate(Box<PolicyCreate>),
    /// Take access from an access group
    AccessGroupPolicyDelete(PolicyEntity),
    /// Change what a policy grants an access group
    AccessGroupPolicyUpdate(Box<PolicyUpdate>),
    /// List the access policies of the account
    AccessPolicies(AccessPolicies),
    /// List the policies of the account
    AccountPolicies(AccountPolicies),
    /// List the policies of a service ID
    ServicePolicies(PolicyListing),
    /// Show a policy of a service ID
    ServicePolicy(PolicyShow),
    /// Grant a service ID access
    ServicePolicyCreate(Box<PolicyCreate>),
    /// Take access from a service ID
    ServicePolicyDelete(PolicyEntity),
    /// Change what a policy grants a service ID
    ServicePolicyUpdate(Box<PolicyUpdate>),
    /// List the policies of a trusted profile
    TrustedProfilePolicies(PolicyListing),
    /// Show a policy of a trusted profile
    TrustedProfilePolicy(PolicyShow),
    /// Grant a trusted profile access
    TrustedProfilePolicyCreate(Box<PolicyCreate>),
    /// Take access from a trusted profile
    TrustedProfilePolicyDelete(PolicyEntity),
    /// Change what a policy grants a trusted profile
    TrustedProfilePolicyUpdate(Box<PolicyUpdate>),
    /// List the policies of a user
    UserPolicies(PolicyListing),
    /// Show a policy of a user
    UserPolicy(PolicyShow),
    /// Grant a user access
    UserPolicyCreate(Box<PolicyCreate>),
    /// Take access from a user
    UserPolicyDelete(PolicyEntity),
    /// Change what a policy grants a user
    UserPolicyUpdate(Box<PolicyUpdate>),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyUpdate {
    /// Whose policy it is, by name or id
    pub(in crate::cli) subject: String,
    /// The policy's id
    pub(in crate::cli) policy_id: String,
    #[command(flatten)]
    pub(in crate::cli) grant: Grant,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AccessPolicies {
    /// Only those of subjects of this type
    #[arg(short = 't', long = "type", ignore_case = true)]
    pub(in crate::cli) of: Option<SubjectType>,
    /// In this order: id, type, href, created_at, created_by_id, last_modified_at, last_modified_by_id or state, with `-` in front
    /// the other way round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(in crate::cli) sort_by: Option<SortBy>,
    #[command(flatten)]
    pub(in crate::cli) dialect: Dialect,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// What policies can be sorted by.
const SORTABLE: [&str; 8] =
    ["created_at", "created_by_id", "href", "id", "last_modified_at", "last_modified_by_id", "state", "type"];

/// An order of policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) struct SortBy {
    /// By this field of theirs.
    pub(in crate::cli) field: &'static str,
    /// The other way round.
    pub(in crate::cli) descending: bool,
}

impl FromStr for SortBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let field = SORTABLE.into_iter().find(|field| field.eq_ignore_ascii_case(name));
        let field = field.ok_or_else(|| format!("write one of {}", SORTABLE.join(", ")))?;
        Ok(Self { field, descending })
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AccountPolicies {
    /// Access policies, or authorizations between services, which there are none of
    #[arg(short = 't', long = "type", ignore_case = true)]
    pub(in crate::cli) of: Option<PolicyType>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// What a policy can be for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(in crate::cli) enum SubjectType {
    AccessGroup,
    ServiceId,
    TrustedProfile,
    User,
}

/// What a policy can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum PolicyType {
    Access,
    Auth,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyCreate {
    /// Whom to grant it to, by name or id
    pub(in crate::cli) subject: String,
    #[command(flatten)]
    pub(in crate::cli) grant: Grant,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// Which policy API is meant.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(in crate::cli) struct Dialect {
    /// The version of the policy API; v1 unless given
    #[arg(long, value_name = "VERSION", ignore_case = true)]
    pub(in crate::cli) api_version: Option<ApiVersion>,
}

/// A version of the policy API.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum ApiVersion {
    V1,
    V2,
}

/// Whose policies to list.
#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyListing {
    #[command(flatten)]
    pub(in crate::cli) of: Listing,
    #[command(flatten)]
    pub(in crate::cli) dialect: Dialect,
}

/// What a policy grants. A value with `*` or `?` is a pattern.
#[derive(Args, Debug, Default)]
pub(in crate::cli) struct Grant {
    /// The roles, such as Reader,Writer
    #[arg(short, long, value_delimiter = ',', required_unless_present = "file")]
    pub(in crate::cli) roles: Vec<String>,
    /// The service; container-registry unless given
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) service_name: Option<String>,
    /// Only in this region
    #[arg(long)]
    pub(in crate::cli) region: Option<String>,
    /// Only for resources of this type: namespace
    #[arg(long, value_name = "TYPE")]
    pub(in crate::cli) resource_type: Option<String>,
    /// Only for this resource: the name of a namespace
    #[arg(long)]
    pub(in crate::cli) resource: Option<String>,
    /// Further attributes
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub(in crate::cli) attributes: Vec<String>,
    /// The policy as JSON instead of flags: with `roles` and `resources`, or with `control` and `resource` for v2
    #[arg(long, value_name = "@JSON", conflicts_with_all = ["roles", "service_name", "region", "resource_type", "resource", "attributes"])]
    pub(in crate::cli) file: Option<String>,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// Give access to all account management services, by a platform role
    #[arg(long, conflicts_with_all = ["service_name", "region", "resource_type", "resource", "attributes", "file"])]
    pub(in crate::cli) account_management: bool,
    #[command(flatten)]
    pub(in crate::cli) dialect: Dialect,
    /// Only for what is in this resource group
    #[arg(long, value_name = "NAME", conflicts_with_all = ["resource_group_id", "file", "account_management"])]
    pub(in crate::cli) resource_group_name: Option<String>,
    /// The same, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["file", "account_management"])]
    pub(in crate::cli) resource_group_id: Option<String>,
    /// Not supported: nothing here has access tags
    #[arg(long, value_name = "NAME:VALUE", value_delimiter = ',', hide = true)]
    pub(in crate::cli) tags: Vec<String>,
    /// Not supported: a registry has no instances
    #[arg(long, value_name = "GUID", hide = true)]
    pub(in crate::cli) service_instance: Option<String>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyShow {
    /// Whose policy it is, by name or id
    pub(in crate::cli) subject: String,
    /// The policy's id
    pub(in crate::cli) policy_id: String,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
    #[command(flatten)]
    pub(in crate::cli) dialect: Dialect,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyEntity {
    /// Whose policy it is, by name or id
    pub(in crate::cli) subject: String,
    /// The policy's id
    pub(in crate::cli) policy_id: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
    #[command(flatten)]
    pub(in crate::cli) dialect: Dialect,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Groups {
    /// Only those that this user is in
    #[arg(short, long, conflicts_with_all = ["service_id", "profile"])]
    pub(in crate::cli) user: Option<String>,
    /// Only those that this service ID is in
    #[arg(short, long, conflicts_with = "profile")]
    pub(in crate::cli) service_id: Option<String>,
    /// Only those that this trusted profile is in
    #[arg(short, long)]
    pub(in crate::cli) profile: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupDelete {
    #[command(flatten)]
    pub(in crate::cli) group: Entity,
    /// Accepted for compatibility: members and rules always go with the group
    #[arg(short, long, hide = true)]
    recursive: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Members {
    /// The access group, by name or id
    pub(in crate::cli) group: String,
    /// The members, by name or id
    #[arg(required = true)]
    pub(in crate::cli) members: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}
