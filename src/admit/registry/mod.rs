//! Registry operations: network, ceiling, policy and lease, in that order.

use std::sync::Arc;

use http::HeaderMap;

use super::caller::Caller;
use super::context::{Call, Facts};
use super::fault::Fault;
use super::findings::Upstream;
use super::gate::{Gate, Stopped, Why};
use super::held::HeldTag;
use super::judge::Judge;
use super::network::Want;
use super::origin::Origin;
use super::permit::{Grounds, Permit};
use super::proof::{Authenticated, Ceiling, Proof};
use super::refusal::{Challenge, Refusal};
use crate::credential::authorization::Presented;
use crate::credential::lease::Lease;
use crate::ids::cbr::RuleId;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::policy::words::{for_action, for_right};
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::needs::{Need, mount_source, primary};
use crate::registry::operation::{Operation, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::scope;

mod looked;

use looked::Looked;

/// What a call brings along.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The credentials.
    pub presented: &'a Presented,
    /// Where it comes from.
    pub origin: &'a Origin,
    /// The registry's region.
    pub region: &'a Region,
    /// What the registry makes of new namespaces.
    pub new: NewNamespaces,
    /// The client's headers.
    pub headers: &'a HeaderMap,
}

/// A registry operation that may go ahead.
#[derive(Debug)]
pub struct Admission {
    /// The proof. Its operation may be less than what was asked for: a mount without a right on the source is a plain
    /// upload session.
    pub permit: Permit<Operation>,
    /// The upload that the operation continues, as leased to its opener.
    pub lease: Option<Lease>,
    /// Whether a mount became a plain upload session.
    pub mount_downgraded: bool,
    /// The namespace that this push brings into being, if it does.
    pub new_namespace: Option<Namespace>,
    /// Rules in report mode that would have refused it.
    pub would_refuse: Vec<RuleId>,
    /// What is known of the image that policies would have refused, if findings are only reported.
    pub findings_would_refuse: Option<String>,
    /// The tag that may be written this once.
    pub held_tag: Option<HeldTag>,
}

/// What a registry makes of a push into a namespace that does not exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewNamespaces {
    /// The push brings it into being.
    Made,
    /// The push is refused.
    Refused,
}

impl Gate {
    /// Decides one registry operation.
    ///
    /// # Errors
    /// [`Stopped`] with the refusal or fault.
    pub async fn admit(
        &self,
        operation: Operation,
        asking: Asking<'_>,
        upstream: &impl Upstream,
    ) -> Result<Admission, Stopped> {
        let challenge = |because| Refusal::Challenge { because, scope: scope::scope_for(&operation) };
        let proof = match self.authenticator.registry(asking.presented, asking.origin).await {
            Ok(Authenticated::Proven(proof)) => proof,
            Ok(Authenticated::Absent) => return Err(Stopped::unproven(challenge(Challenge::Absent))),
            Ok(Authenticated::Rejected(_)) => {
                return Err(Stopped::unproven(challenge(Challenge::InvalidToken)));
            }
            Err(fault) => return Err(Stopped::unproven(fault)),
        };
        let Some(caller) = proof.caller.clone() else {
            let refusal = match operation {
                Operation::Ping => challenge(Challenge::Absent),
                _ if proof.expired => challenge(Challenge::InvalidToken),
                _ => Refusal::AnonymousDenied,
            };
            return Err(Stopped::unproven(refusal));
        };
        let stop = |why: Why| Stopped { caller: Some(Arc::clone(&caller)), why };
        self.proven(operation, &proof, &caller, asking, upstream).await.map_err(stop)
    }

