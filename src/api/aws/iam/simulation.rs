//! The policy simulator, and the condition keys that it needs.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input};
use crate::api::aws::form::Form;
use crate::control::aws::AwsDone;
use crate::control::aws::iam::page::Paged;
use crate::control::aws::iam::simulate::{Answer, Matched, Simulation, Told};
use crate::control::aws::problem::AwsProblem;
use crate::ids::account::AccountId;
use crate::policy::aws::json::Position;
use crate::policy::aws::kind::DOCUMENT_MAX;
use crate::policy::engine::question::Class;

/// The types of a context entry, and whether each is a list.
const TYPES: &[(&str, bool)] = &[
    ("string", false),
    ("stringList", true),
    ("numeric", false),
    ("numericList", true),
    ("boolean", false),
    ("booleanList", true),
    ("ip", false),
    ("ipList", true),
    ("binary", false),
    ("binaryList", true),
    ("date", false),
    ("dateList", true),
];

fn texts(form: &Form, parameter: &str) -> Result<Vec<String>, AwsProblem> {
    let list = form.list(parameter);
    match list.iter().find(|text| text.is_empty() || text.chars().count() > DOCUMENT_MAX) {
        Some(_) => Err(input::broken(parameter, None, &format!("have length between 1 and {DOCUMENT_MAX}"))),
        None => Ok(list.into_iter().map(str::to_owned).collect()),
    }
}

fn simulation(form: &Form) -> Result<Simulation, AwsProblem> {
    let actions = texts(form, "ActionNames")?;
    if actions.is_empty() {
        return Err(input::broken("ActionNames", None, "not be null"));
    }
    let mut context = Vec::new();
    for entry in form.structures("ContextEntries") {
        let list = input::choice(&entry, "ContextKeyType", TYPES)?.unwrap_or_default();
        let values = entry.list("ContextKeyValues").into_iter().map(str::to_owned).collect();
        context.push(Told { name: entry.required("ContextKeyName")?.to_owned(), values, list });
    }
    Ok(Simulation {
        actions,
        resources: texts(form, "ResourceArns")?,
        policies: texts(form, "PolicyInputList")?,
        boundaries: texts(form, "PermissionsBoundaryPolicyInputList")?,
        resource_policy: form.optional("ResourcePolicy").map(str::to_owned),
        owner: form.optional("ResourceOwner").map(owner).transpose()?,
        caller: form.optional("CallerArn").map(|_| input::arn(form, "CallerArn")).transpose()?,
        context,
    })
}

/// An account, or the ARN of its root or of one of its users.
fn owner(text: &str) -> Result<String, AwsProblem> {
    let account = text.strip_prefix("arn:").and_then(|_| text.split(':').nth(4)).unwrap_or(text);
    let wrong = |_| input::broken("ResourceOwner", Some(text), "be an account or the ARN of one");
    AccountId::parse(account).map(|account| account.to_string()).map_err(wrong)
}

pub(super) async fn custom(call: &AwsCall<'_>) -> Answered {
    let asked = simulation(&call.form)?;
    if asked.policies.is_empty() {
        return Err(input::broken("PolicyInputList", None, "not be null"));
    }
    answers(call, &asked, call.desk.simulate_custom(&call.caller, &asked).await?)
}

pub(super) async fn principal(call: &AwsCall<'_>) -> Answered {
    let (arn, asked) = (input::arn(&call.form, "PolicySourceArn")?, simulation(&call.form)?);
    answers(call, &asked, call.desk.simulate_principal(&call.caller, &arn, &asked).await?)
}

fn answers(call: &AwsCall<'_>, asked: &Simulation, done: AwsDone<Vec<Answer>>) -> Answered {
    let page = input::page(&call.form)?;
    let specific = !asked.resources.is_empty();
    // In the order that was asked: a place is the key.
    let done = done.map(|all| {
        let placed: Vec<(usize, Answer)> = all.into_iter().enumerate().collect();
        page.cut(placed, |(at, _)| format!("{at:08}")).map(|(_, answer)| answer)
    });
    Ok(AwsAnswer::xml(done, |xml, Paged { items, next }| {
        xml.list("EvaluationResults", items, |xml, answer| evaluation(xml, &answer, specific));
        xml.text("IsTruncated", next.is_some()).optional("Marker", next.as_deref().map(input::marker));
    }))
}

fn evaluation(xml: &mut Xml, answer: &Answer, specific: bool) {
    xml.text("EvalActionName", &answer.action).text("EvalResourceName", &answer.resource);
    verdict(xml, "EvalDecision", answer);
    if specific {
        xml.list("ResourceSpecificResults", [answer], |xml, answer| {
            xml.text("EvalResourceName", &answer.resource);
            verdict(xml, "EvalResourceDecision", answer);
        });
    }
}

fn verdict(xml: &mut Xml, name: &str, answer: &Answer) {
    xml.text(name, decision(answer.class)).list("MatchedStatements", &answer.matched, matched);
    xml.texts("MissingContextValues", &answer.missing);
    if let Some(within) = answer.within_boundary {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.text("AllowedByPermissionsBoundary", within);
        });
    }
}

const fn decision(class: Class) -> &'static str {
    match class {
        Class::Allow(_) | Class::AllowAlways | Class::AllowRoot => "allowed",
        Class::ExplicitDeny(_) => "explicitDeny",
        Class::ImplicitDeny(_) => "implicitDeny",
    }
}

fn matched(xml: &mut Xml, matched: &Matched) {
    let place = |xml: &mut Xml, at: Position| {
        xml.text("Line", at.line).text("Column", at.column);
    };
    xml.text("SourcePolicyId", &matched.source).text("SourcePolicyType", "IAM Policy");
    xml.element("StartPosition", |xml| place(xml, matched.start));
    xml.element("EndPosition", |xml| place(xml, matched.end));
}

fn keys(done: AwsDone<Vec<String>>) -> AwsAnswer {
    AwsAnswer::xml(done, |xml, keys| {
        xml.texts("ContextKeyNames", keys);
    })
}

pub(super) async fn custom_keys(call: &AwsCall<'_>) -> Answered {
    let documents = texts(&call.form, "PolicyInputList")?;
    if documents.is_empty() {
        return Err(input::broken("PolicyInputList", None, "not be null"));
    }
    Ok(keys(call.desk.keys_of_documents(&call.caller, &documents).await?))
}

pub(super) async fn principal_keys(call: &AwsCall<'_>) -> Answered {
    let arn = input::arn(&call.form, "PolicySourceArn")?;
    let documents = texts(&call.form, "PolicyInputList")?;
    Ok(keys(call.desk.keys_of_entity(&call.caller, &arn, &documents).await?))
}
