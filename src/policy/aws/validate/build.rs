//! Takes the texts of a checked draft apart and makes the document of them.

use crate::ids::account::AccountId;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::document::{
    ActionClause, ActionPattern, Condition, ConditionValue, Document, Effect, Principal, PrincipalClause,
    ResourceClause, ResourcePattern, Statement, Version,
};
use crate::policy::aws::draft::{Clause, ConditionDraft, Draft, PrincipalKind, StatementDraft, Text};
use crate::policy::aws::json::Position;
use crate::policy::aws::message::{Problem, Rule};
use crate::policy::aws::pattern::ArnPattern;
use crate::policy::aws::variable::{Syntax, Template};

/// The shortest unique id of a user or role, and the longest.
const UNIQUE_ID: std::ops::RangeInclusive<usize> = 16..=128;

pub(super) fn document(draft: Draft<'_>) -> Result<Document, Problem> {
    let version = draft.version;
    let statements = draft.statements.into_iter().map(|draft| statement(draft, version));
    Ok(Document {
        version,
        id: draft.id.map(|id| id.text.into()),
        statements: statements.collect::<Result<_, _>>()?,
    })
}

fn statement(draft: StatementDraft<'_>, version: Version) -> Result<Statement, Problem> {
    let lacking = || Problem::new(Rule::ActionsMissing, draft.at, "add an Action");
    Ok(Statement {
        position: draft.at,
        sid: draft.sid.filter(|sid| !sid.text.is_empty()).map(|sid| sid.text.into()),
        effect: if draft.effect.text == "Allow" { Effect::Allow } else { Effect::Deny },
        principal: draft.principal.map(principals).transpose()?,
        actions: actions(draft.actions.ok_or_else(lacking)?),
        resources: draft.resources.map(|clause| resources(clause, version)).transpose()?,
        conditions: draft.conditions.into_iter().map(|c| condition(c, version)).collect::<Result<_, _>>()?,
    })
}

fn actions(clause: Clause<Text<'_>>) -> ActionClause {
    let pattern = |text: Text<'_>| {
        let (service, name) = text.text.split_once(':').unwrap_or(("*", "*"));
        let service = (service != "*").then(|| service.into());
        ActionPattern { position: text.at, service, name: name.into() }
    };
    ActionClause { negated: clause.negated, patterns: clause.items.into_iter().map(pattern).collect() }
}

fn resources(clause: Clause<Text<'_>>, version: Version) -> Result<ResourceClause, Problem> {
    let pattern = |text: Text<'_>| {
        let template = template(&text, version, true, true)?;
        let arn = (text.text != "*").then(|| ArnPattern::of(&template));
        Ok(ResourcePattern { position: text.at, text: text.text.into(), arn })
    };
    let patterns = clause.items.into_iter().map(pattern).collect::<Result<_, _>>()?;
    Ok(ResourceClause { negated: clause.negated, patterns })
}

fn condition(draft: ConditionDraft<'_>, version: Version) -> Result<Condition, Problem> {
    let operator = draft.comparison.operator;
    let value = |text: Text<'_>| {
        let template = template(&text, version, operator.has_variables(), operator.has_wildcards())?;
        Ok(ConditionValue { text: text.text.into(), template })
    };
    let values = draft.values.into_iter().map(value).collect::<Result<_, _>>()?;
    Ok(Condition { position: draft.at, comparison: draft.comparison, key: draft.key.into(), values })
}

fn template(
    text: &Text<'_>,
    version: Version,
    variables: bool,
    wildcards: bool,
) -> Result<Template, Problem> {
    let syntax = Syntax { variables: variables && version == Version::V2012, wildcards };
    Template::parse(&text.text, syntax).map_err(|why| Problem::new(Rule::Legacy, text.at, why.to_string()))
}

fn principals(clause: Clause<(PrincipalKind, Text<'_>)>) -> Result<PrincipalClause, Problem> {
    let principals = clause.items.into_iter().map(|(kind, text)| principal(kind, text));
    Ok(PrincipalClause { negated: clause.negated, principals: principals.collect::<Result<_, _>>()? })
}

fn principal(kind: PrincipalKind, text: Text<'_>) -> Result<Principal, Problem> {
    const NAMED: &str = "name it";
    let value = &*text.text;
    match kind {
        PrincipalKind::Any => Ok(Principal::Any),
        PrincipalKind::Aws => aws(value).ok_or_else(|| {
            invalid(
                "AWS",
                value,
                text.at,
                "use *, an account, or the ARN of a user, role or session, without wildcards",
            )
        }),
        PrincipalKind::CanonicalUser if value.is_empty() => {
            Err(invalid("CanonicalUser", value, text.at, NAMED))
        }
        PrincipalKind::CanonicalUser => Ok(Principal::CanonicalUser(value.into())),
        PrincipalKind::Federated if value.is_empty() => Err(invalid("Federated", value, text.at, NAMED)),
        PrincipalKind::Federated => Ok(Principal::Federated(value.into())),
        PrincipalKind::Service if value.is_empty() => Err(invalid("SERVICE", value, text.at, NAMED)),
        PrincipalKind::Service => Ok(Principal::Service(value.into())),
    }
}

fn invalid(kind: &'static str, value: &str, at: Position, advice: &'static str) -> Problem {
    Problem::new(Rule::PrincipalInvalid(kind, value.to_owned()), at, advice)
}

fn aws(value: &str) -> Option<Principal> {
    if value == "*" {
        return Some(Principal::Any);
    }
    if let Ok(account) = AccountId::parse(value) {
        return Some(Principal::Account(account));
    }
    if is_unique_id(value) {
        return Some(Principal::UniqueId(value.into()));
    }
    match Arn::parse(value).ok()? {
        Arn::Root { account } => Some(Principal::Account(account)),
        arn @ (Arn::AssumedRole { .. } | Arn::FederatedUser { .. } | Arn::Role { .. } | Arn::User { .. }) => {
            Some(Principal::Arn(arn))
        }
        Arn::AwsPolicy { .. } | Arn::Group { .. } | Arn::Policy { .. } | Arn::Repository { .. } => None,
    }
}

fn is_unique_id(value: &str) -> bool {
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let prefixed = value.starts_with("AIDA") || value.starts_with("AROA");
    prefixed && UNIQUE_ID.contains(&value.len()) && value.bytes().all(fits)
}
