//! `store …`: a whole store, moved.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What is done with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Copy everything to an empty store in another database, row by row, and compare; no server may run
    Copy(CopyArguments),
    /// Write everything to a file, as of one instant; servers may run. What is sealed stays sealed
    Export(ExportArguments),
    /// Fill an empty store from such a file
    Import(ImportArguments),
}

/// What `store copy` is told.
#[derive(Args, Debug)]
pub struct CopyArguments {
    /// The store that is copied: sqlite:PATH or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The file whose first line is that database's password
    #[arg(long, value_name = "FILE")]
    pub from_password_file: Option<PathBuf>,
    /// The empty store that is filled: sqlite:PATH or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// The file whose first line is that database's password
    #[arg(long, value_name = "FILE")]
    pub to_password_file: Option<PathBuf>,
}

/// What `store export` is told.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The file that is made
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// What `store import` is told.
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// The configuration file that names the store
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The file that an export has made
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
}
