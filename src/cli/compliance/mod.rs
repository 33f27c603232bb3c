//! `compliance …`: goals, reports, configuration rules, notification channels. The server judges; this lays it out.

use super::args::compliance::Command;
use super::failure::Failure;
use super::session::Session;
use super::terminal::Io;

mod attachment;
mod channel;
mod report;
mod rule;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let session = &mut session;
    match command {
        Command::Channel(one) => channel::show(io, session, one).await,
        Command::ChannelCreate(new) => channel::create(io, session, new).await,
        Command::ChannelDelete(one) => channel::delete(io, session, one).await,
        Command::ChannelTest(one) => channel::test(io, session, one).await,
        Command::ChannelUpdate(update) => channel::update(io, session, update).await,
        Command::Channels(formatted) => channel::list(io, session, formatted.display()).await,
        Command::Deliveries(wanted) => channel::deliveries(io, session, wanted).await,
        Command::Goals(goals) => report::goals(io, session, goals).await,
        Command::History(history) => report::history(io, session, history).await,
        Command::Profiles(formatted) => report::profiles(io, session, formatted.display()).await,
        Command::Report(wanted) => report::write(io, session, wanted, report::Source::Last).await,
        Command::Results(results) => rule::results(io, session, results).await,
        Command::Rule(one) => rule::show(io, session, one).await,
        Command::RuleAttachmentCreate(new) => attachment::create(io, session, new).await,
        Command::RuleAttachmentDelete(one) => attachment::delete(io, session, one).await,
        Command::RuleAttachmentUpdate(update) => attachment::update(io, session, update).await,
        Command::RuleAttachments(of) => attachment::list(io, session, of).await,
        Command::RuleCreate(new) => rule::create(io, session, new).await,
        Command::RuleDelete(one) => rule::delete(io, session, one).await,
        Command::RuleUpdate(update) => rule::update(io, session, update).await,
        Command::Rules(formatted) => rule::list(io, session, formatted.display()).await,
        Command::Scan(wanted) => report::write(io, session, wanted, report::Source::Scan).await,
    }
}
