//! Concrete ARNs: the principals, identities, policies and repositories that this product has names for.
//!
//! An ARN that parses is printed again as it was. Patterns are [`super::pattern`]'s, and whether the named thing exists
//! is nobody's concern here.

use std::fmt;

use crate::ids::Malformed;
use crate::ids::account::AccountId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;

/// The longest name of an identity or policy.
const NAME_MAX: usize = 128;

/// The longest path.
const PATH_MAX: usize = 512;

/// The name of a user, role, session, group or policy: 1 to 128 of `A-Z a-z 0-9 _ + = , . @ -`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(Box<str>);

impl Name {
    /// Parses a name. Shorter limits, such as 64 for users and roles, hold where things are created.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        let ok = (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(fits);
        ok.then(|| Self(text.into())).ok_or_else(|| {
            Malformed::new(text, "a name of 1 to 128 letters, digits and the characters `_+=,.@-`")
        })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an identity or policy is filed: `/`, or `/division/team/`; at most 512 printable ASCII characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path(Box<str>);

impl Path {
    /// Parses a path, with the slash at both ends.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let framed = text.starts_with('/') && text.ends_with('/');
        let fits = |b: u8| (0x21..=0x7F).contains(&b) && !b"*?:$".contains(&b);
        let ok = framed && text.len() <= PATH_MAX && text.bytes().all(fits);
        ok.then(|| Self(text.into()))
            .ok_or_else(|| Malformed::new(text, "a path such as `/` or `/division/team/`"))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A concrete ARN, of the partition `aws`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "the fields are the segments of the ARN that stands above them")]
