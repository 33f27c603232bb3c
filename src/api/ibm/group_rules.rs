//! `/v2/groups/{id}/rules`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use crate::control::Done;
use crate::control::claim_rule::ClaimRuleDraft;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::tagged::{AccessGroupId, ClaimRuleId};
use crate::policy::ibm::claim::ClaimCondition;
use crate::store::group_rule::ClaimRuleRecord;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum GroupRules {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleBody {
    #[serde(default)]
    name: String,
    realm_name: String,
    expiration: u8,
    conditions: Vec<ClaimCondition>,
}

pub(in super::super) async fn answer(which: GroupRules, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller) = (call.desk, &call.caller);
    let group = call.id("id", Noun::Group, AccessGroupId::parse)?;
    match which {
        GroupRules::Create => {
            let done = desk.create_claim_rule(caller, &group, draft(call)?).await?;
            Ok(whole(call, StatusCode::CREATED, done))
        }
        GroupRules::Delete => {
            let done = desk.delete_claim_rule(caller, &group, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        GroupRules::List => {
            let done = desk.claim_rules(caller, &group).await?;
            Ok(Answer::of(
                StatusCode::OK,
                done,
                |rows| json!({"rules": rows.iter().map(|row| shape(call, row)).collect::<Vec<_>>()}),
            ))
        }
        GroupRules::Read => {
            Ok(whole(call, StatusCode::OK, desk.claim_rule(caller, &group, &id(call)?).await?))
        }
        GroupRules::Replace => {
            let (id, expected) = (id(call)?, call.if_match()?);
            let done = desk.replace_claim_rule(caller, (&group, &id), &expected, draft(call)?).await?;
            Ok(whole(call, StatusCode::OK, done))
        }
    }
}

fn id(call: &Call<'_>) -> Result<ClaimRuleId, Problem> {
    call.id("rule", Noun::ClaimRule, ClaimRuleId::parse)
}

fn draft(call: &Call<'_>) -> Result<ClaimRuleDraft, Problem> {
    let body: RuleBody = call.body()?;
    let (realm, expiration) = (body.realm_name, body.expiration);
    Ok(ClaimRuleDraft { name: body.name, realm, expiration, conditions: body.conditions })
}

fn whole(call: &Call<'_>, status: StatusCode, done: Done<ClaimRuleRecord>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| shape(call, &row)).tagged(tag).about(&id)
}

fn shape(call: &Call<'_>, row: &ClaimRuleRecord) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "expiration": row.expiration,
        "realm_name": row.realm,
        "access_group_id": row.group,
        "account_id": call.caller.account,
        "conditions": row.conditions,
        "created_at": row.stamp.created_at.rfc3339(),
        "created_by_id": row.created_by,
        "last_modified_at": row.stamp.modified_at.rfc3339(),
        "last_modified_by_id": row.modified_by,
    })
}
