//! Who may do something: the same decision as [`super::explain`], asked of every principal in turn.
//!
//! A window of the account's principals is looked at, one at a time; nothing of those who may not is kept.

use std::sync::Arc;

use super::explain::{Through, What, deciders, may};
use super::problem::Problem;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::explain::explain;
use crate::ids::principal::PrincipalId;
use crate::policy::engine::question::Class;
use crate::store::identity::Window;

/// Those of a window of principals who may.
#[derive(Debug)]
pub struct WhoCan {
    /// Who they are, users first, then service IDs and roles, each oldest first.
    pub able: Vec<Able>,
    /// Whether policies decide in that registry; `None` for account management, where they always do.
    pub enforced: Option<bool>,
    /// How many were looked at.
    pub examined: usize,
    /// How many principals there are.
    pub total: u32,
}

/// A principal that may.
#[derive(Debug)]
pub struct Able {
    /// Who.
    pub principal: PrincipalId,
    /// What people call it.
    pub name: String,
    /// Which step of the decision gave the answer of the policies.
    pub class: Class,
    /// The statements that allow it; none where policies do not decide.
    pub through: Vec<Through>,
}

impl Desk {
    /// Who may do it, for whoever may read policies there.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn who_can(
        &self,
        caller: &Arc<Caller>,
        what: &What,
        window: Window,
    ) -> Result<Done<WhoCan>, Problem> {
        let what = &self.placed(what).await?;
        let permit = self.permit_to_ask(caller, &what.target.resource).await?;
        let enforced = self.enforced(&what.target.resource).await?;
        let repository = self.repository_state(&what.target.resource).await?;
        let repository = repository.as_ref().map(|(state, _)| state);
        let (principals, total) = self.principals(window).await?;
        let mut able = Vec::new();
        for principal in &principals {
            // One that has gone since may do nothing.
            let Some(standing) = self.standing(caller, principal).await? else { continue };
            let outcome = explain(&standing.caller, self.examination(what, repository));
            if may(&standing, enforced, outcome.class) {
                let through = deciders(&standing, repository, &outcome);
                let name = standing.caller.name().to_owned();
                let through = if outcome.class.is_allow() { through } else { Vec::new() };
                able.push(Able { principal: principal.clone(), name, class: outcome.class, through });
            }
        }
        Ok(Done::new(WhoCan { able, enforced, examined: principals.len(), total }, permit))
    }

    /// A window of all principals: users, then service IDs, then roles, then trusted profiles; and how many there are.
    async fn principals(&self, window: Window) -> Result<(Vec<PrincipalId>, u32), Problem> {
        let users = self.store.users(window).await?;
        let mut total = users.total;
        let mut found: Vec<PrincipalId> =
            users.rows.into_iter().map(|row| PrincipalId::User(row.id)).collect();
        let service_ids = self.store.service_ids(None, rest(window, total, &found)).await?;
        total = total.saturating_add(service_ids.total);
        found.extend(service_ids.rows.into_iter().map(|row| PrincipalId::ServiceId(row.id)));
        let roles = self.store.roles("/", rest(window, total, &found)).await?;
        total = total.saturating_add(roles.total);
        found.extend(roles.rows.into_iter().map(|row| PrincipalId::Role(row.id)));
        let profiles = self.store.trusted_profiles(None, rest(window, total, &found)).await?;
        total = total.saturating_add(profiles.total);
        found.extend(profiles.rows.into_iter().map(|row| PrincipalId::Profile(row.id)));
        Ok((found, total))
    }
}

/// What is left of a window after `total` principals of other kinds, of which it holds `found`.
fn rest(window: Window, total: u32, found: &[PrincipalId]) -> Window {
    let taken = u32::try_from(found.len()).unwrap_or(u32::MAX);
    Window { offset: window.offset.saturating_sub(total), limit: window.limit.saturating_sub(taken) }
}
