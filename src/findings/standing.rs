//! How an image stands: the worst that is known of it at an instant, with what is exempt then left out.
//!
//! It is what requests read, so it is small however many findings there are: of each severity a few examples, and by itself only
//! what some exemption may let through for a while or by one name.

use super::exemption::{Exemption, Scope};
use super::finding::{Finding, Kind};
use super::severity::Severity;
use crate::clock::UnixTime;
use crate::registry::reference::{Digest, Reference};

/// How many issues of a severity are named.
const EXAMPLES: usize = 3;

/// An exemption, as far as an issue is let through by it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Lift {
    until: Option<UnixTime>,
    /// By which name of the image; `None` by every one.
    by: Option<Reference>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Issue {
    severity: Severity,
    id: Box<str>,
    lifts: Vec<Lift>,
}

/// How many issues of one severity nothing lets through, and the first of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Level {
    count: usize,
    examples: Vec<Box<str>>,
}

/// How an image stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// When it was last scanned; `None` if never.
    pub scanned_at: Option<UnixTime>,
    levels: [Level; Severity::ALL.len()],
    lifted: Vec<Issue>,
}

/// The worst of an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Worst {
    /// How bad; `None` if nothing is wrong.
    pub severity: Option<Severity>,
    /// How many issues are as bad.
    pub count: usize,
    /// Some of them.
    pub examples: Vec<Box<str>>,
}

impl Standing {
    /// Of an image that has these findings, where these exemptions reach it.
    #[must_use]
    pub fn of(
        digest: &Digest,
        scanned_at: Option<UnixTime>,
        findings: &[Finding],
        exemptions: &[Exemption],
    ) -> Self {
        let mut standing = Self { scanned_at, ..Self::default() };
        let mut told: Vec<(&str, Severity)> = Vec::new();
        // The worst first, so that what is told twice counts as the worse.
        for finding in findings.iter().filter(|one| one.kind == Kind::Vulnerability) {
            let lifts = exemptions.iter().filter(|one| one.is_of_finding(finding)).map(|one| Lift {
                until: one.expires_at,
                by: match &one.scope {
                    Scope::Image(_, Reference::Digest(own)) if own == digest => None,
                    Scope::Image(_, by) => Some(by.clone()),
                    Scope::Account | Scope::Namespace(_) | Scope::Repository(_) => None,
                },
            });
            let lifts: Vec<Lift> = lifts.collect();
            if lifts.iter().any(|lift| lift.until.is_none() && lift.by.is_none()) {
                continue;
            }
            match lifts.is_empty() {
                false => {
                    let (severity, id) = (finding.severity, finding.id.clone());
                    standing.lifted.push(Issue { severity, id, lifts });
                }
                true => told.push((&finding.id, finding.severity)),
            }
        }
        told.sort_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        told.dedup_by_key(|(id, _)| *id);
        for (id, severity) in told {
            if let Some(level) = standing.levels.get_mut(severity as usize) {
                level.count += 1;
                if level.examples.len() < EXAMPLES {
                    level.examples.push(id.into());
                }
            }
        }
        standing
    }

    /// The names of the image by which something may be let through at that time.
    pub fn names(&self, now: UnixTime) -> impl Iterator<Item = &Reference> {
        let lifts = self.lifted.iter().flat_map(|issue| &issue.lifts);
        lifts.filter(move |lift| lift.is_in_force(now)).filter_map(|lift| lift.by.as_ref())
    }

    /// The worst at that time, of the image by these names.
    #[must_use]
    pub fn at(&self, now: UnixTime, names: &[Reference]) -> Worst {
        let lifted =
            |lift: &Lift| lift.is_in_force(now) && lift.by.as_ref().is_none_or(|by| names.contains(by));
        let open = |issue: &&Issue| !issue.lifts.iter().any(lifted);
        let open: Vec<&Issue> = self.lifted.iter().filter(open).collect();
        for severity in Severity::ALL.into_iter().rev() {
            let mut again =
                open.iter().filter(|issue| issue.severity == severity).map(|issue| issue.id.clone());
            let level = self.levels.get(severity as usize).cloned().unwrap_or_default();
            let mut examples = level.examples;
            examples.extend(again.by_ref().take(EXAMPLES.saturating_sub(examples.len())));
            let count = level.count + open.iter().filter(|issue| issue.severity == severity).count();
            if count > 0 {
                return Worst { severity: Some(severity), count, examples };
            }
        }
        Worst::default()
    }

