//! From text to document: AWS's rules for each kind of document, in the order in which AWS reports them.
//!
//! The order is that of the recorded messages: shape, version, what "legacy parsing" minds, principals, statement ids,
//! actions, resources, trust. It never asks whether an action or a principal exists.

mod build;
mod date;
mod resource;

use std::collections::HashSet;

use super::document::{Document, Version};
use super::draft::{self, Draft, StatementDraft, Text};
use super::json::{self, FaultKind, Node, Position};
use super::kind::{DOCUMENT_MAX, Kind};
use super::message::{Invalid, Problem, Rule};
use super::operator::Family;

/// What to do about every limit.
const SHORTEN: &str = "split the policy, or use wildcards";

/// Reads a document of a kind.
///
/// # Errors
/// [`Invalid`] with AWS's code and message, our advice, and the place.
pub fn read(text: &str, kind: Kind) -> Result<Document, Invalid> {
    checked(text, kind).map_err(|problem| kind.answer(problem))
}

fn checked(text: &str, kind: Kind) -> Result<Document, Problem> {
    let draft = draft::read(parsed(text, kind)?)?;
    if kind.is_identity() && draft.version != Version::V2012 {
        return Err(Problem::new(Rule::Version, draft.version_at, "begin with \"Version\": \"2012-10-17\""));
    }
    let unformed = legacy(&draft)?;
    principals(&draft, kind)?;
    sids(&draft, kind)?;
    actions_present(&draft)?;
    unformed.map_or(Ok(()), Err)?;
    actions(&draft)?;
    if kind.has_resources() {
        resources_present(&draft)?;
    } else {
        no_resources(&draft, kind)?;
    }
    if let Some(rule) = kind.excess(text) {
        return Err(Problem::new(rule, Position::START, SHORTEN));
    }
    build::document(draft)
}

fn parsed(text: &str, kind: Kind) -> Result<Node<'_>, Problem> {
    if text.chars().count() > DOCUMENT_MAX {
        let rule = Rule::Length("policyDocument", DOCUMENT_MAX);
        return Err(Problem::new(rule, Position::START, SHORTEN));
    }
    json::read(text, text.len()).map_err(|fault| {
        let rule = match (fault.kind, kind) {
            (FaultKind::Duplicate, _) | (_, Kind::Inline | Kind::Managed | Kind::Session) => Rule::Syntax,
            (_, Kind::Registry | Kind::Repository | Kind::Trust) => Rule::Json,
        };
        Problem::new(rule, fault.at, fault.to_string())
    })
}

/// What AWS calls legacy parsing. A resource of the wrong form, if that comes first, is for later.
fn legacy(draft: &Draft<'_>) -> Result<Option<Problem>, Problem> {
    for statement in &draft.statements {
        if !matches!(&*statement.effect.text, "Allow" | "Deny") {
            let advice = "write Allow or Deny with a capital first letter only";
            return Err(Problem::new(Rule::Legacy, statement.effect.at, advice));
        }
        dates(statement)?;
    }
    let variables = draft.version == Version::V2012;
    let texts = |statement: &StatementDraft<'_>| {
        let clause = statement.resources.as_ref();
        clause.and_then(|clause| resource::problem(&clause.items, variables))
    };
    match draft.statements.iter().find_map(texts) {
        Some(problem) if problem.rule == Rule::Legacy => Err(problem),
        other => Ok(other),
    }
}

fn dates(statement: &StatementDraft<'_>) -> Result<(), Problem> {
    let compared = statement.conditions.iter().filter(|c| c.comparison.operator.family() == Family::Date);
    match compared.flat_map(|condition| &condition.values).find(|value| !date::is_date(&value.text)) {
        Some(value) => Err(Problem::new(Rule::Legacy, value.at, "write dates like 2026-11-21T08:30:00Z")),
        None => Ok(()),
    }
}

