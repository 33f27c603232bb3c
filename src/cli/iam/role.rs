//! `iam roles`.

use serde_json::Value;

use crate::cli::args::iam::Roles;
use crate::cli::display::{self, Table};
use crate::cli::failure::Failure;
use crate::cli::http::form;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Role};

/// The lists of the answer, and what their members are called.
const KINDS: [(&str, &str); 3] =
    [("system_roles", "Platform"), ("service_roles", "Service"), ("custom_roles", "Custom")];

/// Lists the roles of a service.
pub(super) async fn list(io: &mut Io, session: &mut Session, roles: Roles) -> Result<(), Failure> {
    let (user, display) = (session.user(), roles.display);
    let service = display::tame(&roles.service);
    io.announce(display, format!("Getting roles of service {service} under current account as {user}..."));
    let query = form(&[("account_id", &session.account()), ("service_name", &roles.service)]);
    let answer = session.read(&format!("/v2/roles?{query}")).await?;
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
