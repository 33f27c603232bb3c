//! `login`, `logout`, `target`: which server, as whom, in which region.

use std::io::Read;
use std::path::PathBuf;

use serde_json::json;

use super::args;
use super::cr::region;
use super::display::{Display, pairs};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::http::Connector;
use super::profile::Profile;
use super::session::{Session, authenticate};
use super::terminal::Io;
use crate::secret::Secret;

const HOW: &str = "Give it as `portcullis login -a https://HOST[:PORT] --apikey KEY` (or `--apikey @FILE`), or set \
                   PORTCULLIS_ENDPOINT and PORTCULLIS_API_KEY.";

/// Logs in and remembers the tokens.
pub(super) async fn login(io: &mut Io, login: args::Login) -> Result<(), Failure> {
    let directory = io.environment.directory.clone();
    let before = Profile::load(directory.as_deref())?;
    let endpoint = endpoint(io, &login, &before)?;
    let same = before.endpoint.as_deref() == Some(endpoint.to_string().as_str());
    let ca_file = login.ca_file.or_else(|| io.environment.ca_file.clone()).map(absolute).transpose()?;
    let ca_file = ca_file.or_else(|| before.ca_file.clone().filter(|_| same));
    let connector = Connector::new(ca_file.as_deref(), io.progress.clone())?;
    io.line(format!("API endpoint: {endpoint}"));
    let key = api_key(io, login.apikey)?;
    io.line("Authenticating...");
    let fresh = authenticate(&connector, &endpoint, &key, io.clock.now()).await?;
    let region = before.region.filter(|_| same);
    let profile = Profile { ca_file, region, ..Profile::default() };
    let mut session = Session::begin(io, connector, endpoint, profile, fresh)?;
    let registry = region::target(&mut session, login.region.as_deref()).await;
    io.ok(Display::default());
    io.line(format!("\nTargeted account {} ({})\n", session.account_name(), session.account()));
    // Whoever may not see the registries is logged in all the same.
    let registry = match (registry, login.region) {
        (Err(failure), Some(_)) => return Err(failure),
        (registry, _) => registry.ok(),
    };
    show(io, &session, registry.as_ref(), Display::default());
    Ok(())
}

/// Forgets the tokens, and keeps the address.
pub(super) fn logout(io: &mut Io) -> Result<(), Failure> {
    let directory = io.environment.directory.clone();
    let mut profile = Profile::load(directory.as_deref())?;
    if profile.login.take().is_some() {
        profile.save(directory.as_deref())?;
    }
    io.line("Logging out...\nOK");
    Ok(())
}

/// Shows the targeted server, account and region, or sets the region.
pub(super) async fn target(io: &mut Io, target: args::Target) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let wanted = target.region.as_deref();
    let registry = match (region::target(&mut session, wanted).await, wanted) {
        (Err(failure), Some(_)) => return Err(failure),
        (registry, _) => registry.ok(),
    };
    show(io, &session, registry.as_ref(), target.display);
    Ok(())
}

fn show(io: &mut Io, session: &Session, registry: Option<&region::Targeted>, display: Display) {
    let region = registry.map(|registry| registry.region.clone());
    let host = registry.map(|registry| registry.host());
    if display.is_json() {
        let who = &session.login.who;
        io.line(super::display::json(&json!({
            "api_endpoint": session.endpoint.to_string(),
            "region": region,
            "registry": host,
            "user": { "iam_id": who.iam_id, "name": session.user() },
            "account": { "id": who.account_id, "name": session.account_name() },
        })));
        return;
    }
    let none = || "none targeted: use `portcullis target -r REGION`".to_owned();
    io.line(pairs([
        ("API endpoint:", session.endpoint.to_string()),
        ("Region:", region.unwrap_or_else(none)),
        ("Registry:", host.unwrap_or_else(|| "-".to_owned())),
        ("User:", session.user()),
        ("Account:", format!("{} ({})", session.account_name(), session.account())),
    ]));
}

fn endpoint(io: &mut Io, login: &args::Login, before: &Profile) -> Result<Endpoint, Failure> {
    let known = login
        .endpoint
        .clone()
        .or_else(|| io.environment.endpoint.clone())
        .or_else(|| before.endpoint.clone());
    match known {
        Some(text) => Endpoint::parse(&text),
        None if io.interactive => Endpoint::parse(&io.ask("API endpoint (https://HOST[:PORT])> ")?),
        None => Err(Failure::usage("There is no server to log in to.", HOW)),
    }
}

/// The API key: as given, from a file with `@FILE`, from the environment, or asked for.
pub(super) fn api_key(io: &mut Io, given: Option<String>) -> Result<Secret<String>, Failure> {
    let environment = || io.environment.api_key.clone().or_else(|| io.environment.ibm_api_key.clone());
    let key = match given.as_deref() {
        Some("@-") => read_key(&mut io.input, "the standard input")?,
        Some(given) => match given.strip_prefix('@') {
            Some(path) => {
                let mut file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
                key_file(read_key(&mut file, path)?)
            }
            None => Secret::from(given),
        },
        None => match environment() {
            Some(key) => key,
            None if io.interactive => io.ask_secret("API key> ")?,
            None => return Err(Failure::usage("There is no API key to log in with.", HOW)),
        },
    };
    if key.expose().is_empty() { Err(Failure::usage("The API key is empty.", HOW)) } else { Ok(key) }
}

fn read_key(input: &mut dyn Read, name: &str) -> Result<Secret<String>, Failure> {
    let mut text = zeroize::Zeroizing::new(String::new());
    input.read_to_string(&mut text).map_err(|error| unreadable(name, &error))?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// The key in a file: the `apikey` of what `--file` writes, or the whole text.
fn key_file(text: Secret<String>) -> Secret<String> {
    let parsed: Option<serde_json::Value> = serde_json::from_str(text.expose()).ok();
    let key = parsed
        .as_ref()
        .and_then(|value| value.get("apikey"))
        .and_then(serde_json::Value::as_str)
        .map(Secret::from);
    key.unwrap_or(text)
}

fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(|error| unreadable(&path.display().to_string(), &error))
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("{name} cannot be read: {error}."), HOW)
}
