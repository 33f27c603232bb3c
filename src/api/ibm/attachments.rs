//! `/config/v1/rules/{id}/attachments`: which registries a configuration rule is for.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::governance::{paged, rule_id};
use crate::compliance::rule::attachment::AttachmentDocument;
use crate::control::Done;
use crate::control::compliance::attachment::ATTACHMENTS_MAX;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::tagged::{ComplianceRuleId, RuleAttachmentId};
use crate::store::rule_attachment::RuleAttachment;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Attachments {
    Create,
    Delete,
    List,
    Read,
    Replace,
}

/// Attachments to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachmentsBody {
    attachments: Vec<AttachmentDocument>,
}

pub(in super::super) async fn answer(which: Attachments, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller, rule) = (call.desk, &call.caller, rule_id(call)?);
    match which {
        Attachments::Create => create(call, &rule).await,
        Attachments::Delete => {
            let id = attachment_id(call)?;
            let done = desk.detach_rule(caller, &rule, &id).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done).about(&id))
        }
        Attachments::List => {
            let done = desk.compliance_rule(caller, &rule).await?;
            let path = format!("/config/v1/rules/{rule}/attachments");
            let rows: Vec<&RuleAttachment> = done.value.attachments.iter().collect();
            let body = paged(call, (&path, "attachments"), &rows, |row| shown(call, &rule, row))?;
            Ok(Answer::of(StatusCode::OK, Done { value: body, permit: done.permit }, |body| body)
                .about(&rule))
        }
        Attachments::Read => {
            let done = desk.rule_attachment(caller, &rule, &attachment_id(call)?).await?;
            Ok(whole(call, &rule, done))
        }
        Attachments::Replace => {
            let (id, expected) = (attachment_id(call)?, call.if_match()?);
            let document: AttachmentDocument = call.body()?;
            let done = desk.replace_rule_attachment(caller, (&rule, &id), &expected, document).await?;
            Ok(whole(call, &rule, done))
        }
    }
}

fn attachment_id(call: &Call<'_>) -> Result<RuleAttachmentId, Problem> {
    call.id("attachment", Noun::RuleAttachment, RuleAttachmentId::parse)
}

async fn create(call: &Call<'_>, rule: &ComplianceRuleId) -> Result<Answer, Problem> {
    let AttachmentsBody { attachments } = call.body()?;
    if attachments.is_empty() || attachments.len() > usize::try_from(ATTACHMENTS_MAX).unwrap_or(usize::MAX) {
        let text = format!("`attachments` has between 1 and {ATTACHMENTS_MAX} attachments");
        return Err(Problem::Invalid(text));
    }
    let done = call.desk.attach_rule(&call.caller, rule, attachments).await?;
    let body = |rows: Vec<RuleAttachment>| {
        let all: Vec<Value> = rows.iter().map(|row| shown(call, rule, row)).collect();
        json!({"attachments": all})
    };
    Ok(Answer::of(StatusCode::CREATED, done, body).about(rule))
}

fn whole(call: &Call<'_>, rule: &ComplianceRuleId, done: Done<RuleAttachment>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(StatusCode::OK, done, |row| shown(call, rule, &row)).tagged(tag).about(&id)
}

fn shown(call: &Call<'_>, rule: &ComplianceRuleId, row: &RuleAttachment) -> Value {
    json!({
        "attachment_id": row.id,
        "rule_id": rule,
        "account_id": call.caller.account,
        "included_scope": row.document.included_scope,
        "excluded_scopes": row.document.excluded_scopes,
    })
}
