//! What Container Registry keeps beside an upstream: the trash, quotas, retention policies and resource groups.

use std::sync::Arc;

use super::samples::{founding, region, time};
use super::touched;
use crate::clock::SequenceEntropy;
use crate::ids::resource_group::ResourceGroupId;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::{Digest, Tag};
use crate::store::feed::{ChangeKey, Sequence};
use crate::store::quota::{Added, Quota, Used};
use crate::store::registry::NamespaceRecord;
use crate::store::resource_group::ResourceGroup;
use crate::store::retention::RetentionPolicy;
use crate::store::trash::{HiddenImages, PURGE_TAKES, Revealed, TrashedImage};
use crate::store::{Store, StoreError};

fn digest(n: u64) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

fn owl() -> RepositoryName {
    "birds/owl".parse().unwrap()
}

fn trashed(n: u64, tags: &[&str]) -> TrashedImage {
    TrashedImage {
        region: region("us-south"),
        repository: owl(),
        digest: digest(n),
        tags: tags.iter().map(|text| tag(text)).collect(),
        deleted_at: time(n),
        expires_at: time(n + 10),
    }
}

async fn hidden(store: &dyn Store, place: &str) -> (Vec<Digest>, Vec<(Tag, Digest)>) {
    let HiddenImages { mut digests, mut tags, .. } = store.hidden(&region(place), &owl()).await.unwrap();
    digests.sort_by_key(ToString::to_string);
    tags.sort_by_key(|(tag, _)| tag.to_string());
    (digests, tags)
}

pub(crate) async fn a_hidden_image_and_its_tags_are_hidden_there_and_nowhere_else(store: Arc<dyn Store>) {
    let south = region("us-south");
    let touch = || vec![ChangeKey::Repository(region("us-south"), owl())];
    let mut feed = store.latest().await.unwrap();
    store.hide_image(&trashed(1, &["a", "b"])).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, touch());
    let both = vec![(tag("a"), digest(1)), (tag("b"), digest(1))];
    assert_eq!(hidden(&*store, "us-south").await, (vec![digest(1)], both.clone()));
    assert_eq!(hidden(&*store, "eu-de").await, (vec![], vec![]));
    assert_eq!(store.hidden(&south, &owl()).await.unwrap().as_of, feed);
    // Hidden again, it keeps its time.
    store.hide_image(&TrashedImage { expires_at: time(99), ..trashed(1, &[]) }).await.unwrap();
    store.hide_image(&trashed(2, &["c"])).await.unwrap();
    let rows = store.trash(&south).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row.digest.clone(), row.expires_at)).collect();
    assert_eq!(shown, [(digest(2), time(12)), (digest(1), time(11))], "the latest first");
    let mut feed = store.latest().await.unwrap();
    // Back without its tags, which stay hidden until they are put on again.
    assert_eq!(store.reveal_image(&south, &owl(), &digest(1)).await.unwrap(), Revealed::Now);
    assert_eq!(touched(&*store, &mut feed).await, touch());
    assert_eq!(store.reveal_image(&south, &owl(), &digest(1)).await.unwrap(), Revealed::Before);
    let (digests, tags) = hidden(&*store, "us-south").await;
    assert_eq!((digests, tags.len()), (vec![digest(2)], 3));
    store.reveal_tag(&south, &owl(), &tag("a")).await.unwrap();
    store.hide_tag(&south, &owl(), &tag("d"), &digest(7)).await.unwrap();
    let left: Vec<String> =
        hidden(&*store, "us-south").await.1.iter().map(|(tag, _)| tag.to_string()).collect();
    assert_eq!(left, ["b", "c", "d"]);
}

