//! Engine against oracle, over many generated worlds.
//!
//! To plug an engine in: implement `Engine` in a file of its own (the only one here that may name the crate),
//! and call `compare(&engine, cases_or(…))` in a test. `PROPTEST_CASES=1000000` makes the run longer. A
//! disagreement is shrunk and printed as the policies, the question and both answers.

use super::cases::{Published, published};
use super::decide::decide;
use super::generate::{Case, cases};
use super::world::{Class, Given, Outcome, Policy, Question, World};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::fmt::Write;
use std::thread;

/// Something that decides questions.
pub(crate) trait Engine: Sync {
    /// The answer to `question` in `world`. It must be total: a panic counts as a disagreement.
    fn decide(&self, world: &World, question: &Question) -> Outcome;

    /// Whether the engine names every statement that decided. One that stops at the first names some: its
    /// deciders must be among the oracle's, and its class of the kind of one of them.
    fn names_every_decider(&self) -> bool {
        true
    }
}

/// How many cases a run compares unless `PROPTEST_CASES` says otherwise.
pub(crate) const CASES: usize = 100_000;

/// What `PROPTEST_CASES` says, or `CASES`.
pub(crate) fn cases_wanted() -> usize {
    cases_or(CASES)
}

/// What `PROPTEST_CASES` says, or so many.
pub(crate) fn cases_or(default: usize) -> usize {
    let configured = Config::default().cases;
    if configured == 256 { default } else { configured as usize }
}

/// Compares on two threads, each with its own fixed seed, so that a failure comes back.
///
/// # Panics
/// With the smallest disagreement found.
pub(crate) fn compare(engine: &impl Engine, cases: usize) {
    let disagreements: Vec<String> = thread::scope(|scope| {
        let threads =
            [1, 2].map(|seed| scope.spawn(move || first_disagreement(engine, cases.div_ceil(2), seed)));
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// Compares on the published cases too; answers the ids of those on which the engine is wrong.
pub(crate) fn wrong_on_published(engine: &impl Engine) -> Vec<u64> {
    let wrong = |case: &Published| {
        let (world, question) = (&case.world, &case.question);
        !agree(engine, &decide(world, question), &engine.decide(world, question))
    };
    published().into_iter().filter(wrong).map(|case| case.id).collect()
}

/// Cases from a seed, for tests that only look at many.
pub(crate) fn runner(cases: usize, seed: u8) -> TestRunner {
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &[seed; 16]))
}

/// The smallest disagreement that shrinking the first one leads to.
pub(crate) fn first_disagreement(engine: &impl Engine, cases: usize, seed: u8) -> Option<String> {
    let found = runner(cases, seed).run(&self::cases(), |(world, question)| {
        if agree(engine, &decide(&world, &question), &engine.decide(&world, &question)) {
            return Ok(());
        }
        Err(TestCaseError::fail("the engine disagrees with the oracle"))
    });
    match found {
        Ok(()) => None,
        Err(TestError::Fail(why, case)) => Some(format!("{why}\n{}", readable(engine, &case))),
        Err(TestError::Abort(why)) => Some(why.to_string()),
    }
}

fn agree(engine: &impl Engine, right: &Outcome, found: &Outcome) -> bool {
    if engine.names_every_decider() || right.deciders.is_empty() {
        return right == found;
    }
    let kind_among = |kind| found.deciders.iter().any(|decider| decider.kind == kind);
    let class = match (right.class, found.class) {
        (Class::Allow(_), Class::Allow(kind)) | (Class::ExplicitDeny(_), Class::ExplicitDeny(kind)) => {
            kind_among(kind)
        }
        (right, found) => right == found,
    };
    class && right.refused == found.refused && found.deciders.is_subset(&right.deciders)
}

fn readable(engine: &impl Engine, (world, question): &Case) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Debug| writeln!(text, "{name}: {value:?}").unwrap();
    line("caller", &(&world.caller, &world.iam_id));
    line("actions", &question.aws);
    line("resource", &(&question.resource, &question.resource_account));
    line("IBM words", &question.ibm);
    line("now", &question.now);
    for (key, given) in &question.context {
        match given {
            Given::One(one) => line(key, one),
            Given::Many(many) => line(key, many),
        }
    }
    line("groups", &world.groups.iter().map(|group| &group.id).collect::<Vec<_>>());
    for (place, policy) in policies(world) {
        writeln!(text, "{place} {} = {:#}", policy.name, policy.document).unwrap();
    }
    writeln!(text, "oracle: {:?}", decide(world, question)).unwrap();
    writeln!(text, "engine: {:?}", engine.decide(world, question)).unwrap();
    text
}

fn policies(world: &World) -> Vec<(String, &Policy)> {
    let mut all = Vec::new();
    all.extend(world.identity.iter().map(|policy| ("identity".to_owned(), policy)));
    all.extend(
        world.groups.iter().flat_map(|group| &group.policies).map(|policy| ("group".to_owned(), policy)),
    );
    all.extend(world.boundary.iter().map(|policy| ("boundary".to_owned(), policy)));
    all.extend(world.session.iter().flatten().map(|policy| ("session".to_owned(), policy)));
    all.extend(world.attached.iter().map(|(arn, policy)| (format!("on {arn}"), policy)));
    all.extend(world.ibm.iter().map(|policy| ("IBM".to_owned(), policy)));
    all
}

#[cfg(test)]
mod tests {
    use super::super::world::Kind;
    use super::*;
    use std::collections::BTreeSet;

    /// The oracle in the engine's place.
    struct Oracle;

    impl Engine for Oracle {
        fn decide(&self, world: &World, question: &Question) -> Outcome {
            decide(world, question)
        }
    }

    /// Forgets session policies.
    struct Forgetful;

    impl Engine for Forgetful {
        fn decide(&self, world: &World, question: &Question) -> Outcome {
            decide(&World { session: None, ..world.clone() }, question)
        }
    }

    /// Names only the first statement.
    struct Hasty;

    impl Engine for Hasty {
        fn decide(&self, world: &World, question: &Question) -> Outcome {
            let mut outcome = decide(world, question);
            let deciders = outcome.deciders.iter().take(1).cloned().collect();
            outcome.deciders = deciders;
            outcome
        }

        fn names_every_decider(&self) -> bool {
            false
        }
    }

    /// Denies everything.
    struct Contrary;

    impl Engine for Contrary {
        fn decide(&self, _: &World, _: &Question) -> Outcome {
            Outcome { class: Class::ImplicitDeny(Kind::Group), refused: None, deciders: BTreeSet::new() }
        }
    }

    #[test]
    fn the_oracle_agrees_with_itself() {
        compare(&Oracle, cases_wanted() / 20);
        assert_eq!(wrong_on_published(&Oracle), Vec::<u64>::new());
    }

    #[test]
    fn an_engine_may_stop_at_the_first_statement_if_it_says_so() {
        compare(&Hasty, 2_000);
    }

    #[test]
    fn a_wrong_engine_is_found_out_with_a_small_example() {
        let report = first_disagreement(&Forgetful, 2_000, 1).unwrap();
        println!("{report}");
        assert!(wrong_on_published(&Contrary).len() > 30);
        assert!(report.contains("session session-0"), "{report}");
        let policies = report.lines().filter(|line| line.contains(" = {")).count();
        assert!(policies <= 4, "not shrunk: {report}");
    }
}
