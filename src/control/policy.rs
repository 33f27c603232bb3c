//! Access policies: who may grant what to whom.
//!
//! A policy is judged on what it targets: only who administers the whole target may make, change or delete it.

use std::cmp::Ordering;
use std::sync::Arc;

use super::custom_role::is_custom;
use super::list::{Page, every, page, page_of};
use super::problem::{Noun, Problem};
use super::reach::parts;
use super::version::{Expected, entity_tag};
use super::{Control, Desk, Done, Permit, label};
use crate::admit::caller::Caller;
use crate::admit::refusal::Refusal;
use crate::ids::tagged::PolicyId;
use crate::policy::ibm::access::AccessPolicy;
use crate::policy::ibm::check::check;
use crate::policy::ibm::document::{PolicyDocument, RoleReference};
use crate::policy::ibm::role::Role;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::policy::{PolicyRecord, Subject};

/// What a caller says of a policy.
#[derive(Debug)]
pub struct PolicyDraft {
    /// Whom it is for.
    pub subject: Subject,
    /// What it grants.
    pub document: PolicyDocument,
    /// Any text.
    pub description: String,
}

/// By what a list of policies is ordered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PolicyOrder {
    /// The field.
    pub by: PolicyKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A field that policies differ by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PolicyKey {
    /// When it was made.
    CreatedAt,
    /// Who made it.
    CreatedBy,
    /// Its id, and with that where it is found.
    Id,
    /// When it was last changed.
    ModifiedAt,
    /// Who changed it last.
    ModifiedBy,
    /// What all of one list have in common: its type, its state.
    Same,
}

impl PolicyOrder {
    /// Rows that are equal stay oldest first.
    fn put(self, rows: &mut [PolicyRecord]) {
        rows.sort_by(|left, right| {
            let found = match self.by {
                PolicyKey::CreatedAt => left.stamp.created_at.cmp(&right.stamp.created_at),
                PolicyKey::CreatedBy => left.created_by.to_string().cmp(&right.created_by.to_string()),
                PolicyKey::Id => left.id.as_str().cmp(right.id.as_str()),
                PolicyKey::ModifiedAt => left.stamp.modified_at.cmp(&right.stamp.modified_at),
                PolicyKey::ModifiedBy => left.modified_by.to_string().cmp(&right.modified_by.to_string()),
                PolicyKey::Same => Ordering::Equal,
            };
            if self.descending { found.reverse() } else { found }
        });
    }
}

/// The version of the API that a policy is written by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// The one without rules.
    V1,
    /// The one with.
    V2,
}

