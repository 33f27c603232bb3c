//! Reads bytes as AWS policies of every kind, and checks what a document or a refusal promises.

use portcullis::policy::aws::document::{Document, Statement, Version};
use portcullis::policy::aws::json::{self, FaultKind};
use portcullis::policy::aws::kind::Kind;
use portcullis::policy::aws::message::Invalid;
use portcullis::policy::aws::validate;
use portcullis::policy::aws::variable::{Part, Template};

const KINDS: [Kind; 6] =
    [Kind::Inline, Kind::Managed, Kind::Registry, Kind::Repository, Kind::Session, Kind::Trust];

/// `data` is a document.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    agrees_with_another_reader(&text);
    for kind in KINDS {
        match validate::read(&text, kind) {
            Ok(document) => holds(&text, kind, &document),
            Err(invalid) => points_into(&text, &invalid),
        }
    }
}

/// What we read as JSON, others read too; what only they read, we refuse for a reason that we name.
fn agrees_with_another_reader(text: &str) {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (json::read(text, text.len()), theirs) {
        (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
        (Ok(_), Err(theirs)) => assert!(theirs.to_string().contains("out of range"), "{text:?}: {theirs}"),
        (Err(ours), Ok(_)) => {
            let strict = matches!(ours.kind, FaultKind::Character | FaultKind::Depth | FaultKind::Duplicate);
            assert!(strict, "{text:?}: {ours}");
        }
    }
}

fn points_into(text: &str, invalid: &Invalid) {
    let line = text.split('\n').nth(invalid.line as usize - 1);
    let most = line.map_or(0, |line| line.chars().count() + 1);
    assert!((1..=most).contains(&(invalid.column as usize)), "{text:?}: {invalid}");
    assert!(!invalid.message.is_empty() && !invalid.advice.is_empty());
}

fn holds(text: &str, kind: Kind, document: &Document) {
    assert_eq!(validate::read(text, kind).as_ref(), Ok(document), "{text:?}");
    assert!(!document.statements.is_empty(), "{text:?}");
    let identity = matches!(kind, Kind::Inline | Kind::Managed | Kind::Session);
    assert!(!identity || document.version == Version::V2012, "{text:?}");
    for statement in &document.statements {
        assert_eq!(statement.principal.is_none(), identity, "{text:?}");
        assert_eq!(statement.resources.is_none(), matches!(kind, Kind::Repository | Kind::Trust), "{text:?}");
        assert!(!statement.actions.patterns.is_empty(), "{text:?}");
        templates(statement).for_each(|template| tidy(template, document.version));
    }
}

fn templates(statement: &Statement) -> impl Iterator<Item = &Template> {
    let resources = statement.resources.iter().flat_map(|clause| &clause.patterns);
    let segments = resources.filter_map(|pattern| pattern.arn.as_ref()?.segments()).flatten();
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    segments.chain(values.map(|value| &value.template))
}

/// The parts are in their one normal form, and the old version has no variables.
fn tidy(template: &Template, version: Version) {
    assert!(version == Version::V2012 || !template.has_variables());
    for pair in template.parts().windows(2) {
        assert!(!matches!(pair, [Part::Any, Part::Any] | [Part::Literal(_), Part::Literal(_)]));
    }
    assert!(!template.parts().iter().any(|part| matches!(part, Part::Literal(text) if text.is_empty())));
}
