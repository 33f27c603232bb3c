//! `iam role…`: what policies can grant, and the roles of the account's own making.

use http::{Method, header};
use serde_json::{Map, Value, json};

use crate::cli::args::iam::role::{RoleCommand, RoleCreate, RoleUpdate, Roles};
use crate::cli::args::iam::{Entity, Listing};
use crate::cli::display::{self, Display, Table, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Role};

/// The lists of the answer, and what their members are called.
const KINDS: [(&str, &str); 3] =
    [("system_roles", "Platform"), ("service_roles", "Service"), ("custom_roles", "Custom")];

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: RoleCommand) -> Result<(), Failure> {
    match command {
        RoleCommand::Create(new) => create(io, session, new).await,
        RoleCommand::Delete(one) => delete(io, session, one).await,
        RoleCommand::List(roles) => list(io, session, roles).await,
        RoleCommand::Show(one) => show(io, session, one).await,
        RoleCommand::Update(change) => update(io, session, change).await,
    }
}

/// Lists the roles of a service.
async fn list(io: &mut Io, session: &mut Session, roles: Roles) -> Result<(), Failure> {
    let (user, display) = (session.user(), roles.display);
    let service = display::tame(&roles.service);
    io.announce(display, format!("Getting roles of service {service} under current account as {user}..."));
    let query = form(&[("account_id", &session.account()), ("service_name", &roles.service)]);
    let mut answer = session.read(&format!("/v2/roles?{query}")).await?;
    let wanted = |row: &Value| {
        let name = row.get("display_name").and_then(Value::as_str).unwrap_or_default();
        roles.roles.is_empty() || roles.roles.iter().any(|role| role.trim().eq_ignore_ascii_case(name))
    };
    for (list, _) in KINDS {
        if let Some(rows) = answer.get_mut(list).and_then(Value::as_array_mut) {
            rows.retain(wanted);
        }
    }
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    io.ok(display);
    let mut table = Table::new(&["Role", "Type", "Actions", "CRN", "Description"]);
    for (list, kind) in KINDS {
        let found = answer.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        for row in wire::rows::<Role>(&found)? {
            let actions = row.actions.len().to_string();
            table.row([row.display_name.as_str(), kind, &actions, &row.crn, &row.description]);
        }
    }
    io.line(table.render());
    Ok(())
}

async fn create(io: &mut Io, session: &mut Session, new: RoleCreate) -> Result<(), Failure> {
    let (name, user, display) = (display::tame(&new.name), session.user(), new.display);
    io.announce(display, format!("Creating custom role {name} under current account as {user}..."));
    let body = json!({
        "name": new.name, "account_id": session.account(), "service_name": new.service_name,
        "display_name": new.display_name, "actions": trimmed(&new.actions),
        "description": new.description.unwrap_or_default(),
    });
    let made = session.call(Request::new(Method::POST, "/v2/roles").json(&body)).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Custom role {name} is created successfully\n"));
    detail(io, display, &made)
}

async fn show(io: &mut Io, session: &mut Session, one: Listing) -> Result<(), Failure> {
    let (name, user) = (display::tame(&one.name), session.user());
    io.announce(one.display, format!("Getting custom role {name} under current account as {user}..."));
    let row = lookup::custom_role(session, &one.name).await?;
    let found = session.read(&path(&row)).await?;
    io.ok(one.display);
    io.announce(one.display, "");
    detail(io, one.display, &found)
}

async fn update(io: &mut Io, session: &mut Session, change: RoleUpdate) -> Result<(), Failure> {
    let row = lookup::custom_role(session, &change.role).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), change.display);
    let reply = session.call(Request::new(Method::GET, path(&row))).await?;
    let version = reply.header("etag").unwrap_or("*").to_owned();
    io.announce(display, format!("Updating custom role {name} under current account as {user}..."));
    // The API replaces it whole: what is not to change is said again.
    let actions = if change.actions.is_empty() { row.actions.clone() } else { trimmed(&change.actions) };
    let mut body = Map::new();
    body.insert("display_name".to_owned(), change.display_name.unwrap_or(row.display_name.clone()).into());
    body.insert("actions".to_owned(), actions.into());
    body.insert("description".to_owned(), change.description.unwrap_or(row.description.clone()).into());
    let request = Request::new(Method::PUT, path(&row)).json(&Value::Object(body));
    let changed = session.call(request.header(header::IF_MATCH, &version)).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Custom role {name} is updated successfully\n"));
    detail(io, display, &changed)
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let row = lookup::custom_role(session, &one.name).await?;
    let (name, user, display) = (display::tame(&row.name), session.user(), one.consent.display());
    if !io.confirm(&format!("Really delete custom role {name} ({})?", row.id), one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting custom role {name} under current account as {user}..."));
    session.call(Request::new(Method::DELETE, path(&row))).await?;
    io.ok(display);
    io.announce(display, format!("Custom role {name} is deleted successfully"));
    Ok(())
}

fn trimmed(actions: &[String]) -> Vec<String> {
    actions.iter().map(|action| action.trim().to_owned()).collect()
}

fn path(role: &Role) -> String {
    format!("/v2/roles/{}", encoded(&role.id))
}

fn detail(io: &mut Io, display: Display, found: &Value) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
        return Ok(());
    }
    let row: Role = wire::row(found)?;
    if display.quiet {
        io.line(display::tame(&row.id));
        return Ok(());
    }
    io.line(pairs([
        ("ID", row.id),
        ("Name", row.name),
        ("Display Name", row.display_name),
        ("Description", row.description),
        ("Service Name", row.service_name),
        ("CRN", row.crn),
        ("Actions", row.actions.join(", ")),
    ]));
    Ok(())
}
