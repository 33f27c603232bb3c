//! The account, registries, signing keys, and reading the feed.

use std::sync::Arc;

use super::samples::{
    ALL, account_id, api_key, founding, of_user, policy, region, settings, signing_key, time, user,
};
use super::touched;
use crate::registry::name::Namespace;
use crate::store::aws::holder::Holder;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::policy::Subject;
use crate::store::registry::{NamespaceRecord, RegistrySettings};
use crate::store::{Store, StoreError};

pub(crate) async fn the_account_is_founded_once_and_whole(store: Arc<dyn Store>) {
    assert_eq!(store.account().await.unwrap(), None);
    store.found(&founding()).await.unwrap();
    let mut feed = Sequence(0);
    let keys = [
        ChangeKey::Account,
        ChangeKey::Principal(of_user(&user(0))),
        ChangeKey::Keyring,
        ChangeKey::Registry(region("us-south")),
        ChangeKey::Registry(region("eu-de")),
    ];
    assert_eq!(touched(&*store, &mut feed).await, keys);
    assert_eq!(store.account().await.unwrap().unwrap().id, account_id());
    let facts = store.principal(&of_user(&user(0))).await.unwrap().unwrap();
    assert_eq!((facts.api_keys, facts.policies), (vec![founding().api_key], founding().policies));
    let administrator = Holder::Principal(of_user(&user(0)));
    let held = store.attached(&administrator, "/", ALL).await.unwrap().rows;
    assert_eq!(held.into_iter().map(|one| one.policy).collect::<Vec<_>>(), founding().held);
    assert_eq!(store.signing_keys().await.unwrap().0, [signing_key(0)]);
    assert!(store.registry(&region("eu-de")).await.unwrap().is_some());
    assert!(matches!(store.found(&founding()).await, Err(StoreError::Conflict(_))));
    let mut second = founding();
    second.account.id = crate::ids::account::AccountId::parse("210987654321").unwrap();
    second.administrator = user(5);
    assert!(matches!(store.found(&second).await, Err(StoreError::Conflict(_))), "one account only");
    assert!(touched(&*store, &mut feed).await.is_empty());
}

pub(crate) async fn a_founding_that_fails_leaves_nothing(store: Arc<dyn Store>) {
    let mut broken = founding();
    broken.policies.push(policy(9, Subject::Principal(of_user(&user(9)))));
    assert!(matches!(store.found(&broken).await, Err(StoreError::NotFound)));
    assert_eq!(store.account().await.unwrap(), None);
    assert_eq!(store.users(ALL).await.unwrap().total, 0);
    assert!(store.signing_keys().await.unwrap().0.is_empty());
    assert_eq!(store.latest().await.unwrap(), Sequence(0));
    store.found(&founding()).await.unwrap();
}

pub(crate) async fn registry_settings_are_made_and_replaced(store: Arc<dyn Store>) {
    assert!(store.registry(&region("us-south")).await.unwrap().is_none());
    let mut row = settings("us-south");
    store.put_registry(&row).await.unwrap();
    store.put_registry(&settings("eu-de")).await.unwrap();
    let other = settings("eu-de");
    let changed = RegistrySettings { private_only: !other.private_only, ..other.clone() };
    store.replace_registry(&other, &changed).await.unwrap();
    assert!(matches!(store.replace_registry(&other, &changed).await, Err(StoreError::Stale)));
    store.replace_registry(&changed, &other).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    (row.policies_enforced, row.private_only, row.platform_metrics) = (false, true, true);
    store.put_registry(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Registry(region("us-south"))]);
    let facts = store.registry(&region("us-south")).await.unwrap().unwrap();
    assert_eq!((facts.settings, facts.as_of), (row, feed));
    assert_eq!(store.registry(&region("eu-de")).await.unwrap().unwrap().settings, settings("eu-de"));
}

