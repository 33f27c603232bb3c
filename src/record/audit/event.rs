//! The shape of one line of the audit log: IBM Activity Tracker's (CADF), as far as it fits.
//!
//! Everything is escaped by the JSON writer, so that no name, path or agent can forge a line (K-03).

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use super::shown::{Named, Shown};

use crate::client::certificate::ClientCertificate;
use crate::clock::{Rfc3339, UnixTime};
use crate::ids::principal::PrincipalId;
use crate::policy::table::Action;
use crate::record::event::{Finished, Proof, RegistryCall, TokenGrant, Verdict, What, Who};
use crate::registry::operation::OperationKind;

/// How much of a token's subject is shown, in characters.
const SUBJECT_MAX: usize = 256;

/// One event of the audit log, as it is written: it borrows what it tells of, and is made into text at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent<'a> {
    event_time: Shown<Rfc3339>,
    action: &'a str,
    outcome: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
    #[serde(flatten)]
    request: Option<Request<'a>>,
}

/// What events of requests have, and notices of the log itself have not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    request_id: &'a str,
    operation: &'static str,
    decision: &'static str,
    initiator: Initiator<'a>,
    target: Target<'a>,
    data_event: bool,
    observer: Observer,
    reason: Reason<'a>,
    bytes_received: u64,
    bytes_sent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mount_downgraded: bool,
}

/// Whoever noticed it; there is one.
#[derive(Debug, Serialize)]
struct Observer {
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Initiator<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Shown<&'a PrincipalId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "typeURI")]
    type_uri: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<Credential<'a>>,
    host: Host<'a>,
}

#[derive(Debug, Serialize)]
struct Credential<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Host<'a> {
    address: Shown<IpAddr>,
    address_type: &'static str,
    address_source: &'static str,
    endpoint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
}

/// The client certificate of the connection.
#[derive(Debug, Serialize)]
struct Certificate<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    uris: &'a [String],
    sha256: &'a str,
}

impl<'a> From<&'a ClientCertificate> for Certificate<'a> {
    fn from(certificate: &'a ClientCertificate) -> Self {
        let ClientCertificate { subject, uris, fingerprint, holder: _ } = certificate;
        Self { subject, uris, sha256: fingerprint.as_str() }
    }
}

#[derive(Debug, Serialize)]
struct Target<'a> {
    id: Shown<Named<'a>>,
    name: Shown<Named<'a>>,
    #[serde(rename = "typeURI")]
    type_uri: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reason<'a> {
    reason_code: u16,
    reason_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_for_failure: Option<&'a str>,
    /// The action that policies were asked for, where the event is called otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<&'static str>,
    policies: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    would_refuse: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    breaks: &'a [String],
}

impl<'a> AuditEvent<'a> {
    /// A line about Portcullis itself, for example that the log was opened.
    #[must_use]
    pub fn notice(action: &'a str, at: UnixTime, message: impl Into<Cow<'a, str>>) -> Self {
        Self {
            event_time: Shown(Rfc3339(at)),
            action,
            outcome: "success",
            severity: "normal",
            message: Some(message.into()),
            request: None,
        }
    }

    /// A verdict of compliance that has turned, or a rule that a change has broken: nobody's request, but an event.
    #[must_use]
    pub fn verdict(action: &'static str, at: UnixTime, failed: bool, message: String) -> Self {
        Self {
            outcome: if failed { "failure" } else { "success" },
            severity: if failed { "warning" } else { "normal" },
            ..Self::notice(action, at, message)
        }
    }

