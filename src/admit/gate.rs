//! The gate: what it decides with, and the ways to be stopped at it.
//!
//! What it decides stands apart: where requests come from in `network`, registry operations in `registry`, control actions in
//! `control`, lists and token scopes in `visibility`. All of them ask through `judge`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::authenticate::Authenticator;
use super::caller::Caller;
use super::context::Facts;
use super::fault::Fault;
use super::held::{HeldTag, SharedHolds, TagHolds};
use super::judge::Judge;
use super::network::Premises;
use super::refusal::Refusal;
use crate::clock::Clock;
use crate::credential::lease::{Lease, LeaseKey};
use crate::ids::region::Region;
use crate::policy::cache::DecisionCache;
use crate::policy::resource::Resource;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Tag;
use crate::view::View;
use crate::view::registry::RegistryState;
use crate::view::repository::RepositoryState;

/// How many verdicts are remembered.
const VERDICTS: usize = 32_768;

/// The gate.
#[derive(Debug)]
pub struct Gate {
    /// Proves callers.
    pub authenticator: Authenticator,
    pub(super) view: Arc<View>,
    pub(super) leases: LeaseKey,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) premises: Premises,
    pub(super) tag_holds: Arc<TagHolds>,
    verdicts: DecisionCache,
    would_deny: AtomicU64,
    findings_would_refuse: AtomicU64,
    reports_findings: bool,
}

/// Why something may not go ahead, and who asked, if that was proven.
#[derive(Debug)]
pub struct Stopped {
    /// The proven caller, for the record.
    pub caller: Option<Arc<Caller>>,
    /// Why.
    pub why: Why,
}

/// The two ways to be stopped.
#[derive(Debug)]
pub enum Why {
    /// Not the caller's fault.
    Fault(Fault),
    /// The caller's fault.
    Refusal(Refusal),
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl Gate {
    /// A gate over `view`.
    #[must_use]
    pub fn new(
        authenticator: Authenticator,
        view: Arc<View>,
        leases: LeaseKey,
        premises: Premises,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let verdicts = DecisionCache::new(VERDICTS);
        Self {
            authenticator,
            view,
            leases,
            premises,
            clock,
            tag_holds: Arc::default(),
            verdicts,
            would_deny: AtomicU64::new(0),
            findings_would_refuse: AtomicU64::new(0),
            reports_findings: false,
        }
    }

    /// The same; what policies refuse only because of what is known of an image is let through and reported, if so set.
    #[must_use]
    pub fn reporting_findings(self, reports_findings: bool) -> Self {
        Self { reports_findings, ..self }
    }

    /// The same; tags that are written are held among replicas.
    #[must_use]
    pub fn holding_among(self, shared: Arc<dyn SharedHolds>) -> Self {
        Self { tag_holds: Arc::new(TagHolds::among(shared)), ..self }
    }

    /// How many pulls were let through that policies refuse because of what is known of the image.
    #[must_use]
    pub fn findings_would_refuse(&self) -> u64 {
        self.findings_would_refuse.load(Ordering::Relaxed)
    }

    /// Whether what is refused only because of what is known of an image is let through; counts it if so.
    pub(super) fn only_reports_findings(&self) -> bool {
        if self.reports_findings {
            self.findings_would_refuse.fetch_add(1, Ordering::Relaxed);
        }
        self.reports_findings
    }

    /// How many requests policy-free registries have let through that policies would have refused.
    #[must_use]
    pub fn would_deny(&self) -> u64 {
        self.would_deny.load(Ordering::Relaxed)
    }

    pub(super) fn count_would_deny(&self) {
        self.would_deny.fetch_add(1, Ordering::Relaxed);
    }

    /// Hits and misses of the decision cache.
    #[must_use]
    pub fn decision_events(&self) -> (u64, u64) {
        self.verdicts.events()
    }

    /// Whether the view has heard from the store lately.
    #[must_use]
    pub fn view_is_current(&self) -> bool {
        self.view.is_current()
    }

    /// Hits and misses of the view.
    #[must_use]
    pub fn view_events(&self) -> (u64, u64) {
        let counters = self.view.counters();
        (counters.hits(), counters.misses())
    }

    /// Writes a lease into text that an upload's URL carries.
    #[must_use]
    pub fn lease(&self, lease: &Lease) -> String {
        self.leases.issue(lease)
    }

    /// The registry as of now; one that was never founded is enforced and empty.
    pub(super) async fn registry(&self, region: &Region) -> Result<Arc<RegistryState>, Fault> {
        let missing = || Arc::new(RegistryState { policies_enforced: true, ..RegistryState::default() });
        Ok(self.view.registry(region).await?.unwrap_or_else(missing))
    }

    /// The resource, with the resource group that it is in as of now.
    pub(super) async fn placed(&self, resource: Resource) -> Result<Resource, Fault> {
        match (&resource.region, &resource.namespace) {
            (Some(region), Some(_)) => Ok(self.registry(region).await?.placed(resource)),
            (_, None) | (None, Some(_)) => Ok(resource),
        }
    }

    /// What a repository says of itself, as of now.
    pub(super) async fn repository(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<Arc<RepositoryState>, Fault> {
        let found = self.view.repository(region, name).await?;
        found.ok_or_else(|| Fault::Store(format!("the policy of {name} in {region} cannot be read")))
    }

    /// Holds a tag that is about to be written; `None` while somebody else writes it.
    ///
    /// # Errors
    /// [`Fault`] when other replicas' holds cannot be known.
    pub async fn hold_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<HeldTag>, Fault> {
        self.tag_holds.hold(region, name, tag).await
    }

    /// Someone who decides on what is known of a request, and remembers.
    pub(super) fn judge<'a>(&'a self, facts: Facts<'a>) -> Judge<'a> {
        Judge { verdicts: Some(&self.verdicts), facts }
    }
}

impl Stopped {
    pub(super) fn unproven(why: impl Into<Why>) -> Self {
        Self { caller: None, why: why.into() }
    }
}
