//! Users, service IDs, API keys.

use std::sync::Arc;

use super::samples::{
    ALL, api_key, group, hash, membership, of_service_id, of_user, policy, service_id, time, user,
};
use super::touched;
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::identity::{PrincipalRecord, Window};
use crate::store::policy::Subject;
use crate::store::{Store, StoreError};

pub(crate) async fn a_user_is_read_back_and_listed_oldest_first(store: Arc<dyn Store>) {
    let mut feed = Sequence(0);
    for n in [3, 1, 2] {
        store.insert_user(&user(n)).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(of_user(&user(n)))]);
    }
    assert_eq!(store.user(&user(1).id).await.unwrap(), Some(user(1)));
    let middle = store.users(Window { offset: 1, limit: 1 }).await.unwrap();
    assert_eq!((middle.rows, middle.total), (vec![user(2)], 3));
    assert!(store.users(Window { offset: 3, limit: 1 }).await.unwrap().rows.is_empty());

    store.delete_user(&user(1).id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(of_user(&user(1)))]);
    assert_eq!(store.user(&user(1).id).await.unwrap(), None);
    assert!(matches!(store.delete_user(&user(1).id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn a_user_name_is_unique_in_any_case(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    let mut other = user(2);
    other.name = user(1).name.to_uppercase();
    assert!(matches!(store.insert_user(&other).await, Err(StoreError::Conflict(_))));
    (other.name, other.id) = ("another".to_owned(), user(1).id);
    assert!(matches!(store.insert_user(&other).await, Err(StoreError::Conflict(_))), "the id is taken");
    let (mut lower, mut upper) = (user(3), user(4));
    (lower.name, upper.name) = ("zoë".to_owned(), "ZOË".to_owned());
    store.insert_user(&lower).await.unwrap();
    assert!(matches!(store.insert_user(&upper).await, Err(StoreError::Conflict(_))), "beyond ASCII too");
}

pub(crate) async fn a_service_id_is_read_back_listed_and_found_by_name(store: Arc<dyn Store>) {
    let mut twin = service_id(3);
    twin.name = service_id(1).name;
    for row in [&twin, &service_id(2), &service_id(1)] {
        store.insert_service_id(row).await.unwrap();
    }
    assert_eq!(store.service_id(&twin.id).await.unwrap(), Some(twin.clone()));
    let all = store.service_ids(None, ALL).await.unwrap();
    assert_eq!((all.rows, all.total), (vec![service_id(1), service_id(2), twin.clone()], 3));
    let named = store.service_ids(Some(&twin.name), Window { offset: 1, limit: 9 }).await.unwrap();
    assert_eq!((named.rows, named.total), (vec![twin.clone()], 2));
    assert_eq!(store.service_ids(Some("SERVICE 1"), ALL).await.unwrap().total, 0, "exactly this name");
    assert!(matches!(store.insert_service_id(&twin).await, Err(StoreError::Conflict(_))));
}

pub(crate) async fn a_service_id_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let mut row = service_id(1);
    row.stamp.version = 2;
    assert!(matches!(store.update_service_id(&row).await, Err(StoreError::NotFound)));
    store.insert_service_id(&service_id(1)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    row.locked = true;
    row.description = "changed".to_owned();
    row.stamp.modified_at = time(9);
    store.update_service_id(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(of_service_id(&row))]);
    assert_eq!(store.service_id(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_service_id(&row).await, Err(StoreError::Stale)));
    row.stamp.version = 4;
    assert!(matches!(store.update_service_id(&row).await, Err(StoreError::Stale)));
}

pub(crate) async fn users_and_service_ids_are_not_mixed_up(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    store.insert_service_id(&service_id(1)).await.unwrap();
    assert_eq!(store.users(ALL).await.unwrap().rows, [user(1)]);
    assert_eq!(store.service_ids(None, ALL).await.unwrap().rows, [service_id(1)]);
    let facts = store.principal(&of_user(&user(1))).await.unwrap().unwrap();
    assert_eq!(facts.record, PrincipalRecord::User(user(1)));
    let facts = store.principal(&of_service_id(&service_id(1))).await.unwrap().unwrap();
    assert_eq!(facts.record, PrincipalRecord::ServiceId(service_id(1)));
    assert!(store.principal(&of_user(&user(2))).await.unwrap().is_none());
    assert!(matches!(store.delete_service_id(&service_id(2).id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn an_api_key_is_read_back_and_found_by_its_hash(store: Arc<dyn Store>) {
    let (one, two) = (of_user(&user(1)), of_service_id(&service_id(2)));
    store.insert_user(&user(1)).await.unwrap();
    store.insert_service_id(&service_id(2)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    let mut expiring = api_key(5, &one);
    expiring.expires_at = Some(time(99));
    for row in [&expiring, &api_key(4, &one), &api_key(6, &two)] {
        store.insert_api_key(row).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(row.owner.clone())]);
    }
    assert_eq!(store.api_key(&expiring.id).await.unwrap(), Some(expiring.clone()));
    assert_eq!(store.key_owner(&hash(6)).await.unwrap(), Some((two.clone(), api_key(6, &two).id)));
    assert_eq!(store.key_owner(&hash(7)).await.unwrap(), None);
    let of_one = store.api_keys(Some(&one), ALL).await.unwrap();
    assert_eq!((of_one.rows, of_one.total), (vec![api_key(4, &one), expiring.clone()], 2));
    assert_eq!(store.api_keys(None, ALL).await.unwrap().total, 3);
    assert_eq!(store.principal(&one).await.unwrap().unwrap().api_keys, [api_key(4, &one), expiring.clone()]);

    store.delete_api_key(&expiring.id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(one)]);
    assert_eq!(store.key_owner(&expiring.hash).await.unwrap(), None);
    assert!(matches!(store.delete_api_key(&expiring.id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn an_api_key_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let owner = of_user(&user(1));
    store.insert_user(&user(1)).await.unwrap();
    let mut row = api_key(1, &owner);
    row.stamp.version = 2;
    assert!(matches!(store.update_api_key(&row).await, Err(StoreError::NotFound)));
    store.insert_api_key(&api_key(1, &owner)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    (row.disabled, row.locked, row.expires_at) = (true, true, Some(time(7)));
    store.update_api_key(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(owner)]);
    assert_eq!(store.api_key(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_api_key(&row).await, Err(StoreError::Stale)));
    assert!(matches!(store.disable_api_key(&row.id, time(8)).await, Err(StoreError::Stale)), "locked");
}

pub(crate) async fn an_api_key_is_disabled_whatever_its_version(store: Arc<dyn Store>) {
    let owner = of_user(&user(1));
    store.insert_user(&user(1)).await.unwrap();
    let mut row = api_key(1, &owner);
    assert!(matches!(store.disable_api_key(&row.id, time(8)).await, Err(StoreError::NotFound)));
    store.insert_api_key(&row).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    store.disable_api_key(&row.id, time(8)).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(owner)]);
    (row.disabled, row.stamp.version, row.stamp.modified_at) = (true, row.stamp.version + 1, time(8));
    assert_eq!(store.api_key(&row.id).await.unwrap(), Some(row));
}

pub(crate) async fn an_api_key_needs_an_owner_and_a_hash_of_its_own(store: Arc<dyn Store>) {
    let owner = of_user(&user(1));
    assert!(matches!(store.insert_api_key(&api_key(1, &owner)).await, Err(StoreError::NotFound)));
    store.insert_user(&user(1)).await.unwrap();
    store.insert_api_key(&api_key(1, &owner)).await.unwrap();
    let mut twin = api_key(2, &owner);
    twin.hash = hash(1);
    assert!(matches!(store.insert_api_key(&twin).await, Err(StoreError::Conflict(_))));
}

pub(crate) async fn deleting_a_principal_deletes_all_that_is_its_own(store: Arc<dyn Store>) {
    let (gone, stays) = (of_service_id(&service_id(1)), of_service_id(&service_id(2)));
    for n in [1, 2] {
        let id = of_service_id(&service_id(n));
        store.insert_service_id(&service_id(n)).await.unwrap();
        store.insert_api_key(&api_key(n, &id)).await.unwrap();
        store.insert_policy(&policy(n, Subject::Principal(id))).await.unwrap();
    }
    store.insert_group(&group(1)).await.unwrap();
    store.insert_member(&group(1).id, &membership(1, &gone)).await.unwrap();
    store.insert_member(&group(1).id, &membership(2, &stays)).await.unwrap();
    let mut feed = store.latest().await.unwrap();

    store.delete_service_id(&service_id(1).id).await.unwrap();
    let keys = [ChangeKey::Principal(gone.clone()), ChangeKey::Group(group(1).id)];
    assert_eq!(touched(&*store, &mut feed).await, keys);
    assert!(store.principal(&gone).await.unwrap().is_none());
    assert_eq!(store.key_owner(&hash(1)).await.unwrap(), None);
    assert_eq!(store.api_keys(None, ALL).await.unwrap().rows, [api_key(2, &stays)]);
    assert_eq!(store.members(&group(1).id, ALL).await.unwrap().rows, [membership(2, &stays)]);
    let left = store.policies(None, ALL).await.unwrap();
    assert_eq!((left.rows, left.total), (vec![policy(2, Subject::Principal(stays))], 1));
}
