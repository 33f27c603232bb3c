//! The users of the account, and a token for whoever is logged in.

use http::Method;
use serde_json::{Value, json};

use crate::cli::args::iam::{Entity, UserInvite};
use crate::cli::display::{self, Display, Table};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, User};

/// `iam users`.
pub(super) async fn list(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let user = session.user();
    io.announce(display, format!("Getting users under current account as {user}..."));
    let found = lookup::users(session).await?;
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<User> = wire::rows(&found)?;
    io.ok(display);
    let mut table = Table::new(&["User ID", "Name", "State", "IAM ID", "Added On"]);
    for row in rows {
        let name = format!("{} {}", row.firstname, row.lastname);
        table.row([row.user_id.as_str(), name.trim(), &row.state, &row.iam_id, &row.added_on]);
    }
    io.line(table.render());
    Ok(())
}

/// `iam user-invite`.
pub(super) async fn invite(io: &mut Io, session: &mut Session, invite: UserInvite) -> Result<(), Failure> {
    let (email, user, display) = (display::tame(&invite.email), session.user(), invite.display);
    let mut groups = Vec::with_capacity(invite.access_groups.len());
    for name in &invite.access_groups {
        groups.push(lookup::group(session, name).await?);
    }
    io.announce(display, format!("Inviting user {email} to current account as {user}..."));
    let body = json!({ "users": [{ "email": invite.email, "account_role": "Member" }] });
    let path = format!("/v2/accounts/{}/users", encoded(&session.account()));
    let made = session.call(Request::new(Method::POST, path).json(&body)).await?.json()?;
    let iam_id = made.pointer("/resources/0/id").and_then(Value::as_str).unwrap_or_default();
    let principal = lookup::Principal { iam_id: iam_id.to_owned(), name: email.clone() };
    for group in &groups {
        super::group::put(session, group, lookup::PrincipalKind::User, std::slice::from_ref(&principal))
            .await?;
    }
    if display.is_json() {
        io.line(display::json(&made));
        return Ok(());
    }
    io.ok(display);
    io.announce(
        display,
        format!(
            "User {email} is added to the account. Grant access with `portcullis iam user-policy-create`."
        ),
    );
    Ok(())
}

/// `iam user-remove`.
pub(super) async fn remove(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let found = lookup::user(session, &one.name).await?;
    let (name, user, display) = (display::tame(&found.name), session.user(), one.consent.display());
    let question = format!("Really remove user {name} ({}), with all API keys and policies?", found.iam_id);
    if !io.confirm(&question, one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Removing user {name} from current account as {user}..."));
    let path = format!("/v2/accounts/{}/users/{}", encoded(&session.account()), encoded(&found.iam_id));
    session.call(Request::new(Method::DELETE, path)).await?;
    io.ok(display);
    io.announce(display, format!("User {name} is removed from the account"));
    Ok(())
}

/// `iam bearer-token`: the same token, as a header takes it.
pub(super) async fn bearer_token(
    io: &mut Io,
    session: &mut Session,
    display: Display,
) -> Result<(), Failure> {
    let token = session.fresh_token().await?;
    let token = format!("Bearer {}", display::tame(token.expose()));
    if display.is_json() {
        io.line(display::json(&json!({ "token": token })));
    } else {
        io.line(token);
    }
    Ok(())
}

/// `iam oauth-tokens`: a fresh token, since it is about to be used elsewhere.
pub(super) async fn oauth_tokens(
    io: &mut Io,
    session: &mut Session,
    display: Display,
) -> Result<(), Failure> {
    let token = session.fresh_token().await?;
    let token = format!("Bearer {}", display::tame(token.expose()));
    if display.is_json() {
        io.line(display::json(&json!({ "iam_token": token })));
    } else {
        io.line(format!("IAM token:  {token}"));
    }
    Ok(())
}
