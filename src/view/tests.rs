//! The view over a real store: what it may never answer, and how often it asks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle};

use super::{Settings, Unavailable, View};
use crate::clock::SystemClock;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::aws::kind::Kind;
use crate::policy::engine::principal::Caller;
use crate::policy::table::Action;
use crate::store::Store;
use crate::store::aws::holder::Holder;
use crate::store::aws::text::DocumentText;
use crate::store::contract::aws_samples::{aws_user, by_aws, path, repository};
use crate::store::contract::samples::{
    account_id, api_key, document, group, hash, membership, of_service_id, of_user, policy, policy_for,
    region, service_id, settings, signing_key, time, user,
};
use crate::store::faulty::Faulty;
use crate::store::keyring::SigningKeyRecord;
use crate::store::policy::Subject;
use crate::store::sqlite;
use crate::store::tables::SqlStore;

struct World {
    store: Arc<Faulty>,
    view: Arc<View>,
    dir: TempDir,
}

async fn sqlite(path: &Path) -> SqlStore {
    sqlite::open(path, Arc::new(SystemClock)).await.unwrap()
}

/// A view of a store with the service IDs 1 to 3.
async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Faulty::around(Arc::new(sqlite(&dir.path().join("store.db")).await));
    let view = View::new(store.clone(), Handle::current(), account_id(), Settings::default());
    let world = World { store, view: Arc::new(view), dir };
    for n in 1..=3 {
        world.store().insert_service_id(&service_id(n)).await.unwrap();
    }
    world
}

impl World {
    fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// How many grants principal `n` has, by the view.
    async fn grants(&self, n: u64) -> usize {
        self.view.principal(&id(n)).await.unwrap().unwrap().rights.policies().count()
    }

    /// The compilations that the view answers with for service IDs 1 to 3.
    async fn generations(&self) -> [u64; 3] {
        let mut generations = [0; 3];
        for (n, generation) in (1..).zip(&mut generations) {
            *generation = self.view.principal(&id(n)).await.unwrap().unwrap().rights.stamp();
        }
        generations
    }
}

fn id(n: u64) -> PrincipalId {
    of_service_id(&service_id(n))
}

fn to(n: u64) -> Subject {
    Subject::Principal(id(n))
}

/// Which of the three were compiled anew.
fn renewed(before: [u64; 3], after: [u64; 3]) -> [bool; 3] {
    std::array::from_fn(|n| before[n] != after[n])
}

#[tokio::test]
async fn a_write_is_obeyed_by_the_very_next_question() {
    let world = world().await;
    let row = policy(1, to(1));
    for round in 0..20 {
        world.store().insert_policy(&row).await.unwrap();
        assert_eq!(world.grants(1).await, 1, "round {round}");
        let bundle = world.view.cached_principal(&id(1)).unwrap();
        assert!(bundle.rights.allows_somewhere(Action::ImagePull.id()));
        world.store().delete_policy(&row.id).await.unwrap();
        assert!(world.view.cached_principal(&id(1)).is_none());
        assert_eq!(world.grants(1).await, 0, "round {round}");
    }
}

#[tokio::test]
async fn a_principal_is_what_the_store_says_and_remembered() {
    let world = world().await;
    let mut person = user(9);
    person.active = false;
    world.store().insert_user(&person).await.unwrap();
    let mut key = api_key(4, &id(1));
    (key.disabled, key.expires_at) = (true, Some(time(5)));
    world.store().insert_api_key(&key).await.unwrap();
    let bundle = world.view.principal(&id(1)).await.unwrap().unwrap();
    assert_eq!((bundle.name.as_str(), bundle.active), ("service 1", true));
    assert_eq!((&bundle.keys[0].id, bundle.keys[0].disabled), (&key.id, true));
    assert_eq!(bundle.keys[0].expires_at, Some(time(5)));
    assert!(!world.view.principal(&of_user(&person)).await.unwrap().unwrap().active);
    assert!(world.view.principal(&of_user(&user(10))).await.unwrap().is_none());
    let loads = world.view.counters().loads();
    assert!(Arc::ptr_eq(&bundle, &world.view.principal(&id(1)).await.unwrap().unwrap()));
    assert!(Arc::ptr_eq(&bundle, &world.view.cached_principal(&id(1)).unwrap()));
    assert!(world.view.principal(&of_user(&user(10))).await.unwrap().is_none());
    assert_eq!((world.view.counters().loads(), world.view.counters().hits()), (loads, 3));
}

