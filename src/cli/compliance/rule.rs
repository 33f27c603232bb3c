//! Configuration rules.

use std::path::Path;

use http::Method;
use http::header::IF_MATCH;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::args::compliance::{Enforcement, Results, RuleCreate, RuleUpdate};
use crate::cli::args::{ById, DeleteById};
use crate::cli::display::{self, Display, Table, pairs, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::Thing;
use crate::cli::wire;
use crate::compliance::verdict::Verdict;

/// Where rules are.
const RULES: &str = "/config/v1/rules";

/// What the server adds to a rule, and does not take back.
const ADDED: [&str; 6] =
    ["rule_id", "creation_date", "created_by", "modification_date", "modified_by", "number_of_attachments"];

/// A rule on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    rule_id: String,
    name: String,
    description: String,
    enforcement_actions: Vec<Action>,
    target: Value,
    required_config: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Action {
    action: String,
}

impl Row {
    fn enforcement(&self) -> String {
        match self.enforcement_actions.as_slice() {
            [] => "report".to_owned(),
            some => some.iter().map(|one| one.action.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

fn path(id: &str) -> String {
    format!("{RULES}/{}", encoded(id))
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> Failure {
    let what = format!("The rule in {} cannot be used: {why}.", file.display());
    Failure::new(what, "Write a `target` and a `required_config` as JSON, as docs/compliance.md shows.")
}

fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    let text = std::fs::read(file).map_err(|error| unusable(file, &error))?;
    serde_json::from_slice(&text).map_err(|error| unusable(file, &error))
}

fn change(rule: &mut Map<String, Value>, name: Option<&String>, enforcement: &[Enforcement]) {
    if let Some(name) = name {
        rule.insert("name".to_owned(), json!(name));
    }
    if !enforcement.is_empty() {
        let actions: Vec<Value> = enforcement.iter().map(|one| json!({ "action": one.wire() })).collect();
        rule.insert("enforcement_actions".to_owned(), json!(actions));
    }
}

fn shown(io: &mut Io, rule: &Value, display: Display) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(rule));
        return Ok(());
    }
    let row: Row = wire::row(rule)?;
    let enforcement = row.enforcement();
    io.ok(display);
    io.line(pairs([
        ("ID", row.rule_id),
        ("Name", row.name),
        ("Description", row.description),
        ("Enforcement", enforcement),
        ("Target", row.target.to_string()),
        ("Required", row.required_config.to_string()),
    ]));
    Ok(())
}

/// `compliance rule-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: RuleCreate) -> Result<(), Failure> {
    let display = new.formatted.display();
    let mut rule = read(&new.file)?;
    change(&mut rule, new.name.as_ref(), &new.enforcement);
    io.announce(display, format!("Creating rule as {}...", session.user()));
    let body = json!({ "rules": [{ "request_id": "1", "rule": rule }] });
    let answer = session.call(Request::new(Method::POST, RULES).json(&body)).await?.json()?;
    let entry = answer.pointer("/rules/0").ok_or_else(|| Failure::misunderstood("`rules` is missing"))?;
    match entry.get("rule") {
        Some(rule) => shown(io, rule, display),
        None => {
            let told =
                entry.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or("no reason is given");
            Err(unusable(&new.file, &tame(told)))
        }
    }
}

/// `compliance rule`.
pub(super) async fn show(io: &mut Io, session: &mut Session, one: ById) -> Result<(), Failure> {
    let rule = session.read(&path(&one.id)).await?;
    shown(io, &rule, one.formatted.display())
}

/// `compliance rule-update`.
pub(super) async fn update(io: &mut Io, session: &mut Session, update: RuleUpdate) -> Result<(), Failure> {
    let display = update.formatted.display();
    let reply = session.call(Request::new(Method::GET, path(&update.id))).await?;
    let tag = reply.header("etag").unwrap_or("*").to_owned();
    let mut rule = match &update.file {
        Some(file) => read(file)?,
        None => wire::row(&reply.json()?)?,
    };
    rule.retain(|field, _| !ADDED.contains(&field.as_str()));
    change(&mut rule, update.name.as_ref(), &update.enforcement);
    io.announce(display, format!("Updating rule as {}...", session.user()));
    let request = Request::new(Method::PUT, path(&update.id)).header(IF_MATCH, &tag);
    let changed = session.call(request.json(&Value::Object(rule))).await?.json()?;
    shown(io, &changed, display)
}

/// `compliance rule-delete`.
pub(super) async fn delete(io: &mut Io, session: &mut Session, one: DeleteById) -> Result<(), Failure> {
    Thing { noun: "rule", name: &one.id, within: "" }
        .delete(io, session, &one.consent, ("", &path(&one.id)))
        .await
}

/// `compliance rules`.
pub(super) async fn list(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let answer = session.read(RULES).await?;
    let found = answer.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if display.is_json() {
        io.line(display::json(&Value::from(found)));
        return Ok(());
    }
    let mut table = Table::new(&["ID", "Name", "Enforcement", "Required"]);
    for row in wire::rows::<Row>(found)? {
        let enforcement = row.enforcement();
        table.row([row.rule_id, row.name, enforcement, row.required_config.to_string()]);
    }
    io.line(table.render());
    Ok(())
}

/// `compliance results`.
pub(super) async fn results(io: &mut Io, session: &mut Session, results: Results) -> Result<(), Failure> {
    let display = results.formatted.display();
    let answer = session.read("/api/native/compliance/results").await?;
    let mut found = answer.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(wanted) = &results.rule {
        found.retain(|row| row.get("id").and_then(Value::as_str) == Some(wanted));
    }
    if display.is_json() {
        io.line(display::json(&Value::from(found)));
        return Ok(());
    }
    let mut table = Table::new(&["Rule", "Status", "Since", "Expected", "Found", "Fix"]);
    for row in wire::rows::<Verdict>(&found)? {
        table.row([&row.id, row.status.label(), &row.since, &row.expected, &row.found, &row.fix]);
    }
    io.line(table.render());
    Ok(())
}
