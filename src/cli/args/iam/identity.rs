//! `iam service-id…`, `iam api-key…`, `iam service-api-key…`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Consent, Create, Entity, IdOnly, Many, One, Reword, Texts};
use crate::cli::display::Display;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ServiceIdCommand {
    /// Show a service ID
    #[command(name = "service-id")]
    Show(One),
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
    Update(Reword),
    /// List the service IDs
    #[command(name = "service-ids")]
    List(ServiceIds),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ApiKeyCommand {
    /// Show an API key of yours
    ApiKey(One),
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
    /// Change the name or description of an API key of yours
    ApiKeyUpdate(Reword),
    /// List your API keys
    ApiKeys(Many),
    /// Show an API key of a service ID
    ServiceApiKey(ServiceApiKeyShow),
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
    /// Change the name or description of an API key of a service ID
    ServiceApiKeyUpdate(ServiceApiKeyUpdate),
    /// List the API keys of a service ID
    ServiceApiKeys(ServiceApiKeys),
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
pub(in crate::cli) struct ServiceApiKeyShow {
    /// The key, by name or id
    pub(in crate::cli) key: String,
    /// The service ID, by name or id
    pub(in crate::cli) service_id: String,
    #[command(flatten)]
    pub(in crate::cli) only: IdOnly,
    /// Accepted for compatibility
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct ServiceApiKeyUpdate {
    /// The key, by name or id
    pub(in crate::cli) key: String,
    /// The service ID, by name or id
    pub(in crate::cli) service_id: String,
    #[command(flatten)]
    pub(in crate::cli) texts: Texts,
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
