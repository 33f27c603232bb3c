//! AWS's ids: `AROA…` roles, `ANPA…` managed policies, `AKIA…` access keys, and `AIDA…`, `AGPA…` for what has an id already.
//!
//! Fresh ones carry their account as AWS's do: eight base32 digits, then one that tells whether the account is even. Users,
//! service IDs and groups keep the id that they are stored under; their AWS id is another spelling of its UUID.

use super::account::AccountId;
use super::principal::PrincipalId;
use super::tagged::AccessGroupId;
use super::{Malformed, text_type};
use crate::clock::Entropy;

/// The digits of AWS's ids, in order (RFC 4648 base32).
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What AWS adds to half of the account's number before it is written.
const OFFSET: u64 = 549_755_813_888;

/// Defines an id that is a prefix and so many capital letters and digits.
macro_rules! aws_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $digits:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses the prefix and what follows it.
            ///
            /// # Errors
            /// [`Malformed`] for any other text.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                let fits = |rest: &str| {
                    rest.len() == $digits && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                };
                let ok = text.strip_prefix($prefix).is_some_and(fits);
                ok.then(|| Self(text.into())).ok_or_else(|| Malformed::new(text, $expected))
            }

            /// The whole id, prefix included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_type!($name);
    };
    ($(#[$doc:meta])* fresh $name:ident, $prefix:literal, $digits:literal, $expected:literal) => {
        aws_id!($(#[$doc])* $name, $prefix, $digits, $expected);

        impl $name {
            /// Makes a fresh id that tells its account.
            #[must_use]
            pub fn fresh(account: &AccountId, entropy: &dyn Entropy) -> Self {
                Self(format!(concat!($prefix, "{}"), fresh(account, $digits, entropy)).into())
            }
        }
    };
}

aws_id!(
    /// Names an access key; public, unlike its secret.
    fresh AccessKeyId, "AKIA", 16, "an access key id such as `AKIAIOSFODNN7EXAMPLE`"
);
aws_id!(
    /// Names a group in AWS's dialect.
    GroupUniqueId, "AGPA", 17, "a group's unique id such as `AGPA…`"
);
aws_id!(
    /// Names a customer managed policy.
    fresh ManagedPolicyId, "ANPA", 17, "a policy's unique id such as `ANPA…`"
);
aws_id!(
    /// Names a role.
    fresh RoleId, "AROA", 17, "a role's unique id such as `AROA…`"
);
aws_id!(
    /// Names the access key of a session; public, like any key's.
    fresh SessionKeyId, "ASIA", 16, "a temporary access key id such as `ASIA…`"
);
aws_id!(
    /// Names a user or service ID in AWS's dialect.
    UserUniqueId, "AIDA", 17, "a user's unique id such as `AIDA…`"
);

impl AccessKeyId {
    /// The account that the id tells; `None` for one that was not made as ours and AWS's are.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        account(&self.0)
    }
}

impl SessionKeyId {
    /// The account that the id tells.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        account(&self.0)
    }
}

/// The account that an id tells; `None` for one that was not made as ours and AWS's are.
fn account(id: &str) -> Option<AccountId> {
    let mut digits = id.bytes().skip(4).map(|digit| DIGITS.iter().position(|d| *d == digit));
    let mut half = 0_u64;
    for digit in digits.by_ref().take(8) {
        half = half << 5 | u64::try_from(digit?).ok()?;
    }
    let odd = u64::from(digits.next()?? >= 16);
    let number = half.checked_sub(OFFSET)? * 2 + odd;
    AccountId::parse(&format!("{number:012}")).ok()
}

impl GroupUniqueId {
    /// The AWS id of a group.
    #[must_use]
    pub fn of(group: &AccessGroupId) -> Self {
        Self(format!("AGPA{}", respelt(group.as_str(), 17)).into())
    }
}

impl UserUniqueId {
    /// The AWS id of a principal. That of a service ID or trusted profile begins with a letter that no user's begins with; a role, which is no
    /// user and has an id of its own, would have one that nobody has.
    #[must_use]
    pub fn of(principal: &PrincipalId) -> Self {
        Self(match principal {
            PrincipalId::Profile(id) => format!("AIDAP{}", respelt(id.as_str(), 16)).into(),
            PrincipalId::ServiceId(id) => format!("AIDAS{}", respelt(id.as_str(), 16)).into(),
            PrincipalId::Role(id) => format!("AIDAR{}", respelt(id.as_str(), 16)).into(),
            PrincipalId::User(id) => format!("AIDA{}", respelt(id.as_str(), 17)).into(),
        })
    }
}

/// The last digits of the UUID at the end of `id`, in letters and digits that AWS's ids have. Of each but one, all bits are
/// random.
fn respelt(id: &str, digits: usize) -> String {
    let digits = id.bytes().rev().filter(|b| *b != b'-').take(digits);
    let mut respelt: Vec<char> = digits
        .map(|digit| match digit {
            b'0' => 'W',
            b'1' => 'X',
            b'8' => 'Y',
            b'9' => 'Z',
            other => char::from(other.to_ascii_uppercase()),
        })
        .collect();
    respelt.reverse();
    respelt.into_iter().collect()
}

