//! What a repository holds: the upstream's tags, and the untagged manifests that were seen to be pushed.
//!
//! A vanilla registry cannot list untagged manifests; those that came in behind our back are not known.

use std::collections::BTreeMap;

use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::problem::AwsProblem;
use crate::control::stock::{Described, Wanted};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};

/// An image as it is known without looking at its manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Its digest.
    pub digest: Digest,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it was pushed, if that was seen.
    pub pushed_at: Option<UnixTime>,
    /// When it was last pulled, if that was seen.
    pub pulled_at: Option<UnixTime>,
}

impl Held {
    /// When it was pushed; else when it was built, as its configuration says.
    #[must_use]
    pub fn pushed(&self, described: &Described) -> UnixTime {
        self.pushed_at.or(described.created).unwrap_or(UnixTime::from_millis(0))
    }
}

impl Desk {
    /// All that may be there, by digest. Images without tags are there only if they can be described.
    pub(super) async fn stocked(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Vec<Held>, AwsProblem> {
        let mut held: BTreeMap<Digest, Held> = BTreeMap::new();
        for seen in self.store.seen_images(region, name).await? {
            let (pushed_at, pulled_at) = (Some(seen.pushed_at), seen.pulled_at);
            let digest = seen.digest.clone();
            held.insert(seen.digest, Held { digest, tags: Vec::new(), pushed_at, pulled_at });
        }
        for (tag, digest) in self.stock.tagged(region, name).await? {
            let new = || Held { digest: digest.clone(), tags: Vec::new(), pushed_at: None, pulled_at: None };
            held.entry(digest.clone()).or_insert_with(new).tags.push(tag);
        }
        Ok(held.into_values().collect())
    }

    /// Those of these that are there, with what their manifests say.
    pub(super) async fn look_at(
        &self,
        region: &Region,
        name: &RepositoryName,
        held: Vec<Held>,
    ) -> Result<Vec<(Held, Described)>, Fault> {
        let wanted = |held: &Held| Wanted { digest: held.digest.clone(), created: held.pushed_at.is_none() };
        let described = self.stock.described(region, name, held.iter().map(wanted).collect()).await?;
        let mut by_digest: BTreeMap<Digest, Described> =
            described.into_iter().map(|described| (described.digest.clone(), described)).collect();
        Ok(held
            .into_iter()
            .filter_map(|held| by_digest.remove(&held.digest).map(|found| (held, found)))
            .collect())
    }

    /// All images of a repository, looked at.
    pub(super) async fn present(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Vec<(Held, Described)>, AwsProblem> {
        let held = self.stocked(region, name).await?;
        Ok(self.look_at(region, name, held).await?)
    }
}
