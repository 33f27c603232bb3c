//! The product's engine, as the oracle's tests drive it. The only file here that names the crate.

use super::compare::{Engine, cases_or, compare, runner, wrong_on_published};
use super::generate::cases;
use super::world;
use super::world::{Caller, Given, Question, World};
use portcullis::ids::account::AccountId;
use portcullis::policy::aws::kind::Kind as Document;
use portcullis::policy::aws::validate;
use portcullis::policy::cache::DecisionCache;
use portcullis::policy::engine::bundle::{Bundle, Policies};
use portcullis::policy::engine::compiled::{CompiledPolicy, Place, compile_aws, compile_ibm};
use portcullis::policy::engine::context::{Context, Value};
use portcullis::policy::engine::decide::{decide, explain};
use portcullis::policy::engine::principal;
use portcullis::policy::engine::question;
use portcullis::policy::engine::question::{Class, Decider, IbmWords, Kind};
use portcullis::policy::engine::resource::Resource;
use portcullis::policy::ibm::access::AccessPolicy;
use portcullis::policy::table::{ActionTable, Row, product};
use proptest::prop_assert_eq;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::sync::Arc;

/// How many cases are compared in a build without optimisation, in about a quarter of a minute.
const CASES: usize = if cfg!(debug_assertions) { 15_000 } else { 100_000 };

/// Compiles the world anew for every question, and decides.
struct Product;

impl Engine for Product {
    fn decide(&self, world: &World, question: &Question) -> world::Outcome {
        ask(world, question, |table, bundle, asked| {
            let context = context(question);
            let outcome = explain(bundle, asked, &context);
            let verdict = decide(bundle, asked, &context);
            assert_eq!((verdict.class, verdict.refused), (outcome.class, outcome.refused));
            assert_eq!(verdict.decider.is_none(), outcome.deciders.is_empty());
            assert!(verdict.decider.is_none_or(|decider| outcome.deciders.contains(&decider)));
            let name = |decider: &Decider| {
                let policy = bundle.policy(decider).or(asked.attached).unwrap();
                world::Decider {
                    kind: kind(decider.kind),
                    policy: policy.id().to_owned(),
                    statement: decider.statement as usize,
                }
            };
            world::Outcome {
                class: class(outcome.class),
                refused: outcome.refused.map(|action| table.name(action).to_owned()),
                deciders: outcome.deciders.iter().map(name).collect(),
            }
        })
    }
}

/// Puts the question in the engine's words.
fn ask<T>(
    world: &World,
    question: &Question,
    answer: impl FnOnce(&ActionTable, &Bundle, &question::Question<'_>) -> T,
) -> T {
    let table = table(question);
    let bundle = Bundle::new(caller(&world.caller), policies(world, &table));
    let is_role = question.resource.split(':').nth(2) == Some("iam");
    let place = if is_role { Place::Trust } else { Place::Repository };
    let attached = world.attached.get(&question.resource).map(|policy| aws(policy, place, &table));
    let actions: Vec<_> = question.aws.iter().map(|action| table.find(action).unwrap()).collect();
    let words = question.ibm.as_ref();
    let attributes: Vec<(&str, &str)> =
        words.iter().flat_map(|words| &words.attributes).map(|(k, v)| (&**k, &**v)).collect();
    let ibm =
        words.map(|words| IbmWords { action: table.find(&words.action).unwrap(), attributes: &attributes });
    let asked = question::Question {
        aws: &actions,
        ibm,
        resource: Resource::of(&question.resource).unwrap(),
        resource_account: &question.resource_account,
        attached: attached.as_ref(),
        now: question.now,
    };
    answer(&table, &bundle, &asked)
}

/// The product's table, with the question's actions if it lacks them.
fn table(question: &Question) -> Cow<'static, ActionTable> {
    let product = product();
    let missing = |name: &&String| product.find(name).is_none();
    let more: Vec<&String> = question.aws.iter().filter(missing).collect();
    if more.is_empty() {
        return Cow::Borrowed(product);
    }
    let known = product.actions().map(|action| Row { name: product.name(action), typed: action.is_typed() });
    let rows = known.chain(more.into_iter().map(|name| Row { name, typed: true }));
    Cow::Owned(ActionTable::new(rows).unwrap())
}

fn account(arn: &str) -> AccountId {
    AccountId::parse(arn.split(':').nth(4).unwrap()).unwrap()
}

fn caller(caller: &Caller) -> principal::Caller {
    let boxed = |text: &String| text.as_str().into();
    match caller {
        Caller::Anonymous => principal::Caller::Anonymous,
        Caller::FederatedUser { arn } => {
            principal::Caller::FederatedUser { account: account(arn), arn: boxed(arn) }
        }
        Caller::RoleSession { role, id, session } => principal::Caller::RoleSession {
            account: account(session),
            id: boxed(id),
            role: boxed(role),
            session: boxed(session),
        },
        Caller::Root { account } => principal::Caller::Root { account: AccountId::parse(account).unwrap() },
        Caller::User { arn, id } => {
            principal::Caller::User { account: account(arn), arn: boxed(arn), id: boxed(id) }
        }
        Caller::WebIdentity { provider } => principal::Caller::WebIdentity { provider: boxed(provider) },
    }
}

