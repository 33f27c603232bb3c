//! Notification channels: where alerts go, and which. In the shape of Security Insights, with what it has no words for beside.

use serde::{Deserialize, Serialize};

use super::Alert;
use super::source::AlertSource;
use super::topic::Topic;
use crate::findings::severity::Severity;
use crate::ids::issuer::DocumentUrl;

/// The longest name and description, in characters.
const NAME_MAX: usize = 128;
const DESCRIPTION_MAX: usize = 256;

/// The severities that a channel can be for, the worst first.
pub const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// Those that it is for unless it says otherwise; a goal asks for these.
pub const USUAL: [Severity; 3] = [Severity::Critical, Severity::High, Severity::Medium];

/// What the body of a message looks like.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A CloudEvent in structured form, with the findings as its data.
    CloudEvents,
    /// The findings; what makes it a CloudEvent stands in headers.
    #[default]
    Findings,
}

/// What a channel says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ChannelDocument {
    /// What people call it; unique in any case.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Where messages go.
    pub endpoint: String,
    /// How bad what it is told of is.
    pub severity: Vec<Severity>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// What it is told of.
    pub alert_source: Vec<AlertSource>,
    /// What its messages look like.
    pub format: Format,
}

impl ChannelDocument {
    /// Checks what it says, but for where the endpoint is.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let plain =
            |text: &str, max: usize| text.chars().count() <= max && !text.chars().any(char::is_control);
        if self.name.trim().is_empty() || !plain(&self.name, NAME_MAX) {
            return Err(format!("`name` has between 1 and {NAME_MAX} characters"));
        }
        if !plain(&self.description, DESCRIPTION_MAX) {
            return Err(format!("`description` has at most {DESCRIPTION_MAX} characters"));
        }
        self.url()?;
        if self.severity.is_empty() || self.severity.iter().any(|one| !SEVERITIES.contains(one)) {
            return Err("`severity` names at least one of critical, high, medium and low".to_owned());
        }
        let every = self.alert_source.iter().filter(|one| one.is_everybodys()).count();
        if self.alert_source.is_empty() || (every > 0 && self.alert_source.len() > 1) {
            return Err("`alert_source` names `ALL`, or other providers, each with its types".to_owned());
        }
        self.alert_source.iter().try_for_each(AlertSource::check)
    }

    /// Where messages go.
    ///
    /// # Errors
    /// Why it is no endpoint.
    pub fn url(&self) -> Result<DocumentUrl, String> {
        let url = DocumentUrl::parse(&self.endpoint);
        url.map_err(|_| {
            "`endpoint` is a URL such as `https://alerts.example.com/hook`: with https, a path, and no name or password"
                .to_owned()
        })
    }

    /// Whether it is to be told. Whoever tests a channel tells it, whatever it wants.
    #[must_use]
    pub fn wants(&self, alert: &Alert) -> bool {
        let wanted =
            || self.alert_source.iter().any(|source| source.wants(alert.topic, alert.reported.as_ref()));
        alert.topic == Topic::Test || (self.enabled && self.severity.contains(&alert.severity) && wanted())
    }

    /// Whether it is told of all that the goal is about: critical, high and medium vulnerabilities of images.
    #[must_use]
    pub fn covers_images(&self) -> bool {
        let usual = USUAL.iter().all(|one| self.severity.contains(one));
        let wanted = self.alert_source.iter().any(|one| one.wants(Topic::ImageWithVulnerabilities, None));
        self.enabled && usual && wanted
    }
}

