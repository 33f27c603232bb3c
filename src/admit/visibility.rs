//! What a caller may see, and how much a token is made for: one question for many repositories.

use std::sync::Arc;

use super::caller::Caller;
use super::context::{Facts, is_of_call};
use super::fault::Fault;
use super::gate::Gate;
use super::judge::Judge;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::words::{Words, for_right, for_seeing};
use crate::registry::name::RepositoryName;
use crate::registry::needs::Right;
use crate::registry::scope::{ScopeAction, ScopeEntry};

impl Gate {
    /// Which repositories the caller may see, as one question: those that it may list or pull.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn visibility(&self, caller: &Arc<Caller>, region: &Region) -> Result<Visibility, Fault> {
        let everything = !self.registry(region).await?.policies_enforced;
        let now = self.clock.now();
        Ok(Visibility { caller: Arc::clone(caller), region: region.clone(), everything, now })
    }

    /// What of `wanted` the caller may have now: the intersection, which is what a token is made for (Docker token
    /// specification: asking for more "must not be considered an error"). Where policies depend on what only the call
    /// itself will say, such as its tag, the token covers it: every call is decided anew.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn narrow(
        &self,
        caller: &Arc<Caller>,
        wanted: Vec<ScopeEntry>,
        region: &Region,
    ) -> Result<Vec<ScopeEntry>, Fault> {
        let everything = !self.registry(region).await?.policies_enforced;
        let facts = Facts { caller, now: self.clock.now(), region: Some(region), call: None };
        let judge = Judge { verdicts: None, facts };
        let may = |name: &RepositoryName, action: ScopeAction| {
            let resource = Resource::repository(region, name);
            everything
                || rights_of(action)
                    .iter()
                    .flat_map(|right| for_right(*right))
                    .any(|words| judge.verdict(words, &resource).is_allow() || depends_on_call(caller, words))
        };
        Ok(wanted.into_iter().filter_map(|entry| entry.narrowed(may)).collect())
    }
}

/// What a token for this is used for.
const fn rights_of(action: ScopeAction) -> &'static [Right] {
    match action {
        ScopeAction::Delete => &[Right::Delete],
        ScopeAction::Pull => &[Right::ReadManifest, Right::ReadBlob],
        ScopeAction::Push => &[Right::StartUpload, Right::WriteManifest],
    }
}

/// Whether something might be allowed, once the call is known.
fn depends_on_call(caller: &Caller, words: &Words) -> bool {
    let rights = &caller.bundle.rights;
    words
        .actions()
        .any(|action| rights.allows_somewhere(action) && rights.keys(action).iter().any(is_of_call))
}

/// What one caller may see of one registry.
#[derive(Clone, Debug)]
pub struct Visibility {
    caller: Arc<Caller>,
    region: Region,
    everything: bool,
    now: UnixTime,
}

impl Visibility {
    /// Whether the caller may see anything at all, of whatever there may be.
    #[must_use]
    pub fn shows_anything(&self) -> bool {
        let rights = &self.caller.bundle.rights;
        self.everything || for_seeing().iter().any(|words| words.are_allowed_somewhere(rights))
    }

    /// Whether the caller may know that `repository` exists.
    #[must_use]
    pub fn shows(&self, repository: &RepositoryName) -> bool {
        let facts = Facts { caller: &self.caller, now: self.now, region: Some(&self.region), call: None };
        let judge = Judge { verdicts: None, facts };
        let resource = Resource::repository(&self.region, repository);
        let [listing, pulling] = for_seeing();
        let listed = judge.verdict(listing, &resource);
        // Whoever is denied the listing does not get it for being allowed to pull.
        let pulled = || !listed.class.is_explicit_deny() && judge.verdict(pulling, &resource).is_allow();
        self.everything || listed.is_allow() || pulled()
    }
}
