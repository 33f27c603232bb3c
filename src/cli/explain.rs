//! `explain`: whether somebody may do something, and which policies say so.

use http::Method;
use serde_json::json;

use super::args;
use super::display;
use super::failure::Failure;
use super::http::Request;
use super::lookup;
use super::session::Session;
use super::terminal::Io;

/// Asks the server and shows its answer as an outline.
pub(super) async fn run(io: &mut Io, explain: args::Explain) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let principal = lookup::principal(&mut session, &explain.principal).await?;
    let question =
        json!({ "principal": principal.iam_id, "action": explain.action, "resource": explain.resource });
    let answer =
        session.call(Request::new(Method::POST, "/api/native/explain").json(&question)).await?.json()?;
    if explain.display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    io.announce(
        explain.display,
        format!("May {} do {} on {}?", principal.name, explain.action, explain.resource),
    );
    io.ok(explain.display);
    io.line(display::tree(&answer));
    Ok(())
}
