//! Which images go: all rules look at all images, and the first rule that is about an image decides on it.

use std::collections::HashSet;
use std::time::Duration;

use super::document::{About, Going, Policy};
use crate::clock::UnixTime;
use crate::registry::reference::Digest;
use crate::registry::wildcard::fits;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An image as rules see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Its digest.
    pub digest: Digest,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: UnixTime,
    /// When it was last pulled.
    pub pulled_at: Option<UnixTime>,
    /// The manifests that it is an index of: these stay while it does.
    pub children: Vec<Digest>,
}

/// An image that goes, and the priority of the rule that says so.
pub type Expiring<'a> = (&'a Candidate, u32);

/// Those of these images that go now, the oldest first within each rule.
#[must_use]
pub fn expiring<'a>(policy: &Policy, images: &'a [Candidate], now: UnixTime) -> Vec<Expiring<'a>> {
    let children: HashSet<&Digest> = images.iter().flat_map(|image| &image.children).collect();
    let mut oldest_first: Vec<&Candidate> = images.iter().collect();
    oldest_first.sort_by_key(|image| (image.pushed_at, &image.digest));
    let mut decided: HashSet<&Digest> = HashSet::new();
    let mut found = Vec::new();
    for rule in &policy.rules {
        let about: Vec<&Candidate> =
            oldest_first.iter().copied().filter(|image| is_about(&rule.about, image)).collect();
        let going = about.iter().enumerate().filter(|(at, image)| match rule.going {
            Going::MoreThan(count) => about.len() - at > usize::try_from(count).unwrap_or(usize::MAX),
            Going::PushedDaysAgo(days) => is_older(image.pushed_at, days, now),
            Going::PulledDaysAgo(days) => is_older(image.pulled_at.unwrap_or(image.pushed_at), days, now),
        });
        let free = |image: &&Candidate| !decided.contains(&image.digest) && !children.contains(&image.digest);
        found.extend(going.map(|(_, image)| *image).filter(free).map(|image| (image, rule.priority)));
        decided.extend(about.iter().map(|image| &image.digest));
    }
    found
}

fn is_older(than: UnixTime, days: u32, now: UnixTime) -> bool {
    than.plus(DAY.saturating_mul(days)) < now
}

fn is_about(about: &About, image: &Candidate) -> bool {
    let every = |wanted: &[String], is: &dyn Fn(&str, &str) -> bool| {
        wanted.iter().all(|wanted| image.tags.iter().any(|tag| is(wanted, tag)))
    };
    match about {
        About::Any => true,
        About::Untagged => image.tags.is_empty(),
        About::Prefixes(prefixes) => every(prefixes, &|prefix, tag| tag.starts_with(prefix)),
        About::Patterns(patterns) => every(patterns, &fits),
    }
}
