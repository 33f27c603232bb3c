//! `resource …`: the verbs of the IBM Cloud CLI that are about resource groups.

use clap::{Args, Subcommand};

use crate::cli::args::cr::Formatted;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show a resource group
    Group(Group),
    /// Make a resource group
    GroupCreate(GroupCreate),
    /// Delete a resource group that nothing is in
    GroupDelete(GroupDelete),
    /// Give a resource group another name
    GroupUpdate(GroupUpdate),
    /// List the resource groups
    Groups(Groups),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Group {
    /// Its name or id
    pub(in crate::cli) group: String,
    /// Print only its id
    #[arg(long)]
    pub(in crate::cli) id: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupCreate {
    /// A name that no other group has
    pub(in crate::cli) name: String,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupDelete {
    /// Its name or id
    pub(in crate::cli) group: String,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupUpdate {
    /// Its name or id
    pub(in crate::cli) group: String,
    /// The new name
    #[arg(short, long)]
    pub(in crate::cli) name: String,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(in crate::cli) force: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Groups {
    /// Only the default one
    #[arg(long)]
    pub(in crate::cli) default: bool,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}