#[tokio::test]
async fn a_principal_that_appears_or_goes_is_noticed() {
    let world = world().await;
    assert!(world.view.principal(&id(7)).await.unwrap().is_none());
    world.store().insert_service_id(&service_id(7)).await.unwrap();
    assert!(world.view.principal(&id(7)).await.unwrap().is_some());
    world.store().delete_service_id(&service_id(7).id).await.unwrap();
    assert!(world.view.principal(&id(7)).await.unwrap().is_none());
}

#[tokio::test]
async fn changes_of_a_group_drop_its_members_and_nobody_else() {
    let world = world().await;
    world.store().insert_group(&group(1)).await.unwrap();
    for n in [1, 2] {
        world.store().insert_member(&group(1).id, &membership(n, &id(n))).await.unwrap();
    }
    let mut before = world.generations().await;
    let mut row = policy(1, Subject::Group(group(1).id));
    world.store().insert_policy(&row).await.unwrap();
    let mut after = world.generations().await;
    assert_eq!(renewed(before, after), [true, true, false]);
    assert_eq!((world.grants(1).await, world.grants(2).await, world.grants(3).await), (1, 1, 0));

    (before, row.stamp.version, row.document) = (after, 2, document("Writer"));
    world.store().update_policy(&row).await.unwrap();
    after = world.generations().await;
    assert_eq!(renewed(before, after), [true, true, false]);

    before = after;
    world.store().delete_member(&group(1).id, &id(1)).await.unwrap();
    after = world.generations().await;
    assert_eq!((world.grants(1).await, world.grants(2).await), (0, 1));
    assert!(renewed(before, after)[0] && !renewed(before, after)[2]);

    before = after;
    world.store().insert_policy(&policy(8, to(1))).await.unwrap();
    after = world.generations().await;
    assert_eq!(renewed(before, after), [true, false, false], "1 is no member any more");
    before = after;
    world.store().insert_policy(&policy(9, Subject::Group(group(1).id))).await.unwrap();
    assert_eq!(renewed(before, world.generations().await), [false, true, false]);

    world.store().delete_group(&group(1).id).await.unwrap();
    assert_eq!(world.grants(2).await, 0);
}

#[tokio::test]
async fn a_thousand_questions_at_once_are_one_load() {
    let world = world().await;
    let hold = world.store.hold("principal");
    let (person, view) = (id(1), &world.view);
    let questions = join_all((0..1000).map(|_| view.principal(&person)));
    let (answers, ()) = tokio::join!(questions, async {
        hold.reached().await;
        hold.release();
    });
    let first = answers[0].clone().unwrap().unwrap();
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer.as_ref().unwrap().as_ref().unwrap(), &first)));
    assert_eq!((world.store.calls("principal"), view.counters().misses()), (1, 1000));
}

#[tokio::test]
async fn a_load_that_was_overtaken_by_a_change_starts_again() {
    let world = world().await;
    let hold = world.store.hold("principal");
    let early = {
        let view = world.view.clone();
        tokio::spawn(async move { view.principal(&id(1)).await })
    };
    hold.reached().await;
    // The load has read, but not said, that there is no policy. The write returns in spite of it.
    world.store().insert_policy(&policy(1, to(1))).await.unwrap();
    let person = id(1);
    let late = world.view.principal(&person);
    let (late, ()) = tokio::join!(late, async { hold.release() });
    assert_eq!(late.unwrap().unwrap().rights.policies().count(), 1);
    assert_eq!(early.await.unwrap().unwrap().unwrap().rights.policies().count(), 1);
    assert_eq!(world.store.calls("principal"), 2);
}

