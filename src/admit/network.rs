//! Network first: whether a request may come from where it comes from, before anything else is decided about it.
//!
//! It only takes away. What is refused here is refused before any policy is read and before the upstream is asked.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use super::authenticate::REJECTION;
use super::caller::Caller;
use super::fault::Fault;
use super::gate::{Gate, Why};
use super::origin::Origin;
use super::refusal::Refusal;
use crate::ids::account::AccountId;
use crate::ids::cbr::RuleId;
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::network::decide::{Call, Facts, Place, PrivateSource, Refuser};
use crate::network::endpoint::Endpoint;
use crate::registry::name::Namespace;
use crate::view::network::{AccountNetwork, Own};

/// What the gate knows of networks from the configuration.
#[derive(Clone, Debug, Default)]
pub struct Premises {
    /// Which address allowlists hold on private networks.
    pub private_source: PrivateSource,
    /// What the registry of each region is called.
    pub registries: HashMap<Region, HostName>,
}

/// What a request wants, as far as networks matter.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// To push, pull or list images.
    Images(&'a Region, Option<&'a Namespace>),
    /// To manage a registry.
    Management(&'a Region, Option<&'a Namespace>),
    /// Identities and access, or a token.
    Identity,
}

/// What refused a request for where it came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Barrier {
    /// The account's list.
    AccountList,
    /// The list of the user or service ID.
    PrincipalList,
    /// The list of the API key.
    ApiKeyList,
    /// A rule.
    Rule(RuleId),
    /// The registry is reached over private networks only.
    PrivateOnly,
}

impl Barrier {
    /// How audit events name it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::AccountList => "allowlist:account".to_owned(),
            Self::PrincipalList => "allowlist:principal".to_owned(),
            Self::ApiKeyList => "allowlist:api_key".to_owned(),
            Self::Rule(id) => format!("cbr:{id}"),
            Self::PrivateOnly => "private_only".to_owned(),
        }
    }

    /// Whether it is a list: those say from where a credential is good.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        match self {
            Self::AccountList | Self::PrincipalList | Self::ApiKeyList => true,
            Self::Rule(_) | Self::PrivateOnly => false,
        }
    }
}

impl From<Refuser<'_>> for Barrier {
    fn from(refuser: Refuser<'_>) -> Self {
        match refuser {
            Refuser::AccountList => Self::AccountList,
            Refuser::PrincipalList => Self::PrincipalList,
            Refuser::ApiKeyList => Self::ApiKeyList,
            Refuser::Rule(id) => Self::Rule(id.clone()),
            Refuser::PrivateOnly => Self::PrivateOnly,
        }
    }
}

/// A refusal for where a request came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outside {
    /// What refused it.
    pub by: Barrier,
    /// The client.
    pub from: IpAddr,
    /// Whether the request reads as if its credential were no good: an API key that is tried from elsewhere tells nobody
    /// that it is one.
    pub veiled: bool,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from;
        match &self.by {
            Barrier::AccountList => write!(f, "{from} is not in the allowlist of the account"),
            Barrier::PrincipalList => write!(f, "{from} is not in the allowlist of the principal"),
            Barrier::ApiKeyList => write!(f, "{from} is not in the allowlist of the API key"),
            Barrier::Rule(id) => write!(f, "the context-based restriction {id} does not let {from} in"),
            Barrier::PrivateOnly => f.write_str("private-only access is enabled, and the network is public"),
        }
    }
}

impl Gate {
    /// Decides whether a request may come from where it comes from. What comes back are the rules in report mode that
    /// would have refused it.
    ///
    /// # Errors
    /// [`Refusal::Outside`], or [`Fault`] when the view cannot say.
    pub async fn network(&self, caller: &Caller, want: Want<'_>) -> Result<Vec<RuleId>, Why> {
        let network = self.view.network().await.map_err(Fault::from)?;
        let private_only = match want {
            Want::Images(region, _) => self.registry(region).await?.private_only,
            Want::Management(..) | Want::Identity => false,
        };
        let verdict = self.premises.verdict(&network, caller, want, private_only)?;
        if let Some(by) = verdict.refused_by {
            let veiled = by.is_list() && caller.issued_at.is_none();
            if veiled {
                tokio::time::sleep(REJECTION).await;
            }
            return Err(Refusal::Outside(Box::new(Outside { by, from: caller.from.ip(), veiled })).into());
        }
        Ok(verdict.would_refuse)
    }

