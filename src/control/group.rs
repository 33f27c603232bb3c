//! Access groups and their members. Who adds a member hands on what the group may do, so it must be in the caller's
//! reach ([`super::reach`]).

use std::collections::HashSet;
use std::sync::Arc;

use super::list::{Search, Sortable, cut, every, order};
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Control, Desk, Done, Permit, label, settle};
use crate::admit::caller::Caller;
use crate::clock::UnixTime;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::AccessGroupId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::StoreError;
use crate::store::aws::holder::Holder;
use crate::store::group::{AccessGroup, Membership};
use crate::store::group_rule::Claimed;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::policy::Subject;

/// The longest name of a group, in characters.
pub const NAME_MAX: usize = 100;
/// The longest description of a group, in characters.
pub const DESCRIPTION_MAX: usize = 250;

/// One hour.
const HOUR_MILLIS: i64 = 60 * 60 * 1000;

/// What a caller changes; what is `None` stays.
#[derive(Debug, Default)]
pub struct GroupChange {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
}

/// How somebody is in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// Either way.
    Any,
    /// By name.
    Name,
    /// By a rule, for as long as the last login counts.
    Rule,
}

/// Somebody who is in a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who, since when, and who has put them there or made the rule.
    pub membership: Membership,
    /// How.
    pub by: By,
}

impl Sortable for AccessGroup {
    fn facets(&self) -> (&str, &str, Stamp) {
        (&self.name, &self.description, self.stamp)
    }
}

fn groups() -> Resource {
    Resource::platform(Service::IamGroups)
}

