//! What has changed since the last verdicts, and who may have done it.

use serde::{Deserialize, Serialize};

use super::verdict::{Status, Verdict};
use crate::clock::UnixTime;

/// Something that somebody changed, as the audit log has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Deed {
    /// When.
    pub at: UnixTime,
    /// Who: the IAM id.
    pub principal: String,
    /// What they are called.
    pub name: String,
    /// What they did, as policies name it.
    pub action: String,
    /// To what.
    pub target: String,
    /// The request, as the audit log knows it.
    pub request_id: String,
}

impl Deed {
    /// Whether its action begins with one of these.
    #[must_use]
    pub fn is_one_of(&self, causes: &[&str]) -> bool {
        causes.iter().any(|begin| self.action.starts_with(begin))
    }

    /// It in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { principal, name, action, target, .. } = self;
        let what = if target.is_empty() { String::new() } else { format!(" on {target}") };
        format!("{name} ({principal}) did {action}{what}")
    }
}

/// A verdict that is another than before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Drift {
    /// The profile, or `rules`.
    pub profile: String,
    /// The goal or rule.
    pub id: String,
    /// What it asks.
    pub description: String,
    /// When it was noticed.
    pub at: UnixTime,
    /// What it was.
    pub from: Status,
    /// Since when it had been that.
    pub from_since: String,
    /// What it is.
    pub to: Status,
    /// What was found.
    pub found: String,
    /// On what.
    pub resource: String,
    /// The last thing that somebody did before that can have turned it.
    pub cause: Option<Deed>,
}

impl Drift {
    /// It in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let verb = |status: Status| match status {
            Status::Pass => ("passed", "passes"),
            Status::Fail => ("failed", "fails"),
            Status::UnableToPerform => ("could not be told", "cannot be told"),
            Status::NotApplicable => ("did not apply", "does not apply"),
        };
        let because = match &self.cause {
            Some(deed) => format!("because {}", deed.words()),
            None => "and no change of policies or settings explains it".to_owned(),
        };
        let ((was, _), (_, is)) = (verb(self.from), verb(self.to));
        format!(
            "{was} since {}, {is} since {}, {because}: {}",
            self.from_since,
            self.at.rfc3339(),
            self.found
        )
    }
}

/// Gives each verdict the time since when it has had its status, and says which have another than before.
#[must_use]
pub fn compare(
    profile: &str,
    before: &[Verdict],
    now: &mut [Verdict],
    at: UnixTime,
    cause: impl Fn(&str) -> Option<Deed>,
) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for verdict in now {
        let Some(old) = before.iter().find(|old| old.id == verdict.id) else { continue };
        if old.status == verdict.status {
            verdict.since.clone_from(&old.since);
            continue;
        }
        drifts.push(Drift {
            profile: profile.to_owned(),
            id: verdict.id.clone(),
            description: verdict.description.clone(),
            at,
            from: old.status,
            from_since: old.since.clone(),
            to: verdict.status,
            found: verdict.found.clone(),
            resource: verdict.resource.clone(),
            cause: cause(&verdict.id),
        });
    }
    drifts
}
