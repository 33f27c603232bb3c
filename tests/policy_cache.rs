//! The decision cache: a verdict that is known costs no allocation. In a binary of its own, because the allocator counts.

#![cfg(test)]

use std::sync::Arc;

use allocation_counter::measure;
use portcullis::ids::account::AccountId;
use portcullis::policy::aws::kind::Kind;
use portcullis::policy::aws::validate;
use portcullis::policy::cache::DecisionCache;
use portcullis::policy::engine::bundle::{Bundle, Policies};
use portcullis::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use portcullis::policy::engine::context::{Context, Value};
use portcullis::policy::engine::decide::decide;
use portcullis::policy::engine::principal::Caller;
use portcullis::policy::engine::question::Question;
use portcullis::policy::engine::resource::Resource;
use portcullis::policy::table::product;

const REPOSITORY: &str = "arn:aws:ecr:us-south:111122223333:repository/team-a/app";

fn policy(statement: &str) -> Arc<CompiledPolicy> {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Resource":"*",{statement}}}]}}"#);
    let document = validate::read(&text, Kind::Managed).unwrap();
    Arc::new(compile_aws("p", &document, Place::Identity, product()))
}

fn bundle(statements: &[&str]) -> Bundle {
    let account = AccountId::parse("111122223333").unwrap();
    let arn = "arn:aws:iam::111122223333:user/alice".into();
    let identity = statements.iter().map(|statement| policy(statement)).collect();
    Bundle::new(
        Caller::User { account, arn, id: "AIDA".into() },
        Policies { identity, ..Policies::default() },
    )
}

fn context(tag: &'static str) -> Context<'static> {
    let mut context = Context::default();
    context.one("registry:tag", tag).unwrap();
    context.one("aws:useragent", tag).unwrap();
    context.set("aws:tagkeys", Value::Many(vec!["a".into(), "b".into()])).unwrap();
    context
}

/// Asks about a push to the repository.
fn push(ask: impl FnOnce(&Question<'_>)) {
    ask(&Question {
        aws: &[product().find("ecr:PutImage").unwrap()],
        ibm: None,
        resource: Resource::of(REPOSITORY).unwrap(),
        resource_account: "111122223333",
        attached: None,
        now: 0,
    });
}

const PROTECTED: [&str; 2] = [
    r#""Effect":"Allow","Action":"ecr:*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["b","*x?"]}}"#,
    r#""Effect":"Deny","Action":"ecr:PutImage","Condition":{"StringLike":{"registry:Tag":"prod-*"}}"#,
];

#[test]
fn a_verdict_that_is_known_allocates_nothing() {
    let (bundle, cache, context) = (bundle(&PROTECTED), DecisionCache::new(100), context("v1"));
    push(|question| {
        let first = measure(|| assert!(cache.decide(&bundle, question, &context).is_allow()));
        assert!(first.count_total > 0, "it is kept");
        let again = measure(|| assert!(cache.decide(&bundle, question, &context).is_allow()));
        assert_eq!(again.count_total, 0);
    });
}

#[test]
fn a_verdict_that_is_not_known_allocates_only_to_be_kept() {
    let (bundle, context) = (bundle(&PROTECTED), context("v1"));
    push(|question| {
        let found = measure(|| assert!(decide(&bundle, question, &context).is_allow()));
        assert_eq!(found.count_total, 0);
    });
}

#[test]
fn only_keys_that_are_used_tell_questions_apart() {
    let (protected, cache) = (bundle(&PROTECTED), DecisionCache::new(100));
    push(|question| {
        for (tag, allowed, kept) in
            [("v1", true, 1), ("v1", true, 1), ("prod-1", false, 2), ("prod-1", false, 2)]
        {
            assert_eq!(cache.decide(&protected, question, &context(tag)).is_allow(), allowed, "{tag}");
            assert_eq!(cache.len(), kept, "{tag}");
        }
        let open = bundle(&PROTECTED[..1]);
        for tag in ["v1", "prod-1", "v2"] {
            assert!(cache.decide(&open, question, &context(tag)).is_allow());
            assert_eq!(cache.len(), 3, "no statement of this bundle reads the tag");
        }
        let none = cache.decide(&bundle(&[]), question, &context("v1"));
        assert!(!none.is_allow() && !cache.is_empty());
    });
}
