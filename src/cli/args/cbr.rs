//! `cbr …`: the verbs and flags of the IBM Cloud context-based restrictions plug-in.

use clap::{Args, Subcommand, ValueEnum};

use super::{ById, DeleteById, key_and_value};
use crate::cli::args::cr::Formatted;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show a rule
    Rule(ById),
    /// Restrict resources to contexts
    RuleCreate(RuleNew),
    /// Delete a rule
    RuleDelete(DeleteById),
    /// Replace a rule
    RuleUpdate(RuleUpdate),
    /// List the rules
    Rules(Formatted),
    /// Show a network zone
    Zone(ById),
    /// Give addresses a name, for rules and allowlists
    ZoneCreate(ZoneNew),
    /// Delete a network zone that nothing names
    ZoneDelete(DeleteById),
    /// Replace a network zone
    ZoneUpdate(ZoneUpdate),
    /// List the network zones
    Zones(Formatted),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ZoneNew {
    /// A name, beginning with a letter
    #[arg(long)]
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) zone: Zone,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ZoneUpdate {
    /// Its id or name
    pub(in crate::cli) id: String,
    /// A new name
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) zone: Zone,
    /// Make the change even if it locks you out
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Zone {
    /// Any text
    #[arg(long)]
    pub(in crate::cli) description: Option<String>,
    /// Addresses, ranges (192.0.2.1-192.0.2.9) and subnets (10.0.0.0/8), between commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', required = true)]
    pub(in crate::cli) addresses: Vec<String>,
    /// Those of them that are not in the zone
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(in crate::cli) excluded: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RuleNew {
    #[command(flatten)]
    pub(in crate::cli) rule: Rule,
    /// Make the rule even if it locks you out
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RuleUpdate {
    /// Its id
    pub(in crate::cli) id: String,
    #[command(flatten)]
    pub(in crate::cli) rule: Rule,
    /// Make the change even if it locks you out
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Rule {
    /// Any text
    #[arg(long)]
    pub(in crate::cli) description: Option<String>,
    /// What becomes of what it refuses
    #[arg(long, value_name = "MODE", default_value = "enabled")]
    pub(in crate::cli) enforcement_mode: Mode,
    /// container-registry, or iam-identity
    #[arg(long, value_name = "NAME", default_value = "container-registry")]
    pub(in crate::cli) service_name: String,
    /// Only in this region
    #[arg(long)]
    pub(in crate::cli) region: Option<String>,
    /// What else must be so of the resource: resourceType=namespace,resource=NAME
    #[arg(long, value_name = "K=V,…", value_delimiter = ',', value_parser = key_and_value)]
    pub(in crate::cli) resource_attributes: Vec<(String, String)>,
    /// A context, of which all must be so: endpointType=private,networkZoneId=ID; repeatable, any of them allows
    #[arg(long, value_name = "K=V,…")]
    pub(in crate::cli) context_attributes: Vec<String>,
    /// The zone of all contexts, by id or name; with no context, that is the context
    #[arg(long, value_name = "ZONE")]
    pub(in crate::cli) zone_id: Option<String>,
    /// No context at all: nobody is let in
    #[arg(long, conflicts_with_all = ["context_attributes", "zone_id"])]
    pub(in crate::cli) empty_context_list: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Mode {
    Disabled,
    Enabled,
    Report,
}

impl Mode {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Report => "report",
        }
    }
}
