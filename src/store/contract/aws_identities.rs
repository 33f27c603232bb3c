//! Users and groups in AWS's dialect, roles, access keys.

use std::sync::Arc;

use super::aws_samples::{
    access_key, add_managed, aws_group, aws_user, by_aws, holders, inline, name, path, role, role_actor, tag,
    trust, user_actor,
};
use super::samples::{
    ALL, api_key, group, membership, of_service_id, of_user, policy, region, service_id, time, user,
};
use super::touched;
use crate::ids::aws::UserUniqueId;
use crate::store::aws::access_key::LastUsed;
use crate::store::aws::holder::{Actor, Holder};
use crate::store::aws::tag::Tagged;
use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::feed::ChangeKey;
use crate::store::identity::Window;
use crate::store::policy::Subject;
use crate::store::{Store, StoreError};

fn remains<T: std::fmt::Debug>(result: Result<T, AwsError>) -> Remains {
    match result {
        Err(AwsError::Remains(remains)) => remains,
        other => panic!("{other:?}"),
    }
}

fn over<T: std::fmt::Debug>(result: Result<T, AwsError>) -> Quota {
    match result {
        Err(AwsError::Quota(quota)) => quota,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn users_are_one_table_in_two_dialects(store: Arc<dyn Store>) {
    let tags = [tag("team", "a")];
    store.insert_user(&user(2)).await.unwrap();
    store.insert_aws_user(&aws_user(1), Some(&by_aws("X")), &tags).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    assert_eq!(feed.0, 2, "one change each");
    assert_eq!(store.user(&user(1).id).await.unwrap(), Some(user(1)));
    let plain = store.aws_user(&user(2).id).await.unwrap().unwrap();
    assert_eq!((plain.user, plain.path), (user(2), path("/")));
    let named = store.aws_user_named(&user(1).name.to_uppercase()).await.unwrap();
    assert_eq!(named, Some(aws_user(1)));
    assert_eq!(store.aws_users("/odd/", ALL).await.unwrap().rows, [aws_user(1)]);
    let second = store.aws_users("/", Window { offset: 1, limit: 9 }).await.unwrap();
    assert_eq!((second.rows.len(), second.total), (1, 2));
    assert_eq!(store.tags(&Tagged::Actor(user_actor(1))).await.unwrap(), tags);
    assert!(store.boundary(&user_actor(1)).await.unwrap().is_some());

    let mut moved = aws_user(1);
    (moved.user.name, moved.path) = (user(2).name, path("/new/"));
    moved.user.stamp.version = 2;
    assert!(matches!(store.update_aws_user(&moved).await, Err(StoreError::Conflict(_))), "the name is taken");
    moved.user.name = "renamed".to_owned();
    store.update_aws_user(&moved).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(of_user(&user(1)))]);
    assert_eq!(store.aws_user_named("renamed").await.unwrap(), Some(moved.clone()));
    assert!(matches!(store.update_aws_user(&moved).await, Err(StoreError::Stale)));
    assert!(matches!(
        store.insert_aws_user(&moved, None, &[]).await,
        Err(AwsError::Store(StoreError::Conflict(_)))
    ));
}

pub(crate) async fn a_principal_is_found_by_its_aws_id(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    store.insert_service_id(&service_id(2)).await.unwrap();
    for principal in [of_user(&user(1)), of_service_id(&service_id(2))] {
        let found = store.principal_of(&UserUniqueId::of(&principal)).await.unwrap();
        assert_eq!(found, Some(principal));
    }
    assert_eq!(store.principal_of(&aws_user(3).unique_id()).await.unwrap(), None);
}

