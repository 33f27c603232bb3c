//! Users of the account.

use std::collections::HashSet;
use std::sync::Arc;

use super::list::{Search, cut, every};
use super::policy::PolicyDraft;
use super::problem::{Noun, Problem};
use super::{Control, Desk, Done, label, settle};
use crate::admit::caller::Caller;
use crate::credential::settings::Visibility;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, UserId};
use crate::policy::ibm::document::PolicyDocument;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp, User, Window};
use crate::store::policy::Subject;
use crate::store::profile::Profile;

/// The longest user name, in bytes: that of an e-mail address.
const NAME_MAX: usize = 254;

/// How many users one call can invite.
const INVITED_MAX: usize = 100;

/// Who is to be a user, and what each is to have.
#[derive(Debug)]
pub struct Invitation {
    /// E-mail addresses or plain names.
    pub names: Vec<String>,
    /// What each is granted.
    pub policies: Vec<PolicyDocument>,
    /// Which groups each is put into.
    pub groups: Vec<AccessGroupId>,
}

/// What is changed of a user; what is `None` stays.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of the profile")]
pub struct UserChange {
    pub firstname: Option<String>,
    pub lastname: Option<String>,
    pub phonenumber: Option<String>,
    pub altphonenumber: Option<String>,
    pub photo: Option<String>,
    /// Whether the user is let in.
    pub active: Option<bool>,
}

fn users() -> Resource {
    Resource::platform(Service::UserManagement)
}

