//! What the generators really produce. A comparison proves nothing about what never comes up.

use super::compare::runner;
use super::condition::holds;
use super::decide::decide;
use super::generate::statement::condition;
use super::generate::{Case, cases, words};
use super::world::{Class, Kind};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use serde_json::json;
use std::collections::BTreeMap;

const CASES: usize = 10_000;

/// Every class that there is.
const CLASSES: [Class; 18] = [
    Class::AllowAlways,
    Class::AllowRoot,
    Class::Allow(Kind::Identity),
    Class::Allow(Kind::Group),
    Class::Allow(Kind::Ibm),
    Class::Allow(Kind::Repository),
    Class::Allow(Kind::Trust),
    Class::ExplicitDeny(Kind::Identity),
    Class::ExplicitDeny(Kind::Group),
    Class::ExplicitDeny(Kind::Boundary),
    Class::ExplicitDeny(Kind::Session),
    Class::ExplicitDeny(Kind::Repository),
    Class::ExplicitDeny(Kind::Trust),
    Class::ImplicitDeny(Kind::Identity),
    Class::ImplicitDeny(Kind::Boundary),
    Class::ImplicitDeny(Kind::Session),
    Class::ImplicitDeny(Kind::Repository),
    Class::ImplicitDeny(Kind::Trust),
];

fn drawn() -> impl Iterator<Item = Case> {
    let (mut runner, strategy) = (runner(CASES, 7), cases());
    (0..CASES).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

#[test]
fn every_class_of_answer_is_two_per_cent_at_least() {
    let mut counts: BTreeMap<Class, usize> = CLASSES.map(|class| (class, 0)).into();
    for (world, question) in drawn() {
        *counts.entry(decide(&world, &question).class).or_default() += 1;
    }
    for (class, count) in &counts {
        println!("{:>5.1} % {class:?}", *count as f64 * 100.0 / CASES as f64);
    }
    let unknown: Vec<_> = counts.keys().filter(|class| !CLASSES.contains(class)).collect();
    assert!(unknown.is_empty(), "new classes: {unknown:?}");
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count * 50 < CASES).collect();
    assert!(rare.is_empty(), "of {CASES} cases: {rare:?}");
}

#[test]
fn every_condition_operator_holds_and_fails_often() {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let (mut runner, strategy) = (runner(CASES, 5), (cases(), vec(condition(), 30)));
    for _ in 0..CASES / 4 {
        let ((_, question), conditions) = strategy.new_tree(&mut runner).unwrap().current();
        for (operator, key, values) in conditions {
            let held = holds(Some(&json!({&operator: {key: values}})), true, &question.context);
            counts.entry(operator).or_default()[usize::from(held)] += 1;
        }
    }
    for (form, [fails, held]) in &counts {
        println!("fails {fails:>5} holds {held:>5} {form}");
    }
    let families =
        [words::STRING_OPERATORS, words::NUMERIC_OPERATORS, words::DATE_OPERATORS, words::ARN_OPERATORS];
    let operators =
        families.concat().into_iter().chain(["Bool", "IpAddress", "NotIpAddress", "BinaryEquals"]);
    let forms = operators.flat_map(|name| {
        let plain = ["", "ForAllValues:", "ForAnyValue:"].map(|prefix| format!("{prefix}{name}"));
        let if_exists = plain.clone().map(|form| format!("{form}IfExists"));
        plain.into_iter().chain(if_exists)
    });
    for form in forms.chain(["Null".to_owned()]) {
        let [fails, held] = counts.get(&form).copied().unwrap_or_default();
        assert!(fails >= 5 && held >= 5, "{form}: fails {fails} times, holds {held} times");
    }
}
