//! Which statements another one makes superfluous. It only says so when it is sure.

use super::{Finding, Problem, finding};
use crate::policy::aws::document::{Effect, ResourceClause, Statement};
use crate::policy::engine::resource::covers;
use crate::policy::table::ActionSet;

pub(super) fn look(statements: &[Statement], sets: &[ActionSet], found: &mut Vec<Finding>) {
    let all: Vec<(usize, (&Statement, &ActionSet))> = statements.iter().zip(sets).enumerate().collect();
    for (at, small) in all.iter().filter(|(_, (_, set))| !set.is_empty()) {
        let cover = all.iter().find_map(|(other, large)| {
            // Of two that say the same, the later is superfluous.
            let mutual = other > at && is_covered(*large, *small) && large.0.effect == small.0.effect;
            (other != at && !mutual && is_covered(*small, *large)).then_some(large.0)
        });
        let Some(cover) = cover else { continue };
        let line = cover.position.line;
        let (problem, advice) = match (small.0.effect, cover.effect) {
            (Effect::Allow, Effect::Deny) => (
                Problem::Unreachable,
                format!("the Deny in line {line} takes all of it back: drop one of them"),
            ),
            (Effect::Deny, Effect::Allow) => continue,
            (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny) => {
                (Problem::Shadowed, format!("the statement in line {line} says all of it: drop this one"))
            }
        };
        found.push(finding(problem, small.0.position, advice));
    }
}

/// Whether everything that `small` matches is also matched by `large`.
fn is_covered(small: (&Statement, &ActionSet), large: (&Statement, &ActionSet)) -> bool {
    let ((small, few), (large, many)) = (small, large);
    let same_effect_or_deny = small.effect == large.effect || large.effect == Effect::Deny;
    let conditions = large.conditions.is_empty() || same_conditions(small, large);
    same_effect_or_deny
        && few.is_within(many)
        && conditions
        && small.principal == large.principal
        && resources(small.resources.as_ref(), large.resources.as_ref())
}

/// Where conditions stand does not matter.
fn same_conditions(one: &Statement, other: &Statement) -> bool {
    let pairs = || one.conditions.iter().zip(&other.conditions);
    one.conditions.len() == other.conditions.len()
        && pairs().all(|(a, b)| a.comparison == b.comparison && a.key == b.key && a.values == b.values)
}

fn resources(small: Option<&ResourceClause>, large: Option<&ResourceClause>) -> bool {
    match (small, large) {
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
        (Some(small), Some(large)) => {
            let everything = !large.negated && large.patterns.iter().any(|one| one.arn.is_none());
            let each =
                || small.patterns.iter().all(|one| large.patterns.iter().any(|other| covers(other, one)));
            everything || (!small.negated && !large.negated && each())
        }
    }
}
