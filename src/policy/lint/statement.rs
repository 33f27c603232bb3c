//! What one statement says for itself.

use super::{Finding, Problem, finding};
use crate::policy::aws::document::{
    Condition, Effect, Principal, ResourceClause, ResourcePattern, Statement, Version,
};
use crate::policy::aws::operator::{Family, Qualifier};
use crate::policy::engine::compiled::{actions, resolved};
use crate::policy::engine::condition::is_understood;
use crate::policy::table::{ActionSet, ActionTable};

/// Actions that, on everything, are as good as all of them: who may do one can give himself the rest.
const ESCALATING: [&str; 5] = [
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:PassRole",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
];

pub(super) fn look(statement: &Statement, version: Version, table: &ActionTable, found: &mut Vec<Finding>) {
    unknown_actions(statement, table, found);
    let set = actions(&statement.actions, table);
    if set.is_empty() {
        found.push(finding(
            Problem::NeverMatches,
            statement.position,
            "the statement has no action: name at least one that exists",
        ));
    }
    if let Some(clause) = &statement.resources {
        resources(statement, clause, version, table, found);
    }
    statement.conditions.iter().for_each(|one| condition(one, version, found));
    if statement.effect == Effect::Allow {
        over_broad(statement, &set, table, found);
    }
}

fn unknown_actions(statement: &Statement, table: &ActionTable, found: &mut Vec<Finding>) {
    for pattern in &statement.actions.patterns {
        if resolved(pattern, table).is_empty() {
            let service = pattern.service.as_deref().unwrap_or("*");
            let advice =
                format!("`{service}:{}` is no action here and matches nothing: check its name", pattern.name);
            found.push(finding(Problem::UnknownAction, pattern.position, advice));
        }
    }
}

fn resources(
    statement: &Statement,
    clause: &ResourceClause,
    version: Version,
    table: &ActionTable,
    found: &mut Vec<Finding>,
) {
    for pattern in &clause.patterns {
        if pattern.arn.as_ref().is_some_and(|arn| arn.segments().is_none()) {
            let advice = "an ARN has six segments: this one matches nothing";
            found.push(finding(Problem::NeverMatches, pattern.position, advice));
        }
        if version == Version::V2008 && pattern.text.contains("${") {
            found.push(literal_variable(pattern.position));
        }
    }
    let everything = |pattern: &ResourcePattern| pattern.arn.is_none();
    if clause.negated || clause.patterns.iter().any(everything) || statement.actions.negated {
        return;
    }
    for pattern in &statement.actions.patterns {
        let set = resolved(pattern, table);
        let untyped: Vec<&str> = untyped(&set, table);
        if !untyped.is_empty() && untyped.len() == set.iter().count() {
            let advice =
                format!("{} has no resource type and only matches \"Resource\": \"*\"", untyped.join(", "));
            found.push(finding(Problem::NeverMatches, pattern.position, advice));
        }
    }
}

fn untyped<'t>(set: &ActionSet, table: &'t ActionTable) -> Vec<&'t str> {
    let chosen = table.actions().filter(|action| set.contains(*action) && !action.is_typed());
    chosen.map(|action| table.name(action)).collect()
}

fn literal_variable(position: crate::policy::aws::json::Position) -> Finding {
    let advice = "`${…}` is plain text before version 2012-10-17: write that version";
    finding(Problem::Literal, position, advice)
}

fn condition(condition: &Condition, version: Version, found: &mut Vec<Finding>) {
    let comparison = condition.comparison;
    let operator = comparison.operator;
    let for_all = comparison.qualifier == Some(Qualifier::ForAllValues);
    if condition.values.is_empty() && !operator.is_negated() && !comparison.if_exists && !for_all {
        let advice = format!("`{}` is compared with nothing: give a value", condition.key);
        found.push(finding(Problem::NeverMatches, condition.position, advice));
    }
    for value in &condition.values {
        if !is_understood(operator, value) {
            let advice = format!("`{}` is nothing that {} understands", value.text, operator.name());
            found.push(finding(Problem::NeverMatches, condition.position, advice));
        }
        let wild = value.text.contains(['*', '?']) && !value.text.contains("${");
        if operator.family() == Family::String && !operator.has_wildcards() && wild {
            let advice = format!(
                "{} takes `*` and `?` literally: use {}",
                operator.name(),
                if operator.is_negated() { "StringNotLike" } else { "StringLike" }
            );
            found.push(finding(Problem::Literal, condition.position, advice));
        }
        if version == Version::V2008 && operator.has_variables() && value.text.contains("${") {
            found.push(literal_variable(condition.position));
        }
    }
}

fn over_broad(statement: &Statement, set: &ActionSet, table: &ActionTable, found: &mut Vec<Finding>) {
    let broad = |position, advice: &str| finding(Problem::OverBroad, position, advice);
    let at = statement.position;
    if statement.actions.negated {
        found.push(broad(at, "Allow with NotAction allows every other action, also future ones: use Action"));
    }
    if statement.resources.as_ref().is_some_and(|clause| clause.negated) {
        found.push(broad(at, "Allow with NotResource allows every other resource: use Resource"));
    }
    if statement.principal.as_ref().is_some_and(|clause| clause.negated) {
        found.push(broad(at, "Allow with NotPrincipal allows everyone else: use Principal"));
    }
    if !statement.conditions.is_empty() {
        return;
    }
    let anyone = |clause: &crate::policy::aws::document::PrincipalClause| {
        !clause.negated && clause.principals.contains(&Principal::Any)
    };
    if statement.principal.as_ref().is_some_and(anyone) {
        found.push(broad(at, "anyone may: name the principals, or add a Condition"));
    }
    let clause = statement.resources.as_ref().filter(|clause| !clause.negated);
    let everywhere = clause.is_some_and(|clause| clause.patterns.iter().any(|one| one.arn.is_none()));
    if !everywhere || statement.actions.negated {
        return;
    }
    let escalates = |name: &&str| table.find(name).is_some_and(|action| set.contains(action));
    if *set == table.all() {
        found.push(broad(at, "everything on everything: name actions or resources"));
    } else if let Some(name) = ESCALATING.into_iter().find(|name| escalates(name)) {
        let advice = format!("{name} on every resource lets its holder take any right: name the resources");
        found.push(finding(Problem::OverBroad, at, advice));
    }
}
