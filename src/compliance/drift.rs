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

#[cfg(test)]
mod tests {
    use super::{Deed, compare};
    use crate::clock::UnixTime;
    use crate::compliance::goal::Severity;
    use crate::compliance::verdict::{Judged, Judgement, Status, Verdict};

    fn verdict(id: &str, status: Status, at: i64) -> Verdict {
        let judged = Judged { resource: "r".into(), status, found: "f".into(), fix: String::new() };
        let judgement = Judgement { expected: "e".into(), resources: vec![judged] };
        Verdict::of((id, "d"), None, Severity::Low, judgement, UnixTime::from_seconds(at))
    }

    fn deed(action: &str) -> Deed {
        Deed {
            at: UnixTime::from_seconds(99),
            principal: "IBMid-1".into(),
            name: "eve".into(),
            action: action.into(),
            target: "policy-1".into(),
            request_id: "r".into(),
        }
    }

    #[test]
    fn what_has_not_turned_keeps_its_time_and_what_has_names_its_cause() {
        let before = [verdict("same", Status::Pass, 1), verdict("turned", Status::Pass, 2)];
        let mut now = [
            verdict("same", Status::Pass, 100),
            verdict("turned", Status::Fail, 100),
            verdict("new", Status::Fail, 100),
        ];
        let at = UnixTime::from_seconds(100);
        let drifts = compare("p", &before, &mut now, at, |_| Some(deed("iam.policy.create")));
        let since: Vec<&str> = now.iter().map(|verdict| verdict.since.as_str()).collect();
        let times = [1, 100, 100].map(|seconds| UnixTime::from_seconds(seconds).rfc3339());
        assert_eq!(since, times);
        assert_eq!(
            drifts.iter().map(|drift| drift.id.as_str()).collect::<Vec<_>>(),
            ["turned"],
            "what is new has not turned"
        );
        assert_eq!(
            drifts[0].sentence(),
            "passed since 1970-01-01T00:00:02.000Z, fails since 1970-01-01T00:01:40.000Z, because eve (IBMid-1) did \
             iam.policy.create on policy-1: f"
        );
    }

    #[test]
    fn only_what_can_turn_a_goal_is_a_cause() {
        let causes = ["iam.policy.", "iam:"];
        for (action, is_one) in [
            ("iam.policy.delete", true),
            ("iam:AttachUserPolicy", true),
            ("iam-identity.apikey.create", false),
            ("container-registry.auth.set", false),
        ] {
            assert_eq!(deed(action).is_one_of(&causes), is_one, "{action}");
        }
    }
}
