//! `iam trusted-profile…`: principals without credentials, and whom they trust.

use clap::{Args, Subcommand, ValueEnum};

use super::condition::{FORM, condition};
use super::rule::{PartDelete, PartShow, Parts, RuleChange};
use super::{Consent, Create, Entity, Listing, Many, One, Reword};
use crate::cli::display::Display;
use crate::policy::ibm::claim::ClaimCondition;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ProfileCommand {
    /// Show a trusted profile
    #[command(name = "trusted-profile")]
    Show(One),
    /// Create a trusted profile
    #[command(name = "trusted-profile-create")]
    Create(Create),
    /// Delete a trusted profile, with its policies; nobody can take it on any more
    #[command(name = "trusted-profile-delete")]
    Delete(Entity),
    /// List whom a trusted profile trusts by name
    #[command(name = "trusted-profile-identities")]
    Identities(Listing),
    /// Show whether a trusted profile trusts somebody by name
    #[command(name = "trusted-profile-identity")]
    Identity(IdentityShow),
    /// Let a user, a service ID or all of a cluster take on a trusted profile
    #[command(name = "trusted-profile-identity-create")]
    IdentityCreate(IdentityCreate),
    /// Let somebody no longer take on a trusted profile
    #[command(name = "trusted-profile-identity-delete")]
    IdentityDelete(IdentityDelete),
    /// Show a link of a trusted profile
    #[command(name = "trusted-profile-link")]
    Link(PartShow),
    /// Let one service account of a cluster take on a trusted profile
    #[command(name = "trusted-profile-link-create")]
    LinkCreate(LinkCreate),
    /// Delete a link of a trusted profile
    #[command(name = "trusted-profile-link-delete")]
    LinkDelete(PartDelete),
    /// List the links of a trusted profile
    #[command(name = "trusted-profile-links")]
    Links(Parts),
    /// Show a rule of a trusted profile
    #[command(name = "trusted-profile-rule")]
    Rule(PartShow),
    /// Let those take on a trusted profile of whom a cluster or an identity provider says certain things
    #[command(name = "trusted-profile-rule-create")]
    RuleCreate(RuleCreate),
    /// Delete a rule of a trusted profile
    #[command(name = "trusted-profile-rule-delete")]
    RuleDelete(PartDelete),
    /// Change a rule of a trusted profile
    #[command(name = "trusted-profile-rule-update")]
    RuleUpdate(RuleUpdate),
    /// List the rules of a trusted profile
    #[command(name = "trusted-profile-rules")]
    Rules(Parts),
    /// Change the name or description of a trusted profile
    #[command(name = "trusted-profile-update")]
    Update(Reword),
    /// List the trusted profiles
    #[command(name = "trusted-profiles")]
    List(Many),
}

/// Somebody whom a profile trusts by name.
#[derive(Args, Debug)]
pub(in crate::cli) struct Trusted {
    /// Who: a user or service ID by name or id, or the CRN of a cluster
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: String,
    /// What that is
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    pub(in crate::cli) id_type: IdentityType,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct IdentityShow {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    #[command(flatten)]
    pub(in crate::cli) trusted: Trusted,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct IdentityCreate {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    #[command(flatten)]
    pub(in crate::cli) trusted: Trusted,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct IdentityDelete {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    #[command(flatten)]
    pub(in crate::cli) trusted: Trusted,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

/// What can be trusted by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum IdentityType {
    /// A cluster, and so every service account of it
    Crn,
    /// A service ID
    #[value(name = "serviceid")]
    ServiceId,
    /// A user
    User,
}

impl IdentityType {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::Crn => "crn",
            Self::ServiceId => "serviceid",
            Self::User => "user",
        }
    }
}

/// The kind of a compute resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum ComputeType {
    /// Service accounts of a Kubernetes cluster
    #[value(name = "IKS_SA")]
    IksSa,
    /// Service accounts of an OpenShift cluster
    #[value(name = "ROKS_SA")]
    RoksSa,
    /// Virtual servers
    #[value(name = "VSI")]
    Vsi,
}

impl ComputeType {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::IksSa => "IKS_SA",
            Self::RoksSa => "ROKS_SA",
            Self::Vsi => "VSI",
        }
    }
}

/// Of whom a rule speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum RuleType {
    /// Of compute resources
    #[value(name = "Profile-CR")]
    Compute,
    /// Of people whom an identity provider vouches for
    #[value(name = "Profile-SAML")]
    Realm,
}

impl RuleType {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::Compute => "Profile-CR",
            Self::Realm => "Profile-SAML",
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct LinkCreate {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    /// A name for the link
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// What is linked
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    pub(in crate::cli) cr_type: ComputeType,
    /// The cluster
    #[arg(long, value_name = "CRN")]
    pub(in crate::cli) link_crn: String,
    /// The namespace of the service account
    #[arg(long, value_name = "NAMESPACE")]
    pub(in crate::cli) link_namespace: Option<String>,
    /// The name of the service account
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) link_name: Option<String>,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RuleCreate {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    /// A name for the rule
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// Of whom it speaks
    #[arg(long = "type", value_name = "TYPE", ignore_case = true)]
    pub(in crate::cli) kind: RuleType,
    /// The identity provider, for Profile-SAML
    #[arg(long, value_name = "REALM", required_if_eq("kind", "Profile-SAML"))]
    pub(in crate::cli) realm_name: Option<String>,
    /// For how many seconds a login counts, for Profile-SAML
    #[arg(long, value_name = "SECONDS", required_if_eq("kind", "Profile-SAML"))]
    pub(in crate::cli) expiration: Option<u32>,
    /// Which compute resources, for Profile-CR
    #[arg(long, value_name = "TYPE", ignore_case = true, required_if_eq("kind", "Profile-CR"))]
    pub(in crate::cli) cr_type: Option<ComputeType>,
    /// What must be said, repeatable; all of these must hold
    #[arg(long, value_name = FORM, value_parser = condition, required = true)]
    pub(in crate::cli) conditions: Vec<ClaimCondition>,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RuleUpdate {
    /// The trusted profile, by name or id
    pub(in crate::cli) profile: String,
    /// The rule, by name or id
    pub(in crate::cli) rule: String,
    #[command(flatten)]
    pub(in crate::cli) change: RuleChange,
    /// Of whom it speaks
    #[arg(long = "type", value_name = "TYPE", ignore_case = true)]
    pub(in crate::cli) kind: Option<RuleType>,
    /// Which compute resources, for Profile-CR
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    pub(in crate::cli) cr_type: Option<ComputeType>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}
