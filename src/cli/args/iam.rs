//! `iam …`: the verbs and flags of the IBM Cloud CLI.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::display::Display;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    #[command(flatten)]
    Group(GroupCommand),
    #[command(flatten)]
    ApiKey(ApiKeyCommand),
    /// Print a token for API calls
    OauthTokens(Shown),
    /// List the roles that policies can grant
    Roles(Roles),
    #[command(flatten)]
    ServiceId(ServiceIdCommand),
    #[command(flatten)]
    Policy(PolicyCommand),
    /// Add a user to the account
    UserInvite(UserInvite),
    /// List the users of the account
    Users(Shown),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ServiceIdCommand {
    /// Show a service ID
    #[command(name = "service-id")]
    Show(Listing),
    /// Create a service ID
    #[command(name = "service-id-create")]
    Create(ServiceIdCreate),
    /// Delete a service ID, with its API keys and policies
    #[command(name = "service-id-delete")]
    Delete(Entity),
    /// Refuse changes to a service ID
    #[command(name = "service-id-lock")]
    Lock(Entity),
    /// Allow changes to a service ID again
    #[command(name = "service-id-unlock")]
    Unlock(Entity),
    /// Change the name or description of a service ID
    #[command(name = "service-id-update")]
    Update(ServiceIdUpdate),
    /// List the service IDs
    #[command(name = "service-ids")]
    List(ServiceIds),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ApiKeyCommand {
    /// Create an API key for yourself
    ApiKeyCreate(ApiKeyCreate),
    /// Delete an API key of yours
    ApiKeyDelete(Entity),
    /// Refuse logins with an API key of yours
    ApiKeyDisable(Entity),
    /// Allow logins with an API key of yours again
    ApiKeyEnable(Entity),
    /// Refuse changes to an API key of yours
    ApiKeyLock(Entity),
    /// Allow changes to an API key of yours again
    ApiKeyUnlock(Entity),
    /// List your API keys
    ApiKeys(Shown),
    /// Create an API key for a service ID
    ServiceApiKeyCreate(ServiceApiKeyCreate),
    /// Delete an API key of a service ID
    ServiceApiKeyDelete(ServiceApiKey),
    /// Refuse logins with an API key of a service ID
    ServiceApiKeyDisable(ServiceApiKey),
    /// Allow logins with an API key of a service ID again
    ServiceApiKeyEnable(ServiceApiKey),
    /// Refuse changes to an API key of a service ID
    ServiceApiKeyLock(ServiceApiKey),
    /// Allow changes to an API key of a service ID again
    ServiceApiKeyUnlock(ServiceApiKey),
    /// List the API keys of a service ID
    ServiceApiKeys(ServiceApiKeys),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GroupCommand {
    /// Create an access group
    #[command(name = "access-group-create")]
    Create(Create),
    /// Delete an access group
    #[command(name = "access-group-delete")]
    Delete(Entity),
    /// Add service IDs to an access group
    #[command(name = "access-group-service-id-add")]
    ServiceIdAdd(Members),
    /// Remove service IDs from an access group
    #[command(name = "access-group-service-id-remove")]
    ServiceIdRemove(Members),
    /// List the service IDs in an access group
    #[command(name = "access-group-service-ids")]
    ServiceIds(Listing),
    /// Add users to an access group
    #[command(name = "access-group-user-add")]
    UserAdd(Members),
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
    AccessGroupPolicies(Listing),
    /// Show a policy of an access group
    AccessGroupPolicy(PolicyShow),
    /// Grant an access group access
    AccessGroupPolicyCreate(Box<PolicyCreate>),
    /// Take access from an access group
    AccessGroupPolicyDelete(PolicyEntity),
    /// List the policies of a service ID
    ServicePolicies(Listing),
    /// Show a policy of a service ID
    ServicePolicy(PolicyShow),
    /// Grant a service ID access
    ServicePolicyCreate(Box<PolicyCreate>),
    /// Take access from a service ID
    ServicePolicyDelete(PolicyEntity),
    /// List the policies of a user
    UserPolicies(Listing),
    /// Show a policy of a user
    UserPolicy(PolicyShow),
    /// Grant a user access
    UserPolicyCreate(Box<PolicyCreate>),
    /// Take access from a user
    UserPolicyDelete(PolicyEntity),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Shown {
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// One thing to show, or whose parts to list.
#[derive(Args, Debug)]
pub(in crate::cli) struct Listing {
    /// Its name or id
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// One thing to change.
#[derive(Args, Debug)]
pub(in crate::cli) struct Entity {
    /// Its name or id
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

/// How much a change is talked about.
#[derive(Args, Debug)]
pub(in crate::cli) struct Consent {
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    /// Print only what was asked for
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

impl Consent {
    /// How to show the result.
    pub(in crate::cli) fn display(&self) -> Display {
        Display { output: None, quiet: self.quiet }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Create {
    /// A name
    pub(in crate::cli) name: String,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceIdCreate {
    #[command(flatten)]
    pub(in crate::cli) create: Create,
    /// Lock it at once
    #[arg(long)]
    pub(in crate::cli) lock: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceIds {
    /// Print only the ids
    #[arg(long)]
    pub(in crate::cli) uuid: bool,
    /// Only those whose name contains this
    #[arg(short, long)]
    pub(in crate::cli) name: Option<String>,
    /// Only those whose description contains this
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceIdUpdate {
    /// The service ID, by name or id
    pub(in crate::cli) service_id: String,
    /// Its new name
    #[arg(short, long, required_unless_present = "description")]
    pub(in crate::cli) name: Option<String>,
    /// Its new description
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ApiKeyCreate {
    #[command(flatten)]
    pub(in crate::cli) create: Create,
    #[command(flatten)]
    pub(in crate::cli) issue: Issue,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceApiKeyCreate {
    /// A name for the key
    pub(in crate::cli) name: String,
    /// The service ID, by name or id
    pub(in crate::cli) service_id: String,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) issue: Issue,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// How a fresh key is handed over and treated.
#[derive(Args, Debug)]
pub(in crate::cli) struct Issue {
    /// Write the key to this file, readable by you alone, and do not print it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// What happens when the key is found in public
    #[arg(long, ignore_case = true)]
    pub(in crate::cli) action_if_leaked: Option<IfLeaked>,
    /// Lock it at once
    #[arg(long)]
    pub(in crate::cli) lock: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum IfLeaked {
    Delete,
    Disable,
    None,
}

impl IfLeaked {
    /// As the API writes it.
    pub(in crate::cli) const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Disable => "disable",
            Self::None => "none",
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceApiKey {
    /// The key, by name or id
    pub(in crate::cli) key: String,
    /// The service ID, by name or id
    pub(in crate::cli) service_id: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceApiKeys {
    /// The service ID, by name or id
    #[arg(required_unless_present = "all")]
    pub(in crate::cli) service_id: Option<String>,
    /// The keys of every service ID
    #[arg(short, long, conflicts_with = "service_id")]
    pub(in crate::cli) all: bool,
    /// Only those whose name contains this
    #[arg(short, long)]
    pub(in crate::cli) name: Option<String>,
    /// Only those whose description contains this
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
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
    /// The policy as JSON, with `roles` and `resources`, instead of flags
    #[arg(long, value_name = "@JSON", conflicts_with_all = ["roles", "service_name", "region", "resource_type", "resource", "attributes"])]
    pub(in crate::cli) file: Option<String>,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// The dialect of the policy API
    #[arg(long, value_name = "VERSION", default_value = "v1", value_parser = ["v1"])]
    pub(in crate::cli) api_version: String,
    /// Not supported: there are no resource groups
    #[arg(long, value_name = "NAME", hide = true)]
    pub(in crate::cli) resource_group_name: Option<String>,
    /// Not supported: there are no resource groups
    #[arg(long, value_name = "ID", hide = true)]
    pub(in crate::cli) resource_group_id: Option<String>,
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
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct PolicyEntity {
    /// Whose policy it is, by name or id
    pub(in crate::cli) subject: String,
    /// The policy's id
    pub(in crate::cli) policy_id: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Groups {
    /// Only those that this user is in
    #[arg(short, long, conflicts_with = "service_id")]
    pub(in crate::cli) user: Option<String>,
    /// Only those that this service ID is in
    #[arg(short, long)]
    pub(in crate::cli) service_id: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
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

#[derive(Args, Debug)]
pub(in crate::cli) struct Roles {
    /// The service
    #[arg(long, value_name = "NAME", default_value = "container-registry")]
    pub(in crate::cli) service: String,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct UserInvite {
    /// The e-mail address or name that the user will have
    pub(in crate::cli) email: String,
    /// Put the user into these access groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(in crate::cli) access_groups: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}
