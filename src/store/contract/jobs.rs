//! Who leads, and how jobs go.

use std::sync::Arc;

use super::samples::{region, time};
use crate::store::job::{Ended, JobRecord, Leader};
use crate::store::tag_hold::TagHold;
use crate::store::{Store, StoreError};

fn ended(began: u64, ended: u64, outcome: &str) -> Ended<'_> {
    Ended {
        began_at: time(began),
        ended_at: time(ended),
        outcome,
        next_at: time(ended + 60),
        progress: "3 of 3",
    }
}

pub(crate) async fn at_most_one_process_leads_at_a_time(store: Arc<dyn Store>) {
    let mut lead = store.try_lead().await.unwrap().unwrap();
    assert!(store.try_lead().await.unwrap().is_none());
    lead.check().await.unwrap();
    drop(lead);
    // The other end hears of it a moment later.
    for _ in 0..3000 {
        if store.try_lead().await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody can lead any more");
}

pub(crate) async fn runs_of_jobs_are_kept_by_who_leads_and_by_nobody_else(store: Arc<dyn Store>) {
    let before = store.latest().await.unwrap();
    assert_eq!(store.jobs().await.unwrap(), (None, Vec::new()));
    let nobody = store.begin_job("trash", "one", time(1)).await;
    assert!(matches!(nobody, Err(StoreError::Stale)), "{nobody:?}");
    assert_eq!(store.take_lead("one", time(2)).await.unwrap(), 0);
    store.begin_job("trash", "one", time(3)).await.unwrap();
    store.job_progress("trash", "one", "1 of 3").await.unwrap();
    let (leader, rows) = store.jobs().await.unwrap();
    assert_eq!(leader, Some(Leader { replica: "one".to_owned(), since: time(2) }));
    let running = JobRecord {
        name: "trash".to_owned(),
        replica: "one".to_owned(),
        began_at: time(3),
        ended_at: None,
        outcome: String::new(),
        succeeded_at: None,
        next_at: None,
        progress: "1 of 3".to_owned(),
    };
    assert_eq!(rows, std::slice::from_ref(&running));
    store.end_job("trash", "one", &ended(3, 4, "")).await.unwrap();
    // A short run is only ever on record when it is over.
    store.end_job("alerts", "one", &ended(5, 6, "no\0way")).await.unwrap();
    store.end_job("trash", "one", &ended(7, 8, "it went wrong")).await.unwrap();
    let rows = store.jobs().await.unwrap().1;
    assert_eq!(
        (rows[0].name.as_str(), rows[0].outcome.as_str(), rows[0].succeeded_at),
        ("alerts", "noway", None)
    );
    let (next, progress) = (Some(time(68)), "3 of 3".to_owned());
    let failed = JobRecord {
        began_at: time(7),
        ended_at: Some(time(8)),
        outcome: "it went wrong".to_owned(),
        succeeded_at: Some(time(4)),
        next_at: next,
        progress,
        ..running
    };
    assert_eq!(rows[1..], [failed]);
    assert_eq!(store.latest().await.unwrap(), before, "no view is interested");
}

pub(crate) async fn what_a_replica_left_unfinished_is_ended_by_the_next_one(store: Arc<dyn Store>) {
    store.take_lead("one", time(1)).await.unwrap();
    store.begin_job("survey", "one", time(2)).await.unwrap();
    store.end_job("trash", "one", &ended(2, 3, "")).await.unwrap();
    assert_eq!(store.take_lead("two", time(9)).await.unwrap(), 1);
    let (leader, rows) = store.jobs().await.unwrap();
    assert_eq!(leader.unwrap().replica, "two");
    assert_eq!((rows[0].ended_at, rows[0].next_at), (Some(time(9)), Some(time(9))));
    assert!(rows[0].outcome.contains("one ended in the middle"), "{:?}", rows[0]);
    assert_eq!(rows[1].outcome, "");
    // The one that was followed hears of it at once.
    let late = store.end_job("survey", "one", &ended(2, 10, "")).await;
    assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    store.job_progress("survey", "one", "all").await.unwrap();
    assert_eq!(store.jobs().await.unwrap().1, rows);
}

pub(crate) async fn a_tag_is_held_by_one_process_until_it_gives_it_back_or_is_not_believed(
    store: Arc<dyn Store>,
) {
    let hold = |replica: &str, id: &str, tag: &str| TagHold {
        region: region("us-south"),
        repository: "team/app".parse().unwrap(),
        tag: tag.parse().unwrap(),
        replica: replica.to_owned(),
        id: id.to_owned(),
    };
    let (first, second) = (hold("one", "1", "v1"), hold("two", "2", "v1"));
    assert!(store.hold_tag(&first, time(1), time(9)).await.unwrap());
    assert!(!store.hold_tag(&second, time(8), time(20)).await.unwrap());
    assert!(store.hold_tag(&hold("two", "2", "v2"), time(8), time(20)).await.unwrap(), "another tag");
    assert!(store.hold_tag(&first, time(8), time(15)).await.unwrap(), "renewed");
    assert!(!store.hold_tag(&second, time(10), time(20)).await.unwrap());
    // Its own next one it may take at once; what gives back the one before changes nothing.
    let next = hold("one", "3", "v1");
    assert!(store.hold_tag(&next, time(10), time(15)).await.unwrap());
    store.release_tag(&first).await.unwrap();
    assert!(!store.hold_tag(&second, time(11), time(20)).await.unwrap());
    store.release_tag(&next).await.unwrap();
    assert!(store.hold_tag(&second, time(11), time(20)).await.unwrap());
    assert!(!store.hold_tag(&first, time(19), time(30)).await.unwrap());
    assert!(store.hold_tag(&first, time(20), time(30)).await.unwrap(), "its holder has died");
}

pub(crate) async fn those_who_compare_and_change_take_turns(store: Arc<dyn Store>) {
    let first = store.exclusive().await.unwrap();
    let other = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.exclusive().await.map(drop) })
    };
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!other.is_finished());
    drop(first);
    other.await.unwrap().unwrap();
}