    /// The event of a finished request.
    #[must_use]
    pub fn of(finished: &'a Finished) -> Self {
        let who = finished.who.as_ref();
        let permitted = matches!(finished.decision, Verdict::Allowed | Verdict::WouldDeny);
        let failed = !permitted || finished.status >= 400;
        let text = finished.log_message.as_deref();
        let (reason_for_failure, message) = if failed { (text, None) } else { (None, text) };
        Self {
            event_time: Shown(Rfc3339(finished.started)),
            action: action(&finished.what, who),
            outcome: if failed { "failure" } else { "success" },
            severity: severity(finished.decision, finished.status),
            message: message.map(Cow::Borrowed),
            request: Some(Request {
                operation: finished.what.label(),
                decision: finished.decision.label(),
                target: target(&finished.what, finished.digest.as_deref()),
                data_event: is_of_data(&finished.what),
                observer: Observer { name: "ActivityTracker" },
                initiator: initiator(finished),
                reason: Reason {
                    reason_code: finished.status,
                    reason_type: finished.decision.label(),
                    reason_for_failure,
                    permission: permission(&finished.what),
                    policies: &finished.because,
                    would_refuse: &finished.would_refuse,
                    breaks: &finished.breaks,
                },
                request_id: &finished.request_id,
                bytes_received: finished.bytes_in,
                bytes_sent: finished.bytes_out,
                digest: finished.digest.as_deref(),
                duration_ms: u64::try_from(finished.duration.as_millis()).unwrap_or(u64::MAX),
                mount_downgraded: finished.mount_downgraded,
            }),
        }
    }
}

fn initiator(finished: &Finished) -> Initiator<'_> {
    let (who, from) = (finished.who.as_ref(), finished.from);
    Initiator {
        id: who.map(|who| Shown(&who.principal)),
        type_uri: initiator_type(who),
        credential: who.and_then(credential),
        name: who.map(|who| &*who.name),
        host: Host {
            address: Shown(from.ip()),
            address_type: if from.ip().is_ipv4() { "IPv4" } else { "IPv6" },
            address_source: from.provenance().label(),
            endpoint: finished.endpoint.label(),
            certificate: finished.certificate.as_deref().map(Into::into),
            agent: finished.user_agent.as_deref(),
        },
    }
}

fn credential(who: &Who) -> Option<Credential<'_>> {
    let of_key = match who.principal {
        PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::User(_) => "apikey",
        PrincipalId::ServiceId(_) => "apikey-serviceid",
    };
    who.credential.as_ref().map(|credential| match credential {
        Proof::AccessKey(id) => Credential { kind: "accesskey", id: id.to_string().into() },
        Proof::ApiKey(id) => Credential { kind: of_key, id: id.to_string().into() },
        Proof::Compute(id) => Credential { kind: "compute-resource", id: id.into() },
        Proof::Realm(realm) => Credential { kind: "federated", id: realm.into() },
        Proof::Certificate(id) => Credential { kind: "certificate", id: id.as_str().into() },
        Proof::Session(id) => Credential { kind: "session", id: id.to_string().into() },
        Proof::WebIdentity(issuer, subject) => {
            // A subject is as long as its issuer likes.
            let subject: String = subject.chars().take(SUBJECT_MAX).collect();
            Credential { kind: "webidentity", id: format!("{issuer} {subject}").into() }
        }
    })
}

fn initiator_type(who: Option<&Who>) -> &'static str {
    match who.map(|who| &who.principal) {
        Some(PrincipalId::Profile(_)) => "service/security/account/profile",
        Some(PrincipalId::Role(_)) => "service/security/account/role",
        Some(PrincipalId::ServiceId(_)) => "service/security/account/serviceid",
        Some(PrincipalId::User(_)) => "service/security/account/user",
        None => "service/security/client/unknown",
    }
}

fn action(what: &What, who: Option<&Who>) -> &'static str {
    match what {
        What::Registry(call) => registry_action(call.kind),
        What::Token(grant) => login_action(*grant, who),
        What::Control(call) => call.activity,
        What::Probe => "portcullis.probe",
        What::Unroutable => "portcullis.unroutable",
    }
}

