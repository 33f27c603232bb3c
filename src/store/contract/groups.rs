//! Access groups and memberships.

use std::sync::Arc;

use super::samples::{ALL, group, membership, of_service_id, of_user, policy, service_id, time, user};
use super::touched;
use crate::store::feed::ChangeKey;
use crate::store::identity::Window;
use crate::store::policy::Subject;
use crate::store::{Store, StoreError};

pub(crate) async fn a_group_is_read_back_and_listed_oldest_first(store: Arc<dyn Store>) {
    for n in [3, 1, 2] {
        store.insert_group(&group(n)).await.unwrap();
    }
    assert_eq!(store.group(&group(2).id).await.unwrap(), Some(group(2)));
    assert_eq!(store.group(&group(9).id).await.unwrap(), None);
    let first_two = store.groups(None, Window { offset: 0, limit: 2 }).await.unwrap();
    assert_eq!((first_two.rows, first_two.total), (vec![group(1), group(2)], 3));
}

pub(crate) async fn a_group_name_is_unique_in_any_case(store: Arc<dyn Store>) {
    store.insert_group(&group(1)).await.unwrap();
    store.insert_group(&group(2)).await.unwrap();
    let mut other = group(3);
    other.name = group(1).name.to_uppercase();
    assert!(matches!(store.insert_group(&other).await, Err(StoreError::Conflict(_))));
    (other.id, other.stamp.version) = (group(2).id, 2);
    assert!(matches!(store.update_group(&other).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.group(&group(2).id).await.unwrap(), Some(group(2)));
}

pub(crate) async fn a_group_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let mut row = group(1);
    row.stamp.version = 2;
    assert!(matches!(store.update_group(&row).await, Err(StoreError::NotFound)));
    store.insert_group(&group(1)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    (row.name, row.stamp.modified_at) = (group(1).name.to_uppercase(), time(5));
    store.update_group(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Group(row.id.clone())]);
    assert_eq!(store.group(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_group(&row).await, Err(StoreError::Stale)));
}

pub(crate) async fn a_change_of_membership_touches_the_group_and_the_member(store: Arc<dyn Store>) {
    let (one, two) = (of_user(&user(1)), of_service_id(&service_id(2)));
    store.insert_user(&user(1)).await.unwrap();
    store.insert_service_id(&service_id(2)).await.unwrap();
    store.insert_group(&group(1)).await.unwrap();
    store.insert_group(&group(2)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    store.insert_member(&group(1).id, &membership(8, &one)).await.unwrap();
    let keys = [ChangeKey::Group(group(1).id), ChangeKey::Principal(one.clone())];
    assert_eq!(touched(&*store, &mut feed).await, keys);
    store.insert_member(&group(1).id, &membership(7, &two)).await.unwrap();
    store.insert_member(&group(2).id, &membership(7, &two)).await.unwrap();
    let members = store.members(&group(1).id, ALL).await.unwrap();
    assert_eq!((members.rows, members.total), (vec![membership(7, &two), membership(8, &one)], 2));
    let of_two = store.groups(Some(&two), Window { offset: 1, limit: 5 }).await.unwrap();
    assert_eq!((of_two.rows, of_two.total), (vec![group(2)], 2));
    assert_eq!(store.principal(&one).await.unwrap().unwrap().groups, [group(1).id]);

    feed = store.latest().await.unwrap();
    store.delete_member(&group(1).id, &one).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, keys);
    assert!(store.principal(&one).await.unwrap().unwrap().groups.is_empty());
}

pub(crate) async fn membership_needs_a_group_and_a_principal_and_happens_once(store: Arc<dyn Store>) {
    let member = of_user(&user(1));
    store.insert_group(&group(1)).await.unwrap();
    let missing = store.insert_member(&group(1).id, &membership(1, &member)).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    store.insert_user(&user(1)).await.unwrap();
    let missing = store.insert_member(&group(2).id, &membership(1, &member)).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    assert!(matches!(store.delete_member(&group(1).id, &member).await, Err(StoreError::NotFound)));
    store.insert_member(&group(1).id, &membership(1, &member)).await.unwrap();
    let again = store.insert_member(&group(1).id, &membership(2, &member)).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))));
}

pub(crate) async fn deleting_a_group_deletes_its_memberships_and_policies(store: Arc<dyn Store>) {
    let member = of_user(&user(1));
    store.insert_user(&user(1)).await.unwrap();
    for n in [1, 2] {
        store.insert_group(&group(n)).await.unwrap();
        store.insert_member(&group(n).id, &membership(n, &member)).await.unwrap();
        store.insert_policy(&policy(n, Subject::Group(group(n).id))).await.unwrap();
    }
    let mut feed = store.latest().await.unwrap();
    store.delete_group(&group(1).id).await.unwrap();
    let keys = [ChangeKey::Group(group(1).id), ChangeKey::Principal(member.clone())];
    assert_eq!(touched(&*store, &mut feed).await, keys);
    let facts = store.principal(&member).await.unwrap().unwrap();
    assert_eq!(facts.groups, [group(2).id]);
    assert_eq!(facts.policies, [policy(2, Subject::Group(group(2).id))]);
    assert_eq!(store.members(&group(1).id, ALL).await.unwrap().total, 0);
    assert_eq!(store.policies(None, ALL).await.unwrap().total, 1);
    assert!(matches!(store.delete_group(&group(1).id).await, Err(StoreError::NotFound)));
}
