//! `cr va`, `cr va-upload` and `cr exemption-add`, `-list`, `-rm` and `-types`.

use http::Method;
use serde_json::{Map, Value, json};

use super::region::{self, Targeted};
use super::shelf::named;
use crate::cli::args::cr::Formatted;
use crate::cli::args::va::{Exemption, ExemptionAdd, ExemptionList, Va, VaUpload};
use crate::cli::display::{self, Table, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Advice, ExemptionRow, ExemptionType};

/// Shows what is reported of images.
pub(super) async fn reports(io: &mut Io, session: &mut Session, wanted: Va) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let display = wanted.formatted.display();
    let mut all = Vec::new();
    for image in &wanted.images {
        let name = named(&targeted, image);
        io.announce(display, format!("Checking security issues for '{}'...\n", tame(&name)));
        let found = targeted.read(session, &format!("/va/api/v4/report/image/{}", encoded(&name))).await?;
        all.push((name, found));
    }
    if display.is_json() {
        let all = all.into_iter().map(|(name, found)| {
            let mut members = Map::new();
            members.insert("image".to_owned(), json!(name));
            members.extend(found.as_object().cloned().unwrap_or_default());
            Value::Object(members)
        });
        io.line(display::json(&all.collect()));
        return Ok(());
    }
    let read = |(name, found): &(String, Value)| Ok((name.clone(), wire::row::<Advice>(found)?));
    let all = all.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let mut table = Table::new(&["Image", "Current", "Configuration Issues", "Vulnerabilities"]);
    for (name, advice) in &all {
        let (checks, vulnerabilities) = (advice.configuration_issues.len(), advice.vulnerabilities.len());
        table.row([name, &advice.status, &checks.to_string(), &vulnerabilities.to_string()]);
    }
    io.line(table.render());
    for (name, advice) in &all {
        shown(io, &wanted, name, advice);
    }
    io.line("");
    io.ok(display);
    Ok(())
}

fn shown(io: &mut Io, wanted: &Va, name: &str, advice: &Advice) {
    if advice.status == "UNSCANNED" {
        io.line(format!("\nNobody has scanned '{}' yet.", tame(name)));
        return;
    }
    if !wanted.configuration_issues && !advice.vulnerabilities.is_empty() {
        io.line(format!("\nVulnerabilities of '{}'\n", tame(name)));
        io.line(vulnerabilities(advice, wanted.extended).render());
    }
    if !wanted.vulnerabilities && !advice.configuration_issues.is_empty() {
        io.line(format!("\nConfiguration issues of '{}'\n", tame(name)));
        io.line(checks(advice, wanted.extended).render());
    }
}

fn vulnerabilities(advice: &Advice, extended: bool) -> Table {
    let mut headings = vec!["Vulnerability ID", "Severity", "Policy Status", "Affected Packages"];
    headings.extend(if extended { ["How to Resolve", "Summary"].as_slice() } else { &[] });
    let mut table = Table::new(&headings);
    for one in &advice.vulnerabilities {
        let affected = one.security_notices.iter().flat_map(|notice| &notice.vulnerable_packages);
        let mut packages: Vec<&str> = affected.clone().map(|package| package.package_name.as_str()).collect();
        let mut mends: Vec<&str> = affected.map(|package| package.corrective_action.as_str()).collect();
        packages.dedup();
        mends.dedup();
        let packages = packages.join(", ");
        let mut cells = vec![one.cve_id.clone(), one.severity.clone(), capital(&one.exempt_status), packages];
        if extended {
            cells.extend([mends.join("; "), one.summary.clone()]);
        }
        table.row(cells.iter().map(|cell| tame(cell)));
    }
    table
}