fn registry_action(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::BlobDelete | OperationKind::ManifestDelete => Action::ImageDelete.name(),
        OperationKind::BlobRead | OperationKind::ManifestRead | OperationKind::Referrers => {
            Action::ImagePull.name()
        }
        OperationKind::Catalog | OperationKind::TagList => Action::ImageList.name(),
        OperationKind::ManifestWrite
        | OperationKind::UploadCancel
        | OperationKind::UploadChunk
        | OperationKind::UploadFinish
        | OperationKind::UploadStart
        | OperationKind::UploadStatus => Action::ImagePush.name(),
        OperationKind::Ping => "container-registry.registry.ping",
    }
}

fn login_action(grant: TokenGrant, who: Option<&Who>) -> &'static str {
    match grant {
        TokenGrant::DockerRefresh | TokenGrant::IdentityRefresh => "iam-identity.user-refreshtoken.login",
        TokenGrant::IdentityAssume | TokenGrant::IdentityCompute => "iam-identity.trustedprofile.login",
        TokenGrant::IdentityFederated => "iam-identity.user-federated.login",
        TokenGrant::DockerGet | TokenGrant::DockerPassword | TokenGrant::IdentityApikey => {
            match who.map(|who| &who.principal) {
                Some(PrincipalId::Profile(_)) => match who.and_then(|who| who.credential.as_ref()) {
                    Some(Proof::ApiKey(_)) => "iam-identity.trustedprofile-apikey.login",
                    Some(_) | None => "iam-identity.trustedprofile.login",
                },
                Some(PrincipalId::Role(_)) => "iam-identity.role-session.login",
                Some(PrincipalId::ServiceId(_)) => "iam-identity.serviceid-apikey.login",
                Some(PrincipalId::User(_)) => "iam-identity.user-apikey.login",
                None => "iam-identity.apikey.login",
            }
        }
    }
}

fn target<'a>(what: &'a What, digest: Option<&'a str>) -> Target<'a> {
    let plain = |id, name, of: &'static str| Target {
        id: Shown(Named::Text(id)),
        name: Shown(Named::Text(name)),
        type_uri: of.into(),
        region: None,
    };
    match what {
        What::Registry(call) => image(call, digest),
        What::Token(grant) => plain("token", grant.label(), "iam-identity/token"),
        What::Control(call) => {
            let name = Shown(Named::Route(call.method, call.route));
            Target { name, type_uri: type_of(call.activity), ..plain(&call.target, "", "") }
        }
        What::Probe | What::Unroutable => plain("", what.label(), "portcullis/server"),
    }
}

/// What kind of thing is acted on: the name of the service and of the object in a name like `iam-am.policy.create`.
fn type_of(activity: &str) -> Cow<'static, str> {
    let parts: Vec<&str> = activity.split('.').collect();
    match parts.as_slice() {
        [service, object, _] => format!("{service}/{object}").into(),
        _ => "portcullis/api".into(),
    }
}

/// Whether images themselves are moved or removed, as Activity Tracker tells that apart from management.
fn is_of_data(what: &What) -> bool {
    match what {
        What::Registry(call) => call.kind != OperationKind::Ping,
        What::Control(call) => ["container-registry.image.delete", "container-registry.image.bulkdelete"]
            .contains(&call.activity),
        What::Token(_) | What::Probe | What::Unroutable => false,
    }
}

fn permission(what: &What) -> Option<&'static str> {
    match what {
        What::Control(call) => call.action.filter(|action| *action != call.activity),
        What::Registry(_) | What::Token(_) | What::Probe | What::Unroutable => None,
    }
}

/// The name says what was asked for; the id prefers the digest.
fn image<'a>(call: &'a RegistryCall, digest: Option<&'a str>) -> Target<'a> {
    let region = Some(call.region.as_str());
    let Some(repository) = call.repository.as_deref() else {
        let host = || Shown(Named::Text(call.host.as_str()));
        return Target { id: host(), name: host(), type_uri: "container-registry/registry".into(), region };
    };
    let named = |reference| Shown(Named::Image { host: call.host.as_str(), repository, reference });
    Target {
        id: named(digest.or(call.reference.as_deref())),
        name: named(call.reference.as_deref()),
        type_uri: "container-registry/image".into(),
        region,
    }
}

