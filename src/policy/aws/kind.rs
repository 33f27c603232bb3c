//! The kinds of document, with what each has and how large it may be. It reads no document.

use super::message::{Code, Invalid, Problem, Rule};

/// The longest `PolicyDocument` that the API reads, in characters.
pub const DOCUMENT_MAX: usize = 131_072;

/// What a document is for; this decides its elements and its size.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// An inline policy of a user, group or role. The sum of the owner's sizes is limited, see [`Owner`].
    Inline,
    /// A managed policy, also as a permissions boundary: 6,144 characters besides white space.
    Managed,
    /// An ECR registry policy: principals and resources; 10,240 characters.
    Registry,
    /// An ECR repository policy: principals, no resources; 10,240 characters.
    Repository,
    /// A session policy: an identity policy of 2,048 characters.
    Session,
    /// A role's trust policy: principals, no resources; 2,048 characters besides white space.
    Trust,
}

impl Kind {
    pub(super) const fn is_identity(self) -> bool {
        match self {
            Self::Inline | Self::Managed | Self::Session => true,
            Self::Registry | Self::Repository | Self::Trust => false,
        }
    }

    pub(super) const fn has_resources(self) -> bool {
        match self {
            Self::Inline | Self::Managed | Self::Registry | Self::Session => true,
            Self::Repository | Self::Trust => false,
        }
    }

    /// ECR says the same about everything that is wrong with a policy.
    pub(super) const fn only_answer(self) -> Option<&'static str> {
        match self {
            Self::Inline | Self::Managed | Self::Session | Self::Trust => None,
            Self::Registry => Some(
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'",
            ),
            Self::Repository => Some(
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
            ),
        }
    }

    pub(super) fn answer(self, problem: Problem) -> Invalid {
        match self.only_answer() {
            Some(words) => problem.answered(Code::InvalidParameterException, words.to_owned()),
            None => problem.spoken(),
        }
    }

    /// The limit that a text of this kind breaks.
    pub(super) fn excess(self, text: &str) -> Option<Rule> {
        let (counted, most, rule) = match self {
            Self::Inline => return None,
            Self::Managed => (size(text), 6_144, Rule::Quota("PolicySize", 6_144)),
            Self::Registry | Self::Repository => {
                (text.chars().count(), 10_240, Rule::Length("policyText", 10_240))
            }
            Self::Session => (text.chars().count(), 2_048, Rule::Length("policy", 2_048)),
            Self::Trust => (size(text), 2_048, Rule::Quota("ACLSizePerRole", 2_048)),
        };
        (counted > most).then_some(rule)
    }
}

/// Who has inline policies.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Owner {
    /// A group: 5,120 characters in all.
    Group,
    /// A role: 10,240.
    Role,
    /// A user: 2,048.
    User,
}

impl Owner {
    /// The most that the [`size`]s of all inline policies together may be.
    #[must_use]
    pub const fn inline_max(self) -> usize {
        match self {
            Self::Group => 5_120,
            Self::Role => 10_240,
            Self::User => 2_048,
        }
    }

    /// AWS's message of the code `LimitExceeded` when the inline policies of `name` are larger.
    #[must_use]
    pub fn inline_excess(self, name: &str) -> String {
        let owner = match self {
            Self::Group => "group",
            Self::Role => "role",
            Self::User => "user",
        };
        format!("Maximum policy size of {} bytes exceeded for {owner} {name}", self.inline_max())
    }
}

/// The size that quotas count: characters besides white space.
#[must_use]
pub fn size(text: &str) -> usize {
    // Of each character only the first byte counts; this is several times faster than `chars`.
    text.bytes().filter(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x80..0xC0)).count()
}
