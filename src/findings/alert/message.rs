//! How an alert is written: Security Insights' webhook payload, as a CloudEvent 1.0.
//!
//! The same alert is always written alike for the same channel, so that a receiver that is told twice can see that it was.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::Alert;
use super::channel::Format;
use super::topic::{Provider, Topic};
use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::tagged::NotificationChannelId;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;

/// Who reports.
pub const PROVIDER: &str = "security-advisor";

/// What a CloudEvent's header percent-encodes (HTTP binding, 3.1.3.2).
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// From where an alert is told.
#[derive(Clone, Debug)]
pub struct Teller {
    /// The account.
    pub account: AccountId,
    /// Where readers of the alert find more: `https://us.registry.test`.
    pub url: String,
}

/// A message, but for its signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The alert's id.
    pub id: Box<str>,
    /// What kind of document the body is.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The id under which an image's finding is shown.
#[must_use]
pub fn occurrence_id(note: &str, repository: &RepositoryName, digest: &Digest) -> String {
    let hex = digest.as_str().rsplit(':').next().unwrap_or_default();
    format!("{note}.{}.{hex}", repository.as_str().replace('/', "."))
}

/// Writes an alert for a channel.
#[must_use]
pub fn write(alert: &Alert, teller: &Teller, (format, channel): (Format, &NotificationChannelId)) -> Message {
    let findings = json!({"findings": [finding(alert, teller, channel)]});
    let region = alert.region.as_ref().map_or("", |region| region.as_str());
    let source = format!("crn:v1:bluemix:public:container-registry:{region}:a/{}:::", teller.account);
    let (kind, time) = (alert.topic.event(), alert.at.rfc3339());
    match format {
        Format::CloudEvents => {
            let event = json!({
                "specversion": "1.0",
                "id": alert.id,
                "source": source,
                "type": kind,
                "subject": alert.resource,
                "time": time,
                "datacontenttype": "application/json",
                "data": findings,
            });
            let body = event.to_string().into_bytes();
            let content_type = "application/cloudevents+json; charset=utf-8";
            Message { id: alert.id.clone(), content_type, headers: Vec::new(), body }
        }
        Format::Findings => {
            let headers = vec![
                ("ce-specversion", "1.0".to_owned()),
                ("ce-id", alert.id.to_string()),
                ("ce-source", source),
                ("ce-type", kind.to_owned()),
                ("ce-subject", utf8_percent_encode(&alert.resource, ENCODED).to_string()),
                ("ce-time", time),
            ];
            let body = findings.to_string().into_bytes();
            Message { id: alert.id.clone(), content_type: "application/json", headers, body }
        }
    }
}

fn finding(alert: &Alert, teller: &Teller, channel: &NotificationChannelId) -> Value {
    json!({
        // For whom it is: the signature by the account's key is over this, and would else be good before any receiver.
        "channel_id": channel,
        "severity": alert.severity.label(),
        "issuer": "Portcullis",
        "issuer-url": teller.url,
        "id": alert.id,
        "payload-type": "findings",
        "payload-link": link(alert, teller),
        "provider": provider(alert).unwrap_or_else(|| alert.topic.provider().map_or("test", Provider::label)),
        "payload": occurrence(alert, teller),
    })
}

/// Where more is said of it.
fn link(alert: &Alert, Teller { account, url }: &Teller) -> String {
    match alert.topic {
        Topic::ImageWithVulnerabilities => {
            format!("{url}/findings/v1/{account}/providers/{PROVIDER}/occurrences/{}", alert.occurrence)
        }
        Topic::CustomFinding => {
            let provider = provider(alert).unwrap_or(PROVIDER);
            format!("{url}/findings/v1/{account}/providers/{provider}/occurrences/{}", alert.occurrence)
        }
        Topic::GoalDrift | Topic::RuleDrift => format!("{url}/api/native/compliance/history"),
        Topic::DeniedAccessSpike | Topic::Test => url.clone(),
    }
}

/// Who has reported it, if this server has not found it itself.
fn provider(alert: &Alert) -> Option<&str> {
    alert.reported.as_ref().map(|reported| reported.provider.as_str())
}

