//! Access keys for those who know IBM's dialect: who may make an API key for somebody may make an access key for them.

use std::sync::Arc;

use super::problem::{Noun, Problem};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::permit::Control;
use crate::credential::access_key::AccessSecret;
use crate::ids::aws::AccessKeyId;
use crate::ids::principal::PrincipalId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::aws::AwsError;
use crate::store::aws::access_key::AccessKeyRecord;
use crate::store::policy::Subject;

impl Desk {
    /// Makes an access key, and reveals its secret this once.
    ///
    /// # Errors
    /// [`Problem`]; a locked service ID gets none, and nobody a third one.
    pub async fn give_access_key(
        &self,
        caller: &Arc<Caller>,
        owner: PrincipalId,
    ) -> Result<Done<(AccessKeyRecord, AccessSecret)>, Problem> {
        let resource = Resource::platform(Service::IamIdentity);
        let of = Control { action: Action::ApiKeyCreate, resource };
        let permit = self.permit_own_or(caller, &owner, of).await?;
        self.may_have_key(caller, &owner).await?;
        super::api_key::keyless(&owner)?;
        self.roaming(caller, &owner)?;
        let missing = || Problem::NotFound(Noun::Principal, owner.to_string());
        if owner != *caller.principal() {
            self.principal_within_reach(caller, &owner).await?;
        }
        self.unlocked(&Subject::Principal(owner.clone())).await?;
        let id = AccessKeyId::fresh(&self.account, &*self.entropy);
        let secret = AccessSecret::fresh(&*self.entropy);
        let row = AccessKeyRecord {
            sealed: secret.sealed(&id, &self.master, &*self.entropy),
            id,
            owner: owner.clone(),
            active: true,
            last_used: None,
            created_at: self.clock.now(),
        };
        self.store.insert_access_key(&row).await.map_err(|error| match error {
            AwsError::Quota(quota) => {
                let most = quota.most();
                Problem::Conflict(format!(
                    "there are {most} access keys already: delete one that is not in use"
                ))
            }
            AwsError::Remains(_) => missing(),
            AwsError::Store(error) => Problem::of(error, Noun::Principal, &owner),
        })?;
        Ok(Done::new((row, secret), permit))
    }
}
