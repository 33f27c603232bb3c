//! Reports of images, what is new in them, and exemptions.

use std::sync::Arc;

use super::samples::{of_user, region, time, user};
use super::touched;
use crate::findings::channel::Channel;
use crate::findings::exemption::{Exemption, IssueType, Scope};
use crate::findings::read::read;
use crate::findings::report::Report;
use crate::findings::severity::Severity;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::Store;
use crate::store::feed::ChangeKey;
use crate::store::findings::{ExemptionRecord, Kept, ReportRecord, Scanned};

fn owl() -> RepositoryName {
    "birds/owl".parse().unwrap()
}

pub(crate) fn of(n: u64) -> Scanned {
    let digest = Digest::parse(&format!("sha256:{n:064x}")).unwrap();
    Scanned { region: region("us-south"), repository: owl(), digest }
}

/// A report of these vulnerabilities, made so late.
pub(crate) fn report(found: &[(&str, &str)], at: i64) -> Report {
    let one = |(id, severity): &(&str, &str)| serde_json::json!({"VulnerabilityID": id, "PkgName": "p", "Severity": severity});
    let found: Vec<_> = found.iter().map(one).collect();
    let whole =
        serde_json::json!({"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Vulnerabilities": found}]});
    let made_at = Some(crate::clock::UnixTime::from_seconds(at));
    Report { made_at, ..read(whole.to_string().as_bytes()).unwrap() }
}

pub(crate) fn row(n: u64, channel: Channel, report: Report) -> ReportRecord {
    let received_at = crate::clock::UnixTime::from_seconds(1_000_000_000);
    ReportRecord { of: of(n), channel, received_at, report }
}

pub(crate) async fn a_report_takes_the_place_of_the_last_by_the_same_way_and_of_no_other(
    store: Arc<dyn Store>,
) {
    let mut feed = store.latest().await.unwrap();
    let first =
        row(1, Channel::Upload, report(&[("CVE-1", "CRITICAL"), ("CVE-2", "LOW"), ("CVE-3", "HIGH")], 100));
    assert_eq!(store.put_report(&first, &[]).await.unwrap(), Kept::Now(2));
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Findings(region("us-south"), owl())]);
    assert_eq!(store.reported(&of(1)).await.unwrap().reports, std::slice::from_ref(&first));
    let pushed = row(1, Channel::Referrer, report(&[("CVE-1", "CRITICAL"), ("CVE-4", "MEDIUM")], 90));
    assert_eq!(store.put_report(&pushed, &[]).await.unwrap(), Kept::Now(1), "CVE-1 is known");
    let again = row(1, Channel::Upload, report(&[("CVE-2", "LOW")], 101));
    assert_eq!(store.put_report(&again, &[]).await.unwrap(), Kept::Now(0));
    let late = row(1, Channel::Upload, report(&[], 99));
    assert_eq!(store.put_report(&late, &[]).await.unwrap(), Kept::Outdated);
    let reported = store.reported(&of(1)).await.unwrap();
    let found: Vec<_> = reported.findings().iter().map(|one| one.id.to_string()).collect();
    assert_eq!(found, ["CVE-1", "CVE-4", "CVE-2"], "what one way has said, another does not take away");
    assert_eq!(reported.scanned_at(), again.report.made_at);
    let (counts, images) = store.finding_counts(&region("us-south")).await.unwrap();
    assert_eq!((counts, images), ([0, 0, 1, 1, 0, 1], 1));
    let new = store.new_findings(0, 10).await.unwrap();
    let told: Vec<_> = new.iter().map(|one| (one.issue.to_string(), one.severity)).collect();
    let high = Severity::High;
    let expected = [("CVE-1", Severity::Critical), ("CVE-3", high), ("CVE-4", Severity::Medium)];
    assert_eq!(told, expected.map(|(id, severity)| (id.to_owned(), severity)));
    assert_eq!(store.new_findings(new[1].id, 10).await.unwrap(), new[2..]);
    store.forget_reports(&of(1)).await.unwrap();
    assert!(store.reported(&of(1)).await.unwrap().reports.is_empty());
}

pub(crate) async fn a_report_of_an_index_is_of_its_children_and_lists_are_read_in_pages(
    store: Arc<dyn Store>,
) {
    let index = row(9, Channel::Scanner, report(&[("CVE-1", "HIGH")], 100));
    store.put_report(&index, &[of(1).digest, of(2).digest]).await.unwrap();
    store.put_report(&row(2, Channel::Upload, report(&[("CVE-2", "LOW")], 100)), &[]).await.unwrap();
    assert_eq!(store.reported(&of(2)).await.unwrap().reports.len(), 2);
    let south = region("us-south");
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = store.reported_in(&south, Some(&owl()), after.as_ref(), 2).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().map(|(of, reports)| (of, reports.len())));
    }
    assert_eq!(seen, [(of(1), 1), (of(2), 2), (of(9), 1)]);
    assert_eq!(store.scanned_repositories(&south).await.unwrap(), [owl()]);
    assert!(store.reported_in(&region("eu-de"), None, None, 9).await.unwrap().is_empty());
}

pub(crate) async fn exemptions_are_replaced_and_reach_only_their_scope(store: Arc<dyn Store>) {
    let exemption = |scope: &str, reason: &str| ExemptionRecord {
        region: region("us-south"),
        exemption: Exemption {
            scope: Scope::parse(scope).unwrap(),
            issue_type: IssueType::Cve,
            issue_id: "CVE-1".into(),
            expires_at: Some(time(99)),
            reason: reason.into(),
        },
        created_by: of_user(&user(0)),
        created_at: time(1),
    };
    let mut feed = store.latest().await.unwrap();
    for row in [exemption("birds/owl:v1", "a"), exemption("cats", "b"), exemption("birds/owl:v1", "c")] {
        store.put_exemption(&row).await.unwrap();
    }
    let south = region("us-south");
    assert_eq!(
        touched(&*store, &mut feed).await,
        [(); 3].map(|()| ChangeKey::Exemptions(region("us-south")))
    );
    let rows = store.exemptions(&south).await.unwrap();
    assert_eq!(rows, [exemption("birds/owl:v1", "c"), exemption("cats", "b")]);
    assert_eq!(store.reported(&of(1)).await.unwrap().exemptions, [exemption("birds/owl:v1", "c").exemption]);
    let cats = Scope::parse("cats").unwrap();
    assert!(store.delete_exemption(&south, &cats, IssueType::Cve, "cve-1").await.unwrap());
    assert!(!store.delete_exemption(&south, &cats, IssueType::Cve, "CVE-1").await.unwrap());
    assert_eq!(store.delete_exemptions(&south).await.unwrap(), 1);
    assert_eq!(store.exemptions(&region("eu-de")).await.unwrap(), []);
}
