//! What is acted on, and how each cloud writes it: as attributes, and as an ARN.

use crate::ids::account::AccountId;
use crate::ids::region::Region;
use crate::ids::resource_group::ResourceGroupId;
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
    /// The resource group of the namespace, as the gate has found it.
    pub group: Option<ResourceGroupId>,
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
            group: None,
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
            group: None,
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
            group: None,
        }
    }

    /// A repository that stands for all that are or may come to be in a part of a registry. Documents compare the names of
    /// repositories: what covers the one that is called like its namespace, or like the sign for all, covers no other.
    #[must_use]
    pub fn any_repository(&self) -> Option<Self> {
        let region = self.region.as_ref().filter(|_| self.repository.is_none())?;
        let namespace = self.namespace.as_deref().unwrap_or("wherever-it.may__be");
        let name: RepositoryName = format!("{namespace}/whatever.may-be__there").parse().ok()?;
        let group = self.group.clone();
        Some(Self { namespace: self.namespace.clone(), group, ..Self::repository(region, &name) })
    }

    /// Account management by `service`.
    #[must_use]
    pub fn platform(service: Service) -> Self {
        Self { service: Some(service), region: None, namespace: None, repository: None, group: None }
    }

    /// What IBM's policies compare. What the resource lacks is absent.
    #[must_use]
    pub fn attributes<'a>(&'a self, account: &'a AccountId) -> Attributes<'a> {
        let namespace = self.namespace.as_deref();
        let all = [
            Some(("accountId", account.as_str())),
            self.service.map(|service| ("serviceName", service.name())),
            self.service.map(|service| ("serviceType", service.kind())),
            self.region.as_ref().map(|region| ("region", region.as_str())),
            namespace.map(|_| ("resourceType", "namespace")),
            namespace.map(|name| ("resource", name)),
            self.group.as_ref().map(|group| ("resourceGroupId", group.as_str())),
        ];
        let mut kept = Attributes { list: [("", ""); 7], length: 0 };
        for (place, one) in kept.list.iter_mut().zip(all.into_iter().flatten()) {
            *place = one;
            kept.length += 1;
        }
        kept
    }

    /// The ARN that AWS's policies compare: of a repository, of a namespace as the repository of that name, of all
    /// repositories of a registry. What is in no registry has none.
    #[must_use]
    pub fn arn(&self, account: &AccountId) -> Option<String> {
        let region = self.region.as_ref()?;
        let name = match (&self.repository, &self.namespace) {
            (Some(repository), _) => repository.as_str(),
            (None, Some(namespace)) => namespace,
            (None, None) => "*",
        };
        Some(format!("arn:aws:ecr:{region}:{account}:repository/{name}"))
    }
}

/// The attributes of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    list: [(&'a str, &'a str); 7],
    length: usize,
}

impl<'a> Attributes<'a> {
    /// Names and values.
    #[must_use]
    pub fn as_slice(&self) -> &[(&'a str, &'a str)] {
        self.list.get(..self.length).unwrap_or_default()
    }
}
