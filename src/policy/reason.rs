//! Why: the statement that decided, and for a denial everything that either cloud's words need.

use super::engine::bundle::Bundle;
use super::engine::compiled::CompiledPolicy;
use super::engine::question::{Class, Decider, Kind, Verdict};
use super::ibm::role::Role;
use super::resource::Resource;
use super::table::{Action, ActionId};

/// The statement that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// The policy's id.
    pub policy: String,
    /// What it is attached to.
    pub kind: Kind,
    /// The roles that an IBM access policy grants.
    pub roles: Vec<String>,
    /// The statement of an AWS document: its `Sid`, or its place from 1.
    pub statement: Option<String>,
}

impl Reason {
    /// The reason that a decider of the bundle's stands for; `None` for one of the resource's own policy.
    #[must_use]
    pub fn of(bundle: &Bundle, decider: &Decider) -> Option<Self> {
        Self::told(bundle.policy(decider)?, decider)
    }

    /// The reason that a decider of this policy stands for.
    #[must_use]
    pub fn told(policy: &CompiledPolicy, decider: &Decider) -> Option<Self> {
        let display = |crn: &str| {
            Role::parse(crn).map_or_else(|| crn.to_owned(), |role| role.display_name().to_owned())
        };
        let roles: Vec<String> = policy.roles().iter().map(|crn| display(crn)).collect();
        let place = usize::try_from(decider.statement).ok()?;
        let sid = policy.source(place).and_then(|(sid, _)| sid).map(str::to_owned);
        let statement = (decider.kind != Kind::Ibm).then(|| sid.unwrap_or_else(|| (place + 1).to_string()));
        Some(Self { policy: policy.id().to_owned(), kind: decider.kind, roles, statement })
    }
}

/// What was denied, and which step of the decision did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    /// What would have been needed.
    pub action: Action,
    /// On what.
    pub resource: Resource,
    /// An explicit deny, or what kind of policy does not allow it.
    pub class: Class,
    /// The action in AWS's words, if it has any.
    pub refused: Option<ActionId>,
    /// The statement that denies.
    pub because: Option<Reason>,
    /// What the caller reads, if it speaks AWS's dialect; else IBM's words are the API's.
    pub sentence: Option<Box<str>>,
    /// What is wrong with the image, if nothing else stands in the way of whoever asks for it.
    pub known: Option<Box<str>>,
}

impl Denial {
    /// Nothing allows it.
    #[must_use]
    pub fn unallowed(action: Action, resource: Resource) -> Self {
        Self {
            action,
            resource,
            class: Class::ImplicitDeny(Kind::Identity),
            refused: None,
            because: None,
            sentence: None,
            known: None,
        }
    }

    /// The verdict says no, because of this statement if one denies.
    #[must_use]
    pub fn of(action: Action, resource: Resource, verdict: &Verdict, because: Option<Reason>) -> Self {
        Self {
            action,
            resource,
            class: verdict.class,
            refused: verdict.refused,
            because,
            sentence: None,
            known: None,
        }
    }

    /// The same, because of what is known of the image and nothing else.
    #[must_use]
    pub fn for_what_is_known(self, known: Option<String>) -> Self {
        Self { known: known.map(Into::into), ..self }
    }
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.because, self.class) {
            (Some(because), Class::ExplicitDeny(_)) => {
                write!(f, "policy {}", because.policy)?;
                because.statement.as_ref().map_or(Ok(()), |name| write!(f, ", statement {name},"))?;
                write!(f, " denies {}", self.action.name())?;
            }
            (_, Class::ImplicitDeny(Kind::Boundary)) => {
                write!(f, "the permissions boundary does not allow {}", self.action.name())?;
            }
            (_, Class::ImplicitDeny(Kind::Session)) => {
                write!(f, "no session policy allows {}", self.action.name())?;
            }
            (_, _) => write!(f, "no policy allows {}", self.action.name())?,
        }
        match (&self.resource.repository, &self.resource.namespace) {
            (Some(repository), _) => write!(f, " on {repository}")?,
            (None, Some(namespace)) => write!(f, " on {namespace}")?,
            (None, None) => {}
        }
        self.resource.region.as_ref().map_or(Ok(()), |region| write!(f, " in {region}"))?;
        self.known.as_ref().map_or(Ok(()), |known| write!(f, ": {known}"))
    }
}
