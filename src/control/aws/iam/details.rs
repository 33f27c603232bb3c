//! Everything about everybody, in one list: `GetAccountAuthorizationDetails`.

use std::sync::Arc;

use super::attachment::Attached;
use super::entity::{Entity, Person, group_name};
use super::managed::{Known, Managed, PolicyShown};
use super::page::{Page, Paged};
use super::version::VersionShown;
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::policy::table::IamAction;
use crate::store::aws::attachment::AttachedPolicy;
use crate::store::aws::group::AwsGroup;
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::managed_policy::ManagedPolicy;
use crate::store::aws::role::Role;
use crate::store::aws::tag::Tag;

/// What is wanted; nothing for everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filter {
    /// AWS's managed policies.
    AwsManaged,
    /// Groups.
    Group,
    /// The account's managed policies.
    Local,
    /// Roles.
    Role,
    /// Users.
    User,
}

/// What a user, group or role holds.
#[derive(Debug)]
pub struct Holdings {
    /// Its inline policies.
    pub inline: Vec<InlinePolicy>,
    /// Its managed policies.
    pub attached: Vec<Attached>,
    /// Its boundary.
    pub boundary: Option<AttachedPolicy>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// One item of the list.
#[derive(Debug)]
pub enum Detail {
    /// A group.
    Group(AwsGroup, Holdings),
    /// A managed policy with its versions.
    Policy(PolicyShown, Vec<VersionShown>),
    /// A role.
    Role(Box<Role>, Holdings),
    /// A user, and its groups.
    User(Person, Holdings, Vec<String>),
}

/// One item before its details are read.
enum Item {
    Entity(Entity),
    Known(Known),
    Own(ManagedPolicy),
}

impl Item {
    fn key(&self) -> String {
        let (kind, name) = match self {
            Self::Entity(Entity::User(person)) => ("1", person.name.as_str()),
            Self::Entity(Entity::Group(row)) => ("2", group_name(row)),
            Self::Entity(Entity::Role(row)) => ("3", row.name.as_str()),
            Self::Own(row) => ("4", row.name.as_str()),
            Self::Known(known) => ("5", known.document.name),
        };
        format!("{kind} {name}")
    }
}

impl Desk {
    /// Users, groups, roles and managed policies, each with what it holds.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn authorization_details(
        &self,
        caller: &Arc<Caller>,
        filter: &[Filter],
        page: &Page,
    ) -> Result<AwsDone<Paged<Detail>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::GetAccountAuthorizationDetails).await?;
        let wanted = |one: Filter| filter.is_empty() || filter.contains(&one);
        let mut items = Vec::new();
        if wanted(Filter::User) {
            items.extend(self.people().await?.into_iter().map(|one| Item::Entity(Entity::User(one))));
        }
        if wanted(Filter::Group) {
            let groups = rows(|window| self.store.aws_groups("", window)).await?;
            items.extend(groups.into_iter().map(|row| Item::Entity(Entity::Group(row))));
        }
        if wanted(Filter::Role) {
            let roles = rows(|window| self.store.roles("", window)).await?;
            items.extend(roles.into_iter().map(|row| Item::Entity(Entity::Role(Box::new(row)))));
        }
        if wanted(Filter::Local) {
            let own = rows(|window| self.store.managed_policies("", None, window)).await?;
            items.extend(own.into_iter().map(Item::Own));
        }
        if wanted(Filter::AwsManaged) {
            items.extend(Known::all().map(Item::Known));
        }
        let Paged { items, next } = page.cut(items, Item::key);
        let mut details = Vec::with_capacity(items.len());
        for item in items {
            details.push(self.detail(item).await?);
        }
        Ok(AwsDone::new(Paged { items: details, next }, permit))
    }

    async fn detail(&self, item: Item) -> Result<Detail, AwsProblem> {
        Ok(match item {
            Item::Known(known) => {
                let versions = vec![VersionShown::of_known(&known)];
                Detail::Policy(self.shown(&Managed::Aws(known)).await?, versions)
            }
            Item::Own(row) => {
                let versions = rows(|window| self.store.policy_versions(&row.id, window)).await?;
                Detail::Policy(self.shown_own(&row), versions.iter().map(VersionShown::of).collect())
            }
            Item::Entity(entity) => {
                let holdings = self.holdings(&entity).await?;
                match entity {
                    Entity::Group(row) => Detail::Group(row, holdings),
                    Entity::Role(row) => Detail::Role(Box::new(self.trust_shown(*row).await?), holdings),
                    Entity::User(person) => {
                        let groups =
                            rows(|window| self.store.aws_groups_of(&person.principal, window)).await?;
                        let names = groups.iter().map(|row| group_name(row).to_owned()).collect();
                        Detail::User(person, holdings, names)
                    }
                }
            }
        })
    }

    async fn holdings(&self, entity: &Entity) -> Result<Holdings, AwsProblem> {
        let holder = entity.holder();
        let inline = rows(|window| self.store.inline_policies(&holder, window)).await?;
        let attached = self.attached_to(&holder, "").await?;
        let (boundary, tags) = match entity.actor() {
            Some(actor) => (self.store.boundary(&actor).await?, self.tags_of(&actor).await?),
            None => (None, Vec::new()),
        };
        Ok(Holdings { inline, attached, boundary, tags })
    }
}
