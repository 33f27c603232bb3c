//! The shape of a document: which members there are, and of which type. The texts in them are looked at later.
//!
//! Everything wrong here is one of AWS's "Syntax errors in policy."; the advice says which.

use std::borrow::Cow;

use super::document::Version;
use super::json::{Member, Node, Position, Value};
use super::message::{Problem, Rule};
use super::operator::Comparison;

/// A string and where it begins.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) at: Position,
    pub(super) text: Cow<'a, str>,
}

#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) version: Version,
    /// Where the version stands; where the document begins, if none does.
    pub(super) version_at: Position,
    pub(super) id: Option<Text<'a>>,
    pub(super) statements: Vec<StatementDraft<'a>>,
}

#[derive(Debug)]
pub(super) struct StatementDraft<'a> {
    pub(super) at: Position,
    pub(super) sid: Option<Text<'a>>,
    pub(super) effect: Text<'a>,
    pub(super) principal: Option<Clause<(PrincipalKind, Text<'a>)>>,
    pub(super) actions: Option<Clause<Text<'a>>>,
    pub(super) resources: Option<Clause<Text<'a>>>,
    pub(super) conditions: Vec<ConditionDraft<'a>>,
}

/// `X` or `NotX`.
#[derive(Debug)]
pub(super) struct Clause<T> {
    pub(super) at: Position,
    pub(super) negated: bool,
    pub(super) items: Vec<T>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PrincipalKind {
    /// `"Principal": "*"`
    Any,
    Aws,
    CanonicalUser,
    Federated,
    Service,
}

#[derive(Debug)]
pub(super) struct ConditionDraft<'a> {
    pub(super) at: Position,
    pub(super) comparison: Comparison,
    pub(super) key: Cow<'a, str>,
    pub(super) values: Vec<Text<'a>>,
}

fn syntax(at: Position, advice: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(Rule::Syntax, at, advice)
}

