//! `init`: store, master key, signing key, account and administrator; safe to kill at any instant, safe to repeat.

use std::path::Path;
use std::sync::Arc;

use super::failure::{Doing, Failure};
use super::files::{ensure_master_key, private_directory};
use super::sources::Sources;
use crate::clock::Clock;
use crate::config::settings::{Settings, StorePlace};
use crate::control::founding::{Plan, adopt_registries, found};
use crate::credential::access_key::AccessSecret;
use crate::credential::api_key::{ApiKey, Pepper};
use crate::credential::seal::MasterKey;
use crate::ids::aws::AccessKeyId;
use crate::ids::region::Region;
use crate::secret::Secret;
use crate::store::Store;
use crate::store::keyring::Keyring as _;
use crate::store::postgres::address::Server;
use crate::store::tables::SqlStore;
use crate::store::{postgres, sqlite};
use crate::token::mint::SEALED_FOR;

/// The variable that holds the administrator's key, for containers.
pub const BOOTSTRAP_KEY: &str = "PORTCULLIS_BOOTSTRAP_API_KEY";

/// The variable that holds the id of the administrator's access key.
pub const BOOTSTRAP_ACCESS_KEY_ID: &str = "PORTCULLIS_BOOTSTRAP_ACCESS_KEY_ID";

/// The variable that holds its secret.
pub const BOOTSTRAP_SECRET_ACCESS_KEY: &str = "PORTCULLIS_BOOTSTRAP_SECRET_ACCESS_KEY";

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
    if let StorePlace::Sqlite(path) = &settings.store.place {
        let directory = path.parent().unwrap_or(Path::new(""));
        private_directory(directory)
            .doing(format_args!("making the directory {} of store.url", directory.display()))?;
    }
    let store = opened(&settings.store.place, Arc::clone(&sources.clock)).await?;
    let file = &settings.store.master_key_file;
    let (keys, _) = store.signing_keys().await.doing("reading the store")?;
    if !keys.is_empty() && !file.exists() {
        return Err(foreign(file, "is missing"));
    }
    let master = ensure_master_key(file, &*sources.entropy).doing("opening the installation")?;
    if keys.first().is_some_and(|key| master.open(SEALED_FOR, &key.sealed).is_none()) {
        return Err(foreign(file, "is another installation's"));
    }
    let pepper = Pepper::new(master.derive(PEPPER).expose());
    Ok(Installation { store: Arc::new(store), master: Arc::new(master), pepper })
}

/// A replica that seals under a key of its own would lock out all others.
fn foreign(file: &Path, what: &str) -> Failure {
    let how = "the store is sealed under another: copy the file from where the store was founded, or from another replica";
    Failure::new(format_args!("store.master_key_file {} {what}", file.display()), how)
}

/// Opens the store, and brings its schema up to date.
pub(super) async fn opened(place: &StorePlace, clock: Arc<dyn Clock>) -> Result<SqlStore, Failure> {
    match place {
        StorePlace::Sqlite(path) => sqlite::open(path, clock).await,
        StorePlace::Postgres(server, password) => {
            postgres::open(&with_password(server, password.as_deref())?, clock).await
        }
    }
    .doing(format_args!("opening the store {place}"))
}

/// Whether a store can be reached that is not a file of this machine; nothing is changed there.
///
/// # Errors
/// [`Failure`] when it cannot.
pub async fn reach(place: &StorePlace) -> Result<(), Failure> {
    match place {
        StorePlace::Sqlite(_) => Ok(()),
        StorePlace::Postgres(server, password) => {
            let reached = postgres::reach(&with_password(server, password.as_deref())?).await;
            reached.doing("reaching the store of store.url")
        }
    }
}

/// The password is what the file's first line says.
fn with_password(server: &Server, file: Option<&Path>) -> Result<Server, Failure> {
    let mut server = server.clone();
    if let Some(file) = file {
        let read = std::fs::read_to_string(file).map(Secret::new);
        let text = read.doing(format_args!("reading store.password_file {}", file.display()))?;
        let line = text.expose().lines().next().unwrap_or_default();
        server.password = Some(Secret::from(line));
    }
    Ok(server)
}

