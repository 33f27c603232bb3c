//! What compiling and deciding cost: a document of 6 KiB, a decision among 100 statements, the same from the cache.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis::ids::account::AccountId;
use portcullis::policy::aws::kind::Kind;
use portcullis::policy::aws::validate;
use portcullis::policy::cache::DecisionCache;
use portcullis::policy::engine::bundle::{Bundle, Policies};
use portcullis::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use portcullis::policy::engine::context::Context;
use portcullis::policy::engine::decide::decide;
use portcullis::policy::engine::principal::Caller;
use portcullis::policy::engine::question::Question;
use portcullis::policy::engine::resource::Resource;
use portcullis::policy::table::product;

/// A document with so many statements, each on a namespace of its own, half of them with a condition.
fn document(first: usize, statements: usize) -> String {
    let mut all = Vec::new();
    for n in first..first + statements {
        let mut one = format!(
            r#"{{"Effect":"Allow","Action":["ecr:Batch*","ecr:PutImage","ecr:*Layer*"],"Resource":"arn:aws:ecr:us-south:111122223333:repository/team-{n}/*""#
        );
        if n % 2 == 0 {
            write!(one, r#","Condition":{{"StringLike":{{"registry:Tag":"v*-{n}"}}}}"#).unwrap_or_default();
        }
        all.push(format!("{one}}}"));
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, all.join(","))
}

fn compiled(text: &str) -> Option<Arc<CompiledPolicy>> {
    let document = validate::read(text, Kind::Inline).ok()?;
    Some(Arc::new(compile_aws("p", &document, Place::Identity, product())))
}

/// Ten policies of ten statements.
fn bundle() -> Option<Bundle> {
    let account = AccountId::parse("111122223333").ok()?;
    let arn = "arn:aws:iam::111122223333:user/alice".into();
    let identity = (0..10).filter_map(|n| compiled(&document(n * 10, 10))).collect();
    let caller = Caller::User { account, arn, id: "AIDA".into() };
    Some(Bundle::new(caller, Policies { identity, ..Policies::default() }))
}

fn context() -> Option<Context<'static>> {
    let mut context = Context::default();
    for (key, value) in [
        ("aws:sourceip", "192.0.2.7"),
        ("aws:securetransport", "true"),
        ("aws:currenttime", "2026-11-21T08:30:00Z"),
        ("aws:principalarn", "arn:aws:iam::111122223333:user/alice"),
        ("aws:username", "alice"),
        ("registry:tag", "v1-98"),
    ] {
        context.one(key, value).ok()?;
    }
    Some(context)
}

fn compiling(criterion: &mut Criterion) {
    let text = document(0, 37);
    println!("a document of {} bytes", text.len());
    let Ok(read) = validate::read(&text, Kind::Inline) else { return };
    criterion.bench_function("read 6 KiB", |b| b.iter(|| validate::read(black_box(&text), Kind::Inline)));
    criterion.bench_function("compile 6 KiB", |b| {
        b.iter(|| compile_aws("p", black_box(&read), Place::Identity, product()));
    });
    criterion.bench_function("bundle of 100 statements", |b| b.iter(bundle));
}

fn deciding(criterion: &mut Criterion) {
    let (Some(bundle), Some(context)) = (bundle(), context()) else { return };
    let Some(action) = product().find("ecr:PutImage") else { return };
    for (name, resource) in [("allow", "team-98/app"), ("deny", "team-100/app")] {
        let resource = format!("arn:aws:ecr:us-south:111122223333:repository/{resource}");
        let Some(resource) = Resource::of(&resource) else { return };
        let aws = [action];
        let question = Question {
            aws: &aws,
            ibm: None,
            resource,
            resource_account: "111122223333",
            attached: None,
            now: 0,
        };
        criterion.bench_function(&format!("decide among 100 statements: {name}"), |b| {
            b.iter(|| decide(black_box(&bundle), black_box(&question), black_box(&context)));
        });
        let cache = DecisionCache::new(1_000);
        criterion.bench_function(&format!("decide from the cache: {name}"), |b| {
            b.iter(|| cache.decide(black_box(&bundle), black_box(&question), black_box(&context)));
        });
    }
}

criterion_group!(benches, compiling, deciding);
criterion_main!(benches);
