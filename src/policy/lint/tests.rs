//! Each kind of finding, with its place, and documents about which there is nothing to say.

use super::{Problem, lint};
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::table::product;

/// The findings on a document of these statements, one a line, the first in line 2.
fn findings(statements: &[&str], kind: Kind, version: &str) -> Vec<(Problem, u32)> {
    let text = format!("{{\"Version\":\"{version}\",\"Statement\":[\n{}]}}", statements.join(",\n"));
    let document = validate::read(&text, kind).unwrap();
    lint(&document, product()).iter().map(|finding| (finding.problem, finding.position.line)).collect()
}

fn found(statements: &[&str]) -> Vec<(Problem, u32)> {
    findings(statements, Kind::Inline, "2012-10-17")
}

const ARN: &str = "arn:aws:ecr:us-south:111122223333:repository/";

fn on(effect: &str, actions: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":{actions},"Resource":"{resource}","Condition":{{{condition}}}}}"#
    )
}

fn alone(actions: &str, resource: &str, condition: &str) -> Vec<Problem> {
    found(&[&on("Allow", actions, resource, condition)]).into_iter().map(|(problem, _)| problem).collect()
}

#[test]
fn ordinary_statements_are_in_order() {
    let none: Vec<Problem> = Vec::new();
    assert_eq!(alone(r#"["ecr:Get*","ecr:PutImage"]"#, "*", ""), none);
    assert_eq!(alone(r#""ecr:*""#, &format!("{ARN}a/*"), ""), none);
    assert_eq!(alone(r#""iam:GetUser""#, "arn:aws:iam::*:user/${aws:username}", ""), none);
    let tag = r#""StringLike":{"registry:Tag":"v*"},"StringEquals":{"aws:username":"${*}"}"#;
    assert_eq!(alone(r#""ecr:PutImage""#, "*", tag), none);
}

#[test]
fn what_matches_nothing_is_found() {
    assert_eq!(alone(r#""ecr:NoSuch""#, "*", ""), [Problem::NeverMatches, Problem::UnknownAction]);
    assert_eq!(alone(r#"["ecr:NoSuch*","ecr:PutImage"]"#, "*", ""), [Problem::UnknownAction]);
    assert_eq!(alone(r#""*:PutImage""#, "*", ""), [Problem::NeverMatches, Problem::UnknownAction]);
    let never = [Problem::NeverMatches];
    assert_eq!(alone(r#"["ecr:GetAuthorizationToken","ecr:PutImage"]"#, &format!("{ARN}*"), ""), never);
    for condition in [
        r#""NumericEquals":{"k":"ten"}"#,
        r#""DateEquals":{"k":"2026-11-21T08:30"}"#,
        r#""IpAddress":{"k":"10.0.0.0/33"}"#,
        r#""BinaryEquals":{"k":"!"}"#,
        r#""Bool":{"k":"yes"}"#,
        r#""Null":{"k":"no"}"#,
        r#""ArnLike":{"k":"arn:aws:iam:*"}"#,
        r#""StringEquals":{"k":[]}"#,
    ] {
        assert_eq!(alone(r#""ecr:PutImage""#, "*", condition), never, "{condition}");
    }
}

#[test]
fn wildcards_and_variables_that_are_plain_text_are_found() {
    let literal = [Problem::Literal];
    assert_eq!(alone(r#""ecr:PutImage""#, "*", r#""StringEquals":{"registry:Tag":"v*"}"#), literal);
    let statement =
        r#"{"Effect":"Deny","Principal":"*","Action":"ecr:*","Condition":{"StringLike":{"k":"${x}"}}}"#;
    assert_eq!(findings(&[statement], Kind::Repository, "2008-10-17"), [(Problem::Literal, 2)]);
    assert_eq!(findings(&[statement], Kind::Repository, "2012-10-17"), []);
}

#[test]
fn what_allows_too_much_is_found() {
    let broad = [Problem::OverBroad];
    assert_eq!(alone(r#""*""#, "*", ""), broad);
    assert_eq!(alone(r#""iam:*""#, "*", ""), broad);
    assert_eq!(alone(r#""*""#, "*", r#""Bool":{"aws:SecureTransport":"true"}"#), []);
    assert_eq!(
        found(&[r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#]),
        [(Problem::OverBroad, 2)]
    );
    assert_eq!(found(&[r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#]), []);
    let anyone = r#"{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}"#;
    assert_eq!(findings(&[anyone], Kind::Repository, "2012-10-17"), [(Problem::OverBroad, 2)]);
}

#[test]
fn statements_that_another_makes_superfluous_are_found() {
    let put = |resource: &str| on("Allow", r#""ecr:PutImage""#, resource, "");
    let all = on("Allow", r#""ecr:*""#, &format!("{ARN}a*"), "");
    let (inner, outer) = (put(&format!("{ARN}a/${{aws:username}}/*")), put(&format!("{ARN}b/*")));
    assert_eq!(found(&[&inner, &all, &outer]), [(Problem::Shadowed, 2)]);
    assert_eq!(found(&[&outer, &outer]), [(Problem::Shadowed, 3)], "of two that are the same, the later");
    let deny = on("Deny", r#""ecr:Put*""#, "*", "");
    assert_eq!(found(&[&inner, &deny]), [(Problem::Unreachable, 2)]);
    assert_eq!(found(&[&all, &deny]), [], "some of it remains");
    let sometimes = on("Deny", r#""ecr:Put*""#, "*", r#""Null":{"registry:Tag":"true"}"#);
    assert_eq!(found(&[&inner, &sometimes]), []);
    let one = put(&format!("{ARN}a?c"));
    assert_eq!(found(&[&one, &put(&format!("{ARN}a*c"))]), [(Problem::Shadowed, 2)]);
    assert_eq!(found(&[&put(&format!("{ARN}a*c")), &one]), [(Problem::Shadowed, 3)]);
}