fn occurrence(alert: &Alert, Teller { account, .. }: &Teller) -> Value {
    let id = provider(alert).unwrap_or(PROVIDER);
    let note = alert.reported.as_ref().map_or(alert.topic.note(), |reported| reported.note.as_str());
    let provider = format!("{account}/providers/{id}");
    let time = |at: UnixTime| (at.rfc3339(), at.millis());
    let (told, millis) = time(alert.at);
    json!({
        "kind": "FINDING",
        "id": alert.occurrence,
        "note_name": format!("{provider}/notes/{note}"),
        "provider_id": id,
        "provider_name": provider,
        "short_description": alert.summary,
        "remediation": alert.remedy,
        "create_time": told,
        "create_timestamp": millis,
        "update_time": told,
        "update_timestamp": millis,
        "resource_url": alert.resource,
        "context": {
            "region": alert.region,
            "resource_name": alert.resource,
            "resource_type": alert.resource_type,
            "service_name": "Container Registry",
        },
        "finding": {
            "severity": alert.severity.label(),
            "certainty": "HIGH",
            "next_steps": [{"title": alert.remedy}],
        },
        "issue_count": alert.count,
        "issues": alert.issues,
        "author": {"account_id": account, "id": id, "kind": "service"},
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Teller, write};
    use crate::findings::alert::channel::Format;
    use crate::findings::alert::topic::Topic;
    use crate::findings::alert::{Alert, sample};
    use crate::findings::severity::Severity;
    use crate::ids::tagged::NotificationChannelId;

    fn teller() -> Teller {
        Teller { account: "123456789012".parse().unwrap(), url: "https://us.registry.test".to_owned() }
    }

    fn channel(n: u8) -> NotificationChannelId {
        NotificationChannelId::parse(&format!("00000000-0000-4000-8000-0000000000{n:02}")).unwrap()
    }

    #[test]
    fn what_one_channel_is_told_is_not_what_another_is() {
        let alert = sample(Topic::ImageWithVulnerabilities, Severity::Critical);
        let told = |n| write(&alert, &teller(), (Format::Findings, &channel(n))).body;
        let body: Value = serde_json::from_slice(&told(1)).unwrap();
        assert_eq!(body["findings"][0]["channel_id"], channel(1).as_str());
        assert_ne!(told(1), told(2), "a signature of the one is none of the other");
    }

    #[test]
    fn both_forms_say_the_same_and_are_cloudevents() {
        let alert = sample(Topic::ImageWithVulnerabilities, Severity::Critical);
        let plain = write(&alert, &teller(), (Format::Findings, &channel(1)));
        assert_eq!(
            plain,
            write(&alert, &teller(), (Format::Findings, &channel(1))),
            "the same alert is written alike"
        );
        let body: Value = serde_json::from_slice(&plain.body).unwrap();
        let one = &body["findings"][0];
        assert_eq!((&one["severity"], &one["payload-type"]), (&"CRITICAL".into(), &"findings".into()));
        assert_eq!(one["payload"]["finding"]["severity"], "CRITICAL");
        assert_eq!(one["payload"]["issues"][0]["id"], "CVE-2026-1");
        assert_eq!(
            one["payload-link"],
            "https://us.registry.test/findings/v1/123456789012/providers/security-advisor/occurrences/va-image_with_vulnerabilities.birds.owl.00"
        );
        let event: Value =
            serde_json::from_slice(&write(&alert, &teller(), (Format::CloudEvents, &channel(1))).body)
                .unwrap();
        assert_eq!(event["data"], body);
        for (name, value) in &plain.headers {
            assert_eq!(event[name.strip_prefix("ce-").unwrap()], value.as_str(), "{name}");
        }
    }

    #[test]
    fn a_header_has_no_letters_that_a_header_must_not_have() {
        let resource = "größe \"x\"\r\nX-Evil: 1".to_owned();
        let odd = Alert { resource, ..sample(Topic::DeniedAccessSpike, Severity::High) };
        for (name, value) in write(&odd, &teller(), (Format::Findings, &channel(1))).headers {
            assert!(value.bytes().all(|b| b.is_ascii_graphic()), "{name}: {value}");
        }
    }
}
