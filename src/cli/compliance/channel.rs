//! Notification channels, and what became of messages.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::args::channel::{ChannelCreate, ChannelUpdate, Deliveries, Wanted};
use crate::cli::args::{ById, DeleteById};
use crate::cli::display::{self, Display, Table, pairs, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::Thing;
use crate::cli::wire;

/// A channel on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    channel_id: String,
    name: String,
    description: String,
    endpoint: String,
    severity: Map<String, Value>,
    enabled: bool,
    alert_source: Vec<Source>,
    format: String,
    last_delivered: Option<String>,
    last_failed: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    provider_name: String,
    finding_types: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    alert_id: String,
    channel_id: String,
    finding_type: String,
    severity: String,
    raised_at: String,
    state: String,
    attempts: u32,
    last_attempt: Option<String>,
    error: Option<String>,
}

impl Row {
    fn severities(&self) -> String {
        let named = ["critical", "high", "medium", "low"].into_iter();
        let on = named.filter(|word| self.severity.get(*word).and_then(Value::as_bool) == Some(true));
        on.collect::<Vec<_>>().join(", ")
    }

    fn sources(&self) -> String {
        let one = |source: &Source| match source.finding_types.as_slice() {
            [] => source.provider_name.clone(),
            types => format!("{}:{}", source.provider_name, types.join("|")),
        };
        self.alert_source.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Where the account's channels are.
fn channels(session: &Session) -> String {
    format!("/notifications/v1/{}/notifications/channels", encoded(&session.account()))
}

async fn every(session: &mut Session) -> Result<Vec<Value>, Failure> {
    let path = channels(session);
    let answer = session.read(&path).await?;
    Ok(answer.get("channels").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// The channel of that name or id.
async fn find(session: &mut Session, wanted: &str) -> Result<Value, Failure> {
    let named = |row: &Value, field: &str| row.get(field).and_then(Value::as_str).map(str::to_lowercase);
    let wanted_folded = Some(wanted.to_lowercase());
    let found = every(session)
        .await?
        .into_iter()
        .find(|row| named(row, "channel_id") == wanted_folded || named(row, "name") == wanted_folded);
    found.ok_or_else(|| {
        let what = format!("There is no notification channel {}.", tame(wanted));
        Failure::new(what, "`portcullis compliance channels` lists them.")
    })
}

fn path_of(session: &Session, row: &Row) -> String {
    format!("{}/{}", channels(session), encoded(&row.channel_id))
}

impl Wanted {
    fn put_into(&self, body: &mut Map<String, Value>) {
        if let Some(text) = &self.description {
            body.insert("description".to_owned(), json!(text));
        }
        if !self.severity.is_empty() {
            let words: Vec<&str> = self.severity.iter().map(|one| one.wire()).collect();
            body.insert("severity".to_owned(), json!(words));
        }
        if !self.source.is_empty() {
            body.insert("alert_source".to_owned(), json!(sources(&self.source)));
        }
        if let Some(message) = self.message {
            body.insert("format".to_owned(), json!(message.wire()));
        }
    }
}

/// `VA:a`, `VA:b` and `ATA` as the API writes them: each provider once.
fn sources(words: &[String]) -> Vec<Value> {
    let mut providers: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in words {
        let (provider, kind) = word.split_once(':').unwrap_or((word, "ALL"));
        match providers.iter_mut().find(|(known, _)| *known == provider) {
            Some((_, kinds)) => kinds.push(kind),
            None => providers.push((provider, vec![kind])),
        }
    }
    let one = |(provider, kinds)| json!({"provider_name": provider, "finding_types": kinds});
    providers.into_iter().map(one).collect()
}

fn shown(io: &mut Io, found: &Value, display: Display) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
        return Ok(());
    }
    let row: Row = wire::row(found)?;
    let (severities, sources) = (row.severities(), row.sources());
    io.ok(display);
    io.line(pairs([
        ("ID", row.channel_id),
        ("Name", row.name),
        ("Description", row.description),
        ("Endpoint", row.endpoint),
        ("Enabled", row.enabled.to_string()),
        ("Severity", severities),
        ("Sources", sources),
        ("Messages", row.format),
        ("Last delivered", row.last_delivered.unwrap_or_default()),
        ("Last given up", row.last_failed.unwrap_or_default()),
    ]));
    Ok(())
}

/// Shows the channel as it is now, and a secret that is shown only this once.
async fn told(io: &mut Io, session: &mut Session, answer: &Value, display: Display) -> Result<(), Failure> {
    let id = answer.get("channel_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = find(session, &id).await?;
    let secret = answer.get("secret").and_then(Value::as_str);
    if display.is_json() {
        if let (Some(fields), Some(secret)) = (found.as_object_mut(), secret) {
            fields.insert("secret".to_owned(), json!(secret));
        }
        io.line(display::json(&found));
        return Ok(());
    }
    shown(io, &found, display)?;
    if let Some(secret) = secret {
        io.line(format!(
            "\nSecret   {}\n\nMessages are signed with it (Standard Webhooks). Keep it: it is not shown again.",
            tame(secret)
        ));
    }
    Ok(())
}

/// `compliance channel-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: ChannelCreate) -> Result<(), Failure> {
    let display = new.formatted.display();
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(new.name));
    body.insert("type".to_owned(), json!("Webhook"));
    body.insert("endpoint".to_owned(), json!(new.endpoint));
    body.insert("enabled".to_owned(), json!(!new.disabled));
    new.wanted.put_into(&mut body);
    io.announce(
        display,
        format!("Creating notification channel {} as {}...", tame(&new.name), session.user()),
    );
    let path = channels(session);
    let answer = session.call(Request::new(Method::POST, path).json(&Value::Object(body))).await?.json()?;
    told(io, session, &answer, display).await
}

/// `compliance channel-update`.
pub(super) async fn update(io: &mut Io, session: &mut Session, update: ChannelUpdate) -> Result<(), Failure> {
    let display = update.formatted.display();
    let row: Row = wire::row(&find(session, &update.channel).await?)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(update.name.as_ref().unwrap_or(&row.name)));
    body.insert("type".to_owned(), json!("Webhook"));
    body.insert("endpoint".to_owned(), json!(update.endpoint.as_ref().unwrap_or(&row.endpoint)));
    if update.enable || update.disable {
        body.insert("enabled".to_owned(), json!(update.enable));
    }
    if update.rotate_secret {
        body.insert("rotate_secret".to_owned(), json!(true));
    }
    update.wanted.put_into(&mut body);
    io.announce(
        display,
        format!("Updating notification channel {} as {}...", tame(&row.name), session.user()),
    );
    let path = path_of(session, &row);
    let answer = session.call(Request::new(Method::PUT, path).json(&Value::Object(body))).await?.json()?;
    told(io, session, &answer, display).await
}

