//! Roles and their trust policies.

use std::sync::Arc;

use super::entity::Named;
use super::page::{Page, Paged};
use super::user::Portrait;
use super::words::{Noun, failed, invalid};
use super::{Keys, request_tags};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::list::rows;
use crate::ids::aws::{RoleId, UserUniqueId};
use crate::policy::aws::arn::{Arn, Name, Path};
use crate::policy::aws::document::{Document, Principal};
use crate::policy::aws::kind::{Kind, Owner};
use crate::policy::table::IamAction;
use crate::store::aws::holder::Actor;
use crate::store::aws::role::Role;
use crate::store::aws::tag::Tag;
use crate::store::aws::text::DocumentText;
use crate::store::identity::Stamp;

/// What a caller says of a new role.
#[derive(Debug)]
pub struct NewRole {
    /// The name.
    pub name: Name,
    /// Where it is filed.
    pub path: Path,
    /// Who may assume it.
    pub trust: String,
    /// Any text.
    pub description: String,
    /// How long a session may last, in seconds.
    pub max_session: u32,
    /// The ARN of its boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What users and roles never have here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Absent {
    /// Of roles: there are no instances.
    InstanceProfiles,
    /// Of users.
    MfaDevices,
    /// Of users.
    ServiceSpecificCredentials,
    /// Of users.
    SigningCertificates,
    /// Of users.
    SshPublicKeys,
}

impl Absent {
    const fn action(self) -> IamAction {
        match self {
            Self::InstanceProfiles => IamAction::ListInstanceProfilesForRole,
            Self::MfaDevices => IamAction::ListMfaDevices,
            Self::ServiceSpecificCredentials => IamAction::ListServiceSpecificCredentials,
            Self::SigningCertificates => IamAction::ListSigningCertificates,
            Self::SshPublicKeys => IamAction::ListSshPublicKeys,
        }
    }
}

