//! What a vanilla registry lacks, laid over it: the trash and the quotas.
//!
//! What is hidden reads as if it were not there, what is deleted is hidden, and what is pushed again comes back before
//! the client hears of success. Quotas are soft: what begins below the limit is carried through, and the next is refused.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body;

use super::Shared;
use super::sites::Site;
use super::visit::Visit;
use crate::admit::fault::Fault;
use crate::admit::overlay::Overlay;
use crate::admit::permit::Permit;
use crate::clock::UnixTime;
use crate::control::census;
use crate::control::pushed::Pushed;
use crate::control::quota::{STORAGE, TRAFFIC};
use crate::control::trash::{Bin, Revived};
use crate::edge::body::BodyError;
use crate::forward::body::ForwardBody;
use crate::forward::{ContentDigest, Exchange, Failure, Forwarder};
use crate::ids::region::Region;
use crate::network::endpoint::Endpoint;
use crate::record::event::{Finished, What};
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, OperationKind, ReadMode, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};
use crate::view::hidden::Hidden;

/// A call under way.
pub(super) struct Under<'a> {
    pub(super) shared: &'a Shared,
    pub(super) forwarder: &'a Forwarder,
    pub(super) visit: &'a Visit,
    pub(super) site: &'a Site,
}

impl Under<'_> {
    /// Forwards what is permitted, as far as the overlay lets it.
    pub(super) async fn forward<B>(
        &self,
        permit: &Permit<Operation>,
        exchange: Exchange<'_>,
        body: B,
    ) -> Result<Response<ForwardBody>, Failure>
    where
        B: Body<Data = Bytes, Error = BodyError> + 'static,
    {
        let operation = permit.of();
        let Some(name) = operation.repository() else {
            return self.forwarder.forward(permit, exchange, body).await;
        };
        let over = self.shared.gate.overlay(&self.site.region, name).await?;
        self.within_quota(permit, &over)?;
        seen(operation, &over.hidden)?;
        match operation {
            Operation::ManifestDelete { reference, .. } if self.shared.bin.keep.is_some() => {
                self.delete(permit, name, reference).await
            }
            Operation::ManifestWrite { reference, .. } => {
                self.write(permit, exchange, body, (name, reference, &over.hidden)).await
            }
            Operation::TagList { page, .. } if !over.hidden.is_empty() => {
                let shown = |tag: &Tag| !over.hidden.has_tag(tag, None);
                self.forwarder.tag_list(name, page, shown).await
            }
            Operation::ManifestRead { reference: Reference::Tag(tag), .. }
                if self.is_taken_off(name, tag, &over.hidden).await? =>
            {
                Err(unknown_manifest().into())
            }
            _ => {
                let answer = self.forwarder.forward(permit, exchange, body).await?;
                self.count(operation, answer.status());
                if let Operation::ManifestDelete { reference, .. } = operation
                    && answer.status().is_success()
                {
                    self.shared.bin.census.note(census::removed((&self.site.region, name), reference));
                }
                without_hidden(operation, &over.hidden, answer)
            }
        }
    }

    /// Whether what the tag itself points to is hidden. What a client is given may be another manifest, with another digest: some
    /// registries convert to what it asks for.
    async fn is_taken_off(&self, name: &RepositoryName, tag: &Tag, hidden: &Hidden) -> Result<bool, Fault> {
        if hidden.is_empty() {
            return Ok(false);
        }
        let digest = self.forwarder.digest_of(name, tag).await?;
        Ok(hidden.has_tag(tag, digest.as_ref()))
    }

    /// Hides what is deleted.
    async fn delete(
        &self,
        permit: &Permit<Operation>,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Response<ForwardBody>, Failure> {
        let (permit, region, repository) = (permit.clone(), self.site.region.clone(), name.clone());
        let done = match reference.clone() {
            Reference::Digest(digest) => {
                let deleted = move |bin: Arc<Bin>| async move {
                    Ok(bin.discard(&permit, &region, &repository, &digest).await?.is_some())
                };
                self.at_the_bin(deleted).await?
            }
            Reference::Tag(tag) => {
                let untagged = move |bin: Arc<Bin>| async move {
                    Ok(bin.untag(&permit, &region, &repository, &tag).await?.is_some())
                };
                self.at_the_bin(untagged).await?
            }
        };
        if !done {
            return Err(unknown_manifest().into());
        }
        let mut response = Response::new(ForwardBody::Empty);
        *response.status_mut() = StatusCode::ACCEPTED;
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        Ok(response)
    }

    /// Puts a manifest in place, and brings back what it is and what it is called.
    async fn write<B>(
        &self,
        permit: &Permit<Operation>,
        exchange: Exchange<'_>,
        body: B,
        (name, reference, hidden): (&RepositoryName, &Reference, &Hidden),
    ) -> Result<Response<ForwardBody>, Failure>
    where
        B: Body<Data = Bytes, Error = BodyError> + 'static,
    {
        let sent = self.forwarder.take_manifest(reference, exchange.client_headers, body).await?;
        if hidden.has_image(sent.digest()) {
            // Before it is put: what is deleted upstream at this moment must not take the new one along.
            let (permit, region, repository) = (permit.clone(), self.site.region.clone(), name.clone());
            let digest = sent.digest().clone();
            let revived =
                move |bin: Arc<Bin>| async move { bin.revive(&permit, &region, &repository, &digest).await };
            if self.at_the_bin(revived).await? == Revived::TooLate {
                return Err(Failure::Limited { retry_after: std::time::Duration::from_secs(1) });
            }
        }
        let pushed = Pushed::of(&self.site.region, name, (reference, sent.digest()), sent.content());
        let seen = census::put((&self.site.region, name), (reference, sent.digest()), sent.content());
        let digest = sent.digest().clone();
        let answer = self.forwarder.push_manifest(permit, exchange, sent).await?;
        if answer.status().is_success() {
            self.show(permit, (name, reference), digest).await?;
            self.shared.bin.census.note(seen);
            self.tell(pushed).await?;
        }
        Ok(answer)
    }

    /// Makes sure that what was pushed is seen: that it was deleted may be known to another replica only.
    async fn show(
        &self,
        permit: &Permit<Operation>,
        (name, reference): (&RepositoryName, &Reference),
        digest: Digest,
    ) -> Result<(), Failure> {
        let (permit, region, name, reference) =
            (permit.clone(), self.site.region.clone(), name.clone(), reference.clone());
        let shown = move |bin: Arc<Bin>| async move {
            bin.show(&permit, (&region, &name), &reference, &digest).await
        };
        match self.at_the_bin(shown).await? {
            Revived::Done => Ok(()),
            Revived::TooLate => Err(Failure::Limited { retry_after: std::time::Duration::from_secs(1) }),
        }
    }

    /// Tells of a push. What may be a report is written down first: whoever hears that it was pushed may rely on its being read.
    async fn tell(&self, pushed: Pushed) -> Result<(), Fault> {
        let read = self.shared.bin.reads_reports;
        if let Some(report) = pushed.report(self.shared.clock.now()).filter(|_| read) {
            self.at_the_bin(|bin| async move { bin.report_pushed(&report).await }).await?;
        }
        self.shared.pushed.tell(pushed);
        Ok(())
    }

    /// Has something done where the database may be waited for; to its end, even if the client goes away.
    async fn at_the_bin<T, F>(&self, work: impl FnOnce(Arc<Bin>) -> F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let bin = Arc::clone(&self.shared.bin);
        let done = self.shared.control.spawn(work(bin)).await;
        done.unwrap_or_else(|_| Err(Fault::Internal("a change of the trash panicked".to_owned())))
    }

    /// Refuses what begins beyond a limit. A pull begins with its manifest, and an upload by itself.
    fn within_quota(&self, permit: &Permit<Operation>, over: &Overlay) -> Result<(), OciError> {
        let (usage, region, now) = (&self.shared.bin.usage, &self.site.region, self.shared.clock.now());
        let refused = |words| Err(OciError::new(StatusCode::FORBIDDEN, OciCode::Denied, words));
        if let (Operation::UploadStart { .. }, Some(limit)) = (permit.of(), over.registry.storage_limit) {
            let room = usage.used(region, now.month()).storage < limit;
            return if room { Ok(()) } else { refused(STORAGE) };
        }
        let public = self.visit.origin().endpoint == Endpoint::Public;
        let (Some(limit), true) = (over.registry.traffic_limit, public) else { return Ok(()) };
        let room = || usage.used(region, now.month()).traffic < limit;
        let pull =
            |name: &RepositoryName| (permit.caller().principal().clone(), region.clone(), name.clone());
        match permit.of() {
            Operation::ManifestRead { repository, mode: ReadMode::Get, .. } => {
                usage.begin_pull(pull(repository), room(), now);
                Ok(())
            }
            Operation::BlobRead { repository, mode: ReadMode::Get, .. }
                if !room() && !usage.has_begun(&pull(repository), now) =>
            {
                refused(TRAFFIC)
            }
            _ => Ok(()),
        }
    }

    /// Counts what an upload brought.
    fn count(&self, operation: &Operation, status: StatusCode) {
        let uploads = matches!(
            operation,
            Operation::UploadChunk { .. }
                | Operation::UploadFinish { .. }
                | Operation::UploadStart { start: UploadStart::Monolithic { .. }, .. }
        );
        if uploads && status.is_success() {
            self.shared.bin.usage.pushed(&self.site.region, self.visit.bytes_in().get());
        }
    }
}

