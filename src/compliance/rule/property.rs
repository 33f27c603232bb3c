//! What rules can be about: the properties of a registry.

use crate::compliance::facts::{Facts, Registry};

/// A property of `container-registry`, resource kind `service`. The first three are IBM's, the others our own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Property {
    /// Whether policies decide.
    IamAuthz,
    /// Whether public endpoints are refused.
    PrivateOnly,
    /// Whether platform metrics are published.
    PlatformMetrics,
    /// From which addresses the account may be used; empty for from everywhere.
    AllowedIpAddresses,
    /// The most bytes that the registry holds; empty for any number.
    StorageQuota,
    /// The most bytes that are pulled from it in a month; empty for any number.
    TrafficQuota,
}

/// What kind of value a property has, and so which operators fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A list of addresses, ranges and subnets.
    Addresses,
    /// True or false.
    Flag,
    /// A number.
    Number,
}

impl Kind {
    /// What people call it, with the operators that fit.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Addresses => {
                "a list of addresses: use ips_in_range, ips_equals, ips_not_equals, strings_in_list, strings_required, is_empty or is_not_empty"
            }
            Self::Flag => "true or false: use is_true or is_false",
            Self::Number => {
                "a number: use num_equals, num_not_equals, num_less_than, num_less_than_equals, num_greater_than, num_greater_than_equals, is_empty or is_not_empty"
            }
        }
    }
}

/// What a property is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A list.
    List(Vec<String>),
    /// Nothing.
    Empty,
    /// True or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text, which only targets have.
    Text(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(list) if list.is_empty() => f.write_str("empty"),
            Self::List(list) => f.write_str(&list.join(", ")),
            Self::Empty => f.write_str("empty"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Property {
    /// The names in rules.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("iam_authz", Self::IamAuthz),
        ("private_only", Self::PrivateOnly),
        ("platform_metrics", Self::PlatformMetrics),
        ("allowed_ip_addresses", Self::AllowedIpAddresses),
        ("storage_quota", Self::StorageQuota),
        ("traffic_quota", Self::TrafficQuota),
    ];

    /// Finds a property by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::WORDS.into_iter().find_map(|(known, property)| (known == name).then_some(property))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS.into_iter().find_map(|(name, property)| (property == self).then_some(name)).unwrap_or("")
    }

    /// What kind of value it has.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::IamAuthz | Self::PrivateOnly | Self::PlatformMetrics => Kind::Flag,
            Self::AllowedIpAddresses => Kind::Addresses,
            Self::StorageQuota | Self::TrafficQuota => Kind::Number,
        }
    }

    /// How the names of actions begin that change it.
    #[must_use]
    pub const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::IamAuthz => &["container-registry.auth."],
            Self::PrivateOnly => &["container-registry.auth.", "iam-identity.account."],
            Self::PlatformMetrics => &["container-registry.settings."],
            Self::AllowedIpAddresses => &["iam-identity.account."],
            Self::StorageQuota | Self::TrafficQuota => &["container-registry.quota."],
        }
    }

    /// What it is in a registry.
    #[must_use]
    pub fn of(self, registry: &Registry, facts: &Facts) -> Value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "quotas are far below 2^53 bytes, and rules say numbers as JSON does"
        )]
        let number = |quota: Option<u64>| quota.map_or(Value::Empty, |bytes| Value::Number(bytes as f64));
        match self {
            Self::IamAuthz => Value::Flag(registry.iam_authz),
            Self::PrivateOnly => Value::Flag(registry.private_only),
            Self::PlatformMetrics => Value::Flag(registry.platform_metrics),
            Self::AllowedIpAddresses => Value::List(facts.allowed_addresses.clone()),
            Self::StorageQuota => number(registry.storage_quota),
            Self::TrafficQuota => number(registry.traffic_quota),
        }
    }
}
