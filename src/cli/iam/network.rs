//! From where the account, its users, service IDs and keys may be used.

use http::Method;
use http::header::IF_MATCH;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::args::iam::network::{AccountUpdate, AllowList, AllowListUpdate, NetworkCommand};
use crate::cli::display::{self, Display, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    account_id: String,
    allowed_ip_addresses: String,
    private_only: bool,
    mfa: String,
    restrict_create_service_id: String,
    restrict_create_platform_apikey: String,
    system_access_token_expiration_in_seconds: String,
    system_refresh_token_expiration_in_seconds: String,
    session_expiration_in_seconds: String,
    session_invalidation_in_seconds: String,
    max_sessions_per_identity: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    id: String,
    allowed_ip_addresses: String,
}

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: NetworkCommand) -> Result<(), Failure> {
    match command {
        NetworkCommand::AccountSettings(shown) => settings(io, session, shown.display).await,
        NetworkCommand::AccountSettingsUpdate(update) => update_settings(io, session, update).await,
        NetworkCommand::Allowlist(of) => list(io, session, of).await,
        NetworkCommand::AllowlistUpdate(update) => update_list(io, session, update).await,
    }
}

async fn settings(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    io.announce(
        display,
        format!("Getting account settings of {} as {}...", session.account(), session.user()),
    );
    let answer = session.read(&path(session)).await?;
    shown(io, &answer, display)
}

async fn update_settings(io: &mut Io, session: &mut Session, update: AccountUpdate) -> Result<(), Failure> {
    let mut body = Map::new();
    body.extend(update.list.list().map(|list| ("allowed_ip_addresses".to_owned(), json!(list))));
    body.extend(update.private_only.map(|on| ("private_only".to_owned(), json!(on))));
    body.extend(update.identity.fields());
    if body.is_empty() {
        return Err(nothing());
    }
    let display = update.how.display;
    io.announce(
        display,
        format!("Updating account settings of {} as {}...", session.account(), session.user()),
    );
    let request = Request::new(Method::PUT, format!("{}{}", path(session), insisting(update.how.force)));
    let request = request.header(IF_MATCH, "*").json(&Value::Object(body));
    let answer = session.call(request).await?.json()?;
    shown(io, &answer, display)
}

async fn list(io: &mut Io, session: &mut Session, of: AllowList) -> Result<(), Failure> {
    let id = holder(session, &of.of).await?;
    let answer = session.read(&list_path(&id)).await?;
    listed(io, &answer, of.display)
}

async fn update_list(io: &mut Io, session: &mut Session, update: AllowListUpdate) -> Result<(), Failure> {
    let text = update.list.list().ok_or_else(nothing)?.to_owned();
    let id = holder(session, &update.of).await?;
    let display = update.how.display;
    io.announce(display, format!("Updating the allowlist of {id} as {}...", session.user()));
    let request = Request::new(Method::PUT, format!("{}{}", list_path(&id), insisting(update.how.force)));
    let answer = session.call(request.json(&json!({ "allowed_ip_addresses": text }))).await?.json()?;
    listed(io, &answer, display)
}

/// The id of whom a list belongs to: that of a key as it is, of others by id or name.
async fn holder(session: &mut Session, named: &str) -> Result<String, Failure> {
    if named.starts_with("ApiKey-") {
        return Ok(named.to_owned());
    }
    Ok(lookup::principal(session, named).await?.iam_id)
}

fn path(session: &Session) -> String {
    format!("/v1/accounts/{}/settings/identity", encoded(&session.account()))
}

fn list_path(id: &str) -> String {
    format!("/api/native/allowlists/{}", encoded(id))
}

const fn insisting(force: bool) -> &'static str {
    if force { "?force=true" } else { "" }
}

fn nothing() -> Failure {
    Failure::usage(
        "Nothing is to be changed.",
        "Add --allowed-ip-addresses LIST or --unset-allowed-ip-addresses; `--help` lists what else there is.",
    )
}

fn or_everywhere(list: String) -> String {
    if list.is_empty() { "not set: from everywhere".to_owned() } else { list }
}

fn shown(io: &mut Io, answer: &Value, display: Display) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(answer));
        return Ok(());
    }
    let row: Settings = wire::row(answer)?;
    io.ok(display);
    io.line(pairs([
        ("Account ID", row.account_id),
        ("Allowed IP Addresses", or_everywhere(row.allowed_ip_addresses)),
        ("Private Only", row.private_only.to_string()),
        ("MFA", row.mfa),
        ("Service ID Creation", row.restrict_create_service_id),
        ("API Key Creation", row.restrict_create_platform_apikey),
        ("Access Token Expiration", row.system_access_token_expiration_in_seconds),
        ("Refresh Token Expiration", row.system_refresh_token_expiration_in_seconds),
        ("Session Expiration", row.session_expiration_in_seconds),
        ("Session Invalidation", row.session_invalidation_in_seconds),
        ("Max Sessions per Identity", row.max_sessions_per_identity),
    ]));
    Ok(())
}

fn listed(io: &mut Io, answer: &Value, display: Display) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(answer));
        return Ok(());
    }
    let row: Listed = wire::row(answer)?;
    io.ok(display);
    io.line(pairs([("ID", row.id), ("Allowed IP Addresses", or_everywhere(row.allowed_ip_addresses))]));
    Ok(())
}
