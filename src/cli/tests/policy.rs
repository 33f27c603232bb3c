//! `policy lint`: no server is there, and none is asked.

use serde_json::{Value, json};

use super::world::World;

const SHADOWED: &str = r#"{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"ecr:PutImage","Resource":"*"},
{"Effect":"Allow","Action":["ecr:PutImage","ecr:BatchGetImage"],"Resource":"*"}]}"#;

fn piped(text: &str) -> World {
    let mut world = World::new();
    world.input = text.to_owned();
    world
}

#[test]
fn a_document_from_a_pipe_is_reported_on_line_by_line() {
    let out = piped(SHADOWED).run("policy lint -").done();
    assert_eq!(out, "-:2:1: warning: the statement in line 3 says all of it: drop this one [shadowed]\nOK\n");
    let out = piped(&SHADOWED.replace("ecr:PutImage\",\"R", "ecr:PutImages\",\"R")).run("policy lint -");
    let said = out.failed();
    assert!(said.contains("The document has 1 error."), "{said}");
}

#[test]
fn the_kind_decides_what_is_valid() {
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"arn:aws:iam::123456789012:user/u"}}}"#;
    let world = piped(trust);
    assert_eq!(world.run("policy lint - --kind trust").done(), "OK\n");
    assert!(world.run("policy lint -").failed().contains("1 error"));
    world.run("policy lint - --kind nothing").misused();
    world.run("policy lint").misused();
}

#[test]
fn json_has_every_place_and_an_access_policy_is_recognised() {
    let policy = r#"{"roles":[{"role_id":"crn:v1:bluemix:public:iam::::serviceRole:Reader"}],
"resources":[{"attributes":[{"name":"serviceName","value":"container-registry"},{"name":"resource","value":"a*"}]}]}"#;
    let out = piped(policy).run("policy lint - --output json").done();
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        found,
        json!([{"level": "warning", "problem": "literal", "line": 2, "column": 108,
            "message": "stringEquals takes `*` and `?` literally: use stringMatch"}])
    );
    assert!(World::new().run("policy lint /nowhere.json").failed().contains("/nowhere.json cannot be read"));
}