impl Desk {
    /// The groups that the caller may see: all, or else those that it is in. Only those of `member`, if given.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn groups(
        &self,
        caller: &Arc<Caller>,
        (member, by): (Option<&PrincipalId>, By),
        search: &Search,
        window: Window,
    ) -> Result<Done<Listed<AccessGroup>>, Problem> {
        let permit = self.proven(caller, Action::GroupList, groups());
        let all = self.authority.may(caller, Action::GroupList, &groups());
        let member = match member {
            Some(member) if !all && member != caller.principal() => {
                return Ok(Done::new(Listed { rows: Vec::new(), total: 0 }, permit));
            }
            None if !all => Some(caller.principal()),
            member => member,
        };
        let by_rule = match member.filter(|_| by != By::Name) {
            Some(member) => self.store.claimed_groups(member, self.clock.now()).await?,
            None => Vec::new(),
        };
        if by_rule.is_empty() && by != By::Rule && search.text.is_none() && search.order.is_none() {
            return Ok(Done::new(self.store.groups(member, window).await?, permit));
        }
        let mut rows = match by {
            By::Any | By::Name => every(|window| self.store.groups(member, window)).await?,
            By::Rule => Vec::new(),
        };
        let known: HashSet<AccessGroupId> = rows.iter().map(|row| row.id.clone()).collect();
        rows.extend(by_rule.into_iter().filter(|row| !known.contains(&row.id)));
        rows.retain(|row| search.finds(&[&row.name, &row.description]));
        if let Some(sorted) = search.order {
            order(&mut rows, sorted);
        }
        Ok(Done::new(cut(rows, window), permit))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Problem`]; names are unique.
    pub async fn create_group(
        &self,
        caller: &Arc<Caller>,
        name: &str,
        description: &str,
    ) -> Result<Done<AccessGroup>, Problem> {
        let permit = self.authority.permit(caller, Action::GroupCreate, groups()).await?;
        let row = AccessGroup {
            id: AccessGroupId::fresh(&*self.entropy),
            name: label::name("name", name, NAME_MAX)?,
            description: label::description(description, DESCRIPTION_MAX)?,
            stamp: Stamp::new(self.clock.now()),
        };
        self.store.insert_group(&row).await.map_err(|error| taken(error, &row))?;
        Ok(Done::new(row, permit))
    }

    /// One group; its members see it.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn group(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
    ) -> Result<Done<AccessGroup>, Problem> {
        let of = Control { action: Action::GroupRead, resource: groups() };
        let attempt = match caller.bundle.groups.contains(id) {
            true => Ok(self.authority.permit_proven(caller, of)),
            false => self.authority.permit(caller, of.action, of.resource).await,
        };
        let (row, permit) = settle(self.store.group(id).await?, attempt, false, Noun::Group, id)?;
        Ok(Done::new(row, permit))
    }

    /// Changes a group.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn update_group(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        expected: &Expected,
        change: GroupChange,
    ) -> Result<Done<AccessGroup>, Problem> {
        let (mut row, permit) = self.grasp_group(caller, id, Action::GroupUpdate).await?;
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        if let Some(name) = change.name {
            row.name = label::name("name", &name, NAME_MAX)?;
        }
        if let Some(text) = change.description {
            row.description = label::description(&text, DESCRIPTION_MAX)?;
        }
        self.store.update_group(&row).await.map_err(|error| taken(error, &row))?;
        Ok(Done::new(row, permit))
    }

    /// Deletes a group and its policies; with its memberships only if `force`d.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_group(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        force: bool,
    ) -> Result<Done<()>, Problem> {
        let (_, permit) = self.grasp_group(caller, id, Action::GroupDelete).await?;
        let first = Window { offset: 0, limit: 1 };
        let has_members = self.store.members(id, first).await?.total > 0;
        if !force && (has_members || !self.store.claim_rules(id).await?.is_empty()) {
            let text = "the access group has members or rules: remove them, or delete it with `force=true`";
            return Err(Problem::Conflict(text.to_owned()));
        }
        self.store.delete_group(id).await.map_err(|error| Problem::of(error, Noun::Group, id))?;
        Ok(Done::new((), permit))
    }

    /// The members of a group.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn members(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        (wanted, by): (impl Fn(&PrincipalId) -> bool, By),
        window: Window,
    ) -> Result<Done<Listed<Member>>, Problem> {
        let (_, permit) = self.grasp_group(caller, id, Action::GroupMemberList).await?;
        let mut rows = Vec::new();
        if by != By::Rule {
            let named = every(|window| self.store.members(id, window)).await?;
            rows.extend(named.into_iter().map(|membership| Member { membership, by: By::Name }));
        }
        if by != By::Name {
            rows.extend(self.members_by_rule(id).await?);
        }
        rows.retain(|row| wanted(&row.membership.member));
        Ok(Done::new(cut(rows, window), permit))
    }

    /// Who is in a group by its rules now, since the login that put them there.
    async fn members_by_rule(&self, id: &AccessGroupId) -> Result<Vec<Member>, Problem> {
        let rules = self.store.claim_rules(id).await?;
        let claimed = self.store.claimed_members(id, self.clock.now()).await?;
        let one = |(member, claimed): (PrincipalId, Claimed)| {
            let rule = rules.iter().find(|rule| rule.id == claimed.rule)?;
            let lasts = i64::from(rule.expiration) * HOUR_MILLIS;
            let added_at = UnixTime::from_millis(claimed.ends_at.millis().saturating_sub(lasts));
            let membership = Membership { member, added_at, added_by: rule.created_by.clone() };
            Some(Member { membership, by: By::Rule })
        };
        Ok(claimed.into_iter().filter_map(one).collect())
    }

    /// Whether `member` is in a group; everyone may ask about themselves.
    ///
    /// # Errors
    /// [`Problem::NotFound`] if not.
    pub async fn is_member(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        member: &PrincipalId,
    ) -> Result<Done<()>, Problem> {
        let of = Control { action: Action::GroupMemberList, resource: groups() };
        let attempt = self.permit_own_or(caller, member, of).await;
        let facts = self.store.principal(member).await?;
        let found = facts.filter(|facts| facts.groups.contains(id)).map(|_| ());
        let (found, permit) = settle(found, attempt, false, Noun::Member, member)?;
        Ok(Done::new(found, permit))
    }

    /// Adds members, each on its own; what came of each stands beside it.
    ///
    /// # Errors
    /// [`Problem`] when none can be added.
    pub async fn add_members(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        members: Vec<PrincipalId>,
    ) -> Result<Done<Vec<(Membership, Result<(), Problem>)>>, Problem> {
        let (_, permit) = self.grasp_group(caller, id, Action::GroupMemberAdd).await?;
        self.group_within_reach(caller, id).await?;
        let (added_at, added_by) = (self.clock.now(), caller.principal());
        let mut outcomes = Vec::with_capacity(members.len());
        for member in members {
            let membership = Membership { member, added_at, added_by: added_by.clone() };
            let outcome = self.store.insert_member(id, &membership).await;
            let outcome = outcome.map_err(|error| Problem::of(error, Noun::Principal, &membership.member));
            outcomes.push((membership, outcome));
        }
        Ok(Done::new(outcomes, permit))
    }

    /// Removes a member.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn remove_member(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        member: &PrincipalId,
    ) -> Result<Done<()>, Problem> {
        let (_, permit) = self.grasp_group(caller, id, Action::GroupMemberDelete).await?;
        let failed = |error| Problem::of(error, Noun::Member, member);
        self.store.delete_member(id, member).await.map_err(failed)?;
        Ok(Done::new((), permit))
    }

    /// Removes members, each on its own; what came of each stands beside it.
    ///
    /// # Errors
    /// [`Problem`] when none can be removed.
    pub async fn remove_members(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        members: Vec<PrincipalId>,
    ) -> Result<Done<Vec<(PrincipalId, Result<(), Problem>)>>, Problem> {
        let (_, permit) = self.grasp_group(caller, id, Action::GroupMemberDelete).await?;
        let mut outcomes = Vec::with_capacity(members.len());
        for member in members {
            let outcome = self.store.delete_member(id, &member).await;
            let outcome = outcome.map_err(|error| Problem::of(error, Noun::Member, &member));
            outcomes.push((member, outcome));
        }
        Ok(Done::new(outcomes, permit))
    }

    /// Adds one member to several groups; what came of each stands beside it.
    ///
    /// # Errors
    /// [`Problem`] when it can be added to none.
    pub async fn join_groups(
        &self,
        caller: &Arc<Caller>,
        member: &PrincipalId,
        ids: Vec<AccessGroupId>,
    ) -> Result<Done<Vec<(AccessGroupId, Result<(), Problem>)>>, Problem> {
        let permit = self.authority.permit(caller, Action::GroupMemberAdd, groups()).await?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let added = self.add_members(caller, &id, vec![member.clone()]).await;
            let outcome = added.and_then(|done| done.value.into_iter().try_for_each(|(_, outcome)| outcome));
            outcomes.push((id, outcome));
        }
        Ok(Done::new(outcomes, permit))
    }

    /// Removes a member from every group that it is in.
    ///
    /// # Errors
    /// [`Problem`]; [`Problem::NotFound`] if it is in none.
    pub async fn leave_groups(
        &self,
        caller: &Arc<Caller>,
        member: &PrincipalId,
    ) -> Result<Done<Vec<(AccessGroupId, Result<(), Problem>)>>, Problem> {
        let permit = self.authority.permit(caller, Action::GroupMemberDelete, groups()).await?;
        let joined = every(|window| self.store.groups(Some(member), window)).await?;
        if joined.is_empty() {
            return Err(Problem::NotFound(Noun::Member, member.to_string()));
        }
        let mut outcomes = Vec::with_capacity(joined.len());
        for group in joined {
            let outcome = self.store.delete_member(&group.id, member).await;
            outcomes.push((group.id, outcome.map_err(|error| Problem::of(error, Noun::Member, member))));
        }
        Ok(Done::new(outcomes, permit))
    }

    /// Whether a group has rules. Who sees the group may know.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn is_federated(&self, id: &AccessGroupId) -> Result<bool, Problem> {
        Ok(!self.store.claim_rules(id).await?.is_empty())
    }

    /// The name that people know a member by, for those who may see members.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn name_of(&self, member: &PrincipalId) -> Result<String, Problem> {
        let name = match member {
            PrincipalId::Profile(id) => self.store.trusted_profile(id).await?.map(|row| row.name),
            PrincipalId::Role(id) => self.store.role(id).await?.map(|row| row.name.as_str().to_owned()),
            PrincipalId::ServiceId(id) => self.store.service_id(id).await?.map(|row| row.name),
            PrincipalId::User(id) => self.store.user(id).await?.map(|row| row.name),
        };
        Ok(name.unwrap_or_default())
    }

    /// Checks that whoever gets into a group gets nothing that the caller could neither do nor grant.
    pub(super) async fn group_within_reach(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
    ) -> Result<(), Problem> {
        let subject = Subject::Group(id.clone());
        self.within_reach(caller, &every(|window| self.store.policies(Some(&subject), window)).await?)?;
        self.documents_within_reach(caller, &Holder::Group(id.clone())).await
    }

    pub(super) async fn grasp_group(
        &self,
        caller: &Arc<Caller>,
        id: &AccessGroupId,
        action: Action,
    ) -> Result<(AccessGroup, Permit<Control>), Problem> {
        let attempt = self.authority.permit(caller, action, groups()).await;
        let may_read = self.authority.may(caller, Action::GroupRead, &groups());
        let sees = may_read || caller.bundle.groups.contains(id);
        settle(self.store.group(id).await?, attempt, sees, Noun::Group, id)
    }
}

fn taken(error: StoreError, row: &AccessGroup) -> Problem {
    match error {
        StoreError::Conflict(_) => {
            Problem::Conflict("an access group has this name already: choose another".to_owned())
        }
        other @ (StoreError::Corrupt(_)
        | StoreError::NotFound
        | StoreError::Stale
        | StoreError::Unavailable(_)) => Problem::of(other, Noun::Group, &row.id),
    }
}
