//! What each kind of document demands, what is read from it, and where its mistakes are said to be.

use super::read;
use crate::policy::aws::document::{Document, Effect, Principal, Version};
use crate::policy::aws::kind::{DOCUMENT_MAX, Kind, Owner, size};
use crate::policy::aws::message::Code;
use crate::policy::aws::operator::{Comparison, Operator, Qualifier};
use crate::policy::aws::variable::{Part, Template};

const ALLOW: &str = r#""Effect":"Allow","Action":"ecr:*""#;

fn document(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{{statement}}}}}"#)
}

fn one(text: &str, kind: Kind) -> Document {
    read(text, kind).unwrap_or_else(|invalid| panic!("{invalid}: {text}"))
}

fn refusal(text: &str, kind: Kind) -> String {
    read(text, kind).expect_err(text).message
}

fn place(text: &str, kind: Kind) -> (u32, u32) {
    let invalid = read(text, kind).expect_err(text);
    (invalid.line, invalid.column)
}

/// Where the last `needle` of a text stands.
fn place_of(needle: &str, text: &str) -> (u32, u32) {
    let (before, _) = text.rsplit_once(needle).expect(needle);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
}

/// A template written with `*`, `?` and `<key>`.
fn written(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Any => "*".to_owned(),
        Part::Literal(text) => format!("'{text}'"),
        Part::One => "?".to_owned(),
        Part::Variable(variable) => format!("<{}>", variable.key),
    };
    template.parts().iter().map(part).collect()
}

#[test]
fn a_full_identity_policy_is_understood() {
    let text = r#"{"Id": "one", "Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Deny",
        "NotAction": ["ECR:get*", "*"], "NotResource": ["arn:aws:ecr:*:1:repository/${aws:username}/*", "*", null],
        "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "${k}"]},
                      "StringEquals": {"k": "a*${*}"},
                      "NumericLessThan": {"n": [1, 2.50, "${x}"]}, "Bool": {"b": [true, false]}, "Null": {}}}]}"#;
    let document = one(text, Kind::Managed);
    assert_eq!((document.version, document.id.as_deref()), (Version::V2012, Some("one")));
    let [statement] = document.statements.as_slice() else { panic!("one statement") };
    assert_eq!((statement.position.line, statement.position.column), (1, 54));
    assert_eq!((statement.effect, &statement.sid), (Effect::Deny, &None));
    assert!(statement.actions.negated && statement.principal.is_none());
    let actions: Vec<_> =
        statement.actions.patterns.iter().map(|a| (a.service.as_deref(), &*a.name)).collect();
    assert_eq!(actions, [(Some("ECR"), "get*"), (None, "*")]);
    let resources = statement.resources.as_ref().unwrap();
    assert!(resources.negated);
    assert_eq!(resources.patterns.len(), 2, "null is passed over");
    let arn = resources.patterns[0].arn.as_ref().unwrap().segments().unwrap();
    assert_eq!(written(&arn[5]), "'repository/'<aws:username>'/'*");
    assert!(resources.patterns[1].arn.is_none());
    let like = &statement.conditions[0];
    let comparison = Comparison {
        qualifier: Some(Qualifier::ForAnyValue),
        operator: Operator::StringLike,
        if_exists: true,
    };
    assert_eq!((like.comparison, &*like.key, like.position.line), (comparison, "aws:TagKeys", 3));
    let values: Vec<Vec<String>> = statement
        .conditions
        .iter()
        .map(|c| c.values.iter().map(|v| format!("{} {}", v.text, written(&v.template))).collect())
        .collect();
    assert_eq!(
        values,
        [
            vec!["a* 'a'*", "${k} <k>"],
            vec!["a*${*} 'a**'"],
            vec!["1 '1'", "2.50 '2.50'", "${x} '${x}'"],
            vec!["true 'true'", "false 'false'"],
        ]
    );
}