    async fn proven(
        &self,
        operation: Operation,
        proof: &Proof,
        caller: &Arc<Caller>,
        asking: Asking<'_>,
        upstream: &impl Upstream,
    ) -> Result<Admission, Why> {
        let namespace = operation.repository().map(Namespace::of);
        let mut would_refuse = self.network(caller, Want::Images(asking.region, namespace.as_ref())).await?;
        let wanted_scope = || scope::scope_for(&operation);
        let lease = self.leased(&operation, caller, asking.region);
        if proof.expired && lease.is_none() {
            return Err(Refusal::Challenge { because: Challenge::InvalidToken, scope: wanted_scope() }.into());
        }
        let covered = match &proof.ceiling {
            Ceiling::Scopes(scopes) => scope::covers(scopes, &operation),
            Ceiling::Unlimited => true,
        };
        let call = Call { operation: &operation, headers: asking.headers, tag_exists: None };
        let region = Some(asking.region);
        let now = self.clock.now();
        let facts = Facts { caller, now, region, call: Some(call), repository: None, known: None };
        let (looked, (grounds, findings_would_refuse)) = match primary(&operation) {
            Some(need) => {
                self.on_repository(facts, (call, covered), (&need, asking.region), upstream).await?
            }
            None => (Looked::default(), (Grounds::Proven, None)),
        };
        if !covered {
            return Err(
                Refusal::Challenge { because: Challenge::InsufficientScope, scope: wanted_scope() }.into()
            );
        }
        if upload_session(&operation).is_some() && lease.is_none() {
            return Err(Refusal::Malformed(unknown_upload()).into());
        }
        let new_namespace = self.new_namespace(self.judge(facts), &operation, asking).await?;
        let held_tag = self.free_tag(&operation, asking.region, upstream).await?;
        let mount_allowed = match mount_source(&operation).zip(mounted(&operation)) {
            Some((need, digest)) => {
                let source = Box::pin(self.mount_source(facts, (&need, digest), asking.region)).await;
                source.map(|rules| add(&mut would_refuse, rules)).or_else(refused_is_false)?
            }
            None => true,
        };
        let operation = if mount_allowed { operation } else { plain_session(operation) };
        let permit = Permit::new(looked.pinned(operation)?, Arc::clone(caller), grounds);
        let mount_downgraded = !mount_allowed;
        Ok(Admission {
            permit,
            lease,
            mount_downgraded,
            new_namespace,
            would_refuse,
            findings_would_refuse,
            held_tag,
        })
    }

