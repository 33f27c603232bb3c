//! Reads bytes as AWS policies, compiles them and decides by them: whatever stands there, there is an answer, its reasons
//! are statements of the policy, a Deny of everything denies, and the cache answers the same.

use std::sync::Arc;

use portcullis::ids::account::AccountId;
use portcullis::policy::aws::document::Effect;
use portcullis::policy::aws::kind::Kind;
use portcullis::policy::aws::validate;
use portcullis::policy::cache::DecisionCache;
use portcullis::policy::engine::bundle::{Bundle, Policies};
use portcullis::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use portcullis::policy::engine::context::{Context, Value};
use portcullis::policy::engine::decide::{decide, explain};
use portcullis::policy::engine::principal::Caller;
use portcullis::policy::engine::question::Question;
use portcullis::policy::engine::resource::Resource;
use portcullis::policy::lint::lint;
use portcullis::policy::table::product;

const KINDS: [(Kind, Place); 4] = [
    (Kind::Inline, Place::Identity),
    (Kind::Registry, Place::Repository),
    (Kind::Repository, Place::Repository),
    (Kind::Trust, Place::Trust),
];

const RESOURCES: [&str; 3] =
    ["*", "arn:aws:ecr:us-south:123456789012:repository/alice/x", "arn:aws:iam::123456789012:role/x"];

/// `data` is a document.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for (kind, place) in KINDS {
        let Ok(document) = validate::read(&text, kind) else { continue };
        for finding in lint(&document, product()) {
            let line = text.split('\n').nth(finding.position.line as usize - 1);
            assert!(line.is_some() && !finding.advice.is_empty(), "{text:?}: {finding:?}");
        }
        let policy = Arc::new(compile_aws("p", &document, place, product()));
        let denies = document.statements.iter().any(|statement| statement.effect == Effect::Deny);
        let (own, attached) =
            if place.is_resources() { (None, Some(&*policy)) } else { (Some(&policy), None) };
        decides(&text, own, attached, denies);
    }
}

fn decides(text: &str, own: Option<&Arc<CompiledPolicy>>, attached: Option<&CompiledPolicy>, denies: bool) {
    let cache = DecisionCache::new(64);
    for bundle in [bundle(own, false), bundle(own, true)] {
        for resource in RESOURCES {
            let aws = ["ecr:GetDownloadUrlForLayer", "sts:AssumeRole", "iam:GetRole"];
            for action in aws.map(|name| product().find(name).unwrap()) {
                let question = Question {
                    aws: &[action],
                    ibm: None,
                    resource: Resource::of(resource).unwrap(),
                    resource_account: "123456789012",
                    attached,
                    now: 0,
                };
                let outcome = explain(&bundle, &question, &context());
                let verdict = decide(&bundle, &question, &context());
                assert_eq!((verdict.class, verdict.refused), (outcome.class, outcome.refused), "{text:?}");
                assert!(verdict.decider.is_none_or(|one| outcome.deciders.contains(&one)), "{text:?}");
                assert!(denies || !verdict.class.is_explicit_deny() || bundle_denies(&bundle), "{text:?}");
                assert!(!bundle_denies(&bundle) || verdict.class.is_explicit_deny(), "{text:?}");
                for _ in 0..2 {
                    assert_eq!(cache.decide(&bundle, &question, &context()), verdict, "{text:?}");
                }
            }
        }
    }
}

/// Bundles that deny everything belong to bob.
fn bundle_denies(bundle: &Bundle) -> bool {
    matches!(bundle.caller(), Caller::User { arn, .. } if arn.ends_with("/bob"))
}

fn bundle(own: Option<&Arc<CompiledPolicy>>, denied: bool) -> Bundle {
    const DENY: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let document = validate::read(DENY, Kind::Inline).unwrap();
    let deny = denied.then(|| Arc::new(compile_aws("deny", &document, Place::Identity, product())));
    let name = if denied { "bob" } else { "alice" };
    let caller = Caller::User {
        account: AccountId::parse("123456789012").unwrap(),
        arn: format!("arn:aws:iam::123456789012:user/{name}").into(),
        id: "AIDAALICEEXAMPLE0001".into(),
    };
    Bundle::new(
        caller,
        Policies { identity: own.cloned().into_iter().chain(deny).collect(), ..Policies::default() },
    )
}

fn context() -> Context<'static> {
    let mut context = Context::default();
    for (key, value) in [
        ("aws:username", "alice"),
        ("aws:PrincipalTag/t", "a*"),
        ("aws:CurrentTime", "2026-11-21T08:30:00Z"),
        ("n", "1"),
        ("b", "true"),
        ("k", "arn:aws:iam::1:role/${*"),
    ] {
        context.one(key, value).unwrap();
    }
    context.set("aws:TagKeys", Value::Many(vec!["a".into(), "\u{e9}".into()])).unwrap();
    context
}