/// Refuses what is hidden as what is not there.
fn seen(operation: &Operation, hidden: &Hidden) -> Result<(), OciError> {
    match operation {
        Operation::BlobRead { digest, .. } if hidden.has_image(digest) => {
            Err(OciError::new(StatusCode::NOT_FOUND, OciCode::BlobUnknown, "blob unknown to registry"))
        }
        Operation::ManifestRead { reference: Reference::Digest(digest), .. }
        | Operation::ManifestDelete { reference: Reference::Digest(digest), .. }
            if hidden.has_image(digest) =>
        {
            Err(unknown_manifest())
        }
        _ => Ok(()),
    }
}

/// Takes out of an answer what is hidden.
fn without_hidden(
    operation: &Operation,
    hidden: &Hidden,
    answer: Response<ForwardBody>,
) -> Result<Response<ForwardBody>, Failure> {
    if hidden.is_empty() {
        return Ok(answer);
    }
    match operation {
        Operation::ManifestRead { reference: Reference::Tag(tag), .. } => {
            let digest = answer.extensions().get::<ContentDigest>().map(|digest| &digest.0);
            if hidden.has_tag(tag, digest) { Err(unknown_manifest().into()) } else { Ok(answer) }
        }
        Operation::Referrers { .. } => referrers(hidden, answer),
        _ => Ok(answer),
    }
}

