//! What a decision is about (the resource) and what it is made from (compiled grants).

use super::action::ActionSet;
use super::pattern::Match;
use crate::ids::region::Region;
use crate::ids::tagged::PolicyId;
use crate::registry::name::RepositoryName;

/// A service whose resources policies can target.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Service {
    /// Images, namespaces and settings of the registries.
    ContainerRegistry,
    /// Access groups.
    IamGroups,
    /// Service IDs, API keys and account settings.
    IamIdentity,
    /// Users.
    UserManagement,
}

impl Service {
    /// All services, alphabetically.
    pub const ALL: [Self; 4] =
        [Self::ContainerRegistry, Self::IamGroups, Self::IamIdentity, Self::UserManagement];

    /// The `serviceName` of the service.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContainerRegistry => "container-registry",
            Self::IamGroups => "iam-groups",
            Self::IamIdentity => "iam-identity",
            Self::UserManagement => "user-management",
        }
    }

    /// The `serviceType`: `service` for what holds data, `platform_service` for account management.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ContainerRegistry => "service",
            Self::IamGroups | Self::IamIdentity | Self::UserManagement => "platform_service",
        }
    }

    /// Finds a service by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// What is acted on, as the attributes that policies match.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Resource {
    /// The service it belongs to; `None` stands for "every service", the target of an account-wide policy.
    pub service: Option<Service>,
    /// The region, for what a registry holds.
    pub region: Option<Region>,
    /// The namespace, for what stands in one.
    pub namespace: Option<Box<str>>,
    /// The repository, for images. No IBM policy is finer than the namespace.
    pub repository: Option<RepositoryName>,
}

impl Resource {
    /// A repository of the registry in `region`.
    #[must_use]
    pub fn repository(region: &Region, name: &RepositoryName) -> Self {
        Self {
            service: Some(Service::ContainerRegistry),
            region: Some(region.clone()),
            namespace: Some(name.namespace().into()),
            repository: Some(name.clone()),
        }
    }

    /// A namespace of the registry in `region`.
    #[must_use]
    pub fn namespace(region: &Region, name: &str) -> Self {
        Self {
            service: Some(Service::ContainerRegistry),
            region: Some(region.clone()),
            namespace: Some(name.into()),
            repository: None,
        }
    }

    /// The registry in `region` itself: its settings, plans and quotas.
    #[must_use]
    pub fn registry(region: &Region) -> Self {
        Self {
            service: Some(Service::ContainerRegistry),
            region: Some(region.clone()),
            namespace: None,
            repository: None,
        }
    }

    /// Account management by `service`.
    #[must_use]
    pub fn platform(service: Service) -> Self {
        Self { service: Some(service), region: None, namespace: None, repository: None }
    }
}

/// Which resources a grant covers. An attribute that a target does not name is not restricted; one that it names and
/// the resource lacks does not match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Target {
    /// `serviceName`.
    pub service: Option<Service>,
    /// `serviceType`: `service` or `platform_service`.
    pub service_type: Option<Box<str>>,
    /// `region`.
    pub region: Option<Match>,
    /// `resourceType`. Only `namespace`, in lower case, ever matches.
    pub resource_type: Option<Match>,
    /// `resource`: the namespace's name.
    pub resource: Option<Match>,
}

impl Target {
    /// Whether `resource` is covered.
    #[must_use]
    pub fn covers(&self, resource: &Resource) -> bool {
        let named = |wanted: &Option<Match>, found: Option<&str>| {
            wanted.as_ref().is_none_or(|pattern| found.is_some_and(|text| pattern.matches(text)))
        };
        let namespace = resource.namespace.as_deref();
        self.service.is_none_or(|service| resource.service == Some(service))
            && self
                .service_type
                .as_deref()
                .is_none_or(|kind| resource.service.is_some_and(|service| service.kind() == kind))
            && named(&self.region, resource.region.as_ref().map(Region::as_str))
            && named(&self.resource_type, namespace.map(|_| "namespace"))
            && named(&self.resource, namespace)
    }
}

/// One compiled grant: these actions on these resources, because of this policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The policy it was compiled from.
    pub policy: PolicyId,
    /// The names of the roles, for explanations.
    pub roles: Vec<String>,
    /// What it allows.
    pub actions: ActionSet,
    /// Where.
    pub target: Target,
}
