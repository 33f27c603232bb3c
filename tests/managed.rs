//! Which managed policy allows what, as a table that anyone can read, made of decisions. A change shows in its diff.

#![cfg(test)]

use std::fmt::Write as _;
use std::sync::Arc;

use portcullis::ids::account::AccountId;
use portcullis::policy::aws::managed::{MANAGED, ManagedPolicy};
use portcullis::policy::engine::bundle::{Bundle, Policies};
use portcullis::policy::engine::compiled::{Place, compile_aws};
use portcullis::policy::engine::context::Context;
use portcullis::policy::engine::decide::decide;
use portcullis::policy::engine::principal::Caller;
use portcullis::policy::engine::question::Question;
use portcullis::policy::engine::resource::Resource;
use portcullis::policy::table::{ActionId, product};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/managed.txt");
const ACCOUNT: &str = "111122223333";
const LEGEND: &str = "\
What each managed policy allows the user alice to do, if it is the only one that she has.

x     allowed on everything
own   allowed only for herself (her own user, or the role that image replication needs)
-     refused

Assuming a role is not here: the role's own trust policy decides about it too.
";

#[test]
fn the_managed_policies_allow_what_the_reviewed_table_says() {
    let shown = table();
    let reviewed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    if std::env::args().any(|argument| argument == "accept") {
        std::fs::write(SNAPSHOT, &shown).unwrap();
        return;
    }
    let advice =
        "if the change is meant: cargo test --test managed -- accept the_managed; then review the diff";
    assert_eq!(shown, reviewed, "{advice}");
}

fn table() -> String {
    let names = |policy: &ManagedPolicy| policy.name.replace("AmazonEC2ContainerRegistry", "ECR ");
    let columns: Vec<(String, Bundle)> = MANAGED.iter().map(|one| (names(one), bundle(*one))).collect();
    let actions: Vec<ActionId> = product().actions().filter(|action| is_aws(*action)).collect();
    let width = actions.iter().map(|action| product().name(*action).len()).max().unwrap_or_default();
    let mut text = format!("{LEGEND}\n{:width$}", "");
    columns.iter().for_each(|(name, _)| write!(text, "  {name}").unwrap());
    text.push('\n');
    for action in actions {
        let mut line = format!("{:width$}", product().name(action));
        for (name, bundle) in &columns {
            write!(line, "  {:^columns$}", mark(bundle, action), columns = name.len()).unwrap();
        }
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

fn is_aws(action: ActionId) -> bool {
    !action.is_assuming()
        && ["ecr:", "iam:", "sts:"].iter().any(|service| product().name(action).starts_with(service))
}

fn bundle(policy: ManagedPolicy) -> Bundle {
    let account = AccountId::parse(ACCOUNT).unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/alice").into();
    let document = policy.document().unwrap();
    let compiled = compile_aws(&policy.arn(), &document, Place::Identity, product());
    let policies = Policies { identity: vec![Arc::new(compiled)], ..Policies::default() };
    Bundle::new(Caller::User { account, arn, id: "AIDA".into() }, policies)
}

fn mark(bundle: &Bundle, action: ActionId) -> &'static str {
    let mut own = Context::default();
    own.one("aws:username", "alice").unwrap();
    own.one("iam:awsservicename", "replication.ecr.amazonaws.com").unwrap();
    let mut other = Context::default();
    other.one("aws:username", "alice").unwrap();
    match (asked(bundle, action, "bob", &other), asked(bundle, action, "alice", &own)) {
        (true, _) => "x",
        (false, true) => "own",
        (false, false) => "-",
    }
}

fn asked(bundle: &Bundle, action: ActionId, user: &str, context: &Context<'_>) -> bool {
    let ecr = product().name(action).starts_with("ecr:");
    let arn = match (action.is_typed(), ecr) {
        (false, _) => "*".to_owned(),
        (true, true) => format!("arn:aws:ecr:us-south:{ACCOUNT}:repository/team-a/app"),
        (true, false) => format!("arn:aws:iam::{ACCOUNT}:user/{user}"),
    };
    let resource = if action.is_typed() { Resource::of(&arn).unwrap() } else { Resource::NOTHING };
    let question =
        Question { aws: &[action], ibm: None, resource, resource_account: ACCOUNT, attached: None, now: 0 };
    decide(bundle, &question, context).is_allow()
}