pub(crate) async fn a_user_goes_only_when_nothing_refers_to_it(store: Arc<dyn Store>) {
    let [holder, _, _] = holders(&*store, 1).await;
    let (id, who) = (user(1).id, of_user(&user(1)));
    store.insert_policy(&policy(1, Subject::Principal(who.clone()))).await.unwrap();
    store.put_inline_policy(&holder, &inline("x", "ecr:*")).await.unwrap();
    store.attach(&holder, &by_aws("X"), time(1)).await.unwrap();
    store.insert_api_key(&api_key(1, &who)).await.unwrap();
    store.insert_access_key(&access_key(1, &who)).await.unwrap();
    store.join_aws_group(&group(1).id, &membership(1, &who)).await.unwrap();
    store.put_boundary(&user_actor(1), &by_aws("B"), time(1)).await.unwrap();
    store.tag(&Tagged::Actor(user_actor(1)), &[tag("a", "b")]).await.unwrap();
    let before = store.latest().await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::Memberships);
    assert_eq!(store.latest().await.unwrap(), before);
    store.delete_member(&group(1).id, &who).await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::Credentials);
    store.delete_access_key(&access_key(1, &who).id).await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::Credentials, "the API key");
    store.delete_api_key(&api_key(1, &who).id).await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::AttachedPolicies);
    store.detach(&holder, &by_aws("X")).await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::InlinePolicies);
    store.delete_inline_policy(&holder, &name("x")).await.unwrap();
    assert_eq!(remains(store.delete_aws_user(&id).await), Remains::AccessPolicies);
    store.delete_policy(&policy(1, Subject::Principal(who.clone())).id).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    store.delete_aws_user(&id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(who)]);
    assert_eq!(store.boundary(&user_actor(1)).await.unwrap(), None);
    assert!(store.tags(&Tagged::Actor(user_actor(1))).await.unwrap().is_empty());
    assert!(matches!(store.delete_aws_user(&id).await, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn ibms_delete_takes_everything_of_awss_along(store: Arc<dyn Store>) {
    let [holder, of_group, _] = holders(&*store, 1).await;
    let customer = add_managed(&*store, 1).await;
    let who = of_user(&user(1));
    for one in [&holder, &of_group] {
        store.attach(one, &customer, time(1)).await.unwrap();
        store.put_inline_policy(one, &inline("x", "ecr:*")).await.unwrap();
    }
    store.put_boundary(&user_actor(1), &customer, time(1)).await.unwrap();
    store.insert_access_key(&access_key(1, &who)).await.unwrap();
    store.delete_user(&user(1).id).await.unwrap();
    store.delete_group(&group(1).id).await.unwrap();
    assert_eq!(store.access_key(&access_key(1, &who).id).await.unwrap(), None);
    assert_eq!(store.attached(&holder, "/", ALL).await.unwrap().total, 0);
    assert_eq!(store.inline_policies(&of_group, ALL).await.unwrap().total, 0);
    let left = store.managed_policy(&super::aws_samples::managed(1).id).await.unwrap().unwrap();
    assert_eq!((left.attachments, left.boundaries), (0, 0));
}

pub(crate) async fn groups_are_one_table_in_two_dialects(store: Arc<dyn Store>) {
    store.insert_group(&group(2)).await.unwrap();
    store.insert_aws_group(&aws_group(1)).await.unwrap();
    store.insert_aws_user(&aws_user(1), None, &[]).await.unwrap();
    assert_eq!(store.group(&group(1).id).await.unwrap(), Some(group(1)));
    assert_eq!(store.aws_group_named(&group(2).name.to_uppercase()).await.unwrap(), Some(aws_group(2)));
    assert_eq!(store.aws_groups("/odd/", ALL).await.unwrap().rows, [aws_group(1)]);
    let mut moved = aws_group(1);
    (moved.path, moved.group.stamp.version) = (path("/x/"), 2);
    let mut feed = store.latest().await.unwrap();
    store.update_aws_group(&moved).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Group(group(1).id)]);
    assert!(matches!(store.update_aws_group(&moved).await, Err(StoreError::Stale)));

    let who = of_user(&user(1));
    store.join_aws_group(&group(1).id, &membership(1, &who)).await.unwrap();
    feed = store.latest().await.unwrap();
    store.join_aws_group(&group(1).id, &membership(2, &who)).await.unwrap();
    assert!(touched(&*store, &mut feed).await.is_empty(), "it is in already");
    assert_eq!(store.aws_groups_of(&who, ALL).await.unwrap().rows, [moved]);
    assert_eq!(store.members(&group(1).id, ALL).await.unwrap().rows, [membership(1, &who)]);
}

