//! Many at once, and the handshake between writes and the view.

use std::sync::Arc;

use super::samples::{api_key, of_service_id, policy, service_id, user};
use super::touched;
use crate::store::Store;
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
