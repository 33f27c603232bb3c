//! `iam role…`: what policies can grant, and the roles of the account's own making.

use http::Method;
use serde_json::{Value, json};

use crate::cli::args::iam::role::{RoleCommand, RoleCreate, RoleUpdate, Roles};
use crate::cli::args::iam::{Entity, One};
use crate::cli::display::{self, Table};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Thing};
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

/// How messages name a role of the account's own making.
const fn thing(name: &str) -> Thing<'_> {
    Thing { noun: "custom role", name, within: " under current account" }
}

async fn create(io: &mut Io, session: &mut Session, new: RoleCreate) -> Result<(), Failure> {
    let body = json!({
        "name": new.name, "account_id": session.account(), "service_name": new.service_name,
        "display_name": new.display_name, "actions": trimmed(&new.actions),
        "description": new.description.unwrap_or_default(),
    });
    let request = Request::new(Method::POST, "/v2/roles").json(&body);
    thing(&new.name).create::<Role>(io, session, new.display, request).await
}

async fn show(io: &mut Io, session: &mut Session, one: One) -> Result<(), Failure> {
    let display = one.display();
    thing(&one.of.name).getting(io, session, display);
    let row = lookup::custom_role(session, &one.of.name).await?;
    thing::found::<Role>(io, session, display, &path(&row)).await
}

async fn update(io: &mut Io, session: &mut Session, change: RoleUpdate) -> Result<(), Failure> {
    let row = lookup::custom_role(session, &change.role).await?;
    let (path, version) = (path(&row), thing::version(session, &path(&row)).await?);
    // The API replaces it whole: what is not to change is said again.
    let actions = if change.actions.is_empty() { row.actions } else { trimmed(&change.actions) };
    let body = json!({
        "display_name": change.display_name.unwrap_or(row.display_name),
        "actions": actions,
        "description": change.description.unwrap_or(row.description),
    });
    let request = Request::new(Method::PUT, path).json(&body);
    thing(&row.name).update::<Role>(io, session, change.display, (request, &version)).await
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let row = lookup::custom_role(session, &one.name).await?;
    let question = format!("Really delete custom role {} ({})?", display::tame(&row.name), row.id);
    thing(&row.name).delete(io, session, &one.consent, (&question, &path(&row))).await
}

fn trimmed(actions: &[String]) -> Vec<String> {
    actions.iter().map(|action| action.trim().to_owned()).collect()
}

fn path(role: &Role) -> String {
    format!("/v2/roles/{}", encoded(&role.id))
}

impl Detailed for Role {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id),
            ("Name", self.name),
            ("Display Name", self.display_name),
            ("Description", self.description),
            ("Service Name", self.service_name),
            ("CRN", self.crn),
            ("Actions", self.actions.join(", ")),
        ]
    }
}
