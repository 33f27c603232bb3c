//! `init`: store, master key, signing key, account and administrator; safe to kill at any instant, safe to repeat.

use std::path::Path;
use std::sync::Arc;

use super::failure::{Doing, Failure};
use super::files::{ensure_master_key, private_directory};
use super::sources::Sources;
use crate::config::settings::Settings;
use crate::control::founding::{Plan, adopt_registries, found};
use crate::credential::api_key::{ApiKey, Pepper};
use crate::credential::seal::MasterKey;
use crate::ids::region::Region;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::token::mint::SEALED_FOR;

/// The variable that holds the administrator's key, for containers.
pub const BOOTSTRAP_KEY: &str = "PORTCULLIS_BOOTSTRAP_API_KEY";

/// What API keys are hashed under, of everything that the master key is good for.
const PEPPER: &str = "api-key-pepper";

/// An opened installation.
pub struct Installation {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The master key.
    pub master: Arc<MasterKey>,
    /// What API keys are hashed with.
    pub pepper: Pepper,
}

/// What `init` found.
#[derive(Debug)]
pub enum Founded {
    /// Everything was there already.
    Before,
    /// This call made it.
    Now,
}

/// Opens the store and the master key, making what is missing.
///
/// # Errors
/// [`Failure`] when one of them cannot be used.
pub async fn open(settings: &Settings, sources: &Sources) -> Result<Installation, Failure> {
    let path = store_path(settings)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    private_directory(directory)
        .doing(format_args!("making the directory {} of store.url", directory.display()))?;
    let master = ensure_master_key(&settings.store.master_key_file, &*sources.entropy)
        .doing("opening the installation")?;
    let store = SqliteStore::open(path, Arc::clone(&sources.clock))
        .await
        .doing(format_args!("opening the store {}", path.display()))?;
    let pepper = Pepper::new(master.derive(PEPPER).expose());
    Ok(Installation { store: Arc::new(store), master: Arc::new(master), pepper })
}

/// Where the store's file is.
///
/// # Errors
/// [`Failure`] when it is no file.
pub fn store_path(settings: &Settings) -> Result<&Path, Failure> {
    let path = settings.store.url.strip_prefix("sqlite:");
    path.map(Path::new)
        .ok_or_else(|| Failure::plain("store.url: only sqlite: is supported; write sqlite:PATH"))
}

/// Founds the account if there is none, with `bootstrap_key` as the administrator's key if one is given. A fresh key is
/// handed to `reveal` before it becomes good: whoever is killed in between has shown a key that never was one, and not
/// made one that nobody has seen.
///
/// # Errors
/// [`Failure`] when the store fails or is another account's, and of `reveal`.
pub async fn ensure(
    installation: &Installation,
    settings: &Settings,
    policy_free: bool,
    bootstrap_key: Option<&str>,
    sources: &Sources,
    reveal: &dyn Fn(&ApiKey) -> Result<(), Failure>,
) -> Result<Founded, Failure> {
    let given = bootstrap_key.map(usable_key).transpose()?;
    let fresh = ApiKey::fresh(&*sources.entropy);
    let regions: Vec<Region> = settings.registries.iter().map(|registry| registry.region.clone()).collect();
    let plan = Plan {
        account: settings.account.id.clone(),
        name: settings.account.name.clone(),
        regions: regions.clone(),
        policy_free: policy_free || settings.account.policy_free,
        api_key: given.as_ref().unwrap_or(&fresh),
        pepper: &installation.pepper,
        master: &installation.master,
        sealed_for: SEALED_FOR,
    };
    let store = &*installation.store;
    let shown = given.is_none() && store.account().await.doing("reading the account")?.is_none();
    if shown {
        reveal(&fresh)?;
    }
    let now = found(store, &plan, &*sources.clock, &*sources.entropy).await;
    let now = now.doing("founding the account")?;
    let account = store.account().await.doing("reading the account")?;
    if account.is_none_or(|account| account.id != settings.account.id) {
        let id = &settings.account.id;
        return Err(Failure::plain(format!(
            "account.id is {id}, but the store is another account's: name that one"
        )));
    }
    adopt_registries(store, &regions).await.doing("adding registries")?;
    match (now, shown) {
        (true, _) => Ok(Founded::Now),
        (false, false) => Ok(Founded::Before),
        (false, true) => Err(Failure::plain(
            "somebody else founded the account at the same moment: forget the key shown here, and use theirs",
        )),
    }
}

/// A key that an operator chose must be as hard to guess as one of ours.
fn usable_key(text: &str) -> Result<ApiKey, Failure> {
    let long_enough = text.len() >= 32;
    let key = ApiKey::presented(text).filter(|_| long_enough);
    key.ok_or_else(|| {
        Failure::plain(format!("{BOOTSTRAP_KEY}: give 32 to 256 printable characters without spaces"))
    })
}
