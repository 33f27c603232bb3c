//! Channels, alerts, and what becomes of each delivery.

use std::sync::Arc;

use super::samples::{of_user, time, user};
use super::touched;
use crate::clock::SequenceEntropy;
use crate::findings::alert::channel::sample as document;
use crate::findings::alert::sample as alert;
use crate::findings::alert::topic::Topic;
use crate::findings::channel::Channel;
use crate::findings::exemption::{Exemption, IssueType, Scope};
use crate::findings::severity::Severity;
use crate::ids::tagged::NotificationChannelId;
use crate::store::alert::{Attempted, ChannelRecord, Cursor, Delivery, DeliveryState, Raised, Step};
use crate::store::contract::findings::{of, report, row};
use crate::store::feed::ChangeKey;
use crate::store::findings::ExemptionRecord;
use crate::store::identity::Stamp;
use crate::store::{Store, StoreError};

pub(super) fn channel(n: u64) -> ChannelRecord {
    ChannelRecord {
        id: NotificationChannelId::fresh(&SequenceEntropy::seeded(n)),
        document: document(&format!("channel-{n}")),
        secret: vec![1, 2, 3],
        delivered_at: None,
        failed_at: None,
        created_by: of_user(&user(0)),
        modified_by: of_user(&user(0)),
        stamp: Stamp::new(time(n)),
    }
}

fn raised(cause: &str, channels: &[&ChannelRecord]) -> Raised {
    let channels = channels.iter().map(|row| row.id.clone()).collect();
    let alert = alert(Topic::ImageWithVulnerabilities, Severity::High);
    Raised { cause: cause.to_owned(), alert, channels }
}

fn attempted(state: DeliveryState, at: u64) -> Attempted {
    let error = (state != DeliveryState::Delivered).then(|| "closed".to_owned());
    Attempted { state, at: time(at), next_at: time(at + 5), status: Some(200), error }
}

async fn due(store: &dyn Store, row: &ChannelRecord) -> Vec<Delivery> {
    store.due(&row.id, crate::clock::UnixTime::from_millis(i64::MAX), 9).await.unwrap()
}

pub(crate) async fn a_channel_is_read_back_and_replaced_only_from_the_version_that_was_seen(
    store: Arc<dyn Store>,
) {
    let mut feed = store.latest().await.unwrap();
    store.insert_channel(&channel(1), 2).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Compliance]);
    let mut namesake = channel(2);
    namesake.document.name = "CHANNEL-1".to_owned();
    let taken = store.insert_channel(&namesake, 2).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    store.insert_channel(&channel(2), 2).await.unwrap();
    let full = store.insert_channel(&channel(3), 2).await;
    assert!(matches!(full, Err(StoreError::Conflict(_))), "{full:?}");
    assert_eq!(store.channels().await.unwrap(), [channel(1), channel(2)]);
    let mut changed = channel(1);
    changed.document.description = "other".to_owned();
    changed.stamp.version = 2;
    store.update_channel(&changed).await.unwrap();
    assert!(matches!(store.update_channel(&changed).await, Err(StoreError::Stale)));
    assert_eq!(store.channel(&changed.id).await.unwrap(), Some(changed.clone()));
    store.delete_channel(&changed.id).await.unwrap();
    assert!(matches!(store.delete_channel(&changed.id).await, Err(StoreError::NotFound)));
    assert!(matches!(store.update_channel(&changed).await, Err(StoreError::NotFound)));
}

pub(crate) async fn an_alert_is_raised_once_and_only_by_who_has_looked_on_from_there(store: Arc<dyn Store>) {
    let (one, other) = (channel(1), channel(2));
    for row in [&one, &other] {
        store.insert_channel(row, 9).await.unwrap();
    }
    assert_eq!(store.cursor(Cursor::Drift).await.unwrap(), 0);
    let step = Step { of: Cursor::Drift, from: 0, to: 7 };
    let mut feed = store.latest().await.unwrap();
    assert!(store.raise(&[raised("drift 7", &[&one, &other])], Some(step)).await.unwrap());
    assert!(!store.raise(&[raised("drift 8", &[&one])], Some(step)).await.unwrap(), "that was looked at");
    assert!(store.raise(&[raised("drift 7", &[&one]), raised("nobody's", &[])], None).await.unwrap());
    assert!(touched(&*store, &mut feed).await.is_empty());
    assert_eq!(
        (store.cursor(Cursor::Drift).await.unwrap(), store.cursor(Cursor::Findings).await.unwrap()),
        (7, 0)
    );
    assert_eq!(store.deliveries(None, 9).await.unwrap().len(), 2);
    assert_eq!(store.deliveries(Some(&one.id), 9).await.unwrap().len(), 1);
    assert_eq!(store.next_due().await.unwrap().1, 2);
    // A channel that is gone, or disabled, is told nothing more.
    store.delete_channel(&other.id).await.unwrap();
    assert!(store.raise(&[raised("late", &[&other])], None).await.unwrap());
    assert_eq!(store.delivery(&other.id, "late").await.unwrap(), None);
    let mut disabled = one.clone();
    disabled.document.enabled = false;
    disabled.stamp.version = 2;
    store.update_channel(&disabled).await.unwrap();
    assert_eq!(store.deliveries(None, 9).await.unwrap()[0].state, DeliveryState::Failed);
    assert_eq!(store.next_due().await.unwrap(), (None, 0));
}

