//! What is known of an image decides, however it is reached, and is told to whom nothing else stands in the way.

use std::time::Duration;

use serde_json::json;

use super::{House, Policies, Upstream, aws, caller, identity, no_tags, region};
use crate::admit::gate::Why;
use crate::admit::refusal::Refusal;
use crate::admit::registry::Admission;
use crate::clock::UnixTime;
use crate::findings::channel::Channel;
use crate::findings::exemption::{Exemption, IssueType, Scope};
use crate::findings::read::read;
use crate::findings::report::Report;
use crate::policy::reason::Denial;
use crate::registry::operation::Operation;
use crate::registry::reference::Digest;
use crate::store::contract::samples;
use crate::store::findings::{ExemptionRecord, Exemptions as _, Findings as _, ReportRecord, Scanned};

fn digest(n: u8) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

/// Somebody who may pull anything that is not as `condition` says.
fn unless(condition: serde_json::Value) -> std::sync::Arc<crate::admit::caller::Caller> {
    caller(identity(json!([
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Sid": "Gate", "Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*", "Condition": condition},
    ])))
}

async fn scan(house: &House, n: u8, findings: &[(&str, &str)]) {
    let one =
        |(id, severity): &(&str, &str)| json!({"VulnerabilityID": id, "PkgName": "p", "Severity": severity});
    let found: Vec<_> = findings.iter().map(one).collect();
    let whole = json!({"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Vulnerabilities": found}]});
    let now = house.now();
    let report = Report { made_at: Some(now), ..read(whole.to_string().as_bytes()).unwrap() };
    let of = Scanned { region: region(), repository: "team-a/app".parse().unwrap(), digest: digest(n) };
    let row = ReportRecord { of, channel: Channel::Upload, received_at: now, report };
    house.store.put_report(&row, &[]).await.unwrap();
}

async fn exempt(house: &House, scope: &str, id: &str, until: Option<UnixTime>) {
    let exemption = Exemption {
        scope: Scope::parse(scope).unwrap(),
        issue_type: IssueType::Cve,
        issue_id: id.into(),
        expires_at: until,
        reason: "checked".into(),
    };
    let created_by = samples::of_user(&samples::user(1));
    let row = ExemptionRecord { region: region(), exemption, created_by, created_at: house.now() };
    house.store.put_exemption(&row).await.unwrap();
}

fn denial(asked: Result<Admission, Why>) -> Denial {
    match asked {
        Err(Why::Refusal(Refusal::Denied(denial))) => *denial,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tag_is_decided_on_what_it_stands_for_and_nothing_else_is_read() {
    let house = House::open().await;
    scan(&house, 1, &[("CVE-1", "CRITICAL"), ("CVE-2", "LOW")]).await;
    scan(&house, 2, &[("CVE-2", "LOW")]).await;
    let gated = unless(json!({"StringEquals": {"registry:VulnerabilitySeverity": "CRITICAL"}}));
    let upstream = no_tags();
    for call in ["GET team-a/app/manifests/v1", "HEAD team-a/app/manifests/v1"] {
        let denial = denial(house.ask(&gated, call, &[], &upstream).await);
        let known = denial.known.unwrap();
        assert_eq!(&*known, "The image has 1 CRITICAL vulnerability (CVE-1).", "{call}");
    }
    denial(house.ask(&gated, &format!("GET team-a/app/manifests/{}", digest(1)), &[], &upstream).await);
    let admitted = house.ask(&gated, "GET team-a/app/manifests/v2", &[], &upstream).await.unwrap();
    let Operation::ManifestRead { reference, .. } = admitted.permit.of() else { panic!("another operation") };
    assert_eq!(reference.as_str(), digest(2).as_str(), "what is served is what was decided on");
    let gone = house.ask(&gated, "GET team-a/app/manifests/none", &[], &upstream).await;
    assert!(matches!(gone, Err(Why::Refusal(Refusal::Malformed(_)))), "{gone:?}");
    // Pushing, deleting and layers know nothing of it; and nobody asks for whose policies do not read it.
    assert!(house.ask(&gated, "PUT team-a/app/manifests/v1", &[], &upstream).await.is_ok());
    let asked = upstream.asked.get();
    let free = caller(identity(json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}])));
    assert!(house.ask(&free, "GET team-a/app/manifests/v1", &[], &upstream).await.is_ok());
    assert_eq!(upstream.asked.get(), asked);
}

