//! Users, groups and roles by name, and the permit to act on one.
//!
//! To AWS's dialect a service ID is a user under `/service-id/`, and whoever has no name that fits is called by its id. Names
//! are looked up to the letter: what a policy says of `user/bob` must not be evaded by asking for `BOB`.

use std::sync::Arc;

use super::words::{Noun, missing};
use super::{Keys, resource_tags};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::ids::account::AccountId;
use crate::ids::aws::UserUniqueId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, ServiceId, UserId};
use crate::policy::aws::arn::{Arn, Name, Path};
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;
use crate::store::StoreError;
use crate::store::aws::group::AwsGroup;
use crate::store::aws::holder::{Actor, AwsPolicyArn, Holder, PolicyRef};
use crate::store::aws::role::Role;
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::user::AwsUser;
use crate::store::identity::ServiceIdentity;
use crate::view::bundle::{SERVICE_IDS, filed_as};

/// A user or service ID, as AWS's dialect shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// Who.
    pub principal: PrincipalId,
    /// What AWS's dialect calls it.
    pub name: String,
    /// Where it is filed.
    pub path: String,
    /// Since when.
    pub created_at: UnixTime,
    /// Whether it refuses changes, as only service IDs do.
    pub locked: bool,
    /// Its row; `None` for a service ID.
    pub row: Option<AwsUser>,
}

impl Person {
    /// A user.
    #[must_use]
    pub fn of_user(row: AwsUser) -> Self {
        let principal = PrincipalId::User(row.user.id.clone());
        let (path, name) = filed_as(&principal, (row.path.as_str(), &row.user.name));
        let (path, name) = (path.to_owned(), name.to_owned());
        let created_at = row.user.stamp.created_at;
        Self { path, name, principal, created_at, locked: false, row: Some(row) }
    }

    /// A service ID.
    #[must_use]
    pub fn of_service_id(row: &ServiceIdentity) -> Self {
        let (path, name) = (SERVICE_IDS.to_owned(), row.id.to_string());
        let principal = PrincipalId::ServiceId(row.id.clone());
        Self { principal, path, name, created_at: row.stamp.created_at, locked: row.locked, row: None }
    }

    /// `AIDA…`
    #[must_use]
    pub fn unique_id(&self) -> UserUniqueId {
        UserUniqueId::of(&self.principal)
    }

    /// The ARN.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> String {
        format!("arn:aws:iam::{account}:user{}{}", self.path, self.name)
    }

    /// As one who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Principal(self.principal.clone())
    }
}

/// The name that AWS's dialect has for a group: its own, or its id if that does not fit.
#[must_use]
pub fn group_name(row: &AwsGroup) -> &str {
    let fits = Name::parse(&row.group.name).is_ok() && AccessGroupId::parse(&row.group.name).is_err();
    if fits { &row.group.name } else { row.group.id.as_str() }
}

/// The ARN of a group.
#[must_use]
pub fn group_arn(account: &AccountId, row: &AwsGroup) -> String {
    format!("arn:aws:iam::{account}:group{}{}", row.path.as_str(), group_name(row))
}

/// The ARN of a role.
#[must_use]
pub fn role_arn(account: &AccountId, row: &Role) -> String {
    Arn::Role { account: account.clone(), path: row.path.clone(), name: row.name.clone() }.to_string()
}

/// The ARN of a customer managed policy.
#[must_use]
pub fn policy_arn(account: &AccountId, path: &Path, name: &Name) -> String {
    Arn::Policy { account: account.clone(), path: path.clone(), name: name.clone() }.to_string()
}

/// A user, group or role, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// Which kind.
    pub kind: Owner,
    /// The name.
    pub name: Name,
}

impl Named {
    /// What an ARN names, if it is a group's, a role's or a user's.
    fn of(arn: &str) -> Option<Self> {
        match Arn::parse(arn) {
            Ok(Arn::Group { name, .. }) => Some(Self { kind: Owner::Group, name }),
            Ok(Arn::Role { name, .. }) => Some(Self { kind: Owner::Role, name }),
            Ok(Arn::User { name, .. }) => Some(Self { kind: Owner::User, name }),
            Ok(
                Arn::AssumedRole { .. }
                | Arn::AwsPolicy { .. }
                | Arn::FederatedUser { .. }
                | Arn::Policy { .. }
                | Arn::Repository { .. }
                | Arn::Root { .. },
            )
            | Err(_) => None,
        }
    }

    pub(super) fn noun(&self) -> Noun<'_> {
        let name = self.name.as_str();
        match self.kind {
            Owner::Group => Noun::Group(name),
            Owner::Role => Noun::Role(name),
            Owner::User => Noun::User(name),
        }
    }
}

