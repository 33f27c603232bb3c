//! Groups and memberships.

use std::sync::Arc;

use super::Keys;
use super::entity::{Person, group_name};
use super::page::{Page, Paged};
use super::words::{Noun, failed, missing};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::aws::arn::{Name, Path};
use crate::policy::table::IamAction;
use crate::store::aws::group::AwsGroup;
use crate::store::group::{AccessGroup, Membership};
use crate::store::identity::Stamp;

impl Desk {
    /// Makes a group.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_aws_group(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        path: Path,
    ) -> Result<AwsDone<AwsGroup>, AwsProblem> {
        let arn = format!("arn:aws:iam::{}:group{}{}", self.account, path.as_str(), name.as_str());
        let permit = self.permit_on(caller, IamAction::CreateGroup, arn, Keys::new()).await?;
        let group = AccessGroup {
            id: AccessGroupId::fresh(&*self.entropy),
            name: name.as_str().to_owned(),
            description: String::new(),
            stamp: Stamp::new(self.clock.now()),
        };
        let row = AwsGroup { group, path };
        let inserted = self.store.insert_aws_group(&row).await;
        inserted.map_err(|error| failed(error, Noun::Group(name.as_str()), ""))?;
        Ok(AwsDone::new(row, permit))
    }

    /// One group and who is in it.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_group(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        page: &Page,
    ) -> Result<AwsDone<(AwsGroup, Paged<Person>)>, AwsProblem> {
        let (row, permit) = self.grasp_aws_group(caller, IamAction::GetGroup, name).await?;
        let members = rows(|window| self.store.members(&row.group.id, window)).await?;
        let mut people = Vec::with_capacity(members.len());
        for member in &members {
            people.extend(self.person_of(&member.member).await?);
        }
        let people = page.cut(people, |person| person.name.clone());
        Ok(AwsDone::new((row, people), permit))
    }

    /// The user or service ID of that id.
    pub(super) async fn person_of(&self, id: &PrincipalId) -> Result<Option<Person>, AwsProblem> {
        Ok(match id {
            PrincipalId::Profile(_) | PrincipalId::Role(_) => None,
            PrincipalId::ServiceId(id) => {
                self.store.service_id(id).await?.map(|row| Person::of_service_id(&row))
            }
            PrincipalId::User(id) => self.store.aws_user(id).await?.map(Person::of_user),
        })
    }

    /// The groups under a path.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_groups(
        &self,
        caller: &Arc<Caller>,
        prefix: &str,
        page: &Page,
    ) -> Result<AwsDone<Paged<AwsGroup>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::ListGroups).await?;
        let all = rows(|window| self.store.aws_groups(prefix, window)).await?;
        Ok(AwsDone::new(page.cut(all, |row| group_name(row).to_owned()), permit))
    }

    /// The groups that a user is in.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn aws_groups_for(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        page: &Page,
    ) -> Result<AwsDone<Paged<AwsGroup>>, AwsProblem> {
        let action = IamAction::ListGroupsForUser;
        let (person, permit) = self.grasp_user(caller, action, name, Keys::new()).await?;
        let all = rows(|window| self.store.aws_groups_of(&person.principal, window)).await?;
        Ok(AwsDone::new(page.cut(all, |row| group_name(row).to_owned()), permit))
    }

    /// Renames or moves a group. It takes the right to both ends.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn update_aws_group(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        new_name: Option<Name>,
        new_path: Option<Path>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = IamAction::UpdateGroup;
        let (mut row, permit) = self.grasp_aws_group(caller, action, name).await?;
        let before = super::entity::group_arn(&self.account, &row);
        if let Some(name) = new_name {
            row.group.name = name.as_str().to_owned();
        }
        if let Some(path) = new_path {
            row.path = path;
        }
        let after = super::entity::group_arn(&self.account, &row);
        if after != before {
            self.permit_on(caller, action, after, Keys::new()).await?;
        }
        row.group.stamp.version += 1;
        row.group.stamp.modified_at = self.clock.now();
        let updated = self.store.update_aws_group(&row).await;
        updated.map_err(|error| failed(error, Noun::Group(&row.group.name), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Deletes a group that has no members and no policies.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_aws_group(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_aws_group(caller, IamAction::DeleteGroup, name).await?;
        let deleted = self.store.delete_aws_group(&row.group.id).await;
        deleted.map_err(|error| failed(error, Noun::Group(name.as_str()), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Puts a user into a group; twice is once.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn add_user_to_group(
        &self,
        caller: &Arc<Caller>,
        group: &Name,
        user: &Name,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_aws_group(caller, IamAction::AddUserToGroup, group).await?;
        let person = self.person(user.as_str()).await?.ok_or_else(|| missing(Noun::User(user.as_str())))?;
        let (added_at, added_by) = (self.clock.now(), caller.principal().clone());
        let membership = Membership { member: person.principal, added_at, added_by };
        let joined = self.store.join_aws_group(&row.group.id, &membership).await;
        joined.map_err(|error| failed(error, Noun::User(user.as_str()), ""))?;
        Ok(AwsDone::new((), permit))
    }

    /// Takes a user out of a group; one that is not in it stays out.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn remove_user_from_group(
        &self,
        caller: &Arc<Caller>,
        group: &Name,
        user: &Name,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_aws_group(caller, IamAction::RemoveUserFromGroup, group).await?;
        let person = self.person(user.as_str()).await?.ok_or_else(|| missing(Noun::User(user.as_str())))?;
        match self.store.delete_member(&row.group.id, &person.principal).await {
            Ok(()) | Err(crate::store::StoreError::NotFound) => Ok(AwsDone::new((), permit)),
            Err(error) => Err(failed(error, Noun::User(user.as_str()), "")),
        }
    }
}
