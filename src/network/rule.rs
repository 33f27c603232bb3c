//! Context-based restrictions: which resources may be reached only from where.
//!
//! A rule allows if any of its contexts matches; a context matches if all its attributes do. A rule without contexts allows
//! nothing, and an attribute that nothing here can have matches nothing: rules only ever take away.

use crate::ids::account::AccountId;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// One rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// What becomes of what it refuses.
    pub enforcement: Enforcement,
    /// From where its resources may be reached.
    pub contexts: Vec<RuleContext>,
    /// What it is about; of several, any.
    pub targets: Vec<Target>,
}

/// What becomes of what a rule refuses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Enforcement {
    /// The rule is not looked at.
    Disabled,
    /// It is refused.
    #[default]
    Enabled,
    /// It is told, and not refused.
    Report,
}

impl Enforcement {
    /// Every mode, with the word of the API.
    pub const WORDS: [(&'static str, Self); 3] =
        [("enabled", Self::Enabled), ("disabled", Self::Disabled), ("report", Self::Report)];

    /// The word of the API.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Report => "report",
        }
    }
}

/// Attributes that must all match; at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleContext(Vec<Attribute>);

impl RuleContext {
    /// A context; `None` without attributes, for it would match everything.
    #[must_use]
    pub fn new(attributes: Vec<Attribute>) -> Option<Self> {
        (!attributes.is_empty()).then_some(Self(attributes))
    }

    /// What must match.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.0
    }
}

/// One attribute of a context.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Attribute {
    /// The network that the request came in by.
    Endpoint(EndpointType),
    /// A level of authentication that an API key never has.
    Mfa(String),
    /// The zone that the client is in.
    Zone(ZoneId),
}

/// The networks of IBM Cloud.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndpointType {
    /// A network that no listener here stands for.
    Direct,
    /// A private network.
    Private,
    /// The public network.
    Public,
}

/// Resources that a rule is about: those to which everything that is given applies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Whose they are.
    pub account: AccountId,
    /// What they are part of.
    pub service: Service,
    /// In which region.
    pub region: Option<Region>,
    /// In which registry, by its configured name.
    pub registry: Option<HostName>,
    /// In which namespace. Then what is in none is not meant.
    pub namespace: Option<Namespace>,
}

/// What can be restricted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Registries: images, and the management of registries.
    ContainerRegistry,
    /// Identities and access: keys, groups, policies, tokens.
    Identity,
}
