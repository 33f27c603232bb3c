//! One finding: what is wrong, in which package, and how to mend it.
//!
//! Its texts are somebody else's. They are cut and tamed when they are read, so that none of them moves a terminal's cursor
//! or fills a page.

use serde::{Deserialize, Serialize};

use super::severity::Severity;

/// The longest id of a vulnerability, notice or check, in bytes.
pub const ID_MAX: usize = 128;

/// The longest name of a package, version or link, in bytes.
const NAME_MAX: usize = 256;

/// The longest summary, in bytes.
const SUMMARY_MAX: usize = 512;

/// The most notices of one finding.
const NOTICES_MAX: usize = 16;

/// What a finding is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Kind {
    /// How the image is set up: a check that failed, or a secret that lies about.
    #[serde(rename = "c")]
    Configuration,
    /// A vulnerability of a package.
    #[serde(rename = "v")]
    Vulnerability,
}

/// One finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    #[serde(rename = "k")]
    pub kind: Kind,
    /// The vulnerability's or check's id: `CVE-2026-0001`.
    #[serde(rename = "i")]
    pub id: Box<str>,
    /// How bad.
    #[serde(rename = "s")]
    pub severity: Severity,
    /// The package.
    #[serde(rename = "p", default, skip_serializing_if = "str::is_empty")]
    pub package: Box<str>,
    /// The version that is in the image.
    #[serde(rename = "v", default, skip_serializing_if = "str::is_empty")]
    pub installed: Box<str>,
    /// The version that mends it; empty if there is none.
    #[serde(rename = "f", default, skip_serializing_if = "str::is_empty")]
    pub fixed: Box<str>,
    /// The security notices that speak of it.
    #[serde(rename = "n", default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Box<str>>,
    /// What it is, in a sentence.
    #[serde(rename = "t", default, skip_serializing_if = "str::is_empty")]
    pub summary: Box<str>,
    /// Where to read more.
    #[serde(rename = "l", default, skip_serializing_if = "str::is_empty")]
    pub link: Box<str>,
}

/// What a scanner says of one finding, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) id: &'a str,
    pub(super) severity: Option<Severity>,
    pub(super) package: &'a str,
    pub(super) installed: &'a str,
    pub(super) fixed: &'a str,
    pub(super) notices: Vec<&'a str>,
    pub(super) summary: &'a str,
    pub(super) link: &'a str,
}

impl Finding {
    /// Tames what a scanner said; `None` if it did not say what it is.
    pub(super) fn of(kind: Kind, said: Said<'_>) -> Option<Self> {
        let id = id(said.id)?;
        let mut notices: Vec<Box<str>> = said.notices.iter().filter_map(|one| self::id(one)).collect();
        notices.sort();
        notices.dedup();
        notices.retain(|one| *one != id);
        notices.truncate(NOTICES_MAX);
        let link = tamed(said.link, NAME_MAX);
        let is_web = link.starts_with("https://") || link.starts_with("http://");
        Some(Self {
            kind,
            id,
            severity: said.severity.unwrap_or(Severity::Unknown),
            package: tamed(said.package, NAME_MAX),
            installed: tamed(said.installed, NAME_MAX),
            fixed: tamed(said.fixed, NAME_MAX),
            notices,
            summary: tamed(said.summary, SUMMARY_MAX),
            link: if is_web { link } else { Box::default() },
        })
    }

    /// The notices that it is told under: those that speak of it, or itself.
    pub fn told_under(&self) -> impl Iterator<Item = &str> {
        let own = self.notices.is_empty().then_some(&*self.id);
        self.notices.iter().map(|one| &**one).chain(own)
    }

    /// Whether it is the same finding, however it is described.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    fn key(&self) -> (u8, &str, &str, &str) {
        (self.kind as u8, &self.id, &self.package, &self.installed)
    }
}

/// Each finding once, the worst first. Of two that are the same, the worse stays.
#[must_use]
pub fn distinct(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| a.key().cmp(&b.key()).then(b.severity.cmp(&a.severity)));
    findings.dedup_by(|later, kept| later.is(kept));
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.key().cmp(&b.key())));
    findings
}

/// An id as it is kept: visible ASCII without blanks. `None` if nothing is left of it.
pub(super) fn id(text: &str) -> Option<Box<str>> {
    let kept: String = text.trim().chars().filter(char::is_ascii_graphic).take(ID_MAX).collect();
    (!kept.is_empty()).then(|| kept.into())
}

/// A text on one line, without control characters, no longer than `max` bytes.
pub(super) fn tamed(text: &str, max: usize) -> Box<str> {
    let mut kept = String::new();
    for one in text.trim().chars() {
        let one = if one.is_control() || one.is_whitespace() { ' ' } else { one };
        if kept.len() + one.len_utf8() > max {
            break;
        }
        if one != ' ' || !kept.ends_with(' ') {
            kept.push(one);
        }
    }
    kept.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::{Finding, ID_MAX, Kind, Said};

    #[test]
    fn texts_are_tamed_and_cut_and_a_finding_without_an_id_is_none() {
        let summary = "one\u{1b}[31m two\r\n  three ".repeat(90);
        let said = Said {
            id: " CVE-2026-1\u{7} ",
            summary: &summary,
            link: "javascript:alert(1)",
            notices: vec!["DSA-1", "", "DSA-1", "CVE-2026-1"],
            ..Said::default()
        };
        let finding = Finding::of(Kind::Vulnerability, said).unwrap();
        assert_eq!((&*finding.id, &*finding.link), ("CVE-2026-1", ""));
        assert!(finding.summary.starts_with("one [31m two three one") && finding.summary.len() <= 512);
        assert_eq!(finding.notices, ["DSA-1".into()]);
        assert!(Finding::of(Kind::Vulnerability, Said { id: " \u{e9} ", ..Said::default() }).is_none());
        let long = "x".repeat(999);
        let cut = Finding::of(Kind::Vulnerability, Said { id: &long, ..Said::default() }).unwrap();
        assert_eq!(cut.id.len(), ID_MAX);
    }
}
