//! Users of the account.

use std::sync::Arc;

use super::list::cut;
use super::problem::{Noun, Problem};
use super::{Control, Desk, Done, settle};
use crate::admit::caller::Caller;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::UserId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp, User, Window};

/// The longest user name, in bytes: that of an e-mail address.
const NAME_MAX: usize = 254;

fn users() -> Resource {
    Resource::platform(Service::UserManagement)
}

impl Desk {
    /// The users that the caller may see: all, or else itself.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn users(&self, caller: &Arc<Caller>, window: Window) -> Result<Done<Listed<User>>, Problem> {
        let permit = self.proven(caller, Action::UserList, users());
        if self.authority.may(caller, Action::UserList, &users()) {
            return Ok(Done::new(self.store.users(window).await?, permit));
        }
        let own = match caller.principal() {
            PrincipalId::Role(_) | PrincipalId::ServiceId(_) => None,
            PrincipalId::User(id) => self.store.user(id).await?,
        };
        Ok(Done::new(cut(own.into_iter().collect(), window), permit))
    }

    /// Makes a user; it has no rights and no key until someone gives it some.
    ///
    /// # Errors
    /// [`Problem`]; names are unique.
    pub async fn invite_user(&self, caller: &Arc<Caller>, name: &str) -> Result<Done<User>, Problem> {
        let permit = self.authority.permit(caller, Action::UserInvite, users()).await?;
        if !(1..=NAME_MAX).contains(&name.len())
            || !name.chars().all(|c| !c.is_whitespace() && !c.is_control())
        {
            let text = "`email` is not usable: give 1 to 254 characters without spaces";
            return Err(Problem::Invalid(text.to_owned()));
        }
        let row = User {
            id: UserId::fresh(&*self.entropy),
            name: name.to_owned(),
            active: true,
            stamp: Stamp::new(self.clock.now()),
        };
        match self.store.insert_user(&row).await {
            Ok(()) => Ok(Done::new(row, permit)),
            Err(StoreError::Conflict(_)) => {
                Err(Problem::Conflict("this user is in the account already".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One user; everyone may see themselves.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn user(&self, caller: &Arc<Caller>, id: &UserId) -> Result<Done<User>, Problem> {
        let of = Control { action: Action::UserRead, resource: users() };
        let attempt = self.permit_own_or(caller, &PrincipalId::User(id.clone()), of).await;
        let (row, permit) = settle(self.store.user(id).await?, attempt, false, Noun::User, id)?;
        Ok(Done::new(row, permit))
    }

    /// Removes a user with its API keys, memberships and policies. Nobody removes themselves: the last administrator
    /// would lock everyone out.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn remove_user(&self, caller: &Arc<Caller>, id: &UserId) -> Result<Done<()>, Problem> {
        let attempt = self.authority.permit(caller, Action::UserDelete, users()).await;
        let itself = *caller.principal() == PrincipalId::User(id.clone());
        let sees = itself || self.authority.may(caller, Action::UserRead, &users());
        let (_, permit) = settle(self.store.user(id).await?, attempt, sees, Noun::User, id)?;
        if itself {
            let text = "you cannot remove yourself: ask another administrator";
            return Err(Problem::Conflict(text.to_owned()));
        }
        self.store.delete_user(id).await.map_err(|error| Problem::of(error, Noun::User, id))?;
        Ok(Done::new((), permit))
    }
}
