//! Context-based restrictions.

use http::Method;
use http::header::IF_MATCH;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{forced, shown, zone};
use crate::cli::args::cbr::{Rule, RuleNew, RuleUpdate};
use crate::cli::args::{ById, DeleteById};
use crate::cli::display::{Display, Table, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::Thing;
use crate::cli::wire::{self, Attributes};

/// A rule on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    id: String,
    description: String,
    enforcement_mode: String,
    contexts: Vec<Attributes>,
    resources: Vec<Attributes>,
}

/// `cbr rules`.
pub(super) async fn list(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    io.announce(display, format!("Listing rules as {}...", session.user()));
    let answer = session.read("/v1/rules").await?;
    shown(io, &answer, display, || {
        let found = answer.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut table = Table::new(&["ID", "Description", "Enforcement Mode", "Resources", "Contexts"]);
        for row in wire::rows::<Row>(found)? {
            let (resources, contexts) = (spelled(&row.resources), spelled(&row.contexts));
            table.row([row.id, row.description, row.enforcement_mode, resources, contexts]);
        }
        Ok(table.render())
    })
}

/// `cbr rule`.
pub(super) async fn show(io: &mut Io, session: &mut Session, one: ById) -> Result<(), Failure> {
    let answer = session.read(&path(&one.id)).await?;
    shown(io, &answer, one.formatted.display(), || outline(&answer))
}

/// `cbr rule-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: RuleNew) -> Result<(), Failure> {
    let display = new.rule.formatted.display();
    let body = body(session, &new.rule).await?;
    io.announce(display, format!("Creating rule as {}...", session.user()));
    let request = Request::new(Method::POST, format!("/v1/rules{}", forced(new.force))).json(&body);
    let made = session.call(request).await?.json()?;
    shown(io, &made, display, || outline(&made))
}

/// `cbr rule-update`.
pub(super) async fn update(io: &mut Io, session: &mut Session, update: RuleUpdate) -> Result<(), Failure> {
    let display = update.rule.formatted.display();
    let reply = session.call(Request::new(Method::GET, path(&update.id))).await?;
    let tag = reply.header("etag").unwrap_or("*").to_owned();
    let body = body(session, &update.rule).await?;
    io.announce(display, format!("Updating rule as {}...", session.user()));
    let request = Request::new(Method::PUT, format!("{}{}", path(&update.id), forced(update.force)));
    let changed = session.call(request.header(IF_MATCH, &tag).json(&body)).await?.json()?;
    shown(io, &changed, display, || outline(&changed))
}

/// `cbr rule-delete`.
pub(super) async fn delete(io: &mut Io, session: &mut Session, one: DeleteById) -> Result<(), Failure> {
    Thing { noun: "rule", name: &one.id, within: "" }
        .delete(io, session, &one.consent, ("", &path(&one.id)))
        .await
}

fn path(id: &str) -> String {
    format!("/v1/rules/{}", encoded(id))
}

async fn body(session: &mut Session, rule: &Rule) -> Result<Value, Failure> {
    let attribute = |(name, value): (&str, &str)| json!({"name": name, "value": value});
    let mut resource = vec![
        attribute(("accountId", session.account().as_str())),
        attribute(("serviceName", rule.service_name.as_str())),
    ];
    resource.extend(rule.region.as_deref().map(|region| attribute(("region", region))));
    let further = rule.resource_attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    resource.extend(further.map(attribute));
    let zone = match &rule.zone_id {
        Some(named) => Some(zone::id(session, named).await?),
        None => None,
    };
    let mut contexts = Vec::new();
    for text in &rule.context_attributes {
        let mut attributes = Vec::new();
        for pair in text.split(',') {
            let wrong = || {
                let text = format!("`{}` is no attribute.", crate::cli::display::tame(pair));
                Failure::new(text, "Write --context-attributes NAME=VALUE,NAME=VALUE.")
            };
            attributes.push(attribute(pair.split_once('=').ok_or_else(wrong)?));
        }
        attributes.extend(zone.as_deref().map(|id| attribute(("networkZoneId", id))));
        contexts.push(json!({ "attributes": attributes }));
    }
    if let (true, Some(id)) = (contexts.is_empty(), zone.as_deref()) {
        contexts.push(json!({ "attributes": [attribute(("networkZoneId", id))] }));
    }
    if contexts.is_empty() && !rule.empty_context_list {
        return Err(Failure::new(
            "A rule without contexts lets nobody in.",
            "Add --context-attributes or --zone-id, or --empty-context-list if that is meant.",
        ));
    }
    Ok(json!({
        "description": rule.description.as_deref().unwrap_or_default(),
        "contexts": contexts,
        "resources": [{ "attributes": resource }],
        "enforcement_mode": rule.enforcement_mode.wire(),
    }))
}

fn spelled(sets: &[Attributes]) -> String {
    let set = |set: &Attributes| {
        let one = |one: &wire::Attribute| format!("{}={}", one.name, one.value);
        set.attributes.iter().map(one).collect::<Vec<_>>().join(",")
    };
    sets.iter().map(set).collect::<Vec<_>>().join(" or ")
}

fn outline(answer: &Value) -> Result<String, Failure> {
    let row: Row = wire::row(answer)?;
    Ok(pairs([
        ("ID", row.id),
        ("Description", row.description),
        ("Enforcement Mode", row.enforcement_mode),
        ("Resources", spelled(&row.resources)),
        ("Contexts", spelled(&row.contexts)),
    ]))
}