#[test]
fn the_old_version_has_no_variables() {
    for version in [r#""Version":"2008-10-17","#, ""] {
        let text = format!(
            r#"{{{version}"Statement":{{{ALLOW},"Principal":"*","Condition":{{"StringLike":{{"a":"${{b}}*${{"}}}}}}}}"#
        );
        let document = one(&text, Kind::Repository);
        assert_eq!(document.version, Version::V2008);
        assert_eq!(written(&document.statements[0].conditions[0].values[0].template), "'${b}'*'${'");
        assert_eq!(
            refusal(&text.replace(r#""Principal":"*""#, r#""Resource":"*""#), Kind::Managed),
            "Policy document must be version 2012-10-17 or greater."
        );
    }
}

#[test]
fn principals_are_typed_and_never_partly_wild() {
    let principals = r#"{"AWS":["*","123456789012","arn:aws:iam::123456789012:root","AROAABCDEFGHIJKLMNOPQ",
        "arn:aws:iam::123456789012:role/p/r","arn:aws:sts::123456789012:assumed-role/r/s"],
        "Federated":"arn:aws:iam::123456789012:oidc-provider/h","Service":"ecs-tasks.amazonaws.com","CanonicalUser":"c"}"#;
    let text = document(&format!(r#""NotPrincipal":{principals},{ALLOW}"#));
    let clause = one(&text, Kind::Repository).statements.remove(0).principal.unwrap();
    assert!(clause.negated);
    let [Principal::Any, Principal::Account(a), Principal::Account(b), rest @ ..] =
        clause.principals.as_slice()
    else {
        panic!("{clause:?}")
    };
    assert_eq!(a, b);
    let [Principal::UniqueId(_), Principal::Arn(_), Principal::Arn(_), named @ ..] = rest else {
        panic!("{rest:?}")
    };
    let [Principal::Federated(_), Principal::Service(_), Principal::CanonicalUser(_)] = named else {
        panic!("{named:?}")
    };
    for wrong in [
        "arn:aws:iam::123456789012:user/*",
        "arn:aws:iam::123456789012:group/g",
        "arn:aws:iam::aws:policy/x",
        "arn:aws:iam::*:root",
        "**",
        "12345",
        "AROA*",
        "",
    ] {
        let text = document(&format!(
            r#""Principal":{{"AWS":"{wrong}"}},"Effect":"Allow","Action":"sts:AssumeRole""#
        ));
        let expected = format!("Invalid principal in policy: \"AWS\":\"{wrong}\"");
        assert_eq!(refusal(&text, Kind::Trust), expected);
        assert_eq!(place(&text, Kind::Trust), place_of(&format!("\"{wrong}\""), &text));
    }
    for wrong in
        ["{}", r#"{"AWS":[]}"#, r#"{"aws":"*"}"#, r#""arn:aws:iam::1:root""#, "[]", r#"{"AWS":null}"#]
    {
        let text = document(&format!(r#""Principal":{wrong},{ALLOW}"#));
        assert_eq!(refusal(&text, Kind::Trust), "Syntax errors in policy.");
    }
}

#[test]
fn a_trust_policy_says_who_may_assume_and_nothing_more() {
    let assume = r#""Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"]"#;
    let anyone = format!(r#""Principal":"*",{assume}"#);
    assert!(one(&document(&anyone), Kind::Trust).statements[0].resources.is_none());
    let old = document(&anyone).replace("2012", "2008");
    assert_eq!(one(&old, Kind::Trust).version, Version::V2008);
    let cases = [
        (document(assume), "Missing required field Principal"),
        (document(&anyone.replace("Principal", "NotPrincipal")), "Has prohibited field NotPrincipal"),
        (document(&format!(r#"{anyone},"Resource":"*""#)), "Has prohibited field Resource"),
        (document(&format!(r#"{anyone},"NotResource":"*""#)), "Has prohibited field NotResource"),
        ("{".to_owned(), "This policy contains invalid Json"),
        ("{}".to_owned(), "Syntax errors in policy."),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&text, Kind::Trust), expected, "{text}");
    }
    for action in
        [r#""Action":"sts:*""#, r#""Action":"*""#, r#""Action":"ecr:X""#, r#""NotAction":"sts:AssumeRole""#]
    {
        let text = document(&format!(r#""Principal":"*","Effect":"Allow",{action}"#));
        assert!(
            refusal(&text, Kind::Trust)
                .contains("sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity")
        );
    }
}

#[test]
fn an_identity_policy_names_no_principal() {
    for element in ["Principal", "NotPrincipal"] {
        let text = document(&format!(r#""{element}":"*",{ALLOW},"Resource":"*""#));
        for kind in [Kind::Inline, Kind::Managed, Kind::Session] {
            assert_eq!(refusal(&text, kind), "Policy document should not specify a principal.");
        }
        assert!(one(&text, Kind::Registry).statements[0].resources.is_some());
    }
}

#[test]
fn ecr_says_the_same_about_every_mistake_and_the_advice_says_which() {
    let cases = [
        document(&format!(r#""Principal":"*",{ALLOW},"Resource":"*""#)),
        document(ALLOW),
        "not json".to_owned(),
        format!("{}{}", document(&format!(r#""Principal":"*",{ALLOW}"#)), " ".repeat(10_240)),
    ];
    for text in cases {
        let invalid = read(&text, Kind::Repository).unwrap_err();
        assert_eq!(invalid.code, Code::InvalidParameterException);
        assert_eq!(
            invalid.message,
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        );
        assert!(!invalid.advice.is_empty());
    }
    let registry = document(&format!(r#""Principal":"*",{ALLOW}"#));
    assert!(refusal(&registry, Kind::Registry).contains("'Invalid registry policy provided'"));
    let spaced = document(&format!(r#""Sid":"a b","Principal":"*",{ALLOW}"#));
    assert_eq!(one(&spaced, Kind::Repository).statements[0].sid.as_deref(), Some("a b"));
}

#[test]
fn resources_that_aws_would_read_otherwise_are_refused() {
    let cases = [
        ("a:aws:ecr:::x", "Resource a:aws:ecr:::x must be in ARN format or \"*\"."),
        ("**", "Resource ** must be in ARN format or \"*\"."),
        ("arn:aws:ec*:::x", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("arn:aws:*", "Resource vendor must be fully qualified and cannot contain regexes."),
        ("arn:aws*:ecr:::x", "Partition \"aws*\" is not valid for resource \"arn:aws*:ecr:::x\"."),
        ("arn:aws:ecr:*:${aws:PrincipalAccount}:repository/x", "The policy failed legacy parsing"),
        ("arn:aws:ecr:*:*:repository/${", "The policy failed legacy parsing"),
        ("arn:aws:ecr:*:*:repository/${}", "The policy failed legacy parsing"),
    ];
    for (resource, expected) in cases {
        let text = document(&format!(r#"{ALLOW},"Resource":["*","{resource}"]"#));
        assert_eq!(refusal(&text, Kind::Managed), expected, "{resource}");
        assert_eq!(place(&text, Kind::Managed), place_of(&format!("\"{resource}\""), &text));
    }
    for fine in ["arn:*:ecr:*:*:repository/*", "arn:aws:ecr:*", "arn:aws:iam::1:*", "arn:aws:ecr:::x${$}{"] {
        assert!(read(&document(&format!(r#"{ALLOW},"Resource":"{fine}""#)), Kind::Managed).is_ok(), "{fine}");
    }
}

#[test]
fn only_nulls_are_no_resources() {
    for element in ["Resource", "NotResource"] {
        let text = document(&format!(r#"{ALLOW},"{element}":[null]"#));
        assert_eq!(refusal(&text, Kind::Managed), "Policy statement must contain resources.");
        assert_eq!(
            refusal(&document(&format!(r#"{ALLOW},"{element}":null"#)), Kind::Managed),
            "Syntax errors in policy."
        );
    }
    let text = document(r#""Effect":"Deny","Action":["ecr:*",null],"Resource":"*""#);
    assert_eq!(refusal(&text, Kind::Managed), "Syntax errors in policy.");
}

#[test]
fn mistakes_are_said_to_be_where_they_are() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Sid\": \"a\", \"Effect\": \"Allow\", \"Action\": \"ecr:*\", \"Resource\": \"*\"},\n    {\"Sid\": \"b\", \"Effect\": \"Allow\", \"Action\": [\"ecr:*\", \"x\"], \"Resource\": \"*\"}\n  ]\n}";
    let cases = [
        ("é", "e", "\"x\""),
        ("\"x\"", "\"ecr:*\"], \"Action\": [\"ecr:*\"", "\"Action\""),
        ("\"b\"", "\"a\"", "\"a\""),
        ("\"b\"", "\"é b\"", "\"é b\""),
        ("\"b\"", "\"é\", \"id\": 1", "\"id\""),
        ("2012-10-17", "2008-10-17", "\"2008-10-17\""),
        ("[\"ecr:*\", \"x\"]", "[]", "{\"Sid\": \"b\""),
        ("\"Allow\", \"Action\": [", "\"allow\", \"Action\": [", "\"allow\""),
        ("  ]\n", "  ],\n", "}"),
    ];
    for (from, to, wrong) in cases {
        let changed = text.replacen(from, to, 1);
        assert_eq!(place(&changed, Kind::Managed), place_of(wrong, &changed), "{from}: {to}");
    }
}

#[test]
fn a_repeated_key_is_refused_wherever_it_stands() {
    for text in [
        document(&format!(r#"{ALLOW},"Resource":"*","Effect":"Deny""#)),
        document(&format!(r#"{ALLOW},"Resource":"*","Condition":{{"Null":{{"a":"true","a":"false"}}}}"#)),
        document(&format!(r#"{ALLOW},"Resource":"*""#)).replace('{', r#"{"Id":"","Id":"","#),
    ] {
        assert_eq!(refusal(&text, Kind::Managed), "Syntax errors in policy.");
    }
}

#[test]
fn sizes_are_limited_as_each_kind_counts_them() {
    let padded = |statement: &str, blanks: usize, letters: usize| {
        let text = document(&statement.replace("ID", &"i".repeat(letters)));
        format!("{}{text}", " ".repeat(blanks))
    };
    let identity = format!(r#""Sid":"ID",{ALLOW},"Resource":"*""#);
    let trust = r#""Sid":"ID","Principal":"*","Effect":"Allow","Action":"sts:AssumeRole""#;
    let fixed = size(&padded(&identity, 0, 0));
    assert!(read(&padded(&identity, 9_000, 6_144 - fixed), Kind::Managed).is_ok());
    let invalid = read(&padded(&identity, 0, 6_145 - fixed), Kind::Managed).unwrap_err();
    assert_eq!(
        (invalid.code, &*invalid.message),
        (Code::LimitExceeded, "Cannot exceed quota for PolicySize: 6144")
    );
    assert!(read(&padded(&identity, 0, 100_000), Kind::Inline).is_ok());
    let session = read(&padded(&identity, 2_048, 0), Kind::Session).unwrap_err();
    assert_eq!(session.code, Code::ValidationError);
    assert!(read(&padded(trust, 2_048, 0), Kind::Trust).is_ok());
    assert_eq!(
        refusal(&padded(trust, 0, 2_048), Kind::Trust),
        "Cannot exceed quota for ACLSizePerRole: 2048"
    );
    let huge = read(&" ".repeat(DOCUMENT_MAX + 1), Kind::Inline).unwrap_err();
    assert_eq!(huge.code, Code::ValidationError);
    assert_eq!(Owner::User.inline_excess("bob"), "Maximum policy size of 2048 bytes exceeded for user bob");
}
