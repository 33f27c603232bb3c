//! What holds for any evaluator, held against this one.

use super::compare::runner;
use super::decide::decide;
use super::document::denies;
use super::generate::statement::documents;
use super::generate::{Case, cases};
use super::wildcard::{Context, fits_resource, marks};
use super::world::{Caller, Class, Given, Outcome, Policy, Question, World};
use proptest::prelude::*;
use serde_json::{Value, json};

const CASES: usize = 3_000;

/// Checks cases together with whatever else the strategy draws.
fn check<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    runner(CASES, 3).run(&strategy, test).unwrap_or_else(|found| panic!("{found}"));
}

fn ask((world, question): &Case) -> Outcome {
    decide(world, question)
}

/// Every AWS document of the world.
fn each_document(world: &mut World, change: impl Fn(&mut Value)) {
    let groups = world.groups.iter_mut().flat_map(|group| &mut group.policies);
    let own = world.identity.iter_mut().chain(groups).chain(&mut world.boundary);
    let all = own.chain(world.session.iter_mut().flatten()).chain(world.attached.values_mut());
    all.for_each(|policy| change(&mut policy.document));
}

fn each_statement(world: &mut World, change: impl Fn(&mut Value)) {
    each_document(world, |document| match &mut document["Statement"] {
        Value::Array(many) => many.iter_mut().for_each(&change),
        one => change(one),
    });
}

/// Everything that has an order, the other way round.
fn reversed(world: &World) -> World {
    let mut world = world.clone();
    world.identity.reverse();
    world.groups.reverse();
    world.ibm.reverse();
    world.session.iter_mut().for_each(|policies| policies.reverse());
    each_document(&mut world, |document| {
        if let Value::Array(many) = &mut document["Statement"] {
            many.reverse();
        }
    });
    world
}

/// Adds the document's statements of that effect in the place chosen, if the world has such a place.
fn with_more(world: &World, place: u8, document: &Value, denying: bool) -> World {
    let mut world = world.clone();
    let mut document = document.clone();
    let Value::Array(many) = &mut document["Statement"] else { return world };
    many.retain(|statement| denies(statement) == denying);
    let policy = Policy { name: "added".to_owned(), document: document.clone() };
    let target = match place {
        0 => {
            world.identity.push(policy);
            return world;
        }
        1 => {
            world.groups.iter_mut().for_each(|group| group.policies.push(policy.clone()));
            return world;
        }
        2 => {
            world.session.iter_mut().for_each(|policies| policies.push(policy.clone()));
            return world;
        }
        3 => world.boundary.as_mut(),
        _ => world.attached.values_mut().next(),
    };
    if let (Some(Policy { document: old, .. }), Value::Array(many)) = (target, &document["Statement"]) {
        let before = super::document::statements(old).into_iter().cloned();
        // An attached document's statements name a principal.
        let added = many.iter().cloned().map(|mut one| {
            if place > 3 {
                one["Principal"] = json!("*");
            }
            one
        });
        old["Statement"] = before.chain(added).collect();
    }
    world
}

fn with_addition() -> impl Strategy<Value = (Case, u8, Value)> {
    (cases(), 0_u8..5, documents())
}

#[test]
fn order_does_not_matter() {
    check(cases(), |(world, question)| {
        let (before, after) = (decide(&world, &question), decide(&reversed(&world), &question));
        prop_assert_eq!((before.class, before.refused), (after.class, after.refused));
        prop_assert_eq!(before.deciders.len(), after.deciders.len());
        Ok(())
    });
}

#[test]
fn adding_an_allow_never_turns_allow_into_deny() {
    check(with_addition(), |((world, question), place, document)| {
        let before = decide(&world, &question);
        let after = decide(&with_more(&world, place, &document, false), &question);
        prop_assert!(after.allowed() || !before.allowed());
        Ok(())
    });
}

#[test]
fn adding_a_deny_never_turns_deny_into_allow() {
    check(with_addition(), |((world, question), place, document)| {
        let before = decide(&world, &question);
        let after = decide(&with_more(&world, place, &document, true), &question);
        prop_assert!(before.allowed() || !after.allowed());
        let explicit = |outcome: &Outcome| matches!(outcome.class, Class::ExplicitDeny(_));
        prop_assert!(explicit(&after) || !explicit(&before));
        Ok(())
    });
}