fn principals(draft: &Draft<'_>, kind: Kind) -> Result<(), Problem> {
    for statement in &draft.statements {
        let problem = match &statement.principal {
            Some(clause) if kind.is_identity() => {
                Problem::new(Rule::PrincipalPresent, clause.at, "say who by attaching the policy")
            }
            Some(clause) if clause.negated && kind == Kind::Trust => {
                Problem::new(Rule::Prohibited("NotPrincipal"), clause.at, "name who may assume the role")
            }
            None if !kind.is_identity() => {
                Problem::new(Rule::PrincipalMissing, statement.at, "say who with Principal")
            }
            Some(_) | None => continue,
        };
        return Err(problem);
    }
    Ok(())
}

fn sids(draft: &Draft<'_>, kind: Kind) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for sid in draft.statements.iter().filter_map(|statement| statement.sid.as_ref()) {
        if !sid.text.is_empty() && !seen.insert(&*sid.text) {
            return Err(Problem::new(Rule::SidRepeated, sid.at, "give each statement its own Sid"));
        }
        // The recorded cases have an underscore in a valid one; ECR takes any character.
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if kind.only_answer().is_none() && !sid.text.bytes().all(fits) {
            return Err(Problem::new(Rule::SidForm, sid.at, "use letters and digits only"));
        }
    }
    Ok(())
}

fn actions_present(draft: &Draft<'_>) -> Result<(), Problem> {
    let lacking = |s: &&StatementDraft<'_>| s.actions.as_ref().is_none_or(|clause| clause.items.is_empty());
    match draft.statements.iter().find(lacking) {
        Some(statement) => Err(Problem::new(Rule::ActionsMissing, statement.at, "add an Action")),
        None => Ok(()),
    }
}

fn actions(draft: &Draft<'_>) -> Result<(), Problem> {
    let clauses = draft.statements.iter().filter_map(|statement| statement.actions.as_ref());
    clauses.flat_map(|clause| &clause.items).try_for_each(action)
}

fn action(action: &Text<'_>) -> Result<(), Problem> {
    let mut parts = action.text.split(':');
    let (rule, advice) = match (parts.next().unwrap_or_default(), parts.next(), parts.next()) {
        ("*", None | Some(_), None) => return Ok(()),
        (_, None, _) => (Rule::ActionPrefix, "write service:name, for example ecr:ListImages"),
        (_, _, Some(_)) => (Rule::ActionColons, "write service:name, for example ecr:ListImages"),
        (vendor, Some(_), None) => {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
            if vendor.bytes().all(fits) {
                return Ok(());
            }
            (Rule::ActionVendor(vendor.to_owned()), "write the service without wildcards")
        }
    };
    Err(Problem::new(rule, action.at, advice))
}

fn resources_present(draft: &Draft<'_>) -> Result<(), Problem> {
    let lacking = |s: &&StatementDraft<'_>| s.resources.as_ref().is_none_or(|clause| clause.items.is_empty());
    match draft.statements.iter().find(lacking) {
        Some(statement) => Err(Problem::new(Rule::ResourcesMissing, statement.at, "add a Resource")),
        None => Ok(()),
    }
}

/// Trust and repository policies belong to their one resource.
fn no_resources(draft: &Draft<'_>, kind: Kind) -> Result<(), Problem> {
    for statement in &draft.statements {
        if kind == Kind::Trust {
            trust_actions(statement)?;
        }
        if let Some(clause) = &statement.resources {
            let rule = Rule::Prohibited(if clause.negated { "NotResource" } else { "Resource" });
            return Err(Problem::new(
                rule,
                clause.at,
                "leave it out: the policy is about what it belongs to",
            ));
        }
    }
    Ok(())
}

fn trust_actions(statement: &StatementDraft<'_>) -> Result<(), Problem> {
    const ASSUMING: [&str; 5] = [
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sts:SetSourceIdentity",
        "sts:TagSession",
    ];
    let Some(clause) = &statement.actions else { return Ok(()) };
    let known = |text: &str| ASSUMING.iter().any(|known| known.eq_ignore_ascii_case(text));
    let wrong = clause.items.iter().find(|text| clause.negated || !known(&text.text));
    match wrong {
        Some(text) => {
            Err(Problem::new(Rule::TrustAction, text.at, "sts:TagSession and sts:SetSourceIdentity too"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