pub enum Arn {
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`
    AssumedRole { account: AccountId, role: Name, session: Name },
    /// `arn:aws:iam::aws:policy/PATH/NAME`
    AwsPolicy { path: Path, name: Name },
    /// `arn:aws:sts::ACCOUNT:federated-user/NAME`
    FederatedUser { account: AccountId, name: Name },
    /// `arn:aws:iam::ACCOUNT:group/PATH/NAME`
    Group { account: AccountId, path: Path, name: Name },
    /// `arn:aws:iam::ACCOUNT:policy/PATH/NAME`
    Policy { account: AccountId, path: Path, name: Name },
    /// `arn:aws:ecr:REGION:ACCOUNT:repository/NAME`
    Repository { region: Region, account: AccountId, name: RepositoryName },
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`
    Role { account: AccountId, path: Path, name: Name },
    /// `arn:aws:iam::ACCOUNT:root`
    Root { account: AccountId },
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`
    User { account: AccountId, path: Path, name: Name },
}

impl Arn {
    /// Parses an ARN of one of the forms above.
    ///
    /// # Errors
    /// [`Malformed`] for any other text; wildcards are none of a concrete ARN.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let unknown = || Malformed::new(text, "the ARN of an identity, a policy or a repository");
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", "aws", service, region, account, rest] = *segments else { return Err(unknown()) };
        match (service, region, rest.split_once('/')) {
            ("iam", "", None) if rest == "root" => Ok(Self::Root { account: AccountId::parse(account)? }),
            ("iam", "", Some((kind, rest))) => Self::identity(account, kind, rest)?.ok_or_else(unknown),
            ("sts", "", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/').ok_or_else(unknown)?;
                let (role, session) = (Name::parse(role)?, Name::parse(session)?);
                Ok(Self::AssumedRole { account: AccountId::parse(account)?, role, session })
            }
            ("sts", "", Some(("federated-user", name))) => {
                Ok(Self::FederatedUser { account: AccountId::parse(account)?, name: Name::parse(name)? })
            }
            ("ecr", _, Some(("repository", name))) => Ok(Self::Repository {
                region: Region::parse(region)?,
                account: AccountId::parse(account)?,
                name: RepositoryName::parse(name)?,
            }),
            _ => Err(unknown()),
        }
    }

    /// What IAM itself names, by the first word of the last segment; `None` for an unknown word.
    fn identity(account: &str, kind: &str, rest: &str) -> Result<Option<Self>, Malformed> {
        let (path, name) = match rest.rsplit_once('/') {
            Some((path, name)) => (Path::parse(&format!("/{path}/"))?, Name::parse(name)?),
            None => (Path::parse("/")?, Name::parse(rest)?),
        };
        if (account, kind) == ("aws", "policy") {
            return Ok(Some(Self::AwsPolicy { path, name }));
        }
        let account = AccountId::parse(account)?;
        Ok(Some(match kind {
            "group" => Self::Group { account, path, name },
            "policy" => Self::Policy { account, path, name },
            "role" => Self::Role { account, path, name },
            "user" => Self::User { account, path, name },
            _ => return Ok(None),
        }))
    }

    /// The account that owns the thing; `None` for AWS's own policies.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::AssumedRole { account, .. }
            | Self::FederatedUser { account, .. }
            | Self::Group { account, .. }
            | Self::Policy { account, .. }
            | Self::Repository { account, .. }
            | Self::Role { account, .. }
            | Self::Root { account }
            | Self::User { account, .. } => Some(account),
            Self::AwsPolicy { .. } => None,
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut iam = |account: &str, kind: &str, path: &Path, name: &Name| {
            write!(f, "arn:aws:iam::{account}:{kind}{}{}", path.0, name.0)
        };
        match self {
            Self::AwsPolicy { path, name } => iam("aws", "policy", path, name),
            Self::Group { account, path, name } => iam(account.as_str(), "group", path, name),
            Self::Policy { account, path, name } => iam(account.as_str(), "policy", path, name),
            Self::Role { account, path, name } => iam(account.as_str(), "role", path, name),
            Self::User { account, path, name } => iam(account.as_str(), "user", path, name),
            Self::AssumedRole { account, role, session } => {
                write!(f, "arn:aws:sts::{account}:assumed-role/{}/{}", role.0, session.0)
            }
            Self::FederatedUser { account, name } => {
                write!(f, "arn:aws:sts::{account}:federated-user/{}", name.0)
            }
            Self::Repository { region, account, name } => {
                write!(f, "arn:aws:ecr:{region}:{account}:repository/{name}")
            }
            Self::Root { account } => write!(f, "arn:aws:iam::{account}:root"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn arns_are_printed_as_they_were_read() {
        for text in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/bob",
            "arn:aws:iam::123456789012:user/division/team/bob@example.com",
            "arn:aws:iam::123456789012:role/ecr_access_teama_role",
            "arn:aws:iam::123456789012:role/aws-service-role/ecr.amazonaws.com/R",
            "arn:aws:iam::123456789012:group/devs",
            "arn:aws:iam::123456789012:policy/p/x",
            "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
            "arn:aws:iam::aws:policy/service-role/X",
            "arn:aws:sts::123456789012:assumed-role/R/ECR-Access-Testing",
            "arn:aws:sts::123456789012:federated-user/bob",
            "arn:aws:ecr:us-west-2:123456789012:repository/team-a/alpine",
        ] {
            assert_eq!(Arn::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_single_thing_of_ours_is_refused() {
        for text in [
            "",
            "*",
            "arn:aws:iam::123456789012",
            "arn:aws:iam::123456789012:user",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:user/*",
            "arn:aws:iam::123456789012:user/a//",
            "arn:aws:iam::123456789012:root/x",
            "arn:aws:iam::aws:role/x",
            "arn:aws:iam:us-east-1:123456789012:user/bob",
            "arn:aws:iam::12345678901:user/bob",
            "arn:aws:iam::123456789012:mfa/bob",
            "arn:aws-cn:iam::123456789012:user/bob",
            "ARN:aws:iam::123456789012:user/bob",
            "arn:aws:sts::123456789012:assumed-role/R",
            "arn:aws:sts::123456789012:assumed-role/R/S/T",
            "arn:aws:ecr::123456789012:repository/x",
            "arn:aws:ecr:us-west-2:123456789012:repository/*",
            "arn:aws:ecr:us-west-2:123456789012:repository/X",
            "arn:aws:s3:::bucket",
        ] {
            assert!(Arn::parse(text).is_err(), "{text}");
        }
    }
}
