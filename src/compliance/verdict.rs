//! Verdicts: of one goal or rule, as reports show them and as the store keeps them.

use serde::{Deserialize, Serialize};

use super::goal::Severity;
use crate::clock::UnixTime;

/// How it came out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// It cannot be told.
    UnableToPerform,
    /// There is nothing that it is about.
    NotApplicable,
}

impl Status {
    /// Every status, the worst first.
    pub const ALL: [Self; 4] = [Self::Fail, Self::UnableToPerform, Self::Pass, Self::NotApplicable];

    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::UnableToPerform => "unable_to_perform",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Finds a status by its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.label() == word)
    }

    /// That of the whole, of those of its parts: the worst, and `NotApplicable` where there are none.
    #[must_use]
    pub fn worst(parts: impl Iterator<Item = Self> + Clone) -> Self {
        let has = |status: &Self| parts.clone().any(|part| part == *status);
        Self::ALL.into_iter().find(has).unwrap_or(Self::NotApplicable)
    }
}

/// What was found on one resource.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Judged {
    /// Its CRN or ARN, or what it is called.
    pub resource: String,
    /// How it came out there.
    pub status: Status,
    /// What is there.
    pub found: String,
    /// How to mend it: a command to paste; empty where nothing needs mending.
    pub fix: String,
}

/// What a check says: nothing of time, and nothing of the goal that it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// What should be.
    pub expected: String,
    /// What is, resource by resource.
    pub resources: Vec<Judged>,
}

impl Judgement {
    /// The status of the whole.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::worst(self.resources.iter().map(|judged| judged.status))
    }
}

/// The verdict on one goal or rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verdict {
    /// Of which goal or rule.
    pub id: String,
    /// What it asks, with the parameter in place of `#`.
    pub description: String,
    /// The parameter.
    pub parameter: Option<u32>,
    /// How much it matters.
    pub severity: Severity,
    /// How it came out.
    pub status: Status,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// Where: those resources that made the status what it is.
    pub resource: String,
    /// Since when it has had this status.
    pub since: String,
    /// How to mend it: a command to paste; empty where nothing needs mending.
    pub fix: String,
    /// Resource by resource.
    pub resources: Vec<Judged>,
}

/// How many resources are named before it says how many more there are.
const NAMED: usize = 5;

fn joined<'a>(texts: impl Iterator<Item = &'a str>, by: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    let more = kept.len().saturating_sub(NAMED);
    kept.truncate(NAMED);
    let mut line = kept.join(by);
    if more > 0 {
        line.push_str(&format!("{by}and {more} more"));
    }
    line
}

impl Verdict {
    /// The verdict that a judgement comes to, as of `at`.
    #[must_use]
    pub fn of(
        (id, description): (&str, &str),
        parameter: Option<u32>,
        severity: Severity,
        judgement: Judgement,
        at: UnixTime,
    ) -> Self {
        let status = judgement.status();
        let telling = || judgement.resources.iter().filter(|judged| judged.status == status);
        let number = parameter.map(|number| number.to_string()).unwrap_or_default();
        let fixes = judgement.resources.iter().filter(|judged| judged.status != Status::Pass);
        Self {
            id: id.to_owned(),
            description: description.replace('#', &number),
            parameter,
            severity,
            status,
            found: match judgement.resources.is_empty() {
                true => "nothing that it is about".to_owned(),
                false => joined(telling().map(|judged| judged.found.as_str()), "; "),
            },
            resource: joined(telling().map(|judged| judged.resource.as_str()), ", "),
            since: at.rfc3339(),
            fix: fixes.map(|judged| judged.fix.as_str()).find(|fix| !fix.is_empty()).unwrap_or("").to_owned(),
            expected: judgement.expected,
            resources: judgement.resources,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Judged, Judgement, Status, Verdict};
    use crate::clock::UnixTime;
    use crate::compliance::goal::Severity;

    fn judged(resource: &str, status: Status) -> Judged {
        let found = format!("{resource} is {}", status.label());
        Judged { resource: resource.to_owned(), status, found, fix: format!("mend {resource}") }
    }

    fn verdict(resources: Vec<Judged>) -> Verdict {
        let judgement = Judgement { expected: "all is well".to_owned(), resources };
        let words = ("1", "Check whether at most # are broken");
        Verdict::of(words, Some(3), Severity::Low, judgement, UnixTime::from_seconds(0))
    }

    #[test]
    fn the_worst_resource_decides_and_is_the_one_that_is_named() {
        let mixed =
            verdict(vec![judged("a", Status::Pass), judged("b", Status::Fail), judged("c", Status::Fail)]);
        assert_eq!((mixed.status, mixed.resource.as_str()), (Status::Fail, "b, c"));
        assert_eq!((mixed.found.as_str(), mixed.fix.as_str()), ("b is fail; c is fail", "mend b"));
        assert_eq!(mixed.description, "Check whether at most 3 are broken");
        let good = verdict(vec![judged("a", Status::Pass)]);
        assert_eq!((good.status, good.fix.as_str()), (Status::Pass, ""));
        assert_eq!(verdict(Vec::new()).status, Status::NotApplicable);
    }

    #[test]
    fn many_resources_are_counted_and_not_all_named() {
        let many = (0..9).map(|n| judged(&n.to_string(), Status::Fail)).collect();
        assert!(verdict(many).resource.ends_with("4, and 4 more"));
    }
}
