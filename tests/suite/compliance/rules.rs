//! Configuration rules: the documentation's own, to the letter.

use serde_json::{Value, json};

use super::{World, json_of};
use crate::support::client::{Client, Docker};
use crate::support::image::Image;
use crate::support::who::IAMAPIKEY;

/// The rule as the documentation prints it.
const SEED: &str = include_str!("../../../src/compliance/rule/seed_rule.json");

#[test]
fn the_documentations_rule_is_created_verbatim_reported_and_then_refuses_in_its_region_only() {
    let world = World::begin();
    let cli = world.southern();
    let file = world.file("rule.json", SEED);
    let made = json_of(&cli, &format!("compliance rule-create --file {}", file.display()));
    let seed: Value = serde_json::from_str(SEED).unwrap();
    assert_eq!((&made["target"], &made["required_config"]), (&seed["target"], &seed["required_config"]));
    let id = made["rule_id"].as_str().unwrap();
    let result = || json_of(&cli, &format!("compliance results {id}"))[0].clone();
    let found = result();
    assert_eq!(found["status"], "fail", "{found}");
    assert!(found["resource"].as_str().unwrap().contains(":us-south:"));
    // The command that it says mends it does.
    for command in found["fix"].as_str().unwrap().split(" && ") {
        cli.run(command.strip_prefix("portcullis ").unwrap()).must_succeed();
    }
    assert_eq!(result()["status"], "pass");
    cli.run("cr private-only --disable").must_succeed();
    assert_eq!(result()["status"], "fail");
    world.at.await_audit("the broken rule is on record", |event| {
        event["action"] == "compliance.rule.drift" && event["outcome"] == "failure"
    });
    // With `audit_log`, the change's own event says so too.
    cli.run(&format!("compliance rule-update {id} --enforcement-action audit_log")).must_succeed();
    cli.run("cr private-only --enable").must_succeed();
    cli.run("cr private-only --disable").must_succeed();
    let change = world.at.await_audit("the change that breaks the rule", |event| {
        event["reason"]["breaks"][0].as_str().is_some_and(|rule| rule.starts_with(id))
    });
    assert_eq!(change["action"], "container-registry.auth.set", "{change}");
    // Enforced, it refuses, whichever API asks.
    cli.run(&format!("compliance rule-update {id} --enforcement-action disallow")).must_succeed();
    cli.run("cr private-only --enable").must_succeed();
    let refused = cli.run("cr private-only --disable").must_fail_saying(&["disallows this"]);
    assert!(refused.said().contains(id), "{}", refused.said());
    let direct = world.at.administrator();
    let account = [("Account", "123456789012"), ("Content-Type", "application/json")];
    let answer = direct.send("PATCH", "/api/v1/auth", &account, b"{\"private_only\":false}");
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(result()["status"], "pass");
    // The other region is untouched: there it is as it was, and may be changed as one likes.
    cli.run("cr region-set eu-de").must_succeed();
    cli.run("cr private-only --enable").must_succeed();
    cli.run("cr private-only --disable").must_succeed();
    let docker = Docker::start(&world.at.trust());
    let host = format!("127.0.0.1:{}", world.at.public().port());
    docker.login(&host, IAMAPIKEY, world.at.admin_key()).must_succeed();
    docker.push(&Image::tiny(), &format!("{host}/birds/owl:1")).must_succeed();
    cli.run(&format!("compliance rule-delete {id} --force")).must_succeed();
    assert_eq!(json_of(&cli, "compliance rules"), json!([]));
}

