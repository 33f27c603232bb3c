//! Trust policies as they are kept and as they are shown: kept with the unique ids of the account's users and roles, shown with
//! their ARNs.
//!
//! So whoever is made later under the same name is somebody else, whom nobody trusts. Of who is gone, the id is shown.

use crate::control::Desk;
use crate::control::aws::problem::AwsProblem;
use crate::ids::aws::{RoleId, UserUniqueId};
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::Arn;
use crate::policy::aws::document::{Document, Principal};
use crate::policy::aws::kind::Kind;
use crate::store::aws::role::Role;
use crate::store::aws::text::DocumentText;

use super::entity::{Person, role_arn};

impl Desk {
    /// A trust policy as it is kept.
    pub(super) async fn trust_kept(
        &self,
        text: DocumentText,
        document: &Document,
    ) -> Result<DocumentText, AwsProblem> {
        let mut ids = Vec::new();
        for principal in principals(document) {
            if let Principal::Arn(arn) = principal
                && let Some(id) = self.unique_id(arn).await?
            {
                ids.push((arn.to_string(), id));
            }
        }
        Ok(text.with_principals(&ids))
    }

    /// A role with its trust policy as it is shown.
    pub(super) async fn trust_shown(&self, mut role: Role) -> Result<Role, AwsProblem> {
        // It was read when it was written.
        let Ok((text, document)) = DocumentText::read(role.trust.as_str(), Kind::Trust) else {
            return Ok(role);
        };
        let mut arns = Vec::new();
        for principal in principals(&document) {
            if let Principal::UniqueId(id) = principal
                && let Some(arn) = self.arn_of_id(id).await?
            {
                arns.push((id.to_string(), arn));
            }
        }
        role.trust = text.with_principals(&arns);
        Ok(role)
    }

    async fn unique_id(&self, arn: &Arn) -> Result<Option<String>, AwsProblem> {
        if arn.account() != Some(&self.account) {
            return Ok(None);
        }
        Ok(match arn {
            Arn::User { name, .. } => {
                let person = self.person(name.as_str()).await?;
                person.map(|person| person.unique_id().as_str().to_owned())
            }
            Arn::Role { name, .. } => self.role_called(name).await?.map(|row| row.id.as_str().to_owned()),
            Arn::AssumedRole { .. }
            | Arn::AwsPolicy { .. }
            | Arn::FederatedUser { .. }
            | Arn::Group { .. }
            | Arn::Policy { .. }
            | Arn::Repository { .. }
            | Arn::Root { .. } => None,
        })
    }

    async fn arn_of_id(&self, id: &str) -> Result<Option<String>, AwsProblem> {
        if let Ok(role) = RoleId::parse(id) {
            return Ok(self.store.role(&role).await?.map(|row| role_arn(&self.account, &row)));
        }
        let Ok(user) = UserUniqueId::parse(id) else { return Ok(None) };
        let person = match self.store.principal_of(&user).await? {
            Some(PrincipalId::ServiceId(id)) => {
                self.store.service_id(&id).await?.map(|row| Person::of_service_id(&row))
            }
            Some(PrincipalId::User(id)) => self.store.aws_user(&id).await?.map(Person::of_user),
            Some(PrincipalId::Profile(_) | PrincipalId::Role(_)) | None => None,
        };
        Ok(person.map(|person| person.arn(&self.account)))
    }
}

fn principals(document: &Document) -> impl Iterator<Item = &Principal> {
    let clauses = document.statements.iter().filter_map(|statement| statement.principal.as_ref());
    clauses.flat_map(|clause| &clause.principals)
}
