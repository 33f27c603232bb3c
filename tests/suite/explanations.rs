//! `explain` and `who-can`, typed as people type them, against a real server.

use std::sync::Arc;

use portcullis::clock::SystemClock;
use portcullis::ids::principal::PrincipalId;
use portcullis::policy::aws::arn::Name;
use portcullis::policy::aws::kind::Kind;
use portcullis::store::aws::holder::Holder;
use portcullis::store::aws::inline_policy::{InlinePolicies, InlinePolicy};
use portcullis::store::aws::text::DocumentText;
use portcullis::store::sqlite;
use serde_json::Value;

use crate::support::aws::Aws;
use crate::support::portcullis::{ACCOUNT, Cli, Portcullis, field};
use crate::support::registry::Registry;
use crate::support::who::ServiceId;

/// What a line prints that must work.
#[track_caller]
fn printed(cli: &Cli, line: &str) -> String {
    cli.run(line).must_succeed().stdout
}

#[track_caller]
fn json(cli: &Cli, line: &str) -> Value {
    let text = printed(cli, &format!("{line} --output json"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Puts a document where no API can put one yet.
fn write(at: &Portcullis, who: &str, statements: &str) {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
    let (document, _) = DocumentText::read(&text, Kind::Inline).unwrap();
    let policy = InlinePolicy { name: Name::parse("tags").unwrap(), document };
    let holder = Holder::Principal(who.parse::<PrincipalId>().unwrap());
    let path = at.folder().join("portcullis.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite::open(&path, Arc::new(SystemClock)).await.unwrap();
        store.put_inline_policy(&holder, &policy).await.unwrap();
        store.close().await;
    });
}

#[test]
fn both_clouds_words_ask_the_same_and_a_denial_ends_in_a_command_that_works() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let cli = at.administration();
    printed(&cli, "cr namespace-add birds");
    let made = printed(&cli, "iam service-id-create ci");
    let id = field(&made, "ID").unwrap().to_owned();
    let crn = "crn:v1:bluemix:public:container-registry:us-south:a/123456789012::repository:birds/owl";
    let arn = "arn:aws:ecr:us-south:123456789012:repository/birds/owl";
    let image = format!("{}/birds/owl:v1", at.host());
    let denied = printed(&cli, &format!("explain --principal ci --action pull --resource {image}"));
    assert!(
        denied.starts_with("ci may not do container-registry.image.pull on repository birds/owl"),
        "{denied}"
    );
    let paste = denied
        .lines()
        .find_map(|line| line.split_once("portcullis "))
        .unwrap_or_else(|| panic!("{denied}"))
        .1;
    printed(&cli, &format!("{paste} --force"));
    for action in ["pull", "container-registry.image.pull", "ecr:BatchGetImage", "ecr:getdownloadurlforlayer"]
    {
        for resource in ["birds/owl", &image, crn, arn] {
            let line = format!("explain --principal {id} --action {action} --resource {resource}");
            let answer = json(&cli, &line);
            assert_eq!(
                (&answer["decision"], &answer["because"]["roles"][0]),
                (&"allow".into(), &"Reader".into()),
                "{line}"
            );
        }
    }
    let push = printed(&cli, &format!("explain --principal ci --action ecr:PutImage --resource {arn}"));
    assert!(push.contains("its roles lack the action") && push.contains("--roles Writer"), "{push}");
    let unknown = cli.run("explain --principal ci --action ecr:Fly --resource birds/owl");
    assert!(unknown.code == Some(1) && unknown.stderr.contains("there is no action"), "{}", unknown.said());

    let able = printed(&cli, "who-can pull birds/owl");
    assert!(able.contains(&format!("ci (service id iam-{id})")) && able.contains("access policy"), "{able}");
    assert!(able.contains("2 of 2 principals may."), "{able}");
    let able = json(&cli, "who-can delete birds/owl");
    assert_eq!(able["principals"].as_array().map(Vec::len), Some(1), "{able}");
    let robot = ServiceId::create(&cli, "other");
    let stranger = Cli::new();
    stranger.login(&at, crate::support::who::Who::key(&robot).unwrap()).must_succeed();
    let refused = stranger.run("who-can pull birds/owl");
    assert_eq!(refused.code, Some(1), "{}", refused.said());
}

#[test]
fn what_a_document_decides_depends_on_the_context_that_is_told() {
    let registry = Registry::start();
    let mut at = Portcullis::before(&registry.url());
    let cli = at.administration();
    printed(&cli, "cr namespace-add birds");
    let made = printed(&cli, "iam service-id-create ci");
    let id = format!("iam-{}", field(&made, "ID").unwrap());
    at.kill();
    write(
        &at,
        &id,
        r#"[{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": {"StringLike": {"registry:Tag": "v*"}}},
            {"Sid": "NotAtNight", "Effect": "Deny", "Action": "ecr:*", "Resource": "*",
             "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "night"}}}]"#,
    );
    at.restart_in_place();
    let ask =
        |rest: &str| format!("explain --principal {id} --action ecr:PutImage --resource birds/owl{rest}");
    let denied = printed(&cli, &ask(":latest"));
    let near = "statement 1 would allow it, but its condition StringLike registry:Tag wants v*, and the key is latest";
    assert!(denied.contains("may not") && denied.contains(near), "{denied}");
    let allowed = printed(&cli, &ask(" --context registry:Tag=v1"));
    assert!(allowed.contains("ci may do") && allowed.contains("allows ecr:PutImage <- decides"), "{allowed}");
    let several = ask(":v1 --context aws:TagKeys=day --context aws:TagKeys=night");
    let denied = printed(&cli, &several);
    assert!(denied.contains("explicit DENY in an identity policy"), "{denied}");
    assert!(denied.contains("statement NotAtNight DENIES ecr:PutImage <- decides"), "{denied}");
    assert_eq!(json(&cli, &several)["class"], "explicit deny: identity policy");
    let warned = cli.run(&ask(":v1 --context aws:TagKey=day")).must_succeed();
    assert!(warned.stderr.contains("no request here has a condition key `aws:TagKey`"), "{}", warned.said());

    let who = |rest: &str| json(&cli, &format!("who-can ecr:PutImage birds/owl{rest}"));
    let names =
        |answer: &Value| answer["principals"].as_array().unwrap().iter().any(|one| one["iam_id"] == *id);
    assert!(names(&who(":v1")) && !names(&who(":latest")));
    assert!(!names(&who(":v1 --context aws:TagKeys=night")));
}

#[test]
fn a_role_is_asked_about_like_anybody_else() {
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let (cli, aws) = (at.administration(), Aws::administrator(&at));
    printed(&cli, "cr namespace-add birds");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},
        "Action":"sts:AssumeRole"}}]}}"#
    );
    let create =
        ["iam", "create-role", "--role-name", "puller", "--path", "/ci/", "--assume-role-policy-document"];
    let made = aws.json(&[&create[..], &[&trust]].concat());
    let (arn, id) = (made["Role"]["Arn"].as_str().unwrap(), made["Role"]["RoleId"].as_str().unwrap());
    let ask =
        |action: &str, who: &str| format!("explain --principal {who} --action {action} --resource birds/owl");
    let denied = printed(&cli, &ask("ecr:BatchGetImage", arn));
    assert!(denied.contains("puller may not do ecr:BatchGetImage"), "{denied}");
    assert!(!denied.contains("any of these roles"), "{denied}");
    let attach = ["iam", "attach-role-policy", "--role-name", "puller", "--policy-arn"];
    let reads = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    aws.run(&[&attach[..], &[reads]].concat()).must_succeed();
    for who in [arn, id] {
        let allowed = printed(&cli, &ask("ecr:BatchGetImage", who));
        assert!(allowed.contains("puller may do ecr:BatchGetImage"), "{allowed}");
        assert!(printed(&cli, &ask("ecr:PutImage", who)).contains("may not"));
    }
    let able = printed(&cli, "who-can ecr:BatchGetImage birds/owl");
    assert!(able.contains(&format!("puller (role {id})")), "{able}");
    assert!(!printed(&cli, "who-can ecr:PutImage birds/owl").contains("puller"));
    let other = arn.replace("/ci/", "/");
    let missing = cli.run(&ask("ecr:BatchGetImage", &other));
    assert!(missing.code == Some(1) && missing.stderr.contains(&other), "{}", missing.said());
}