pub(crate) async fn a_purge_takes_what_is_due_and_nothing_brings_that_back(store: Arc<dyn Store>) {
    let south = region("us-south");
    for n in 1..=3 {
        store.hide_image(&trashed(n, &["a"])).await.unwrap();
    }
    assert!(store.begin_purge(time(10), 9).await.unwrap().is_empty(), "too early");
    let due = store.begin_purge(time(12), 1).await.unwrap();
    assert_eq!(due.iter().map(|row| row.digest.clone()).collect::<Vec<_>>(), [digest(1)]);
    assert_eq!(store.reveal_image(&south, &owl(), &digest(1)).await.unwrap(), Revealed::TooLate);
    assert_eq!(store.reveal_image(&south, &owl(), &digest(3)).await.unwrap(), Revealed::Now);
    // A deletion that has begun is somebody's, and begun again by whoever comes after their time is over.
    let others = store.begin_purge(time(12), 9).await.unwrap();
    assert_eq!(others.iter().map(|row| row.digest.clone()).collect::<Vec<_>>(), [digest(2)]);
    assert_eq!(store.begin_purge(time(12).plus(PURGE_TAKES), 9).await.unwrap().len(), 2);
    store.end_purge(&south, &owl(), &digest(1)).await.unwrap();
    store.abort_purge(&south, &owl(), &digest(2)).await.unwrap();
    assert_eq!(store.reveal_image(&south, &owl(), &digest(1)).await.unwrap(), Revealed::Before);
    assert_eq!(store.reveal_image(&south, &owl(), &digest(2)).await.unwrap(), Revealed::Now);
    assert!(store.trash(&south).await.unwrap().is_empty());
}

pub(crate) async fn limits_and_usage_are_each_registrys_own(store: Arc<dyn Store>) {
    let (south, east) = (region("us-south"), region("us-east"));
    assert_eq!(store.quota(&south).await.unwrap(), Quota::default());
    let mut feed = store.latest().await.unwrap();
    let quota = Quota { storage: Some(0), traffic: Some(1 << 40) };
    store.put_quota(&south, &quota).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Registry(south.clone())]);
    assert_eq!(
        (store.quota(&south).await.unwrap(), store.quota(&east).await.unwrap()),
        (quota, Quota::default())
    );
    assert_eq!(store.used(&south).await.unwrap(), None);
    store.add_used(&south, 5, 100, 10).await.unwrap();
    store.add_used(&south, 5, 11, 1).await.unwrap();
    let used =
        |month, traffic, (storage, added), at| Some(Used { month, traffic, storage, added, surveyed_at: at });
    let never = crate::clock::UnixTime::from_millis(0);
    assert_eq!(store.used(&south).await.unwrap(), used(5, 111, (11, 11), never));
    // A new month begins at nothing, and what is late from the old one does not count for it.
    store.add_used(&south, 6, 7, 0).await.unwrap();
    store.add_used(&south, 5, 1000, 2).await.unwrap();
    assert_eq!(store.used(&south).await.unwrap(), used(6, 7, (13, 13), never));
    store.put_storage(&south, 6, (4, Added(13)), time(9)).await.unwrap();
    assert_eq!(store.used(&south).await.unwrap(), used(6, 7, (4, 13), time(9)));
    // Two surveys at once, and pushes meanwhile: whichever ends last is right, or counts too much.
    store.add_used(&south, 6, 0, 5).await.unwrap();
    store.put_storage(&south, 6, (4, Added(13)), time(10)).await.unwrap();
    assert_eq!(store.used(&south).await.unwrap(), used(6, 7, (9, 18), time(10)));
    store.put_storage(&south, 6, (6, Added(13)), time(11)).await.unwrap();
    assert_eq!(store.used(&south).await.unwrap(), used(6, 7, (11, 18), time(11)));
    assert_eq!(store.used(&east).await.unwrap(), None);
}

