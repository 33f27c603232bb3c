//! `iam …`: the verbs and flags of the IBM Cloud CLI.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::display::Display;
use access::{GroupCommand, PolicyCommand};
use identity::{ApiKeyCommand, ServiceIdCommand};
use network::NetworkCommand;
use profile::ProfileCommand;
use role::RoleCommand;
use rule::GroupRuleCommand;

pub(in crate::cli) mod access;
pub(in crate::cli) mod condition;
pub(in crate::cli) mod identity;
pub(in crate::cli) mod network;
pub(in crate::cli) mod profile;
pub(in crate::cli) mod role;
pub(in crate::cli) mod rule;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Create an access key for the aws command, for yourself or for somebody else
    AccessKeyCreate(AccessKeyCreate),
    #[command(flatten)]
    Group(GroupCommand),
    #[command(flatten)]
    GroupRule(GroupRuleCommand),
    #[command(flatten)]
    ApiKey(ApiKeyCommand),
    #[command(flatten)]
    Network(NetworkCommand),
    /// Print the value of an Authorization header for API calls
    BearerToken(Shown),
    /// Print a token for API calls
    OauthTokens(Shown),
    #[command(flatten)]
    Role(RoleCommand),
    #[command(flatten)]
    ServiceId(ServiceIdCommand),
    #[command(flatten)]
    Policy(PolicyCommand),
    #[command(flatten)]
    Profile(ProfileCommand),
    /// Add a user to the account
    UserInvite(UserInvite),
    /// Remove a user from the account, with API keys and policies
    UserRemove(Entity),
    /// List the users of the account
    Users(Shown),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct AccessKeyCreate {
    /// The user or service ID; yourself if none is named
    pub(in crate::cli) user: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Shown {
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// Whose parts to list.
#[derive(Args, Debug)]
pub(in crate::cli) struct Listing {
    /// Its name or id
    pub(in crate::cli) name: String,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

/// One thing to show.
#[derive(Args, Debug)]
pub(in crate::cli) struct One {
    #[command(flatten)]
    pub(in crate::cli) of: Listing,
    #[command(flatten)]
    pub(in crate::cli) only: IdOnly,
}

impl One {
    /// How to show it.
    pub(in crate::cli) fn display(&self) -> Display {
        self.only.display(self.of.display)
    }
}

/// Whether the id is all that is wanted.
#[derive(Args, Debug)]
pub(in crate::cli) struct IdOnly {
    /// Print only the id
    #[arg(long, visible_alias = "uuid", conflicts_with = "output")]
    pub(in crate::cli) id: bool,
}

impl IdOnly {
    /// How to show something of which the id may be all that is wanted.
    pub(in crate::cli) fn display(&self, display: Display) -> Display {
        Display { quiet: display.quiet || self.id, ..display }
    }
}

/// Things to list.
#[derive(Args, Debug)]
pub(in crate::cli) struct Many {
    #[command(flatten)]
    pub(in crate::cli) only: IdOnly,
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

/// One thing whose name or description is to change.
#[derive(Args, Debug)]
pub(in crate::cli) struct Reword {
    /// Its name or id
    #[arg(value_name = "NAME")]
    pub(in crate::cli) of: String,
    #[command(flatten)]
    pub(in crate::cli) texts: Texts,
}

/// What becomes of the texts of a thing.
#[derive(Args, Debug)]
pub(in crate::cli) struct Texts {
    /// Its new name
    #[arg(short, long, required_unless_present = "description")]
    name: Option<String>,
    /// Its new description
    #[arg(short, long)]
    description: Option<String>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

impl Texts {
    /// Those that change, as the APIs name them.
    pub(in crate::cli) fn body(self) -> Value {
        let fields = [("name", self.name), ("description", self.description)];
        fields
            .into_iter()
            .filter_map(|(field, text)| Some((field.to_owned(), Value::String(text?))))
            .collect()
    }
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