/// Reads the shape of a document.
pub(super) fn read(node: Node<'_>) -> Result<Draft<'_>, Problem> {
    let start = node.at;
    let mut draft = Draft { version: Version::V2008, version_at: start, id: None, statements: Vec::new() };
    let mut has_statements = false;
    for member in object(node, "a policy is an object")? {
        match &*member.key {
            "Version" => {
                draft.version_at = member.value.at;
                draft.version = version(&string(member.value, "Version is a string")?)?;
            }
            "Id" => draft.id = Some(string(member.value, "Id is a string")?),
            "Statement" => {
                has_statements = true;
                draft.statements = statements(member.value)?;
            }
            _ => return Err(unknown(member.at, &member.key, "a policy has only Version, Id and Statement")),
        }
    }
    if has_statements { Ok(draft) } else { Err(syntax(start, "add a Statement")) }
}

fn version(text: &Text<'_>) -> Result<Version, Problem> {
    match &*text.text {
        "2008-10-17" => Ok(Version::V2008),
        "2012-10-17" => Ok(Version::V2012),
        _ => Err(syntax(text.at, "Version is 2012-10-17 or 2008-10-17")),
    }
}

fn statements(node: Node<'_>) -> Result<Vec<StatementDraft<'_>>, Problem> {
    match node.value {
        Value::List(items) if items.is_empty() => Err(syntax(node.at, "Statement needs at least one")),
        Value::List(items) => items.into_iter().map(statement).collect(),
        _ => Ok(vec![statement(node)?]),
    }
}

fn statement(node: Node<'_>) -> Result<StatementDraft<'_>, Problem> {
    let at = node.at;
    let (mut sid, mut effect, mut conditions) = (None, None, Vec::new());
    let (mut principal, mut actions, mut resources) = (None, None, None);
    for member in object(node, "a statement is an object")? {
        match &*member.key {
            "Sid" => sid = Some(string(member.value, "Sid is a string")?),
            "Effect" => effect = Some(self::effect(member.value)?),
            "Principal" | "NotPrincipal" => once(&mut principal, member, principals)?,
            "Action" | "NotAction" => once(&mut actions, member, |node| strings(node, false))?,
            "Resource" | "NotResource" => once(&mut resources, member, |node| strings(node, true))?,
            "Condition" => conditions = self::conditions(member.value)?,
            _ => return Err(unknown(member.at, &member.key, "a statement has no such element")),
        }
    }
    let effect = effect.ok_or_else(|| syntax(at, "add an Effect: Allow or Deny"))?;
    Ok(StatementDraft { at, sid, effect, principal, actions, resources, conditions })
}

fn effect(node: Node<'_>) -> Result<Text<'_>, Problem> {
    let effect = string(node, "Effect is a string")?;
    let known = ["Allow", "Deny"].iter().any(|known| effect.text.eq_ignore_ascii_case(known));
    if known { Ok(effect) } else { Err(syntax(effect.at, "Effect is Allow or Deny")) }
}

/// Reads `X` or `NotX`, of which a statement has one at most.
fn once<'a, T>(
    slot: &mut Option<Clause<T>>,
    member: Member<'a>,
    read: impl FnOnce(Node<'a>) -> Result<Vec<T>, Problem>,
) -> Result<(), Problem> {
    if slot.is_some() {
        return Err(syntax(member.at, "use the element or its Not… form, not both"));
    }
    let negated = member.key.starts_with("Not");
    *slot = Some(Clause { at: member.at, negated, items: read(member.value)? });
    Ok(())
}

/// A string or a list of strings. AWS lets `null` stand among resources, and so passes over it.
fn strings(node: Node<'_>, nulls: bool) -> Result<Vec<Text<'_>>, Problem> {
    const ADVICE: &str = "write a string or a list of strings";
    let Value::List(items) = node.value else { return Ok(vec![string(node, ADVICE)?]) };
    let present = items.into_iter().filter(|item| !(nulls && item.value == Value::Null));
    present.map(|item| string(item, ADVICE)).collect()
}

fn principals(node: Node<'_>) -> Result<Vec<(PrincipalKind, Text<'_>)>, Problem> {
    const ADVICE: &str = "a principal is \"*\" or an object of AWS, Federated, Service or CanonicalUser";
    let at = node.at;
    if matches!(&node.value, Value::Text(text) if text == "*") {
        return Ok(vec![(PrincipalKind::Any, string(node, ADVICE)?)]);
    }
    let mut all = Vec::new();
    for member in object(node, ADVICE)? {
        let kind = match &*member.key {
            "AWS" => PrincipalKind::Aws,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            "Federated" => PrincipalKind::Federated,
            "Service" => PrincipalKind::Service,
            _ => return Err(unknown(member.at, &member.key, ADVICE)),
        };
        all.extend(strings(member.value, false)?.into_iter().map(|text| (kind, text)));
    }
    if all.is_empty() { Err(syntax(at, "name at least one principal")) } else { Ok(all) }
}

fn conditions(node: Node<'_>) -> Result<Vec<ConditionDraft<'_>>, Problem> {
    let mut all = Vec::new();
    for operator in object(node, "Condition is an object of operators")? {
        let Member { at, key: name, value } = operator;
        let known = Comparison::parse(&name);
        for key in object(value, "an operator has an object of keys and values")? {
            // AWS minds an unknown operator only when it compares something.
            let comparison = known.ok_or_else(|| unknown(at, &name, "there is no such operator"))?;
            let values = scalars(key.value)?;
            all.push(ConditionDraft { at: key.at, comparison, key: key.key, values });
        }
    }
    Ok(all)
}

fn scalars(node: Node<'_>) -> Result<Vec<Text<'_>>, Problem> {
    match node.value {
        Value::List(items) => items.into_iter().map(scalar).collect(),
        _ => Ok(vec![scalar(node)?]),
    }
}

fn scalar(node: Node<'_>) -> Result<Text<'_>, Problem> {
    let text = match node.value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Borrowed(number),
        Value::Text(text) => text,
        Value::List(_) | Value::Null | Value::Object(_) => {
            return Err(syntax(node.at, "a condition value is a string, a number, true or false"));
        }
    };
    Ok(Text { at: node.at, text })
}

fn string<'a>(node: Node<'a>, advice: &'static str) -> Result<Text<'a>, Problem> {
    match node.value {
        Value::Text(text) => Ok(Text { at: node.at, text }),
        _ => Err(syntax(node.at, advice)),
    }
}

fn object<'a>(node: Node<'a>, advice: &'static str) -> Result<Vec<Member<'a>>, Problem> {
    match node.value {
        Value::Object(members) => Ok(members),
        _ => Err(syntax(node.at, advice)),
    }
}

fn unknown(at: Position, name: &str, advice: &str) -> Problem {
    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    syntax(at, format!("`{name}`: {advice}"))
}
