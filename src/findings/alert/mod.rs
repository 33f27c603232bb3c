//! Alerts: what somebody is told, who wants to be told, how it is written, and when it is tried again.
//!
//! Pure: an alert is made elsewhere, kept in the store, and sent by whoever may open sockets.

pub mod channel;
pub mod message;
pub mod retry;
pub mod source;
pub mod topic;

use serde::{Deserialize, Serialize};

use self::topic::Topic;
use super::insight::InsightName;
use super::severity::Severity;
use crate::clock::UnixTime;
use crate::ids::region::Region;

/// How many issues an alert names; the others are only counted.
pub const ISSUES_MAX: u32 = 50;

/// A vulnerability, and where it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Issue {
    /// The vulnerability.
    pub id: Box<str>,
    /// The package.
    pub package: Box<str>,
}

/// Something that somebody is to be told. It says the same whenever it is sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Alert {
    /// Its id: the same in every delivery, and of no other alert.
    pub id: Box<str>,
    /// What it is about.
    pub topic: Topic,
    /// How bad.
    pub severity: Severity,
    /// When it happened.
    pub at: UnixTime,
    /// In which registry, if it is about one.
    pub region: Option<Region>,
    /// The id of the finding: that of an image is the same each time.
    pub occurrence: String,
    /// What it is about: an image, a goal, a rule, who was refused.
    pub resource: String,
    /// What kind of thing that is.
    pub resource_type: String,
    /// What has happened, in a sentence.
    pub summary: String,
    /// What to do.
    pub remedy: String,
    /// How many issues there are.
    pub count: u64,
    /// The first of them.
    pub issues: Vec<Issue>,
    /// Who has reported it, if this server has not found it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

/// Of whose note a finding is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reported {
    /// The note's provider.
    pub provider: InsightName,
    /// The note.
    pub note: InsightName,
}

impl Alert {
    /// What it waits in line with: alerts of one lane hold up one another, and no others of their topic.
    #[must_use]
    pub fn lane(&self) -> &str {
        match self.topic {
            Topic::CustomFinding => self.reported.as_ref().map_or("", |reported| reported.provider.as_str()),
            Topic::ImageWithVulnerabilities => self.resource.split('@').next().unwrap_or_default(),
            Topic::DeniedAccessSpike | Topic::GoalDrift | Topic::RuleDrift | Topic::Test => "",
        }
    }
}

#[cfg(test)]
pub(crate) fn sample(topic: Topic, severity: Severity) -> Alert {
    Alert {
        id: "msg_1".into(),
        topic,
        severity,
        at: UnixTime::from_seconds(1_767_225_600),
        region: Some("us-south".parse().unwrap()),
        occurrence: "va-image_with_vulnerabilities.birds.owl.00".to_owned(),
        resource: "birds/owl@sha256:00".to_owned(),
        resource_type: "container-image".to_owned(),
        summary: "2 new critical vulnerabilities".to_owned(),
        remedy: "mend it".to_owned(),
        count: 2,
        issues: vec![Issue { id: "CVE-2026-1".into(), package: "openssl".into() }],
        reported: None,
    }
}
