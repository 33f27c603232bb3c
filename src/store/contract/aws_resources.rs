//! Repositories, providers and tags.

use std::sync::Arc;

use super::aws_samples::{
    add_managed, aws_group, aws_user, holders, managed, provider, repository, role_actor, tag, text,
    user_actor,
};
use super::samples::{ALL, group, region, settings, user};
use super::touched;
use crate::ids::account::AccountId;
use crate::registry::name::Namespace;
use crate::store::aws::repository::Mutability;
use crate::store::aws::tag::Tagged;
use crate::store::aws::{AwsError, Quota};
use crate::store::feed::ChangeKey;
use crate::store::identity::Window;
use crate::store::{Store, StoreError};

fn key(n: u64) -> ChangeKey {
    ChangeKey::Repository(repository(n).region, repository(n).name)
}

pub(crate) async fn a_repository_brings_its_namespace_into_being(store: Arc<dyn Store>) {
    let (south, mut feed) = (region("us-south"), store.latest().await.unwrap());
    store.insert_repository(&repository(2), &[tag("Team", "a")]).await.unwrap();
    let mut keys = touched(&*store, &mut feed).await;
    keys.sort_by_key(|key| format!("{key:?}"));
    assert_eq!(keys, [ChangeKey::Registry(south.clone()), key(2)]);
    let mut sibling = repository(1);
    sibling.name = crate::registry::name::RepositoryName::parse("team-2/other").unwrap();
    store.insert_repository(&sibling, &[]).await.unwrap();
    let itself = ChangeKey::Repository(south.clone(), sibling.name.clone());
    assert_eq!(touched(&*store, &mut feed).await, [itself], "the namespace is there already");
    let namespaces = store.namespaces(&south).await.unwrap();
    assert_eq!(namespaces[0].name, Namespace::of(&repository(2).name));
    assert_eq!(namespaces.len(), 1);
    let taken = store.insert_repository(&repository(2), &[]).await;
    assert!(matches!(taken, Err(AwsError::Store(StoreError::Conflict(_)))));
    let mut elsewhere = repository(2);
    elsewhere.region = region("eu-de");
    store.insert_repository(&elsewhere, &[]).await.unwrap();

    let listed = store.repositories(&south, Window { offset: 0, limit: 1 }).await.unwrap();
    assert_eq!((listed.rows, listed.total), (vec![sibling], 2));
    assert_eq!(store.repository(&south, &repository(2).name).await.unwrap(), Some(repository(2)));
    let arn = repository(2).arn(AccountId::parse("123456789012").unwrap());
    assert_eq!(arn.to_string(), "arn:aws:ecr:us-south:123456789012:repository/team-2/app");
}

pub(crate) async fn a_repository_policy_is_set_replaced_and_removed(store: Arc<dyn Store>) {
    let (row, mut feed) = (repository(1), store.latest().await.unwrap());
    let none = store.repository_policy(&row.region, &row.name).await.unwrap();
    assert_eq!((none.repository, none.policy, none.as_of), (None, None, feed));
    let missing = store.put_repository_policy(&row.region, &row.name, Some(&text("ecr:*"))).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    store.insert_repository(&row, &[tag("Team", "a"), tag("team", "b")]).await.unwrap();
    touched(&*store, &mut feed).await;
    let registry = || ChangeKey::Registry(row.region.clone());
    let has_policies = async || store.registry(&row.region).await.unwrap().unwrap().repository_policies;
    store.put_registry(&settings("us-south")).await.unwrap();
    touched(&*store, &mut feed).await;
    for policy in [Some(text("ecr:*")), Some(text("ecr:PutImage")), None] {
        let before = has_policies().await;
        store.put_repository_policy(&row.region, &row.name, policy.as_ref()).await.unwrap();
        assert_eq!(has_policies().await, policy.is_some());
        let flipped = (before != policy.is_some()).then(registry);
        assert_eq!(
            touched(&*store, &mut feed).await,
            flipped.into_iter().chain([key(1)]).collect::<Vec<_>>()
        );
        let found = store.repository_policy(&row.region, &row.name).await.unwrap();
        assert_eq!((found.policy, found.repository, found.as_of), (policy, Some(row.clone()), feed));
        assert_eq!(found.tags, [tag("Team", "a"), tag("team", "b")], "ECR's keys are compared to the letter");
    }
    store.put_mutability(&row.region, &row.name, Mutability::Immutable, &[]).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [key(1)]);
    let found = store.repository(&row.region, &row.name).await.unwrap().unwrap();
    assert_eq!((found.mutability, found.exclusions.len()), (Mutability::Immutable, 0));

    store.put_repository_policy(&row.region, &row.name, Some(&text("ecr:*"))).await.unwrap();
    touched(&*store, &mut feed).await;
    store.delete_repository(&row.region, &row.name).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [registry(), key(1)], "it was the last one with a policy");
    assert!(matches!(store.delete_repository(&row.region, &row.name).await, Err(StoreError::NotFound)));
    store.insert_repository(&row, &[]).await.unwrap();
    let anew = store.repository_policy(&row.region, &row.name).await.unwrap();
    assert!(anew.policy.is_none() && anew.tags.is_empty(), "nothing is inherited from the one before");
}

