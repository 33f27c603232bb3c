//! How much a registry holds, counted at its upstream: every layer once, and nothing that is in the trash.

use std::collections::HashMap;

use super::image::Images;
use super::trash::{Bin, stored};
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;

use super::inventory::Held;
use crate::store::quota::Added;

/// What is shown of a repository: every manifest that can be found and is not hidden, with the tags that are not.
pub(super) async fn shown(bin: &Bin, region: &Region, name: &RepositoryName) -> Result<Vec<Held>, Fault> {
    let hidden = bin.hidden(region, name).await?;
    // Those without tags are found only because they were seen to be pushed.
    let seen = bin.store.seen_images(region, name).await.map_err(stored)?;
    let seen: Vec<Digest> = seen.into_iter().map(|image| image.digest).collect();
    let mut held = bin.inventory.held(region, name, &seen).await?;
    held.retain(|one| !hidden.has_image(&one.digest));
    for one in &mut held {
        let digest = &one.digest;
        one.tags.retain(|tag| !hidden.has_tag(tag, Some(digest)));
    }
    Ok(held)
}

/// Whether anybody wants to know what the registry holds: there is a limit, it is published, or somebody has asked.
/// Looking at every manifest of a large registry for nobody is work for nothing.
///
/// # Errors
/// [`Fault`] of the store.
pub async fn matters(bin: &Bin, region: &Region) -> Result<bool, Fault> {
    let published = bin.store.registry(region).await.map_err(stored)?;
    Ok(published.is_some_and(|facts| facts.settings.platform_metrics)
        || bin.store.quota(region).await.map_err(stored)?.storage.is_some()
        || is_surveyed(bin, region).await?)
}

/// Counts what the registry holds, if that was never done.
///
/// # Errors
/// [`Fault`] of the upstream or the store.
pub(super) async fn first(bin: &Bin, images: &dyn Images, region: &Region) -> Result<(), Fault> {
    match is_surveyed(bin, region).await? {
        true => Ok(()),
        false => survey(bin, images, region).await,
    }
}

async fn is_surveyed(bin: &Bin, region: &Region) -> Result<bool, Fault> {
    let used = bin.store.used(region).await.map_err(stored)?;
    Ok(used.is_some_and(|used| used.surveyed_at > UnixTime::from_millis(0)))
}

/// Counts what the registry holds, and writes it down.
///
/// # Errors
/// [`Fault`] of the upstream or the store.
pub async fn survey(bin: &Bin, images: &dyn Images, region: &Region) -> Result<(), Fault> {
    write_down(bin, region).await?;
    let since =
        bin.store.used(region).await.map_err(stored)?.map(|used| Added(used.added)).unwrap_or_default();
    let mut blobs = HashMap::new();
    for name in images.repositories(region).await? {
        for held in shown(bin, region, &name).await? {
            blobs.extend(held.blobs);
        }
    }
    let total: u64 = blobs.values().fold(0, |total, size| total.saturating_add(*size));
    // What was pushed meanwhile, through whichever replica, may have been missed: it is counted once more rather than not at all.
    let now = bin.clock.now();
    bin.store.put_storage(region, now.month(), (total, since), now).await.map_err(stored)?;
    write_down(bin, region).await
}

/// Writes down what has passed, and learns what others have.
///
/// # Errors
/// [`Fault`] of the store.
pub async fn write_down(bin: &Bin, region: &Region) -> Result<(), Fault> {
    let (month, passed) = bin.usage.unwritten(region);
    if passed.traffic > 0 || passed.storage > 0 {
        let add = bin.store.add_used(region, month.max(1), passed.traffic, passed.storage);
        add.await.map_err(stored)?;
    }
    if let Some(used) = bin.store.used(region).await.map_err(stored)? {
        bin.usage.written(region, passed, used);
    }
    Ok(())
}
