//! A report as comma-separated values (RFC 4180), one row for each verdict.

use super::Report;

/// The columns.
const HEAD: [&str; 11] = [
    "profile",
    "id",
    "description",
    "parameter",
    "severity",
    "status",
    "expected",
    "found",
    "resource",
    "since",
    "fix",
];

/// Quotes a cell. One that a spreadsheet would take for a formula begins with an apostrophe.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let text = format!("{guard}{text}");
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    cells.into_iter().map(cell).collect::<Vec<_>>().join(",")
}

/// The report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut lines = vec![line(HEAD)];
    for goal in &report.goals {
        let parameter = goal.parameter.map(|number| number.to_string()).unwrap_or_default();
        lines.push(line([
            report.profile.as_str(),
            &goal.id,
            &goal.description,
            &parameter,
            goal.severity.label(),
            goal.status.label(),
            &goal.expected,
            &goal.found,
            &goal.resource,
            &goal.since,
            &goal.fix,
        ]));
    }
    lines.join("\r\n")
}