    /// How much memory it takes, in issues.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lifted.len() + self.levels.iter().map(|level| level.examples.len()).sum::<usize>()
    }

    /// Whether it takes none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Lift {
    fn is_in_force(&self, now: UnixTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Worst {
    /// The worse of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self.severity.cmp(&other.severity) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal => {
                let mut examples = self.examples;
                for one in other.examples {
                    if examples.len() < EXAMPLES && !examples.contains(&one) {
                        examples.push(one);
                    }
                }
                Self { severity: self.severity, count: self.count.max(other.count), examples }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, Worst};
    use crate::clock::UnixTime;
    use crate::findings::exemption::{Exemption, IssueType, Scope};
    use crate::findings::finding::{Finding, Kind, Said};
    use crate::findings::severity::Severity;
    use crate::registry::reference::{Digest, Reference, Tag};

    fn digest(n: u8) -> Digest {
        Digest::parse(&format!("sha256:{:064x}", n)).unwrap()
    }

    fn finding(id: &str, severity: Severity) -> Finding {
        let said = Said { id, severity: Some(severity), ..Said::default() };
        Finding::of(Kind::Vulnerability, said).unwrap()
    }

    fn exempt(id: &str, scope: &str, until: Option<i64>) -> Exemption {
        Exemption {
            scope: Scope::parse(scope).unwrap(),
            issue_type: IssueType::Cve,
            issue_id: id.into(),
            expires_at: until.map(UnixTime::from_seconds),
            reason: Box::default(),
        }
    }

    fn at(standing: &Standing, seconds: i64, names: &[Reference]) -> Option<Severity> {
        standing.at(UnixTime::from_seconds(seconds), names).severity
    }

    #[test]
    fn an_exemption_counts_until_it_is_over_and_by_its_name_only() {
        let findings = [
            finding("CVE-1", Severity::Critical),
            finding("CVE-2", Severity::High),
            finding("CVE-3", Severity::Low),
        ];
        let tag = Reference::Tag(Tag::parse("v1").unwrap());
        let exemptions = [exempt("CVE-1", "*", Some(10)), exempt("CVE-2", "a/b:v1", None)];
        let standing = Standing::of(&digest(1), None, &findings, &exemptions);
        assert_eq!(at(&standing, 9, &[]), Some(Severity::High));
        assert_eq!(at(&standing, 9, std::slice::from_ref(&tag)), Some(Severity::Low));
        assert_eq!(at(&standing, 10, std::slice::from_ref(&tag)), Some(Severity::Critical));
        assert_eq!(standing.names(UnixTime::from_seconds(0)).collect::<Vec<_>>(), [&tag]);
    }

    #[test]
    fn one_by_digest_is_of_that_image_and_of_another_only_by_that_name() {
        let findings = [finding("CVE-1", Severity::Critical)];
        let scope = format!("a/b@{}", digest(1));
        let own = Standing::of(&digest(1), None, &findings, &[exempt("CVE-1", &scope, None)]);
        assert_eq!(at(&own, 0, &[]), None);
        let child = Standing::of(&digest(2), None, &findings, &[exempt("CVE-1", &scope, None)]);
        assert_eq!(at(&child, 0, &[]), Some(Severity::Critical));
        assert_eq!(at(&child, 0, &[Reference::Digest(digest(1))]), None);
    }

    #[test]
    fn what_is_told_twice_counts_once_as_the_worse_and_memory_stays_small() {
        let mut findings: Vec<Finding> =
            (0..5000).map(|n| finding(&format!("CVE-{n}"), Severity::High)).collect();
        findings.push(finding("CVE-7", Severity::Low));
        let standing = Standing::of(&digest(1), None, &findings, &[]);
        let worst = standing.at(UnixTime::from_seconds(0), &[]);
        assert_eq!((worst.severity, worst.count, worst.examples.len()), (Some(Severity::High), 5000, 3));
        assert_eq!(standing.len(), 3);
        let low = Worst { severity: Some(Severity::Low), ..Worst::default() };
        assert_eq!(low.or(worst).severity, Some(Severity::High));
    }
}