impl Desk {
    /// The policies that the caller may see: those for itself and its groups, and those on what it may read policies of.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn policies(
        &self,
        caller: &Arc<Caller>,
        subject: Option<&Subject>,
        wanted: impl Fn(&PolicyRecord) -> bool + Send,
        (sorted, window): (Option<PolicyOrder>, Window),
    ) -> Result<Done<Page<PolicyRecord>>, Problem> {
        let fetch = |window| self.store.policies(subject, window);
        self.policies_shown(caller, fetch, wanted, (sorted, window)).await
    }

    async fn policies_shown<'s, F>(
        &'s self,
        caller: &Arc<Caller>,
        fetch: impl Fn(Window) -> F + Send,
        wanted: impl Fn(&PolicyRecord) -> bool + Send,
        (sorted, window): (Option<PolicyOrder>, Window),
    ) -> Result<Done<Page<PolicyRecord>>, Problem>
    where
        F: Future<Output = Result<Listed<PolicyRecord>, StoreError>> + Send + 's,
    {
        let keep = |row: &PolicyRecord| wanted(row) && self.sees_policy(caller, row);
        let may = |part: &Resource| self.authority.may(caller, Action::PolicyRead, part);
        let found = match sorted {
            // Where the next page begins would tell how many are in between.
            None if parts(&nothing()).iter().all(may) => page(fetch, keep, window).await?,
            sorted => {
                let mut rows = every(fetch).await?;
                rows.retain(keep);
                if let Some(sorted) = sorted {
                    sorted.put(&mut rows);
                }
                page_of(rows, window)
            }
        };
        Ok(Done::new(found, self.proven(caller, Action::PolicyRead, nothing())))
    }

    /// Makes a policy.
    ///
    /// # Errors
    /// [`Problem`]; its subject must exist and be unlocked.
    pub async fn create_policy(
        &self,
        caller: &Arc<Caller>,
        draft: PolicyDraft,
    ) -> Result<Done<PolicyRecord>, Problem> {
        let id = self.fresh_policy_id();
        let (document, permit) = self.permit_draft(caller, Action::PolicyCreate, draft.document).await?;
        self.unlocked(&draft.subject).await?;
        let row = PolicyRecord {
            id,
            document,
            description: label::description(&draft.description, label::DESCRIPTION_MAX)?,
            created_by: caller.principal().clone(),
            modified_by: caller.principal().clone(),
            stamp: Stamp::new(self.clock.now()),
            subject: draft.subject,
        };
        self.only_one_such(caller, &row).await?;
        self.store.insert_policy(&row).await.map_err(|error| no_subject(error, &row.subject))?;
        Ok(Done::new(row, permit))
    }

    /// One policy.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn policy(&self, caller: &Arc<Caller>, id: &PolicyId) -> Result<Done<PolicyRecord>, Problem> {
        let row = self.visible_policy(caller, id).await?;
        let resource = super::reach::whole(&self.read(&row)?).into_iter().next();
        // One whose target covers nothing is about nothing in particular.
        let resource = resource.unwrap_or_else(nothing);
        Ok(Done::new(row, self.proven(caller, Action::PolicyRead, resource)))
    }

    /// Replaces a policy; both what it granted and what it will grant must be the caller's to administer.
    ///
    /// # Errors
    /// [`Problem`]; those of a locked service ID refuse.
    pub async fn replace_policy(
        &self,
        caller: &Arc<Caller>,
        id: &PolicyId,
        expected: &Expected,
        version: Version,
        draft: PolicyDraft,
    ) -> Result<Done<PolicyRecord>, Problem> {
        let stored = self.visible_policy(caller, id).await?;
        self.permit_whole(caller, Action::PolicyUpdate, &self.read(&stored)?).await?;
        if version == Version::V1 && !stored.document.is_v1() {
            // It would lose its conditions, and then grant more.
            let text = "the policy has conditions that only v2 has words for: replace it by /v2/policies";
            return Err(Problem::Conflict(text.to_owned()));
        }
        let (document, permit) = self.permit_draft(caller, Action::PolicyUpdate, draft.document).await?;
        self.unlocked(&stored.subject).await?;
        self.unlocked(&draft.subject).await?;
        let row = PolicyRecord {
            stamp: expected.next(id, &stored.stamp, self.clock.now())?,
            subject: draft.subject,
            document,
            description: label::description(&draft.description, label::DESCRIPTION_MAX)?,
            modified_by: caller.principal().clone(),
            ..stored
        };
        self.only_one_such(caller, &row).await?;
        self.store.update_policy(&row).await.map_err(|error| Problem::of(error, Noun::Policy, id))?;
        Ok(Done::new(row, permit))
    }

    /// Deletes a policy.
    ///
    /// # Errors
    /// [`Problem`]; those of a locked service ID refuse.
    pub async fn delete_policy(&self, caller: &Arc<Caller>, id: &PolicyId) -> Result<Done<()>, Problem> {
        let row = self.visible_policy(caller, id).await?;
        let permit: Permit<Control> =
            self.permit_whole(caller, Action::PolicyDelete, &self.read(&row)?).await?;
        self.unlocked(&row.subject).await?;
        self.store.delete_policy(id).await.map_err(|error| Problem::of(error, Noun::Policy, id))?;
        Ok(Done::new((), permit))
    }

    /// The policies that have been deleted and can be restored, of those that the caller could see.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn deleted_policies(
        &self,
        caller: &Arc<Caller>,
        subject: Option<&Subject>,
        wanted: impl Fn(&PolicyRecord) -> bool + Send,
        (sorted, window): (Option<PolicyOrder>, Window),
    ) -> Result<Done<Page<PolicyRecord>>, Problem> {
        let fetch = |window| self.store.deleted_policies(subject, window);
        self.policies_shown(caller, fetch, wanted, (sorted, window)).await
    }

    /// Restores a policy that was deleted; the caller must be one who could make it now.
    ///
    /// # Errors
    /// [`Problem`]; those of a locked service ID refuse.
    pub async fn restore_policy(
        &self,
        caller: &Arc<Caller>,
        id: &PolicyId,
        expected: &Expected,
    ) -> Result<Done<PolicyRecord>, Problem> {
        let missing = || Problem::NotFound(Noun::Policy, id.to_string());
        let stored = self.store.deleted_policy(id).await?.ok_or_else(missing)?;
        let (document, policy) = match self.read_draft(stored.document.clone()).await {
            Ok(read) => read,
            // Nobody could be asked for a permit on it, so it is nobody's to see either.
            Err(Problem::Invalid(_)) => return Err(missing()),
            Err(other) => return Err(other),
        };
        if !self.may_whole(caller, Action::PolicyRead, &policy) {
            let refusal = Refusal::unallowed(Action::PolicyRead, nothing());
            return Err(Problem::Hidden { noun: Noun::Policy, name: id.to_string(), refusal });
        }
        let permit = self.permit_whole(caller, Action::PolicyCreate, &policy).await?;
        self.unlocked(&stored.subject).await?;
        let row = PolicyRecord {
            stamp: expected.next(id, &stored.stamp, self.clock.now())?,
            document,
            modified_by: caller.principal().clone(),
            ..stored
        };
        self.only_one_such(caller, &row).await?;
        self.store.restore_policy(&row).await.map_err(|error| Problem::of(error, Noun::Policy, id))?;
        Ok(Done::new(row, permit))
    }

    pub(super) fn sees_policy(&self, caller: &Caller, row: &PolicyRecord) -> bool {
        let own = match &row.subject {
            Subject::Group(id) => caller.bundle.groups.contains(id),
            Subject::Principal(id) => id == caller.principal(),
        };
        own || self.read(row).is_ok_and(|policy| self.may_whole(caller, Action::PolicyRead, &policy))
    }

    async fn visible_policy(&self, caller: &Arc<Caller>, id: &PolicyId) -> Result<PolicyRecord, Problem> {
        let missing = || Problem::NotFound(Noun::Policy, id.to_string());
        let row = self.store.policy(id).await?.ok_or_else(missing)?;
        if self.sees_policy(caller, &row) {
            return Ok(row);
        }
        let refusal = Refusal::unallowed(Action::PolicyRead, nothing());
        Err(Problem::Hidden { noun: Noun::Policy, name: id.to_string(), refusal })
    }

    /// Refuses a policy that says what another one of the same subject says already. Which one that is, is told to whoever
    /// may see it.
    async fn only_one_such(&self, caller: &Caller, row: &PolicyRecord) -> Result<(), Problem> {
        let theirs = every(|window| self.store.policies(Some(&row.subject), window)).await?;
        let such = |other: &&PolicyRecord| other.id != row.id && other.document.says_the_same(&row.document);
        match theirs.iter().find(such) {
            None => Ok(()),
            Some(other) => {
                let seen = self.sees_policy(caller, other);
                let tag = || (other.id.clone(), entity_tag(&other.id, &other.stamp));
                Err(Problem::Duplicate(seen.then(tag)))
            }
        }
    }

    /// Checks that the caller could grant this, without granting it.
    pub(super) async fn may_grant(
        &self,
        caller: &Arc<Caller>,
        document: PolicyDocument,
    ) -> Result<(), Problem> {
        self.permit_draft(caller, Action::PolicyCreate, document).await?;
        Ok(())
    }

    /// Reads a draft, and a permit for all of what it targets. Whoever may not write policies there is not told whether
    /// the account has made a role.
    async fn permit_draft(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        document: PolicyDocument,
    ) -> Result<(PolicyDocument, Permit<Control>), Problem> {
        if document.roles.iter().any(|reference| is_custom(&reference.role_id)) {
            let roles = vec![RoleReference::named(Role::Viewer.crn())];
            let (_, target) = self.read_draft(PolicyDocument { roles, ..document.clone() }).await?;
            self.permit_whole(caller, action, &target).await?;
        }
        let (document, policy) = self.read_draft(document).await?;
        let permit = self.permit_whole(caller, action, &policy).await?;
        Ok((document, permit))
    }

    /// Reads a draft, spells its roles in the one way that is stored, and finds those that the account has made.
    async fn read_draft(
        &self,
        mut document: PolicyDocument,
    ) -> Result<(PolicyDocument, AccessPolicy), Problem> {
        for reference in document.roles.iter_mut().filter(|reference| is_custom(&reference.role_id)) {
            let found = self.store.custom_role_by_crn(&reference.role_id).await?;
            reference.custom = found.map(|row| row.role);
        }
        let policy =
            check(&document, &self.account).map_err(|invalid| Problem::Invalid(invalid.to_string()))?;
        for (reference, crn) in document.roles.iter_mut().zip(&policy.roles) {
            reference.role_id.clone_from(crn);
        }
        Ok((document, policy))
    }
}

/// What policies are about that are about nothing in particular.
const fn nothing() -> Resource {
    Resource { service: None, region: None, namespace: None, repository: None, group: None }
}

fn no_subject(error: StoreError, subject: &Subject) -> Problem {
    match subject {
        Subject::Group(id) => Problem::of(error, Noun::Group, id),
        Subject::Principal(id) => Problem::of(error, Noun::Principal, id),
    }
}