#[tokio::test]
async fn a_key_made_while_it_was_looked_up_is_found() {
    let world = world().await;
    let hold = world.store.hold("key_owner");
    let early = {
        let view = world.view.clone();
        tokio::spawn(async move { view.key_owner(&hash(5)).await })
    };
    hold.reached().await;
    world.store().insert_api_key(&api_key(5, &id(1))).await.unwrap();
    let wanted = hash(5);
    let (late, ()) = tokio::join!(world.view.key_owner(&wanted), async { hold.release() });
    assert_eq!(late.unwrap(), Some((id(1), api_key(5, &id(1)).id)));
    assert!(early.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn one_who_gives_up_does_not_take_the_load_away_from_others() {
    let world = world().await;
    let hold = world.store.hold("principal");
    let leader = {
        let view = world.view.clone();
        tokio::spawn(async move { view.principal(&id(1)).await })
    };
    hold.reached().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    let person = id(1);
    let (answer, ()) = tokio::join!(world.view.principal(&person), async { hold.release() });
    assert!(answer.unwrap().is_some());
    assert_eq!(world.store.calls("principal"), 1);
}

#[tokio::test]
async fn key_owners_are_remembered_only_if_there_are_any() {
    let world = world().await;
    world.store().insert_api_key(&api_key(5, &id(1))).await.unwrap();
    for _ in 0..3 {
        assert_eq!(world.view.key_owner(&hash(6)).await.unwrap(), None);
        assert_eq!(world.view.key_owner(&hash(5)).await.unwrap(), Some((id(1), api_key(5, &id(1)).id)));
    }
    assert_eq!(world.store.calls("key_owner"), 3 + 1);
    assert!(
        world.view.cached_key_owner(&hash(5)).is_some() && world.view.cached_key_owner(&hash(6)).is_none()
    );
    world.store().delete_api_key(&api_key(5, &id(1)).id).await.unwrap();
    assert!(world.view.cached_key_owner(&hash(5)).is_none());
    assert_eq!(world.view.key_owner(&hash(5)).await.unwrap(), None);
}

#[tokio::test]
async fn settings_and_signing_keys_follow_the_store() {
    let world = world().await;
    let south = region("us-south");
    assert!(world.view.registry(&south).await.unwrap().is_none());
    let mut row = settings("us-south");
    world.store().put_registry(&row).await.unwrap();
    assert!(world.view.registry(&south).await.unwrap().unwrap().policies_enforced);
    row.policies_enforced = false;
    world.store().put_registry(&row).await.unwrap();
    assert!(world.view.cached_registry(&south).is_none());
    assert!(!world.view.registry(&south).await.unwrap().unwrap().policies_enforced);
    assert!(world.view.cached_registry(&south).is_some());
    assert!(world.view.registry(&Region::parse("eu-de").unwrap()).await.unwrap().is_none());

    assert!(world.view.keyring().await.unwrap().signing(time(1)).is_none());
    let (key, _) = crate::credential::jwt::SigningKey::generate().unwrap();
    let public = key.public().to_vec();
    let row = SigningKeyRecord { kid: key.kid().to_owned(), public, ..signing_key(1) };
    world.store().rotate_in(&row, None, time(1)).await.unwrap();
    let keyring = world.view.keyring().await.unwrap();
    assert!(keyring.accepts(key.kid(), time(1)) && !keyring.accepts("kid-1", time(1)));
    assert_eq!(keyring.signing(time(1)).map(|key| &key.sealed), Some(&row.sealed));
    assert!(Arc::ptr_eq(&world.view.cached_keyring().unwrap(), &world.view.keyring().await.unwrap()));
}

#[tokio::test]
async fn one_policy_that_cannot_be_understood_refuses_its_principal_and_nobody_else() {
    let world = world().await;
    world.store().insert_policy(&policy(1, to(1))).await.unwrap();
    world.store().insert_policy(&policy(2, to(2))).await.unwrap();
    let broken = policy_for(3, to(1), "Owner");
    world.store().insert_policy(&broken).await.unwrap();
    let refused = world.view.principal(&id(1)).await.unwrap_err();
    assert!(refused.0.contains(broken.id.as_str()), "{refused}");
    assert!(world.view.cached_principal(&id(1)).is_none());
    assert_eq!(world.grants(2).await, 1);
    world.store().delete_policy(&broken.id).await.unwrap();
    assert_eq!(world.grants(1).await, 1);
}

#[tokio::test]
async fn failed_loads_are_not_remembered() {
    let world = world().await;
    world.store.fail(true);
    assert_eq!(
        world.view.principal(&id(1)).await.unwrap_err(),
        Unavailable("store unavailable: made to fail".into())
    );
    world.store.fail(false);
    assert!(world.view.principal(&id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn without_the_store_known_callers_are_served_for_so_long_and_then_nobody() {
    let world = world().await;
    world.grants(1).await;
    assert!(world.view.is_current());
    world.store.fail(true);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(29)).await;
    assert!(world.view.principal(&id(1)).await.unwrap().is_some() && world.view.is_current());
    assert!(world.view.principal(&id(2)).await.is_err(), "not known yet");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(world.view.principal(&id(1)).await.is_err());
    assert!(world.view.cached_principal(&id(1)).is_none() && !world.view.is_current());
    let refused = world.view.keyring().await.unwrap_err();
    assert!(refused.0.contains("nothing heard"), "{refused}");

    tokio::time::resume();
    world.store.fail(false);
    let recovered = async {
        while !world.view.is_current() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), recovered).await.expect("recovers by itself");
    assert!(world.view.principal(&id(1)).await.unwrap().is_some());
    world.store().insert_policy(&policy(1, to(1))).await.unwrap();
    assert_eq!(world.grants(1).await, 1);
}

#[tokio::test]
async fn writes_of_another_process_are_seen_even_if_the_feed_was_pruned() {
    let world = world().await;
    assert_eq!(world.grants(1).await, 0);
    let other: Arc<SqlStore> = Arc::new(sqlite(&world.dir.path().join("store.db")).await);
    let other_as: &dyn Store = &*other;
    for n in 1..=3 {
        other_as.insert_policy(&policy(n, to(1))).await.unwrap();
        if n == 2 {
            other.prune_changes(1).await.unwrap();
        }
        let seen = async {
            while world.grants(1).await < usize::try_from(n).unwrap() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), seen).await.expect("polls");
    }
}

#[test]
fn a_view_whose_runtime_is_gone_refuses_instead_of_hanging() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = runtime.block_on(world());
    runtime.shutdown_timeout(Duration::from_secs(5));
    let elsewhere = Builder::new_current_thread().enable_all().build().unwrap();
    let refused = elsewhere.block_on(world.view.principal(&id(1))).unwrap_err();
    assert!(refused.0.contains("given up"), "{refused}");
}

/// A policy comes and goes while readers on runtimes of their own ask all the time. `phase` says what holds: after 4n+1
/// nothing is granted, after 4n+3 one thing is, in between it may be either.
#[test]
fn readers_on_other_runtimes_never_see_what_a_returned_write_has_ended() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(world());
    let (phase, over) = (AtomicU64::new(1), AtomicBool::new(false));
    let (checked, view) = (AtomicU64::new(0), &world.view);
    let read = || {
        let elsewhere = Builder::new_current_thread().build().unwrap();
        while !over.load(Ordering::SeqCst) {
            let before = phase.load(Ordering::SeqCst);
            let found = view.cached_principal(&id(1)).ok_or(());
            let found = found.or_else(|()| elsewhere.block_on(view.principal(&id(1))).map(Option::unwrap));
            let grants = found.unwrap().rights.policies().count();
            if before == phase.load(Ordering::SeqCst) && before % 2 == 1 {
                assert_eq!(grants, usize::from(before % 4 == 3), "phase {before}");
                checked.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read), scope.spawn(read)];
        let row = policy(1, to(1));
        for _ in 0..150 {
            phase.fetch_add(1, Ordering::SeqCst);
            runtime.block_on(world.store().insert_policy(&row)).unwrap();
            phase.fetch_add(1, Ordering::SeqCst);
            assert_eq!(runtime.block_on(world.grants(1)), 1);
            phase.fetch_add(1, Ordering::SeqCst);
            runtime.block_on(world.store().delete_policy(&row.id)).unwrap();
            phase.fetch_add(1, Ordering::SeqCst);
            assert_eq!(runtime.block_on(world.grants(1)), 0);
        }
        over.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert!(checked.load(Ordering::SeqCst) > 300, "{checked:?}");
}

#[tokio::test]
async fn a_small_view_forgets_but_never_errs() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(sqlite(&dir.path().join("store.db")).await);
    let small = Settings { capacity: 16, ..Settings::default() };
    let view = View::new(store.clone(), Handle::current(), account_id(), small);
    for n in 0..64 {
        store.insert_service_id(&service_id(n)).await.unwrap();
        assert!(view.principal(&id(n)).await.unwrap().is_some());
    }
    let kept = (0..64).filter(|n| view.cached_principal(&id(*n)).is_some()).count();
    assert!((1..=16).contains(&kept), "{kept}");
    store.insert_policy(&policy(1, to(0))).await.unwrap();
    assert_eq!(view.principal(&id(0)).await.unwrap().unwrap().rights.policies().count(), 1);
}

