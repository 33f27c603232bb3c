//! Takes reports in, by whichever way they come: reads them, finds out what they are about, and keeps them.
//!
//! Whoever calls holds a permit for what it brings, or carries out what was permitted when a report was pushed.

use bytes::Bytes;

use super::inventory::Inventory;
use super::trash::{Bin, stored};
use crate::admit::fault::Fault;
use crate::findings::channel::Channel;
use crate::findings::read::{Unread, read};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference};
use crate::registry::shape::Shape;
use crate::store::findings::{Due, Kept, PushedReport, ReportRecord, Scanned};

/// Why a report is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Untaken {
    /// Not the sender's fault.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// There is no such image.
    #[error("there is no such image")]
    NoImage,
    /// It says that it is about another image.
    #[error("the report says that it is about another image")]
    OtherImage,
    /// It cannot be read.
    #[error("{0}")]
    Unread(#[from] Unread),
}

/// What was taken in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    /// About what.
    pub of: Scanned,
    /// In which format.
    pub format: &'static str,
    /// How many findings.
    pub findings: usize,
    /// What became of it.
    pub kept: Kept,
}

/// Takes a report about an image in.
///
/// # Errors
/// [`Untaken`]
pub async fn take_in(bin: &Bin, of: Scanned, channel: Channel, bytes: Bytes) -> Result<Taken, Untaken> {
    // A long report takes seconds to read: nobody else waits for that.
    let reading = tokio::task::spawn_blocking(move || read(&bytes)).await;
    let mut report =
        reading.map_err(|error| Fault::Internal(format!("a report is not read to its end: {error}")))??;
    if !report.subjects.is_empty() && !report.subjects.contains(&of.digest) {
        return Err(Untaken::OtherImage);
    }
    let hidden = bin.hidden(&of.region, &of.repository).await?;
    let reference = Reference::Digest(of.digest.clone());
    let manifest = bin.inventory.manifest(&of.region, &of.repository, &reference).await?;
    let manifest = manifest.filter(|_| !hidden.has_image(&of.digest)).ok_or(Untaken::NoImage)?;
    let children = Shape::read_as(&manifest.media_type, &manifest.content)
        .map(|shape| shape.children)
        .unwrap_or_default();
    report.subjects.clear();
    let (format, findings) = (report.format.label(), report.findings.len());
    let received_at = bin.clock.now();
    let row = ReportRecord { of, channel, received_at, report };
    let kept = bin.store.put_report(&row, &children).await.map_err(stored)?;
    Ok(Taken { of: row.of, format, findings, kept })
}

/// How many layers of a referrer are looked at.
const LAYERS_MAX: usize = 4;

/// The longest layer that is looked at, in bytes.
const LAYER_MAX: u64 = crate::findings::read::REPORT_MAX as u64;

/// Takes in the report that a pushed manifest is, if it is one: what refers to an image, or an attestation where cosign puts it.
///
/// # Errors
/// [`Untaken`]; [`Untaken::NoImage`] while there is nothing that it could be about.
pub async fn take_in_pushed(bin: &Bin, pushed: &PushedReport) -> Result<Vec<Taken>, Untaken> {
    let (region, name) = (&pushed.of.region, &pushed.of.repository);
    let by = Reference::Digest(pushed.digest.clone());
    // It has gone meanwhile.
    let Some(manifest) = bin.inventory.manifest(region, name, &by).await? else { return Ok(Vec::new()) };
    let Some(shape) = Shape::read_as(&manifest.media_type, &manifest.content) else { return Ok(Vec::new()) };
    // What may be run may be a report all the same: what is read of it is told by the types of its parts.
    let mut taken = Vec::new();
    for layer in shape.layers.iter().filter(|layer| may_be_report(&layer.media_type)).take(LAYERS_MAX) {
        if layer.size > LAYER_MAX {
            return Err(Unread::TooLarge.into());
        }
        let Some(bytes) = content(&*bin.inventory, (region, name), &layer.digest).await? else { continue };
        match take_in(bin, pushed.of.clone(), Channel::Referrer, bytes).await {
            Ok(one) => taken.push(one),
            // A bill of materials, a signature: what is no report is of no interest here.
            Err(Untaken::Unread(Unread::Format)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(taken)
}

/// How many pushed reports are read in one go.
const READ_AT_ONCE: u32 = 100;

/// Reads pushed reports. One whose image is not there waits for it, one that cannot be read now is tried again, and all others
/// are done with.
///
/// Gives where the next look goes on, if there may be more: what cannot be read holds up nothing behind it.
///
/// # Errors
/// [`Fault`] of the store.
pub async fn read_pushed(bin: &Bin, due: Due<'_>) -> Result<Option<i64>, Fault> {
    let rows = bin.store.pushed_reports(due, READ_AT_ONCE).await.map_err(stored)?;
    let full = rows.len() >= usize::try_from(READ_AT_ONCE).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|last| last.id);
    for row in rows {
        let (region, repository, digest) = (&row.of.region, &row.of.repository, &row.digest);
        match take_in_pushed(bin, &row).await {
            Ok(taken) => {
                for one in taken {
                    tracing::info!(%region, %repository, about = %one.of.digest, format = one.format, findings = one.findings, "a pushed report is taken in");
                }
            }
            Err(Untaken::NoImage) => {
                tracing::info!(%region, %repository, %digest, about = %row.of.digest, "a pushed report waits for its image");
                bin.store.report_waits(row.id).await.map_err(stored)?;
                continue;
            }
            Err(Untaken::Fault(fault)) => {
                tracing::warn!(%region, %repository, %digest, %fault, "a pushed report is not read yet");
                continue;
            }
            Err(untaken @ (Untaken::OtherImage | Untaken::Unread(_))) => {
                tracing::warn!(%region, %repository, %digest, %untaken, "a pushed report is not taken in");
            }
        }
        bin.store.report_read(row.id).await.map_err(stored)?;
    }
    Ok(next)
}

async fn content(
    inventory: &dyn Inventory,
    (region, name): (&Region, &RepositoryName),
    digest: &Digest,
) -> Result<Option<Bytes>, Fault> {
    inventory.blob(region, name, digest, crate::findings::read::REPORT_MAX).await
}

/// What an attestation at `sha256-….att` is about.
fn attested(pushed: &Reference) -> Option<Digest> {
    let Reference::Tag(tag) = pushed else { return None };
    let (algorithm, hex) = tag.as_str().strip_suffix(".att")?.split_once('-')?;
    Digest::parse(&format!("{algorithm}:{hex}")).ok()
}

fn may_be_report(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.ends_with("json") && !essence.starts_with("application/spdx")
}

/// What a pushed manifest may be a report about: what it refers to, or what it stands beside where cosign puts attestations.
#[must_use]
pub fn subject_of(reference: &Reference, manifest: &[u8]) -> Option<Digest> {
    Shape::read(manifest).and_then(|shape| shape.subject).or_else(|| attested(reference))
}

#[cfg(test)]
mod tests {
    use super::{attested, may_be_report};
    use crate::registry::reference::{Reference, Tag};

    #[test]
    fn attestations_stand_where_cosign_puts_them() {
        let hex = "a".repeat(64);
        let at = |text: &str| attested(&Reference::Tag(Tag::parse(text).unwrap()));
        assert_eq!(at(&format!("sha256-{hex}.att")).unwrap().to_string(), format!("sha256:{hex}"));
        assert_eq!((at(&format!("sha256-{hex}.sig")), at("sha256-1.att"), at("v1")), (None, None, None));
        assert!(
            may_be_report("application/sarif+json; charset=utf-8") && !may_be_report("application/spdx+json")
        );
    }
}