pub(crate) async fn a_provider_is_read_back_and_updated_from_the_version_that_was_seen(
    store: Arc<dyn Store>,
) {
    let mut feed = store.latest().await.unwrap();
    for n in [2, 1] {
        store.insert_oidc_provider(&provider(n), &[tag("ci", "x")]).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::OidcProvider(provider(n).url)]);
    }
    let taken = store.insert_oidc_provider(&provider(1), &[]).await;
    assert!(matches!(taken, Err(AwsError::Store(StoreError::Conflict(_)))));
    assert_eq!(store.oidc_provider(&provider(1).url).await.unwrap(), (Some(provider(1)), feed));
    assert_eq!(store.oidc_providers(ALL).await.unwrap().rows, [provider(1), provider(2)]);
    let mut row = provider(1);
    (row.client_ids, row.stamp.version) = (vec!["another".to_owned()], 2);
    store.update_oidc_provider(&row).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::OidcProvider(row.url.clone())]);
    assert!(matches!(store.update_oidc_provider(&row).await, Err(AwsError::Store(StoreError::Stale))));
    row.stamp.version = 3;
    row.thumbprints = vec!["b".repeat(40); 6];
    let refused = store.update_oidc_provider(&row).await;
    assert!(matches!(refused, Err(AwsError::Quota(Quota::ThumbprintsPerProvider))));
    store.delete_oidc_provider(&row.url).await.unwrap();
    assert_eq!(store.oidc_provider(&row.url).await.unwrap().0, None);
    assert!(store.tags(&Tagged::Provider(row.url.clone())).await.unwrap().is_empty());
    assert!(matches!(store.delete_oidc_provider(&row.url).await, Err(StoreError::NotFound)));
}

pub(crate) async fn everything_that_has_tags_is_tagged_alike(store: Arc<dyn Store>) {
    holders(&*store, 1).await;
    add_managed(&*store, 1).await;
    store.insert_oidc_provider(&provider(1), &[]).await.unwrap();
    store.insert_repository(&repository(1), &[]).await.unwrap();
    let all = [
        Tagged::Actor(user_actor(1)),
        Tagged::Actor(role_actor(1)),
        Tagged::Policy(managed(1).id),
        Tagged::Provider(provider(1).url),
        Tagged::Repository(repository(1).region, repository(1).name),
    ];
    for of in &all {
        let mut feed = store.latest().await.unwrap();
        store.tag(of, &[tag("b", "1"), tag("a", "2")]).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [of.key()]);
        store.tag(of, &[tag("b", "3")]).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [of.key()]);
        assert_eq!(store.tags(of).await.unwrap(), [tag("a", "2"), tag("b", "3")]);
        store.tag(of, &[tag("B", "4")]).await.unwrap();
        let is_repository = matches!(of, Tagged::Repository(..));
        assert_eq!(store.tags(of).await.unwrap().len(), if is_repository { 3 } else { 2 });
        touched(&*store, &mut feed).await;
        store.untag(of, &["b".to_owned(), "none".to_owned()]).await.unwrap();
        assert_eq!(touched(&*store, &mut feed).await, [of.key()]);
        store.untag(of, &["none".to_owned()]).await.unwrap();
        assert!(touched(&*store, &mut feed).await.is_empty());
        assert_eq!(store.tags(of).await.unwrap()[if is_repository { 1 } else { 0 }], tag("a", "2"));
    }
    let nobody = store.tag(&Tagged::Actor(user_actor(9)), &[tag("a", "b")]).await;
    assert!(matches!(nobody, Err(AwsError::Store(StoreError::NotFound))));
}

pub(crate) async fn fifty_tags_are_the_most_and_a_refused_user_is_not_made(store: Arc<dyn Store>) {
    let tags: Vec<_> = (0..51).map(|n| tag(&format!("k{n}"), "")).collect();
    let refused = store.insert_aws_user(&aws_user(1), None, &tags).await;
    assert!(matches!(refused, Err(AwsError::Quota(Quota::Tags))));
    assert_eq!(store.user(&user(1).id).await.unwrap(), None);
    assert_eq!(store.latest().await.unwrap().0, 0);
    store.insert_aws_user(&aws_user(1), None, &tags[1..]).await.unwrap();
    let of = Tagged::Actor(user_actor(1));
    assert!(matches!(store.tag(&of, &tags[..1]).await, Err(AwsError::Quota(Quota::Tags))));
    store.tag(&of, &[tag("K7", "replaced")]).await.unwrap();
    assert_eq!(store.tags(&of).await.unwrap().len(), 50);
}

pub(crate) async fn an_account_has_so_many_groups_and_providers_at_most(store: Arc<dyn Store>) {
    for n in 0..300 {
        store.insert_aws_group(&aws_group(n)).await.unwrap();
    }
    for n in 0..100 {
        store.insert_oidc_provider(&provider(n), &[]).await.unwrap();
    }
    let before = store.latest().await.unwrap();
    let refused = store.insert_aws_group(&aws_group(300)).await;
    assert!(matches!(refused, Err(AwsError::Quota(Quota::Groups))));
    let refused = store.insert_oidc_provider(&provider(100), &[]).await;
    assert!(matches!(refused, Err(AwsError::Quota(Quota::OidcProviders))));
    assert_eq!(store.latest().await.unwrap(), before);
    store.insert_group(&group(300)).await.expect("IBM's dialect has no such quota");
}
