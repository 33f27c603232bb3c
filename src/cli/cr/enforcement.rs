//! `cr iam-policies-enable`, `cr iam-policies-status` and `cr private-only`.

use http::Method;
use serde_json::json;

use super::region;
use crate::cli::args::cr::PrivateOnly;
use crate::cli::display::Display;
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Auth};

/// Enforces policies in the targeted registry.
pub(super) async fn enable(io: &mut Io, session: &mut Session) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    io.line(format!("Enabling IAM policies for account '{account}' in registry '{registry}'...\n"));
    let request = Request::new(Method::PATCH, "/api/v1/auth").json(&json!({ "iam_authz": true }));
    targeted.call(session, request).await?;
    io.ok(Display::default());
    Ok(())
}

/// Shows whether policies are enforced in the targeted registry.
pub(super) async fn status(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let answer = targeted.read(session, "/api/v1/auth").await?;
    if display.is_json() {
        io.line(crate::cli::display::json(&answer));
        return Ok(());
    }
    let auth: Auth = wire::row(&answer)?;
    let state = if auth.iam_authz { "enabled" } else { "disabled" };
    let (account, registry) = (session.account_name(), targeted.host());
    io.line(format!("IAM policy enforcement is {state} for account '{account}' in registry '{registry}'.\n"));
    io.ok(display);
    Ok(())
}

/// `cr private-only`, with exactly one of its flags.
pub(super) async fn private_only(
    io: &mut Io,
    session: &mut Session,
    which: PrivateOnly,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    if which.status {
        let auth: Auth = wire::row(&targeted.read(session, "/api/v1/auth").await?)?;
        let state = if auth.private_only { "enabled" } else { "disabled" };
        io.line(format!(
            "Private-only networking is {state} for account '{account}' in registry '{registry}'.\n"
        ));
    } else {
        let doing = if which.enable { "Enabling" } else { "Disabling" };
        io.line(format!(
            "{doing} private-only networking for account '{account}' in registry '{registry}'...\n"
        ));
        let body = json!({ "private_only": which.enable });
        targeted.call(session, Request::new(Method::PATCH, "/api/v1/auth").json(&body)).await?;
    }
    io.ok(Display::default());
    Ok(())
}