    /// Decides what holds for everybody, before it is proven who asks: the account's list, and rules. Nothing that refuses
    /// here depends on whom a request names.
    ///
    /// # Errors
    /// [`Refusal::Outside`], or [`Fault`] when the view cannot say.
    pub async fn network_of_all(&self, origin: &Origin, want: Want<'_>, claimed: Claimed) -> Result<(), Why> {
        let network = self.view.network().await.map_err(Fault::from)?;
        let (account, own) = (&self.authenticator.account, Own::default());
        let stand =
            Stand { client: origin.from.ip(), local: origin.local, endpoint: origin.endpoint, account };
        let Some(by) = self.premises.judge(&network, stand, own, want)?.refused_by else { return Ok(()) };
        let veiled = by.is_list() && claimed == Claimed::Somebody;
        if veiled {
            tokio::time::sleep(REJECTION).await;
        }
        Err(Refusal::Outside(Box::new(Outside { by, from: stand.client, veiled })).into())
    }

    /// The namespaces whose images rules keep from the caller, who was let in for the registry.
    pub(super) async fn unreachable(
        &self,
        caller: &Caller,
        region: &Region,
    ) -> Result<HashSet<Namespace>, Fault> {
        let network = self.view.network().await?;
        let named = network
            .rules
            .iter()
            .flat_map(|rule| &rule.targets)
            .filter_map(|target| target.namespace.as_ref());
        let kept = named.filter(|name| !self.reaches(&network, caller, Want::Images(region, Some(name))));
        Ok(kept.cloned().collect())
    }

    /// Whether the caller may come from where it comes from, on what is known already; for filtering lists.
    pub(super) fn reaches(&self, network: &AccountNetwork, caller: &Caller, want: Want<'_>) -> bool {
        let verdict = self.premises.verdict(network, caller, want, false);
        verdict.is_ok_and(|verdict| verdict.refused_by.is_none())
    }
}

/// Whether a request says who makes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claimed {
    /// It does not.
    Nobody,
    /// It does, and what is wrong with that is told to nobody who stands outside.
    Somebody,
}

/// From where, to where, and whose.
#[derive(Clone, Copy)]
struct Stand<'a> {
    client: IpAddr,
    local: IpAddr,
    endpoint: Endpoint,
    account: &'a AccountId,
}

/// What the network says to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// What refuses it; `None` if nothing does.
    pub refused_by: Option<Barrier>,
    /// Rules in report mode that would have refused it.
    pub would_refuse: Vec<RuleId>,
}

impl Premises {
    /// Decides on what is given: never a permit.
    ///
    /// # Errors
    /// [`Fault`] for a region in which there is no registry.
    pub fn verdict(
        &self,
        network: &AccountNetwork,
        caller: &Caller,
        want: Want<'_>,
        private_only: bool,
    ) -> Result<Verdict, Fault> {
        let (principal, api_key) = caller.lists();
        self.verdict_with(network, caller, Own { principal, api_key, private_only }, want)
    }

    /// The same, with these lists in place of the caller's own.
    ///
    /// # Errors
    /// [`Fault`] for a region in which there is no registry.
    pub fn verdict_with(
        &self,
        network: &AccountNetwork,
        caller: &Caller,
        own: Own<'_>,
        want: Want<'_>,
    ) -> Result<Verdict, Fault> {
        let Caller { account, local, endpoint, .. } = caller;
        let stand = Stand { client: caller.from.ip(), local: *local, endpoint: *endpoint, account };
        self.judge(network, stand, own, want)
    }

    fn judge(
        &self,
        network: &AccountNetwork,
        stand: Stand<'_>,
        own: Own<'_>,
        want: Want<'_>,
    ) -> Result<Verdict, Fault> {
        let Stand { client, local, endpoint, account } = stand;
        let facts = Facts { client, local, endpoint, account, call: self.call(want)? };
        let decision = network.decide(facts, own, self.private_source);
        Ok(Verdict {
            refused_by: decision.refused_by.map(Barrier::from),
            would_refuse: decision.would_refuse.into_iter().cloned().collect(),
        })
    }

    /// The address that lists must hold for the caller.
    #[must_use]
    pub fn source(&self, caller: &Caller) -> IpAddr {
        self.private_source.of(caller.endpoint, caller.from.ip(), caller.local)
    }

    fn call<'a>(&'a self, want: Want<'a>) -> Result<Call<'a>, Fault> {
        let place = |region: &'a Region, namespace| {
            let unknown = || Fault::Internal(format!("no registry in {region}"));
            let registry = self.registries.get(region).ok_or_else(unknown)?;
            Ok::<_, Fault>(Place { registry, region, namespace })
        };
        Ok(match want {
            Want::Images(region, namespace) => Call::Images(place(region, namespace)?),
            Want::Management(region, namespace) => Call::Management(place(region, namespace)?),
            Want::Identity => Call::Identity,
        })
    }
}
