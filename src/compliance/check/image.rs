//! Goals about images.

use super::{TOLD, counted_or, days, failed, passed, registries, registry, unable};
use crate::compliance::facts::{Facts, Images, TaggedImage};
use crate::compliance::verdict::{Judged, Judgement};
use crate::ids::region::Region;

pub(super) fn scans(facts: &Facts, limit: u32) -> Judgement {
    let expected = format!("every tagged image was scanned within {limit} days");
    about_images(facts, expected, |images| {
        let old = images.oldest.iter().filter_map(|one| {
            let age = days(one.scanned_at?, facts.at);
            (age > i64::from(limit)).then(|| (one, format!("was last scanned {age} days ago")))
        });
        let never = images.unscanned.1.iter().map(|one| {
            (one, format!("has not been scanned since it was first seen at {}", one.seen_at.rfc3339()))
        });
        let wrong = never.chain(old).take(TOLD).map(|(one, what)| {
            let name = named(facts, one);
            let pinned = format!("{}@{}", one.repository, one.digest);
            let fix = format!(
                "trivy image --format json --output report.json {}/{pinned} && portcullis cr region-set {} && portcullis cr va-upload {pinned} report.json",
                host(facts, &one.region), one.region
            );
            failed(name.clone(), format!("{name} {what}"), fix)
        });
        let count = images.unscanned.0.saturating_add(images.older_than(i64::from(limit)));
        (wrong.collect(), count, format!("{} images, all scanned within {limit} days", images.total))
    })
}

pub(super) fn signatures(facts: &Facts) -> Judgement {
    about_images(facts, "every tagged image is signed".to_owned(), |images| {
        let wrong = images.unsigned.1.iter().map(|one| {
            let name = named(facts, one);
            let fix = format!("cosign sign {}/{}@{}", host(facts, &one.region), one.repository, one.digest);
            failed(name.clone(), format!("no signature that counts stands beside {name}"), fix)
        });
        let right = match facts.verified.as_slice() {
            [] => "each with a signature: present, not verified, for no key is configured".to_owned(),
            places if places.iter().any(|place| place == "*") => "each signed by a configured key".to_owned(),
            places => {
                format!("each with a signature: verified in {}, elsewhere only present", places.join(", "))
            }
        };
        (wrong.collect(), images.unsigned.0, format!("{} images, {right}", images.total))
    })
}

/// Whether every tag is pinned to its image.
pub(super) fn tags(facts: &Facts) -> Judgement {
    about_images(facts, "no tag of an image can be moved to another".to_owned(), |images| {
        let wrong = images.movable.1.iter().map(|one| {
            let (region, repository) = (&one.region, &one.repository);
            let found = format!("tags of {repository} in {region}, such as {}, can be moved to other images", one.tag);
            let fix = format!(
                "aws ecr put-image-tag-mutability --region {region} --repository-name {repository} --image-tag-mutability IMMUTABLE"
            );
            failed(format!("arn:aws:ecr:{region}:{}:repository/{repository}", facts.account), found, fix)
        });
        let right = format!("{} images, and all their tags stay", images.total);
        (wrong.collect(), images.movable.0, right)
    })
}

/// What is wrong with images: those that are told, how many there are in all, and what to say if there are none. Of a registry
/// that was not looked through, nothing can be told.
fn about_images(
    facts: &Facts,
    expected: String,
    judge: impl FnOnce(&Images) -> (Vec<Judged>, u64, String),
) -> Judgement {
    let Some(images) = &facts.images else {
        let judged = unable(registries(facts), "nothing is known of images yet", "");
        return Judgement { expected, resources: vec![judged] };
    };
    let (told, count, right) = judge(images);
    let more = count.saturating_sub(told.len() as u64);
    let mut judgement = counted_or(expected, told, more, || passed(registries(facts), right));
    if images.total == 0 {
        judgement.resources.clear();
    }
    for region in &images.unseen {
        let found = format!("{region} has not been looked through yet; it is in the background");
        judgement.resources.push(unable(registry(facts, region), found, "portcullis compliance scan"));
    }
    judgement
}

/// The name of the registry in a region.
fn host<'f>(facts: &'f Facts, region: &Region) -> &'f str {
    let found = facts.registries.iter().find(|one| one.region == *region);
    found.and_then(|one| one.names.first()).map(String::as_str).unwrap_or_default()
}

/// An image, as clients name it.
fn named(facts: &Facts, one: &TaggedImage) -> String {
    format!("{}/{}:{}", host(facts, &one.region), one.repository, one.tag)
}
