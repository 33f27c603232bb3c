//! What a report page says of one image: every vulnerability with its notices and packages, and what of it is exempt.

use std::collections::BTreeMap;

use super::exemption::{Exemption, IssueType};
use super::finding::{Finding, Kind};
use super::severity::Severity;
use crate::clock::UnixTime;

/// The verdict on an image, in Vulnerability Advisor's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Something is wrong.
    Fail,
    /// Nothing is.
    Ok,
    /// Nobody has looked.
    Unscanned,
    /// What is wrong is exempt.
    Warn,
}

impl Status {
    /// As the API writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            Self::Ok => "OK",
            Self::Unscanned => "UNSCANNED",
            Self::Warn => "WARN",
        }
    }
}

/// How much of something is exempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exempt {
    /// Nothing.
    Active,
    /// All of it.
    Exempt,
    /// Some of its notices.
    Partial,
}

impl Exempt {
    /// As the API writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Exempt => "exempt",
            Self::Partial => "partial",
        }
    }
}

/// A notice of a vulnerability.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice<'f> {
    /// Its id; the vulnerability's own, if nobody has given notice.
    pub id: &'f str,
    /// Whether it is exempt.
    pub exempt: bool,
    /// What it speaks of, package by package.
    pub findings: Vec<&'f Finding>,
}

/// A vulnerability.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vulnerability<'f> {
    /// Its id.
    pub id: &'f str,
    /// How bad; the worst that is said.
    pub severity: Severity,
    /// What it is.
    pub summary: &'f str,
    /// Whether it is exempt by its own id.
    pub cve_exempt: bool,
    /// Whether it is exempt in all.
    pub exempt: Exempt,
    /// The notices that speak of it.
    pub notices: Vec<Notice<'f>>,
}

/// A failed check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check<'f> {
    /// The finding.
    pub finding: &'f Finding,
    /// Whether it is exempt.
    pub exempt: bool,
}

/// The verdict on one image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Assessment<'f> {
    /// Its vulnerabilities, the worst first.
    pub vulnerabilities: Vec<Vulnerability<'f>>,
    /// Its failed checks.
    pub checks: Vec<Check<'f>>,
}

/// How many of each, for lists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Vulnerabilities that are not exempt.
    pub vulnerabilities: usize,
    /// Those that are.
    pub exempt_vulnerabilities: usize,
    /// Failed checks that are not exempt.
    pub checks: usize,
    /// Those that are.
    pub exempt_checks: usize,
}

impl Tally {
    /// What is wrong and not exempt.
    #[must_use]
    pub const fn issues(&self) -> usize {
        self.vulnerabilities.saturating_add(self.checks)
    }

    /// What is wrong and exempt.
    #[must_use]
    pub const fn exempt(&self) -> usize {
        self.exempt_vulnerabilities.saturating_add(self.exempt_checks)
    }

    /// The verdict on an image that was looked at.
    #[must_use]
    pub const fn status(&self) -> Status {
        match (self.issues(), self.exempt()) {
            (0, 0) => Status::Ok,
            (0, _) => Status::Warn,
            (_, _) => Status::Fail,
        }
    }
}

/// Judges findings at that time. `exemptions` are those that reach the image by the name that it was asked for.
#[must_use]
pub fn assess<'f>(findings: &'f [Finding], exemptions: &[Exemption], now: UnixTime) -> Assessment<'f> {
    let in_force: Vec<&Exemption> = exemptions.iter().filter(|one| !one.is_over(now)).collect();
    let exempt = |kind: IssueType, id: &str| in_force.iter().any(|one| one.is_of(kind, id));
    let mut by_id: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let mut checks = Vec::new();
    for finding in findings {
        match finding.kind {
            Kind::Configuration => {
                checks.push(Check { finding, exempt: exempt(IssueType::Configuration, &finding.id) });
            }
            Kind::Vulnerability => by_id.entry(&finding.id).or_default().push(finding),
        }
    }
    let told = by_id.into_iter().map(|(id, findings)| vulnerability(id, &findings, &exempt));
    let mut vulnerabilities: Vec<Vulnerability<'f>> = told.collect();
    vulnerabilities.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(b.id)));
    Assessment { vulnerabilities, checks }
}