/// An index of referrers without those that are hidden.
fn referrers(hidden: &Hidden, answer: Response<ForwardBody>) -> Result<Response<ForwardBody>, Failure> {
    let (mut parts, body) = answer.into_parts();
    let ForwardBody::Full(text) = body else { return Ok(Response::from_parts(parts, body)) };
    let broken = || Fault::UpstreamBroken("its list of referrers does not parse".to_owned());
    let mut index: serde_json::Value = serde_json::from_slice(&text).map_err(|_| broken())?;
    if let Some(list) = index.get_mut("manifests").and_then(serde_json::Value::as_array_mut) {
        let shown = |one: &serde_json::Value| {
            let digest = one.get("digest").and_then(serde_json::Value::as_str);
            !digest.and_then(|text| Digest::parse(text).ok()).is_some_and(|digest| hidden.has_image(&digest))
        };
        list.retain(shown);
    }
    let text = Bytes::from(index.to_string());
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    Ok(Response::from_parts(parts, ForwardBody::Full(text)))
}

/// As a vanilla registry says it.
fn unknown_manifest() -> OciError {
    OciError::new(StatusCode::NOT_FOUND, OciCode::ManifestUnknown, "manifest unknown")
}

/// Counts the bytes of a pull over a public network, when its answer has ended.
#[derive(Debug)]
pub struct PullMeter {
    bin: Arc<Bin>,
    region: Region,
    at: UnixTime,
}

impl PullMeter {
    /// A meter for an answer, if it is one that counts.
    #[must_use]
    pub fn of(shared: &Shared, visit: &Visit, event: &Finished, status: u16) -> Option<Self> {
        let What::Registry(call) = &event.what else { return None };
        let pull = matches!(call.kind, OperationKind::BlobRead | OperationKind::ManifestRead);
        let public = visit.origin().endpoint == Endpoint::Public && !visit.asked().head;
        let meter =
            || Self { bin: Arc::clone(&shared.bin), region: call.region.clone(), at: shared.clock.now() };
        (pull && public && (200..300).contains(&status)).then(meter)
    }

    /// That many bytes went out.
    pub fn count(&self, bytes: u64) {
        self.bin.usage.pulled(&self.region, self.at.month(), bytes);
    }
}
