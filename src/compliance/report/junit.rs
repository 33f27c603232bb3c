//! A report as JUnit XML: one test case for each verdict, so that what reads test results can gate on it.

use super::{Report, escaped};
use crate::compliance::verdict::{Status, Verdict};

/// The report.
#[must_use]
pub fn render(report: &Report) -> String {
    let summary = report.summary;
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        summary.total, summary.fail, summary.unable_to_perform, summary.not_applicable
    );
    let cases: String = report.goals.iter().map(|goal| case(&report.profile, goal)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis compliance\" {counts}>\n  \
         <testsuite name=\"{}\" {counts} timestamp=\"{}\">\n{cases}  </testsuite>\n</testsuites>",
        escaped(&report.name),
        escaped(&report.at),
    )
}

fn case(profile: &str, goal: &Verdict) -> String {
    let name = format!("{} {}", goal.id, goal.description);
    let told = format!(
        "expected: {}\nfound: {}\nresource: {}\nsince: {}\nfix: {}",
        goal.expected, goal.found, goal.resource, goal.since, goal.fix
    );
    let (message, told) = (escaped(&goal.found), escaped(&told));
    let inner = match goal.status {
        Status::Pass => String::new(),
        Status::Fail => {
            let severity = goal.severity.label();
            format!("      <failure message=\"{message}\" type=\"{severity}\">{told}</failure>\n")
        }
        Status::UnableToPerform => {
            format!("      <error message=\"{message}\" type=\"unable_to_perform\">{told}</error>\n")
        }
        Status::NotApplicable => format!("      <skipped message=\"{message}\"/>\n"),
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{}\">\n{inner}    </testcase>\n",
        escaped(profile),
        escaped(&name)
    )
}
