//! What the registries hold, as goals are told: noted when it changes through us, and looked through now and then because it
//! may change behind our back.
//!
//! Nothing here decides what a request may do, and no request waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::inventory::Inventory;
use crate::admit::fault::Fault;
use crate::credential::signer::Signers;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::{Nature, Shape};
use crate::store::census::{Change, Found, Known, Note, SeenManifest, SeenSignature};

/// How many notes wait to be taken down. What comes beyond is found when the registries are looked through.
const NOTES_MAX: usize = 1_000;

/// How many are taken down at once.
const AT_ONCE: usize = 256;

/// Notes on their way into the store, and the wish to look everything through.
#[derive(Debug, Default)]
pub struct Ledger {
    notes: Mutex<VecDeque<Note>>,
    noted: Notify,
    wanted: Notify,
    lost: AtomicBool,
    written: AtomicU64,
    signers: Arc<Signers>,
}

impl Ledger {
    /// An empty one; signatures are held against these keys.
    #[must_use]
    pub fn new(signers: Arc<Signers>) -> Self {
        Self { signers, ..Self::default() }
    }

    /// The keys that signatures are held against.
    #[must_use]
    pub fn signers(&self) -> &Signers {
        &self.signers
    }

    /// Notes a change that an upstream has made.
    pub fn note(&self, note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES_MAX {
            notes.push_back(note);
        } else {
            self.lose();
        }
        drop(notes);
        self.noted.notify_one();
    }

    /// Waits for notes; the oldest ones.
    pub async fn next(&self) -> Vec<Note> {
        loop {
            let taken = self.take();
            if !taken.is_empty() {
                return taken;
            }
            self.noted.notified().await;
        }
    }

