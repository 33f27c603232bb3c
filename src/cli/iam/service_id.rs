//! Service IDs: identities for automation.

use http::{HeaderName, Method, header};
use serde_json::{Value, json};

use crate::cli::args::iam::identity::{ServiceIdCommand, ServiceIdCreate, ServiceIdUpdate, ServiceIds};
use crate::cli::args::iam::{Entity, Listing};
use crate::cli::display::{self, Display, Table, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, ServiceId};

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

async fn create(io: &mut Io, session: &mut Session, new: ServiceIdCreate) -> Result<(), Failure> {
    let display = new.create.display;
    let (name, user) = (display::tame(&new.create.name), session.user());
    io.announce(display, format!("Creating service ID {name} bound to current account as {user}..."));
    let mut body = json!({ "account_id": session.account(), "name": new.create.name });
    if let (Some(description), Some(fields)) = (new.create.description, body.as_object_mut()) {
        fields.insert("description".to_owned(), description.into());
    }
    let lock = HeaderName::from_static("entity-lock");
    let request = Request::new(Method::POST, "/v1/serviceids/")
        .json(&body)
        .header(lock, if new.lock { "true" } else { "false" });
    let made = session.call(request).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Service ID {name} is created successfully\n"));
    detail(io, display, &made)
}

async fn list(io: &mut Io, session: &mut Session, filter: ServiceIds) -> Result<(), Failure> {
    let display = filter.display;
    let user = session.user();
    if !filter.uuid {
        io.announce(display, format!("Getting all services IDs bound to current account as {user}..."));
    }
    let query = form(&[("account_id", &session.account()), ("pagesize", lookup::PAGE)]);
    let mut found = session.list(&format!("/v1/serviceids/?{query}"), "serviceids").await?;
    found.retain(|row| {
        contains(row, "name", &filter.name) && contains(row, "description", &filter.description)
    });
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<ServiceId> = wire::rows(&found)?;
    if filter.uuid {
        rows.iter().for_each(|row| io.line(display::tame(&row.id)));
        return Ok(());
    }
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, "No service ID found.");
        return Ok(());
    }
    let mut table = Table::new(&["UUID", "Name", "Created At", "Last Updated", "Description", "Locked"]);
    for row in rows {
        let locked = row.locked.to_string();
        table.row([row.id, row.name, row.created_at, row.modified_at, row.description, locked]);
    }
    io.line(table.render());
    Ok(())
}

async fn show(io: &mut Io, session: &mut Session, one: Listing) -> Result<(), Failure> {
    let (name, user) = (display::tame(&one.name), session.user());
    io.announce(one.display, format!("Getting service ID {name} as {user}..."));
    let row = lookup::service_id(session, &one.name).await?;
    let found = session.read(&path(&row)).await?;
    io.ok(one.display);
    io.announce(one.display, "");
    detail(io, one.display, &found)
}

async fn update(io: &mut Io, session: &mut Session, change: ServiceIdUpdate) -> Result<(), Failure> {
    let row = lookup::service_id(session, &change.service_id).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), change.display);
    io.announce(display, format!("Updating service ID {name} as {user}..."));
    let mut body = serde_json::Map::new();
    let fields = [("name", change.name), ("description", change.description)];
    body.extend(fields.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))));
    let version = if row.entity_tag.is_empty() { "*" } else { &row.entity_tag };
    let request =
        Request::new(Method::PUT, path(&row)).json(&Value::Object(body)).header(header::IF_MATCH, version);
    let changed = session.call(request).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Service ID {name} is updated successfully\n"));
    detail(io, display, &changed)
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let row = lookup::service_id(session, &one.name).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), one.consent.display());
    let question = format!("Really delete service ID {name} ({}) with its API keys and policies?", row.id);
    if !io.confirm(&question, one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting service ID {name} bound to current account as {user}..."));
    session.call(Request::new(Method::DELETE, path(&row))).await?;
    io.ok(display);
    io.announce(display, format!("Service ID {name} is deleted successfully"));
    Ok(())
}

async fn lock(io: &mut Io, session: &mut Session, one: Entity, on: bool) -> Result<(), Failure> {
    let row = lookup::service_id(session, &one.name).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), one.consent.display());
    let (doing, done, method) =
        if on { ("Locking", "locked", Method::POST) } else { ("Unlocking", "unlocked", Method::DELETE) };
    io.announce(display, format!("{doing} service ID {name} as {user}..."));
    session.call(Request::new(method, format!("{}/lock", path(&row)))).await?;
    io.ok(display);
    io.announce(display, format!("Service ID {name} is {done} successfully"));
    Ok(())
}

fn path(row: &ServiceId) -> String {
    format!("/v1/serviceids/{}", encoded(&row.id))
}

fn detail(io: &mut Io, display: Display, value: &Value) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(value));
        return Ok(());
    }
    let row: ServiceId = wire::row(value)?;
    if display.quiet {
        io.line(display::tame(&row.id));
        return Ok(());
    }
    io.line(pairs([
        ("ID", row.id),
        ("Name", row.name),
        ("Description", row.description),
        ("CRN", row.crn),
        ("Version", row.entity_tag),
        ("Locked", row.locked.to_string()),
    ]));
    Ok(())
}

/// Whether the text under `field` contains `part`, if one is asked for.
pub(super) fn contains(row: &Value, field: &str, part: &Option<String>) -> bool {
    let text = row.get(field).and_then(Value::as_str).unwrap_or_default();
    part.as_deref().is_none_or(|part| text.contains(part))
}