/// `compliance channel`.
pub(super) async fn show(io: &mut Io, session: &mut Session, one: ById) -> Result<(), Failure> {
    let found = find(session, &one.id).await?;
    shown(io, &found, one.formatted.display())
}

/// `compliance channels`.
pub(super) async fn list(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let found = every(session).await?;
    if display.is_json() {
        io.line(display::json(&Value::from(found)));
        return Ok(());
    }
    let mut table =
        Table::new(&["ID", "Name", "Enabled", "Severity", "Sources", "Endpoint", "Last delivered"]);
    for row in wire::rows::<Row>(&found)? {
        let (severities, sources) = (row.severities(), row.sources());
        let (enabled, delivered) = (row.enabled.to_string(), row.last_delivered.unwrap_or_default());
        table.row([row.channel_id, row.name, enabled, severities, sources, row.endpoint, delivered]);
    }
    io.line(table.render());
    Ok(())
}

/// `compliance channel-delete`.
pub(super) async fn delete(io: &mut Io, session: &mut Session, one: DeleteById) -> Result<(), Failure> {
    let row: Row = wire::row(&find(session, &one.id).await?)?;
    let path = path_of(session, &row);
    Thing { noun: "notification channel", name: &row.name, within: "" }
        .delete(io, session, &one.consent, ("", &path))
        .await
}

/// `compliance channel-test`. A message that is not taken is a failure.
pub(super) async fn test(io: &mut Io, session: &mut Session, one: ById) -> Result<(), Failure> {
    let display = one.formatted.display();
    let row: Row = wire::row(&find(session, &one.id).await?)?;
    io.announce(
        display,
        format!("Testing notification channel {} as {}...", tame(&row.name), session.user()),
    );
    let path = path_of(session, &row);
    let answer = session.call(Request::new(Method::POST, format!("{path}/test"))).await?.json()?;
    let said = answer.get("test").and_then(Value::as_str).unwrap_or_default();
    let state = answer.pointer("/delivery/state").and_then(Value::as_str);
    if display.is_json() {
        io.line(display::json(&answer));
    }
    if state != Some("delivered") {
        let what = format!("Channel {}: {}.", tame(&row.name), tame(said));
        return Err(Failure::new(what, "Look at the endpoint, then test again."));
    }
    if !display.is_json() {
        io.ok(display);
        io.line(tame(said));
    }
    Ok(())
}

/// `compliance deliveries`.
pub(super) async fn deliveries(
    io: &mut Io,
    session: &mut Session,
    wanted: Deliveries,
) -> Result<(), Failure> {
    let display = wanted.formatted.display();
    let mut path = format!("/api/native/compliance/deliveries?limit={}", wanted.limit);
    if let Some(channel) = &wanted.channel {
        let row: Row = wire::row(&find(session, channel).await?)?;
        path.push_str(&format!("&channel={}", encoded(&row.channel_id)));
    }
    let answer = session.read(&path).await?;
    let found = answer.get("deliveries").and_then(Value::as_array).cloned().unwrap_or_default();
    if display.is_json() {
        io.line(display::json(&Value::from(found)));
        return Ok(());
    }
    let names = every(session).await?;
    let name = |id: &str| {
        let one = names.iter().find(|row| row.get("channel_id").and_then(Value::as_str) == Some(id));
        one.and_then(|row| row.get("name")).and_then(Value::as_str).unwrap_or(id).to_owned()
    };
    let mut table = Table::new(&[
        "Raised",
        "Alert",
        "Type",
        "Severity",
        "Channel",
        "State",
        "Attempts",
        "Last attempt",
        "Error",
    ]);
    for row in wire::rows::<Sent>(&found)? {
        let (channel, attempts) = (name(&row.channel_id), row.attempts.to_string());
        let (last, error) = (row.last_attempt.unwrap_or_default(), row.error.unwrap_or_default());
        let Sent { raised_at, alert_id, finding_type, severity, state, .. } = row;
        table.row([raised_at, alert_id, finding_type, severity, channel, state, attempts, last, error]);
    }
    io.line(table.render());
    Ok(())
}
