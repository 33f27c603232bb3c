//! `/v1/zones` and `/v1/rules`: context-based restrictions.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::accounts::insistence;
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::network::document::{ApiTypeDocument, OperationsDocument, RuleDocument, WHOLE_API, ZoneDocument};
use crate::network::rule::Enforcement;
use crate::store::identity::{Stamp, Window};
use crate::store::network::{RuleRecord, ZoneRecord};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Cbr {
    CreateRule,
    CreateZone,
    DeleteRule,
    DeleteZone,
    ReadRule,
    ReadZone,
    ReplaceRule,
    ReplaceZone,
    Rules,
    Zones,
}

/// As many as there can be: the API has no pages.
const WHOLE: Window = Window { offset: 0, limit: 1000 };

pub(in super::super) async fn answer(which: Cbr, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Cbr::CreateRule => {
            let done = desk.create_rule(caller, call.body::<RuleDocument>()?, insistence(call)?).await?;
            Ok(whole_rule(call, StatusCode::CREATED, done))
        }
        Cbr::CreateZone => {
            let done = desk.create_zone(caller, zone_body(call)?).await?;
            Ok(whole_zone(call, StatusCode::CREATED, done))
        }
        Cbr::DeleteRule => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_rule(caller, &rule_id(call)?).await?))
        }
        Cbr::DeleteZone => {
            Ok(Answer::done(StatusCode::NO_CONTENT, desk.delete_zone(caller, &zone_id(call)?).await?))
        }
        Cbr::ReadRule => Ok(whole_rule(call, StatusCode::OK, desk.rule(caller, &rule_id(call)?).await?)),
        Cbr::ReadZone => Ok(whole_zone(call, StatusCode::OK, desk.zone(caller, &zone_id(call)?).await?)),
        Cbr::ReplaceRule => {
            let (id, expected, insistence) = (rule_id(call)?, call.if_match()?, insistence(call)?);
            let body = call.body::<RuleDocument>()?;
            let done = desk.replace_rule(caller, &id, &expected, body, insistence).await?;
            Ok(whole_rule(call, StatusCode::OK, done))
        }
        Cbr::ReplaceZone => {
            let (id, expected, insistence) = (zone_id(call)?, call.if_match()?, insistence(call)?);
            let done = desk.replace_zone(caller, &id, &expected, zone_body(call)?, insistence).await?;
            Ok(whole_zone(call, StatusCode::OK, done))
        }
        Cbr::Rules => rules(call).await,
        Cbr::Zones => {
            let name = call.query.one("name")?;
            let done = desk.zones(caller, WHOLE).await?;
            Ok(Answer::of(StatusCode::OK, done, |listed| {
                let rows = listed.rows.iter().filter(|row| name.is_none_or(|name| row.document.name == name));
                let rows: Vec<_> = rows.map(|row| zone(call, row)).collect();
                json!({"count": rows.len(), "zones": rows})
            }))
        }
    }
}

fn zone_id(call: &Call<'_>) -> Result<ZoneId, Problem> {
    call.id("id", Noun::Zone, ZoneId::parse)
}

fn rule_id(call: &Call<'_>) -> Result<RuleId, Problem> {
    call.id("id", Noun::Rule, RuleId::parse)
}

fn zone_body(call: &Call<'_>) -> Result<ZoneDocument, Problem> {
    let body: ZoneDocument = call.body()?;
    call.same_account("account_id", body.account_id.as_deref())?;
    Ok(body)
}

async fn rules(call: &Call<'_>) -> Result<Answer, Problem> {
    let wanted = ["service_name", "region", "resource_type", "resource"].map(|name| call.query.one(name));
    let [service, region, kind, resource] = wanted;
    let named =
        [("serviceName", service?), ("region", region?), ("resourceType", kind?), ("resource", resource?)];
    let mode = call.query.one("enforcement_mode")?;
    let zone = call.query.one("zone_id")?;
    let fits = |row: &RuleRecord| {
        let attributes = || row.document.resources.iter().flat_map(|resource| &resource.attributes);
        let contexts = || row.document.contexts.iter().flat_map(|context| &context.attributes);
        let has = |(name, value): &(&str, Option<&str>)| {
            value.is_none_or(|value| attributes().any(|one| one.name == *name && one.value == value))
        };
        let in_zone = |id| contexts().any(|one| one.name == "networkZoneId" && one.value == id);
        named.iter().all(has) && mode.is_none_or(|mode| mode_of(row) == mode) && zone.is_none_or(in_zone)
    };
    let done = call.desk.rules(&call.caller, WHOLE).await?;
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        let rows: Vec<_> = listed.rows.iter().filter(|row| fits(row)).map(|row| rule(call, row)).collect();
        json!({"count": rows.len(), "rules": rows})
    }))
}

fn mode_of(row: &RuleRecord) -> &str {
    row.document.enforcement_mode.as_deref().unwrap_or(Enforcement::default().label())
}

fn whole_zone(call: &Call<'_>, status: StatusCode, done: Done<ZoneRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| zone(call, &row)).tagged(tag).about(&id)
}

fn whole_rule(call: &Call<'_>, status: StatusCode, done: Done<RuleRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| rule(call, &row)).tagged(tag).about(&id)
}

fn crn(call: &Call<'_>, kind: &str, id: &str) -> String {
    format!("crn:v1:bluemix:public:context-based-restrictions:global:a/{}::{kind}:{id}", call.caller.account)
}

fn zone(call: &Call<'_>, row: &ZoneRecord) -> Value {
    let (id, document) = (row.id.as_str(), &row.document);
    let own = json!({
        "id": id,
        "crn": crn(call, "zone", id),
        "name": document.name,
        "account_id": call.caller.account,
        "description": document.description,
        "addresses": document.addresses,
        "excluded": document.excluded,
        "address_count": document.addresses.len(),
        "excluded_count": document.excluded.len(),
        "href": call.url(&format!("/v1/zones/{id}")),
    });
    dated(own, &row.stamp, &row.created_by, &row.modified_by)
}

fn rule(call: &Call<'_>, row: &RuleRecord) -> Value {
    let (id, document) = (row.id.as_str(), &row.document);
    let operations =
        OperationsDocument { api_types: vec![ApiTypeDocument { api_type_id: WHOLE_API.to_owned() }] };
    let own = json!({
        "id": id,
        "crn": crn(call, "rule", id),
        "description": document.description,
        "contexts": document.contexts,
        "resources": document.resources,
        "operations": document.operations.as_ref().unwrap_or(&operations),
        "enforcement_mode": mode_of(row),
        "href": call.url(&format!("/v1/rules/{id}")),
    });
    dated(own, &row.stamp, &row.created_by, &row.modified_by)
}

fn dated(
    mut own: Value,
    stamp: &Stamp,
    created_by: &dyn std::fmt::Display,
    modified_by: &dyn std::fmt::Display,
) -> Value {
    if let Some(fields) = own.as_object_mut() {
        fields.insert("created_at".to_owned(), json!(stamp.created_at.rfc3339()));
        fields.insert("created_by_id".to_owned(), json!(created_by.to_string()));
        fields.insert("last_modified_at".to_owned(), json!(stamp.modified_at.rfc3339()));
        fields.insert("last_modified_by_id".to_owned(), json!(modified_by.to_string()));
    }
    own
}
