//! `iam account-settings …` and `iam allowlist …`: from where the account, its identities and keys may be used.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

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
    pub(in crate::cli) identity: IdentitySettings,
    #[command(flatten)]
    pub(in crate::cli) how: How,
}

/// Who may make what, and how long tokens and sessions last.
#[derive(Args, Debug)]
pub(in crate::cli) struct IdentitySettings {
    /// Whether it takes a policy to create service IDs
    #[arg(long, value_name = "SETTING", ignore_case = true)]
    restrict_create_service_id: Option<Restriction>,
    /// Whether it takes a policy to create API keys
    #[arg(long, value_name = "SETTING", ignore_case = true)]
    restrict_create_platform_apikey: Option<Restriction>,
    /// Who needs a second factor to log in, and which
    #[arg(long, ignore_case = true)]
    mfa: Option<Factor>,
    /// How long access tokens last, in seconds, or NOT_SET
    #[arg(long, value_name = "SECONDS", value_parser = number)]
    access_token_expiration_in_seconds: Option<String>,
    /// How long refresh tokens last, in seconds, or NOT_SET
    #[arg(long, value_name = "SECONDS", value_parser = number)]
    refresh_token_expiration_in_seconds: Option<String>,
    /// How long a session lasts, in seconds, or NOT_SET
    #[arg(long, value_name = "SECONDS", value_parser = number)]
    session_expiration_in_seconds: Option<String>,
    /// How long a session lasts in which nothing happens, in seconds, or NOT_SET
    #[arg(long, value_name = "SECONDS", value_parser = number)]
    session_invalidation_in_seconds: Option<String>,
    /// How many sessions an identity has at most, or NOT_SET
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    max_sessions_per_identity: Option<String>,
}

impl IdentitySettings {
    /// Those that are to change, as the API names them.
    pub(in crate::cli) fn fields(self) -> impl Iterator<Item = (String, Value)> {
        let restriction = |one: Option<Restriction>| one.map(|one| one.wire().to_owned());
        let fields = [
            ("restrict_create_service_id", restriction(self.restrict_create_service_id)),
            ("restrict_create_platform_apikey", restriction(self.restrict_create_platform_apikey)),
            ("mfa", self.mfa.map(|factor| factor.wire().to_owned())),
            ("system_access_token_expiration_in_seconds", self.access_token_expiration_in_seconds),
            ("system_refresh_token_expiration_in_seconds", self.refresh_token_expiration_in_seconds),
            ("session_expiration_in_seconds", self.session_expiration_in_seconds),
            ("session_invalidation_in_seconds", self.session_invalidation_in_seconds),
            ("max_sessions_per_identity", self.max_sessions_per_identity),
        ];
        fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))))
    }
}

/// Whether making something takes a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Restriction {
    #[value(name = "RESTRICTED")]
    Restricted,
    #[value(name = "NOT_RESTRICTED")]
    NotRestricted,
    #[value(name = "NOT_SET")]
    NotSet,
}

impl Restriction {
    const fn wire(self) -> &'static str {
        match self {
            Self::Restricted => "RESTRICTED",
            Self::NotRestricted => "NOT_RESTRICTED",
            Self::NotSet => "NOT_SET",
        }
    }
}

/// Who needs a second factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Factor {
    #[value(name = "NONE")]
    None,
    #[value(name = "NONE_NO_ROPC")]
    NoneNoRopc,
    #[value(name = "TOTP")]
    Totp,
    #[value(name = "TOTP4ALL")]
    TotpForAll,
    #[value(name = "LEVEL1")]
    Level1,
    #[value(name = "LEVEL2")]
    Level2,
    #[value(name = "LEVEL3")]
    Level3,
}

impl Factor {
    const fn wire(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::NoneNoRopc => "NONE_NO_ROPC",
            Self::Totp => "TOTP",
            Self::TotpForAll => "TOTP4ALL",
            Self::Level1 => "LEVEL1",
            Self::Level2 => "LEVEL2",
            Self::Level3 => "LEVEL3",
        }
    }
}

/// The API takes numbers as texts.
fn number(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("NOT_SET") {
        return Ok("NOT_SET".to_owned());
    }
    let number = text.parse::<u32>().ok().filter(|number| *number > 0);
    number.map(|number| number.to_string()).ok_or_else(|| "write a number above 0, or NOT_SET".to_owned())
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