#[test]
fn a_deny_of_everything_denies_everything_explicitly() {
    let deny = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    check(cases(), |(mut world, question)| {
        world.identity.push(Policy { name: "added".to_owned(), document: deny.clone() });
        let signed = matches!(
            world.caller,
            Caller::User { .. } | Caller::RoleSession { .. } | Caller::FederatedUser { .. }
        );
        let class = decide(&world, &question).class;
        let explicit = matches!(class, Class::ExplicitDeny(_)) || class == Class::AllowAlways;
        prop_assert!(explicit || !signed, "{:?}", class);
        Ok(())
    });
}

#[test]
fn removing_a_limit_never_denies_more() {
    check(cases(), |(world, question)| {
        let before = decide(&world, &question);
        let unbounded = World { boundary: None, ..world.clone() };
        prop_assert!(decide(&unbounded, &question).allowed() || !before.allowed());
        // A federated user has no permissions but within a session policy.
        let whole = World { session: None, ..world.clone() };
        let federated = matches!(world.caller, Caller::FederatedUser { .. });
        prop_assert!(federated || decide(&whole, &question).allowed() || !before.allowed());
        Ok(())
    });
}

#[test]
fn ibm_policies_never_deny() {
    check(cases(), |(world, question)| {
        let without = World { ibm: Vec::new(), ..world.clone() };
        let (before, after) = (decide(&without, &question), decide(&world, &question));
        prop_assert!(after.allowed() || !before.allowed());
        prop_assert!(
            before.class == after.class || after.allowed() || matches!(before.class, Class::ImplicitDeny(_))
        );
        Ok(())
    });
}

#[test]
fn only_deciders_decide() {
    check(cases(), |(world, question)| {
        let outcome = decide(&world, &question);
        let granted = matches!(outcome.class, Class::Allow(_) | Class::ExplicitDeny(_));
        prop_assert_eq!(granted, !outcome.deciders.is_empty());
        prop_assert_eq!(outcome.allowed(), outcome.refused.is_none());
        Ok(())
    });
}

#[test]
fn substituted_text_is_literal() {
    let text = || "[a*?${}:/]{0,4}";
    check((text(), text(), any::<bool>()), |(value, asked, in_default)| {
        let context = Context::from([("aws:username".to_owned(), Given::One(value.clone()))]);
        let default = in_default && !value.contains(['}', '\'']);
        let variable = if default { format!("${{absent, '{value}'}}") } else { "${aws:username}".to_owned() };
        let pattern = marks(&format!("arn:aws:iam::1:user/{variable}"), &context).unwrap();
        let same = value == asked;
        prop_assert_eq!(fits_resource(&pattern, &format!("arn:aws:iam::1:user/{asked}")), same);
        let block = json!({"StringLike": {"asked": variable}});
        let context = Context::from([
            ("aws:username".to_owned(), Given::One(value)),
            ("asked".to_owned(), Given::One(asked)),
        ]);
        prop_assert_eq!(super::condition::holds(Some(&block), true, &context), same);
        Ok(())
    });
}

/// Actions and condition keys in the other case.
fn recased(world: &World) -> World {
    let flip = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
            .collect()
    };
    let mut world = world.clone();
    each_statement(&mut world, |statement| {
        for name in ["Action", "NotAction"] {
            if let Some(list) = statement.get_mut(name) {
                *list = super::condition::texts(list).iter().map(|text| flip(text)).collect();
            }
        }
        for keys in statement
            .get_mut("Condition")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(|block| block.values_mut())
        {
            *keys =
                keys.as_object().unwrap().iter().map(|(key, values)| (flip(key), values.clone())).collect();
        }
    });
    world
}

#[test]
fn actions_and_condition_keys_are_the_same_in_any_case() {
    check(cases(), |(world, question)| {
        prop_assert_eq!(decide(&recased(&world), &question), decide(&world, &question));
        let shout = |(key, given): (String, Given)| (key.to_uppercase(), given);
        let loud = Question {
            context: question.context.clone().into_iter().map(shout).collect(),
            ..question.clone()
        };
        prop_assert_eq!(decide(&world, &loud), decide(&world, &question));
        Ok(())
    });
}

#[test]
fn a_list_of_one_is_the_value() {
    check(cases(), |case| {
        let mut listed = case.clone();
        each_statement(&mut listed.0, |statement| {
            for name in ["Action", "NotAction", "Resource", "NotResource"] {
                if let Some(value) = statement.get_mut(name) {
                    *value = super::condition::texts(value).into();
                }
            }
        });
        each_document(&mut listed.0, |document| {
            document["Statement"] = super::document::statements(document).into_iter().cloned().collect();
        });
        prop_assert_eq!(ask(&listed), ask(&case));
        Ok(())
    });
}
