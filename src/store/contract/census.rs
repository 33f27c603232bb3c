//! What is known of tagged images, and pushed reports that wait.

use std::sync::Arc;

use super::samples::region;
use crate::clock::UnixTime;
use crate::compliance::facts::Images;
use crate::findings::channel::Channel;
use crate::findings::read::read;
use crate::findings::report::Report;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};
use crate::registry::shape::Nature;
use crate::store::Store;
use crate::store::census::{Change, Found, Note, SeenManifest, SeenSignature};
use crate::store::findings::{Due, PushedReport, ReportRecord, Scanned};
use crate::store::trash::TrashedImage;

const DAY: i64 = 24 * 60 * 60;

fn now() -> UnixTime {
    UnixTime::from_seconds(100 * DAY)
}

fn owl() -> RepositoryName {
    "birds/owl".parse().unwrap()
}

fn digest(n: u64) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

fn of(n: u64) -> Scanned {
    Scanned { region: region("us-south"), repository: owl(), digest: digest(n) }
}

fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

fn manifest(n: u64, nature: Nature, children: &[u64]) -> SeenManifest {
    SeenManifest { digest: digest(n), nature, children: children.iter().map(|n| digest(*n)).collect() }
}

fn note(change: Change) -> Note {
    Note { region: region("us-south"), repository: owl(), change }
}

async fn put(store: &dyn Store, manifest: SeenManifest, tag: Option<&str>, signs: Option<u64>) {
    let tag = tag.map(|text| Tag::parse(text).unwrap());
    let signature = signs.map(|subject| SeenSignature {
        subject: digest(subject),
        digest: manifest.digest.clone(),
        tag: tag.clone(),
    });
    store.take_notes(&[note(Change::Put(manifest, tag, signature))], now()).await.unwrap();
}

