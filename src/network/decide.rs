//! The network decision: one total function from what is known of a request to whether it may come from there.
//!
//! Everything that restricts must allow: the lists of account, principal and key, the rules, and `private_only`. It only
//! takes away; what policies say is decided after it.

use std::net::IpAddr;

use super::allow_list::Allowed;
use super::endpoint::Endpoint;
use super::rule::{Attribute, EndpointType, Enforcement, Rule, RuleContext, Service, Target};
use super::zone::Zones;
use crate::ids::account::AccountId;
use crate::ids::cbr::RuleId;
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The client.
    pub client: IpAddr,
    /// Our end of the connection: the registry's own address on that network.
    pub local: IpAddr,
    /// The listener's network.
    pub endpoint: Endpoint,
    /// Whose resources it is about.
    pub account: &'a AccountId,
    /// What it wants.
    pub call: Call<'a>,
}

/// What a request wants, as far as networks matter.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// To push, pull or list images.
    Images(Place<'a>),
    /// To manage a registry: namespaces, settings.
    Management(Place<'a>),
    /// Identities and access, or a token.
    Identity,
}

/// Where in the registries something is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The registry, by its configured name.
    pub registry: &'a HostName,
    /// Its region.
    pub region: &'a Region,
    /// The namespace; `None` for what is in none.
    pub namespace: Option<&'a Namespace>,
}

/// Everything that restricts from where a request may come.
#[derive(Clone, Copy, Debug)]
pub struct Restrictions<'a> {
    /// The account's list.
    pub account: Option<&'a Allowed>,
    /// The list of the user or service ID.
    pub principal: Option<&'a Allowed>,
    /// The list of the very API key.
    pub api_key: Option<&'a Allowed>,
    /// The account's rules.
    pub rules: &'a [Rule],
    /// Its zones.
    pub zones: &'a Zones,
    /// Whether images of this account and registry may only be reached over private networks.
    pub private_only: bool,
    /// Which address lists are asked for on private networks.
    pub private_source: PrivateSource,
}

/// Which address allowlists hold on private networks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PrivateSource {
    /// The client's, as IBM Cloud does since May 2022.
    #[default]
    Client,
    /// The registry's own there, as it did before.
    Endpoint,
}

impl PrivateSource {
    /// The address that lists must hold.
    #[must_use]
    pub fn of(self, endpoint: Endpoint, client: IpAddr, local: IpAddr) -> IpAddr {
        match (endpoint, self) {
            (Endpoint::Private, Self::Endpoint) => local,
            (Endpoint::Private, Self::Client) | (Endpoint::Public, _) => client,
        }
    }
}

/// Whether a request may come from where it comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct NetworkDecision<'a> {
    /// What refused it first; `None` if nothing did.
    pub refused_by: Option<Refuser<'a>>,
    /// Rules in report mode that would have refused it.
    pub would_refuse: Vec<&'a RuleId>,
}

/// What refuses a request for where it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refuser<'a> {
    /// The account's list.
    AccountList,
    /// The list of the user or service ID.
    PrincipalList,
    /// The list of the API key.
    ApiKeyList,
    /// A rule.
    Rule(&'a RuleId),
    /// The registry is reached over private networks only.
    PrivateOnly,
}

impl std::fmt::Display for Refuser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AccountList => f.write_str("the allowlist of the account"),
            Self::PrincipalList => f.write_str("the allowlist of the principal"),
            Self::ApiKeyList => f.write_str("the allowlist of the API key"),
            Self::Rule(id) => write!(f, "the context-based restriction {}", id.as_str()),
            Self::PrivateOnly => f.write_str("private_only"),
        }
    }
}

/// Decides.
pub fn decide<'a>(facts: Facts<'_>, restrictions: Restrictions<'a>) -> NetworkDecision<'a> {
    let source = restrictions.private_source.of(facts.endpoint, facts.client, facts.local);
    let lists = [
        (restrictions.account, Refuser::AccountList),
        (restrictions.principal, Refuser::PrincipalList),
        (restrictions.api_key, Refuser::ApiKeyList),
    ];
    let outside = |(list, refuser): (Option<&Allowed>, _)| {
        list.is_some_and(|allowed| !allowed.contains(source)).then_some(refuser)
    };
    let mut refused_by = lists.into_iter().find_map(outside);
    let mut would_refuse = Vec::new();
    for rule in restrictions.rules {
        if rule.enforcement == Enforcement::Disabled || !applies(rule, facts) {
            continue;
        }
        if rule.contexts.iter().any(|context| matches(context, facts, restrictions.zones)) {
            continue;
        }
        match rule.enforcement {
            Enforcement::Enabled => refused_by = refused_by.or(Some(Refuser::Rule(&rule.id))),
            Enforcement::Report => would_refuse.push(&rule.id),
            Enforcement::Disabled => {}
        }
    }
    let images = matches!(facts.call, Call::Images(_));
    if restrictions.private_only && images && facts.endpoint == Endpoint::Public {
        refused_by = refused_by.or(Some(Refuser::PrivateOnly));
    }
    NetworkDecision { refused_by, would_refuse }
}

fn applies(rule: &Rule, facts: Facts<'_>) -> bool {
    rule.targets.iter().any(|target| target.account == *facts.account && covers(target, facts.call))
}

/// Whether a call is about what a target names.
fn covers(target: &Target, call: Call<'_>) -> bool {
    let place = match (target.service, call) {
        (Service::ContainerRegistry, Call::Images(place) | Call::Management(place)) => place,
        // Identities are in no region, registry or namespace.
        (Service::Identity, Call::Identity) => {
            return target.region.is_none() && target.registry.is_none() && target.namespace.is_none();
        }
        (Service::ContainerRegistry, Call::Identity)
        | (Service::Identity, Call::Images(_) | Call::Management(_)) => return false,
    };
    target.region.as_ref().is_none_or(|region| region == place.region)
        && target.registry.as_ref().is_none_or(|registry| registry == place.registry)
        && target.namespace.as_ref().is_none_or(|namespace| place.namespace == Some(namespace))
}

fn matches(context: &RuleContext, facts: Facts<'_>, zones: &Zones) -> bool {
    context.attributes().iter().all(|attribute| match attribute {
        Attribute::Endpoint(EndpointType::Private) => facts.endpoint == Endpoint::Private,
        Attribute::Endpoint(EndpointType::Public) => facts.endpoint == Endpoint::Public,
        Attribute::Endpoint(EndpointType::Direct) | Attribute::Mfa(_) => false,
        Attribute::Zone(id) => zones.get(id).is_some_and(|zone| zone.contains(facts.client)),
    })
}
