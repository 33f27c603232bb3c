//! Roles that the account makes for itself: which actions of one service go together under a name.
//!
//! A role grants nothing until a policy does, and who may write policies may grant any. But what is added to a role is
//! granted at once to all who have it, so it takes the right to change each of those policies.

use std::sync::Arc;

use super::list::{cut, every};
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Desk, Done, label, settle};
use crate::admit::caller::Caller;
use crate::ids::account::AccountId;
use crate::ids::tagged::CustomRoleId;
use crate::policy::ibm::role::{CustomRole, Role};
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::custom_role::CustomRoleRecord;
use crate::store::identity::{Stamp, Window};

/// The longest name in a CRN, in characters.
const NAME_MAX: usize = 30;
/// The longest display name, in characters.
const DISPLAY_NAME_MAX: usize = 50;
/// The longest description, in characters.
const DESCRIPTION_MAX: usize = 250;
/// How many roles one service can have.
const ROLES_MAX: u32 = 40;

/// What a caller says of a new role.
#[derive(Debug)]
pub struct NewCustomRole {
    /// The name in its CRN.
    pub name: String,
    /// The name that people use.
    pub display_name: String,
    /// Any text.
    pub description: String,
    /// The service that it is for.
    pub service_name: String,
    /// What it allows, by name.
    pub actions: Vec<String>,
}

/// What a caller changes.
#[derive(Debug)]
pub struct CustomRoleChange {
    /// The name that people use.
    pub display_name: String,
    /// Any text; what is `None` stays.
    pub description: Option<String>,
    /// What it allows, by name.
    pub actions: Vec<String>,
}

/// Whether a CRN is that of a role that some account has made.
#[must_use]
pub(super) fn is_custom(crn: &str) -> bool {
    crn.starts_with(CRN)
}

const CRN: &str = "crn:v1:ibmcloud:public:iam-access-management::a/";

impl Desk {
    /// The roles that the account has made, only those for `service` if given. Without the right to see roles, none.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn custom_roles(
        &self,
        caller: &Arc<Caller>,
        service: Option<&str>,
    ) -> Result<Done<Vec<CustomRoleRecord>>, Problem> {
        let mut rows = every(|window| self.store.custom_roles(service, window)).await?;
        rows.retain(|row| self.sees_role(caller, row));
        let permit = self.proven(caller, Action::RoleRead, Resource::platform(Service::IamIdentity));
        Ok(Done::new(cut(rows, Window { offset: 0, limit: u32::MAX }).rows, permit))
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`Problem`]; names are unique within a service.
    pub async fn create_custom_role(
        &self,
        caller: &Arc<Caller>,
        new: NewCustomRole,
    ) -> Result<Done<CustomRoleRecord>, Problem> {
        let service = Service::parse(&new.service_name)
            .ok_or_else(|| Problem::Invalid("`service_name` is no service that is here".to_owned()))?;
        let permit = self.authority.permit(caller, Action::RoleCreate, Resource::platform(service)).await?;
        let name = crn_name(&new.name)?;
        let role = CustomRole {
            crn: crn(&self.account, &name),
            display_name: display_name(&new.display_name)?,
            actions: actions(service, &new.actions)?,
        };
        let first = Window { offset: 0, limit: 1 };
        if self.store.custom_roles(Some(service.name()), first).await?.total >= ROLES_MAX {
            let text = format!("there are {ROLES_MAX} custom roles for this service already: delete some");
            return Err(Problem::Conflict(text));
        }
        let row = CustomRoleRecord {
            id: CustomRoleId::fresh(&*self.entropy),
            role,
            name,
            service_name: service.name().to_owned(),
            description: label::description(&new.description, DESCRIPTION_MAX)?,
            created_by: caller.principal().clone(),
            modified_by: caller.principal().clone(),
            stamp: Stamp::new(self.clock.now()),
        };
        self.store.insert_custom_role(&row).await.map_err(|error| taken(error, &row.id))?;
        Ok(Done::new(row, permit))
    }

    /// One role.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn custom_role(
        &self,
        caller: &Arc<Caller>,
        id: &CustomRoleId,
    ) -> Result<Done<CustomRoleRecord>, Problem> {
        let row = self.store.custom_role(id).await?;
        let attempt = self.authority.permit(caller, Action::RoleRead, about(row.as_ref())).await;
        let (row, permit) = settle(row, attempt, false, Noun::Role, id)?;
        Ok(Done::new(row, permit))
    }

    /// Changes a role, for everyone who has it.
    ///
    /// # Errors
    /// [`Problem`]; every policy that grants it must be the caller's to change.
    pub async fn replace_custom_role(
        &self,
        caller: &Arc<Caller>,
        id: &CustomRoleId,
        expected: &Expected,
        change: CustomRoleChange,
    ) -> Result<Done<CustomRoleRecord>, Problem> {
        let row = self.store.custom_role(id).await?;
        let attempt = self.authority.permit(caller, Action::RoleUpdate, about(row.as_ref())).await;
        let sees = row.as_ref().is_some_and(|row| self.sees_role(caller, row));
        let (mut row, permit) = settle(row, attempt, sees, Noun::Role, id)?;
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        let service = Service::parse(&row.service_name)
            .ok_or_else(|| Problem::Invalid("the role is for a service that is not here".to_owned()))?;
        row.role.display_name = display_name(&change.display_name)?;
        row.role.actions = actions(service, &change.actions)?;
        if let Some(text) = change.description {
            row.description = label::description(&text, DESCRIPTION_MAX)?;
        }
        row.modified_by = caller.principal().clone();
        for policy in every(|window| self.store.policies_with_role(id, window)).await? {
            self.permit_whole(caller, Action::PolicyUpdate, &self.read(&policy)?).await?;
            self.unlocked(&policy.subject).await?;
        }
        self.store.update_custom_role(&row).await.map_err(|error| taken(error, id))?;
        Ok(Done::new(row, permit))
    }

    /// Deletes a role that no policy grants.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_custom_role(
        &self,
        caller: &Arc<Caller>,
        id: &CustomRoleId,
    ) -> Result<Done<()>, Problem> {
        let row = self.store.custom_role(id).await?;
        let attempt = self.authority.permit(caller, Action::RoleDelete, about(row.as_ref())).await;
        let sees = row.as_ref().is_some_and(|row| self.sees_role(caller, row));
        let (_, permit) = settle(row, attempt, sees, Noun::Role, id)?;
        match self.store.delete_custom_role(id).await {
            Ok(()) => Ok(Done::new((), permit)),
            Err(StoreError::Conflict(_)) => {
                let text = "the role is in use: change or delete the policies that grant it first";
                Err(Problem::Conflict(text.to_owned()))
            }
            Err(error) => Err(Problem::of(error, Noun::Role, id)),
        }
    }

    fn sees_role(&self, caller: &Caller, row: &CustomRoleRecord) -> bool {
        self.authority.may(caller, Action::RoleRead, &about(Some(row)))
    }
}

