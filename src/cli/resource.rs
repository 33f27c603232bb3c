//! `resource …`: resource groups, by the verbs of the IBM Cloud CLI.

use http::Method;
use serde_json::{Value, json};

use super::args::resource::{Command, Group, GroupCreate, GroupDelete, GroupUpdate, Groups};
use super::display::{self, Display, Table, pairs, tame};
use super::failure::Failure;
use super::http::{Request, encoded};
use super::session::Session;
use super::terminal::Io;
use super::wire::{self, ResourceGroup};

const PATH: &str = "/v2/resource_groups";

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::Group(one) => show(io, session, one).await,
        Command::GroupCreate(new) => create(io, session, new).await,
        Command::GroupDelete(one) => delete(io, session, one).await,
        Command::GroupUpdate(update) => rename(io, session, update).await,
        Command::Groups(list) => groups(io, session, list).await,
    }
}

/// The groups that the caller may see.
pub(super) async fn all(session: &mut Session) -> Result<Vec<ResourceGroup>, Failure> {
    wire::rows(&session.list(PATH, "resources").await?)
}

/// The group of that name or id.
pub(super) async fn named(session: &mut Session, text: &str) -> Result<ResourceGroup, Failure> {
    let called = |group: &ResourceGroup| group.id == text || group.name.eq_ignore_ascii_case(text);
    all(session).await?.into_iter().find(called).ok_or_else(|| {
        Failure::new(
            format!("There is no resource group '{}' that you may see.", tame(text)),
            "`portcullis resource groups` lists them; make one with `portcullis resource group-create NAME`.",
        )
    })
}

async fn groups(io: &mut Io, session: &mut Session, list: Groups) -> Result<(), Failure> {
    let display = list.formatted.display();
    let (account, user) = (session.account_name(), session.user());
    io.announce(display, format!("Retrieving all resource groups under account {account} as {user}..."));
    let found = session.list(PATH, "resources").await?;
    let wanted = |row: &Value| !list.default || row.get("default") == Some(&Value::Bool(true));
    let found: Vec<Value> = found.into_iter().filter(wanted).collect();
    io.ok(display);
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let mut table = Table::new(&["Name", "ID", "Default Group", "State"]);
    for row in wire::rows::<ResourceGroup>(&found)? {
        table.row([tame(&row.name), tame(&row.id), row.default.to_string(), tame(&row.state)]);
    }
    io.line(table.render());
    Ok(())
}

async fn show(io: &mut Io, session: &mut Session, one: Group) -> Result<(), Failure> {
    let display = one.formatted.display();
    let group = named(session, &one.group).await?;
    if one.id {
        io.line(tame(&group.id));
        return Ok(());
    }
    let answer = session.read(&format!("{PATH}/{}", encoded(&group.id))).await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    io.ok(display);
    io.line(text(&wire::row(&answer)?));
    Ok(())
}

fn text(group: &ResourceGroup) -> String {
    pairs([
        ("Name", tame(&group.name)),
        ("ID", tame(&group.id)),
        ("Default Group", group.default.to_string()),
        ("State", tame(&group.state)),
    ])
}

async fn create(io: &mut Io, session: &mut Session, new: GroupCreate) -> Result<(), Failure> {
    let display = new.formatted.display();
    let (name, account, user) = (tame(&new.name), session.account_name(), session.user());
    io.announce(display, format!("Creating resource group {name} under account {account} as {user}..."));
    let body = json!({"name": new.name, "account_id": session.account()});
    let made = session.call(Request::new(Method::POST, PATH).json(&body)).await?.json()?;
    if display.is_json() {
        io.line(display::json(&made));
        return Ok(());
    }
    io.ok(display);
    let id = tame(made.get("id").and_then(Value::as_str).unwrap_or_default());
    io.line(format!("Resource group {name} was created.\nResource Group ID: {id}"));
    Ok(())
}

async fn rename(io: &mut Io, session: &mut Session, update: GroupUpdate) -> Result<(), Failure> {
    let group = named(session, &update.group).await?;
    let (old, new) = (tame(&group.name), tame(&update.name));
    if !io.confirm(&format!("Rename resource group {old} to {new}?"), update.force)? {
        return Ok(());
    }
    let path = format!("{PATH}/{}", encoded(&group.id));
    let request = Request::new(Method::PATCH, path).json(&json!({"name": update.name}));
    session.call(request).await?;
    io.ok(Display::default());
    io.line(format!("Resource group {old} was renamed to {new}."));
    Ok(())
}

async fn delete(io: &mut Io, session: &mut Session, one: GroupDelete) -> Result<(), Failure> {
    let group = named(session, &one.group).await?;
    let name = tame(&group.name);
    if !io.confirm(&format!("Delete resource group {name}?"), one.force)? {
        return Ok(());
    }
    session.call(Request::new(Method::DELETE, format!("{PATH}/{}", encoded(&group.id)))).await?;
    io.ok(Display::default());
    io.line(format!("Resource group {name} was deleted."));
    Ok(())
}
