//! What nobody is to be stopped or alarmed by: an issue, where, until when, and why.

use super::finding::{Finding, ID_MAX, Kind};
use crate::clock::UnixTime;
use crate::ids::Malformed;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::{Digest, Reference, Tag};

/// The longest reason, in bytes.
pub const REASON_MAX: usize = 512;

/// What an exemption is of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IssueType {
    /// A failed check.
    Configuration,
    /// A vulnerability.
    Cve,
    /// A security notice, and with it what it speaks of.
    Notice,
}

impl IssueType {
    /// All, as they are listed.
    pub const ALL: [Self; 3] = [Self::Configuration, Self::Cve, Self::Notice];

    /// As Vulnerability Advisor calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Cve => "cve",
            Self::Notice => "sn",
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration Issue",
            Self::Cve => "Vulnerability",
            Self::Notice => "Security Notice",
        }
    }

    /// Reads a label.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(label: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|one| one.label().eq_ignore_ascii_case(label));
        found.ok_or_else(|| Malformed::new(label, "`cve`, `sn` or `configuration`"))
    }
}

/// Where an exemption holds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Scope {
    /// In all of the account.
    Account,
    /// In a namespace.
    Namespace(Namespace),
    /// In a repository.
    Repository(RepositoryName),
    /// Of what the tag or digest points to, with all that it is an index of.
    Image(RepositoryName, Reference),
}

impl Scope {
    /// Reads `*`, a namespace, `NAMESPACE/REPOSITORY`, and that with `:TAG` or `@DIGEST`.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed::new(text, "`*`, a namespace, a repository, or an image by tag or digest");
        let name = |text: &str| {
            RepositoryName::parse(text).ok().filter(|name| name.as_str().contains('/')).ok_or_else(wrong)
        };
        if text == "*" {
            return Ok(Self::Account);
        }
        if let Some((repository, digest)) = text.split_once('@') {
            let digest = Digest::parse(digest).map_err(|_| wrong())?;
            return Ok(Self::Image(name(repository)?, Reference::Digest(digest)));
        }
        if let Some((repository, tag)) = text.split_once(':') {
            let tag = Tag::parse(tag).map_err(|_| wrong())?;
            return Ok(Self::Image(name(repository)?, Reference::Tag(tag)));
        }
        match text.contains('/') {
            true => name(text).map(Self::Repository),
            false => Namespace::parse(text).map(Self::Namespace).map_err(|_| wrong()),
        }
    }

    /// What Vulnerability Advisor calls the kind of scope.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Namespace(_) => "namespace",
            Self::Repository(_) => "repository",
            Self::Image(..) => "image",
        }
    }

    /// Whether it has to do with anything in the repository.
    #[must_use]
    pub fn reaches(&self, repository: &RepositoryName) -> bool {
        match self {
            Self::Account => true,
            Self::Namespace(namespace) => namespace.as_str() == repository.namespace(),
            Self::Repository(name) | Self::Image(name, _) => name == repository,
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account => f.write_str("*"),
            Self::Namespace(namespace) => namespace.fmt(f),
            Self::Repository(name) => name.fmt(f),
            Self::Image(name, Reference::Digest(digest)) => write!(f, "{name}@{digest}"),
            Self::Image(name, Reference::Tag(tag)) => write!(f, "{name}:{tag}"),
        }
    }
}

/// Reads the id of an issue.
///
/// # Errors
/// [`Malformed`]
pub fn issue_id(text: &str) -> Result<Box<str>, Malformed> {
    let fits = !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    let wrong = || Malformed::new(text, "the id of an issue, such as CVE-2026-0001");
    fits.then(|| text.into()).ok_or_else(wrong)
}

/// One exemption.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exemption {
    /// Where.
    pub scope: Scope,
    /// Of what.
    pub issue_type: IssueType,
    /// Which.
    pub issue_id: Box<str>,
    /// Until when; `None` for good.
    pub expires_at: Option<UnixTime>,
    /// Why.
    pub reason: Box<str>,
}

impl Exemption {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.expires_at.is_some_and(|until| until <= now)
    }

    /// Whether it is of this issue.
    #[must_use]
    pub fn is_of(&self, issue_type: IssueType, id: &str) -> bool {
        self.issue_type == issue_type && self.issue_id.eq_ignore_ascii_case(id)
    }

    /// Whether it is of this finding, whatever it is told under. That of a notice is only if there is no other notice.
    #[must_use]
    pub fn is_of_finding(&self, finding: &Finding) -> bool {
        match (self.issue_type, finding.kind) {
            (IssueType::Configuration, Kind::Configuration) | (IssueType::Cve, Kind::Vulnerability) => {
                self.issue_id.eq_ignore_ascii_case(&finding.id)
            }
            (IssueType::Notice, Kind::Vulnerability) => {
                finding.told_under().all(|notice| self.issue_id.eq_ignore_ascii_case(notice))
            }
            (IssueType::Cve | IssueType::Notice, Kind::Configuration)
            | (IssueType::Configuration, Kind::Vulnerability) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exemption, IssueType, Scope};
    use crate::clock::UnixTime;
    use crate::findings::finding::{Finding, Kind, Said};
    use crate::registry::name::RepositoryName;

    fn finding(notices: &[&str]) -> Finding {
        let said = Said { id: "CVE-2026-1", notices: notices.to_vec(), ..Said::default() };
        Finding::of(Kind::Vulnerability, said).unwrap()
    }

    fn exemption(issue_type: IssueType, id: &str) -> Exemption {
        let expires_at = Some(UnixTime::from_seconds(10));
        let reason = Box::default();
        Exemption { scope: Scope::Account, issue_type, issue_id: id.into(), expires_at, reason }
    }

    #[test]
    fn scopes_are_read_and_written_alike() {
        let digest = format!("birds/owl@sha256:{}", "a".repeat(64));
        for text in ["*", "birds", "birds/owl", "birds/barn/owl", "birds/owl:v1", &digest] {
            assert_eq!(Scope::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "**", "Birds", "birds/", "birds:v1", "birds/owl@sha256:1", "birds/owl:", "a/b:c:d"]
        {
            assert!(Scope::parse(wrong).is_err(), "{wrong}");
        }
        let owl = RepositoryName::parse("birds/owl").unwrap();
        let reaches = |text: &str| Scope::parse(text).unwrap().reaches(&owl);
        assert!(reaches("*") && reaches("birds") && reaches("birds/owl") && reaches("birds/owl:v1"));
        assert!(!reaches("bird") && !reaches("birds/owlet") && !reaches("birds/owlet:v1"));
    }

    #[test]
    fn an_exemption_of_one_notice_of_two_is_not_of_the_finding() {
        let by_notice = exemption(IssueType::Notice, "dsa-1");
        assert!(by_notice.is_of_finding(&finding(&["DSA-1"])));
        assert!(!by_notice.is_of_finding(&finding(&["DSA-1", "DSA-2"])));
        assert!(!by_notice.is_of_finding(&finding(&[])));
        assert!(exemption(IssueType::Notice, "CVE-2026-1").is_of_finding(&finding(&[])));
        assert!(exemption(IssueType::Cve, "cve-2026-1").is_of_finding(&finding(&["DSA-1"])));
        assert!(!exemption(IssueType::Configuration, "CVE-2026-1").is_of_finding(&finding(&[])));
        assert!(
            !by_notice.is_over(UnixTime::from_seconds(9)) && by_notice.is_over(UnixTime::from_seconds(10))
        );
    }
}