/// A user, group or role, as it is stored.
#[derive(Clone, Debug)]
pub enum Entity {
    /// A group.
    Group(AwsGroup),
    /// A role.
    Role(Box<Role>),
    /// A user or service ID.
    User(Person),
}

impl Entity {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Group(row) => group_name(row),
            Self::Role(row) => row.name.as_str(),
            Self::User(person) => &person.name,
        }
    }

    /// The ARN.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> String {
        match self {
            Self::Group(row) => group_arn(account, row),
            Self::Role(row) => role_arn(account, row),
            Self::User(person) => person.arn(account),
        }
    }

    /// As one who holds policies.
    #[must_use]
    pub fn holder(&self) -> Holder {
        match self {
            Self::Group(row) => Holder::Group(row.group.id.clone()),
            Self::Role(row) => Holder::Role(row.id.clone()),
            Self::User(person) => Holder::Principal(person.principal.clone()),
        }
    }

    /// As one who acts; groups do not.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        match self {
            Self::Group(_) => None,
            Self::Role(row) => Some(Actor::Role(row.id.clone())),
            Self::User(person) => Some(person.actor()),
        }
    }

    pub(super) const fn kind(&self) -> Owner {
        match self {
            Self::Group(_) => Owner::Group,
            Self::Role(_) => Owner::Role,
            Self::User(_) => Owner::User,
        }
    }
}

impl Desk {
    /// The user or service ID of that name.
    pub(super) async fn person(&self, name: &str) -> Result<Option<Person>, StoreError> {
        let found = match (ServiceId::parse(name), UserId::parse(name)) {
            (Ok(id), _) => self.store.service_id(&id).await?.map(|row| Person::of_service_id(&row)),
            (Err(_), Ok(id)) => self.store.aws_user(&id).await?.map(Person::of_user),
            (Err(_), Err(_)) => self.store.aws_user_named(name).await?.map(Person::of_user),
        };
        Ok(found.filter(|person| person.name == name))
    }

    /// The group of that name.
    pub(super) async fn group_called(&self, name: &str) -> Result<Option<AwsGroup>, StoreError> {
        let stored = match AccessGroupId::parse(name) {
            Ok(id) => self.store.group(&id).await?.map(|row| row.name),
            Err(_) => Some(name.to_owned()),
        };
        let Some(stored) = stored else { return Ok(None) };
        Ok(self.store.aws_group_named(&stored).await?.filter(|row| group_name(row) == name))
    }

    /// The role of that name.
    pub(super) async fn role_called(&self, name: &Name) -> Result<Option<Role>, StoreError> {
        Ok(self.store.role_named(name).await?.filter(|row| row.name == *name))
    }

    pub(super) async fn entity(&self, named: &Named) -> Result<Option<Entity>, StoreError> {
        let name = named.name.as_str();
        Ok(match named.kind {
            Owner::Group => self.group_called(name).await?.map(Entity::Group),
            Owner::Role => self.role_called(&named.name).await?.map(|row| Entity::Role(Box::new(row))),
            Owner::User => self.person(name).await?.map(Entity::User),
        })
    }

    /// The user, service ID or role that an ARN names.
    pub(in crate::control) async fn principal_at(
        &self,
        arn: &str,
    ) -> Result<Option<PrincipalId>, StoreError> {
        let Some(named) = Named::of(arn) else { return Ok(None) };
        let found = self.entity(&named).await?.filter(|entity| entity.arn(&self.account) == arn);
        Ok(found.and_then(|entity| match entity {
            Entity::Group(_) => None,
            Entity::Role(row) => Some(PrincipalId::Role(row.id)),
            Entity::User(person) => Some(person.principal),
        }))
    }

    /// Permits an action on a user, group or role and says which it is.
    pub(super) async fn grasp(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        named: &Named,
        keys: Keys,
    ) -> Result<(Entity, Permit<AwsControl>), AwsProblem> {
        let found = self.entity(named).await?;
        let permit = self.permit_entity(caller, action, (named, found.as_ref()), keys).await?;
        let entity = found.ok_or_else(|| missing(named.noun()))?;
        if let Entity::User(Person { locked: true, name, .. }) = &entity
            && !reads(action)
        {
            let text = format!("The service ID {name} is locked: unlock it to change it.");
            return Err(AwsProblem::said(AwsCode::UnmodifiableEntity, text));
        }
        Ok((entity, permit))
    }

