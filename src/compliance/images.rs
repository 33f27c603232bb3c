//! What goals are told of images: numbers of all, and names of some. However many there are, it stays as small.

use std::collections::BTreeMap;

use super::check::days;
use crate::clock::UnixTime;
use crate::ids::region::Region;

/// How many images are named of each kind.
const NAMED: usize = 100;

/// A tag of an image, and what is known of both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaggedImage {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: String,
    /// What the image hashes to.
    pub digest: String,
    /// The tag; of several, the first one stands for the image.
    pub tag: String,
    /// Since when the tag is known to stand for it.
    pub seen_at: UnixTime,
    /// When it was last scanned.
    pub scanned_at: Option<UnixTime>,
    /// Whether a signature stands beside it.
    pub signed: bool,
    /// Whether the tag can stand for nothing else.
    pub kept: bool,
}

/// What is known of the tagged images of one registry or all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Images {
    /// As of when; `None` of none.
    pub as_of: Option<UnixTime>,
    /// How many there are.
    pub total: u64,
    /// Registries of which that is not known yet.
    pub unseen: Vec<Region>,
    /// How many were never scanned, and some of them.
    pub unscanned: (u64, Vec<TaggedImage>),
    /// How many were last scanned so many days ago.
    pub ages: BTreeMap<i64, u64>,
    /// Some of those, the oldest first.
    pub oldest: Vec<TaggedImage>,
    /// How many have no signature, and some of them.
    pub unsigned: (u64, Vec<TaggedImage>),
    /// How many repositories have tags that can be moved to another image, and in some of them one such tag.
    pub movable: (u64, Vec<TaggedImage>),
    last: Option<TaggedImage>,
}

fn tell((count, named): &mut (u64, Vec<TaggedImage>), image: &TaggedImage) {
    *count = count.saturating_add(1);
    if named.len() < NAMED {
        named.push(image.clone());
    }
}

fn merge((count, named): &mut (u64, Vec<TaggedImage>), other: (u64, Vec<TaggedImage>)) {
    *count = count.saturating_add(other.0);
    named.extend(other.1);
    named.truncate(NAMED);
}

impl Images {
    /// Counts one tag; all of an image come one after the other, and all images of a repository.
    pub fn count(&mut self, image: TaggedImage, now: UnixTime) {
        let last = self.last.take();
        let same_place =
            |one: &&TaggedImage| one.repository == image.repository && one.region == image.region;
        let movable = last.as_ref().filter(same_place).is_some_and(|one| !one.kept);
        let again = last.as_ref().filter(same_place).is_some_and(|one| one.digest == image.digest);
        if !image.kept && !movable {
            tell(&mut self.movable, &image);
        }
        if !again {
            self.count_image(&image, now);
        }
        // Whether any tag of the repository so far could be moved is remembered with the last one.
        self.last = Some(TaggedImage { kept: image.kept && !movable, ..image });
    }

    fn count_image(&mut self, image: &TaggedImage, now: UnixTime) {
        self.total = self.total.saturating_add(1);
        if !image.signed {
            tell(&mut self.unsigned, image);
        }
        let Some(at) = image.scanned_at else { return tell(&mut self.unscanned, image) };
        let age = self.ages.entry(days(at, now)).or_default();
        *age = age.saturating_add(1);
        self.oldest.push(image.clone());
        if self.oldest.len() > 2 * NAMED {
            self.keep_oldest();
        }
    }

    fn keep_oldest(&mut self) {
        self.oldest.sort_by_key(|one| one.scanned_at.map(UnixTime::millis));
        self.oldest.truncate(NAMED);
    }

    /// Adds those of another registry.
    pub fn add(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.unseen.extend(other.unseen);
        merge(&mut self.unscanned, other.unscanned);
        merge(&mut self.unsigned, other.unsigned);
        merge(&mut self.movable, other.movable);
        for (age, count) in other.ages {
            let sum = self.ages.entry(age).or_default();
            *sum = sum.saturating_add(count);
        }
        self.oldest.extend(other.oldest);
        self.keep_oldest();
    }

    /// How many were last scanned longer ago than that many days.
    #[must_use]
    pub fn older_than(&self, limit: i64) -> u64 {
        let ages = self.ages.range(limit.saturating_add(1)..);
        ages.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::{Images, TaggedImage};
    use crate::clock::UnixTime;

    const DAY: i64 = 24 * 60 * 60;

    fn tag(repository: &str, digest: u32, tag: &str, kept: bool) -> TaggedImage {
        TaggedImage {
            region: "us-south".parse().unwrap(),
            repository: repository.to_owned(),
            digest: format!("sha256:{digest:064x}"),
            tag: tag.to_owned(),
            seen_at: UnixTime::from_seconds(0),
            scanned_at: (digest > 1).then(|| UnixTime::from_seconds(i64::from(digest) * DAY)),
            signed: digest.is_multiple_of(2),
            kept,
        }
    }

    #[test]
    fn images_are_counted_once_whatever_their_tags_and_repositories_once_whatever_their_images() {
        let mut images = Images::default();
        let now = UnixTime::from_seconds(100 * DAY);
        for one in [
            tag("a/a", 1, "v1", true),
            tag("a/a", 1, "v2", true),
            tag("a/a", 2, "v3", false),
            tag("a/a", 3, "v4", false),
            tag("a/b", 3, "v1", true),
            tag("a/c", 4, "v1", false),
        ] {
            images.count(one, now);
        }
        assert_eq!((images.total, images.unscanned.0, images.unsigned.0, images.movable.0), (5, 1, 3, 2));
        assert_eq!((images.older_than(96), images.older_than(97), images.older_than(98)), (3, 1, 0));
        assert_eq!(images.unscanned.1[0].tag, "v1");
    }

    #[test]
    fn however_many_there_are_few_are_named_and_those_are_the_oldest() {
        let mut images = Images::default();
        for digest in (2..5000).rev() {
            images.count(tag("a/a", digest, "v1", false), UnixTime::from_seconds(6000 * DAY));
        }
        let mut all = Images::default();
        all.add(images);
        assert_eq!((all.total, all.unsigned.0, all.movable.0), (4998, 2499, 1));
        assert_eq!((all.oldest.len(), all.oldest[0].scanned_at.unwrap().seconds()), (100, 2 * DAY));
        assert_eq!(all.unsigned.1.len(), 100);
    }
}