fn checks(advice: &Advice, extended: bool) -> Table {
    let mut headings = vec!["Configuration Issue ID", "Policy Status", "Security Practice"];
    headings.extend(extended.then_some("How to Resolve"));
    let mut table = Table::new(&headings);
    for one in &advice.configuration_issues {
        let status = if one.exempt { "Exempt" } else { "Active" };
        let mut cells = vec![one.kind.clone(), status.to_owned(), one.description.clone()];
        if extended {
            cells.push(one.corrective_action.clone());
        }
        table.row(cells.iter().map(|cell| tame(cell)));
    }
    table
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Sends a report about an image.
pub(super) async fn upload(io: &mut Io, session: &mut Session, wanted: VaUpload) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let display = wanted.formatted.display();
    let name = named(&targeted, &wanted.image);
    let report = io.file(&wanted.file)?;
    io.announce(display, format!("Sending the report about '{}'...\n", tame(&name)));
    let path = format!("/api/native/images/{}/report", encoded(&name));
    let request = Request::new(Method::POST, path).document(report);
    let answer = targeted.call(session, request).await?.json()?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    match answer.get("kept").and_then(Value::as_bool) {
        Some(true) => {
            let (findings, new) = (number("findings"), number("new_findings"));
            io.line(format!("It has {findings} findings; {new} of medium severity and worse are new.\n"));
        }
        Some(false) | None => {
            io.line("A later report of the same format stands already; this one was not kept.\n")
        }
    }
    io.ok(display);
    Ok(())
}

/// Where the API has an exemption.
fn path(targeted: &Targeted, which: &Exemption) -> String {
    let issue = format!("issue/{}/{}", which.issue_type.label(), encoded(&which.issue_id));
    match bare(targeted, &which.scope) {
        "*" => format!("/va/api/v4/exempt/image/{issue}"),
        scope => format!("/va/api/v4/exempt/image/{}/{issue}", encoded(scope)),
    }
}

fn bare<'s>(targeted: &Targeted, scope: &'s str) -> &'s str {
    scope.strip_prefix(&format!("{}/", targeted.host())).unwrap_or(scope)
}

/// Exempts an issue.
pub(super) async fn exempt(io: &mut Io, session: &mut Session, add: ExemptionAdd) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (display, which) = (add.formatted.display(), &add.which);
    io.announce(
        display,
        format!("Creating exemption for '{}' in '{}'...\n", tame(&which.issue_id), tame(&which.scope)),
    );
    let mut body = Map::new();
    body.extend(add.expires.map(|at| ("expires_at".to_owned(), json!(at))));
    body.extend(add.reason.map(|why| ("reason".to_owned(), json!(why))));
    let request = Request::new(Method::POST, path(&targeted, which)).json(&Value::Object(body));
    let answer = targeted.call(session, request).await?.json()?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    io.ok(display);
    Ok(())
}

/// Ends an exemption.
pub(super) async fn unexempt(io: &mut Io, session: &mut Session, which: Exemption) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (id, scope) = (tame(&which.issue_id), tame(&which.scope));
    io.line(format!("Deleting exemption for '{id}' in '{scope}'...\n"));
    targeted.call(session, Request::new(Method::DELETE, path(&targeted, &which))).await?;
    io.line("OK");
    Ok(())
}

/// Lists exemptions.
pub(super) async fn exemptions(
    io: &mut Io,
    session: &mut Session,
    list: ExemptionList,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let display = list.formatted.display();
    io.announce(display, "Listing exemptions...\n");
    let at = match list.scope.as_deref().map(|scope| bare(&targeted, scope)) {
        None => "/va/api/v4/exemptions/account".to_owned(),
        Some("*") => "/va/api/v4/exempt/image".to_owned(),
        Some(scope) => format!("/va/api/v4/exempt/image/{}", encoded(scope)),
    };
    let answer = targeted.read(session, &at).await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let Value::Array(rows) = &answer else {
        return Err(Failure::misunderstood("the exemptions are no list"));
    };
    let mut table = Table::new(&["Scope", "Issue type", "Issue ID", "Expires", "Reason"]);
    for row in wire::rows::<ExemptionRow>(rows)? {
        let expires = if row.expires_at.is_empty() { "-" } else { &row.expires_at };
        let cells = [&row.scope.text(), &row.issue_type, &row.issue_id, expires, &row.reason];
        table.row(cells.map(tame));
    }
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}

/// Lists what exemptions can be of.
pub(super) async fn types(io: &mut Io, session: &mut Session, formatted: Formatted) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let display = formatted.display();
    let answer = targeted.read(session, "/va/api/v4/exempt/types").await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let Value::Array(rows) = &answer else { return Err(Failure::misunderstood("the types are no list")) };
    let mut table = Table::new(&["Issue type", "Name"]);
    for row in wire::rows::<ExemptionType>(rows)? {
        table.row([tame(&row.identifier), tame(&row.display_name)]);
    }
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}
