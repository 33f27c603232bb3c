//! Rules, verdicts and their history, and what was noticed.

use std::sync::Arc;

use super::samples::{founding, of_user, region, time};
use super::touched;
use crate::clock::SequenceEntropy;
use crate::compliance::drift::{Deed, Drift};
use crate::compliance::facts::Transfer;
use crate::compliance::goal::Severity;
use crate::compliance::report::Summary;
use crate::compliance::rule::document::RuleDocument;
use crate::compliance::verdict::{Status, Verdict};
use crate::ids::tagged::{ComplianceRuleId, RuleAttachmentId};
use crate::record::activity::Notice;
use crate::store::compliance::{ComplianceRule, Scan, ScanRow};
use crate::store::feed::ChangeKey;
use crate::store::identity::Stamp;
use crate::store::rule_attachment::RuleAttachment;
use crate::store::{Store, StoreError};

fn rule(n: u64) -> ComplianceRule {
    let document: RuleDocument = serde_json::from_str(
        r#"{"target": {"service_name": "container-registry", "resource_kind": "service"},
            "required_config": {"property": "private_only", "operator": "is_true"}}"#,
    )
    .unwrap();
    let by = of_user(&founding().administrator);
    ComplianceRule {
        id: ComplianceRuleId::fresh(&SequenceEntropy::seeded(n)),
        document,
        attachments: Vec::new(),
        created_by: by.clone(),
        modified_by: by,
        stamp: Stamp::new(time(n)),
    }
}

fn verdict(id: &str, status: Status) -> Verdict {
    Verdict {
        id: id.to_owned(),
        description: "d".to_owned(),
        parameter: None,
        severity: Severity::High,
        status,
        expected: "e".to_owned(),
        found: "f".to_owned(),
        resource: "r".to_owned(),
        since: time(1).rfc3339(),
        fix: String::new(),
        resources: Vec::new(),
    }
}

pub(crate) async fn a_rule_is_read_back_and_replaced_only_from_the_version_that_was_seen(
    store: Arc<dyn Store>,
) {
    let mut feed = store.latest().await.unwrap();
    store.insert_compliance_rule(&rule(1), 2).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Compliance]);
    store.insert_compliance_rule(&rule(2), 2).await.unwrap();
    let full = store.insert_compliance_rule(&rule(3), 2).await;
    assert!(matches!(full, Err(StoreError::Conflict(_))), "{full:?}");
    assert_eq!(store.compliance_rules().await.unwrap(), [rule(1), rule(2)]);
    let mut changed = rule(1);
    changed.document.name = Some("private".to_owned());
    changed.stamp.version = 2;
    store.update_compliance_rule(&changed).await.unwrap();
    let stale = store.update_compliance_rule(&changed).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");
    assert_eq!(store.compliance_rule(&changed.id).await.unwrap(), Some(changed.clone()));
    store.delete_compliance_rule(&changed.id).await.unwrap();
    let gone = store.delete_compliance_rule(&changed.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    assert!(matches!(store.update_compliance_rule(&changed).await, Err(StoreError::NotFound)));
    feed = store.latest().await.unwrap();
    store.note_private(&region("us-south"), Some(time(5))).await.unwrap();
    assert!(touched(&*store, &mut feed).await.is_empty(), "what decides nothing touches nothing");
}

pub(crate) async fn attachments_are_read_with_their_rule_changed_by_themselves_and_end_with_it(
    store: Arc<dyn Store>,
) {
    let row = |n: u64, region: &str| RuleAttachment {
        id: RuleAttachmentId::fresh(&SequenceEntropy::seeded(n)),
        document: serde_json::from_value(
            serde_json::json!({"included_scope": {"scope_type": "account.region", "scope_id": region}}),
        )
        .unwrap(),
        stamp: Stamp::new(time(n)),
    };
    let (one, other) = (rule(1), rule(2));
    for rule in [&one, &other] {
        store.insert_compliance_rule(rule, 9).await.unwrap();
    }
    let mut feed = store.latest().await.unwrap();
    store.insert_rule_attachments(&one.id, &[row(3, "us-south"), row(4, "eu-de")], 3).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Compliance]);
    let full = store.insert_rule_attachments(&one.id, &[row(5, "x"), row(6, "y")], 3).await;
    assert!(matches!(full, Err(StoreError::Conflict(_))), "{full:?}");
    let whole = store.compliance_rule(&one.id).await.unwrap().unwrap();
    assert_eq!(whole.attachments, [row(3, "us-south"), row(4, "eu-de")], "all or none");
    let missing = store.insert_rule_attachments(&rule(9).id, &[row(7, "x")], 3).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    // Only from the version that was seen, and only by its own rule.
    let mut changed = row(3, "jp-tok");
    changed.stamp.version = 2;
    assert!(store.update_rule_attachment(&other.id, &changed).await.is_err());
    store.update_rule_attachment(&one.id, &changed).await.unwrap();
    let stale = store.update_rule_attachment(&one.id, &changed).await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");
    let foreign = store.delete_rule_attachment(&other.id, &changed.id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
    store.delete_rule_attachment(&one.id, &row(4, "").id).await.unwrap();
    // Writing the rule leaves them, and in lists each rule has its own.
    let mut renamed = rule(1);
    renamed.stamp.version = 2;
    store.update_compliance_rule(&renamed).await.unwrap();
    let listed = store.compliance_rules().await.unwrap();
    assert_eq!((&*listed[0].attachments, &*listed[1].attachments), (&[changed][..], &[][..]));
    store.delete_compliance_rule(&one.id).await.unwrap();
    let gone = store.delete_rule_attachment(&one.id, &row(3, "").id).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
}

