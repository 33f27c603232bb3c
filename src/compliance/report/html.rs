//! A report as one HTML page that needs nothing else: no script, no font, no picture, and it prints well.

use super::{Report, escaped};
use crate::compliance::drift::Drift;
use crate::compliance::verdict::{Judged, Status, Verdict};

/// Dark on light for paper, and either on screens.
const STYLE: &str = include_str!("report.css");

const fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::UnableToPerform => "cannot be told",
        Status::NotApplicable => "not applicable",
    }
}

fn badge(status: Status) -> String {
    format!("<span class=\"badge {}\">{}</span>", status.label(), word(status))
}

/// The report.
#[must_use]
pub fn render(report: &Report) -> String {
    let title = format!("{} – account {}", report.name, report.account);
    let summary = report.summary;
    let tiles = [
        ("pass", summary.pass, "pass"),
        ("fail", summary.fail, "fail"),
        ("unable_to_perform", summary.unable_to_perform, "cannot be told"),
        ("not_applicable", summary.not_applicable, "not applicable"),
    ];
    let tiles: String = tiles
        .iter()
        .map(|(class, count, label)| {
            format!("<div class=\"tile {class}\"><b>{count}</b><span>{label}</span></div>")
        })
        .collect();
    let rows: String = report.goals.iter().map(row).collect();
    let cards: String = report.goals.iter().map(card).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\
         <header><p class=\"kicker\">Portcullis compliance report</p><h1>{name}</h1>\
         <p>{description}.</p><dl><dt>Account</dt><dd>{account}</dd><dt>As of</dt><dd>{at}</dd></dl></header>\
         <section class=\"tiles\"><div class=\"tile score\"><b>{score} %</b><span>of what applies passes</span></div>{tiles}</section>\
         <h2>Goals</h2><table><thead><tr><th>Status</th><th>Id</th><th>Goal</th><th>Severity</th><th>Since</th></tr></thead>\
         <tbody>{rows}</tbody></table>\
         <h2>Findings</h2>{cards}{drift}\
         <footer>Made by Portcullis {version} as of {at}.</footer></body></html>",
        title = escaped(&title),
        name = escaped(&report.name),
        description = escaped(&report.description),
        account = escaped(&report.account),
        at = escaped(&report.at),
        score = summary.score,
        drift = drift(&report.drift),
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn row(goal: &Verdict) -> String {
    format!(
        "<tr><td>{}</td><td class=\"id\"><a href=\"#{id}\">{id}</a></td><td>{}</td><td>{}</td><td class=\"time\">{}</td></tr>",
        badge(goal.status),
        escaped(&goal.description),
        goal.severity.label(),
        escaped(&goal.since),
        id = escaped(&goal.id),
    )
}

fn card(goal: &Verdict) -> String {
    let fix = match goal.fix.is_empty() {
        true => String::new(),
        false => format!("<dt>To mend it</dt><dd><pre>{}</pre></dd>", escaped(&goal.fix)),
    };
    let several = goal.resources.len() > 1;
    let resources = if several { resources(&goal.resources) } else { String::new() };
    format!(
        "<article id=\"{id}\" class=\"{class}\"><h3>{badge} {id}</h3><p>{description}</p><dl>\
         <dt>Expected</dt><dd>{expected}</dd><dt>Found</dt><dd>{found}</dd><dt>Resource</dt><dd class=\"id\">{resource}</dd>\
         <dt>Since</dt><dd class=\"time\">{since}</dd>{fix}</dl>{resources}</article>",
        id = escaped(&goal.id),
        class = goal.status.label(),
        badge = badge(goal.status),
        description = escaped(&goal.description),
        expected = escaped(&goal.expected),
        found = escaped(&goal.found),
        resource = escaped(&goal.resource),
        since = escaped(&goal.since),
    )
}

fn resources(all: &[Judged]) -> String {
    let row = |one: &Judged| {
        format!(
            "<tr><td>{}</td><td class=\"id\">{}</td><td>{}</td></tr>",
            badge(one.status),
            escaped(&one.resource),
            escaped(&one.found)
        )
    };
    let rows: String = all.iter().map(row).collect();
    format!(
        "<table><thead><tr><th>Status</th><th>Resource</th><th>Found</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn drift(all: &[Drift]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let item = |drift: &Drift| {
        let (id, to) = (escaped(&drift.id), badge(drift.to));
        format!("<li>{to} <b>{id}</b> {}</li>", escaped(&drift.sentence()))
    };
    format!("<h2>What has turned</h2><ul class=\"drift\">{}</ul>", all.iter().map(item).collect::<String>())
}