    /// Decides on what is done to a repository, with what has to be looked up for that.
    async fn on_repository(
        &self,
        facts: Facts<'_>,
        (call, covered): (Call<'_>, bool),
        (need, region): (&Need<'_>, &Region),
        upstream: &impl Upstream,
    ) -> Result<(Looked, (Grounds, Option<String>)), Why> {
        let repository = self.repository(region, need.repository).await?;
        let facts = Facts { repository: Some(&repository), ..facts };
        // Nobody asks the upstream for a call that goes nowhere anyway.
        let looked = match covered {
            true => self.looked_up(facts, call, (need, region), upstream).await?,
            false => Looked::default(),
        };
        let call = Some(Call { tag_exists: looked.tag_exists, ..call });
        let facts = Facts { call, known: looked.known.as_ref(), ..facts };
        let grounds = self.grounds(self.judge(facts), need, region).await?;
        Ok((looked, grounds))
    }

    /// Decides on the source of a mount, like on a pull from there: the rules in report mode that would have refused it.
    async fn mount_source(
        &self,
        facts: Facts<'_>,
        (need, digest): (&Need<'_>, &Digest),
        region: &Region,
    ) -> Result<Vec<RuleId>, Why> {
        let there = Namespace::of(need.repository);
        let would_refuse = self.network(facts.caller, Want::Images(region, Some(&there))).await?;
        let repository = self.repository(region, need.repository).await?;
        let facts = Facts { repository: Some(&repository), ..facts };
        self.grounds(self.judge(facts), need, region).await?;
        // What is deleted there is not there to be mounted.
        match self.overlay(region, need.repository).await?.hidden.has_image(digest) {
            true => Err(Refusal::Malformed(unknown_blob()).into()),
            false => Ok(would_refuse),
        }
    }

    /// Holds the tag that a push would write, if it may be written only once; the refusal if that has been.
    async fn free_tag(
        &self,
        operation: &Operation,
        region: &Region,
        upstream: &impl Upstream,
    ) -> Result<Option<HeldTag>, Why> {
        let Operation::ManifestWrite { repository, reference: Reference::Tag(tag) } = operation else {
            return Ok(None);
        };
        if !self.repository(region, repository).await?.keeps(tag) {
            return Ok(None);
        }
        let written = || Refusal::Malformed(immutable_tag(repository, tag));
        let held = Box::pin(self.tag_holds.hold(region, repository, tag)).await?.ok_or_else(written)?;
        if Box::pin(upstream.exists(repository, tag)).await? { Err(written().into()) } else { Ok(Some(held)) }
    }

    /// Why the caller has what it needs, or the refusal. With it, what would have been refused for what is known of the image,
    /// where that is only reported.
    async fn grounds(
        &self,
        judge: Judge<'_>,
        need: &Need<'_>,
        region: &Region,
    ) -> Result<(Grounds, Option<String>), Why> {
        let resource = self.placed(Resource::repository(region, need.repository)).await?;
        let denied = match judge.any(for_right(need.right), &resource) {
            Ok(verdict) => return Ok((judge.grounds(&verdict), None)),
            Err(denied) => denied,
        };
        if !self.registry(region).await?.policies_enforced {
            self.count_would_deny();
            return Ok((Grounds::PolicyFree, None));
        }
        let faultless = judge.facts.faultless().map(|facts| Judge { facts, ..judge });
        let but_for_findings = faultless
            .and_then(|judge| Some(judge.grounds(&judge.any(for_right(need.right), &resource).ok()?)));
        let complaint = but_for_findings.is_some().then(|| judge.facts.complaint()).flatten();
        if let (Some(grounds), true) = (but_for_findings, self.only_reports_findings()) {
            return Ok((grounds, complaint));
        }
        let (words, verdict) =
            denied.ok_or_else(|| Fault::Internal(format!("no words for {:?}", need.right)))?;
        let denial = judge.denial(words, resource, &verdict).for_what_is_known(complaint);
        Err(Refusal::Denied(Box::new(denial)).into())
    }

    /// The namespace that a push would bring into being; a refusal where that is not to happen, or where a policy denies
    /// to the caller what the push would do on the way.
    async fn new_namespace(
        &self,
        judge: Judge<'_>,
        operation: &Operation,
        asking: Asking<'_>,
    ) -> Result<Option<Namespace>, Why> {
        let (Operation::ManifestWrite { repository, .. } | Operation::UploadStart { repository, .. }) =
            operation
        else {
            return Ok(None);
        };
        let namespace = Namespace::of(repository);
        let registry = self.registry(asking.region).await?;
        if registry.namespaces.contains(&namespace) {
            return Ok(None);
        }
        let resource = Resource::namespace(asking.region, namespace.as_str());
        if asking.new == NewNamespaces::Refused {
            return Err(Refusal::unallowed(Action::NamespaceCreate, resource).into());
        }
        if let Some(words) = for_action(Action::NamespaceCreate).filter(|_| registry.policies_enforced) {
            let verdict = judge.verdict(words, &resource);
            if verdict.class.is_explicit_deny() {
                return Err(Refusal::Denied(Box::new(judge.denial(words, resource, &verdict))).into());
            }
        }
        Ok(Some(namespace))
    }

    /// The lease of the upload that `operation` continues, if it is this caller's, for this upload, and alive.
    fn leased(&self, operation: &Operation, caller: &Caller, region: &Region) -> Option<Lease> {
        let session = upload_session(operation)?;
        let lease = self.leases.open(session.lease.as_deref()?)?;
        let matches = lease.principal == *caller.principal()
            && lease.region == *region
            && lease.repository == session.repository
            && lease.upload == session.id
            && self.clock.now() < lease.expires_at;
        matches.then_some(lease)
    }
}

/// ECR's words for a tag that cannot be written again.
fn immutable_tag(repository: &RepositoryName, tag: &Tag) -> OciError {
    let message = format!(
        "The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because the repository is immutable."
    );
    OciError::bad_request(OciCode::TagInvalid, message)
}

/// What a mount brings along.
const fn mounted(operation: &Operation) -> Option<&Digest> {
    if let Operation::UploadStart { start: UploadStart::Mount { digest, .. }, .. } = operation {
        Some(digest)
    } else {
        None
    }
}

fn unknown_blob() -> OciError {
    OciError::new(http::StatusCode::NOT_FOUND, OciCode::BlobUnknown, "blob unknown to registry")
}

fn unknown_upload() -> OciError {
    let message = "blob upload unknown to registry: start a new upload";
    OciError::new(http::StatusCode::NOT_FOUND, OciCode::BlobUploadUnknown, message)
}

fn unknown_length() -> OciError {
    let message = "a policy limits the size of manifests here: send Content-Length";
    OciError::new(http::StatusCode::LENGTH_REQUIRED, OciCode::SizeInvalid, message)
}

fn upload_session(operation: &Operation) -> Option<&UploadSession> {
    match operation {
        Operation::UploadCancel(session)
        | Operation::UploadChunk { session, .. }
        | Operation::UploadFinish { session, .. }
        | Operation::UploadStatus(session) => Some(session),
        Operation::BlobDelete { .. }
        | Operation::BlobRead { .. }
        | Operation::Catalog { .. }
        | Operation::ManifestDelete { .. }
        | Operation::ManifestRead { .. }
        | Operation::ManifestWrite { .. }
        | Operation::Ping
        | Operation::Referrers { .. }
        | Operation::TagList { .. }
        | Operation::UploadStart { .. } => None,
    }
}

fn plain_session(operation: Operation) -> Operation {
    if let Operation::UploadStart { repository, .. } = operation {
        Operation::UploadStart { repository, start: UploadStart::Session }
    } else {
        operation
    }
}

/// Adds what is not there yet; true, as what was let through.
fn add(rules: &mut Vec<RuleId>, more: Vec<RuleId>) -> bool {
    for rule in more {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    true
}

fn refused_is_false(why: Why) -> Result<bool, Why> {
    match why {
        Why::Fault(_) => Err(why),
        Why::Refusal(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests;
