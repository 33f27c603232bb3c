//! Access keys. A secret is shown when it is made, and never again.

use std::sync::Arc;

use super::Keys;
use super::page::{Page, Paged};
use super::words::{Noun, failed, missing};
use crate::admit::aws::AwsTarget;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::control::problem::Problem;
use crate::credential::access_key::AccessSecret;
use crate::ids::aws::AccessKeyId;
use crate::policy::aws::arn::Name;
use crate::policy::table::IamAction;
use crate::store::aws::access_key::{AccessKeyRecord, LastUsed};

/// What keeps somebody from having a key, in AWS's words.
fn refused(problem: Problem) -> AwsProblem {
    match problem {
        Problem::Refused(refusal) | Problem::Hidden { refusal, .. } => AwsProblem::Refused(refusal),
        Problem::Fault(fault) => AwsProblem::Fault(fault),
        Problem::Conflict(_)
        | Problem::Duplicate(_)
        | Problem::Invalid(_)
        | Problem::Locked(_)
        | Problem::NotFound(..)
        | Problem::OtherAccount
        | Problem::Stale
        | Problem::TooLarge
        | Problem::Unreadable(_) => {
            AwsProblem::Fault(Fault::Internal("keys are restricted oddly".to_owned()))
        }
    }
}

/// A key that was made just now.
#[derive(Debug)]
pub struct FreshKey {
    /// Whose it is.
    pub user: String,
    /// What is kept of it.
    pub row: AccessKeyRecord,
    /// Its secret.
    pub secret: AccessSecret,
}

impl Desk {
    /// Makes a key for a user; for the caller if none is named.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_access_key(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
    ) -> Result<AwsDone<FreshKey>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        let action = IamAction::CreateAccessKey;
        let (person, permit) = self.grasp_user(caller, action, &name, Keys::new()).await?;
        self.may_have_key(caller, &person.principal).await.map_err(refused)?;
        let (id, secret) =
            (AccessKeyId::fresh(&self.account, &*self.entropy), AccessSecret::fresh(&*self.entropy));
        let row = AccessKeyRecord {
            sealed: secret.sealed(&id, &self.master, &*self.entropy),
            id,
            owner: person.principal,
            active: true,
            last_used: None,
            created_at: self.clock.now(),
        };
        let inserted = self.store.insert_access_key(&row).await;
        inserted.map_err(|error| failed(error, Noun::User(name.as_str()), ""))?;
        Ok(AwsDone::new(FreshKey { user: person.name, row, secret }, permit))
    }

    /// The keys of a user; of the caller if none is named.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn list_access_keys(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
        page: &Page,
    ) -> Result<AwsDone<(String, Paged<AccessKeyRecord>)>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        let (person, permit) = self.grasp_user(caller, IamAction::ListAccessKeys, &name, Keys::new()).await?;
        let all = rows(|window| self.store.access_keys(&person.principal, window)).await?;
        let cut = page.cut(all, |row| format!("{:020} {}", row.created_at.millis(), row.id));
        Ok(AwsDone::new((person.name, cut), permit))
    }

    /// Lets a key be used, or not.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn update_access_key(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
        id: &str,
        active: bool,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        let (person, permit) =
            self.grasp_user(caller, IamAction::UpdateAccessKey, &name, Keys::new()).await?;
        let key = self.key_of(&person.principal, id).await?;
        let changed = self.store.activate_access_key(&key.id, active).await;
        changed.map_err(|error| failed(error, Noun::AccessKey(id), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_access_key(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
        id: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        let (person, permit) =
            self.grasp_user(caller, IamAction::DeleteAccessKey, &name, Keys::new()).await?;
        let key = self.key_of(&person.principal, id).await?;
        let deleted = self.store.delete_access_key(&key.id).await;
        deleted.map_err(|error| failed(error, Noun::AccessKey(id), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// When and for what a key was last used, and whose it is.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn access_key_last_used(
        &self,
        caller: &Arc<Caller>,
        id: &str,
    ) -> Result<AwsDone<(String, Option<LastUsed>)>, AwsProblem> {
        let action = IamAction::GetAccessKeyLastUsed;
        let found = match AccessKeyId::parse(id) {
            Ok(id) => self.store.access_key(&id).await?,
            Err(_) => None,
        };
        let owner = match &found {
            Some(row) => self.person_of(&row.owner).await?,
            None => None,
        };
        let (Some(row), Some(person)) = (found, owner) else {
            let ask = crate::admit::aws::AwsAsk::new(action.id(), AwsTarget::Everything);
            self.authority.permit_aws(caller, ask).await?;
            return Err(missing(Noun::AccessKey(id)));
        };
        let permit = self.permit_on(caller, action, person.arn(&self.account), Keys::new()).await?;
        Ok(AwsDone::new((person.name, row.last_used), permit))
    }

    /// The key of that id, if it is the owner's.
    async fn key_of(
        &self,
        owner: &crate::ids::principal::PrincipalId,
        id: &str,
    ) -> Result<AccessKeyRecord, AwsProblem> {
        let found = match AccessKeyId::parse(id) {
            Ok(id) => self.store.access_key(&id).await?,
            Err(_) => None,
        };
        found.filter(|row| row.owner == *owner).ok_or_else(|| missing(Noun::AccessKey(id)))
    }
}