fn vulnerability<'f>(
    id: &'f str,
    findings: &[&'f Finding],
    exempt: &impl Fn(IssueType, &str) -> bool,
) -> Vulnerability<'f> {
    let mut notices: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        for notice in finding.told_under() {
            notices.entry(notice).or_default().push(finding);
        }
    }
    let notice = |(id, findings): (&'f str, Vec<&'f Finding>)| Notice {
        id,
        exempt: exempt(IssueType::Notice, id),
        findings,
    };
    let notices: Vec<Notice<'f>> = notices.into_iter().map(notice).collect();
    let cve_exempt = exempt(IssueType::Cve, id);
    let exempt = match notices.iter().filter(|notice| notice.exempt).count() {
        _ if cve_exempt => Exempt::Exempt,
        0 => Exempt::Active,
        some if some == notices.len() => Exempt::Exempt,
        _ => Exempt::Partial,
    };
    let summary = findings.iter().map(|one| &*one.summary).find(|text| !text.is_empty());
    let severity = findings.iter().map(|one| one.severity).max();
    Vulnerability {
        id,
        severity: severity.unwrap_or(Severity::Unknown),
        summary: summary.unwrap_or_default(),
        cve_exempt,
        exempt,
        notices,
    }
}

impl Assessment<'_> {
    /// How many of each.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let exempt = self.vulnerabilities.iter().filter(|one| one.exempt == Exempt::Exempt).count();
        let exempt_checks = self.checks.iter().filter(|one| one.exempt).count();
        Tally {
            vulnerabilities: self.vulnerabilities.len() - exempt,
            exempt_vulnerabilities: exempt,
            checks: self.checks.len() - exempt_checks,
            exempt_checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exempt, Status, Tally, assess};
    use crate::clock::UnixTime;
    use crate::findings::exemption::{Exemption, IssueType, Scope};
    use crate::findings::finding::{Finding, Kind, Said};
    use crate::findings::severity::Severity;

    fn finding(id: &str, package: &str, notices: &[&str]) -> Finding {
        let severity = Some(Severity::High);
        let said = Said { id, package, severity, notices: notices.to_vec(), ..Said::default() };
        Finding::of(Kind::Vulnerability, said).unwrap()
    }

    fn exempt(issue_type: IssueType, id: &str) -> Exemption {
        let (scope, reason) = (Scope::Account, Box::default());
        Exemption { scope, issue_type, issue_id: id.into(), expires_at: None, reason }
    }

    #[test]
    fn vulnerabilities_are_told_once_with_their_notices_and_what_of_them_is_exempt() {
        let findings = [
            finding("CVE-1", "a", &["DSA-1", "DSA-2"]),
            finding("CVE-1", "b", &["DSA-1"]),
            finding("CVE-2", "a", &[]),
        ];
        let now = UnixTime::from_seconds(0);
        let partial = [exempt(IssueType::Notice, "DSA-1")];
        let seen = assess(&findings, &partial, now);
        assert_eq!(seen.vulnerabilities[0].exempt, Exempt::Partial);
        assert_eq!(seen.vulnerabilities[0].notices[0].findings.len(), 2);
        assert_eq!((seen.vulnerabilities[1].notices[0].id, seen.tally().issues()), ("CVE-2", 2));
        let all = [exempt(IssueType::Cve, "CVE-1"), exempt(IssueType::Notice, "CVE-2")];
        let tally = assess(&findings, &all, now).tally();
        assert_eq!((tally.issues(), tally.exempt(), tally.status()), (0, 2, Status::Warn));
        assert_eq!(Tally::default().status(), Status::Ok);
    }
}