fn fresh(account: &AccountId, length: usize, entropy: &dyn Entropy) -> String {
    let number: u64 = account.as_str().parse().unwrap_or_default();
    let mut random = vec![0; length.saturating_sub(8)];
    entropy.fill(&mut random);
    let half = number / 2 + OFFSET;
    let account = (0..8).rev().map(|place| u8::try_from(half >> (5 * place) & 31).unwrap_or_default());
    let first = |byte: u8| (byte & 15) | if number.is_multiple_of(2) { 0 } else { 16 };
    let random = random.iter().enumerate().map(|(at, byte)| if at == 0 { first(*byte) } else { byte & 31 });
    account.chain(random).filter_map(|digit| DIGITS.get(usize::from(digit))).map(|d| char::from(*d)).collect()
}

/// What names an OpenID Connect provider: its issuer's URL without `https://`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProviderUrl(Box<str>);

impl ProviderUrl {
    /// Parses `https://HOST[:PORT][/PATH]`, or the same without the scheme, as ARNs hold it; at most 255 bytes.
    ///
    /// # Errors
    /// [`Malformed`] for another scheme, a query, a fragment, user info or a host that is none.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an issuer such as `https://token.example.com/path`");
        let rest = text.strip_prefix("https://").unwrap_or(text);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let (name, port) = super::host::HostName::parse_with_port(host).map_err(|_| malformed())?;
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let path = path.map_or_else(String::new, |path| format!("/{path}"));
        let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!&'()+,;=:@".contains(&b));
        let url = format!("{name}{port}{path}");
        if plain && url.len() <= 255 { Ok(Self(url.into())) } else { Err(malformed()) }
    }

    /// The URL, without the scheme.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(ProviderUrl);

#[cfg(test)]
mod tests {
    use super::{AccessKeyId, GroupUniqueId, ProviderUrl, RoleId, UserUniqueId};
    use crate::clock::SequenceEntropy;
    use crate::ids::account::AccountId;
    use crate::ids::principal::PrincipalId;
    use crate::ids::tagged::AccessGroupId;

    const UUID: &str = "ba934ca1-36a4-4d6c-a649-af45a2fc1890";

    #[test]
    fn an_access_key_id_tells_its_account() {
        for account in ["123456789012", "123456789013", "000000000000", "999999999999"] {
            let account = AccountId::parse(account).unwrap();
            let id = AccessKeyId::fresh(&account, &SequenceEntropy::seeded(1));
            assert_eq!(AccessKeyId::parse(id.as_str()), Ok(id.clone()));
            assert_eq!(id.account(), Some(account));
        }
        let known = AccessKeyId::parse("AKIAQYLPMN5HAAAAAAAA").unwrap();
        assert_eq!(known.account(), AccountId::parse("052310077262").ok());
        let foreign = AccessKeyId::parse("AKIA0000000000000000").unwrap();
        assert_eq!(foreign.account(), None);
    }

    #[test]
    fn fresh_ids_differ_and_have_twenty_one_characters() {
        let (account, entropy) = (AccountId::parse("123456789012").unwrap(), SequenceEntropy::seeded(1));
        let (one, two) = (RoleId::fresh(&account, &entropy), RoleId::fresh(&account, &entropy));
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), 21);
        for wrong in ["", "AROA", "AIDAAAAAAAAAAAAAAAAAA", "AROAaaaaaaaaaaaaaaaaa", "AROAAAAAAAAAAAAAAAAA"] {
            assert!(RoleId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_has_an_id_already_is_only_spelt_anew() {
        let user = PrincipalId::parse(&format!("IBMid-{UUID}")).unwrap();
        let service = PrincipalId::parse(&format!("iam-ServiceId-{UUID}")).unwrap();
        assert_eq!(UserUniqueId::of(&user).as_str(), "AIDACA64ZAF45A2FCXYZW");
        assert_eq!(UserUniqueId::of(&service).as_str(), "AIDASA64ZAF45A2FCXYZW");
        let group = GroupUniqueId::of(&AccessGroupId::parse(&format!("AccessGroupId-{UUID}")).unwrap());
        assert_eq!(GroupUniqueId::parse(group.as_str()), Ok(group));
    }

    #[test]
    fn an_issuer_has_one_spelling() {
        let url = ProviderUrl::parse("https://Token.Example.com:8443/org/x/").unwrap();
        assert_eq!(url.as_str(), "token.example.com:8443/org/x");
        assert_eq!(ProviderUrl::parse(url.as_str()), Ok(url));
        for wrong in
            ["", "http://a.test", "https://u@a.test", "https://a.test/?q", "https://a.test/#f", "a b"]
        {
            assert!(ProviderUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