pub(crate) async fn an_attempt_is_begun_once_and_what_it_comes_to_is_kept(store: Arc<dyn Store>) {
    let one = channel(1);
    store.insert_channel(&one, 9).await.unwrap();
    store.raise(&[raised("a", &[&one]), raised("b", &[&one])], None).await.unwrap();
    let first = due(&*store, &one).await.remove(0);
    assert_eq!(store.delivery(&one.id, "a").await.unwrap(), Some(first.clone()));
    let changed = store.begin_attempt(&first, 2, time(2_000_000_000)).await.unwrap();
    assert!(!changed, "whoever knows another version of the channel may know another endpoint");
    assert!(store.begin_attempt(&first, 1, time(2_000_000_000)).await.unwrap());
    assert!(!store.begin_attempt(&first, 1, time(2_000_000_000)).await.unwrap(), "it is under way");
    let mut feed = store.latest().await.unwrap();
    store.end_attempt(&first, &attempted(DeliveryState::Pending, 10)).await.unwrap();
    assert!(touched(&*store, &mut feed).await.is_empty(), "nothing has come of it yet");
    let again = due(&*store, &one).await.remove(0);
    assert_eq!((again.attempts, again.next_at, again.error.as_deref()), (1, time(15), Some("closed")));
    store.end_attempt(&again, &attempted(DeliveryState::Delivered, 20)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Compliance], "a goal can turn");
    store.end_attempt(&again, &attempted(DeliveryState::Failed, 30)).await.unwrap();
    let settled = store.delivery(&one.id, "a").await.unwrap().unwrap();
    assert_eq!(settled.state, DeliveryState::Delivered, "what was taken is not given up");
    let second = due(&*store, &one).await.remove(0);
    store.end_attempt(&second, &attempted(DeliveryState::Failed, 40)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Compliance]);
    let kept = store.channel(&one.id).await.unwrap().unwrap();
    assert_eq!((kept.delivered_at, kept.failed_at), (Some(time(20)), Some(time(40))));
    assert!(due(&*store, &one).await.is_empty());
}

pub(crate) async fn findings_alarm_by_report_and_severity_unless_known_or_exempt(store: Arc<dyn Store>) {
    let exemption = |scope: &str, id: &str| ExemptionRecord {
        region: of(1).region,
        exemption: Exemption {
            scope: Scope::parse(scope).unwrap(),
            issue_type: IssueType::Cve,
            issue_id: id.into(),
            expires_at: None,
            reason: "".into(),
        },
        created_by: of_user(&user(0)),
        created_at: time(1),
    };
    for (scope, id) in [("birds", "cve-7"), ("birds/owl", "CVE-8"), ("cats", "CVE-1")] {
        store.put_exemption(&exemption(scope, id)).await.unwrap();
    }
    let found =
        [("CVE-1", "HIGH"), ("CVE-2", "CRITICAL"), ("CVE-3", "HIGH"), ("CVE-7", "HIGH"), ("CVE-8", "HIGH")];
    store.put_report(&row(1, Channel::Upload, report(&found, 100)), &[]).await.unwrap();
    store.put_report(&row(2, Channel::Upload, report(&[("CVE-1", "HIGH")], 100)), &[]).await.unwrap();
    let told = |groups: &[crate::store::alert::Alarming]| {
        let mut all: Vec<_> = groups.iter().map(|one| (one.of.clone(), one.severity, one.count)).collect();
        all.sort_by_key(|(of, severity, _)| (of.digest.to_string(), *severity));
        all
    };
    let (groups, to) = store.alarming(0, 9).await.unwrap();
    let (high, critical) = (Severity::High, Severity::Critical);
    assert_eq!(told(&groups), [(of(1), high, 2), (of(1), critical, 1), (of(2), high, 1)]);
    let group = groups.iter().find(|one| one.of == of(1) && one.severity == high).unwrap();
    let named: Vec<&str> = group.issues.iter().map(|one| &*one.id).collect();
    assert_eq!(named, ["CVE-1", "CVE-3"]);
    // In pages, none of which ends in the middle of a report.
    let (page, middle) = store.alarming(0, 3).await.unwrap();
    assert_eq!(told(&page), [(of(1), high, 2), (of(1), critical, 1)]);
    assert_eq!(told(&store.alarming(middle, 3).await.unwrap().0), [(of(2), high, 1)]);
    // What is mended and comes back within a day is no news.
    store.put_report(&row(1, Channel::Upload, report(&[], 101)), &[]).await.unwrap();
    store
        .put_report(&row(1, Channel::Upload, report(&[("CVE-1", "HIGH"), ("CVE-9", "HIGH")], 102)), &[])
        .await
        .unwrap();
    let (groups, end) = store.alarming(to, 9).await.unwrap();
    assert_eq!(told(&groups), [(of(1), high, 1)]);
    assert_eq!(groups[0].issues[0].id.as_ref(), "CVE-9");
    assert_eq!(store.alarming(end, 9).await.unwrap(), (Vec::new(), end));
}