pub(crate) async fn a_group_goes_only_when_it_is_empty(store: Arc<dyn Store>) {
    let [_, holder, _] = holders(&*store, 1).await;
    let (id, who) = (group(1).id, of_user(&user(1)));
    store.insert_policy(&policy(1, Subject::Group(id.clone()))).await.unwrap();
    store.put_inline_policy(&holder, &inline("x", "ecr:*")).await.unwrap();
    store.attach(&holder, &by_aws("X"), time(1)).await.unwrap();
    store.join_aws_group(&id, &membership(1, &who)).await.unwrap();
    assert_eq!(remains(store.delete_aws_group(&id).await), Remains::Members);
    store.delete_member(&id, &who).await.unwrap();
    assert_eq!(remains(store.delete_aws_group(&id).await), Remains::AttachedPolicies);
    store.detach(&holder, &by_aws("X")).await.unwrap();
    assert_eq!(remains(store.delete_aws_group(&id).await), Remains::InlinePolicies);
    store.delete_inline_policy(&holder, &name("x")).await.unwrap();
    assert_eq!(remains(store.delete_aws_group(&id).await), Remains::AccessPolicies);
    store.delete_policy(&policy(1, Subject::Group(id.clone())).id).await.unwrap();
    store.delete_aws_group(&id).await.unwrap();
    assert_eq!(store.group(&id).await.unwrap(), None);
    assert!(matches!(store.delete_aws_group(&id).await, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn a_user_is_in_ten_groups_at_most(store: Arc<dyn Store>) {
    store.insert_user(&user(1)).await.unwrap();
    let who = of_user(&user(1));
    for n in 0..10 {
        store.insert_aws_group(&aws_group(n)).await.unwrap();
        store.join_aws_group(&group(n).id, &membership(n, &who)).await.unwrap();
    }
    store.insert_aws_group(&aws_group(10)).await.unwrap();
    let before = store.latest().await.unwrap();
    assert_eq!(over(store.join_aws_group(&group(10).id, &membership(10, &who)).await), Quota::GroupsPerUser);
    assert_eq!(store.aws_groups_of(&who, ALL).await.unwrap().total, 10);
    assert_eq!(store.latest().await.unwrap(), before);
}

pub(crate) async fn a_role_is_read_back_and_listed_oldest_first(store: Arc<dyn Store>) {
    for n in [3, 1, 2] {
        store.insert_role(&role(n), None, &[]).await.unwrap();
    }
    assert_eq!(store.role(&role(2).id).await.unwrap(), Some(role(2)));
    assert_eq!(store.role_named(&name("ROLE3")).await.unwrap(), Some(role(3)));
    assert_eq!(store.role_named(&name("Role9")).await.unwrap(), None);
    let first = store.roles("/odd/", Window { offset: 0, limit: 1 }).await.unwrap();
    assert_eq!((first.rows, first.total), (vec![role(1)], 2));
    let mut twin = role(4);
    twin.name = name("rOLE1");
    assert!(matches!(
        store.insert_role(&twin, None, &[]).await,
        Err(AwsError::Store(StoreError::Conflict(_)))
    ));
}

pub(crate) async fn a_role_is_updated_only_from_the_version_that_was_seen(store: Arc<dyn Store>) {
    let mut row = role(1);
    row.stamp.version = 2;
    assert!(matches!(store.update_role(&row).await, Err(StoreError::NotFound)));
    store.insert_role(&role(1), None, &[]).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    (row.trust, row.max_session, row.stamp.modified_at) = (trust("210987654321"), 43_200, time(8));
    store.update_role(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Role(row.id.clone())]);
    assert_eq!(store.role(&row.id).await.unwrap(), Some(row.clone()));
    assert!(matches!(store.update_role(&row).await, Err(StoreError::Stale)));
}

pub(crate) async fn a_role_goes_only_without_policies(store: Arc<dyn Store>) {
    let [_, _, holder] = holders(&*store, 1).await;
    let id = role(1).id;
    store.put_boundary(&role_actor(1), &by_aws("B"), time(1)).await.unwrap();
    store.attach(&holder, &by_aws("X"), time(1)).await.unwrap();
    store.put_inline_policy(&holder, &inline("x", "ecr:*")).await.unwrap();
    assert_eq!(remains(store.delete_role(&id).await), Remains::AttachedPolicies);
    store.detach(&holder, &by_aws("X")).await.unwrap();
    assert_eq!(remains(store.delete_role(&id).await), Remains::InlinePolicies);
    store.delete_inline_policy(&holder, &name("x")).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    store.delete_role(&id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Role(id.clone())]);
    assert!(matches!(store.delete_role(&id).await, Err(AwsError::Store(StoreError::NotFound))));
    assert_eq!(store.boundary(&role_actor(1)).await.unwrap(), None);
}

pub(crate) async fn uses_are_noted_and_touch_nothing(store: Arc<dyn Store>) {
    let who = of_user(&user(1));
    holders(&*store, 1).await;
    store.insert_access_key(&access_key(1, &who)).await.unwrap();
    let before = store.latest().await.unwrap();
    let used = |n| LastUsed { at: time(n), region: "us-south".to_owned(), service: "ecr".to_owned() };
    for n in [5, 9, 7] {
        store.role_used(&role(1).id, time(n), &region("eu-de")).await.unwrap();
        store.access_key_used(&access_key(1, &who).id, &used(n)).await.unwrap();
    }
    assert_eq!(store.role(&role(1).id).await.unwrap().unwrap().last_used, Some((time(9), region("eu-de"))));
    let key = store.access_key(&access_key(1, &who).id).await.unwrap().unwrap();
    assert_eq!(key.last_used, Some(used(9)));
    assert_eq!(store.latest().await.unwrap(), before);
}

pub(crate) async fn a_user_has_two_access_keys_at_most(store: Arc<dyn Store>) {
    let (who, other) = (of_user(&user(1)), of_service_id(&service_id(2)));
    let missing = store.insert_access_key(&access_key(1, &who)).await;
    assert!(matches!(missing, Err(AwsError::Store(StoreError::NotFound))));
    store.insert_user(&user(1)).await.unwrap();
    store.insert_service_id(&service_id(2)).await.unwrap();
    let mut feed = store.latest().await.unwrap();
    for (n, owner) in [(1, &who), (2, &who), (3, &other)] {
        store.insert_access_key(&access_key(n, owner)).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(owner.clone())]);
    }
    assert_eq!(over(store.insert_access_key(&access_key(4, &who)).await), Quota::AccessKeysPerUser);
    assert!(touched(&*store, &mut feed).await.is_empty());
    let taken = store.insert_access_key(&access_key(3, &other)).await;
    assert!(matches!(taken, Err(AwsError::Store(StoreError::Conflict(_)))));

    let id = access_key(1, &who).id;
    store.activate_access_key(&id, false).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(who.clone())]);
    assert!(!store.access_key(&id).await.unwrap().unwrap().active);
    store.delete_access_key(&id).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Principal(who.clone())]);
    let left = store.access_keys(&who, ALL).await.unwrap();
    assert_eq!((left.rows, left.total), (vec![access_key(2, &who)], 1));
    assert!(matches!(store.activate_access_key(&id, true).await, Err(StoreError::NotFound)));
    assert!(matches!(store.delete_access_key(&id).await, Err(StoreError::NotFound)));
}

