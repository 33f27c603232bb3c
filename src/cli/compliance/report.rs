//! Goals, reports, profiles and history.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::args::compliance::{Format, Goals, History, Report as Wanted};
use crate::cli::display::{self, Display, Table, pairs, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire;
use crate::compliance::report::{Report, Summary, csv, html, junit, oscal};
use crate::compliance::verdict::Verdict;

/// Which verdicts a report is on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// Those that are there.
    Last,
    /// Those of a scan that is made for it.
    Scan,
}

async fn fetch(
    session: &mut Session,
    profile: Option<&str>,
    source: Source,
) -> Result<(Report, Value), Failure> {
    let request = match source {
        Source::Last => {
            let query = profile.map(|id| format!("?profile={}", encoded(id))).unwrap_or_default();
            Request::new(Method::GET, format!("/api/native/compliance/report{query}"))
        }
        Source::Scan => {
            let body = profile.map_or_else(|| json!({}), |id| json!({ "profile": id }));
            Request::new(Method::POST, "/api/native/compliance/scans").json(&body)
        }
    };
    let answer = session.call(request).await?.json()?;
    Ok((wire::row(&answer)?, answer))
}

/// `compliance goals`.
pub(super) async fn goals(io: &mut Io, session: &mut Session, goals: Goals) -> Result<(), Failure> {
    let display = goals.formatted.display();
    io.announce(display, format!("Judging goals as {}...", session.user()));
    let (report, answer) = fetch(session, goals.profile.as_deref(), Source::Last).await?;
    if display.is_json() {
        io.line(display::json(answer.get("goals").unwrap_or(&Value::Null)));
        return Ok(());
    }
    io.ok(display);
    io.line(format!("{}: {}\n", tame(&report.name), counted(report.summary)));
    io.line(table(&report.goals));
    Ok(())
}

/// `compliance report` and `compliance scan`.
pub(super) async fn write(
    io: &mut Io,
    session: &mut Session,
    wanted: Wanted,
    source: Source,
) -> Result<(), Failure> {
    let (report, answer) = fetch(session, wanted.profile.as_deref(), source).await?;
    let text = match wanted.output {
        Format::Csv => csv::render(&report),
        Format::Html => html::render(&report),
        Format::Json => display::json(&answer),
        Format::Junit => junit::render(&report),
        Format::Oscal => display::json(&oscal::render(&report)),
        Format::Table => whole(&report),
    };
    match &wanted.file {
        None => io.line(text),
        Some(file) => {
            let unwritten = |error: std::io::Error| {
                let what = format!("The report cannot be written to {}: {error}.", file.display());
                Failure::new(what, "Name another file with --file.")
            };
            std::fs::write(file, text + "\n").map_err(unwritten)?;
            io.line(format!("The report is in {}: {}", file.display(), counted(report.summary)));
        }
    }
    match wanted.threshold {
        Some(least) if report.summary.score < least => Err(Failure::new(
            format!("{} % of the goals that apply pass, fewer than {least} %.", report.summary.score),
            "Mend what fails: `portcullis compliance report` says how.",
        )),
        Some(_) | None => Ok(()),
    }
}

fn counted(summary: Summary) -> String {
    format!(
        "{} of {} pass ({} %), {} fail, {} cannot be told, {} do not apply",
        summary.pass,
        summary.total,
        summary.score,
        summary.fail,
        summary.unable_to_perform,
        summary.not_applicable
    )
}

fn table(goals: &[Verdict]) -> String {
    let mut table = Table::new(&["ID", "Status", "Severity", "Since", "Goal"]);
    for goal in goals {
        let row = [&goal.id, goal.status.label(), goal.severity.label(), &goal.since, &goal.description];
        table.row(row);
    }
    table.render()
}

/// Everything that a verdict says, below the table.
fn whole(report: &Report) -> String {
    let mut text = format!(
        "{}\n\n{}\n\n{}\n",
        pairs([
            ("Profile", report.name.clone()),
            ("Account", report.account.clone()),
            ("As of", report.at.clone()),
            ("Score", counted(report.summary)),
        ]),
        table(&report.goals),
        "What does not pass:",
    );
    for goal in report.goals.iter().filter(|goal| !goal.fix.is_empty() || goal.status.label() != "pass") {
        text.push_str(&format!("\n{} {}\n", tame(&goal.id), goal.status.label()));
        text.push_str(&pairs([
            ("  Expected", goal.expected.clone()),
            ("  Found", goal.found.clone()),
            ("  Resource", goal.resource.clone()),
            ("  Since", goal.since.clone()),
            ("  Fix", goal.fix.clone()),
        ]));
        text.push('\n');
    }
    if !report.drift.is_empty() {
        text.push_str("\nWhat has turned:\n");
    }
    for drift in &report.drift {
        text.push_str(&format!("{} {}\n", tame(&drift.id), tame(&drift.sentence())));
    }
    text.trim_end().to_owned()
}

/// A profile on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    id: String,
    name: String,
    description: String,
    goals: Vec<Value>,
}

/// `compliance profiles`.
pub(super) async fn profiles(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let answer = session.read("/api/native/compliance/profiles").await?;
    let found = answer.get("profiles").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if display.is_json() {
        io.line(display::json(&Value::from(found)));
        return Ok(());
    }
    let mut table = Table::new(&["ID", "Name", "Goals", "Description"]);
    for row in wire::rows::<Profile>(found)? {
        table.row([row.id, row.name, row.goals.len().to_string(), row.description]);
    }
    io.line(table.render());
    Ok(())
}

/// A history on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Past {
    scans: Vec<Scan>,
    drift: Vec<Turned>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scan {
    profile: String,
    at: String,
    reason: String,
    summary: Summary,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Turned {
    profile: String,
    id: String,
    sentence: String,
}

/// `compliance history`.
pub(super) async fn history(io: &mut Io, session: &mut Session, history: History) -> Result<(), Failure> {
    let profile =
        history.profile.as_deref().map(|id| format!("&profile={}", encoded(id))).unwrap_or_default();
    let target = format!("/api/native/compliance/history?limit={}{profile}", history.limit);
    let answer = session.read(&target).await?;
    if history.formatted.display().is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let past: Past = wire::row(&answer)?;
    let mut table = Table::new(&["When", "Profile", "Because of", "Result"]);
    for row in past.scans {
        table.row([row.at, row.profile, row.reason, counted(row.summary)]);
    }
    io.line(table.render());
    if !past.drift.is_empty() {
        io.line("\nWhat has turned:");
    }
    for row in past.drift {
        io.line(format!("{} {} {}", tame(&row.profile), tame(&row.id), tame(&row.sentence)));
    }
    Ok(())
}