    /// As [`Desk::grasp`], by ARN.
    pub(super) async fn grasp_arn(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        arn: &str,
    ) -> Result<(Entity, Permit<AwsControl>), AwsProblem> {
        let named = Named::of(arn).ok_or_else(|| {
            let text = format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
            AwsProblem::said(AwsCode::InvalidInput, text)
        })?;
        let found = self.entity(&named).await?.filter(|entity| entity.arn(&self.account) == arn);
        let permit = self.permit_on(caller, action, arn.to_owned(), self.tags_as_keys(&found).await?).await?;
        let entity = found.ok_or_else(|| missing(named.noun()))?;
        Ok((entity, permit))
    }

    async fn tags_as_keys(&self, found: &Option<Entity>) -> Result<Keys, AwsProblem> {
        Ok(match found.as_ref().and_then(Entity::actor) {
            Some(actor) => resource_tags(&self.tags_of(&actor).await?),
            None => Keys::new(),
        })
    }

    /// Permits an action on what was found under a name, or on the name if nothing was.
    async fn permit_entity(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        (named, found): (&Named, Option<&Entity>),
        mut keys: Keys,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let arn = match found {
            Some(entity) => entity.arn(&self.account),
            None => {
                let kind = super::words::owner(named.kind);
                format!("arn:aws:iam::{}:{kind}/{}", self.account, named.name.as_str())
            }
        };
        if let Some(actor) = found.and_then(Entity::actor) {
            keys.extend(resource_tags(&self.tags_of(&actor).await?));
            if changes_policies(action)
                && let Some(boundary) = self.store.boundary(&actor).await?
            {
                let arn = self.arn_of(&boundary.policy, &boundary.path, &boundary.name);
                keys.push(("iam:PermissionsBoundary".to_owned(), vec![arn]));
            }
        }
        self.permit_on(caller, action, arn, keys).await
    }

    /// As [`Desk::grasp`], of a user or service ID.
    pub(super) async fn grasp_user(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        name: &Name,
        keys: Keys,
    ) -> Result<(Person, Permit<AwsControl>), AwsProblem> {
        let named = Named { kind: Owner::User, name: name.clone() };
        match self.grasp(caller, action, &named, keys).await? {
            (Entity::User(person), permit) => Ok((person, permit)),
            (Entity::Group(_) | Entity::Role(_), _) => Err(missing(named.noun())),
        }
    }

    /// As [`Desk::grasp`], of a group.
    pub(super) async fn grasp_aws_group(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        name: &Name,
    ) -> Result<(AwsGroup, Permit<AwsControl>), AwsProblem> {
        let named = Named { kind: Owner::Group, name: name.clone() };
        match self.grasp(caller, action, &named, Keys::new()).await? {
            (Entity::Group(row), permit) => Ok((row, permit)),
            (Entity::Role(_) | Entity::User(_), _) => Err(missing(named.noun())),
        }
    }

    /// As [`Desk::grasp`], of a role.
    pub(super) async fn grasp_role(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        name: &Name,
        keys: Keys,
    ) -> Result<(Role, Permit<AwsControl>), AwsProblem> {
        let named = Named { kind: Owner::Role, name: name.clone() };
        match self.grasp(caller, action, &named, keys).await? {
            (Entity::Role(row), permit) => Ok((*row, permit)),
            (Entity::Group(_) | Entity::User(_), _) => Err(missing(named.noun())),
        }
    }

    pub(super) async fn tags_of(&self, actor: &Actor) -> Result<Vec<Tag>, StoreError> {
        self.store.tags(&Tagged::Actor(actor.clone())).await
    }

    /// The ARN of a managed policy.
    pub(super) fn arn_of(&self, policy: &PolicyRef, path: &Path, name: &Name) -> String {
        match policy {
            PolicyRef::Aws(arn) => AwsPolicyArn::to_string(arn),
            PolicyRef::Customer(_) => policy_arn(&self.account, path, name),
        }
    }
}

/// Whether an action leaves everything as it is.
fn reads(action: IamAction) -> bool {
    let read = |name: &str| name.starts_with("Get") || name.starts_with("List");
    action.name().strip_prefix("iam:").is_some_and(read)
}

/// Whether `iam:PermissionsBoundary` is the boundary of what is acted on; for others it is the one that is asked for.
fn changes_policies(action: IamAction) -> bool {
    use IamAction as A;
    let all = [
        A::AttachRolePolicy,
        A::AttachUserPolicy,
        A::DeleteRolePermissionsBoundary,
        A::DeleteRolePolicy,
        A::DeleteUserPermissionsBoundary,
        A::DeleteUserPolicy,
        A::DetachRolePolicy,
        A::DetachUserPolicy,
        A::PutRolePolicy,
        A::PutUserPolicy,
    ];
    all.contains(&action)
}