/// The administrator's credentials, as an operator chose them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The API key.
    pub api_key: Option<&'a str>,
    /// The id of the access key.
    pub access_key_id: Option<&'a str>,
    /// The secret of the access key.
    pub secret_access_key: Option<&'a str>,
}

/// The administrator's credentials that were made here, and that somebody must be shown.
#[derive(Debug)]
pub struct Fresh<'a> {
    /// The API key.
    pub api_key: Option<&'a ApiKey>,
    /// The access key.
    pub access_key: Option<(&'a AccessKeyId, &'a AccessSecret)>,
}

/// Who is shown fresh credentials.
pub type Reveal<'a> = &'a dyn Fn(&Fresh<'_>) -> Result<(), Failure>;

/// Founds the account if there is none, with the administrator's credentials that are given. Fresh ones are
/// handed to `reveal` before they become good: whoever is killed in between has shown a key that never was one, and not
/// made one that nobody has seen. Without `reveal`, none are made.
///
/// # Errors
/// [`Failure`] when the store fails or is another account's, and of `reveal`.
pub async fn ensure(
    installation: &Installation,
    settings: &Settings,
    policy_free: bool,
    given: Given<'_>,
    sources: &Sources,
    reveal: Option<Reveal<'_>>,
) -> Result<Founded, Failure> {
    let api_key = given.api_key.map(usable_key).transpose()?;
    let pair = usable_pair(given)?;
    let (fresh, fresh_pair) = (ApiKey::fresh(&*sources.entropy), fresh_pair(settings, sources));
    let regions: Vec<Region> = settings.registries.iter().map(|registry| registry.region.clone()).collect();
    let either = pair.as_ref().or(reveal.map(|_| &fresh_pair));
    let plan = Plan {
        account: settings.account.id.clone(),
        name: settings.account.name.clone(),
        regions: regions.clone(),
        policy_free: policy_free || settings.account.policy_free,
        api_key: api_key.as_ref().unwrap_or(&fresh),
        access_key: either.map(|(id, secret)| (id, secret)),
        pepper: &installation.pepper,
        master: &installation.master,
        sealed_for: SEALED_FOR,
    };
    let store = &*installation.store;
    let empty = store.account().await.doing("reading the account")?.is_none();
    let shown = Fresh {
        api_key: api_key.is_none().then_some(&fresh),
        access_key: pair.is_none().then_some((&fresh_pair.0, &fresh_pair.1)),
    };
    let shows = empty && (shown.api_key.is_some() || shown.access_key.is_some());
    match reveal {
        Some(reveal) if shows => reveal(&shown)?,
        None if empty && api_key.is_none() => {
            return Err(Failure::plain("the store was emptied just now: start again"));
        }
        Some(_) | None => {}
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
    match (now, shows && reveal.is_some()) {
        (true, _) => Ok(Founded::Now),
        (false, false) => Ok(Founded::Before),
        (false, true) => Err(Failure::plain(
            "somebody else founded the account at the same moment: forget the keys shown here, and use theirs",
        )),
    }
}

fn fresh_pair(settings: &Settings, sources: &Sources) -> (AccessKeyId, AccessSecret) {
    let id = AccessKeyId::fresh(&settings.account.id, &*sources.entropy);
    (id, AccessSecret::fresh(&*sources.entropy))
}

/// An access key that an operator chose: both halves, or none.
fn usable_pair(given: Given<'_>) -> Result<Option<(AccessKeyId, AccessSecret)>, Failure> {
    match (given.access_key_id, given.secret_access_key) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let id = AccessKeyId::parse(id).map_err(|_| {
                Failure::plain(format!(
                    "{BOOTSTRAP_ACCESS_KEY_ID}: give AKIA and 16 capital letters or digits"
                ))
            })?;
            let secret = AccessSecret::parse(secret).filter(|_| secret.len() >= 40).ok_or_else(|| {
                let text = "give 40 to 128 printable characters without spaces";
                Failure::plain(format!("{BOOTSTRAP_SECRET_ACCESS_KEY}: {text}"))
            })?;
            Ok(Some((id, secret)))
        }
        (Some(_), None) | (None, Some(_)) => Err(Failure::plain(format!(
            "give both {BOOTSTRAP_ACCESS_KEY_ID} and {BOOTSTRAP_SECRET_ACCESS_KEY}, or neither"
        ))),
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