pub(crate) async fn retention_policies_are_replaced_and_due_by_when_they_ran(store: Arc<dyn Store>) {
    let row = |place: &str, name: &str, at: u64| RetentionPolicy {
        region: region(place),
        namespace: Namespace::parse(name).unwrap(),
        images: Some(3),
        retain_untagged: true,
        threshold_days: None,
        ran_at: time(at),
    };
    for one in [row("us-south", "cats", 5), row("us-south", "birds", 2), row("eu-de", "birds", 1)] {
        store.put_retention(&one).await.unwrap();
    }
    let changed = RetentionPolicy {
        images: None,
        retain_untagged: false,
        threshold_days: Some(9),
        ..row("us-south", "birds", 3)
    };
    store.put_retention(&changed).await.unwrap();
    let south = region("us-south");
    assert_eq!(store.retentions(&south).await.unwrap(), [changed.clone(), row("us-south", "cats", 5)]);
    assert_eq!(store.retentions_due(time(5)).await.unwrap(), [row("eu-de", "birds", 1), changed.clone()]);
    // What was carried out is noted where it is still the same, and brings nothing back.
    store.retention_ran(&changed, time(6)).await.unwrap();
    store.retention_ran(&changed, time(7)).await.unwrap();
    let ran = RetentionPolicy { ran_at: time(6), ..changed.clone() };
    assert_eq!(store.retentions(&south).await.unwrap(), [ran, row("us-south", "cats", 5)]);
    store.delete_retention(&south, &changed.namespace).await.unwrap();
    store.retention_ran(&row("us-south", "birds", 6), time(8)).await.unwrap();
    store.delete_retention(&south, &changed.namespace).await.unwrap();
    assert_eq!(store.retentions(&south).await.unwrap(), [row("us-south", "cats", 5)]);
}

pub(crate) async fn a_namespace_is_in_one_resource_group_for_good(store: Arc<dyn Store>) {
    store.found(&founding()).await.unwrap();
    let group = |n: u64, name: &str| ResourceGroup {
        id: ResourceGroupId::fresh(&SequenceEntropy::seeded(n)),
        name: name.to_owned(),
        created_at: time(n),
        modified_at: time(n),
    };
    let (beaks, claws) = (group(1, "beaks"), group(2, "claws"));
    for row in [&claws, &beaks] {
        store.insert_resource_group(row).await.unwrap();
    }
    assert!(matches!(store.insert_resource_group(&group(3, "BEAKS")).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.resource_groups().await.unwrap(), [beaks.clone(), claws.clone()]);
    let taken = ResourceGroup { name: "Beaks".to_owned(), ..claws.clone() };
    assert!(matches!(store.update_resource_group(&taken).await, Err(StoreError::Conflict(_))));
    let renamed = ResourceGroup { name: "Talons".to_owned(), modified_at: time(8), ..claws.clone() };
    store.update_resource_group(&renamed).await.unwrap();
    assert!(matches!(store.update_resource_group(&group(3, "x")).await, Err(StoreError::NotFound)));
    let (south, birds) = (region("us-south"), Namespace::parse("birds").unwrap());
    let row = NamespaceRecord { region: south.clone(), name: birds.clone(), created_at: time(1) };
    let put = async |group: &ResourceGroup| store.put_namespace_group(&south, &birds, &group.id).await;
    assert!(put(&beaks).await.is_err(), "there is no such namespace");
    store.insert_namespace(&row).await.unwrap();
    assert!(matches!(put(&group(3, "x")).await, Err(StoreError::Conflict(_))), "nor such a group");
    let mut feed: Sequence = store.latest().await.unwrap();
    put(&beaks).await.unwrap();
    assert_eq!(touched(&*store, &mut feed).await, [ChangeKey::Registry(south.clone())]);
    assert!(matches!(put(&renamed).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.namespace_groups(&south).await.unwrap(), [(birds.clone(), beaks.id.clone())]);
    assert!(store.namespace_groups(&region("eu-de")).await.unwrap().is_empty());
    assert!(matches!(store.delete_resource_group(&beaks.id).await, Err(StoreError::Conflict(_))));
    store.delete_namespace(&south, &birds).await.unwrap();
    store.delete_resource_group(&beaks.id).await.unwrap();
    assert!(matches!(store.delete_resource_group(&beaks.id).await, Err(StoreError::NotFound)));
    assert_eq!(store.resource_groups().await.unwrap(), [renamed]);
}