/// What a role is judged on: all of its service.
fn about(row: Option<&CustomRoleRecord>) -> Resource {
    let service = row.and_then(|row| Service::parse(&row.service_name));
    Resource::platform(service.unwrap_or(Service::ContainerRegistry))
}

fn crn(account: &AccountId, name: &str) -> String {
    format!("{CRN}{account}::customRole:{name}")
}

fn crn_name(text: &str) -> Result<String, Problem> {
    let fits = (1..=NAME_MAX).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let wrong = || {
        let rule = format!("1 to {NAME_MAX} letters and digits, the first an upper-case letter");
        Problem::Invalid(format!("`name` is not usable: give {rule}"))
    };
    fits.then(|| text.to_owned()).ok_or_else(wrong)
}

/// A role that is called like one of IBM's would be taken for it.
fn display_name(text: &str) -> Result<String, Problem> {
    let name = label::name("display_name", text, DISPLAY_NAME_MAX)?;
    match Role::parse(&name) {
        Some(_) => Err(Problem::Conflict("a role is called so already: choose another name".to_owned())),
        None => Ok(name),
    }
}

fn actions(service: Service, names: &[String]) -> Result<Vec<Action>, Problem> {
    let belongs = |action: &Action| {
        let rest = action.name().strip_prefix(service.name());
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let known = |name: &String| {
        let wrong = || {
            let name = crate::ids::Malformed::new(name, "").text;
            Problem::Invalid(format!("`{name}` is no action of {}: see `iam roles`", service.name()))
        };
        Action::parse(name).filter(belongs).ok_or_else(wrong)
    };
    let mut found = names.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    found.dedup();
    match found.is_empty() {
        true => Err(Problem::Invalid("`actions` is empty: a role allows at least one".to_owned())),
        false => Ok(found),
    }
}

fn taken(error: StoreError, id: &CustomRoleId) -> Problem {
    match error {
        StoreError::Conflict(_) => {
            Problem::Conflict("a custom role has this name already: choose another".to_owned())
        }
        other @ (StoreError::Corrupt(_)
        | StoreError::NotFound
        | StoreError::Stale
        | StoreError::Unavailable(_)) => Problem::of(other, Noun::Role, id),
    }
}