#[tokio::test]
async fn what_changes_after_awss_side_was_read_is_not_answered_from_that_reading() {
    let world = world().await;
    let holder = Holder::Principal(id(1));
    let everything = by_aws("AdministratorAccess");
    world.store().attach(&holder, &everything, time(1)).await.unwrap();
    let hold = world.store.hold("policies_of");
    let early = tokio::spawn({
        let view = world.view.clone();
        async move { view.principal(&id(1)).await }
    });
    hold.reached().await;
    world.store().detach(&holder, &everything).await.unwrap();
    let person = id(1);
    let (late, ()) = tokio::join!(world.view.principal(&person), async { hold.release() });
    assert_eq!(late.unwrap().unwrap().rights.policies().count(), 0);
    early.await.unwrap().unwrap();

    let row = repository(1);
    world.store().insert_repository(&row, &[]).await.unwrap();
    let (open, _) = DocumentText::read(OPEN, Kind::Repository).unwrap();
    world.store().put_repository_policy(&row.region, &row.name, Some(&open)).await.unwrap();
    let hold = world.store.hold("repository_policy");
    let early = tokio::spawn({
        let (view, row) = (world.view.clone(), row.clone());
        async move { view.repository(&row.region, &row.name).await }
    });
    hold.reached().await;
    world.store().put_repository_policy(&row.region, &row.name, None).await.unwrap();
    let (late, ()) = tokio::join!(world.view.repository(&row.region, &row.name), async { hold.release() });
    assert!(late.unwrap().unwrap().policy.is_none());
    early.await.unwrap().unwrap();
    assert!(world.view.cached_repository(&row.region, &row.name).unwrap().policy.is_none());
}

