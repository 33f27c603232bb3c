//! Users. Service IDs are shown among them, but made, renamed and deleted only in IBM's dialect.

use std::sync::Arc;

use super::entity::Person;
use super::page::{Page, Paged};
use super::words::{Noun, failed};
use super::{Keys, request_tags};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::list::rows;
use crate::ids::tagged::{ServiceId, UserId};
use crate::policy::aws::arn::{Name, Path};
use crate::policy::engine::principal::Caller as Who;
use crate::policy::table::IamAction;
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::tag::Tag;
use crate::store::aws::user::AwsUser;
use crate::store::identity::{Stamp, User};
use crate::view::bundle::{SERVICE_IDS, username};

/// What a caller says of a new user.
#[derive(Debug)]
pub struct NewUser {
    /// The name.
    pub name: Name,
    /// Where it is filed.
    pub path: Path,
    /// The ARN of its boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A user with what `GetUser` and `GetRole` tell besides.
#[derive(Debug)]
pub struct Portrait<T> {
    /// The user or role.
    pub of: T,
    /// Its boundary.
    pub boundary: Option<AttachedPolicy>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Desk {
    /// Makes a user.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_aws_user(
        &self,
        caller: &Arc<Caller>,
        new: NewUser,
    ) -> Result<AwsDone<Portrait<Person>>, AwsProblem> {
        let arn = format!("arn:aws:iam::{}:user{}{}", self.account, new.path.as_str(), new.name.as_str());
        let mut keys = request_tags(&new.tags);
        keys.extend(new.boundary.iter().map(|arn| ("iam:PermissionsBoundary".to_owned(), vec![arn.clone()])));
        let permit = self.permit_on(caller, IamAction::CreateUser, arn.clone(), keys).await?;
        if !new.tags.is_empty() {
            self.permit_on(caller, IamAction::TagUser, arn, request_tags(&new.tags)).await?;
        }
        let boundary = self.boundary_of(new.boundary.as_deref()).await?;
        let user = User {
            id: UserId::fresh(&*self.entropy),
            name: new.name.as_str().to_owned(),
            active: true,
            stamp: Stamp::new(self.clock.now()),
        };
        let row = AwsUser { user, path: new.path };
        let person = Person::of_user(row.clone());
        fits(&person, &row)?;
        let policy = boundary.as_ref().map(|boundary| &boundary.policy);
        let inserted = self.store.insert_aws_user(&row, policy, &new.tags).await;
        inserted.map_err(|error| failed(error, Noun::User(new.name.as_str()), ""))?;
        Ok(AwsDone::new(Portrait { of: person, boundary, tags: new.tags }, permit))
    }

    /// One user; the caller itself if no name is given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_user(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
    ) -> Result<AwsDone<Portrait<Person>>, AwsProblem> {
        let name = self.named_or_self(caller, name)?;
        let (person, permit) = self.grasp_user(caller, IamAction::GetUser, &name, Keys::new()).await?;
        let boundary = self.store.boundary(&person.actor()).await?;
        let tags = self.tags_of(&person.actor()).await?;
        Ok(AwsDone::new(Portrait { of: person, boundary, tags }, permit))
    }

    /// The users under a path.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_users(
        &self,
        caller: &Arc<Caller>,
        prefix: &str,
        page: &Page,
    ) -> Result<AwsDone<Paged<Person>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::ListUsers).await?;
        let mut people = self.people().await?;
        people.retain(|person| person.path.starts_with(prefix));
        Ok(AwsDone::new(page.cut(people, |person| person.name.clone()), permit))
    }

    /// Every user and service ID.
    pub(super) async fn people(&self) -> Result<Vec<Person>, AwsProblem> {
        let users = rows(|window| self.store.aws_users("", window)).await?;
        let services = rows(|window| self.store.service_ids(None, window)).await?;
        let users = users.into_iter().map(Person::of_user);
        Ok(users.chain(services.iter().map(Person::of_service_id)).collect())
    }

    /// Renames or moves a user. It takes the right to both ends.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn update_aws_user(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        new_name: Option<Name>,
        new_path: Option<Path>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = IamAction::UpdateUser;
        let (person, permit) = self.grasp_user(caller, action, name, Keys::new()).await?;
        let path = new_path.as_ref().map_or(person.path.as_str(), Path::as_str);
        let called = new_name.as_ref().map_or(person.name.as_str(), Name::as_str);
        let target = format!("arn:aws:iam::{}:user{path}{called}", self.account);
        if target != person.arn(&self.account) {
            self.permit_on(caller, action, target, Keys::new()).await?;
        }
        let mut row = unlocked(&person)?;
        if let Some(name) = &new_name {
            row.user.name = name.as_str().to_owned();
        }
        if let Some(path) = new_path {
            row.path = path;
        }
        row.user.stamp.version += 1;
        row.user.stamp.modified_at = self.clock.now();
        fits(&Person::of_user(row.clone()), &row)?;
        let updated = self.store.update_aws_user(&row).await;
        updated.map_err(|error| failed(error, Noun::User(&row.user.name), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Deletes a user that has nothing left.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_aws_user(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (person, permit) = self.grasp_user(caller, IamAction::DeleteUser, name, Keys::new()).await?;
        let row = unlocked(&person)?;
        let deleted = self.store.delete_aws_user(&row.user.id).await;
        deleted.map_err(|error| failed(error, Noun::User(name.as_str()), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// The name that was given, or the caller's own.
    pub(super) fn named_or_self(
        &self,
        caller: &Arc<Caller>,
        name: Option<&Name>,
    ) -> Result<Name, AwsProblem> {
        let unnamed = || {
            let text = "Must specify userName when calling with non-User credentials";
            AwsProblem::said(AwsCode::ValidationError, text)
        };
        match (name, caller.bundle.rights.caller()) {
            (Some(name), _) => Ok(name.clone()),
            (None, Who::User { arn, .. }) => {
                let own = arn.rsplit_once('/').and_then(|(_, name)| Name::parse(name).ok());
                own.ok_or_else(unnamed)
            }
            (
                None,
                Who::Anonymous
                | Who::FederatedUser { .. }
                | Who::RoleSession { .. }
                | Who::Root { .. }
                | Who::WebIdentity { .. },
            ) => Err(unnamed()),
        }
    }
}

/// The row of a user; service IDs are IBM's to change.
fn unlocked(person: &Person) -> Result<AwsUser, AwsProblem> {
    person.row.clone().ok_or_else(|| {
        let text = format!("{} is a service ID: change it with the IBM Cloud API or CLI.", person.name);
        AwsProblem::said(AwsCode::UnmodifiableEntity, text)
    })
}

/// Refuses a name or path by which the user would not be known.
fn fits(person: &Person, row: &AwsUser) -> Result<(), AwsProblem> {
    let an_id = ServiceId::parse(&row.user.name).is_ok();
    if an_id || username(&person.principal, &row.user.name).is_none() {
        let text = "The specified value for userName is invalid. It is the id of a user or service ID.";
        return Err(AwsProblem::said(AwsCode::ValidationError, text));
    }
    if person.path != row.path.as_str() {
        let text = format!("The path {SERVICE_IDS} is that of service IDs: choose another.");
        return Err(AwsProblem::said(AwsCode::ValidationError, text));
    }
    Ok(())
}
