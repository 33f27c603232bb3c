//! What compiling and deciding cost: a document of 6 KiB, a decision among 100 statements, the same from the cache; in an
//! account of 1,000 to 1,000,000 policies; and of the most hostile pattern.

use std::collections::HashMap;
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

/// The product's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    criterion.bench_function("read and compile 6 KiB", |b| b.iter(|| compiled(black_box(&text))));
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

/// How many principals are asked about; only theirs are compiled.
const ACTIVE: usize = 1_000;

/// An account as the store and the view have it: the text of every policy, and the bundles of those who are active.
struct Account {
    _stored: Vec<Box<str>>,
    active: HashMap<usize, Bundle>,
    /// What the bundles added to the memory of this process, in KiB.
    held: u64,
}

/// The memory of this process, in KiB.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm");
    pages.ok().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 4
}

impl Account {
    /// One policy for each principal, but ten of ten statements for the first.
    fn with(policies: usize) -> Option<Self> {
        let stored: Vec<Box<str>> = (0..policies).map(|n| document(n, 1).into()).collect();
        let before = resident();
        let mut active = HashMap::from([(0, bundle()?)]);
        for (n, text) in stored.iter().enumerate().skip(1).step_by(policies / ACTIVE).take(ACTIVE - 1) {
            let account = AccountId::parse("111122223333").ok()?;
            let arn = format!("arn:aws:iam::111122223333:user/u{n}").into();
            let caller = Caller::User { account, arn, id: format!("AIDA{n}").into() };
            let identity = compiled(text).into_iter().collect();
            active.insert(n, Bundle::new(caller, Policies { identity, ..Policies::default() }));
        }
        let held = resident().saturating_sub(before);
        Some(Self { _stored: stored, active, held })
    }
}

/// The figures of one size to another are to be alike.
fn growing(criterion: &mut Criterion) {
    let (Some(context), Some(action)) = (context(), product().find("ecr:PutImage")) else { return };
    let resource = "arn:aws:ecr:us-south:111122223333:repository/team-98/app";
    let Some(resource) = Resource::of(resource) else { return };
    let aws = [action];
    let (ibm, resource_account, attached) = (None, "111122223333", None);
    let question = Question { aws: &aws, ibm, resource, resource_account, attached, now: 0 };
    for policies in [1_000, 10_000, 100_000, 1_000_000] {
        let Some(account) = Account::with(policies) else { return };
        println!(
            "{policies} policies, {} KiB in the bundles of {} principals",
            account.held,
            account.active.len()
        );
        let mut others = account.active.keys().copied().collect::<Vec<_>>().into_iter().cycle();
        criterion.bench_function(&format!("decide among {policies} policies: 100 statements"), |b| {
            b.iter(|| account.active.get(&0).map(|one| decide(one, black_box(&question), &context)));
        });
        criterion.bench_function(&format!("decide among {policies} policies: everyone in turn"), |b| {
            b.iter(|| {
                let bundle = others.next().and_then(|who| account.active.get(&who));
                bundle.map(|one| decide(one, black_box(&question), &context))
            });
        });
    }
}

/// A pattern as long as a managed policy lets it be, and the longest value, which fits all of it but the end.
fn hostile(criterion: &mut Criterion) {
    let Some(action) = product().find("ecr:PutImage") else { return };
    // What clients can say at such length is their user agent and referer, which are cut at 512 bytes.
    let patterns = [
        ("one long run", format!("*{}b*", "a?".repeat(1_020)), 2_048),
        ("many short runs", format!("{}b*", "*a?".repeat(1_900)), 2_048),
        ("half the text", format!("*{}b*", "a?".repeat(510)), 2_048),
        ("a document of short ones", vec!["*a?b*"; 720].join("\",\""), 512),
    ];
    for (name, pattern, length) in patterns {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{{"StringLike":{{"registry:Tag":["{pattern}"]}}}}}}]}}"#
        );
        let (Some(policy), Ok(account)) = (compiled(&text), AccountId::parse("111122223333")) else { return };
        let arn = "arn:aws:iam::111122223333:user/alice".into();
        let caller = Caller::User { account, arn, id: "AIDA".into() };
        let bundle = Bundle::new(caller, Policies { identity: vec![policy], ..Policies::default() });
        let mut context = Context::default();
        if context.one("registry:tag", "a".repeat(length)).is_err() {
            return;
        }
        let (aws, resource) = ([action], Resource::NOTHING);
        let (ibm, resource_account, attached) = (None, "111122223333", None);
        let question = Question { aws: &aws, ibm, resource, resource_account, attached, now: 0 };
        criterion.bench_function(&format!("a hostile pattern: {name}"), |b| {
            b.iter(|| decide(black_box(&bundle), black_box(&question), black_box(&context)));
        });
    }
}

criterion_group!(benches, compiling, deciding, growing, hostile);
criterion_main!(benches);
