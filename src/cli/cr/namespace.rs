//! `cr namespace-add`, `-list`, `-rm`.

use http::Method;
use http::header::HeaderName;
use serde_json::Value;

use super::region;
use crate::cli::args::cr::{NamespaceAdd, NamespaceList, NamespaceRm};
use crate::cli::args::shelf::NamespaceAssign;
use crate::cli::display::{self, Display, Table};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Namespace};

/// Adds a namespace to the targeted registry.
pub(super) async fn add(io: &mut Io, session: &mut Session, add: NamespaceAdd) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    let group = add.resource_group.as_deref();
    let within =
        group.map_or_else(String::new, |group| format!(" in resource group '{}'", display::tame(group)));
    io.line(format!(
        "Adding namespace '{}'{within} for account '{account}' in registry '{registry}'...\n",
        display::tame(&add.namespace)
    ));
    let path = format!("/api/v1/namespaces/{}", encoded(&add.namespace));
    let reply = targeted.call(session, in_group(Request::new(Method::PUT, path), group)).await?;
    io.line(match reply.status {
        http::StatusCode::OK => format!("Namespace '{}' is already yours.\n", add.namespace),
        _ => format!("Successfully added namespace '{}'\n", add.namespace),
    });
    io.ok(Display::default());
    Ok(())
}

/// Puts a namespace into a resource group.
pub(super) async fn assign(
    io: &mut Io,
    session: &mut Session,
    wanted: NamespaceAssign,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (name, group) = (display::tame(&wanted.namespace), display::tame(&wanted.resource_group));
    io.line(format!("Assigning namespace '{name}' to resource group '{group}'...\n"));
    let path = format!("/api/v1/namespaces/{}", encoded(&wanted.namespace));
    let request = in_group(Request::new(Method::PATCH, path), Some(&wanted.resource_group));
    targeted.call(session, request).await?;
    io.line(format!("Successfully assigned namespace '{name}' to resource group '{group}'\n"));
    io.ok(Display::default());
    Ok(())
}

fn in_group(request: Request, group: Option<&str>) -> Request {
    match group {
        Some(group) => request.header(HeaderName::from_static("x-auth-resource-group"), group),
        None => request,
    }
}

/// Lists the namespaces that the caller may see.
pub(super) async fn list(io: &mut Io, session: &mut Session, list: NamespaceList) -> Result<(), Failure> {
    let display = list.formatted.display();
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    io.announce(display, format!("Listing namespaces for account '{account}' in registry '{registry}'...\n"));
    let path = if list.verbose { "/api/v1/namespaces/details" } else { "/api/v1/namespaces" };
    let answer = targeted.read(session, path).await?;
    let Value::Array(rows) = &answer else {
        return Err(Failure::misunderstood("the namespaces are no list"));
    };
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let mut table =
        Table::new(if list.verbose { &["Namespace", "Resource Group", "Created"] } else { &["Namespace"] });
    for row in rows {
        match row {
            Value::String(name) => table.row([name]),
            detailed => {
                let row: Namespace = wire::row(detailed)?;
                table.row([
                    row.name,
                    row.resource_group.unwrap_or_default(),
                    row.created_date.unwrap_or_default(),
                ]);
            }
        }
    }
    if rows.is_empty() {
        io.line("You have no namespaces. Add one with `portcullis cr namespace-add NAMESPACE`.");
    } else {
        io.line(table.render());
    }
    io.line("");
    io.ok(display);
    Ok(())
}

/// Removes a namespace with its images.
pub(super) async fn remove(io: &mut Io, session: &mut Session, rm: NamespaceRm) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let name = display::tame(&rm.namespace);
    if !io.confirm(&format!("Remove namespace '{name}' and all images in it?"), rm.force)? {
        return Ok(());
    }
    io.line(format!("Removing namespace '{name}' in registry '{}'...\n", targeted.host()));
    let path = format!("/api/v1/namespaces/{}", encoded(&rm.namespace));
    targeted.call(session, Request::new(Method::DELETE, path)).await?;
    io.line(format!("Successfully removed namespace '{name}'\n"));
    io.ok(Display::default());
    Ok(())
}
