//! What alerts are about, and who finds it.

use serde::{Deserialize, Serialize};

/// Who finds what alerts are about, in the words of Security Insights where it has any.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Provider {
    /// Everybody.
    #[serde(rename = "ALL")]
    All,
    /// Activity Insights: what callers do.
    #[serde(rename = "ATA")]
    Ata,
    /// Our own: goals and configuration rules.
    #[serde(rename = "compliance")]
    Compliance,
    /// Vulnerability Advisor.
    #[serde(rename = "VA")]
    Va,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::All, Self::Ata, Self::Compliance, Self::Va];

    /// As channels write it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Ata => "ATA",
            Self::Compliance => "compliance",
            Self::Va => "VA",
        }
    }
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Something that others have reported.
    CustomFinding,
    /// Somebody was refused very often.
    DeniedAccessSpike,
    /// A goal that held does not hold any more.
    GoalDrift,
    /// An image has vulnerabilities that it did not have before.
    ImageWithVulnerabilities,
    /// A configuration rule that held does not hold any more.
    RuleDrift,
    /// Nothing has happened: somebody wants to see whether a channel works.
    Test,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CustomFinding,
        Self::DeniedAccessSpike,
        Self::GoalDrift,
        Self::ImageWithVulnerabilities,
        Self::RuleDrift,
        Self::Test,
    ];

    /// Who of our own finds it; nobody finds a test, and what others find, they say themselves.
    #[must_use]
    pub const fn provider(self) -> Option<Provider> {
        match self {
            Self::DeniedAccessSpike => Some(Provider::Ata),
            Self::GoalDrift | Self::RuleDrift => Some(Provider::Compliance),
            Self::ImageWithVulnerabilities => Some(Provider::Va),
            Self::CustomFinding | Self::Test => None,
        }
    }

    /// The type of finding.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CustomFinding => "custom_finding",
            Self::DeniedAccessSpike => "denied_access_spike",
            Self::GoalDrift => "goal_drift",
            Self::ImageWithVulnerabilities => "image_with_vulnerabilities",
            Self::RuleDrift => "rule_drift",
            Self::Test => "test",
        }
    }

    /// The note that such a finding is an occurrence of.
    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::CustomFinding => "custom",
            Self::DeniedAccessSpike => "ata-registry-indicative-denied-access",
            Self::GoalDrift => "compliance-goal_drift",
            Self::ImageWithVulnerabilities => "va-image_with_vulnerabilities",
            Self::RuleDrift => "compliance-rule_drift",
            Self::Test => "test",
        }
    }

    /// The type of the event: IBM's where Event Notifications has one.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::CustomFinding => "portcullis.finding",
            Self::DeniedAccessSpike => "com.ibm.cloud.compliance.ata",
            Self::ImageWithVulnerabilities => "com.ibm.cloud.compliance.va",
            Self::GoalDrift | Self::RuleDrift => "portcullis.compliance.drift",
            Self::Test => "portcullis.test",
        }
    }
}
