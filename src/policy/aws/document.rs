//! A policy document that holds only what was understood.
//!
//! [`super::validate::read`] is the only maker, so a document that exists has passed AWS's rules for its kind. Texts
//! that are matched are taken apart already; nothing here matches them.

use super::arn::Arn;
use super::json::Position;
use super::operator::Comparison;
use super::pattern::ArnPattern;
use super::variable::Template;
use crate::ids::account::AccountId;

/// The language version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// `2008-10-17`, also when none is named: `${…}` is plain text.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// A policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// `Version`.
    pub version: Version,
    /// `Id`.
    pub id: Option<Box<str>>,
    /// `Statement`; at least one.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// Where it begins in the text.
    pub position: Position,
    /// `Sid`; an empty one counts as none.
    pub sid: Option<Box<str>>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<PrincipalClause>,
    /// `Action` or `NotAction`.
    pub actions: ActionClause,
    /// `Resource` or `NotResource`; `None` only in trust and repository policies.
    pub resources: Option<ResourceClause>,
    /// `Condition`, one item for each key of each operator: all must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does to the requests that it matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Allows them, unless something denies them.
    Allow,
    /// Denies them.
    Deny,
}

/// Who.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrincipalClause {
    /// Whether everyone but these is meant.
    pub negated: bool,
    /// At least one.
    pub principals: Vec<Principal>,
}

/// One principal of a clause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principal {
    /// An account: 12 digits, or the ARN of its root. It delegates to the account's own policies.
    Account(AccountId),
    /// `"*"`, alone or for `AWS`.
    Any,
    /// A user, role, role session or federated session.
    Arn(Arn),
    /// `CanonicalUser`, as written.
    CanonicalUser(Box<str>),
    /// `Federated`: an identity provider, as written.
    Federated(Box<str>),
    /// `Service`, as written.
    Service(Box<str>),
    /// The unique id (`AIDA…`, `AROA…`) of a user or role.
    UniqueId(Box<str>),
}

/// What is done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionClause {
    /// Whether everything but these is meant.
    pub negated: bool,
    /// At least one.
    pub patterns: Vec<ActionPattern>,
}

/// `service:name`, upper and lower case alike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionPattern {
    /// Where it stands.
    pub position: Position,
    /// The service, without wildcards; `None` for `*`, alone or before the colon.
    pub service: Option<Box<str>>,
    /// The name, with `*` and `?`.
    pub name: Box<str>,
}

/// To what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceClause {
    /// Whether everything but these is meant.
    pub negated: bool,
    /// At least one.
    pub patterns: Vec<ResourcePattern>,
}

/// One resource of a clause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourcePattern {
    /// Where it stands.
    pub position: Position,
    /// As written.
    pub text: Box<str>,
    /// As understood; `None` for `"*"`, everything.
    pub arn: Option<ArnPattern>,
}

/// One key that is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// Where the key stands.
    pub position: Position,
    /// The operator with its prefix and suffix.
    pub comparison: Comparison,
    /// The context key as written; upper and lower case do not matter.
    pub key: Box<str>,
    /// What it is compared with. May be empty: then no value matches.
    pub values: Vec<ConditionValue>,
}

/// One value of a condition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConditionValue {
    /// As written; numbers and truth values as text.
    pub text: Box<str>,
    /// As understood: with wildcards and variables only where the operator and the version have them. For operators of
    /// the ARN family, see [`ArnPattern::of`].
    pub template: Template,
}