impl Desk {
    /// The users that the caller may see: all, or else itself. Only those that are searched for, and only the one with
    /// exactly this `name`, if given.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn users(
        &self,
        caller: &Arc<Caller>,
        name: Option<&str>,
        search: &Search,
        window: Window,
    ) -> Result<Done<Listed<User>>, Problem> {
        let permit = self.proven(caller, Action::UserList, users());
        let all = self.sees_users(caller, Action::UserList).await?;
        if all && name.is_none() && search.text.is_none() {
            return Ok(Done::new(self.store.users(window).await?, permit));
        }
        let mut rows = match caller.principal() {
            _ if all => every(|window| self.store.users(window)).await?,
            PrincipalId::Profile(_) | PrincipalId::Role(_) | PrincipalId::ServiceId(_) => Vec::new(),
            PrincipalId::User(id) => self.store.user(id).await?.into_iter().collect(),
        };
        let called = |row: &User| name.is_none_or(|name| row.name.to_lowercase() == name.to_lowercase());
        rows.retain(|row| called(row) && search.finds(&[&row.name]));
        Ok(Done::new(cut(rows, window), permit))
    }

    /// Makes users, with the policies and groups that each is to have. Everything is checked before anyone is made.
    ///
    /// # Errors
    /// [`Problem`]; names are unique, and nobody is given what the caller could not grant.
    pub async fn invite_users(
        &self,
        caller: &Arc<Caller>,
        invitation: Invitation,
    ) -> Result<Done<Vec<User>>, Problem> {
        let permit = self.authority.permit(caller, Action::UserInvite, users()).await?;
        if !(1..=INVITED_MAX).contains(&invitation.names.len()) {
            return Err(Problem::Invalid(format!("invite 1 to {INVITED_MAX} users in one call")));
        }
        let mut taken = self.taken_names(&invitation.names).await?;
        let settings = self.identity_settings().await?;
        for name in &invitation.names {
            if !(1..=NAME_MAX).contains(&name.len())
                || !name.chars().all(|c| !c.is_whitespace() && !c.is_control())
            {
                let text = "`email` is not usable: give 1 to 254 characters without spaces";
                return Err(Problem::Invalid(text.to_owned()));
            }
            if !settings.invites(name) {
                let text = format!(
                    "the account invites nobody with an address like `{name}`: see `restrict_user_domains`"
                );
                return Err(Problem::Conflict(text));
            }
            if !taken.insert(name.to_lowercase()) {
                return Err(Problem::Conflict("this user is in the account already".to_owned()));
            }
        }
        for document in &invitation.policies {
            self.may_grant(caller, document.clone()).await?;
        }
        for group in &invitation.groups {
            self.grasp_group(caller, group, Action::GroupMemberAdd).await?;
            self.group_within_reach(caller, group).await?;
        }
        let mut made = Vec::with_capacity(invitation.names.len());
        for name in &invitation.names {
            made.push(self.admit_user(caller, name, &invitation).await?);
        }
        Ok(Done::new(made, permit))
    }

    /// Whether the caller may see all users: by policy, or because users of the account see each other.
    async fn sees_users(&self, caller: &Arc<Caller>, action: Action) -> Result<bool, Problem> {
        if self.authority.may(caller, action, &users()) {
            return Ok(true);
        }
        let visibility = self.identity_settings().await?.restrict_user_list_visibility;
        let user = matches!(caller.principal(), PrincipalId::User(_));
        Ok(user && visibility == Visibility::NotRestricted)
    }

    async fn taken_names(&self, wanted: &[String]) -> Result<HashSet<String>, Problem> {
        let folded: HashSet<String> = wanted.iter().map(|name| name.to_lowercase()).collect();
        let known = every(|window| self.store.users(window)).await?;
        Ok(known
            .into_iter()
            .map(|row| row.name.to_lowercase())
            .filter(|name| folded.contains(name))
            .collect())
    }

    async fn admit_user(
        &self,
        caller: &Arc<Caller>,
        name: &str,
        invitation: &Invitation,
    ) -> Result<User, Problem> {
        let row = User {
            id: UserId::fresh(&*self.entropy),
            name: name.to_owned(),
            active: true,
            stamp: Stamp::new(self.clock.now()),
        };
        match self.store.insert_user(&row).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => {
                return Err(Problem::Conflict("this user is in the account already".to_owned()));
            }
            Err(error) => return Err(error.into()),
        }
        let principal = PrincipalId::User(row.id.clone());
        for document in &invitation.policies {
            let (subject, document) = (Subject::Principal(principal.clone()), document.clone());
            self.create_policy(caller, PolicyDraft { subject, document, description: String::new() }).await?;
        }
        for group in &invitation.groups {
            let added = self.add_members(caller, group, vec![principal.clone()]).await?;
            added.value.into_iter().try_for_each(|(_, outcome)| outcome)?;
        }
        Ok(row)
    }

    /// What a user says of itself, to whoever may see the user.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn profile(&self, id: &UserId) -> Result<Profile, Problem> {
        Ok(self.store.profile(id).await?)
    }

    /// Changes what a user says of itself; everyone may change their own. Who may remove users may also let them in or
    /// not, but not themselves.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn update_user(
        &self,
        caller: &Arc<Caller>,
        id: &UserId,
        change: UserChange,
    ) -> Result<Done<()>, Problem> {
        let owner = PrincipalId::User(id.clone());
        let itself = *caller.principal() == owner;
        let attempt = match change.active {
            Some(_) => self.authority.permit(caller, Action::UserDelete, users()).await,
            None => {
                self.permit_own_or(caller, &owner, Control { action: Action::UserUpdate, resource: users() })
                    .await
            }
        };
        let sees = itself || self.authority.may(caller, Action::UserRead, &users());
        let (_, permit) = settle(self.store.user(id).await?, attempt, sees, Noun::User, id)?;
        let mut profile = self.store.profile(id).await?;
        for (field, text) in [
            (&mut profile.firstname, change.firstname),
            (&mut profile.lastname, change.lastname),
            (&mut profile.phonenumber, change.phonenumber),
            (&mut profile.altphonenumber, change.altphonenumber),
            (&mut profile.photo, change.photo),
        ] {
            if let Some(text) = text {
                *field = label::description(&text, label::NAME_MAX)?;
            }
        }
        if change.active == Some(false) && itself {
            let text = "you cannot switch yourself off: ask another administrator";
            return Err(Problem::Conflict(text.to_owned()));
        }
        let failed = |error| Problem::of(error, Noun::User, id);
        self.store.put_profile(id, &profile).await.map_err(failed)?;
        if let Some(active) = change.active {
            self.store.set_user_active(id, active, self.clock.now()).await.map_err(failed)?;
        }
        Ok(Done::new((), permit))
    }

    /// One user; everyone may see themselves.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn user(&self, caller: &Arc<Caller>, id: &UserId) -> Result<Done<User>, Problem> {
        let of = Control { action: Action::UserRead, resource: users() };
        let attempt = match self.permit_own_or(caller, &PrincipalId::User(id.clone()), of).await {
            Err(Problem::Refused(_)) if self.sees_users(caller, Action::UserRead).await? => {
                Ok(self.proven(caller, Action::UserRead, users()))
            }
            attempt => attempt,
        };
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
