//! Reports: the verdicts of one profile at one time, and how each format lays them out.

use serde::{Deserialize, Serialize};

use super::drift::Drift;
use super::goal::Profile;
use super::verdict::{Status, Verdict};
use crate::clock::UnixTime;
use crate::ids::account::AccountId;

pub mod csv;
pub mod html;
pub mod junit;
pub mod oscal;
#[cfg(test)]
mod tests;

/// A report.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Report {
    /// The profile's id.
    pub profile: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whose.
    pub account: String,
    /// As of when.
    pub at: String,
    /// How many of what.
    pub summary: Summary,
    /// The verdicts, in the order of the profile.
    pub goals: Vec<Verdict>,
    /// What has turned lately, newest first.
    pub drift: Vec<Drift>,
}

/// How many verdicts came out how.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// In all.
    pub total: u32,
    /// As they should be.
    pub pass: u32,
    /// Not.
    pub fail: u32,
    /// Not to be told.
    pub unable_to_perform: u32,
    /// About nothing.
    pub not_applicable: u32,
    /// What passes of all that applies, in percent, rounded down; 100 if nothing applies.
    pub score: u32,
}

impl Summary {
    /// Counts.
    #[must_use]
    pub fn of(verdicts: &[Verdict]) -> Self {
        let count = |status| {
            let number = verdicts.iter().filter(|verdict| verdict.status == status).count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let (pass, fail) = (count(Status::Pass), count(Status::Fail));
        let (unable_to_perform, not_applicable) =
            (count(Status::UnableToPerform), count(Status::NotApplicable));
        let applies = pass + fail + unable_to_perform;
        let score = (pass * 100).checked_div(applies).unwrap_or(100);
        Self { total: applies + not_applicable, pass, fail, unable_to_perform, not_applicable, score }
    }
}

impl Report {
    /// The report on these verdicts.
    #[must_use]
    pub fn of(
        profile: &Profile,
        account: &AccountId,
        at: UnixTime,
        goals: Vec<Verdict>,
        drift: Vec<Drift>,
    ) -> Self {
        Self {
            profile: profile.id.clone(),
            name: profile.name.clone(),
            description: profile.description.clone(),
            account: account.to_string(),
            at: at.rfc3339(),
            summary: Summary::of(&goals),
            goals,
            drift,
        }
    }
}

/// Text as XML and HTML take it, in elements and in quoted attributes. What XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
