//! `iam account-settings …` and `iam allowlist …`: from where the account, its identities and keys may be used.

use clap::{Args, Subcommand};

use crate::cli::args::iam::Shown;
use crate::cli::display::Display;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NetworkCommand {
    /// Show the settings of the account
    AccountSettings(Shown),
    /// Change the settings of the account
    AccountSettingsUpdate(AccountUpdate),
    /// Show from where a user, service ID or API key may be used
    Allowlist(AllowList),
    /// Change from where a user, service ID or API key may be used
    AllowlistUpdate(AllowListUpdate),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AccountUpdate {
    #[command(flatten)]
    pub(in crate::cli) list: Change,
    /// Refuse pulls and pushes on public endpoints, in all regions
    #[arg(long, value_name = "BOOL")]
    pub(in crate::cli) private_only: Option<bool>,
    #[command(flatten)]
    pub(in crate::cli) how: How,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AllowList {
    /// A user, a service ID, or the id of an API key
    pub(in crate::cli) of: String,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AllowListUpdate {
    /// A user, a service ID, or the id of an API key
    pub(in crate::cli) of: String,
    #[command(flatten)]
    pub(in crate::cli) list: Change,
    #[command(flatten)]
    pub(in crate::cli) how: How,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Change {
    /// Addresses, ranges, subnets and, for the account, network zones: "192.0.2.7, 10.0.0.0/8, 192.0.2.20 - 192.0.2.29"
    #[arg(long, value_name = "LIST", conflicts_with = "unset_allowed_ip_addresses")]
    pub(in crate::cli) allowed_ip_addresses: Option<String>,
    /// From everywhere
    #[arg(long)]
    pub(in crate::cli) unset_allowed_ip_addresses: bool,
}

impl Change {
    /// The list to send; empty for none.
    pub(in crate::cli) fn list(&self) -> Option<&str> {
        if self.unset_allowed_ip_addresses { Some("") } else { self.allowed_ip_addresses.as_deref() }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct How {
    /// Make the change even if it locks you out
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}
