//! What only AWS's dialect asks: access keys, roles, and the managed policies that limit sessions.

use std::sync::Arc;

use super::Known;
use super::bundle::{Bundle, rights_at};
use super::ledger::Depends;
use super::lookup::{Loaded, Lookup};
use super::table::Table;
use crate::ids::aws::{AccessKeyId, ManagedPolicyId, RoleId};
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::kind::Kind;
use crate::policy::engine::compiled::{CompiledPolicy, Place};
use crate::store::StoreError;
use crate::store::aws::holder::Actor;
use crate::store::feed::ChangeKey;

/// An access key: whom it proves, if it may be used, and its secret as it is kept.
#[derive(Debug)]
pub struct AccessKeyState {
    /// Whom.
    pub owner: PrincipalId,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// Whether it may be used.
    pub active: bool,
}

impl Lookup for AccessKeyId {
    type Found = Option<Arc<AccessKeyState>>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.access_keys
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let row = known.store.0.access_key(self).await?;
        // That there is no such key is not kept: whoever guesses ids would fill the memory.
        let depends = match &row {
            None => Depends::OnEverything,
            Some(row) => Depends::On(vec![ChangeKey::Principal(row.owner.clone())]),
        };
        let found = row
            .map(|row| Arc::new(AccessKeyState { owner: row.owner, sealed: row.sealed, active: row.active }));
        Ok(Loaded { found, as_of: None, depends, weight: 1 })
    }
}

impl Lookup for ManagedPolicyId {
    type Found = Option<Arc<CompiledPolicy>>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.limits
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let keys = vec![ChangeKey::PolicyInForce(self.clone()), ChangeKey::ManagedPolicy(self.clone())];
        let depends = Depends::On(keys);
        let Some(row) = known.store.0.managed_policy(self).await? else {
            return Ok(Loaded { found: None, as_of: None, depends: Depends::OnEverything, weight: 1 });
        };
        let version = known.store.0.policy_version(self, row.default_version).await?;
        let arn = Arn::Policy { account: known.account.clone(), path: row.path, name: row.name }.to_string();
        let place = (Kind::Managed, Place::Identity);
        let compiled = version.map(|version| super::compile::document(&arn, &version.document, place));
        let found = compiled.transpose()?;
        Ok(Loaded { found, as_of: None, depends, weight: 4 })
    }
}

/// Everything about a role. It acts in sessions only, which add to this who they are.
pub(super) async fn role(id: &RoleId, known: &Known) -> Result<Loaded<Option<Arc<Bundle>>>, StoreError> {
    let Some(held) = known.store.0.policies_of(&Actor::Role(id.clone())).await? else {
        let depends = Depends::On(vec![ChangeKey::Role(id.clone())]);
        return Ok(Loaded { found: None, as_of: None, depends, weight: 1 });
    };
    let (depends, as_of) = (Depends::On(held.keys()), Some(held.as_of));
    let policies = super::compile::policies(&known.account, &held)?;
    let principal = PrincipalId::Role(id.clone());
    let rights = rights_at(&known.account, &principal, (held.path.as_str(), &held.name), policies);
    let bundle = Bundle {
        principal,
        name: held.name,
        active: true,
        allowed: None,
        keys: Vec::new(),
        trust: None,
        groups: Vec::new(),
        until: None,
        tags: held.tags,
        rights,
    };
    let weight = u64::try_from(1 + bundle.rights.policies().count()).unwrap_or(u64::MAX);
    Ok(Loaded { found: Some(Arc::new(bundle)), as_of, depends, weight })
}
