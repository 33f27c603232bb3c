//! Who asks, and how closely a statement of a resource's policy names them.
//!
//! Three readings where AWS's documents leave room. An Allow to everyone but some (`NotPrincipal`) reaches those who
//! sign as `*` does, and nobody else. In a trust policy an Allow to `*` reaches those who sign. Neither grants to a web
//! identity, which only its provider's ARN names.

use crate::ids::account::AccountId;
use crate::policy::aws::document::{Effect, Principal, PrincipalClause};

/// Who asks.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A session of `GetFederationToken`: what its user has, cut by a session policy; without one, nothing.
    FederatedUser {
        /// Where it belongs.
        account: AccountId,
        /// `arn:aws:sts::A:federated-user/NAME`
        arn: Box<str>,
    },
    /// A session of `AssumeRole`, or of a trusted profile.
    RoleSession {
        /// Where it belongs.
        account: AccountId,
        /// `AROA…`: what a saved policy holds in the role's place.
        id: Box<str>,
        /// `arn:aws:iam::A:role/PATH/NAME`
        role: Box<str>,
        /// `arn:aws:sts::A:assumed-role/NAME/SESSION`
        session: Box<str>,
    },
    /// The account itself.
    Root {
        /// Which.
        account: AccountId,
    },
    /// A user or service ID with a long-term credential, or a session of `GetSessionToken`.
    User {
        /// Where it belongs.
        account: AccountId,
        /// `arn:aws:iam::A:user/PATH/NAME`
        arn: Box<str>,
        /// `AIDA…`
        id: Box<str>,
    },
    /// Someone with a token of an identity provider who asks for `sts:AssumeRoleWithWebIdentity`.
    WebIdentity {
        /// `arn:aws:iam::A:oidc-provider/HOST/PATH`
        provider: Box<str>,
    },
}

impl Caller {
    /// The account that the caller belongs to.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Anonymous | Self::WebIdentity { .. } => None,
            Self::FederatedUser { account, .. }
            | Self::RoleSession { account, .. }
            | Self::Root { account }
            | Self::User { account, .. } => Some(account),
        }
    }

    /// Whether the caller proved to be someone of an account.
    #[must_use]
    pub const fn signs(&self) -> bool {
        self.account().is_some()
    }

    /// Whether policies of the caller's own are asked.
    pub(super) const fn has_policies(&self) -> bool {
        match self {
            Self::Anonymous | Self::Root { .. } | Self::WebIdentity { .. } => false,
            Self::FederatedUser { .. } | Self::RoleSession { .. } | Self::User { .. } => true,
        }
    }
}

/// How closely a caller is named, from afar to near.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Closeness {
    /// The account: it delegates, and identity policies must allow.
    Account,
    /// The role of the session: identity policies need not allow, boundary and session policies must.
    Role,
    /// The user, the session, the provider, or everyone.
    Direct,
}

/// A statement's `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub(super) struct Principals {
    negated: bool,
    everyone: bool,
    names: Box<[Name]>,
}

#[derive(Clone, Debug)]
enum Name {
    Account(AccountId),
    /// An ARN or a unique id.
    Identity(Box<str>),
    Provider(Box<str>),
}

impl Principals {
    pub(super) fn compile(clause: &PrincipalClause) -> Self {
        let name = |principal: &Principal| match principal {
            Principal::Account(account) => Some(Name::Account(account.clone())),
            Principal::Arn(arn) => Some(Name::Identity(arn.to_string().into())),
            Principal::Federated(provider) => Some(Name::Provider(provider.clone())),
            Principal::UniqueId(id) => Some(Name::Identity(id.clone())),
            // Nobody here is an AWS service or has a canonical id.
            Principal::Any | Principal::CanonicalUser(_) | Principal::Service(_) => None,
        };
        Self {
            negated: clause.negated,
            everyone: clause.principals.contains(&Principal::Any),
            names: clause.principals.iter().filter_map(name).collect(),
        }
    }

    /// How they name the caller; `None` if they do not. `trust`: in a trust policy. `bounded`: the caller has a
    /// permissions boundary, against which `NotPrincipal` spares nobody.
    pub(super) fn names(
        &self,
        effect: Effect,
        caller: &Caller,
        trust: bool,
        bounded: bool,
    ) -> Option<Closeness> {
        let closest = self.names.iter().filter_map(|name| name.closeness(caller)).max();
        let denies = effect == Effect::Deny;
        if self.negated {
            let outside = !self.everyone && closest.is_none();
            let reaches = if denies { outside || bounded } else { outside && caller.signs() };
            return reaches.then_some(Closeness::Direct);
        }
        let star = caller.signs() || (!trust && *caller == Caller::Anonymous);
        closest.or((self.everyone && (denies || star)).then_some(Closeness::Direct))
    }
}

impl Name {
    fn closeness(&self, caller: &Caller) -> Option<Closeness> {
        match (self, caller) {
            (Self::Account(account), _) => (caller.account() == Some(account)).then_some(Closeness::Account),
            (Self::Provider(name), Caller::WebIdentity { provider }) => {
                (name == provider).then_some(Closeness::Direct)
            }
            (Self::Identity(name), Caller::User { arn, id, .. }) => {
                (name == arn || name == id).then_some(Closeness::Direct)
            }
            (Self::Identity(name), Caller::FederatedUser { arn, .. }) => {
                (name == arn).then_some(Closeness::Direct)
            }
            (Self::Identity(name), Caller::RoleSession { id, role, session, .. }) => {
                let of_role = (name == role || name == id).then_some(Closeness::Role);
                if name == session { Some(Closeness::Direct) } else { of_role }
            }
            (Self::Identity(_), Caller::Anonymous | Caller::Root { .. } | Caller::WebIdentity { .. })
            | (Self::Provider(_), _) => None,
        }
    }
}
