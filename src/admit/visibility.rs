//! What a caller may see, and how much a token is made for: one question for many repositories.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::caller::Caller;
use super::context::Facts;
use super::fault::Fault;
use super::gate::Gate;
use super::judge::Judge;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::policy::words::{Words, for_action, for_right, for_seeing};
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::needs::Right;
use crate::registry::scope::{ScopeAction, ScopeEntry};
use crate::view::View;
use crate::view::registry::RegistryState;
use crate::view::repository::RepositoryState;

/// How many repositories are looked up at the same time, of those that are not known already.
const LOOKUPS: usize = 16;

impl Gate {
    /// Which repositories the caller may see, as one question: those that it may list or pull.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn visibility(&self, caller: &Arc<Caller>, region: &Region) -> Result<Visibility, Fault> {
        self.visible_for(caller, region, for_seeing()).await
    }

    /// Which repositories the caller may do this to, for filtering lists.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn lists(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        region: &Region,
    ) -> Result<Visibility, Fault> {
        let words = for_action(action).map(std::slice::from_ref).unwrap_or_default();
        self.visible_for(caller, region, words).await
    }

    async fn visible_for(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        words: &'static [Words],
    ) -> Result<Visibility, Fault> {
        let (caller, region) = (Arc::clone(caller), region.clone());
        let (registry, now) = (self.registry(&region).await?, self.clock.now());
        let unreachable = self.unreachable(&caller, &region).await?;
        Ok(Visibility { view: Arc::clone(&self.view), caller, region, registry, words, now, unreachable })
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
        let registry = self.registry(region).await?;
        let everything = !registry.policies_enforced;
        let now = self.clock.now();
        let mut narrowed = Vec::with_capacity(wanted.len());
        for entry in wanted {
            let repository = match &entry {
                ScopeEntry::Repository { name, .. } => self.view.repository(region, name).await?,
                ScopeEntry::Catalog => None,
            };
            let facts = Facts {
                caller,
                now,
                region: Some(region),
                call: None,
                repository: repository.as_deref(),
                known: None,
            };
            let judge = Judge { verdicts: None, facts };
            let may = |name: &RepositoryName, action: ScopeAction| {
                let resource = registry.placed(Resource::repository(region, name));
                let mut words = rights_of(action).iter().flat_map(|right| for_right(*right));
                let allowed = |words: &Words| {
                    judge.verdict(words, &resource).is_allow() || judge.depends_on_call(words)
                };
                everything || (repository.is_some() && words.any(allowed))
            };
            narrowed.extend(entry.narrowed(may));
        }
        Ok(narrowed)
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

/// What one caller may see of one registry.
#[derive(Clone, Debug)]
pub struct Visibility {
    view: Arc<View>,
    caller: Arc<Caller>,
    region: Region,
    registry: Arc<RegistryState>,
    words: &'static [Words],
    now: UnixTime,
    /// Namespaces that rules keep from whoever comes from there.
    unreachable: HashSet<Namespace>,
}

impl Visibility {
    /// Whether the caller may see anything at all, of whatever there may be.
    #[must_use]
    pub fn shows_anything(&self) -> bool {
        let rights = &self.caller.bundle.rights;
        let own = || self.words.iter().any(|words| words.are_allowed_somewhere(rights));
        !self.registry.policies_enforced || self.registry.repository_policies || own()
    }

    /// Those of these repositories that the caller may know of, in their order. A repository whose own policy cannot be
    /// read is none of them.
    ///
    /// # Errors
    /// [`Fault`] when the view cannot say.
    pub async fn shown(&self, mut names: Vec<RepositoryName>) -> Result<Vec<RepositoryName>, Fault> {
        names.retain(|name| !self.unreachable.contains(&Namespace::of(name)));
        if !self.registry.policies_enforced {
            return Ok(names);
        }
        let mut shown = Vec::new();
        if !self.asks_repositories() {
            let silent = RepositoryState::default();
            shown.extend(names.into_iter().filter(|name| self.shows(name, &silent)));
            return Ok(shown);
        }
        let lookups = names.into_iter().map(async |name| {
            let state = self.view.repository(&self.region, &name).await?;
            Ok::<_, Fault>(state.filter(|state| self.shows(&name, state)).map(|_| name))
        });
        let mut lookups = stream::iter(lookups).buffered(LOOKUPS);
        while let Some(found) = lookups.next().await {
            shown.extend(found?);
        }
        Ok(shown)
    }

    /// Whether what repositories say of themselves decides: their policies, if there are any, or their tags.
    fn asks_repositories(&self) -> bool {
        let rights = &self.caller.bundle.rights;
        let mut keys = self.words.iter().flat_map(Words::actions).flat_map(|action| rights.keys(action));
        let tagged =
            |name: &str| name.starts_with("aws:resourcetag/") || name.starts_with("ecr:resourcetag/");
        self.registry.repository_policies || keys.any(|key| tagged(key.name()))
    }

    fn shows(&self, name: &RepositoryName, state: &RepositoryState) -> bool {
        let (caller, region) = (&*self.caller, Some(&self.region));
        let facts = Facts { caller, now: self.now, region, call: None, repository: Some(state), known: None };
        let judge = Judge { verdicts: None, facts };
        let resource = self.registry.placed(Resource::repository(&self.region, name));
        for words in self.words {
            let class = judge.verdict(words, &resource).class;
            // Whoever is denied the listing does not get it for being allowed to pull.
            if class.is_allow() || class.is_explicit_deny() {
                return class.is_allow();
            }
        }
        false
    }
}
