//! Many at once, and the handshake between writes and the view.

use std::sync::Arc;

use super::aws_samples::{access_key, aws_user, by_aws, inline, tag, user_actor};
use super::samples::{ALL, api_key, of_service_id, of_user, policy, service_id, time, user};
use super::touched;
use crate::store::Store;
use crate::store::aws::tag::Tagged;
use crate::store::aws::{AwsError, Quota};
use crate::store::feed::Sequence;
use crate::store::policy::Subject;

pub(crate) async fn a_thousand_concurrent_writes_leave_no_gap_in_the_feed(store: Arc<dyn Store>) {
    let writes = (0..1000).map(|n| {
        let store = store.clone();
        // Every third write is refused and must not use up a position.
        tokio::spawn(async move { store.insert_user(&user(n - n % 3 / 2)).await.is_ok() })
    });
    let mut done = 0;
    for write in writes.collect::<Vec<_>>() {
        done += usize::from(write.await.unwrap());
    }
    let mut feed = Sequence(0);
    let keys = touched(&*store, &mut feed).await;
    assert_eq!((keys.len(), done), (667, 667));
    assert_eq!(feed, Sequence(667));
}

/// Every key of the service ID is made in one write, so as many changes touch it as there are keys: facts that mix two
/// instants do not add up.
pub(crate) async fn a_principal_is_read_as_of_one_position(store: Arc<dyn Store>) {
    let id = of_service_id(&service_id(1));
    store.insert_service_id(&service_id(1)).await.unwrap();
    let writer = {
        let (store, id) = (store.clone(), id.clone());
        tokio::spawn(async move {
            for n in 0..100 {
                store.insert_api_key(&api_key(n, &id)).await.unwrap();
                store.insert_policy(&policy(n, Subject::Principal(id.clone()))).await.unwrap();
            }
        })
    };
    let mut reads = 0;
    loop {
        let over = writer.is_finished();
        let facts = store.principal(&id).await.unwrap().unwrap();
        let rows = 1 + facts.api_keys.len() + facts.policies.len();
        assert_eq!(facts.as_of, Sequence(i64::try_from(rows).unwrap()));
        reads += 1;
        if over {
            break;
        }
    }
    writer.await.unwrap();
    assert!(reads > 1 && store.latest().await.unwrap() == Sequence(201));
}

pub(crate) async fn writes_wake_those_who_wait_for_commits(store: Arc<dyn Store>) {
    let mut committed = store.committed();
    let waiter = tokio::spawn(async move { committed.wait_for(|at| *at >= Sequence(2)).await.map(|at| *at) });
    store.insert_user(&user(1)).await.unwrap();
    store.insert_user(&user(2)).await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap(), Sequence(2));
}

pub(crate) async fn a_write_returns_only_after_the_view_has_applied_it(store: Arc<dyn Store>) {
    store.applied(Sequence(0));
    let mut committed = store.committed();
    let write = {
        let store = store.clone();
        tokio::spawn(async move { store.insert_user(&user(1)).await })
    };
    committed.wait_for(|at| *at == Sequence(1)).await.unwrap();
    assert!(!write.is_finished(), "the view has not reported yet");
    store.applied(Sequence(1));
    write.await.unwrap().unwrap();
}

pub(crate) async fn a_view_that_hangs_delays_a_write_but_does_not_fail_it(store: Arc<dyn Store>) {
    store.applied(Sequence(0));
    let begun = tokio::time::Instant::now();
    store.insert_user(&user(1)).await.unwrap();
    let took = begun.elapsed();
    assert!(took >= std::time::Duration::from_secs(2), "{took:?}");
    assert_eq!(store.user(&user(1).id).await.unwrap(), Some(user(1)));
}

/// Every tag and policy of the user is made in one write: facts that mix two instants do not add up.
pub(crate) async fn policies_in_force_are_read_as_of_one_position(store: Arc<dyn Store>) {
    store.insert_aws_user(&aws_user(1), None, &[]).await.unwrap();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                store.attach(&user_actor(1).into(), &by_aws(&format!("P{n}")), time(n)).await.unwrap();
                store
                    .put_inline_policy(&user_actor(1).into(), &inline(&format!("i{n}"), "ecr:*"))
                    .await
                    .unwrap();
                for tags in ["a", "b", "c"].map(|key| [tag(&format!("{key}{n}"), "")]) {
                    store.tag(&Tagged::Actor(user_actor(1)), &tags).await.unwrap();
                }
            }
        })
    };
    let mut reads = 0;
    loop {
        let over = writer.is_finished();
        let facts = store.policies_of(&user_actor(1)).await.unwrap().unwrap();
        let rows = 1 + facts.policies.len() + facts.tags.len();
        assert_eq!(facts.as_of, Sequence(i64::try_from(rows).unwrap()));
        reads += 1;
        if over {
            break;
        }
    }
    writer.await.unwrap();
    assert!(reads > 1 && store.latest().await.unwrap() == Sequence(51));
}

pub(crate) async fn a_quota_holds_however_many_try_at_once(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    let tries = (0..40).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.insert_access_key(&access_key(n, &of_user(&user(1)))).await })
    });
    let mut made = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(()) => made += 1,
            Err(error) => assert!(matches!(error, AwsError::Quota(Quota::AccessKeysPerUser)), "{error}"),
        }
    }
    assert_eq!(made, 2);
    assert_eq!(store.access_keys(&of_user(&user(1)), ALL).await.unwrap().total, 2);
    assert_eq!(store.latest().await.unwrap(), Sequence(3));
}
