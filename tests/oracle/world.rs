//! What is asked, of whom, with which policies; and the answer. Data only: nothing here decides.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A document as its author wrote it, with the name that reasons carry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    /// Unique in its world.
    pub(crate) name: String,
    /// AWS policy JSON, or an IBM v1 or v2 access policy.
    pub(crate) document: Value,
}

/// A group that the caller is a member of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// As IBM subjects name it: `AccessGroupId-…`.
    pub(crate) id: String,
    /// Its attached and inline AWS policies.
    pub(crate) policies: Vec<Policy>,
}

/// Who asks. ARNs are whole; the account is read from them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A session of `GetFederationToken`. It has what its user has, cut by a session policy; without one,
    /// nothing.
    FederatedUser {
        /// `arn:aws:sts::A:federated-user/NAME`
        arn: String,
    },
    /// A session of `AssumeRole`, or of a trusted profile.
    RoleSession {
        /// `arn:aws:iam::A:role/PATH/NAME`
        role: String,
        /// `AROA…`: what a saved policy holds in the role's place.
        id: String,
        /// `arn:aws:sts::A:assumed-role/NAME/SESSION`
        session: String,
    },
    /// The account itself.
    Root {
        /// Twelve digits.
        account: String,
    },
    /// A user or service ID with a long-term credential, or a session of `GetSessionToken`.
    User {
        /// `arn:aws:iam::A:user/PATH/NAME`
        arn: String,
        /// `AIDA…`
        id: String,
    },
    /// Someone with a token of an identity provider who asks for `sts:AssumeRoleWithWebIdentity`.
    WebIdentity {
        /// `arn:aws:iam::A:oidc-provider/HOST/PATH`
        provider: String,
    },
}

impl Caller {
    /// The account that the caller belongs to.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::Anonymous | Self::WebIdentity { .. } => None,
            Self::Root { account } => Some(account),
            Self::FederatedUser { arn } | Self::RoleSession { session: arn, .. } | Self::User { arn, .. } => {
                arn.split(':').nth(4)
            }
        }
    }
}

/// Every policy that could matter to one caller.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct World {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The caller as IBM subjects name it: `IBMid-…`, `iam-ServiceId-…`, `iam-Profile-…`.
    pub(crate) iam_id: String,
    /// Managed and inline AWS policies of the user or role.
    pub(crate) identity: Vec<Policy>,
    /// The caller's groups.
    pub(crate) groups: Vec<Group>,
    /// The permissions boundary of the user or role.
    pub(crate) boundary: Option<Policy>,
    /// The session policies, if the session was made with any. Together they are one limit: their union.
    pub(crate) session: Option<Vec<Policy>>,
    /// By resource ARN: the repository policy of a repository, the trust policy of a role.
    pub(crate) attached: BTreeMap<String, Policy>,
    /// IBM access policies of the account, whatever their subject.
    pub(crate) ibm: Vec<Policy>,
    /// Role CRN to the actions that it grants.
    pub(crate) roles: BTreeMap<String, Vec<String>>,
}

/// The value of a context key. A number or truth value is its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    /// Of a key that has one value.
    One(String),
    /// Of a key that is a list, however long. An empty one is as good as no key.
    Many(Vec<String>),
}

/// What an operation is in IBM's words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IbmWords {
    /// `container-registry.image.pull`
    pub(crate) action: String,
    /// `accountId`, `serviceName`, `region`, `resourceType`, `resource`; those that the resource lacks are
    /// absent.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// One operation, in the words of one cloud or of both.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// AWS actions, all of which are needed. Empty for an operation that has no AWS name.
    pub(crate) aws: Vec<String>,
    /// The ARN, or `*` for actions without a resource type and for operations without an AWS name.
    pub(crate) resource: String,
    /// The account that owns the resource.
    pub(crate) resource_account: String,
    /// The same operation in IBM's words, if it has any.
    pub(crate) ibm: Option<IbmWords>,
    /// Condition keys, in any case.
    pub(crate) context: BTreeMap<String, Given>,
    /// Seconds since 1970; what IBM's time-based conditions read. The context's own times are given apart.
    pub(crate) now: i64,
}

/// Where a policy stands. The order is that in which reasons are preferred when several would do.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
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

/// A statement that decided.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Decider {
    /// Where its policy stands.
    pub(crate) kind: Kind,
    /// The policy's name.
    pub(crate) policy: String,
    /// Its place in the document, from 0. An IBM access policy is one statement.
    pub(crate) statement: usize,
}

/// Which step of the evaluation gave the answer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Class {
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

/// The answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// Which step gave it.
    pub(crate) class: Class,
    /// For a deny, the action that was refused: of several, the first with an explicit deny, else the first
    /// denied.
    pub(crate) refused: Option<String>,
    /// Every statement that decided: all matching Deny statements for the refused action, or all Allow
    /// statements that each (or, across accounts, together) suffice. Empty for an implicit deny.
    pub(crate) deciders: BTreeSet<Decider>,
}

impl Outcome {
    /// Whether the operation may go on.
    pub(crate) fn allowed(&self) -> bool {
        match self.class {
            Class::AllowAlways | Class::AllowRoot | Class::Allow(_) => true,
            Class::ExplicitDeny(_) | Class::ImplicitDeny(_) => false,
        }
    }
}