pub(crate) async fn a_scan_replaces_what_says_something_else_and_keeps_its_history(store: Arc<dyn Store>) {
    let drift = Drift {
        profile: "p".to_owned(),
        id: "1".to_owned(),
        description: "d".to_owned(),
        at: time(2),
        from: Status::Pass,
        from_since: time(1).rfc3339(),
        to: Status::Fail,
        found: "f".to_owned(),
        resource: "r".to_owned(),
        cause: None,
    };
    let row = |n: u64| ScanRow {
        profile: "p".to_owned(),
        at: time(n),
        reason: "change".to_owned(),
        summary: Summary::default(),
    };
    let scan = |changed: Vec<Verdict>, gone: &[&str], drifts: &[Drift], n: u64| Scan {
        profile: "p".to_owned(),
        changed,
        gone: gone.iter().map(ToString::to_string).collect(),
        drifts: drifts.to_vec(),
        row: Some(row(n)),
    };
    let both = vec![verdict("1", Status::Pass), verdict("2", Status::Pass)];
    store.keep_scan(&scan(both.clone(), &[], &[], 1)).await.unwrap();
    assert_eq!(store.verdicts("p").await.unwrap(), both);
    assert!(store.verdicts("q").await.unwrap().is_empty());
    let failed = verdict("1", Status::Fail);
    let drifts = [drift];
    store.keep_scan(&scan(vec![failed.clone()], &["2"], &drifts, 2)).await.unwrap();
    assert_eq!(store.verdicts("p").await.unwrap(), [failed]);
    assert_eq!(store.drifts(9).await.unwrap(), drifts);
    assert_eq!(store.scans(None, 9).await.unwrap(), [row(2), row(1)], "the latest first");
    assert_eq!(store.scans(Some("p"), 1).await.unwrap(), [row(2)]);
    assert!(store.scans(Some("q"), 9).await.unwrap().is_empty());
}

pub(crate) async fn what_was_noticed_is_kept_as_the_latest_of_each(store: Arc<dyn Store>) {
    let used = |n: u64| Notice::Used {
        principal: "iam-1".to_owned(),
        credential: Some("ApiKey-1".to_owned()),
        at: time(n),
    };
    let transfer = |n: u64| Transfer { at: time(n), by: format!("robot-{n}"), from: "192.0.2.7".to_owned() };
    let moved = |n: u64| Notice::Moved { region: region("us-south"), transfer: transfer(n) };
    let deed = |n: u64| Deed {
        at: time(n),
        principal: "iam-1".to_owned(),
        name: "robot".to_owned(),
        action: "iam.policy.create".to_owned(),
        target: "p".to_owned(),
        request_id: n.to_string(),
    };
    let notices = [used(5), used(3), moved(5), moved(3), Notice::Did(deed(3)), Notice::Did(deed(5))];
    store.note_activity(&notices).await.unwrap();
    let uses = store.last_uses().await.unwrap();
    assert_eq!((uses.get("iam-1"), uses.get("ApiKey-1")), (Some(&time(5)), Some(&time(5))));
    assert_eq!(store.public_transfers().await.unwrap().get(&region("us-south")), Some(&transfer(5)));
    assert_eq!(store.deeds(time(0), 9).await.unwrap(), [deed(3), deed(5)]);
    assert_eq!(store.deeds(time(4), 9).await.unwrap(), [deed(5)]);
    assert_eq!(store.deeds(time(0), 1).await.unwrap(), [deed(5)], "the latest of too many");
    store.note_private(&region("us-south"), Some(time(5))).await.unwrap();
    assert_eq!(store.private_since().await.unwrap().get(&region("us-south")), Some(&time(5)));
    store.note_private(&region("us-south"), None).await.unwrap();
    assert!(store.private_since().await.unwrap().is_empty());
}
