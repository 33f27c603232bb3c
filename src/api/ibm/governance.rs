//! `/config/v1/rules`: configuration governance.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::envelope;
use crate::compliance::rule::document::RuleDocument;
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::tagged::ComplianceRuleId;
use crate::store::compliance::ComplianceRule;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Governance {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

/// Rules to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesBody {
    rules: Vec<RuleBody>,
}

/// One of them. What it says is read by itself, so that a mistake in one leaves the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleBody {
    request_id: Option<String>,
    rule: Value,
}

/// The most rules of one call.
const AT_ONCE: usize = 100;

pub(in super::super) async fn answer(which: Governance, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    match which {
        Governance::Create => create(call).await,
        Governance::Delete => {
            let done = desk.delete_compliance_rule(caller, &rule_id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Governance::List => list(call).await,
        Governance::Read => Ok(whole(call, desk.compliance_rule(caller, &rule_id(call)?).await?)),
        Governance::Replace => {
            let (id, expected) = (rule_id(call)?, call.if_match()?);
            let document: RuleDocument = call.body()?;
            Ok(whole(call, desk.replace_compliance_rule(caller, &id, &expected, document).await?))
        }
    }
}

pub(super) fn rule_id(call: &Call<'_>) -> Result<ComplianceRuleId, Problem> {
    call.id("id", Noun::ConfigurationRule, ComplianceRuleId::parse)
}

/// Each rule has a status of its own; that of the whole is 201 only if all were made.
async fn create(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: RulesBody = call.body()?;
    if body.rules.is_empty() || body.rules.len() > AT_ONCE {
        return Err(Problem::Invalid(format!("`rules` has between 1 and {AT_ONCE} rules")));
    }
    let permitted = call.desk.compliance_rules_to_change(&call.caller).await?;
    let (mut rows, mut ids, mut all) = (Vec::new(), Vec::new(), true);
    for RuleBody { request_id, rule: document } in body.rules {
        let made = match serde_json::from_value::<RuleDocument>(document) {
            Ok(document) => call.desk.create_compliance_rule(&call.caller, document).await,
            Err(error) => Err(Problem::Invalid(format!("the rule is not as expected: {error}"))),
        };
        rows.push(match made {
            Ok(done) => {
                ids.push(done.value.id.to_string());
                json!({"request_id": request_id, "status_code": 201, "rule": rule(call, &done.value)})
            }
            Err(Problem::Fault(fault)) => return Err(Problem::Fault(fault)),
            Err(problem) => {
                all = false;
                let (status, code, message) = envelope::in_list(call.request, &problem);
                json!({
                    "request_id": request_id,
                    "status_code": status.as_u16(),
                    "errors": [{"code": code, "message": message}],
                    "trace": call.request.request_id,
                })
            }
        });
    }
    let status = if all { StatusCode::CREATED } else { StatusCode::MULTI_STATUS };
    Ok(Answer::of(status, permitted, |()| json!({"rules": rows})).about(&ids.join(",")))
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    let (labels, scopes) = (call.query.one("labels")?, call.query.one("scopes")?);
    let attached = match call.query.one("attached")? {
        Some(_) => Some(call.query.flag("attached")?),
        None => None,
    };
    let done = call.desk.compliance_rules(&call.caller).await?;
    let wanted = |row: &&ComplianceRule| {
        let labelled =
            |all: &str| all.split(',').all(|label| row.document.labels.iter().any(|own| own == label));
        let included = |scope: &str| {
            row.attachments.iter().any(|one| one.document.included_scope.scope_id.eq_ignore_ascii_case(scope))
        };
        labels.is_none_or(labelled)
            && attached.is_none_or(|attached| attached != row.attachments.is_empty())
            && scopes.is_none_or(|scopes| scopes.split(',').any(included))
    };
    let rows: Vec<&ComplianceRule> = done.value.iter().filter(wanted).collect();
    let body = paged(call, ("/config/v1/rules", "rules"), &rows, |row| rule(call, row))?;
    Ok(Answer::of(StatusCode::OK, Done { value: body, permit: done.permit }, |body| body))
}

/// The page of a list that the caller asks for.
pub(super) fn paged<T>(
    call: &Call<'_>,
    (path, name): (&str, &str),
    rows: &[&T],
    shown: impl Fn(&T) -> Value,
) -> Result<Value, Problem> {
    let (limit, offset) =
        (call.query.number("limit", 1..=100, 100)?, call.query.number("offset", 0..=100_000, 0)?);
    let page = |offset: usize| json!({"href": call.url(&format!("{path}?limit={limit}&offset={offset}"))});
    let width = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let page_of: Vec<Value> = rows.iter().skip(start).take(width).map(|row| shown(row)).collect();
    Ok(json!({
        "offset": offset,
        "limit": limit,
        "total_count": rows.len(),
        "first": page(0),
        "last": page(rows.len().saturating_sub(1) / width * width),
        name: page_of,
    }))
}

fn whole(call: &Call<'_>, done: Done<ComplianceRule>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(StatusCode::OK, done, |row| rule(call, &row)).tagged(tag).about(&id)
}

fn rule(call: &Call<'_>, row: &ComplianceRule) -> Value {
    let mut shown = json!(row.document);
    if let Some(fields) = shown.as_object_mut() {
        let kind = fields.get("rule_type").cloned().unwrap_or_else(|| json!("user_defined"));
        fields.insert("rule_type".to_owned(), kind);
        for (name, value) in [
            ("account_id", json!(call.caller.account)),
            ("rule_id", json!(row.id)),
            ("creation_date", json!(row.stamp.created_at.rfc3339())),
            ("created_by", json!(row.created_by)),
            ("modification_date", json!(row.stamp.modified_at.rfc3339())),
            ("modified_by", json!(row.modified_by)),
            ("number_of_attachments", json!(row.attachments.len())),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    shown
}