/// As Activity Tracker grades a status; but to be asked for credentials is how every client begins.
fn severity(decision: Verdict, status: u16) -> &'static str {
    match status {
        401 if decision == Verdict::Challenged => "normal",
        401 | 403 | 503 | 507 => "critical",
        400 | 409 | 424 | 500 | 502 | 504 | 505 => "warning",
        _ => "normal",
    }
}

#[cfg(test)]
mod tests {
    use super::AuditEvent;
    use crate::record::event::samples::{SERVICE, every_what, finished, pull};
    use crate::record::event::{TokenGrant, Verdict, What};

    fn json(event: &AuditEvent<'_>) -> serde_json::Value {
        serde_json::to_value(event).unwrap()
    }

    #[test]
    fn a_refused_pull_tells_who_what_from_where_and_why() {
        let mut denied = pull().saying("no policy grants image.pull").agent(Some("docker/27"));
        (denied.decision, denied.status) = (Verdict::Denied, 403);
        let event = json(&AuditEvent::of(&denied));
        let is = |pointer: &str, want: &str| assert_eq!(event.pointer(pointer).unwrap(), want, "{pointer}");
        is("/eventTime", "2023-11-14T22:13:20.000Z");
        is("/action", "container-registry.image.pull");
        is("/outcome", "failure");
        is("/severity", "critical");
        is("/requestId", "req-1");
        is("/initiator/id", SERVICE);
        is("/initiator/name", "builder");
        is("/initiator/host/address", "192.0.2.7");
        is("/initiator/host/endpoint", "public");
        is("/initiator/host/agent", "docker/27");
        is("/target/name", "us.registry.test/team/app:v1");
        is("/reason/reasonForFailure", "no policy grants image.pull");
        assert_eq!(event["reason"]["reasonCode"], 403);
        assert_eq!(event["durationMs"], 12);
    }

    #[test]
    fn what_was_permitted_and_did_not_come_about_is_no_success() {
        let mut missing = pull();
        missing.status = 404;
        let event = json(&AuditEvent::of(&missing));
        assert_eq!((&event["outcome"], &event["decision"]), (&"failure".into(), &"allowed".into()));
    }

    #[test]
    fn the_target_is_named_by_digest_once_it_is_known() {
        let mut event = pull();
        event.digest = Some("sha256:abc".to_owned());
        let event = json(&AuditEvent::of(&event));
        assert_eq!(event["target"]["id"], "us.registry.test/team/app@sha256:abc");
        assert_eq!(event["target"]["name"], "us.registry.test/team/app:v1");
    }

    #[test]
    fn a_login_is_named_after_the_kind_of_principal() {
        let login = finished(What::Token(TokenGrant::DockerGet)).by(pull().who);
        assert_eq!(json(&AuditEvent::of(&login))["action"], "iam-identity.serviceid-apikey.login");
        let unknown = finished(What::Token(TokenGrant::DockerGet));
        assert_eq!(json(&AuditEvent::of(&unknown))["action"], "iam-identity.apikey.login");
    }

    #[test]
    fn nothing_that_a_client_chooses_can_start_a_new_line() {
        let hostile = "x\r\n{\"action\":\"forged\"}\u{1b}[31m\u{2028}\"";
        for what in every_what() {
            let event = finished(what).saying(hostile).agent(Some(hostile));
            let line = serde_json::to_string(&AuditEvent::of(&event)).unwrap();
            assert!(!line.chars().any(char::is_control), "{line}");
            assert!(serde_json::from_str::<serde_json::Value>(&line).unwrap().get("forged").is_none());
        }
    }
}