const OPEN: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}}"#;

#[tokio::test]
async fn nobody_has_the_arn_of_another() {
    let world = world().await;
    let arn =
        async |who: &PrincipalId| match world.view.principal(who).await.unwrap().unwrap().rights.caller() {
            Caller::User { arn, .. } => arn.to_string(),
            other => panic!("{other:?}"),
        };
    let service = format!("arn:aws:iam::123456789012:user/service-id/{}", id(1).identifier());
    assert_eq!(arn(&id(1)).await, service);
    let named = |n, name: &str, filed: &str| {
        let mut row = aws_user(n);
        (row.user.name, row.path) = (name.to_owned(), path(filed));
        row
    };
    let rows = [
        (named(20, "ada", "/team/"), "team/ada".to_owned()),
        (named(21, id(1).identifier(), "/service-id/"), user(21).id.to_string()),
        (named(22, user(20).id.as_str(), "/"), user(22).id.to_string()),
        (named(23, "Ada Lovelace", "/team/"), user(23).id.to_string()),
    ];
    for (row, expected) in rows {
        world.store().insert_aws_user(&row, None, &[]).await.unwrap();
        let expected = format!("arn:aws:iam::123456789012:user/{expected}");
        assert_eq!(arn(&of_user(&row.user)).await, expected, "{}", row.user.name);
    }
}
