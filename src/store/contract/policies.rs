//! Access policies.

use std::sync::Arc;

use super::samples::{
    ALL, document, group, membership, of_service_id, of_user, policy, service_id, time, user,
};
use super::touched;
use crate::store::feed::ChangeKey;
use crate::store::identity::Window;
use crate::store::policy::Subject;
use crate::store::{Store, StoreError};

/// A service ID and a group to write policies for.
async fn subjects(store: &dyn Store) -> (Subject, Subject) {
    store.insert_service_id(&service_id(1)).await.unwrap();
    store.insert_group(&group(1)).await.unwrap();
    (Subject::Principal(of_service_id(&service_id(1))), Subject::Group(group(1).id))
}

pub(crate) async fn a_policy_is_read_back_and_listed_by_subject(store: Arc<dyn Store>) {
    let (principal, in_group) = subjects(&*store).await;
    let mut feed = store.latest().await.unwrap();
    let rows = [policy(1, principal.clone()), policy(2, in_group.clone()), policy(3, principal.clone())];
    for row in rows.iter().rev() {
        store.insert_policy(row).await.unwrap();
    }
    let (one, many) = (ChangeKey::Principal(of_service_id(&service_id(1))), ChangeKey::Group(group(1).id));
    assert_eq!(touched(&*store, &mut feed).await, [one.clone(), many, one.clone()]);
    assert_eq!(store.policy(&rows[1].id).await.unwrap(), Some(rows[1].clone()));
    assert_eq!(store.policies(None, ALL).await.unwrap().rows, rows);
    let listed = store.policies(Some(&principal), Window { offset: 0, limit: 1 }).await.unwrap();
    assert_eq!((listed.rows, listed.total), (vec![rows[0].clone()], 2));
    assert_eq!(store.policies(Some(&in_group), ALL).await.unwrap().rows, [rows[1].clone()]);
    assert!(matches!(store.insert_policy(&rows[0]).await, Err(StoreError::Conflict(_))));
    let mut by_id = rows.to_vec();
    by_id.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
    assert_eq!(store.policies_after(None, 2).await.unwrap(), by_id[..2]);
    assert_eq!(store.policies_after(Some(&by_id[1].id), 2).await.unwrap(), by_id[2..]);

    store.delete_policy(&rows[0].id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [one]);
    assert_eq!(store.policy(&rows[0].id).await.unwrap(), None);
    assert!(matches!(store.delete_policy(&rows[0].id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn a_policy_needs_a_subject_that_exists(store: Arc<dyn Store>) {
    let nobody = policy(1, Subject::Principal(of_user(&user(1))));
    assert!(matches!(store.insert_policy(&nobody).await, Err(StoreError::NotFound)));
    let nothing = policy(1, Subject::Group(group(1).id));
    assert!(matches!(store.insert_policy(&nothing).await, Err(StoreError::NotFound)));
}

pub(crate) async fn a_policy_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let (principal, _) = subjects(&*store).await;
    let mut row = policy(1, principal.clone());
    row.stamp.version = 2;
    assert!(matches!(store.update_policy(&row).await, Err(StoreError::NotFound)));
    store.insert_policy(&policy(1, principal)).await.unwrap();
    (row.document, row.description, row.stamp.modified_at) = (document("Writer"), "more".to_owned(), time(4));
    store.update_policy(&row).await.unwrap();
    assert_eq!(store.policy(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_policy(&row).await, Err(StoreError::Stale)));
}

pub(crate) async fn a_policy_that_changes_hands_touches_both(store: Arc<dyn Store>) {
    let (principal, in_group) = subjects(&*store).await;
    store.insert_policy(&policy(1, principal)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    let mut row = policy(1, in_group);
    row.stamp.version = 2;
    store.update_policy(&row).await.unwrap();
    let keys = [ChangeKey::Principal(of_service_id(&service_id(1))), ChangeKey::Group(group(1).id)];
    assert_eq!(touched(&*store, &mut feed).await, keys);
    row.subject = Subject::Group(group(2).id);
    row.stamp.version = 3;
    assert!(matches!(store.update_policy(&row).await, Err(StoreError::NotFound)), "no such group");
}

pub(crate) async fn a_principal_has_its_policies_and_those_of_its_groups(store: Arc<dyn Store>) {
    let (principal, in_group) = subjects(&*store).await;
    store.insert_service_id(&service_id(2)).await.unwrap();
    let other = of_service_id(&service_id(2));
    store.insert_member(&group(1).id, &membership(1, &of_service_id(&service_id(1)))).await.unwrap();
    let rows =
        [policy(1, principal), policy(2, in_group.clone()), policy(3, Subject::Principal(other.clone()))];
    for row in &rows {
        store.insert_policy(row).await.unwrap();
    }
    let facts = store.principal(&of_service_id(&service_id(1))).await.unwrap().unwrap();
    assert_eq!((facts.policies, facts.groups), (rows[..2].to_vec(), vec![group(1).id]));
    assert_eq!(facts.as_of, store.latest().await.unwrap());
    assert_eq!(store.principal(&other).await.unwrap().unwrap().policies, rows[2..]);
}
