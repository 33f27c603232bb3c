//! Why a use case did not happen. The texts are for the caller, and say what to do; faults are for the log.

use crate::admit::fault::Fault;
use crate::admit::refusal::Refusal;
use crate::ids::tagged::PolicyId;
use crate::store::StoreError;

/// What a use case is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Noun {
    /// An API key.
    ApiKey,
    /// A rule of an access group or trusted profile.
    ClaimRule,
    /// A profile of goals.
    ComplianceProfile,
    /// A rule on the settings of registries.
    ConfigurationRule,
    /// An exemption.
    Exemption,
    /// A finding.
    Finding,
    /// An access group.
    Group,
    /// A link of a trusted profile.
    Link,
    /// An image.
    Image,
    /// An attachment of a configuration rule.
    RuleAttachment,
    /// A membership of an access group.
    Member,
    /// A namespace.
    Namespace,
    /// A notification channel.
    NotificationChannel,
    /// A policy.
    Policy,
    /// A user, service ID or trusted profile.
    Principal,
    /// A trusted profile.
    Profile,
    /// A resource group.
    ResourceGroup,
    /// A custom role.
    Role,
    /// A context-based restriction.
    Rule,
    /// A service ID.
    ServiceId,
    /// A user.
    User,
    /// A network zone.
    Zone,
}

impl Noun {
    /// The words that people use.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::ClaimRule => "rule",
            Self::ComplianceProfile => "compliance profile",
            Self::ConfigurationRule => "configuration rule",
            Self::Exemption => "exemption",
            Self::Finding => "finding",
            Self::Group => "access group",
            Self::Link => "link",
            Self::Image => "image",
            Self::Member => "member",
            Self::Namespace => "namespace",
            Self::NotificationChannel => "notification channel",
            Self::Policy => "policy",
            Self::Principal => "user or service ID",
            Self::Profile => "trusted profile",
            Self::ResourceGroup => "resource group",
            Self::Role => "custom role",
            Self::Rule => "rule",
            Self::RuleAttachment => "attachment",
            Self::ServiceId => "service ID",
            Self::User => "user",
            Self::Zone => "network zone",
        }
    }
}

/// Why not.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The state of things forbids it.
    Conflict(String),
    /// There is such a policy already: its id and entity tag, for whoever may see it.
    Duplicate(Option<(PolicyId, String)>),
    /// Not the caller's fault.
    Fault(Fault),
    /// The caller may not see such a thing: reads like [`Problem::NotFound`], but the audit knows better.
    Hidden {
        /// What was asked for.
        noun: Noun,
        /// By which name.
        name: String,
        /// What the gate said.
        refusal: Refusal,
    },
    /// The request is wrong in itself.
    Invalid(String),
    /// The thing, or what it belongs to, is locked.
    Locked(Noun),
    /// There is no such thing.
    NotFound(Noun, String),
    /// The call names an account that is not the caller's.
    OtherAccount,
    /// The gate refused.
    Refused(Refusal),
    /// The caller saw another version than the one that is stored.
    Stale,
    /// There are more words than are read.
    TooLarge,
    /// The words came in a form that is not read here; the text says which form is.
    Unreadable(&'static str),
}

impl Problem {
    /// What a failed write of the `noun` called `name` means.
    #[must_use]
    pub fn of(error: StoreError, noun: Noun, name: &dyn std::fmt::Display) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound(noun, name.to_string()),
            StoreError::Conflict(text) => Self::Conflict(format!("{} {name}: {text}", noun.words())),
            other @ (StoreError::Corrupt(_) | StoreError::Stale | StoreError::Unavailable(_)) => {
                Self::from(other)
            }
        }
    }
}

impl From<StoreError> for Problem {
    /// For reads, and for writes that cannot miss their row.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(text) => Self::Conflict(text.to_owned()),
            StoreError::Corrupt(text) => Self::Fault(Fault::Internal(text)),
            StoreError::NotFound => Self::Fault(Fault::Internal("a row vanished".to_owned())),
            StoreError::Stale => Self::Stale,
            StoreError::Unavailable(text) => Self::Fault(Fault::Store(text)),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::ids::Malformed> for Problem {
    fn from(malformed: crate::ids::Malformed) -> Self {
        Self::Invalid(malformed.to_string())
    }
}