pub(crate) async fn boundaries_are_set_replaced_and_removed(store: Arc<dyn Store>) {
    holders(&*store, 1).await;
    let customer = add_managed(&*store, 2).await;
    for (actor, key) in [
        (user_actor(1), ChangeKey::Principal(of_user(&user(1)))),
        (role_actor(1), ChangeKey::Role(role(1).id)),
    ] {
        let mut feed = store.latest().await.unwrap();
        for policy in [&by_aws("job/B"), &customer] {
            store.put_boundary(&actor, policy, time(1)).await.unwrap();
            assert_eq!(touched(&*store, &mut feed).await, std::slice::from_ref(&key));
            assert_eq!(&store.boundary(&actor).await.unwrap().unwrap().policy, policy);
        }
        store.delete_boundary(&actor).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [key]);
        assert!(matches!(store.delete_boundary(&actor).await, Err(StoreError::NotFound)));
    }
    let nobody = store.put_boundary(&Actor::Role(role(9).id), &customer, time(1)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
    let missing = crate::store::aws::holder::PolicyRef::Customer(super::aws_samples::managed(9).id);
    let nothing = store.put_boundary(&user_actor(1), &missing, time(1)).await;
    assert!(matches!(nothing, Err(StoreError::NotFound)));
    assert_eq!(Holder::from(user_actor(1)).key(), ChangeKey::Principal(of_user(&user(1))));
}