#[cfg(test)]
pub(crate) fn sample(name: &str) -> ChannelDocument {
    ChannelDocument {
        name: name.to_owned(),
        description: String::new(),
        endpoint: "https://alerts.example.com/hook".to_owned(),
        severity: USUAL.to_vec(),
        enabled: true,
        alert_source: vec![AlertSource::every()],
        format: Format::Findings,
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertSource, ChannelDocument, Topic, sample};
    use crate::findings::alert::source::Finder;
    use crate::findings::alert::topic::Provider;
    use crate::findings::alert::{Reported, sample as alert};
    use crate::findings::severity::Severity;

    fn of(provider_name: Provider, types: &[&str]) -> ChannelDocument {
        let finding_types = types.iter().map(|one| (*one).to_owned()).collect();
        let provider_name = Finder::Own(provider_name);
        ChannelDocument { alert_source: vec![AlertSource { provider_name, finding_types }], ..sample("ops") }
    }

    #[test]
    fn a_channel_is_told_what_it_wants_and_nothing_else() {
        let critical = alert(Topic::ImageWithVulnerabilities, Severity::Critical);
        let drift = alert(Topic::GoalDrift, Severity::Low);
        let images = of(Provider::Va, &["image_with_vulnerabilities"]);
        assert!(images.wants(&critical) && images.covers_images());
        assert!(!images.wants(&drift) && !sample("ops").wants(&drift), "low is asked for by name");
        let goals = ChannelDocument { severity: vec![Severity::Low], ..of(Provider::Compliance, &[]) };
        assert!(goals.wants(&drift) && !goals.wants(&critical) && !goals.covers_images());
        let disabled = ChannelDocument { enabled: false, ..images.clone() };
        assert!(!disabled.wants(&critical) && !disabled.covers_images());
        assert!(disabled.wants(&alert(Topic::Test, Severity::Low)), "a test is always told");
        let partial = ChannelDocument { severity: vec![Severity::Critical, Severity::High], ..images };
        assert!(!partial.covers_images(), "medium is missing");
    }

    #[test]
    fn what_others_report_is_told_to_those_who_want_that_provider_or_everything() {
        let name = |text: &str| crate::findings::insight::InsightName::parse(text).unwrap();
        let reported = |provider: &str, note: &str| crate::findings::alert::Alert {
            reported: Some(Reported { provider: name(provider), note: name(note) }),
            ..alert(Topic::CustomFinding, Severity::Critical)
        };
        let of = |provider: &str, types: &[&str]| {
            let finding_types = types.iter().map(|one| (*one).to_owned()).collect();
            let source = AlertSource { provider_name: Finder::parse(provider).unwrap(), finding_types };
            let document = ChannelDocument { alert_source: vec![source], ..sample("ops") };
            assert_eq!(document.check(), Ok(()));
            let kept = serde_json::to_string(&document).unwrap();
            assert_eq!(serde_json::from_str::<ChannelDocument>(&kept).unwrap(), document);
            document
        };
        let found = reported("scanner", "old-base");
        assert!(of("ALL", &["ALL"]).wants(&found));
        assert!(of("scanner", &[]).wants(&found) && of("scanner", &["old-base"]).wants(&found));
        assert!(!of("scanner", &["other"]).wants(&found) && !of("other", &[]).wants(&found));
        assert!(!of("VA", &[]).wants(&found), "what others report is not what this server finds");
        assert!(!of("scanner", &[]).wants(&alert(Topic::ImageWithVulnerabilities, Severity::Critical)));
        assert_eq!(
            (Finder::parse("va"), Finder::parse("security-advisor"), Finder::parse("a b")),
            (None, None, None)
        );
    }

    #[test]
    fn what_a_channel_says_is_checked() {
        assert_eq!(sample("ops").check(), Ok(()));
        assert_eq!(of(Provider::Va, &["ALL"]).check(), Ok(()));
        let wrong = [
            ChannelDocument { name: " ".to_owned(), ..sample("") },
            ChannelDocument { endpoint: "http://example.com/x".to_owned(), ..sample("a") },
            ChannelDocument { endpoint: "https://user:word@example.com/x".to_owned(), ..sample("a") },
            ChannelDocument { endpoint: "https://example.com".to_owned(), ..sample("a") },
            ChannelDocument { severity: vec![], ..sample("a") },
            ChannelDocument { severity: vec![Severity::Unknown], ..sample("a") },
            ChannelDocument { alert_source: vec![], ..sample("a") },
            of(Provider::Va, &["goal_drift"]),
            of(Provider::All, &["image_with_config_issues"]),
        ];
        for one in wrong {
            assert!(one.check().is_err(), "{one:?}");
        }
        let mut both = of(Provider::Va, &[]);
        both.alert_source.push(AlertSource::every());
        assert!(both.check().is_err(), "ALL stands alone");
    }
}
