//! Configuration rules: what the settings of registries must be.
//!
//! [`document`] is a rule as it is written and stored; [`Rule`] is one that was read, which cannot fail; [`property`] is what
//! it can be about, [`operator`] how that is compared, and
//! [`attachment`] which registries it is for.

pub mod attachment;
pub mod document;
pub mod evaluate;
pub mod operator;
pub mod property;
#[cfg(test)]
mod tests;

use attachment::Attachment;
use operator::Operator;
use property::Property;

/// What is wrong with a rule, for people.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Mistake(pub String);

/// What becomes of a change that would break a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// It is recorded.
    AuditLog,
    /// It is refused.
    Disallow,
}

impl Enforcement {
    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AuditLog => "audit_log",
            Self::Disallow => "disallow",
        }
    }
}

/// What a registry is restricted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attribute {
    /// Its region.
    Region,
    /// Any of its names.
    Registry,
}

/// One attribute of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Which.
    pub attribute: Attribute,
    /// What it must be.
    pub operator: Operator,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// This comparison.
    One(Property, Operator),
}

/// A rule that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which registries it is about: those that fit all of these.
    pub targets: Vec<Target>,
    /// Where it is attached: it is about what any of these is for, and about all if there are none.
    pub attachments: Vec<Attachment>,
    /// What must hold there.
    pub condition: Condition,
    /// What becomes of changes that break it.
    pub enforcement: Vec<Enforcement>,
}
