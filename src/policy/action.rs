//! The finite table of everything that a policy can speak of.

/// Declares the actions: variant, wire name.
macro_rules! actions {
    ($($variant:ident = $name:literal,)*) => {
        /// One row of the action table.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is the action whose wire name stands beside it")]
        pub enum Action { $($variant,)* }

        impl Action {
            /// Every action, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name as policies and audit events write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

actions! {
    AccountRead = "iam-identity.account.get",
    AccountUpdate = "iam-identity.account.update",
    ApiKeyCreate = "iam-identity.apikey.create",
    ApiKeyDelete = "iam-identity.apikey.delete",
    ApiKeyList = "iam-identity.apikey.list",
    ApiKeyRead = "iam-identity.apikey.get",
    ApiKeyUpdate = "iam-identity.apikey.update",
    AuthGet = "container-registry.auth.get",
    AuthSet = "container-registry.auth.set",
    ConfigRead = "container-registry.config.read",
    ExemptionList = "container-registry.exemption.list",
    ExemptionManager = "container-registry.exemption.manager",
    GroupCreate = "iam-groups.groups.create",
    GroupDelete = "iam-groups.groups.delete",
    GroupList = "iam-groups.groups.list",
    GroupMemberAdd = "iam-groups.members.add",
    GroupMemberDelete = "iam-groups.members.delete",
    GroupMemberList = "iam-groups.members.list",
    GroupRead = "iam-groups.groups.read",
    GroupUpdate = "iam-groups.groups.update",
    ImageDelete = "container-registry.image.delete",
    ImageInspect = "container-registry.image.inspect",
    ImageList = "container-registry.image.list",
    ImagePull = "container-registry.image.pull",
    ImagePush = "container-registry.image.push",
    ImageVulnerabilities = "container-registry.image.vulnerabilities",
    NamespaceCreate = "container-registry.namespace.create",
    NamespaceDelete = "container-registry.namespace.delete",
    NamespaceList = "container-registry.namespace.list",
    PlanGet = "container-registry.plan.get",
    PlanSet = "container-registry.plan.set",
    PolicyCreate = "iam.policy.create",
    PolicyDelete = "iam.policy.delete",
    PolicyRead = "iam.policy.read",
    PolicyUpdate = "iam.policy.update",
    QuotaGet = "container-registry.quota.get",
    QuotaSet = "container-registry.quota.set",
    RetentionAnalyze = "container-registry.retention.analyze",
    RetentionGet = "container-registry.retention.get",
    RetentionList = "container-registry.retention.list",
    RetentionSet = "container-registry.retention.set",
    RoleRead = "iam.role.read",
    ServiceIdCreate = "iam-identity.serviceid.create",
    ServiceIdDelete = "iam-identity.serviceid.delete",
    ServiceIdList = "iam-identity.serviceid.list",
    ServiceIdRead = "iam-identity.serviceid.get",
    ServiceIdUpdate = "iam-identity.serviceid.update",
    SettingsGet = "container-registry.settings.get",
    SettingsSet = "container-registry.settings.set",
    UserDelete = "user-management.user.delete",
    UserInvite = "user-management.user.create",
    UserList = "user-management.user.list",
    UserRead = "user-management.user.retrieve",
    UserUpdate = "user-management.user.update",
}

impl Action {
    /// Whether it is about what a registry holds or how it is set up, and not about who may do what.
    #[must_use]
    pub fn is_registrys(self) -> bool {
        self.name().starts_with("container-registry.")
    }

    /// Finds an action by its exact name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// A set of actions, as bits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ActionSet(u128);

impl ActionSet {
    /// No action.
    pub const EMPTY: Self = Self(0);

    /// The set of `actions`.
    #[must_use]
    pub const fn of(actions: &[Action]) -> Self {
        let mut bits = 0;
        let mut rest = actions;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = tail;
        }
        Self(bits)
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `action` is in the set.
    #[must_use]
    pub const fn contains(self, action: Action) -> bool {
        self.0 & (1 << (action as u8)) != 0
    }

    /// Whether the two sets share an action.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The actions, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.contains(*action))
    }
}

// The bits of an `ActionSet` must be enough for the table.
const _: () = assert!(Action::ALL.len() <= 128);
