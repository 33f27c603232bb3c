//! What registry calls bring about besides their answers: namespaces, pushes, pulls and deletions. Noticed here, written
//! elsewhere.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use http::Response;
use quick_cache::sync::Cache;
use tokio::sync::mpsc;

use super::sites::Site;
use crate::admit::registry::Admission;
use crate::clock::UnixTime;
use crate::forward::ContentDigest;
use crate::ids::region::Region;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::operation::{Operation, ReadMode};
use crate::registry::reference::{Digest, Reference};

/// How often a pull of the same image is written down, in milliseconds.
const PULLS_EVERY: i64 = 60 * 60 * 1000;

/// How many images are remembered as pulled lately.
const PULLED: usize = 16_384;

/// The sending end of the notices.
#[derive(Clone, Debug)]
pub struct Sightings {
    notices: mpsc::Sender<Sighting>,
    /// Whether deleted images can be restored, so that they are not to be forgotten.
    restorable: bool,
    pulled: Arc<Cache<u64, i64>>,
    hasher: RandomState,
}

/// Something that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sighting {
    /// A push into a namespace that did not exist.
    Namespace(Region, Namespace),
    /// An image was deleted.
    Deleted(Region, RepositoryName, Digest),
    /// A manifest was pulled.
    Pulled(Region, RepositoryName, Digest, UnixTime),
    /// A manifest was pushed.
    Pushed(Region, RepositoryName, Digest, UnixTime),
}

impl Sightings {
    /// A channel of `capacity` notices.
    #[must_use]
    pub fn channel(capacity: usize, restorable: bool) -> (Self, mpsc::Receiver<Sighting>) {
        let (notices, receiver) = mpsc::channel(capacity);
        let pulled = Arc::new(Cache::new(PULLED));
        (Self { notices, restorable, pulled, hasher: RandomState::new() }, receiver)
    }

    /// Notes what an admitted call has done. A full channel loses the notice: of a namespace the next push brings it again,
    /// of an image the time is lost that its configuration does not say.
    pub fn note<B>(&self, admission: &Admission, site: &Site, response: &Response<B>, now: UnixTime) {
        if !response.status().is_success() {
            return;
        }
        let region = || site.region.clone();
        if let Some(namespace) = &admission.new_namespace {
            let _ = self.notices.try_send(Sighting::Namespace(region(), namespace.clone()));
        }
        let digest = response.extensions().get::<ContentDigest>().map(|digest| digest.0.clone());
        let seen = match (admission.permit.of(), digest) {
            (Operation::ManifestWrite { repository, .. }, Some(digest)) => {
                Sighting::Pushed(region(), repository.clone(), digest, now)
            }
            (Operation::ManifestRead { repository, mode: ReadMode::Get, .. }, Some(digest)) => {
                if !self.is_news(site, repository, &digest, now) {
                    return;
                }
                Sighting::Pulled(region(), repository.clone(), digest, now)
            }
            (Operation::ManifestDelete { repository, reference: Reference::Digest(digest) }, _)
                if !self.restorable =>
            {
                Sighting::Deleted(region(), repository.clone(), digest.clone())
            }
            _ => return,
        };
        let _ = self.notices.try_send(seen);
    }

    /// Whether a pull is worth a note. Two images that are taken for one another lose one.
    fn is_news(&self, site: &Site, repository: &RepositoryName, digest: &Digest, now: UnixTime) -> bool {
        let key = self.hasher.hash_one((&site.region, repository, digest));
        let lately = self.pulled.get(&key).is_some_and(|at| now.millis().saturating_sub(at) < PULLS_EVERY);
        if !lately {
            self.pulled.insert(key, now.millis());
        }
        !lately
    }
}
