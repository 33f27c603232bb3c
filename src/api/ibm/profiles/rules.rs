//! `/v1/profiles/{id}/rules`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::answer::Answer;
use super::super::super::call::Call;
use super::{compute_kind, id, wrong};
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::control::trusted_profile::trust::ProfileRuleDraft;
use crate::control::version::entity_tag;
use crate::ids::tagged::ClaimRuleId;
use crate::policy::ibm::claim::ClaimCondition;
use crate::policy::ibm::trust::About;
use crate::store::trusted_profile::ProfileRule;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Rules {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleBody {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    realm_name: Option<String>,
    cr_type: Option<String>,
    expiration: Option<u32>,
    conditions: Vec<ClaimCondition>,
    #[serde(rename = "context")]
    _context: Option<Value>,
}

pub(in super::super::super) async fn answer(which: Rules, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller, profile) = (call.desk, &call.caller, id(call)?);
    let rule = || call.id("rule", Noun::ClaimRule, ClaimRuleId::parse);
    match which {
        Rules::Create => {
            let done = desk.create_profile_rule(caller, &profile, draft(call)?).await?;
            Ok(whole_rule(StatusCode::CREATED, done))
        }
        Rules::Delete => {
            let done = desk.delete_profile_rule(caller, &profile, &rule()?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Rules::Replace => {
            let (rule, expected) = (rule()?, call.if_match()?);
            let done = desk.replace_profile_rule(caller, (&profile, &rule), &expected, draft(call)?).await?;
            Ok(whole_rule(StatusCode::OK, done))
        }
        Rules::Read => {
            let (rule, done) = (rule()?, desk.profile_rules(caller, &profile).await?);
            let missing = || Problem::NotFound(Noun::ClaimRule, rule.to_string());
            let row = done.value.into_iter().find(|row| row.id == rule).ok_or_else(missing)?;
            Ok(whole_rule(StatusCode::OK, Done { value: row, permit: done.permit }))
        }
        Rules::List => {
            let done = desk.profile_rules(caller, &profile).await?;
            let shown = |rows: Vec<ProfileRule>| rows.iter().map(rule_shape).collect::<Vec<_>>();
            Ok(Answer::of(StatusCode::OK, done, |rows| json!({"rules": shown(rows)})))
        }
    }
}

fn draft(call: &Call<'_>) -> Result<ProfileRuleDraft, Problem> {
    let body: RuleBody = call.body()?;
    let about = match (body.kind.as_str(), body.realm_name, body.cr_type) {
        ("Profile-CR", None, Some(kind)) => About::Compute(compute_kind(&kind)?),
        ("Profile-SAML", Some(realm), None) => {
            let seconds = body.expiration.ok_or_else(|| wrong("`expiration` is missing"))?;
            About::Realm(realm, seconds)
        }
        ("Profile-CR", _, _) => {
            return Err(wrong("a rule of type `Profile-CR` has a `cr_type` and no `realm_name`"));
        }
        ("Profile-SAML", _, _) => {
            return Err(wrong("a rule of type `Profile-SAML` has a `realm_name` and no `cr_type`"));
        }
        _ => return Err(wrong("`type` is neither `Profile-SAML` nor `Profile-CR`")),
    };
    Ok(ProfileRuleDraft { name: body.name, about, conditions: body.conditions })
}

fn whole_rule(status: StatusCode, done: Done<ProfileRule>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| rule_shape(&row)).tagged(tag).about(&id)
}

fn rule_shape(row: &ProfileRule) -> Value {
    let (kind, realm, cr_type, seconds) = match &row.about {
        About::Compute(kind) => ("Profile-CR", None, Some(kind.name()), None),
        About::Realm(realm, seconds) => ("Profile-SAML", Some(realm), None, Some(*seconds)),
    };
    json!({
        "id": row.id,
        "entity_tag": entity_tag(&row.id, &row.stamp),
        "created_at": row.stamp.created_at.ibm(),
        "modified_at": row.stamp.modified_at.ibm(),
        "name": row.name,
        "type": kind,
        "realm_name": realm,
        "cr_type": cr_type,
        "expiration": seconds,
        "conditions": row.conditions,
    })
}
