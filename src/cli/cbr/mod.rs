//! `cbr …`: network zones and context-based restrictions, by the verbs of the IBM Cloud plug-in.

use serde_json::Value;

use super::args::cbr::Command;
use super::display::{self, Display};
use super::failure::Failure;
use super::session::Session;
use super::terminal::Io;

mod rule;
mod zone;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::Rule(one) => rule::show(io, session, one).await,
        Command::RuleCreate(new) => rule::create(io, session, new).await,
        Command::RuleDelete(one) => rule::delete(io, session, one).await,
        Command::RuleUpdate(update) => rule::update(io, session, update).await,
        Command::Rules(formatted) => rule::list(io, session, formatted.display()).await,
        Command::Zone(one) => zone::show(io, session, one).await,
        Command::ZoneCreate(new) => zone::create(io, session, new).await,
        Command::ZoneDelete(one) => zone::delete(io, session, one).await,
        Command::ZoneUpdate(update) => zone::update(io, session, update).await,
        Command::Zones(formatted) => zone::list(io, session, formatted.display()).await,
    }
}

/// Shows an answer whole as JSON, or `OK` and what `text` makes of it.
fn shown(
    io: &mut Io,
    answer: &Value,
    display: Display,
    text: impl FnOnce() -> Result<String, Failure>,
) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(answer));
        return Ok(());
    }
    io.ok(display);
    io.line(text()?);
    Ok(())
}

/// Insists on a change.
const fn forced(force: bool) -> &'static str {
    if force { "?force=true" } else { "" }
}
