//! `iam access-group-rule…`: dynamic rules, which put people into a group by what their identity provider says.

use clap::{Args, Subcommand};

use super::condition::{FORM, condition};
use super::{Consent, IdOnly, Listing};
use crate::cli::display::Display;
use crate::policy::ibm::claim::ClaimCondition;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GroupRuleCommand {
    /// Show a dynamic rule of an access group
    #[command(name = "access-group-rule")]
    Show(PartShow),
    /// Put people into an access group by what their identity provider says of them
    #[command(name = "access-group-rule-create")]
    Create(GroupRuleCreate),
    /// Delete a dynamic rule of an access group
    #[command(name = "access-group-rule-delete")]
    Delete(PartDelete),
    /// Change a dynamic rule of an access group
    #[command(name = "access-group-rule-update")]
    Update(GroupRuleUpdate),
    /// List the dynamic rules of an access group
    #[command(name = "access-group-rules")]
    List(Parts),
}

/// The parts of one thing.
#[derive(Args, Debug)]
pub(in crate::cli) struct Parts {
    #[command(flatten)]
    pub(in crate::cli) whole: Listing,
    #[command(flatten)]
    pub(in crate::cli) only: IdOnly,
}

/// A part of one thing to show.
#[derive(Args, Debug)]
pub(in crate::cli) struct PartShow {
    /// Whose it is, by name or id
    pub(in crate::cli) of: String,
    /// Its name or id
    pub(in crate::cli) part: String,
    #[command(flatten)]
    pub(in crate::cli) only: IdOnly,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// A part of one thing to delete.
#[derive(Args, Debug)]
pub(in crate::cli) struct PartDelete {
    /// Whose it is, by name or id
    pub(in crate::cli) of: String,
    /// Its name or id
    pub(in crate::cli) part: String,
    #[command(flatten)]
    pub(in crate::cli) consent: Consent,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupRuleCreate {
    /// The access group, by name or id
    pub(in crate::cli) group: String,
    /// A name for the rule
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// The identity provider
    #[arg(long, value_name = "REALM")]
    pub(in crate::cli) realm_name: String,
    /// For how many hours a login counts: 1 to 24
    #[arg(long, value_name = "HOURS")]
    pub(in crate::cli) expiration: u32,
    /// What it must say, repeatable; all of these must hold
    #[arg(long, value_name = FORM, value_parser = condition, required = true)]
    pub(in crate::cli) conditions: Vec<ClaimCondition>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupRuleUpdate {
    /// The access group, by name or id
    pub(in crate::cli) group: String,
    /// The rule, by name or id
    pub(in crate::cli) rule: String,
    #[command(flatten)]
    pub(in crate::cli) change: RuleChange,
    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// What a rule says from now on; what is not given stays as it is.
#[derive(Args, Debug)]
pub(in crate::cli) struct RuleChange {
    /// Its new name
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// The identity provider
    #[arg(long, value_name = "REALM")]
    pub(in crate::cli) realm_name: Option<String>,
    /// For how long a login counts: hours for an access group, seconds for a trusted profile
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) expiration: Option<u32>,
    /// What must be said, repeatable; all of these must hold, in place of those before
    #[arg(long, value_name = FORM, value_parser = condition)]
    pub(in crate::cli) conditions: Vec<ClaimCondition>,
}
