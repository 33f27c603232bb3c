//! Attestations: an in-toto statement, bare, in a DSSE envelope or in a Sigstore bundle, whose predicate is a report.
//!
//! Who has signed it is not looked at: an attestation is believed as much as whoever brought it.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;

use super::{Unread, plain, probe, typed};
use crate::clock::UnixTime;
use crate::findings::report::Report;
use crate::registry::reference::Digest;

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<Envelope>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "predicateType")]
    predicate_type: String,
    subject: Vec<Subject>,
    predicate: Value,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}

const NAME: &str = "attestation";

/// The most subjects of one statement.
const SUBJECTS_MAX: usize = 1000;

pub(super) fn read(bytes: &[u8]) -> Result<Report, Unread> {
    let bundle: Bundle = typed(NAME, bytes)?;
    let probe = probe(bytes)?;
    let statement: Statement = match (bundle.envelope, probe.payload_type) {
        (Some(envelope), _) => opened(&envelope)?,
        (None, Some(_)) => opened(&typed(NAME, bytes)?)?,
        (None, None) => typed(NAME, bytes)?,
    };
    within(statement)
}

fn broken(text: &str) -> Unread {
    Unread::Broken(NAME, text.to_owned())
}

fn opened(envelope: &Envelope) -> Result<Statement, Unread> {
    if envelope.payload_type != "application/vnd.in-toto+json" {
        return Err(broken("its payload is no in-toto statement"));
    }
    let payload = BASE64.decode(envelope.payload.as_bytes());
    typed(NAME, &payload.map_err(|_| broken("its payload is not base64"))?)
}

/// The report that a statement is about: cosign's vulnerability predicate, or the report itself.
fn within(statement: Statement) -> Result<Report, Unread> {
    if statement.subject.is_empty() || statement.subject.len() > SUBJECTS_MAX {
        return Err(broken("it says of no image, or of too many, that it is about them"));
    }
    let subject = |one: &Subject| {
        let digest =
            one.digest.sha256.as_deref().and_then(|hex| Digest::parse(&format!("sha256:{hex}")).ok());
        digest.ok_or_else(|| broken("a subject has no SHA-256"))
    };
    let subjects = statement.subject.iter().map(subject).collect::<Result<Vec<_>, _>>()?;
    let kind = statement.predicate_type.trim_start_matches("https://").trim_end_matches('/');
    let (report, finished) = match kind {
        "cosign.sigstore.dev/attestation/vuln/v1" => {
            let at = statement.predicate.pointer("/metadata/scanFinishedOn").and_then(Value::as_str);
            let at = at.and_then(|at| UnixTime::parse(at).ok());
            (statement.predicate.pointer("/scanner/result"), at)
        }
        kind if kind == "cyclonedx.org/vex" || kind.starts_with("cyclonedx.org/bom") => {
            (Some(&statement.predicate), None)
        }
        _ => return Err(Unread::Format),
    };
    let report = report.ok_or_else(|| broken("its scanner has no result"))?;
    let bytes = report.to_string().into_bytes();
    // One envelope is enough: what is in it is a report.
    let report = plain(&bytes, &probe(&bytes)?)?;
    Ok(Report { subjects, made_at: report.made_at.or(finished), ..report })
}
