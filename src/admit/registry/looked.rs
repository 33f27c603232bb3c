//! What the gate looks up for a call before it decides: only what some policy that applies depends on.

use super::{
    Call, Facts, Gate, Need, Operation, Reference, Refusal, Upstream, Why, for_right, unknown_length,
};
use crate::admit::context::{manifest_size_key, tag, tag_exists_key};
use crate::admit::findings::{Known, Wanted};
use crate::ids::region::Region;
use crate::registry::error::{OciCode, OciError};
use crate::registry::reference::Digest;

/// What was looked up.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) tag_exists: Option<bool>,
    pub(super) known: Option<Known>,
    /// What a tag that is read stood for when it was decided on.
    read: Read,
}

/// What is read under a tag.
#[derive(Debug, Default)]
enum Read {
    /// Whatever it stands for.
    #[default]
    Any,
    /// Nothing: it stood for none.
    Nothing,
    /// This and no other.
    Only(Digest),
}

impl Looked {
    /// The operation on what was decided on: a tag that has moved since leads to nothing else.
    pub(super) fn pinned(&self, operation: Operation) -> Result<Operation, Refusal> {
        match (&self.read, operation) {
            (Read::Nothing, _) => Err(Refusal::Malformed(unknown_manifest())),
            (Read::Only(digest), Operation::ManifestRead { repository, mode, .. }) => {
                let reference = Reference::Digest(digest.clone());
                Ok(Operation::ManifestRead { repository, reference, mode })
            }
            (Read::Any | Read::Only(_), other) => Ok(other),
        }
    }
}

impl Gate {
    /// What the upstream says of what is called for, if some statement of the caller's or the repository's depends on that.
    /// What only the client can say, and leaves out, is asked for: a limit on what is large must not be passed by not saying
    /// how large it is. Questions to the upstream are boxed: few calls ask one, and the others need not carry the room for it.
    pub(super) async fn looked_up(
        &self,
        facts: Facts<'_>,
        call: Call<'_>,
        (need, region): (&Need<'_>, &Region),
        upstream: &impl Upstream,
    ) -> Result<Looked, Why> {
        let reads = |key: &_| self.judge(facts).reads(for_right(need.right), key);
        let writes = matches!(call.operation, Operation::ManifestWrite { .. });
        if writes && reads(manifest_size_key()) && !facts.knows(manifest_size_key()) {
            return Err(Refusal::Malformed(unknown_length()).into());
        }
        let mut looked = Looked::default();
        if let (Some(reference), Some(wanted)) = (image(call.operation), Wanted::of(reads)) {
            let found = Box::pin(upstream.resolved(need.repository, &reference)).await?;
            looked.read = match &found {
                None => Read::Nothing,
                Some(found) => Read::Only(found.digest.clone()),
            };
            if let Some(found) = found {
                let place = (region, need.repository);
                looked.known = Some(Box::pin(self.known(place, &found, wanted, upstream)).await?);
            }
        }
        if let Some(tag) = tag(call.operation).filter(|_| reads(tag_exists_key())) {
            looked.tag_exists = Some(match &looked.read {
                Read::Any => Box::pin(upstream.exists(need.repository, tag)).await?,
                Read::Nothing => false,
                Read::Only(_) => true,
            });
        }
        Ok(looked)
    }
}

/// The image that a call reads, or reads about.
fn image(operation: &Operation) -> Option<Reference> {
    match operation {
        Operation::ManifestRead { reference, .. } => Some(reference.clone()),
        Operation::Referrers { subject, .. } => Some(Reference::Digest(subject.clone())),
        Operation::BlobDelete { .. }
        | Operation::BlobRead { .. }
        | Operation::Catalog { .. }
        | Operation::ManifestDelete { .. }
        | Operation::ManifestWrite { .. }
        | Operation::Ping
        | Operation::TagList { .. }
        | Operation::UploadCancel(_)
        | Operation::UploadChunk { .. }
        | Operation::UploadFinish { .. }
        | Operation::UploadStart { .. }
        | Operation::UploadStatus(_) => None,
    }
}

/// As a vanilla registry says it.
fn unknown_manifest() -> OciError {
    OciError::new(http::StatusCode::NOT_FOUND, OciCode::ManifestUnknown, "manifest unknown")
}