#[tokio::test]
async fn an_index_is_as_bad_as_the_worst_in_it_and_as_old_as_the_oldest() {
    let house = House::open().await;
    scan(&house, 1, &[("CVE-1", "HIGH")]).await;
    let gated = unless(json!({"StringEquals": {"registry:VulnerabilitySeverity": ["HIGH", "CRITICAL"]}}));
    denial(house.ask(&gated, "GET team-a/app/manifests/all", &[], &no_tags()).await);
    assert!(house.ask(&gated, "GET team-a/app/manifests/v2", &[], &no_tags()).await.is_ok(), "never scanned");
    let scanned = unless(json!({"Null": {"registry:ScanAge": "true"}}));
    assert!(house.ask(&scanned, "GET team-a/app/manifests/v1", &[], &no_tags()).await.is_ok());
    let said = denial(house.ask(&scanned, "GET team-a/app/manifests/all", &[], &no_tags()).await).known;
    assert_eq!(said.as_deref(), Some("The image has not been scanned."), "half of it was");
    house.clock.advance(Duration::from_secs(3 * 86_400));
    scan(&house, 2, &[]).await;
    let fresh = unless(json!({"NumericGreaterThan": {"registry:ScanAge": "2"}}));
    assert!(house.ask(&fresh, "GET team-a/app/manifests/v2", &[], &no_tags()).await.is_ok());
    let said = denial(house.ask(&fresh, "GET team-a/app/manifests/all", &[], &no_tags()).await).known;
    assert_eq!(said.as_deref(), Some("The image was last scanned 3 days ago."));
}

#[tokio::test]
async fn an_exemption_holds_where_and_while_it_is_made_for() {
    let house = House::open().await;
    scan(&house, 1, &[("CVE-1", "CRITICAL")]).await;
    let gated = unless(json!({"StringEquals": {"registry:VulnerabilitySeverity": "CRITICAL"}}));
    let by_digest = format!("GET team-a/app/manifests/{}", digest(1));
    let may = async |call: &str| house.ask(&gated, call, &[], &no_tags()).await.is_ok();
    exempt(&house, "team-b", "CVE-1", None).await;
    exempt(&house, "team-a/app:v2", "CVE-1", None).await;
    assert!(!may(&by_digest).await && !may("GET team-a/app/manifests/v1").await);
    exempt(&house, "team-a/app:all", "CVE-1", Some(house.now().plus(Duration::from_secs(60)))).await;
    assert!(may(&by_digest).await, "it is part of what the tag stands for");
    assert!(may("GET team-a/app/manifests/all").await);
    house.clock.advance(Duration::from_secs(60));
    assert!(!may(&by_digest).await && !may("GET team-a/app/manifests/all").await, "it is over");
    exempt(&house, "*", "cve-1", None).await;
    assert!(may(&by_digest).await);
}

#[tokio::test]
async fn an_image_without_a_signature_is_told_from_one_with() {
    let house = House::open().await;
    let gated = unless(json!({"Bool": {"registry:Signed": "false"}}));
    assert!(house.ask(&gated, "GET team-a/app/manifests/v2", &[], &no_tags()).await.is_ok());
    let said = denial(house.ask(&gated, "GET team-a/app/manifests/v1", &[], &no_tags()).await).known;
    assert_eq!(said.as_deref(), Some("The image has no signature."));
}

#[tokio::test]
async fn who_may_not_pull_anyway_learns_nothing_of_the_image() {
    let house = House::open().await;
    scan(&house, 1, &[("CVE-1", "CRITICAL")]).await;
    let deny = json!([{"Effect": "Deny", "Action": "ecr:*", "Resource": "*",
        "Condition": {"StringEquals": {"registry:VulnerabilitySeverity": "CRITICAL"}}}]);
    let stranger = caller(Policies { identity: vec![aws("deny", deny)], ..Policies::default() });
    let denial = denial(house.ask(&stranger, "GET team-a/app/manifests/v1", &[], &no_tags()).await);
    assert_eq!(denial.known, None);
}

#[tokio::test]
async fn a_gate_that_only_reports_lets_through_and_says_what_it_would_have_refused() {
    let mut house = House::open().await;
    scan(&house, 1, &[("CVE-1", "CRITICAL")]).await;
    house.gate = house.gate.reporting_findings(true);
    let gated = unless(json!({"StringEquals": {"registry:VulnerabilitySeverity": "CRITICAL"}}));
    let let_through = house.ask(&gated, "GET team-a/app/manifests/v1", &[], &no_tags()).await.unwrap();
    assert!(let_through.findings_would_refuse.unwrap().contains("CVE-1"));
    assert_eq!(house.gate.findings_would_refuse(), 1);
    let never = caller(identity(json!([
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*", "Condition": {"StringEquals": {"registry:Tag": "v1"}}},
        {"Effect": "Deny", "Action": "ecr:*", "Resource": "*", "Condition": {"StringEquals": {"registry:VulnerabilitySeverity": "X"}}},
    ])));
    denial(house.ask(&never, "GET team-a/app/manifests/v1", &[], &no_tags()).await);
}

#[tokio::test]
async fn an_upstream_that_cannot_say_what_a_tag_stands_for_stops_the_call() {
    let house = House::open().await;
    let gated = unless(json!({"StringEquals": {"registry:VulnerabilitySeverity": "CRITICAL"}}));
    let down = Upstream { tags: None, asked: std::cell::Cell::new(0) };
    let asked = house.ask(&gated, "GET team-a/app/manifests/v1", &[], &down).await;
    assert!(matches!(asked, Err(Why::Fault(_))), "{asked:?}");
}
