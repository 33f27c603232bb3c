//! Ids with a tag that says what they name: `ServiceId-…`, `ApiKey-…`, `AccessGroupId-…`, policies by bare UUID.

use uuid::Uuid;

use super::{Malformed, text_type};
use crate::clock::Entropy;

/// Defines an id that is a tag followed by a lower-case hyphenated UUID.
macro_rules! tagged_id {
    ($(#[$doc:meta])* $name:ident, $tag:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Box<str>);

        impl $name {
            /// Makes a fresh, unguessable id.
            #[must_use]
            pub fn fresh(entropy: &dyn Entropy) -> Self {
                Self(format!(concat!($tag, "{}"), entropy.uuid()).into())
            }

            /// Parses the tag and the UUID.
            ///
            /// # Errors
            /// [`Malformed`] when the tag is missing or the rest is no lower-case hyphenated UUID.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                let uuid = text.strip_prefix($tag).filter(|rest| is_uuid(rest));
                uuid.map(|_| Self(text.into())).ok_or_else(|| Malformed::new(text, $expected))
            }

            /// The whole id, tag included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_type!($name);
    };
}

tagged_id!(
    /// Names an access group (IBM) or group (AWS).
    AccessGroupId,
    "AccessGroupId-",
    "an access group id such as `AccessGroupId-<uuid>`"
);
tagged_id!(
    /// Names an API key; public, unlike the key itself.
    ApiKeyId,
    "ApiKey-",
    "an API key id such as `ApiKey-<uuid>`"
);
tagged_id!(
    /// Names a rule of an access group or of a trusted profile about what an identity provider or a cluster says.
    ClaimRuleId,
    "ClaimRule-",
    "the id of a rule such as `ClaimRule-<uuid>`"
);
tagged_id!(
    /// Names a configuration rule.
    ComplianceRuleId,
    "rule-",
    "the id of a configuration rule such as `rule-<uuid>`"
);
tagged_id!(
    /// Names a role that the account has made.
    CustomRoleId,
    "",
    "the id of a custom role (a UUID)"
);
tagged_id!(
    /// Names a notification channel.
    NotificationChannelId,
    "",
    "the id of a notification channel (a UUID)"
);
tagged_id!(
    /// Names a policy.
    PolicyId,
    "",
    "a policy id (a UUID)"
);
tagged_id!(
    /// Names a trusted profile.
    ProfileId,
    "Profile-",
    "a trusted profile's id such as `Profile-<uuid>`"
);
tagged_id!(
    /// Names a link of a trusted profile to a compute resource.
    ProfileLinkId,
    "Link-",
    "the id of a link such as `Link-<uuid>`"
);
tagged_id!(
    /// Names an attachment of a configuration rule.
    RuleAttachmentId,
    "attachment-",
    "the id of an attachment such as `attachment-<uuid>`"
);
tagged_id!(
    /// Names a service ID.
    ServiceId,
    "ServiceId-",
    "a service ID such as `ServiceId-<uuid>`"
);
tagged_id!(
    /// Names a user of the account.
    UserId,
    "IBMid-",
    "a user id such as `IBMid-<uuid>`"
);

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|uuid| uuid.hyphenated().to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::{PolicyId, ServiceId};

    const UUID: &str = "ba934ca1-36a4-4d6c-a649-af45a2fc184b";

    #[test]
    fn the_tag_and_one_spelling_of_the_uuid_are_required() {
        assert!(ServiceId::parse(&format!("ServiceId-{UUID}")).is_ok());
        assert!(PolicyId::parse(UUID).is_ok());
        for wrong in
            [UUID.to_owned(), format!("serviceid-{UUID}"), format!("ServiceId-{}", UUID.to_uppercase())]
        {
            assert!(ServiceId::parse(&wrong).is_err(), "{wrong}");
        }
        assert!(PolicyId::parse(&UUID.replace('-', "")).is_err());
    }
}
