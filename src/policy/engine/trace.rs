//! What each statement of a policy made of a question: that it applies, or the first part of it that does not fit.
//!
//! It runs the very programs that [`super::decide`] runs and decides nothing: a statement that decides is one that applies.

use super::bundle::Bundle;
use super::compiled::{Body, CompiledPolicy, Statement};
use super::context::Context;
use super::decide::{actions, asked_on};
use super::question::Question;
use crate::policy::aws::document::Effect;
use crate::policy::table::ActionId;

/// What became of a statement, from near to far.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    /// All of it fits.
    Applies,
    /// Its condition at this place, counted from 0, does not hold; those before it do.
    Condition(usize),
    /// It is for others.
    OtherPrincipal,
    /// It is for another resource, or at another time, in IBM's words.
    OtherResource,
    /// It is about other actions.
    OtherAction,
}

/// A statement, and what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Traced {
    /// What it does where it applies.
    pub effect: Effect,
    /// The best that became of it for any of the actions that are asked.
    pub fate: Fate,
    /// The actions that it applies to, of those that AWS's documents are asked.
    pub actions: Vec<ActionId>,
}

/// Every statement of a policy, in order. It is one of the bundle's, or the resource's own.
#[must_use]
pub fn trace(
    policy: &CompiledPolicy,
    bundle: &Bundle,
    question: &Question<'_>,
    context: &Context<'_>,
) -> Vec<Traced> {
    let traced = |statement: &Statement| {
        let fates =
            actions(question).map(|action| (action, fate(statement, bundle, question, context, action)));
        let fates: Vec<(ActionId, Fate)> = fates.collect();
        let best = fates.iter().map(|(_, fate)| *fate).min().unwrap_or(Fate::OtherAction);
        let applies = fates.iter().filter(|(_, fate)| *fate == Fate::Applies).map(|(action, _)| *action);
        Traced { effect: statement.effect, fate: best, actions: applies.collect() }
    };
    policy.statements.iter().map(traced).collect()
}

fn fate(
    statement: &Statement,
    bundle: &Bundle,
    question: &Question<'_>,
    context: &Context<'_>,
    action: ActionId,
) -> Fate {
    match &statement.body {
        Body::Aws { .. } if !statement.actions.contains(action) => Fate::OtherAction,
        Body::Aws { principals, resources, conditions } => {
            let names = |one: &super::principal::Principals| {
                let trust = action.is_assuming();
                one.names(statement.effect, bundle.caller(), trust, bundle.is_bounded()).is_some()
            };
            if !resources.include(&asked_on(question, action), context) {
                return Fate::OtherResource;
            }
            if !principals.as_ref().is_none_or(names) {
                return Fate::OtherPrincipal;
            }
            let failing = conditions.iter().position(|condition| !condition.holds(context));
            failing.map_or(Fate::Applies, Fate::Condition)
        }
        Body::Ibm(rule) => match &question.ibm {
            Some(words) if !statement.actions.contains(words.action) => Fate::OtherAction,
            Some(words) if rule.holds(words, question.now) => Fate::Applies,
            Some(_) => Fate::OtherResource,
            None => Fate::OtherAction,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Fate, trace};
    use crate::ids::account::AccountId;
    use crate::policy::aws::kind::Kind as Document;
    use crate::policy::aws::validate;
    use crate::policy::engine::bundle::{Bundle, Policies};
    use crate::policy::engine::compiled::{Place, compile_aws};
    use crate::policy::engine::context::Context;
    use crate::policy::engine::decide::explain;
    use crate::policy::engine::principal::Caller;
    use crate::policy::engine::question::Question;
    use crate::policy::engine::resource::Resource;
    use crate::policy::table::product;

    const STATEMENTS: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:us-south:111122223333:repository/birds/*",
         "Condition": {"StringLike": {"registry:Tag": "v*"}, "Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "arn:aws:ecr:us-south:111122223333:repository/cats/*"},
        {"Effect": "Deny", "Action": "ecr:BatchDeleteImage", "Resource": "*"}]}"#;

    #[test]
    fn what_decides_applies_and_near_misses_say_what_is_missing() {
        let account = AccountId::parse("111122223333").unwrap();
        let arn = "arn:aws:iam::111122223333:user/alice".into();
        let document = validate::read(STATEMENTS, Document::Inline).unwrap();
        let policy = Arc::new(compile_aws("p", &document, Place::Identity, product()));
        let policies = Policies { identity: vec![policy.clone()], ..Policies::default() };
        let bundle = Bundle::new(Caller::User { account, arn, id: "AIDA1".into() }, policies);
        let aws = [product().find("ecr:PutImage").unwrap()];
        let question = Question {
            aws: &aws,
            ibm: None,
            resource: Resource::of("arn:aws:ecr:us-south:111122223333:repository/birds/owl").unwrap(),
            resource_account: "111122223333",
            attached: None,
            now: 0,
        };
        let mut context = Context::default();
        let mut fates = |tag: Option<&'static str>| {
            context.one("aws:SecureTransport", "true").unwrap();
            tag.into_iter().for_each(|tag| context.one("registry:Tag", tag).unwrap());
            let outcome = explain(&bundle, &question, &context);
            let traced = trace(&policy, &bundle, &question, &context);
            for decider in &outcome.deciders {
                let decides = &traced[usize::try_from(decider.statement).unwrap()];
                assert_eq!((decides.fate, decides.actions.as_slice()), (Fate::Applies, aws.as_slice()));
            }
            assert_eq!(outcome.deciders.len(), traced.iter().filter(|one| one.fate == Fate::Applies).count());
            traced.into_iter().map(|one| one.fate).collect::<Vec<_>>()
        };
        let (other, away) = (Fate::OtherAction, Fate::OtherResource);
        assert_eq!(fates(None), [Fate::Condition(0), away, other]);
        assert_eq!(fates(Some("v1")), [Fate::Applies, away, other]);
        assert_eq!(fates(Some("latest")), [Fate::Condition(0), away, other]);
    }
}
