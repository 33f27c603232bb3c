//! Everything that decides what one principal may do, as it is stored: the texts, and what they compile to.
//!
//! It is read for explanations, one principal at a time, and kept nowhere.

use std::sync::Arc;

use super::Desk;
use super::problem::Problem;
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ApiKeyId};
use crate::network::allow_list::AllowList;
use crate::network::zone::Zones;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::document::Document;
use crate::policy::aws::kind::Kind as DocumentKind;
use crate::policy::aws::managed::MANAGED;
use crate::policy::aws::validate;
use crate::policy::engine::bundle::Policies;
use crate::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use crate::policy::engine::question::Kind;
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::check::compile;
use crate::policy::resource::Resource;
use crate::policy::table::product;
use crate::store::aws::holder::Actor;
use crate::store::aws::policies::{ActorPolicies, Origin, PolicyText};
use crate::store::aws::text::DocumentText;
use crate::store::identity::{PrincipalFacts, PrincipalRecord};
use crate::store::policy::{PolicyRecord, Subject};
use crate::view::bundle::{Bundle, KeyState, rights_at};
use crate::view::repository::RepositoryState;

/// A policy that applies.
#[derive(Debug)]
pub struct Source {
    /// Where it stands.
    pub kind: Kind,
    /// What reasons call it.
    pub id: String,
    /// The group that it is for, with its name; `None` if it is the principal's own.
    pub group: Option<(AccessGroupId, String)>,
    /// What it says.
    pub text: Text,
}

/// What a policy says.
#[derive(Debug)]
pub enum Text {
    /// An access policy of IBM's dialect.
    Access(Box<PolicyRecord>, AccessPolicy),
    /// A document of AWS's.
    Aws(Document),
}

/// A policy that cannot be read: its owner may do nothing, for it may have been a restriction.
#[derive(Debug)]
pub struct Unreadable {
    /// What reasons call it.
    pub id: String,
    /// The group that it is for, with its name.
    pub group: Option<(AccessGroupId, String)>,
    /// The row of an access policy.
    pub row: Option<Box<PolicyRecord>>,
}

/// Where a principal stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// The policies, in the order of the bundle's.
    pub(super) sources: Vec<Source>,
    /// Those that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// The asker, if it were that principal.
    pub(super) caller: Caller,
}

/// The policies as they are found, before they are put into the bundle's order.
#[derive(Default)]
struct Found {
    sources: Vec<(Source, Arc<CompiledPolicy>)>,
    unreadable: Vec<Unreadable>,
}

/// What is stored of a principal besides AWS's documents.
struct Known {
    name: String,
    active: bool,
    allow_list: Option<AllowList>,
    key_lists: Vec<(ApiKeyId, AllowList)>,
    groups: Vec<AccessGroupId>,
    policies: Vec<PolicyRecord>,
}

impl Known {
    fn of(facts: PrincipalFacts) -> Self {
        let (name, active) = match facts.record {
            PrincipalRecord::Profile(row, _) => (row.name, true),
            PrincipalRecord::ServiceId(row) => (row.name, true),
            PrincipalRecord::User(row) => (row.name, row.active),
        };
        let PrincipalFacts { allow_list, key_lists, groups, policies, .. } = facts;
        Self { name, active, allow_list, key_lists, groups, policies }
    }

    /// A role, which has no lists, no groups and no access policies. It stands for any session of it.
    fn of_role(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            active: true,
            allow_list: None,
            key_lists: Vec::new(),
            groups: Vec::new(),
            policies: Vec::new(),
        }
    }
}

