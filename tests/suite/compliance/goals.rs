//! Each goal is broken and mended by the clients that people use, and the report follows at once.

use serde_json::Value;

use super::{World, expect, goal, json_of};
use crate::support::aws::Aws;
use crate::support::client::{Client, Docker};
use crate::support::image::Image;
use crate::support::portcullis::{Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::sdk;
use crate::support::who::IAMAPIKEY;

/// Runs the command that a verdict says mends it.
#[track_caller]
fn mend(cli: &Cli, verdict: &Value) {
    let fix = verdict["fix"].as_str().unwrap();
    assert!(!fix.is_empty(), "{verdict}");
    for command in fix.split(" && ") {
        cli.run(command.strip_prefix("portcullis ").unwrap()).must_succeed();
    }
}

#[test]
fn the_nine_goals_are_broken_and_mended_by_the_commands_that_they_name() {
    let world = World::begin();
    let cli = world.southern();
    // Settings: each registry has to be mended.
    for id in ["3000627", "3000625"] {
        for _ in ["us-south", "eu-de"] {
            let failed = expect(&cli, id, "fail");
            mend(&cli, &failed);
        }
        expect(&cli, id, "pass");
    }
    expect(&cli, "3000626", "pass");
    cli.run("cr region-set us-south").must_succeed();
    cli.run("cr platform-metrics --disable").must_succeed();
    let broken = expect(&cli, "3000627", "fail");
    assert!(broken["resource"].as_str().unwrap().contains(":us-south:"), "{broken}");
    cli.run("cr platform-metrics --enable").must_succeed();
    expect(&cli, "3000627", "pass");
    // Managers: no service ID is one yet; a group makes one.
    let none = expect(&cli, "3000636", "fail");
    mend(&cli, &none);
    expect(&cli, "3000636", "pass");
    expect(&cli, "3000635", "pass");
    // Administrators: a fourth one is too many.
    for number in 1..=4 {
        cli.run(&format!("iam service-id-create robot-{number}")).must_succeed();
        let grant = "--roles Administrator --service-name container-registry";
        cli.run(&format!("iam service-policy-create robot-{number} {grant}")).must_succeed();
        let expected = if number > 3 { "fail" } else { "pass" };
        expect(&cli, "3000628", expected);
    }
    let many = expect(&cli, "3000628", "fail");
    mend(&cli, &many);
    expect(&cli, "3000628", "pass");
    expect(&cli, "3000623", "pass");
    // Groups: whoever holds a policy alone breaks it; the last one that does is the administrator itself.
    for _ in 0..3 {
        let direct = expect(&cli, "3000639", "fail");
        let named = direct["resources"].as_array().unwrap();
        let robot = named.iter().find(|one| one["resource"].as_str().unwrap().contains("ServiceId")).unwrap();
        let fix = robot["fix"].as_str().unwrap().rsplit(" && ").next().unwrap();
        cli.run(fix.strip_prefix("portcullis ").unwrap()).must_succeed();
    }
    let own = expect(&cli, "3000639", "fail");
    mend(&cli, &own);
    expect(&cli, "3000639", "pass");
    expect(&cli, "3000635", "pass");
    expect(&cli, "3000602", "fail");
}

#[test]
fn goals_are_broken_and_mended_by_ibms_sdks() {
    if !sdk::are_there() {
        return;
    }
    let registry = Registry::start();
    let at = Portcullis::before(&registry.url());
    let ended = sdk::script(&at, "ibm_goals.py", &[]).must_succeed();
    println!("{}", ended.stdout);
    assert!(ended.stdout.lines().any(|line| line.starts_with("walked ")), "{}", ended.stdout);
}

#[test]
fn what_turned_says_since_when_and_who_did_it() {
    let world = World::begin();
    let cli = world.southern();
    expect(&cli, "3000628", "pass");
    let since = expect(&cli, "3000626", "pass")["since"].clone();
    cli.run("cr platform-metrics --enable").must_succeed();
    cli.run("cr region-set eu-de").must_succeed();
    cli.run("cr platform-metrics --enable").must_succeed();
    expect(&cli, "3000627", "pass");
    cli.run("cr platform-metrics --disable").must_succeed();
    expect(&cli, "3000627", "fail");
    let history = json_of(&cli, "compliance history");
    let last = &history["drift"][0];
    assert_eq!(
        (&last["id"], &last["from"], &last["to"]),
        (&"3000627".into(), &"pass".into(), &"fail".into())
    );
    assert_eq!(last["cause"]["action"], "container-registry.settings.set", "{last}");
    assert_eq!(last["cause"]["name"], "admin");
    let sentence = last["sentence"].as_str().unwrap();
    assert!(sentence.contains("fails since") && sentence.contains("because admin"), "{sentence}");
    assert_eq!(expect(&cli, "3000626", "pass")["since"], since, "what has not turned keeps its time");
    world.at.await_audit("the drift is on record", |event| {
        event["action"] == "compliance.goal.drift" && event["outcome"] == "failure"
    });
    // What AWS's clients change is somebody's deed as well.
    let aws = Aws::administrator(&world.at);
    let broad = || goal(&cli, "auditor", "portcullis-broad-grants");
    assert_eq!(broad()["status"], "pass");
    aws.run(&["iam", "create-user", "--user-name", "eve"]).must_succeed();
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    aws.run(&["iam", "attach-user-policy", "--user-name", "eve", "--policy-arn", all]).must_succeed();
    assert_eq!(broad()["status"], "fail");
    let history = json_of(&cli, "compliance history --profile auditor");
    assert_eq!(history["drift"][0]["cause"]["action"], "iam:AttachUserPolicy", "{history}");
}

#[test]
fn a_push_over_a_public_endpoint_is_found_in_the_record() {
    let world = World::begin();
    let cli = world.southern();
    let before = expect(&cli, "3000625", "fail");
    assert!(
        before["found"].as_str().unwrap().contains("none over a public endpoint is on record"),
        "{before}"
    );
    let docker = Docker::start(&world.at.trust());
    docker.login(&world.at.host(), IAMAPIKEY, world.at.admin_key()).must_succeed();
    docker.push(&Image::tiny(), &world.at.image("birds/owl:1")).must_succeed();
    let found = json_of(&cli, "compliance scan");
    let verdict = found["goals"].as_array().unwrap().iter().find(|goal| goal["id"] == "3000625").unwrap();
    assert!(verdict["found"].as_str().unwrap().contains("by admin from 127.0.0.1"), "{verdict}");
}

#[test]
fn reports_come_in_every_format_and_gate_on_a_threshold() {
    let world = World::begin();
    let cli = world.southern();
    let run = |line: &str| cli.run(line).must_succeed().stdout;
    let table = run("compliance report");
    assert!(table.contains("3000639") && table.contains("Fix") && table.contains("%"), "{table}");
    let csv = run("compliance report --output csv");
    assert_eq!(csv.lines().filter(|line| line.starts_with("ibm-best-practices,3000")).count(), 9, "{csv}");
    let junit = run("compliance report --output junit");
    assert!(junit.starts_with("<?xml") && junit.matches("<testcase ").count() == 9, "{junit}");
    let oscal: Value =
        serde_json::from_str(&run("compliance report --output oscal --profile auditor")).unwrap();
    let findings = &oscal["assessment-results"]["results"][0]["findings"];
    assert_eq!(findings.as_array().unwrap().len(), 13);
    let page = world.at.folder().join("report.html");
    let said = run(&format!("compliance report --output html --file {}", page.display()));
    assert!(said.contains("The report is in"), "{said}");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("id=\"3000625\""));
    cli.run("compliance report --threshold 0").must_succeed();
    let refused = cli.run("compliance report --output junit --threshold 100");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("<testcase ") && refused.stderr.contains("fewer than 100 %"),
        "{}",
        refused.said()
    );
    let metrics = world.at.observer().get("/metrics").text();
    let line = "portcullis_compliance_goal_status{goal=\"3000626\",profile=\"ibm-best-practices\",status=\"pass\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}
