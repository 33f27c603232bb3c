//! Goals and the profiles that group them. The data is in `config/compliance`; here is what it may say.

use std::fmt;

/// How a goal is judged. Each is one function of [`super::check`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "each is explained by the description of the goals that use it")]
pub enum Check {
    AdminSurface,
    Alerts,
    AuditLog,
    BroadGrants,
    DirectPolicies,
    GroupsOnly,
    IamAuthz,
    ImageScans,
    ImageSignatures,
    ImageTags,
    KeyAge,
    KeyUnused,
    PlatformMetrics,
    PrivateEndpoints,
    PublicGrants,
    RightsUnused,
    ServiceAdministrators,
    ServiceManagers,
    SigningKeys,
    Tls,
    UserAdministrators,
    UserManagers,
}

impl Check {
    /// The words of profiles.
    pub const WORDS: [(&'static str, Self); 22] = [
        ("admin_surface", Self::AdminSurface),
        ("alerts", Self::Alerts),
        ("audit_log", Self::AuditLog),
        ("broad_grants", Self::BroadGrants),
        ("direct_policies", Self::DirectPolicies),
        ("groups_only", Self::GroupsOnly),
        ("iam_authz", Self::IamAuthz),
        ("image_scans", Self::ImageScans),
        ("image_signatures", Self::ImageSignatures),
        ("image_tags", Self::ImageTags),
        ("key_age", Self::KeyAge),
        ("key_unused", Self::KeyUnused),
        ("platform_metrics", Self::PlatformMetrics),
        ("private_endpoints", Self::PrivateEndpoints),
        ("public_grants", Self::PublicGrants),
        ("rights_unused", Self::RightsUnused),
        ("service_administrators", Self::ServiceAdministrators),
        ("service_managers", Self::ServiceManagers),
        ("signing_keys", Self::SigningKeys),
        ("tls", Self::Tls),
        ("user_administrators", Self::UserAdministrators),
        ("user_managers", Self::UserManagers),
    ];

    /// Finds a check by its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find_map(|(known, check)| (known == word).then_some(check))
    }

    /// Whether it compares with a number.
    #[must_use]
    pub const fn takes_parameter(self) -> bool {
        match self {
            Self::BroadGrants
            | Self::ImageScans
            | Self::KeyAge
            | Self::KeyUnused
            | Self::RightsUnused
            | Self::ServiceAdministrators
            | Self::ServiceManagers
            | Self::SigningKeys
            | Self::UserAdministrators
            | Self::UserManagers => true,
            Self::AdminSurface
            | Self::Alerts
            | Self::AuditLog
            | Self::DirectPolicies
            | Self::GroupsOnly
            | Self::IamAuthz
            | Self::ImageSignatures
            | Self::ImageTags
            | Self::PlatformMetrics
            | Self::PrivateEndpoints
            | Self::PublicGrants
            | Self::Tls => false,
        }
    }

    /// How the names of actions begin that can turn its verdict.
    #[must_use]
    pub const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::BroadGrants
            | Self::DirectPolicies
            | Self::GroupsOnly
            | Self::RightsUnused
            | Self::ServiceAdministrators
            | Self::ServiceManagers
            | Self::UserAdministrators
            | Self::UserManagers => {
                &["iam.policy.", "iam.role.", "iam-groups.", "iam-identity.", "user-management.", "iam:"]
            }
            Self::AdminSurface => &["iam-identity.account."],
            Self::Alerts => &["iam-identity.notification-channel."],
            Self::AuditLog | Self::SigningKeys | Self::Tls => &[],
            Self::IamAuthz => &["container-registry.auth."],
            Self::ImageScans | Self::ImageSignatures | Self::ImageTags => {
                &["container-registry.image.", "container-registry.findings.", "ecr:"]
            }
            Self::KeyAge | Self::KeyUnused => {
                &["iam-identity.apikey.", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"]
            }
            Self::PlatformMetrics => &["container-registry.settings."],
            Self::PrivateEndpoints => &["container-registry.auth.", "iam-identity.account."],
            Self::PublicGrants => &["ecr:"],
        }
    }
}

/// How much it matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The words of profiles.
    pub const WORDS: [(&'static str, Self); 4] =
        [("low", Self::Low), ("medium", Self::Medium), ("high", Self::High), ("critical", Self::Critical)];

    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One goal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Goal {
    /// Its id; IBM's where it has one.
    pub id: String,
    /// How it is judged.
    pub check: Check,
    /// What `#` stands for, if it is in the description.
    pub parameter: Option<u32>,
    /// How much it matters.
    pub severity: Severity,
    /// What it is, with `#` for the parameter.
    pub description: String,
}

impl Goal {
    /// The parameter; 0 where there is none.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.parameter.unwrap_or_default()
    }
}

/// Goals that are looked at together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// What commands call it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The goals.
    pub goals: Vec<Goal>,
}

/// What is wrong with a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake(pub String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Profile {
    /// Checks that ids are unique and that every goal has a parameter if and only if its check and its words do.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn checked(self) -> Result<Self, Mistake> {
        for (at, goal) in self.goals.iter().enumerate() {
            let wrong = |what: &str| Err(Mistake(format!("profile {}, goal {}: {what}", self.id, goal.id)));
            if goal.check.takes_parameter() != goal.parameter.is_some() {
                return wrong("a parameter is there if and only if the check compares with a number");
            }
            if goal.description.contains('#') != goal.parameter.is_some() {
                return wrong("`#` in the description stands for the parameter");
            }
            if self.goals.iter().take(at).any(|other| other.id == goal.id) {
                return wrong("its id is taken by another goal of the profile");
            }
        }
        Ok(self)
    }
}