    fn take(&self) -> Vec<Note> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = notes.len().min(AT_ONCE);
        notes.drain(..count).collect()
    }

    /// Says that somebody wants to know of registries that were not looked through yet.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// Says that everything has just been looked through.
    pub fn fulfil(&self) {
        let _ = self.wanted.notified().now_or_never();
    }

    /// Waits until somebody does.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Says that something was missed, and is to be found by looking everything through.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether notes were lost that nobody has looked for yet.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether notes were lost since this was last asked.
    pub fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// Says that the store knows something else than before.
    pub fn wrote(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was said.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

/// The note of a manifest that was put.
#[must_use]
pub fn put(
    (region, name): (&Region, &RepositoryName),
    (reference, digest): (&Reference, &Digest),
    content: &[u8],
) -> Note {
    let tag = match reference {
        Reference::Digest(_) => None,
        Reference::Tag(tag) => Some(tag.clone()),
    };
    let (manifest, subject) = seen(digest, content);
    let by_tag = tag.as_ref().and_then(signed).map(|subject| (subject, tag.clone()));
    let signature = by_tag.or_else(|| subject.map(|subject| (subject, None)));
    let signature = signature.map(|(subject, tag)| SeenSignature { subject, digest: digest.clone(), tag });
    let change = Change::Put(manifest, tag, signature);
    Note { region: region.clone(), repository: name.clone(), change }
}

/// The note of what was removed.
#[must_use]
pub fn removed((region, name): (&Region, &RepositoryName), what: &Reference) -> Note {
    let change = match what {
        Reference::Digest(digest) => Change::Gone(digest.clone()),
        Reference::Tag(tag) => Change::Untagged(tag.clone()),
    };
    Note { region: region.clone(), repository: name.clone(), change }
}

/// What a manifest is, and what it signs. What cannot be told may well be an image.
fn seen(digest: &Digest, content: &[u8]) -> (SeenManifest, Option<Digest>) {
    let shape = Shape::read(content);
    let nature = shape.as_ref().map_or(Nature::Image, |shape| shape.nature);
    let (children, subject) = match shape {
        Some(Shape { children, subject, signs, .. }) => (children, subject.filter(|_| signs)),
        None => (Vec::new(), None),
    };
    (SeenManifest { digest: digest.clone(), nature, children }, subject)
}

/// What a signature at `sha256-….sig` stands beside.
fn signed(tag: &Tag) -> Option<Digest> {
    let (algorithm, hex) = tag.as_str().strip_suffix(".sig")?.split_once('-')?;
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

/// The note without a signature that is by none of the keys which count there: what it says of itself proves nothing then.
///
/// # Errors
/// [`Fault`] of the upstream.
pub async fn verified(inventory: &dyn Inventory, signers: &Signers, note: &mut Note) -> Result<(), Fault> {
    let Change::Put(_, _, signature) = &mut note.change else { return Ok(()) };
    let Some(said) = signature.take_if(|_| signers.verify(&note.repository)) else { return Ok(()) };
    let good = inventory.signatures(&note.region, &note.repository, &said.subject).await?;
    *signature = good.iter().any(|(_, one)| *one == said.digest).then_some(said);
    Ok(())
}

/// Looks a repository through. Manifests that are known are not asked for again; signatures are, because they may have gone.
///
/// # Errors
/// [`Fault`] of the upstream.
pub async fn look_through(
    inventory: &dyn Inventory,
    region: &Region,
    name: &RepositoryName,
    mut known: Known,
) -> Result<Found, Fault> {
    let tags = inventory.tags(region, name).await?;
    let (mut manifests, mut signatures) = (Vec::new(), Vec::new());
    let mut digests: Vec<&Digest> = tags.iter().map(|(_, digest)| digest).collect();
    digests.sort();
    digests.dedup();
    let signing: HashMap<Digest, &(Tag, Digest)> =
        tags.iter().filter_map(|one| Some((signed(&one.0)?, one))).collect();
    for digest in digests {
        if !known.images.contains(digest) && !known.others.contains(digest) {
            let reference = Reference::Digest(digest.clone());
            let Some(manifest) = inventory.manifest(region, name, &reference).await? else { continue };
            let (manifest, _) = seen(digest, &manifest.content);
            if matches!(manifest.nature, Nature::Image | Nature::Index) {
                known.images.insert(digest.clone());
            }
            manifests.push(manifest);
        }
        if known.images.contains(digest) {
            let beside = inventory.signatures(region, name, digest).await?;
            let signature = |(_, one): (Option<Tag>, Digest)| {
                let by = signing.get(digest).filter(|(_, at)| *at == one);
                let tag = by.map(|(tag, _)| tag.clone());
                SeenSignature { subject: digest.clone(), digest: one, tag }
            };
            signatures.extend(beside.into_iter().map(signature));
        }
    }
    Ok(Found { tags, manifests, signatures })
}

#[cfg(test)]
mod tests {
    use super::{Ledger, NOTES_MAX, put, removed};
    use crate::registry::reference::{Digest, Reference, Tag};
    use crate::registry::shape::Nature;
    use crate::store::census::Change;

    fn digest(n: u8) -> Digest {
        Digest::parse(&format!("sha256:{n:064x}")).unwrap()
    }

    fn noted(reference: &Reference, content: &str) -> Change {
        let (region, name) = ("us-south".parse().unwrap(), "a/b".parse().unwrap());
        put((&region, &name), (reference, &digest(9)), content.as_bytes()).change
    }

    #[test]
    fn a_signature_is_noted_by_its_tag_or_by_what_it_says() {
        let flat = digest(1).as_str().replace(':', "-");
        let by_tag = Reference::Tag(Tag::parse(&format!("{flat}.sig")).unwrap());
        let Change::Put(_, Some(tag), Some(signature)) = noted(&by_tag, "{}") else { panic!("no signature") };
        assert_eq!((signature.subject, signature.tag), (digest(1), Some(tag)));
        let by_digest = Reference::Digest(digest(9));
        let referring =
            |kind: &str| format!(r#"{{"artifactType":"{kind}","subject":{{"digest":"{}"}}}}"#, digest(2));
        let signs = referring("application/vnd.cncf.notary.signature");
        let Change::Put(_, None, Some(signature)) = noted(&by_digest, &signs) else { panic!("no signature") };
        assert_eq!((signature.subject, signature.digest), (digest(2), digest(9)));
        assert!(matches!(noted(&by_digest, &referring("text/x")), Change::Put(_, None, None)));
        let Change::Put(manifest, ..) = noted(&by_digest, "[]") else { panic!("not put") };
        assert_eq!(manifest.nature, Nature::Image, "what cannot be told may be one");
    }

    #[tokio::test]
    async fn too_many_notes_are_lost_and_that_is_known() {
        let ledger = Ledger::default();
        let (region, name) = ("us-south".parse().unwrap(), "a/b".parse().unwrap());
        for _ in 0..NOTES_MAX {
            ledger.note(removed((&region, &name), &Reference::Digest(digest(1))));
        }
        assert!(!ledger.take_lost());
        ledger.note(removed((&region, &name), &Reference::Digest(digest(1))));
        assert!(ledger.take_lost() && !ledger.take_lost());
        assert_eq!(ledger.next().await.len(), super::AT_ONCE);
    }
}
