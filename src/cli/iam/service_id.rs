//! Service IDs: identities for automation.

use http::{HeaderName, Method};
use serde_json::{Value, json};

use crate::cli::args::iam::identity::{ServiceIdCommand, ServiceIdCreate, ServiceIds};
use crate::cli::args::iam::{Entity, One, Reword};
use crate::cli::display;
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Listed, Thing};
use crate::cli::wire::{OfServiceId, ServiceId};

/// Runs one command.
pub(super) async fn run(
    io: &mut Io,
    session: &mut Session,
    command: ServiceIdCommand,
) -> Result<(), Failure> {
    match command {
        ServiceIdCommand::Show(one) => show(io, session, one).await,
        ServiceIdCommand::Create(new) => create(io, session, new).await,
        ServiceIdCommand::Delete(one) => delete(io, session, one).await,
        ServiceIdCommand::Lock(one) => lock(io, session, one, true).await,
        ServiceIdCommand::Unlock(one) => lock(io, session, one, false).await,
        ServiceIdCommand::Update(change) => update(io, session, change).await,
        ServiceIdCommand::List(filter) => list(io, session, filter).await,
    }
}

/// How messages name a service ID, and where one says it is.
const fn thing<'a>(name: &'a str, within: &'a str) -> Thing<'a> {
    Thing { noun: "service ID", name, within }
}

const BOUND: &str = " bound to current account";

async fn create(io: &mut Io, session: &mut Session, new: ServiceIdCreate) -> Result<(), Failure> {
    let (display, name) = (new.create.display, &new.create.name);
    let mut body = json!({ "account_id": session.account(), "name": name });
    if let (Some(description), Some(fields)) = (new.create.description, body.as_object_mut()) {
        fields.insert("description".to_owned(), description.into());
    }
    let lock = HeaderName::from_static("entity-lock");
    let request = Request::new(Method::POST, "/v1/serviceids/")
        .json(&body)
        .header(lock, if new.lock { "true" } else { "false" });
    thing(name, BOUND).create::<ServiceId>(io, session, display, request).await
}

async fn list(io: &mut Io, session: &mut Session, filter: ServiceIds) -> Result<(), Failure> {
    let display = filter.display;
    let user = session.user();
    if !filter.uuid {
        io.announce(display, format!("Getting all services IDs bound to current account as {user}..."));
    }
    let mut found = lookup::entities::<OfServiceId>(session).await?;
    found.retain(|row| {
        contains(row, "name", &filter.name) && contains(row, "description", &filter.description)
    });
    if filter.uuid && !display.is_json() {
        thing::ids(io, &found);
        return Ok(());
    }
    thing::table::<ServiceId>(io, display, found, "No service ID found.")
}

async fn show(io: &mut Io, session: &mut Session, one: One) -> Result<(), Failure> {
    let display = one.display();
    thing(&one.of.name, "").getting(io, session, display);
    let row = lookup::entity::<OfServiceId>(session, &one.of.name).await?;
    thing::found::<ServiceId>(io, session, display, &row.path()).await
}

async fn update(io: &mut Io, session: &mut Session, change: Reword) -> Result<(), Failure> {
    let row = lookup::entity::<OfServiceId>(session, &change.of).await?;
    let display = change.texts.display;
    let request = Request::new(Method::PUT, row.path()).json(&change.texts.body());
    thing(&row.name, "").update::<ServiceId>(io, session, display, (request, &row.entity_tag)).await
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let row = lookup::entity::<OfServiceId>(session, &one.name).await?;
    let name = display::tame(&row.name);
    let question = format!("Really delete service ID {name} ({}) with its API keys and policies?", row.id);
    thing(&row.name, BOUND).delete(io, session, &one.consent, (&question, &row.path())).await
}

async fn lock(io: &mut Io, session: &mut Session, one: Entity, on: bool) -> Result<(), Failure> {
    let row = lookup::entity::<OfServiceId>(session, &one.name).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), one.consent.display());
    let (doing, done, method) =
        if on { ("Locking", "locked", Method::POST) } else { ("Unlocking", "unlocked", Method::DELETE) };
    io.announce(display, format!("{doing} service ID {name} as {user}..."));
    session.call(Request::new(method, format!("{}/lock", row.path()))).await?;
    io.ok(display);
    io.announce(display, format!("Service ID {name} is {done} successfully"));
    Ok(())
}

impl Detailed for ServiceId {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id),
            ("Name", self.name),
            ("Description", self.description),
            ("CRN", self.crn),
            ("Version", self.entity_tag),
            ("Locked", self.locked.to_string()),
        ]
    }
}

impl Listed for ServiceId {
    const HEADINGS: &'static [&'static str] =
        &["UUID", "Name", "Created At", "Last Updated", "Description", "Locked"];

    fn cells(self) -> Vec<String> {
        let locked = self.locked.to_string();
        vec![self.id, self.name, self.created_at, self.modified_at, self.description, locked]
    }
}

/// Whether the text under `field` contains `part`, if one is asked for.
pub(super) fn contains(row: &Value, field: &str, part: &Option<String>) -> bool {
    let text = row.get(field).and_then(Value::as_str).unwrap_or_default();
    part.as_deref().is_none_or(|part| text.contains(part))
}