pub(crate) async fn a_flood_of_one_kind_crowds_out_no_other(store: Arc<dyn Store>) {
    let one = channel(1);
    store.insert_channel(&one, 9).await.unwrap();
    let of = |cause: &str, topic: Topic, resource: &str| {
        let alert =
            crate::findings::alert::Alert { resource: resource.to_owned(), ..alert(topic, Severity::High) };
        Raised { cause: cause.to_owned(), alert, channels: vec![one.id.clone()] }
    };
    let image = Topic::ImageWithVulnerabilities;
    let flood: Vec<Raised> = (0..1002).map(|n| of(&format!("f{n}"), image, &format!("cats/x@{n}"))).collect();
    store.raise(&flood, None).await.unwrap();
    store.raise(&[of("owl", image, "birds/owl@1"), of("drift", Topic::GoalDrift, "g")], None).await.unwrap();
    let state = async |cause: &str| store.delivery(&one.id, cause).await.unwrap().unwrap().state;
    assert_eq!(state("f999").await, DeliveryState::Pending);
    assert_eq!(state("f1000").await, DeliveryState::Failed, "so many of one repository wait, and no more");
    // Topics come in turn, and so do repositories within one.
    let next = store.due(&one.id, crate::clock::UnixTime::from_millis(i64::MAX), 4).await.unwrap();
    let said: Vec<&str> = next.iter().map(|one| one.alert.resource.as_str()).collect();
    assert_eq!(said, ["cats/x@0", "g", "birds/owl@1", "cats/x@1"]);
}

pub(crate) async fn what_is_said_to_be_worse_than_before_is_news_and_what_is_better_is_none(
    store: Arc<dyn Store>,
) {
    let put = async |severity: &str, at: i64| {
        let row = row(1, Channel::Upload, report(&[("CVE-1", severity)], at));
        store.put_report(&row, &[]).await.unwrap()
    };
    let told = async |after: i64| {
        let (groups, to) = store.alarming(after, 9).await.unwrap();
        (groups.iter().map(|one| one.severity).collect::<Vec<_>>(), to)
    };
    put("LOW", 100).await;
    let (groups, at) = told(0).await;
    assert!(groups.is_empty(), "{groups:?}");
    put("CRITICAL", 101).await;
    let (groups, at) = told(at).await;
    assert_eq!(groups, [Severity::Critical], "what was low and is critical is news");
    put("HIGH", 102).await;
    put("CRITICAL", 103).await;
    let (groups, at) = told(at).await;
    assert!(groups.is_empty(), "it was as bad within the day: {groups:?}");
    // The same by another way: a worse word is news, a better one is not.
    let medium = row(2, Channel::Upload, report(&[("CVE-1", "MEDIUM")], 100));
    store.put_report(&medium, &[]).await.unwrap();
    for (severity, wanted) in
        [("LOW", vec![Severity::Medium]), ("HIGH", vec![Severity::Medium, Severity::High])]
    {
        let row = row(2, Channel::Referrer, report(&[("CVE-1", severity)], 100));
        store.put_report(&row, &[]).await.unwrap();
        assert_eq!(told(at).await.0, wanted, "{severity}");
    }
}

pub(crate) async fn a_report_of_thousands_adds_so_many_rows_and_counts_the_others(store: Arc<dyn Store>) {
    let ids: Vec<String> = (0..1500).map(|n| format!("CVE-2026-{n}")).collect();
    let severity = |n: usize| if n < 1200 { "HIGH" } else { "MEDIUM" };
    let mut found: Vec<(&str, &str)> =
        ids.iter().enumerate().map(|(n, id)| (id.as_str(), severity(n))).collect();
    found.push(("CVE-1", "CRITICAL"));
    store.put_report(&row(1, Channel::Upload, report(&found, 100)), &[]).await.unwrap();
    assert_eq!(store.new_findings(0, 5000).await.unwrap().len(), 1001, "the worst, and one of each severity");
    let (groups, _) = store.alarming(0, 9).await.unwrap();
    let mut told: Vec<_> = groups.iter().map(|one| (one.severity, one.count)).collect();
    told.sort_unstable();
    assert_eq!(told, [(Severity::Medium, 300), (Severity::High, 1200), (Severity::Critical, 1)]);
}