pub(crate) async fn namespaces_are_unique_within_their_registry(store: Arc<dyn Store>) {
    let row = |place: &str, name: &str| NamespaceRecord {
        region: region(place),
        name: Namespace::parse(name).unwrap(),
        created_at: time(3),
    };
    for one in [row("us-south", "team-b"), row("us-south", "team-a"), row("eu-de", "team-a")] {
        store.insert_namespace(&one).await.unwrap();
    }
    let again = store.insert_namespace(&row("eu-de", "team-a")).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    let south = region("us-south");
    let both = [row("us-south", "team-a"), row("us-south", "team-b")];
    assert_eq!(store.namespaces(&south).await.unwrap(), both);
    let mut feed = store.latest().await.unwrap();
    store.delete_namespace(&south, &both[0].name).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Registry(south.clone())]);
    assert_eq!(store.namespaces(&south).await.unwrap(), both[1..]);
    assert!(matches!(store.delete_namespace(&south, &both[0].name).await, Err(StoreError::NotFound)));
}

pub(crate) async fn signing_keys_rotate_and_retire(store: Arc<dyn Store>) {
    store.rotate_in(&signing_key(1), None, time(100)).await.unwrap();
    store.rotate_in(&signing_key(2), Some("kid-1"), time(200)).await.unwrap();
    store.rotate_in(&signing_key(3), Some("kid-2"), time(300)).await.unwrap();
    let (keys, as_of) = store.signing_keys().await.unwrap();
    let named: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.retires_at)).collect();
    let expected = [("kid-3", None), ("kid-2", Some(time(300))), ("kid-1", Some(time(200)))];
    assert_eq!((named, as_of), (expected.to_vec(), store.latest().await.unwrap()));
    let again = store.rotate_in(&signing_key(2), Some("kid-3"), time(9)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
    for seen in [None, Some("kid-2")] {
        let late = store.rotate_in(&signing_key(4), seen, time(9)).await;
        assert!(matches!(late, Err(StoreError::Stale)), "another replica was faster");
    }
    assert_eq!(store.signing_keys().await.unwrap().0, keys, "refused whole");

    let mut feed = as_of;
    store.purge_retired(time(200)).await.unwrap();
    assert!(touched(&*store, &mut feed).await.is_empty(), "nothing has retired before 200");
    store.purge_retired(time(201)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Keyring]);
    assert_eq!(store.signing_keys().await.unwrap().0, keys[..2]);
}

pub(crate) async fn changes_are_read_in_pages(store: Arc<dyn Store>) {
    for n in 1..=5 {
        store.insert_user(&user(n)).await.unwrap();
    }
    let page = store.changes(Sequence(1), 2).await.unwrap();
    let page: Vec<_> = page.into_iter().map(|change| (change.sequence.0, change.key)).collect();
    let expected = [2u64, 3].map(|n| (n.cast_signed(), ChangeKey::Principal(of_user(&user(n)))));
    assert_eq!(page, expected);
    assert!(store.changes(Sequence(5), 2).await.unwrap().is_empty());
    assert_eq!(*store.committed().borrow(), Sequence(5));
}

pub(crate) async fn refused_writes_do_not_touch_the_feed(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    let owner = of_user(&user(1));
    store.insert_api_key(&api_key(1, &owner)).await.unwrap();
    let before = store.latest().await.unwrap();
    store.insert_user(&user(1)).await.unwrap_err();
    store.insert_api_key(&api_key(1, &owner)).await.unwrap_err();
    store.update_api_key(&api_key(1, &owner)).await.unwrap_err();
    store.delete_user(&user(2).id).await.unwrap_err();
    assert_eq!(store.latest().await.unwrap(), before);
    store.insert_user(&user(2)).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(before.0 + 1));
}

pub(crate) async fn a_text_with_a_null_character_is_refused_by_either_database(store: Arc<dyn Store>) {
    let before = store.latest().await.unwrap();
    let mut row = user(1);
    row.name = "a\0b".to_owned();
    let refused = store.insert_user(&row).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.latest().await.unwrap(), before);
    store.insert_user(&user(1)).await.unwrap();
}
