//! How bad a finding is, in the words that scanners and clouds share.

use serde::{Deserialize, Serialize};

/// How bad, the least first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Severity {
    /// Nobody has said.
    #[serde(rename = "U")]
    Unknown,
    /// Not worth mending.
    #[serde(rename = "N")]
    Negligible,
    /// Low.
    #[serde(rename = "L")]
    Low,
    /// Medium.
    #[serde(rename = "M")]
    Medium,
    /// High.
    #[serde(rename = "H")]
    High,
    /// Critical.
    #[serde(rename = "C")]
    Critical,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Negligible, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As policies, ECR and Security Insights write it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Negligible => "NEGLIGIBLE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// What a scanner's word means, in any case. A word that nobody knows is no severity that anybody has said.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let known = |words: &[&str]| words.iter().any(|one| one.eq_ignore_ascii_case(word));
        if known(&["critical"]) {
            Self::Critical
        } else if known(&["high", "important"]) {
            Self::High
        } else if known(&["medium", "moderate"]) {
            Self::Medium
        } else if known(&["low", "minor"]) {
            Self::Low
        } else if known(&["negligible", "none", "info", "informational"]) {
            Self::Negligible
        } else {
            Self::Unknown
        }
    }

    /// What a CVSS score means (v3, section 5).
    #[must_use]
    pub fn of_score(score: f64) -> Self {
        match score {
            _ if score >= 9.0 => Self::Critical,
            _ if score >= 7.0 => Self::High,
            _ if score >= 4.0 => Self::Medium,
            _ if score > 0.0 => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// Whether somebody is to be told when such a finding is new.
    #[must_use]
    pub const fn alarms(self) -> bool {
        match self {
            Self::Unknown | Self::Negligible | Self::Low => false,
            Self::Medium | Self::High | Self::Critical => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn every_word_and_score_is_some_severity_and_the_worst_is_the_greatest() {
        assert_eq!(Severity::of_word("Important"), Severity::High);
        assert_eq!(Severity::of_word("whatever"), Severity::Unknown);
        assert_eq!(Severity::of_score(9.8), Severity::Critical);
        assert_eq!(Severity::of_score(f64::NAN), Severity::Unknown);
        assert_eq!(Severity::ALL.iter().max(), Some(&Severity::Critical));
        for severity in Severity::ALL {
            assert_eq!(Severity::of_word(severity.label()), severity);
        }
    }
}
