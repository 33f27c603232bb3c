//! `store copy`, `store export` and `store import`: a whole store moved, and what is printed of it.

use std::fs::OpenOptions;
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::check;
use super::commands::Environment;
use super::failure::{Doing, Failure};
use super::files::ensure_master_key;
use super::init::opened;
use super::sources::Sources;
use crate::cli::args::store::{CopyArguments, ExportArguments, ImportArguments, StoreCommand};
use crate::config::settings::{Settings, StorePlace};
use crate::secret::Secret;
use crate::store::transfer::{self, Moved};

/// What exports are signed with, of everything that the master key is good for.
const EXPORTS: &str = "store-exports";

/// Runs one of them.
///
/// # Errors
/// [`Failure`], to be printed.
pub(super) async fn run(
    command: &StoreCommand,
    environment: &Environment,
    sources: &Sources,
) -> Result<(), Failure> {
    match command {
        StoreCommand::Copy(arguments) => copy(arguments, sources).await,
        StoreCommand::Export(arguments) => export(arguments, environment, sources).await,
        StoreCommand::Import(arguments) => import(arguments, environment, sources).await,
    }
}

async fn copy(arguments: &CopyArguments, sources: &Sources) -> Result<(), Failure> {
    let from = place(&arguments.from, arguments.from_password_file.as_deref(), "--from")?;
    let to = place(&arguments.to, arguments.to_password_file.as_deref(), "--to")?;
    if let StorePlace::Sqlite(path) = &from
        && !path.exists()
    {
        return Err(Failure::plain(format!("there is no store {from}: name one that is there with --from")));
    }
    let source = opened(&from, Arc::clone(&sources.clock)).await?;
    let target = opened(&to, Arc::clone(&sources.clock)).await?;
    let moved = transfer::copy(&source, &target).await;
    source.close().await;
    target.close().await;
    told(&moved.doing(format_args!("copying {from} to {to}"))?);
    println!("{to} holds what {from} holds. Name it in store.url; the master key stays the same.");
    Ok(())
}

async fn export(
    arguments: &ExportArguments,
    environment: &Environment,
    sources: &Sources,
) -> Result<(), Failure> {
    let settings = check::load(&arguments.config, environment)?.settings;
    let (place, key) = (&settings.store.place, key(&settings, sources)?);
    let store = opened(place, Arc::clone(&sources.clock)).await?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&arguments.to);
    let doing = format!("writing {}", arguments.to.display());
    let mut out = BufWriter::new(file.doing(&doing)?);
    let moved = transfer::export(&store, &mut out, &key, sources.clock.now()).await;
    let kept = moved.doing(&doing).and_then(|moved| {
        out.flush().and_then(|()| out.get_ref().sync_all()).doing(&doing)?;
        Ok(moved)
    });
    store.close().await;
    if kept.is_err() {
        // Half a file is worse than none.
        let _gone = std::fs::remove_file(&arguments.to);
    }
    told(&kept?);
    println!("{} is in {}. Keep the master key with it, but not beside it.", place, arguments.to.display());
    Ok(())
}

async fn import(
    arguments: &ImportArguments,
    environment: &Environment,
    sources: &Sources,
) -> Result<(), Failure> {
    let settings = check::load(&arguments.config, environment)?.settings;
    let doing = format!("reading {}", arguments.from.display());
    let mut file = BufReader::new(std::fs::File::open(&arguments.from).doing(&doing)?);
    let (place, key) = (&settings.store.place, key(&settings, sources)?);
    let store = opened(place, Arc::clone(&sources.clock)).await?;
    let moved = transfer::import(&store, &mut file, &key).await;
    store.close().await;
    told(&moved.doing(doing)?);
    println!("{} is in {place}.", arguments.from.display());
    Ok(())
}

/// The key of this installation, which must be there: an export is of no use with another one.
fn key(settings: &Settings, sources: &Sources) -> Result<Secret<[u8; 32]>, Failure> {
    let file: &Path = &settings.store.master_key_file;
    if !file.exists() {
        return Err(Failure::plain(format!("there is no master key {}: put it back", file.display())));
    }
    let master = ensure_master_key(file, &*sources.entropy).doing("reading the master key")?;
    Ok(master.derive(EXPORTS))
}

/// Where a store is; the text may hold a password, so it is never repeated.
fn place(text: &str, password: Option<&Path>, flag: &str) -> Result<StorePlace, Failure> {
    let found = StorePlace::parse(text).map_err(|why| Failure::new(flag, why))?;
    match (found, password) {
        (StorePlace::Postgres(server, _), Some(_)) if server.password.is_some() => Err(Failure::plain(
            format!("{flag} has a password, and so has {flag}-password-file; leave one out"),
        )),
        (StorePlace::Postgres(server, _), password) => {
            Ok(StorePlace::Postgres(server, password.map(Path::to_owned)))
        }
        (place @ StorePlace::Sqlite(_), None) => Ok(place),
        (StorePlace::Sqlite(_), Some(_)) => {
            Err(Failure::plain(format!("{flag} is a file, which has no password")))
        }
    }
}

fn told(moved: &[Moved]) {
    let filled = moved.iter().filter(|table| table.rows > 0);
    for Moved { table, rows, digest } in filled {
        println!("{table:32} {rows:>9}  {digest}");
    }
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    println!("{rows} rows of {} tables, compared row by row.", moved.len());
}