/// Reads and compiles a document, wherever it may stand.
fn aws(policy: &world::Policy, place: Place, table: &ActionTable) -> CompiledPolicy {
    let mut text = policy.document.clone();
    let old = text["Version"] != "2012-10-17";
    let kind = match place {
        // Those are refused today, but there may be some from before; no reader but this one has principals and any
        // version.
        Place::Identity if old => {
            with_principals(&mut text);
            Document::Registry
        }
        Place::Identity => Document::Inline,
        Place::Repository if names_resources(&text) => Document::Registry,
        Place::Repository => Document::Repository,
        Place::Trust => Document::Trust,
    };
    let document = validate::read(&text.to_string(), kind).unwrap_or_else(|why| panic!("{why}: {text:#}"));
    compile_aws(&policy.name, &document, place, table)
}

fn statements(document: &mut Json) -> Vec<&mut Json> {
    match &mut document["Statement"] {
        Json::Array(many) => many.iter_mut().collect(),
        one => vec![one],
    }
}

fn with_principals(document: &mut Json) {
    statements(document).into_iter().for_each(|statement| statement["Principal"] = json!("*"));
}

fn names_resources(document: &Json) -> bool {
    let mut document = document.clone();
    let named = |one: &mut Json| one.get("Resource").is_some() || one.get("NotResource").is_some();
    statements(&mut document).into_iter().any(named)
}

fn policies(world: &World, table: &ActionTable) -> Policies {
    let own = |policy: &world::Policy| Arc::new(aws(policy, Place::Identity, table));
    let role = |crn: &str| {
        let actions = world.roles.get(crn)?;
        Some(actions.iter().filter_map(|action| table.find(action)).collect())
    };
    let groups: Vec<&str> = world.groups.iter().map(|group| &*group.id).collect();
    let ibm = world.ibm.iter().filter_map(|policy| {
        let document = AccessPolicy::read(&policy.document).ok()?;
        document
            .subject
            .is(&world.iam_id, &groups)
            .then(|| Arc::new(compile_ibm(&policy.name, &document, role)))
    });
    Policies {
        identity: world.identity.iter().map(own).collect(),
        groups: world.groups.iter().flat_map(|group| &group.policies).map(own).collect(),
        ibm: ibm.collect(),
        boundary: world.boundary.as_ref().map(own),
        session: world.session.as_ref().map(|policies| policies.iter().map(own).collect()),
    }
}

fn context(question: &Question) -> Context<'static> {
    let mut context = Context::default();
    for (key, given) in question.context.clone() {
        let value = match given {
            Given::One(one) => Value::One(one.into()),
            Given::Many(many) => Value::Many(many.into_iter().map(Into::into).collect()),
        };
        context.set(key, value).unwrap();
    }
    context
}

fn kind(kind: Kind) -> world::Kind {
    match kind {
        Kind::Boundary => world::Kind::Boundary,
        Kind::Group => world::Kind::Group,
        Kind::Ibm => world::Kind::Ibm,
        Kind::Identity => world::Kind::Identity,
        Kind::Repository => world::Kind::Repository,
        Kind::Session => world::Kind::Session,
        Kind::Trust => world::Kind::Trust,
    }
}

fn class(class: Class) -> world::Class {
    match class {
        Class::Allow(of) => world::Class::Allow(kind(of)),
        Class::AllowAlways => world::Class::AllowAlways,
        Class::AllowRoot => world::Class::AllowRoot,
        Class::ExplicitDeny(of) => world::Class::ExplicitDeny(kind(of)),
        Class::ImplicitDeny(of) => world::Class::ImplicitDeny(kind(of)),
    }
}

#[test]
fn the_product_decides_the_published_cases_as_published() {
    assert_eq!(wrong_on_published(&Product), Vec::<u64>::new());
}

#[test]
fn the_product_and_the_oracle_agree_on_every_case() {
    compare(&Product, cases_or(CASES));
}

/// Asks the same of a cache, with each condition key taken away in turn, and at another time: a verdict that was kept for
/// one question is never given to another.
#[test]
fn the_cache_answers_as_if_it_were_not_there() {
    let cache = DecisionCache::new(10_000);
    let all = |(world, question): (World, Question)| {
        ask(&world, &question, |_, bundle, asked| {
            let whole = context(&question);
            let mut contexts = vec![whole.clone(), whole];
            for key in question.context.keys() {
                let mut fewer = question.clone();
                fewer.context.remove(key);
                contexts.push(context(&fewer));
            }
            for context in &contexts {
                let later = question::Question { now: asked.now + 40_000, ..*asked };
                for asked in [asked, &later] {
                    prop_assert_eq!(cache.decide(bundle, asked, context), decide(bundle, asked, context));
                }
            }
            Ok(())
        })
    };
    runner(cases_or(CASES) / 15, 9).run(&cases(), all).unwrap_or_else(|found| panic!("{found}"));
    assert!(cache.len() > 500);
}
