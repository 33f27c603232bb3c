//! `jobs` and `keys`: what the replicas of a server have in common.

use http::Method;
use serde::Deserialize;

use super::args::Keys;
use super::display::{self, Display, Table, pairs, tame};
use super::failure::Failure;
use super::http::Request;
use super::session::Session;
use super::terminal::Io;
use super::wire;

/// Who leads, and every job.
#[derive(Debug, Deserialize)]
struct Answer {
    leader: Option<Leader>,
    jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
struct Leader {
    replica: String,
    since: String,
}

#[derive(Debug, Deserialize)]
struct Job {
    name: String,
    state: String,
    replica: String,
    began_at: String,
    ended_at: Option<String>,
    next_at: Option<String>,
    outcome: String,
    progress: String,
}

/// A key that was made.
#[derive(Debug, Deserialize)]
struct Made {
    kid: String,
    signs_from: String,
    others_good_until: String,
}

/// `jobs`.
pub(super) async fn jobs(io: &mut Io, display: Display) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    io.announce(display, format!("Getting jobs as {}...", session.user()));
    let answer = session.call(Request::new(Method::GET, "/api/native/jobs")).await?.json()?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let Answer { leader, jobs } = wire::row(&answer)?;
    io.ok(display);
    io.line(match leader {
        Some(one) => format!("{} leads since {}.\n", tame(&one.replica), one.since),
        None => "Nobody leads yet.\n".to_owned(),
    });
    let mut table = Table::new(&["Job", "State", "Last start", "Last end", "Next due", "Replica", "Outcome"]);
    for job in &jobs {
        let (end, next) = (job.ended_at.as_deref().unwrap_or("-"), job.next_at.as_deref().unwrap_or("-"));
        let outcome = if job.outcome.is_empty() { &job.progress } else { &job.outcome };
        table.row([&job.name, &job.state, &job.began_at, end, next, &job.replica, outcome]);
    }
    io.line(table.render());
    Ok(())
}

/// `keys …`.
pub(super) async fn keys(io: &mut Io, command: Keys) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    match command {
        Keys::Rotate => {
            let display = Display::default();
            io.announce(display, format!("Making a key that signs tokens as {}...", session.user()));
            let answer =
                session.call(Request::new(Method::POST, "/api/native/signing-keys")).await?.json()?;
            let made: Made = wire::row(&answer)?;
            io.ok(display);
            io.line(pairs([
                ("Key ID", made.kid),
                ("Signs from", made.signs_from),
                ("Others are good until", made.others_good_until),
            ]));
        }
    }
    Ok(())
}