#[test]
fn a_rule_binds_where_it_is_attached_and_nowhere_else() {
    let world = World::begin();
    let cli = world.southern();
    let rule = r#"{"target": {"service_name": "container-registry", "resource_kind": "service"},
        "required_config": {"property": "platform_metrics", "operator": "is_false"}}"#;
    let file = world.file("rule.json", rule);
    let create = format!("compliance rule-create --enforcement-action disallow --file {}", file.display());
    let id = json_of(&cli, &create)["rule_id"].as_str().unwrap().to_owned();
    cli.run("cr platform-metrics --enable").must_fail_saying(&["disallows this"]);
    // Attached to the other region, it leaves this one alone: in results as in what it refuses.
    let made = json_of(&cli, &format!("compliance rule-attachment-create {id} --include region:eu-de"));
    let attachment = made["attachment_id"].as_str().unwrap();
    cli.run("cr platform-metrics --enable").must_succeed();
    let result = || json_of(&cli, &format!("compliance results {id}"))[0].clone();
    assert_eq!(result()["status"], "pass", "{}", result());
    cli.run("cr region-set eu-de").must_succeed();
    cli.run("cr platform-metrics --enable").must_fail_saying(&["disallows this"]);
    cli.run(&format!(
        "compliance rule-attachment-update {id} {attachment} --include account --exclude region:eu-de"
    ))
    .must_succeed();
    cli.run("cr platform-metrics --enable").must_succeed();
    let found = result();
    assert_eq!(found["status"], "fail", "{found}");
    assert!(found["resource"].as_str().unwrap().contains(":us-south:"), "{found}");
    let listed = cli.run(&format!("compliance rule-attachments {id}")).must_succeed();
    assert!(
        listed.said().contains("region:eu-de") && listed.said().contains(attachment),
        "{}",
        listed.said()
    );
    cli.run(&format!("compliance rule-attachment-create {id} --include region:eu-d"))
        .must_fail_saying(&["eu-d"]);
    cli.run(&format!("compliance rule-attachment-delete {id} {attachment} --force")).must_succeed();
    assert_eq!(json_of(&cli, &format!("compliance rule-attachments {id}")), json!([]));
    world.at.await_audit("the attachment is on record", |event| {
        event["action"] == "compliance.configuration-governance-attachment.create"
    });
}

#[test]
fn a_rule_that_cannot_be_obeyed_is_refused_with_what_is_wrong() {
    let world = World::begin();
    let cli = world.at.administration();
    for (text, told) in [
        ("{", "cannot be used"),
        ("{}", "missing field"),
        (&SEED.replace("is_true", "is_so"), "is_so"),
        (&SEED.replace("private_only", "public_only"), "public_only"),
        (&SEED.replace("container-registry\"", "cloud-object-storage\""), "container-registry"),
    ] {
        let file = world.file("rule.json", text);
        cli.run(&format!("compliance rule-create --file {}", file.display())).must_fail_saying(&[told]);
    }
    assert_eq!(json_of(&cli, "compliance rules"), json!([]));
}

#[test]
fn what_breaks_is_on_record_and_in_the_metrics_although_nobody_asks() {
    let world = World::begin();
    let cli = world.southern();
    let file = world.file("rule.json", SEED);
    let made = json_of(&cli, &format!("compliance rule-create --file {} --name private", file.display()));
    let id = made["rule_id"].as_str().unwrap();
    let record = |text: &str| {
        world.at.await_audit(text, |event| {
            let told = event["message"]
                .as_str()
                .is_some_and(|message| message.contains(id) && message.contains(text));
            event["action"] == "compliance.rule.drift" && told
        })
    };
    let broken = record("private_only is false in us-south");
    assert_eq!((&broken["outcome"], &broken["severity"]), (&json!("failure"), &json!("warning")));
    let metric = |status: &str| {
        world.at.metric(&format!("portcullis_compliance_rule_status{{rule=\"{id}\",status=\"{status}\"}}"))
    };
    assert_eq!((metric("fail"), metric("pass")), (1.0, 0.0));
    cli.run("cr private-only --enable").must_succeed();
    let mended = record("passes since");
    assert_eq!(mended["outcome"], "success");
    assert!(mended["message"].as_str().unwrap().contains("because admin"), "{mended}");
    assert_eq!((metric("fail"), metric("pass")), (0.0, 1.0));
}
