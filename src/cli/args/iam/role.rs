//! `iam role…`: what policies can grant.

use clap::{Args, Subcommand};

use super::{Entity, One};
use crate::cli::display::Display;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RoleCommand {
    /// Show a role of the account's own making
    #[command(name = "role")]
    Show(One),
    /// Make a role out of actions
    #[command(name = "role-create")]
    Create(RoleCreate),
    /// Delete a role of the account's own making
    #[command(name = "role-delete")]
    Delete(Entity),
    /// Change a role of the account's own making
    #[command(name = "role-update")]
    Update(RoleUpdate),
    /// List the roles that policies can grant
    #[command(name = "roles")]
    List(Roles),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Roles {
    /// The service
    #[arg(long, value_name = "NAME", default_value = "container-registry")]
    pub(in crate::cli) service: String,
    /// Only these, by the names that people read
    #[arg(long, value_delimiter = ',')]
    pub(in crate::cli) roles: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RoleCreate {
    /// A name without spaces, which begins with a capital letter
    pub(in crate::cli) name: String,
    /// The name that people read
    #[arg(long)]
    pub(in crate::cli) display_name: String,
    /// The service whose actions it has
    #[arg(short, long, value_name = "NAME", default_value = "container-registry")]
    pub(in crate::cli) service_name: String,
    /// What it allows, such as container-registry.image.pull; `iam roles --output json` lists them
    #[arg(short, long, value_delimiter = ',', required = true)]
    pub(in crate::cli) actions: Vec<String>,
    /// Any text
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RoleUpdate {
    /// The role, by name or id
    pub(in crate::cli) role: String,
    /// The new name that people read
    #[arg(long, required_unless_present_any = ["actions", "description"])]
    pub(in crate::cli) display_name: Option<String>,
    /// What it allows from now on
    #[arg(short, long, value_delimiter = ',')]
    pub(in crate::cli) actions: Vec<String>,
    /// Its new description
    #[arg(short, long)]
    pub(in crate::cli) description: Option<String>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
}