async fn scan(store: &dyn Store, n: u64, children: &[u64], day: i64) {
    let report = read(br#"{"SchemaVersion":2,"ArtifactName":"x","Results":[]}"#).unwrap();
    let report = Report { made_at: Some(UnixTime::from_seconds(day * DAY)), ..report };
    let row = ReportRecord { of: of(n), channel: Channel::Upload, received_at: now(), report };
    let children: Vec<Digest> = children.iter().map(|n| digest(*n)).collect();
    store.put_report(&row, &children).await.unwrap();
}

async fn known(store: &dyn Store) -> Images {
    store.tagged_images(&region("us-south"), now()).await.unwrap().unwrap()
}

/// How many there are, were never scanned, were scanned more than 7 days ago, and have no signature.
async fn counted(store: &dyn Store) -> (u64, u64, u64, u64) {
    let images = known(store).await;
    (images.total, images.unscanned.0, images.older_than(7), images.unsigned.0)
}

pub(crate) async fn tagged_images_are_counted_by_their_scans_and_signatures(store: Arc<dyn Store>) {
    let south = region("us-south");
    put(&*store, manifest(1, Nature::Image, &[]), Some("v1"), None).await;
    assert_eq!(store.tagged_images(&south, now()).await.unwrap(), None, "nobody has looked at all of it");
    store.all_looked_through(&south, now()).await.unwrap();
    put(&*store, manifest(1, Nature::Image, &[]), Some("v2"), None).await;
    put(&*store, manifest(2, Nature::Image, &[]), None, None).await;
    put(&*store, manifest(3, Nature::Artifact, &[]), Some("chart"), None).await;
    assert_eq!(counted(&*store).await, (1, 1, 0, 1), "one by two tags; no chart, and none without a tag");
    assert_eq!(store.known_repositories(&south).await.unwrap(), [owl()]);
    scan(&*store, 1, &[], 90).await;
    assert_eq!(counted(&*store).await, (1, 0, 1, 1));
    scan(&*store, 1, &[], 95).await;
    put(&*store, manifest(4, Nature::Signature, &[]), Some("sha256-1.sig"), Some(1)).await;
    assert_eq!(counted(&*store).await, (1, 0, 0, 0));
    put(&*store, manifest(6, Nature::Signature, &[]), Some("sha256-1.sig"), None).await;
    assert_eq!(counted(&*store).await.3, 1, "the tag stands for what is no signature of it");
    put(&*store, manifest(4, Nature::Signature, &[]), Some("sha256-1.sig"), Some(1)).await;
    store.take_notes(&[note(Change::Untagged(tag("sha256-1.sig")))], now()).await.unwrap();
    put(&*store, manifest(5, Nature::Signature, &[]), None, Some(1)).await;
    assert_eq!(counted(&*store).await.3, 0);
    let trashed = TrashedImage {
        region: south.clone(),
        repository: owl(),
        digest: digest(5),
        tags: Vec::new(),
        deleted_at: now(),
        expires_at: now(),
    };
    store.hide_image(&trashed).await.unwrap();
    assert_eq!(counted(&*store).await.3, 1, "a signature in the trash is none");
    store.reveal_image(&south, &owl(), &digest(5)).await.unwrap();
    store.take_notes(&[note(Change::Gone(digest(5)))], now()).await.unwrap();
    assert_eq!(counted(&*store).await.3, 1);
    // The last tag moves, and nothing is left of the first image.
    put(&*store, manifest(2, Nature::Image, &[]), Some("v1"), None).await;
    store.hide_tag(&south, &owl(), &tag("v2"), &digest(1)).await.unwrap();
    assert_eq!(counted(&*store).await, (1, 1, 0, 1));
    assert_eq!(known(&*store).await.unscanned.1[0].digest, digest(2).to_string());
    assert_eq!(known(&*store).await.movable.0, 1);
}

pub(crate) async fn an_index_is_scanned_when_all_its_images_are_and_its_signature_is_theirs(
    store: Arc<dyn Store>,
) {
    store.all_looked_through(&region("us-south"), now()).await.unwrap();
    put(&*store, manifest(9, Nature::Index, &[1, 2]), Some("all"), None).await;
    put(&*store, manifest(1, Nature::Image, &[]), Some("one"), None).await;
    scan(&*store, 1, &[], 99).await;
    assert_eq!(counted(&*store).await, (2, 1, 0, 2), "the other image was never scanned");
    scan(&*store, 2, &[], 50).await;
    assert_eq!(counted(&*store).await, (2, 0, 1, 2), "as long ago as the oldest");
    scan(&*store, 9, &[1, 2], 99).await;
    assert_eq!(counted(&*store).await.2, 0, "a report about the index is about both");
    put(&*store, manifest(4, Nature::Signature, &[]), None, Some(9)).await;
    assert_eq!(counted(&*store).await.3, 0);
}

pub(crate) async fn what_is_found_takes_the_place_of_what_was_known(store: Arc<dyn Store>) {
    let south = region("us-south");
    store.all_looked_through(&south, now()).await.unwrap();
    put(&*store, manifest(1, Nature::Image, &[]), Some("v1"), None).await;
    put(&*store, manifest(2, Nature::Image, &[]), Some("gone"), None).await;
    put(&*store, manifest(4, Nature::Signature, &[]), None, Some(1)).await;
    let known_now = store.known_images(&south, &owl()).await.unwrap();
    assert_eq!((known_now.images.len(), known_now.others.len()), (2, 1));
    let mut found = Found { tags: vec![(tag("v1"), digest(1))], ..Found::default() };
    found.signatures = vec![SeenSignature { subject: digest(1), digest: digest(4), tag: None }];
    store.looked_through(&south, &owl(), &found, now()).await.unwrap();
    assert_eq!(counted(&*store).await, (1, 1, 0, 0));
    found.tags.push((tag("v3"), digest(3)));
    (found.manifests, found.signatures) = (vec![manifest(3, Nature::Index, &[1])], Vec::new());
    store.looked_through(&south, &owl(), &found, now()).await.unwrap();
    assert_eq!(counted(&*store).await, (2, 2, 0, 2), "the signature has gone behind our back");
    store.looked_through(&south, &owl(), &Found::default(), now()).await.unwrap();
    assert_eq!(counted(&*store).await.0, 0);
    assert!(store.known_repositories(&south).await.unwrap().is_empty());
}

pub(crate) async fn a_pushed_report_waits_until_it_is_read(store: Arc<dyn Store>) {
    let pushed =
        |n: u64| PushedReport { id: 0, of: of(1), digest: digest(n), pushed_at: UnixTime::from_seconds(1) };
    store.report_pushed(&pushed(7)).await.unwrap();
    store.report_pushed(&pushed(8)).await.unwrap();
    store.report_pushed(&pushed(7)).await.unwrap();
    let all = store.pushed_reports(Due::After(0), 10).await.unwrap();
    assert_eq!(all.iter().map(|one| one.digest.clone()).collect::<Vec<_>>(), [digest(7), digest(8)]);
    assert_eq!(all[0], PushedReport { id: all[0].id, ..pushed(7) });
    store.report_waits(all[0].id).await.unwrap();
    assert_eq!(store.pushed_reports(Due::After(0), 10).await.unwrap(), all[1..], "it waits for its image");
    assert_eq!(store.pushed_reports(Due::About(&of(1)), 10).await.unwrap(), all);
    put(&*store, manifest(1, Nature::Image, &[]), None, None).await;
    assert_eq!(store.pushed_reports(Due::After(0), 10).await.unwrap(), all, "which is there by now");
    store.report_read(all[0].id).await.unwrap();
    assert_eq!(store.pushed_reports(Due::After(0), 10).await.unwrap(), all[1..]);
    for n in 100..400 {
        store.report_pushed(&pushed(n)).await.unwrap();
    }
    let kept = store.pushed_reports(Due::About(&of(1)), 5000).await.unwrap();
    assert_eq!((kept.len(), &kept[0].digest), (200, &digest(200)), "the oldest go");
}
