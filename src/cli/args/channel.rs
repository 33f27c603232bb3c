//! `compliance channel…`: notification channels.

use clap::{Args, ValueEnum};

use super::cr::Formatted;

#[derive(Args, Debug)]
pub(in crate::cli) struct ChannelCreate {
    /// What to call it
    pub(in crate::cli) name: String,
    /// Where messages go: https://HOST/PATH
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) endpoint: String,
    #[command(flatten)]
    pub(in crate::cli) wanted: Wanted,
    /// Make it without telling it anything yet
    #[arg(long)]
    pub(in crate::cli) disabled: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug, Default)]
pub(in crate::cli) struct Wanted {
    /// A description
    #[arg(long)]
    pub(in crate::cli) description: Option<String>,
    /// How bad what it is told of is; critical, high and medium unless given
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', ignore_case = true)]
    pub(in crate::cli) severity: Vec<Severity>,
    /// What it is told of: PROVIDER or PROVIDER:TYPE (VA:image_with_vulnerabilities, compliance:goal_drift, compliance:rule_drift,
    /// ATA:denied_access_spike); everything unless given; repeatable
    #[arg(long, value_name = "PROVIDER[:TYPE]", value_delimiter = ',')]
    pub(in crate::cli) source: Vec<String>,
    /// What messages look like
    #[arg(long, value_name = "FORMAT", ignore_case = true)]
    pub(in crate::cli) message: Option<Message>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

impl Severity {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Message {
    /// A CloudEvent in structured form
    Cloudevents,
    /// Security Insights' payload; a CloudEvent by its headers
    Findings,
}

impl Message {
    /// As the API calls it.
    pub(in crate::cli) const fn wire(self) -> &'static str {
        match self {
            Self::Cloudevents => "cloudevents",
            Self::Findings => "findings",
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ChannelUpdate {
    /// Its name or id
    pub(in crate::cli) channel: String,
    /// A new name
    #[arg(long)]
    pub(in crate::cli) name: Option<String>,
    /// Another endpoint
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) endpoint: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) wanted: Wanted,
    /// Tell it from now on
    #[arg(long, conflicts_with = "disable")]
    pub(in crate::cli) enable: bool,
    /// Tell it no longer; what waits for it is given up
    #[arg(long)]
    pub(in crate::cli) disable: bool,
    /// Sign with a fresh secret from now on
    #[arg(long)]
    pub(in crate::cli) rotate_secret: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Deliveries {
    /// Only to this channel, by name or id
    #[arg(long)]
    pub(in crate::cli) channel: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(in crate::cli) limit: u32,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}
