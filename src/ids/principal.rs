//! Who can be granted something: users, service IDs and trusted profiles, by the id that IBM IAM calls `iam_id`, and roles by
//! AWS's.

use super::Malformed;
use super::aws::RoleId;
use super::tagged::{ProfileId, ServiceId, UserId};

/// A principal of the account, written as its `iam_id`: `IBMid-<uuid>`, `iam-ServiceId-<uuid>` or `iam-Profile-<uuid>`; a role as
/// `AROA…`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PrincipalId {
    /// A trusted profile, which whoever it trusts can take on.
    Profile(ProfileId),
    /// A role, which whoever its trust policy names can take on.
    Role(RoleId),
    /// A service ID: automation, which cannot log in to a console.
    ServiceId(ServiceId),
    /// A person.
    User(UserId),
}

impl PrincipalId {
    /// Parses an `iam_id`.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an IAM id such as `iam-ServiceId-<uuid>`");
        match text.strip_prefix("iam-") {
            Some(rest) if rest.starts_with("Profile-") => {
                ProfileId::parse(rest).map(Self::Profile).map_err(|_| malformed())
            }
            Some(rest) => ServiceId::parse(rest).map(Self::ServiceId).map_err(|_| malformed()),
            None if text.starts_with("AROA") => RoleId::parse(text).map(Self::Role).map_err(|_| malformed()),
            None => UserId::parse(text).map(Self::User).map_err(|_| malformed()),
        }
    }

    /// The id within its kind: `ServiceId-<uuid>` without the `iam-` in front, or the user id.
    #[must_use]
    pub fn identifier(&self) -> &str {
        match self {
            Self::Profile(id) => id.as_str(),
            Self::Role(id) => id.as_str(),
            Self::ServiceId(id) => id.as_str(),
            Self::User(id) => id.as_str(),
        }
    }

    /// The realm, as IBM tokens name it in `realmid`.
    #[must_use]
    pub fn realm(&self) -> &'static str {
        match self {
            Self::Profile(_) | Self::Role(_) | Self::ServiceId(_) => "iam",
            Self::User(_) => "IBMid",
        }
    }
}

impl std::fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Profile(id) => write!(f, "iam-{id}"),
            Self::Role(id) => write!(f, "{id}"),
            Self::ServiceId(id) => write!(f, "iam-{id}"),
            Self::User(id) => write!(f, "{id}"),
        }
    }
}

impl std::str::FromStr for PrincipalId {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl serde::Serialize for PrincipalId {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PrincipalId {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(input)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
