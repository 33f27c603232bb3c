//! What is asked, and the answer.

use super::compiled::CompiledPolicy;
use super::resource::Resource;
use crate::policy::table::ActionId;

/// One operation, in the words of one cloud or of both.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// AWS actions, all of which are needed. Empty for an operation that has no AWS name.
    pub aws: &'a [ActionId],
    /// The same operation in IBM's words, if it has any.
    pub ibm: Option<IbmWords<'a>>,
    /// The ARN. Actions without a resource type, and operations without an AWS name, are asked on `*` all the same.
    pub resource: Resource<'a>,
    /// The account that owns the resource.
    pub resource_account: &'a str,
    /// The resource's own policy: of a repository, or of a role that is to be assumed.
    pub attached: Option<&'a CompiledPolicy>,
    /// Seconds since 1970; what IBM's time-based conditions read. The context's own times are given apart.
    pub now: i64,
}

/// An operation as IBM names it.
#[derive(Clone, Copy, Debug)]
pub struct IbmWords<'a> {
    /// `container-registry.image.pull`
    pub action: ActionId,
    /// `accountId`, `serviceName`, `region`, `resourceType`, `resource` …; those that the resource lacks are absent.
    pub attributes: &'a [(&'a str, &'a str)],
}

impl<'a> IbmWords<'a> {
    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find_map(|(known, value)| (*known == name).then_some(*value))
    }
}

/// Where a policy stands. The order is that in which reasons are preferred when several would do.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Attached to the user or role, or inline.
    Identity,
    /// Through a group.
    Group,
    /// An IBM access policy.
    Ibm,
    /// The permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// The policy of a repository.
    Repository,
    /// The trust policy of a role.
    Trust,
}

/// Which step of the evaluation gave the answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// Everyone who signs may (`sts:GetCallerIdentity`).
    AllowAlways,
    /// The root user of the resource's account.
    AllowRoot,
    /// Statements of this kind, the first in order of those that did.
    Allow(Kind),
    /// A matching Deny, the first kind in order of those that have one.
    ExplicitDeny(Kind),
    /// The first step that nothing allows. `Identity` stands for identity, group and IBM policies together.
    ImplicitDeny(Kind),
}

impl Class {
    /// Whether the operation may go on.
    #[must_use]
    pub const fn is_allow(self) -> bool {
        match self {
            Self::Allow(_) | Self::AllowAlways | Self::AllowRoot => true,
            Self::ExplicitDeny(_) | Self::ImplicitDeny(_) => false,
        }
    }

    /// Whether a Deny statement matched.
    #[must_use]
    pub const fn is_explicit_deny(self) -> bool {
        match self {
            Self::ExplicitDeny(_) => true,
            Self::Allow(_) | Self::AllowAlways | Self::AllowRoot | Self::ImplicitDeny(_) => false,
        }
    }
}

/// A statement that decided, by its place: [`super::bundle::Bundle::policy`] says which policy it is of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Decider {
    /// Where its policy stands.
    pub kind: Kind,
    /// The policy's place in the bundle; without meaning for a resource's own.
    pub policy: u32,
    /// The statement's place in the policy. An IBM access policy is one statement.
    pub statement: u32,
}

/// The answer, with the first of the statements that decided. It owns nothing, so it costs nothing to keep.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Verdict {
    /// Which step gave it.
    pub class: Class,
    /// For a deny, the action that was refused: of several, the first with an explicit deny, else the first denied.
    pub refused: Option<ActionId>,
    /// One of the statements that decided; none for an implicit deny.
    pub decider: Option<Decider>,
}

impl Verdict {
    /// Whether the operation may go on.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        self.class.is_allow()
    }
}

/// The answer, with every statement that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Which step gave it.
    pub class: Class,
    /// For a deny, the action that was refused.
    pub refused: Option<ActionId>,
    /// All matching Deny statements for the refused action, or all Allow statements that each (or, across accounts,
    /// together) suffice. Empty for an implicit deny. Sorted, each once.
    pub deciders: Vec<Decider>,
}
