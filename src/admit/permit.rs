//! The value that proves a decision.

use std::sync::Arc;

use super::caller::Caller;
use crate::policy::reason::Reason;
use crate::policy::resource::Resource;
use crate::policy::table::{Action, ActionId};

/// Why a permit was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Grounds {
    /// A policy allows it.
    Policy(Reason),
    /// Everyone who is proven may do this.
    Proven,
    /// The account's root may do everything.
    Root,
    /// The registry is policy-free, and no policy would have allowed it.
    PolicyFree,
    /// Principals may do this to themselves.
    Own,
}

/// The right to do `T`, and only that, now.
#[derive(Clone, Debug)]
pub struct Permit<T> {
    of: T,
    caller: Arc<Caller>,
    grounds: Grounds,
}

impl<T> Permit<T> {
    pub(super) fn new(of: T, caller: Arc<Caller>, grounds: Grounds) -> Self {
        Self { of, caller, grounds }
    }

    /// A permit that no gate gave, for tests of what demands one.
    #[cfg(test)]
    pub fn for_test(of: T, caller: Arc<Caller>, grounds: Grounds) -> Self {
        Self::new(of, caller, grounds)
    }

    /// What is permitted.
    pub fn of(&self) -> &T {
        &self.of
    }

    /// To whom.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// To whom, to be kept.
    pub fn caller_shared(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// Why.
    pub fn grounds(&self) -> &Grounds {
        &self.grounds
    }
}

/// What a permit for a call of AWS's APIs is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AwsControl {
    /// The action.
    pub action: ActionId,
    /// The ARN that it was decided on; `*` for an action without a resource.
    pub resource: String,
}

/// What a control permit is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    /// The action.
    pub action: Action,
    /// On what.
    pub resource: Resource,
}