impl Desk {
    /// Where a principal stands, as if it asked what `caller` asks; `None` if there is no such principal.
    pub(super) async fn standing(
        &self,
        caller: &Caller,
        principal: &PrincipalId,
    ) -> Result<Option<Standing>, Problem> {
        let actor = match principal {
            PrincipalId::Role(id) => Actor::Role(id.clone()),
            PrincipalId::Profile(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => {
                Actor::Principal(principal.clone())
            }
        };
        let facts = match &actor {
            Actor::Principal(_) => self.store.principal(principal).await?,
            Actor::Role(_) => None,
        };
        let Some(held) = self.store.policies_of(&actor).await? else { return Ok(None) };
        let known = match (&actor, facts) {
            (Actor::Principal(_), None) => return Ok(None),
            (Actor::Principal(_), Some(facts)) => Known::of(facts),
            (Actor::Role(_), _) => Known::of_role(&held.name),
        };
        let mut found = self.found(&held);
        for row in &known.policies {
            self.access(row, &held, &mut found);
        }
        found.sources.sort_by_key(|(source, _)| source.kind);
        Ok(Some(self.standing_of(caller, (principal, known), held, found)))
    }

    fn standing_of(
        &self,
        caller: &Caller,
        (principal, known): (&PrincipalId, Known),
        held: ActorPolicies,
        found: Found,
    ) -> Standing {
        let Known { name, active, allow_list, key_lists, groups, policies: _ } = known;
        let of = |kind: Kind| -> Vec<Arc<CompiledPolicy>> {
            let all = found.sources.iter().filter(|(source, _)| source.kind == kind);
            all.map(|(_, policy)| policy.clone()).collect()
        };
        let policies = Policies {
            identity: of(Kind::Identity),
            groups: of(Kind::Group),
            ibm: of(Kind::Ibm),
            boundary: of(Kind::Boundary).pop(),
            session: None,
        };
        let rights = rights_at(&self.account, principal, (held.path.as_str(), &name), policies);
        let compiled = |list: &AllowList| list.compile(&Zones::default());
        let key = |(id, list): &(ApiKeyId, AllowList)| {
            let allowed = Some(compiled(list));
            KeyState { id: id.clone(), allowed, disabled: false, expires_at: None }
        };
        let keys = key_lists.iter().map(key).collect();
        let allowed = allow_list.as_ref().map(compiled);
        let (principal, groups, tags) = (principal.clone(), groups, held.tags);
        let bundle =
            Bundle { principal, name, active, allowed, keys, trust: None, groups, until: None, tags, rights };
        let caller = Caller { bundle: Arc::new(bundle), ..caller.clone() };
        let sources = found.sources.into_iter().map(|(source, _)| source).collect();
        Standing { sources, unreadable: found.unreadable, caller }
    }

    /// The documents of AWS's dialect.
    fn found(&self, held: &ActorPolicies) -> Found {
        let mut found = Found::default();
        for one in &held.policies {
            let (kind, group) = match &one.origin {
                Origin::Group(id, name) => (Kind::Group, Some((id.clone(), name.clone()))),
                Origin::Own => (Kind::Identity, None),
            };
            self.document(kind, group, &one.policy, &mut found);
        }
        if let Some(text) = &held.boundary {
            self.document(Kind::Boundary, None, text, &mut found);
        }
        found
    }

    fn document(
        &self,
        kind: Kind,
        group: Option<(AccessGroupId, String)>,
        text: &PolicyText,
        found: &mut Found,
    ) {
        let read = |text: &DocumentText, kind| validate::read(text.as_str(), kind).ok();
        let (id, document) = match text {
            PolicyText::Aws(arn) => {
                let known = MANAGED.iter().find(|known| known.arn() == arn.to_string());
                (arn.to_string(), known.and_then(|known| known.document().ok()))
            }
            PolicyText::Customer { path, name, document, .. } => {
                let (account, path, name) = (self.account.clone(), path.clone(), name.clone());
                (Arn::Policy { account, path, name }.to_string(), read(document, DocumentKind::Managed))
            }
            PolicyText::Inline(name, document) => {
                let of = group.as_ref().map(|(_, group)| format!("{group}/")).unwrap_or_default();
                (format!("inline:{of}{}", name.as_str()), read(document, DocumentKind::Inline))
            }
        };
        match document {
            Some(document) => {
                let compiled = compile_aws(&id, &document, Place::Identity, product());
                let source = Source { kind, id, group, text: Text::Aws(document) };
                found.sources.push((source, Arc::new(compiled)));
            }
            None => found.unreadable.push(Unreadable { id, group, row: None }),
        }
    }

    /// An access policy of IBM's dialect.
    fn access(&self, row: &PolicyRecord, held: &ActorPolicies, found: &mut Found) {
        let group = match &row.subject {
            Subject::Group(id) => {
                let name = held.groups.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone());
                Some((id.clone(), name.unwrap_or_default()))
            }
            Subject::Principal(_) => None,
        };
        let (id, boxed) = (row.id.to_string(), Box::new(row.clone()));
        match self.read(row) {
            Ok(policy) => {
                let compiled = Arc::new(compile(&row.id, &policy));
                let text = Text::Access(boxed, policy);
                found.sources.push((Source { kind: Kind::Ibm, id, group, text }, compiled));
            }
            Err(_) => found.unreadable.push(Unreadable { id, group, row: Some(boxed) }),
        }
    }

    /// What a repository says of itself, and the text of its policy; nothing, if the resource is none.
    pub(super) async fn repository_state(
        &self,
        resource: &Resource,
    ) -> Result<Option<(RepositoryState, Option<Document>)>, Problem> {
        let (Some(region), Some(name)) = (&resource.region, &resource.repository) else { return Ok(None) };
        let stored = self.store.repository_policy(region, name).await?;
        let text = stored.policy.clone();
        let state = RepositoryState::of(&self.account, (region, name), stored)?;
        let document = text.and_then(|text| validate::read(text.as_str(), DocumentKind::Repository).ok());
        Ok(Some((state, document)))
    }
}
