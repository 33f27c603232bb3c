//! `compliance …`: goals, reports, configuration rules, notification channels.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::attachment::{AttachmentCreate, AttachmentDelete, AttachmentUpdate, AttachmentsOf};
use super::channel::{ChannelCreate, ChannelUpdate, Deliveries};
use super::cr::Formatted;
use super::{ById, DeleteById};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show a notification channel
    Channel(ById),
    /// Make a notification channel: a webhook that alerts go to
    ChannelCreate(ChannelCreate),
    /// Delete a notification channel
    ChannelDelete(DeleteById),
    /// Send a test message by a notification channel
    ChannelTest(ById),
    /// Change a notification channel
    ChannelUpdate(ChannelUpdate),
    /// List the notification channels
    Channels(Formatted),
    /// Show what became of alerts
    Deliveries(Deliveries),
    /// Show how the goals of a profile come out now
    Goals(Goals),
    /// Show when was judged what, and what has turned
    History(History),
    /// List the profiles
    Profiles(Formatted),
    /// Write a report, for people or for machines
    Report(Report),
    /// Show how configuration rules come out now
    Results(Results),
    /// Show a configuration rule
    Rule(ById),
    /// Attach a configuration rule: say which registries it is for
    RuleAttachmentCreate(AttachmentCreate),
    /// Delete an attachment of a configuration rule
    RuleAttachmentDelete(AttachmentDelete),
    /// Replace an attachment of a configuration rule
    RuleAttachmentUpdate(AttachmentUpdate),
    /// List the attachments of a configuration rule
    RuleAttachments(AttachmentsOf),
    /// Make a configuration rule
    RuleCreate(RuleCreate),
    /// Delete a configuration rule
    RuleDelete(DeleteById),
    /// Replace a configuration rule, or what becomes of changes that break it
    RuleUpdate(RuleUpdate),
    /// List the configuration rules
    Rules(Formatted),
    /// Judge everything anew, and write a report
    Scan(Report),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Goals {
    /// The profile; the first of `compliance profiles` unless given
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) profile: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct History {
    /// Only of this profile, or of `rules`
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) profile: Option<String>,
    /// How many scans, and how many verdicts that have turned
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Report {
    /// The profile; the first of `compliance profiles` unless given
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) profile: Option<String>,
    /// The format
    #[arg(short, long, ignore_case = true, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) output: Format,
    /// Where to write it; the standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Fail (exit code 1) if less than this share of what applies passes, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(in crate::cli) threshold: Option<u32>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Format {
    Csv,
    Html,
    Json,
    Junit,
    Oscal,
    Table,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Results {
    /// Only of this rule
    pub(in crate::cli) rule: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RuleCreate {
    /// The rule as JSON, as Configuration Governance writes it
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// A name, in place of the one in the file
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// What becomes of changes that break it, in place of what the file says; repeatable
    #[arg(long = "enforcement-action", value_name = "ACTION")]
    pub(in crate::cli) enforcement: Vec<Enforcement>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("change").args(["file", "name", "enforcement"]).multiple(true).required(true))]
pub(in crate::cli) struct RuleUpdate {
    /// Its id
    pub(in crate::cli) id: String,
    /// The whole rule as JSON
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// A new name
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// What becomes of changes that break it; repeatable
    #[arg(long = "enforcement-action", value_name = "ACTION")]
    pub(in crate::cli) enforcement: Vec<Enforcement>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Enforcement {
    /// They are recorded
    #[value(name = "audit_log", alias = "audit-log")]
    AuditLog,
    /// They are refused
    Disallow,
}

impl Enforcement {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::AuditLog => "audit_log",
            Self::Disallow => "disallow",
        }
    }
}
