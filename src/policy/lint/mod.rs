//! What is odd about a valid document: statements that match nothing, add nothing, or allow too much.
//!
//! It is advice with positions. It never refuses anything, and decisions do not depend on it.

mod cover;
pub mod ibm;
mod statement;

use super::aws::document::Document;
use super::aws::json::Position;
use super::engine::compiled::actions;
use super::table::ActionTable;

/// What is odd.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Problem {
    /// `*`, `?` or `${…}` that is plain text where it stands.
    Literal,
    /// A statement, or a part of one, that can match nothing.
    NeverMatches,
    /// An Allow that reaches further than anybody means.
    OverBroad,
    /// Another statement of the same effect says all of it.
    Shadowed,
    /// An action that nobody here knows.
    UnknownAction,
    /// An Allow that a Deny of the same document takes back entirely.
    Unreachable,
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Something that is written down does not do what it says.
    Error,
    /// It does what it says; whether that was meant is for a person to say.
    Warning,
}

impl Problem {
    /// How much it matters.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::NeverMatches | Self::Unreachable => Level::Error,
            Self::Literal | Self::OverBroad | Self::Shadowed | Self::UnknownAction => Level::Warning,
        }
    }

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Literal => "literal",
            Self::NeverMatches => "never-matches",
            Self::OverBroad => "over-broad",
            Self::Shadowed => "shadowed",
            Self::UnknownAction => "unknown-action",
            Self::Unreachable => "unreachable",
        }
    }
}

/// One remark.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What is odd.
    pub problem: Problem,
    /// Where.
    pub position: Position,
    /// In words, with what to do.
    pub advice: String,
}

/// Looks at a document; the findings are in its order.
#[must_use]
pub fn lint(document: &Document, table: &ActionTable) -> Vec<Finding> {
    let mut found = Vec::new();
    for statement in &document.statements {
        statement::look(statement, document.version, table, &mut found);
    }
    let sets: Vec<_> = document.statements.iter().map(|one| actions(&one.actions, table)).collect();
    cover::look(&document.statements, &sets, &mut found);
    found.sort_by_key(|finding| (finding.position, finding.problem));
    found
}

fn finding(problem: Problem, position: Position, advice: impl Into<String>) -> Finding {
    Finding { problem, position, advice: advice.into() }
}

#[cfg(test)]
mod tests;