impl Desk {
    /// Permits to list what a user or role never has.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn none_of_entity(
        &self,
        caller: &Arc<Caller>,
        absent: Absent,
        named: &Named,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (_, permit) = self.grasp(caller, absent.action(), named, Keys::new()).await?;
        Ok(AwsDone::new((), permit))
    }

    /// The same of a user; of the caller if none is named.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn none_of_user(
        &self,
        caller: &Arc<Caller>,
        absent: Absent,
        name: Option<&Name>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let named = Named { kind: Owner::User, name: self.named_or_self(caller, name)? };
        self.none_of_entity(caller, absent, &named).await
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_role(
        &self,
        caller: &Arc<Caller>,
        new: NewRole,
    ) -> Result<AwsDone<Portrait<Role>>, AwsProblem> {
        let arn = format!("arn:aws:iam::{}:role{}{}", self.account, new.path.as_str(), new.name.as_str());
        let mut keys = request_tags(&new.tags);
        keys.extend(new.boundary.iter().map(|arn| ("iam:PermissionsBoundary".to_owned(), vec![arn.clone()])));
        let permit = self.permit_on(caller, IamAction::CreateRole, arn.clone(), keys).await?;
        if !new.tags.is_empty() {
            self.permit_on(caller, IamAction::TagRole, arn, request_tags(&new.tags)).await?;
        }
        let trust = self.trust(&new.trust).await?;
        let boundary = self.boundary_of(new.boundary.as_deref()).await?;
        let row = Role {
            id: RoleId::fresh(&self.account, &*self.entropy),
            name: new.name,
            path: new.path,
            trust,
            description: new.description,
            max_session: new.max_session,
            last_used: None,
            stamp: Stamp::new(self.clock.now()),
        };
        let policy = boundary.as_ref().map(|boundary| &boundary.policy);
        let inserted = self.store.insert_role(&row, policy, &new.tags).await;
        inserted.map_err(|error| failed(error, Noun::Role(row.name.as_str()), ""))?;
        let of = self.trust_shown(row).await?;
        Ok(AwsDone::new(Portrait { of, boundary, tags: new.tags }, permit))
    }

    /// Reads a trust policy. Whoever of this account it names must exist.
    async fn trust(&self, text: &str) -> Result<DocumentText, AwsProblem> {
        let (text, document) = DocumentText::read(text, Kind::Trust).map_err(invalid)?;
        match self.unknown_principal(&document).await? {
            None => self.trust_kept(text, &document).await,
            Some(unknown) => {
                let text = format!("Invalid principal in policy: {unknown}");
                Err(AwsProblem::said(AwsCode::MalformedPolicyDocument, text))
            }
        }
    }

    /// The first principal of this account that does not exist, as AWS's message writes it.
    async fn unknown_principal(&self, document: &Document) -> Result<Option<String>, AwsProblem> {
        let clauses = document.statements.iter().filter_map(|statement| statement.principal.as_ref());
        for principal in clauses.flat_map(|clause| &clause.principals) {
            let unknown = match principal {
                Principal::Arn(arn) => (!self.is_known(arn).await?).then(|| format!("\"AWS\":\"{arn}\"")),
                Principal::UniqueId(id) => (!self.is_id(id).await?).then(|| format!("\"AWS\":\"{id}\"")),
                Principal::Account(_)
                | Principal::Any
                | Principal::CanonicalUser(_)
                | Principal::Federated(_)
                | Principal::Service(_) => None,
            };
            if unknown.is_some() {
                return Ok(unknown);
            }
        }
        Ok(None)
    }

    /// Whether somebody of that ARN exists; of other accounts nothing is known.
    async fn is_known(&self, arn: &Arn) -> Result<bool, AwsProblem> {
        if arn.account() != Some(&self.account) {
            return Ok(true);
        }
        Ok(match arn {
            Arn::User { name, .. } => {
                let person = self.person(name.as_str()).await?;
                person.is_some_and(|person| person.arn(&self.account) == arn.to_string())
            }
            Arn::Role { path, name, .. } => {
                self.role_called(name).await?.is_some_and(|row| row.path == *path)
            }
            Arn::AssumedRole { role, .. } => self.role_called(role).await?.is_some(),
            Arn::FederatedUser { .. } | Arn::Root { .. } => true,
            Arn::AwsPolicy { .. } | Arn::Group { .. } | Arn::Policy { .. } | Arn::Repository { .. } => false,
        })
    }

    async fn is_id(&self, id: &str) -> Result<bool, AwsProblem> {
        if let Ok(role) = RoleId::parse(id) {
            return Ok(self.store.role(&role).await?.is_some());
        }
        match UserUniqueId::parse(id) {
            Ok(user) => Ok(self.store.principal_of(&user).await?.is_some()),
            Err(_) => Ok(true),
        }
    }

    /// One role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn role(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
    ) -> Result<AwsDone<Portrait<Role>>, AwsProblem> {
        let (row, permit) = self.grasp_role(caller, IamAction::GetRole, name, Keys::new()).await?;
        Ok(AwsDone::new(self.portrait(row).await?, permit))
    }

    async fn portrait(&self, row: Role) -> Result<Portrait<Role>, AwsProblem> {
        let actor = Actor::Role(row.id.clone());
        let (boundary, tags) = (self.store.boundary(&actor).await?, self.tags_of(&actor).await?);
        Ok(Portrait { of: self.trust_shown(row).await?, boundary, tags })
    }

    /// The roles under a path.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn roles(
        &self,
        caller: &Arc<Caller>,
        prefix: &str,
        page: &Page,
    ) -> Result<AwsDone<Paged<Role>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::ListRoles).await?;
        let all = rows(|window| self.store.roles(prefix, window)).await?;
        let Paged { items, next } = page.cut(all, |row| row.name.as_str().to_owned());
        let mut shown = Vec::with_capacity(items.len());
        for row in items {
            shown.push(self.trust_shown(row).await?);
        }
        Ok(AwsDone::new(Paged { items: shown, next }, permit))
    }

    /// Changes the description or the longest session of a role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn update_role(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        description: Option<String>,
        max_session: Option<u32>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let (mut row, permit) = self.grasp_role(caller, IamAction::UpdateRole, name, Keys::new()).await?;
        row.description = description.unwrap_or(row.description);
        row.max_session = max_session.unwrap_or(row.max_session);
        self.replace_role(row).await?;
        Ok(AwsDone::new((), permit))
    }

    /// Changes the description of a role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn describe_role(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        description: String,
    ) -> Result<AwsDone<Portrait<Role>>, AwsProblem> {
        let action = IamAction::UpdateRoleDescription;
        let (row, permit) = self.grasp_role(caller, action, name, Keys::new()).await?;
        let row = self.replace_role(Role { description, ..row }).await?;
        Ok(AwsDone::new(self.portrait(row).await?, permit))
    }

    /// Changes who may assume a role.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn update_trust(
        &self,
        caller: &Arc<Caller>,
        name: &Name,
        trust: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = IamAction::UpdateAssumeRolePolicy;
        let (row, permit) = self.grasp_role(caller, action, name, Keys::new()).await?;
        let trust = self.trust(trust).await?;
        self.replace_role(Role { trust, ..row }).await?;
        Ok(AwsDone::new((), permit))
    }

    async fn replace_role(&self, mut row: Role) -> Result<Role, AwsProblem> {
        row.stamp.version += 1;
        row.stamp.modified_at = self.clock.now();
        let updated = self.store.update_role(&row).await;
        updated.map_err(|error| failed(error, Noun::Role(row.name.as_str()), ""))?;
        Ok(row)
    }

    /// Deletes a role that has no policies left; its sessions end with it.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_role(&self, caller: &Arc<Caller>, name: &Name) -> Result<AwsDone<()>, AwsProblem> {
        let (row, permit) = self.grasp_role(caller, IamAction::DeleteRole, name, Keys::new()).await?;
        let deleted = self.store.delete_role(&row.id).await;
        deleted.map_err(|error| failed(error, Noun::Role(name.as_str()), ""))?;
        Ok(AwsDone::new((), permit))
    }
}
