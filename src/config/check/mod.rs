//! Reads the whole configuration, fills in the defaults, and notes everything that is wrong with it.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::files;
use super::mistake::Notes;
use super::raw::Entry;
use super::section::{Placed, Section};
use super::settings::{
    Account, Allowlist, Audit, Cache, FindingsSettings, Limits, Log, Settings, SignerSetting, Store,
    StorePlace, Token, Trash,
};
use crate::credential::signer::SignerKey;
use crate::ids::account::AccountId;
use crate::network::decide::PrivateSource;
use crate::record::audit::{Destination, OnFailure};
use crate::record::log::{Format, Level};
use crate::registry::name::Namespace;

mod acme;
mod alerts;
mod compliance;
mod federation;
mod listener;
mod registry;
mod telemetry;
mod tls;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The settings; `None` only if a mistake was noted.
pub(super) fn settings(entries: Vec<Entry>, notes: &Notes) -> Option<Settings> {
    let mut top = Section::top(entries, notes);
    let account = account(&mut top);
    let store = store(top.section("store"));
    let registries = registry::all(&mut top);
    let acme = acme::read(&mut top);
    let listeners = listener::all(&mut top, acme.as_ref().map(|acme| &acme.value));
    listener::compare(&listeners, &registries, notes);
    acme::compare(acme.as_ref(), &listeners, &registries, notes);
    let token = token(top.section("token"));
    let audit = audit(top.section("audit"));
    let telemetry = telemetry::read(top.section("telemetry"));
    let allowlist = allowlist(top.section("allowlist"));
    let federation = federation::read(top.section("federation"));
    let alerts = alerts::read(top.section("alerts"));
    let compliance = compliance::read(top.section("compliance"));
    let cache = cache(top.section("cache"));
    let trash = trash(top.section("trash"));
    let findings = findings(top.section("findings"));
    let limits = limits(top.section("limits"));
    let log = log(top.section("log"));
    let workers = top.number("workers", 0..=1024).and_then(|count| usize::try_from(count).ok());
    top.end();
    Some(Settings {
        account: account?,
        store,
        registries: registries.into_iter().map(|registry| registry.value).collect(),
        listeners: listeners.into_iter().map(|listener| listener.value).collect(),
        token,
        audit,
        telemetry,
        allowlist,
        federation,
        alerts,
        compliance,
        cache,
        trash,
        findings,
        limits,
        acme: acme.map(|acme| acme.value),
        log,
        workers: workers.filter(|count| *count > 0).unwrap_or_else(cores),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn account(top: &mut Section<'_>) -> Option<Account> {
    let mut section = top.section("account");
    let advice = "write 12 digits of your choice, in quotes; they stay for good";
    let id = section.required("id", advice, |section, key| section.parsed(key, AccountId::parse));
    let name = section.text("name").unwrap_or_else(|| "example".to_owned());
    let policy_free = section.boolean("policy_free").unwrap_or(false);
    section.end();
    Some(Account { id: id?, name, policy_free })
}

fn store(mut section: Section<'_>) -> Store {
    let place = store_place(&mut section);
    let key = section.path("master_key_file");
    if let Some(file) = &key {
        files::check_master_key(file, section.notes);
    }
    let max_staleness = section.duration("max_staleness", SECOND..=HOUR);
    section.end();
    Store {
        place: place.unwrap_or_else(|| StorePlace::Sqlite("data/portcullis.db".into())),
        master_key_file: key.map_or_else(|| "data/master.key".into(), |file| file.value),
        max_staleness: max_staleness.unwrap_or(SECOND * 30),
    }
}

/// Which database. The text may hold a password, so it is never repeated.
fn store_place(section: &mut Section<'_>) -> Option<StorePlace> {
    let at = section.place_of("url");
    let password = files::private(section, "password_file");
    let place = section.parsed("url", StorePlace::parse)?;
    match (place, password) {
        (StorePlace::Postgres(server, _), password) => {
            if server.is_exposed() {
                let text = "whoever is on the way to the database could read along or answer in its place; \
                            leave sslmode out, and name the server's authority with sslrootcert=FILE";
                section.notes.warning(&at, text);
            }
            if server.password.is_some() && password.is_some() {
                section.notes.mistake(&at, "has a password, and so has store.password_file; leave one out");
            }
            Some(StorePlace::Postgres(server, password))
        }
        (place @ StorePlace::Sqlite(_), None) => Some(place),
        (place @ StorePlace::Sqlite(_), Some(_)) => {
            section.notes.mistake(&at, "is a file, which has no password; leave store.password_file out");
            Some(place)
        }
    }
}

fn token(mut section: Section<'_>) -> Token {
    // Clients keep every token for 60 s at least, whatever they are told.
    let lifetime = section.duration("lifetime", MINUTE..=HOUR * 12).unwrap_or(MINUTE * 15);
    section.end();
    Token { lifetime }
}

fn audit(mut section: Section<'_>) -> Audit {
    let place = section.place_of("path");
    let destination = section.text("path").map_or_else(
        || Destination::File("data/audit.log".into()),
        |path| match path.as_str() {
            "none" => Destination::None,
            "-" => Destination::Stdout,
            path => Destination::File(path.into()),
        },
    );
    if destination == Destination::None {
        section.notes.warning(&place, "there is no audit log: nobody will know who did what");
    }
    let words = [("refuse", OnFailure::Refuse), ("continue", OnFailure::Continue)];
    let on_failure = section.word("on_failure", &words).unwrap_or(OnFailure::Refuse);
    section.end();
    Audit { destination, on_failure }
}

fn allowlist(mut section: Section<'_>) -> Allowlist {
    let words = [("client", PrivateSource::Client), ("endpoint", PrivateSource::Endpoint)];
    let private_source = section.word("private_source", &words).unwrap_or_default();
    section.end();
    Allowlist { private_source }
}

fn cache(mut section: Section<'_>) -> Cache {
    let cache = Cache {
        content: section.boolean("content").unwrap_or(true),
        max_bytes: section.number("max_bytes", 1 << 20..=1 << 40).unwrap_or(64 << 20),
        max_blob_bytes: wide(section.number("max_blob_bytes", 0..=64 << 20), 1 << 20),
        tag_staleness: section.duration("tag_staleness", Duration::ZERO..=MINUTE).unwrap_or(SECOND),
        content_staleness: section.duration("content_staleness", Duration::ZERO..=HOUR).unwrap_or(MINUTE),
        disk: section.path("disk").map(|placed| placed.value),
        disk_max_bytes: section.number("disk_max_bytes", 1 << 20..=1 << 50).unwrap_or(10 << 30),
    };
    section.end();
    cache
}

fn trash(mut section: Section<'_>) -> Trash {
    let days = section.number("days", 0..=3650).unwrap_or(30);
    section.end();
    Trash { keep: Some(HOUR * 24 * u32::try_from(days).unwrap_or(30)).filter(|keep| !keep.is_zero()) }
}

fn findings(mut section: Section<'_>) -> FindingsSettings {
    let only_reported = section.word("gate", &[("enforce", false), ("report", true)]).unwrap_or(false);
    let referrers = section.boolean("referrers").unwrap_or(true);
    let place = section.place_of("scanner");
    let word =
        |text: &str| if text.contains('\0') { Err("must not hold a NUL") } else { Ok(text.to_owned()) };
    let scanner: Vec<String> =
        section.list("scanner", word).unwrap_or_default().into_iter().map(|word| word.value).collect();
    if scanner.first().is_some_and(String::is_empty) {
        section.notes.mistake(&place, "must begin with a program");
    }
    let scanner_timeout = section.duration("scanner_timeout", SECOND..=HOUR).unwrap_or(MINUTE * 10);
    let scan_on_push = section.boolean("scan_on_push").unwrap_or(false);
    let signers: Vec<_> = section.list("signers", signer).unwrap_or_default();
    let signers = signers.into_iter().map(|signer| signer.value).collect();
    section.end();
    FindingsSettings { only_reported, referrers, scanner, scanner_timeout, scan_on_push, signers }
}

/// `FILE` or `NAMESPACE=FILE`.
fn signer(text: &str) -> Result<SignerSetting, String> {
    let (namespace, file) = match text.split_once('=') {
        None => (None, text),
        Some((namespace, file)) => {
            (Some(Namespace::parse(namespace).map_err(|error| error.to_string())?), file)
        }
    };
    let pem = std::fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
    SignerKey::parse(&pem)
        .map_err(|_| format!("{file} is no public key of ECDSA P-256 in PEM, such as cosign.pub"))?;
    Ok(SignerSetting { namespace, pem })
}

fn limits(mut section: Section<'_>) -> Limits {
    let waits: RangeInclusive<Duration> = Duration::from_millis(100)..=HOUR;
    let limits = Limits {
        max_connections: wide(section.number("max_connections", 1..=1_000_000), 10_000),
        max_connections_per_address: number(&mut section, "max_connections_per_address", 0)
            .and_then(|number| usize::try_from(number).ok()),
        requests_per_address: number(&mut section, "requests_per_address", 0),
        requests_per_principal: number(&mut section, "requests_per_principal", 0),
        failed_logins_per_address: number(&mut section, "failed_logins_per_address", 100),
        handshake_timeout: section.duration("handshake_timeout", waits.clone()).unwrap_or(SECOND * 10),
        header_timeout: section.duration("header_timeout", waits.clone()).unwrap_or(SECOND * 10),
        idle_timeout: section.duration("idle_timeout", waits.clone()).unwrap_or(SECOND * 75),
        body_idle_timeout: section.duration("body_idle_timeout", waits).unwrap_or(MINUTE),
        drain_grace: section.duration("drain_grace", Duration::ZERO..=HOUR).unwrap_or(SECOND * 30),
        upload_lease: section.duration("upload_lease", MINUTE..=HOUR * 24 * 7).unwrap_or(HOUR),
    };
    section.end();
    limits
}

/// A number of which 0 stands for any.
fn number(section: &mut Section<'_>, key: &'static str, default: u32) -> Option<u32> {
    let number = section.number(key, 0..=1_000_000).and_then(|number| u32::try_from(number).ok());
    Some(number.unwrap_or(default)).filter(|number| *number > 0)
}

/// A number that was kept within bounds that every `usize` of ours can hold.
fn wide(number: Option<u64>, default: u64) -> usize {
    usize::try_from(number.unwrap_or(default)).unwrap_or(usize::MAX)
}

fn log(mut section: Section<'_>) -> Log {
    let levels: Vec<_> = Level::ALL.iter().map(|level| (level.label(), *level)).collect();
    let formats: Vec<_> = Format::ALL.iter().map(|format| (format.label(), *format)).collect();
    let level = section.word("level", &levels).unwrap_or(Level::Info);
    let format = section.word("format", &formats).unwrap_or(Format::Text);
    section.end();
    Log { level, format }
}

/// Notes every value that was written twice, at its second place, naming the first.
fn unique<T: PartialEq + ToString>(values: &[Placed<T>], what: &str, notes: &Notes) {
    for (at, value) in values.iter().enumerate() {
        if let Some(first) = values.iter().take(at).find(|first| first.value == value.value) {
            let (text, first) = (value.value.to_string(), &first.place.key);
            notes.mistake(&value.place, format!("{what} `{text}` is taken by {first}; each must be unique"));
        }
    }
}
