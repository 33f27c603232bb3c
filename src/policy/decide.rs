//! The decision: one pass over compiled grants, with the reasons.

use super::action::ActionSet;
use super::model::{Grant, Resource};
use crate::ids::tagged::PolicyId;

/// The answer to "may this caller do one of these actions on this resource".
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Yes, because of this grant.
    Allow(Reason),
    /// No: nothing allows it.
    Deny,
}

/// The grant that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The policy.
    pub policy: PolicyId,
    /// The roles that the policy grants.
    pub roles: Vec<String>,
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Decides. IBM access policies only allow, so the first grant that covers the resource is the answer; no grant is a
/// denial.
#[must_use]
pub fn decide<'a>(
    grants: impl IntoIterator<Item = &'a Grant>,
    wanted: ActionSet,
    resource: &Resource,
) -> Decision {
    let mut covering =
        grants.into_iter().filter(|grant| grant.actions.intersects(wanted) && grant.target.covers(resource));
    match covering.next() {
        Some(grant) => Decision::Allow(Reason { policy: grant.policy.clone(), roles: grant.roles.clone() }),
        None => Decision::Deny,
    }
}
