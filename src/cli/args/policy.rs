//! `policy …`: what is done with documents, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::cr::Formatted;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Report statements that match nothing, add nothing or allow too much, and actions that do not exist
    Lint(Lint),
}

#[derive(Args, Debug)]
pub(in crate::cli) struct Lint {
    /// The document, as JSON; `-` for the standard input
    pub(in crate::cli) file: PathBuf,
    /// What the document is; unless given, an IBM access policy if it has `roles` or `control`, else an identity policy
    #[arg(long, value_enum, value_name = "KIND")]
    pub(in crate::cli) kind: Option<DocumentKind>,
    #[command(flatten)]
    pub(in crate::cli) formatted: Formatted,
}

/// What a document is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum DocumentKind {
    /// An IBM access policy, v1 or v2
    Ibm,
    /// An AWS policy of a user, group or role
    Identity,
    /// An AWS policy of a repository
    Resource,
    /// An AWS policy of a role, saying who may assume it
    Trust,
}
