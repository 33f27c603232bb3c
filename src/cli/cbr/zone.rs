//! Network zones.

use http::Method;
use http::header::IF_MATCH;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{forced, shown};
use crate::cli::args::cbr::{Zone, ZoneNew, ZoneUpdate};
use crate::cli::args::{ById, DeleteById};
use crate::cli::display::{self, Display, Table, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::Thing;
use crate::cli::wire;

/// A zone on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    description: String,
    addresses: Vec<Address>,
    excluded: Vec<Address>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    value: Option<String>,
}

/// `cbr zones`.
pub(super) async fn list(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    io.announce(display, format!("Listing network zones as {}...", session.user()));
    let answer = session.read("/v1/zones").await?;
    shown(io, &answer, display, || {
        let mut table = Table::new(&["ID", "Name", "Addresses", "Description"]);
        for row in rows(&answer)? {
            table.row([row.id.as_str(), &row.name, &spelled(&row.addresses), &row.description]);
        }
        Ok(table.render())
    })
}

/// `cbr zone`.
pub(super) async fn show(io: &mut Io, session: &mut Session, one: ById) -> Result<(), Failure> {
    let id = id(session, &one.id).await?;
    let answer = session.read(&path(&id)).await?;
    shown(io, &answer, one.formatted.display(), || outline(&answer))
}

/// `cbr zone-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: ZoneNew) -> Result<(), Failure> {
    let display = new.zone.formatted.display();
    let (name, user) = (display::tame(&new.name), session.user());
    io.announce(display, format!("Creating network zone {name} as {user}..."));
    let body = body(&new.name, &new.zone);
    let request = Request::new(Method::POST, "/v1/zones").json(&body);
    let made = session.call(request).await?.json()?;
    shown(io, &made, display, || outline(&made))
}

/// `cbr zone-update`.
pub(super) async fn update(io: &mut Io, session: &mut Session, update: ZoneUpdate) -> Result<(), Failure> {
    let display = update.zone.formatted.display();
    let id = id(session, &update.id).await?;
    let reply = session.call(Request::new(Method::GET, path(&id))).await?;
    let tag = reply.header("etag").unwrap_or("*").to_owned();
    let before: Row = wire::row(&reply.json()?)?;
    let name = update.name.unwrap_or(before.name);
    io.announce(display, format!("Updating network zone {} as {}...", display::tame(&name), session.user()));
    let mut zone = update.zone;
    zone.description.get_or_insert(before.description);
    let request = Request::new(Method::PUT, format!("{}{}", path(&id), forced(update.force)));
    let changed = session.call(request.header(IF_MATCH, &tag).json(&body(&name, &zone))).await?.json()?;
    shown(io, &changed, display, || outline(&changed))
}

/// `cbr zone-delete`.
pub(super) async fn delete(io: &mut Io, session: &mut Session, one: DeleteById) -> Result<(), Failure> {
    let id = id(session, &one.id).await?;
    Thing { noun: "network zone", name: &id, within: "" }
        .delete(io, session, &one.consent, ("", &path(&id)))
        .await
}

/// The id of a zone that is called by id or name.
pub(super) async fn id(session: &mut Session, named: &str) -> Result<String, Failure> {
    let mut found = rows(&session.read("/v1/zones").await?)?;
    found.retain(|row| row.id == named || row.name == named);
    let one = lookup::only("network zone", named, "portcullis cbr zones", found, |row| row.id.clone())?;
    Ok(one.id)
}

fn rows(answer: &Value) -> Result<Vec<Row>, Failure> {
    wire::rows(answer.get("zones").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default())
}

fn path(id: &str) -> String {
    format!("/v1/zones/{}", encoded(id))
}

fn body(name: &str, zone: &Zone) -> Value {
    let entries = |texts: &[String]| -> Vec<Value> {
        texts.iter().map(|text| json!({"type": kind(text.trim()), "value": text.trim()})).collect()
    };
    json!({
        "name": name,
        "description": zone.description.as_deref().unwrap_or_default(),
        "addresses": entries(&zone.addresses),
        "excluded": entries(&zone.excluded),
    })
}

/// What the API calls such an address. Whether it is one is for the server to say.
fn kind(text: &str) -> &'static str {
    match (text.starts_with("crn:"), text.contains('/'), text.contains('-')) {
        (true, _, _) => "vpc",
        (false, true, _) => "subnet",
        (false, false, true) => "ipRange",
        (false, false, false) => "ipAddress",
    }
}

fn spelled(addresses: &[Address]) -> String {
    let text = |one: &Address| one.value.clone().unwrap_or_else(|| one.kind.clone());
    addresses.iter().map(text).collect::<Vec<_>>().join(",")
}

fn outline(answer: &Value) -> Result<String, Failure> {
    let row: Row = wire::row(answer)?;
    Ok(pairs([
        ("ID", row.id),
        ("Name", row.name),
        ("Description", row.description),
        ("Addresses", spelled(&row.addresses)),
        ("Excluded", spelled(&row.excluded)),
    ]))
}
