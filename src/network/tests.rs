//! The decision: a table of what people expect, and random questions against a second implementation.

use proptest::prelude::*;

use super::allow_list::{AllowList, Allowed, Naming};
use super::decide::{Call, Facts, Place, PrivateSource, Refuser, Restrictions, decide};
use super::endpoint::Endpoint;
use super::rule::{Attribute, EndpointType, Enforcement, Rule, RuleContext, Service, Target};
use super::zone::{Member, Zone, ZoneName, Zones};
use crate::ids::account::AccountId;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

const ACCOUNT: &str = "123456789012";
const LOCAL: &str = "10.9.9.9";

fn zone_id(number: u8) -> ZoneId {
    format!("{number:032x}").parse().unwrap()
}

fn zone(number: u8, members: &str, excluded: &str) -> Zone {
    let blocks =
        |text: &str| text.split(',').filter(|one| !one.is_empty()).map(|one| one.parse().unwrap()).collect();
    let members: Vec<_> = blocks(members);
    Zone {
        id: zone_id(number),
        name: ZoneName::parse(&format!("zone-{number}")).unwrap(),
        members: members.into_iter().map(Member::Block).collect(),
        excluded: blocks(excluded),
    }
}

fn target() -> Target {
    Target {
        account: ACCOUNT.parse().unwrap(),
        service: Service::ContainerRegistry,
        region: None,
        registry: None,
        namespace: None,
    }
}

fn rule(number: u8, enforcement: Enforcement, contexts: Vec<Vec<Attribute>>, target: Target) -> Rule {
    let contexts = contexts.into_iter().filter_map(RuleContext::new).collect();
    Rule { id: format!("{number:032x}").parse().unwrap(), enforcement, contexts, targets: vec![target] }
}

/// Where requests of the tests go.
struct There {
    account: AccountId,
    registry: HostName,
    region: Region,
    namespace: Option<Namespace>,
}

impl There {
    fn new(namespace: Option<&str>) -> Self {
        Self {
            account: ACCOUNT.parse().unwrap(),
            registry: "us.registry.test".parse().unwrap(),
            region: "us-south".parse().unwrap(),
            namespace: namespace.map(|name| Namespace::parse(name).unwrap()),
        }
    }

    fn facts(&self, client: &str, endpoint: Endpoint, call: Kind) -> Facts<'_> {
        let place =
            Place { registry: &self.registry, region: &self.region, namespace: self.namespace.as_ref() };
        let call = match call {
            Kind::Images => Call::Images(place),
            Kind::Management => Call::Management(place),
            Kind::Identity => Call::Identity,
        };
        let (client, local) = (client.parse().unwrap(), LOCAL.parse().unwrap());
        Facts { client, local, endpoint, account: &self.account, call }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Images,
    Management,
    Identity,
}

fn nothing(zones: &Zones) -> Restrictions<'_> {
    let (account, principal, api_key) = (None, None, None);
    let private_source = PrivateSource::Client;
    Restrictions { account, principal, api_key, rules: &[], zones, private_only: false, private_source }
}

fn list(text: &str) -> Allowed {
    AllowList::parse(text, Naming::Zones).unwrap().unwrap().compile(&Zones::default())
}

#[test]
fn every_list_must_hold_the_client() {
    let (zones, there) = (Zones::default(), There::new(None));
    let (wide, narrow, one) = (list("10.0.0.0/8"), list("10.1.0.0/16"), list("10.1.2.3"));
    let all = Restrictions {
        account: Some(&wide),
        principal: Some(&narrow),
        api_key: Some(&one),
        ..nothing(&zones)
    };
    for (client, expected) in [
        ("10.1.2.3", None),
        ("::ffff:10.1.2.3", None),
        ("10.1.2.4", Some(Refuser::ApiKeyList)),
        ("10.2.2.3", Some(Refuser::PrincipalList)),
        ("11.1.2.3", Some(Refuser::AccountList)),
        ("2001:db8::1", Some(Refuser::AccountList)),
    ] {
        for kind in [Kind::Images, Kind::Management, Kind::Identity] {
            for endpoint in [Endpoint::Public, Endpoint::Private] {
                let decision = decide(there.facts(client, endpoint, kind), all);
                assert_eq!(decision.refused_by, expected, "{client} {kind:?}");
            }
        }
    }
    assert_eq!(
        decide(there.facts("8.8.8.8", Endpoint::Public, Kind::Images), nothing(&zones)).refused_by,
        None
    );
}

/// Seed 003: the list holds the registry's own private addresses, or the clients'.
#[test]
fn on_private_networks_lists_hold_clients_or_the_registry_itself() {
    let (zones, there) = (Zones::default(), There::new(None));
    let (clients, own) = (list("192.0.2.0/24"), list(LOCAL));
    let refused = |held: &Allowed, private_source, endpoint| {
        let account = Some(held);
        let restrictions = Restrictions { account, private_source, ..nothing(&zones) };
        decide(there.facts("192.0.2.7", endpoint, Kind::Images), restrictions).refused_by.is_some()
    };
    use PrivateSource::{Client, Endpoint as Own};
    assert!(!refused(&clients, Client, Endpoint::Private) && refused(&own, Client, Endpoint::Private));
    assert!(refused(&clients, Own, Endpoint::Private) && !refused(&own, Own, Endpoint::Private));
    for source in [Client, Own] {
        assert!(!refused(&clients, source, Endpoint::Public) && refused(&own, source, Endpoint::Public));
    }
}

#[test]
fn private_only_keeps_images_private_and_management_reachable() {
    let (zones, there) = (Zones::default(), There::new(Some("team")));
    let restrictions = Restrictions { private_only: true, ..nothing(&zones) };
    let refused = |endpoint, kind| decide(there.facts("192.0.2.7", endpoint, kind), restrictions).refused_by;
    assert_eq!(refused(Endpoint::Public, Kind::Images), Some(Refuser::PrivateOnly));
    assert_eq!(refused(Endpoint::Private, Kind::Images), None);
    for kind in [Kind::Management, Kind::Identity] {
        assert_eq!(refused(Endpoint::Public, kind), None);
    }
}

#[test]
fn any_context_allows_and_every_rule_must() {
    let zones = Zones::of(&[zone(1, "192.0.2.0/24", "192.0.2.9"), zone(2, "2001:db8::/32", "")]);
    let private = Attribute::Endpoint(EndpointType::Private);
    let (office, six) = (Attribute::Zone(zone_id(1)), Attribute::Zone(zone_id(2)));
    let team = Target { namespace: Some(Namespace::parse("team").unwrap()), ..target() };
    let rules = [
        rule(1, Enforcement::Enabled, vec![vec![office.clone()], vec![private.clone()]], target()),
        rule(2, Enforcement::Enabled, vec![vec![private, office], vec![six]], team),
    ];
    let (one, two) = (Some(Refuser::Rule(&rules[0].id)), Some(Refuser::Rule(&rules[1].id)));
    let restrictions = Restrictions { rules: &rules, ..nothing(&zones) };
    for (client, endpoint, namespace, expected) in [
        ("192.0.2.7", Endpoint::Public, None, None),
        ("192.0.2.7", Endpoint::Public, Some("other"), None),
        ("192.0.2.7", Endpoint::Public, Some("team"), two),
        ("192.0.2.7", Endpoint::Private, Some("team"), None),
        ("192.0.2.9", Endpoint::Public, None, one),
        ("192.0.2.9", Endpoint::Private, None, None),
        ("192.0.2.9", Endpoint::Private, Some("team"), two),
        ("2001:db8::1", Endpoint::Private, Some("team"), None),
        ("2001:db8::1", Endpoint::Public, Some("team"), one),
        ("8.8.8.8", Endpoint::Public, Some("team"), one),
    ] {
        let there = There::new(namespace);
        for kind in [Kind::Images, Kind::Management] {
            let decision = decide(there.facts(client, endpoint, kind), restrictions);
            assert_eq!(decision.refused_by, expected, "{client} {endpoint:?} {namespace:?}");
        }
        let identity = decide(there.facts(client, endpoint, Kind::Identity), restrictions);
        assert_eq!(identity.refused_by, None, "rules on registries leave identities alone");
    }
}

#[test]
fn what_cannot_be_true_here_refuses() {
    let (zones, there) = (Zones::default(), There::new(Some("team")));
    for (case, contexts) in [
        ("no context", vec![]),
        ("a context without attributes", vec![vec![]]),
        ("a direct endpoint", vec![vec![Attribute::Endpoint(EndpointType::Direct)]]),
        ("a second factor", vec![vec![Attribute::Mfa("LEVEL1".to_owned())]]),
        ("a zone that is gone", vec![vec![Attribute::Zone(zone_id(9))]]),
    ] {
        let rules = [rule(1, Enforcement::Enabled, contexts, target())];
        let restrictions = Restrictions { rules: &rules, ..nothing(&zones) };
        let decision = decide(there.facts("192.0.2.7", Endpoint::Private, Kind::Images), restrictions);
        assert_eq!(decision.refused_by, Some(Refuser::Rule(&rules[0].id)), "{case}");
    }
}

#[test]
fn report_mode_tells_and_does_not_refuse_and_disabled_does_neither() {
    let (zones, there) = (Zones::default(), There::new(None));
    let never = || vec![vec![Attribute::Endpoint(EndpointType::Private)]];
    let rules = [
        rule(1, Enforcement::Report, never(), target()),
        rule(2, Enforcement::Disabled, never(), target()),
        rule(3, Enforcement::Report, never(), target()),
    ];
    let restrictions = Restrictions { rules: &rules, ..nothing(&zones) };
    let told = decide(there.facts("192.0.2.7", Endpoint::Public, Kind::Images), restrictions);
    assert_eq!((told.refused_by, told.would_refuse), (None, vec![&rules[0].id, &rules[2].id]));
    let fine = decide(there.facts("192.0.2.7", Endpoint::Private, Kind::Images), restrictions);
    assert_eq!((fine.refused_by, fine.would_refuse), (None, vec![]));
}

#[test]
fn a_rule_is_about_what_all_of_its_target_names() {
    let zones = Zones::default();
    let other: AccountId = "999999999999".parse().unwrap();
    let there = There::new(Some("team"));
    let region = |name: &str| Some(name.parse::<Region>().unwrap());
    let registry = |name: &str| Some(name.parse::<HostName>().unwrap());
    for (named, applies) in [
        (target(), true),
        (Target { account: other, ..target() }, false),
        (Target { region: region("us-south"), registry: registry("us.registry.test"), ..target() }, true),
        (Target { region: region("eu-de"), ..target() }, false),
        (Target { registry: registry("eu.registry.test"), ..target() }, false),
        (Target { region: region("us-south"), registry: registry("eu.registry.test"), ..target() }, false),
        (Target { service: Service::Identity, ..target() }, false),
    ] {
        let rules = [rule(1, Enforcement::Enabled, vec![], named.clone())];
        let restrictions = Restrictions { rules: &rules, ..nothing(&zones) };
        let decision = decide(there.facts("192.0.2.7", Endpoint::Private, Kind::Images), restrictions);
        assert_eq!(decision.refused_by.is_some(), applies, "{named:?}");
    }
    let rules = [rule(1, Enforcement::Enabled, vec![], Target { service: Service::Identity, ..target() })];
    let restrictions = Restrictions { rules: &rules, ..nothing(&zones) };
    let decision = decide(there.facts("192.0.2.7", Endpoint::Private, Kind::Identity), restrictions);
    assert_eq!(decision.refused_by, Some(Refuser::Rule(&rules[0].id)));
}

/// Each a zone that must hold the client, and whether the network must be private.
type Contexts = Vec<(Option<u8>, Option<bool>)>;

/// A question in the fewest words: addresses are 10.0.0.N, zones and lists are sets of such numbers.
#[derive(Clone, Debug)]
struct Question {
    client: u8,
    private: bool,
    kind: Kind,
    namespace: Option<u8>,
    lists: [Option<Vec<u8>>; 3],
    zones: Vec<Vec<u8>>,
    /// Mode, namespace and contexts.
    rules: Vec<(u8, Option<u8>, Contexts)>,
    private_only: bool,
    own: bool,
}

fn questions() -> impl Strategy<Value = Question> {
    let numbers = || prop::collection::vec(0_u8..6, 1..5);
    let list = || prop::option::of(numbers());
    let context = (prop::option::of(0_u8..4), prop::option::of(any::<bool>()));
    let rule = (0_u8..3, prop::option::of(0_u8..2), prop::collection::vec(context, 0..3));
    let kind = prop_oneof![Just(Kind::Images), Just(Kind::Management), Just(Kind::Identity)];
    let asked = (0_u8..6, any::<bool>(), kind, prop::option::of(0_u8..3));
    let held = ([list(), list(), list()], prop::collection::vec(numbers(), 0..3));
    let rules = prop::collection::vec(rule, 0..4);
    (asked, held, rules, any::<bool>(), any::<bool>()).prop_map(|(asked, held, rules, private_only, own)| {
        let ((client, private, kind, namespace), (lists, zones)) = (asked, held);
        Question { client, private, kind, namespace, lists, zones, rules, private_only, own }
    })
}

/// What must come out: who refuses, as a number (0 to 2 for lists, 10 and up for rules, 100), and who would.
fn naive(question: &Question) -> (Option<usize>, Vec<usize>) {
    let Question { client, private, kind, namespace, .. } = question;
    let seen = if question.own && *private { 5 } else { *client };
    let mut refusals: Vec<usize> = Vec::new();
    for (number, list) in question.lists.iter().enumerate() {
        if let Some(list) = list
            && !list.contains(&seen)
        {
            refusals.push(number);
        }
    }
    let mut would = Vec::new();
    for (number, (mode, on, contexts)) in question.rules.iter().enumerate() {
        let about = *kind != Kind::Identity && (on.is_none() || on == namespace);
        let fits = contexts.iter().any(|(zone, network)| {
            let held =
                |zone: &u8| question.zones.get(usize::from(*zone)).is_some_and(|zone| zone.contains(client));
            let given = zone.is_some() || network.is_some();
            given && zone.as_ref().is_none_or(held) && network.is_none_or(|network| network == *private)
        });
        match mode {
            0 if about && !fits => refusals.push(10 + number),
            1 if about && !fits => would.push(number),
            _ => {}
        }
    }
    if question.private_only && *kind == Kind::Images && !private {
        refusals.push(100);
    }
    (refusals.first().copied(), would)
}

fn ours(question: &Question) -> (Option<usize>, Vec<usize>) {
    let blocks = |numbers: &[u8]| numbers.iter().map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>().join(",");
    let all: Vec<Zone> =
        (0..).zip(&question.zones).map(|(n, zone)| self::zone(n, &blocks(zone), "")).collect();
    let zones = Zones::of(&all);
    let lists =
        question.lists.each_ref().map(|numbers| numbers.as_ref().map(|numbers| list(&blocks(numbers))));
    let name = |n: &u8| Namespace::parse(&format!("team-{n}")).unwrap();
    let rules: Vec<Rule> = (0..)
        .zip(&question.rules)
        .map(|(number, (mode, on, contexts))| {
            let mode = [Enforcement::Enabled, Enforcement::Report, Enforcement::Disabled][usize::from(*mode)];
            let attributes = |(zone, network): &(Option<u8>, Option<bool>)| {
                let network = network.map(|private| {
                    Attribute::Endpoint(if private { EndpointType::Private } else { EndpointType::Public })
                });
                zone.map(|n| Attribute::Zone(zone_id(n))).into_iter().chain(network).collect()
            };
            let contexts = contexts.iter().map(attributes).collect();
            rule(number, mode, contexts, Target { namespace: on.as_ref().map(name), ..target() })
        })
        .collect();
    let there = There { namespace: question.namespace.as_ref().map(name), ..There::new(None) };
    let endpoint = if question.private { Endpoint::Private } else { Endpoint::Public };
    let mut facts = there.facts(&format!("10.0.0.{}", question.client), endpoint, question.kind);
    facts.local = "10.0.0.5".parse().unwrap();
    let [account, principal, api_key] = lists.each_ref().map(Option::as_ref);
    let private_source = if question.own { PrivateSource::Endpoint } else { PrivateSource::Client };
    let private_only = question.private_only;
    let restrictions = Restrictions {
        account,
        principal,
        api_key,
        rules: &rules,
        zones: &zones,
        private_only,
        private_source,
    };
    let decision = decide(facts, restrictions);
    let number = |id: &RuleId| rules.iter().position(|rule| rule.id == *id).unwrap();
    let refused = decision.refused_by.map(|refuser| match refuser {
        Refuser::AccountList => 0,
        Refuser::PrincipalList => 1,
        Refuser::ApiKeyList => 2,
        Refuser::Rule(id) => 10 + number(id),
        Refuser::PrivateOnly => 100,
    });
    (refused, decision.would_refuse.into_iter().map(number).collect())
}

proptest! {
    #[test]
    fn the_decision_is_that_of_a_second_implementation(question in questions()) {
        prop_assert_eq!(ours(&question), naive(&question));
    }

    /// Whatever restricts only takes away.
    #[test]
    fn fewer_restrictions_never_refuse_more(question in questions(), without in 0_usize..5) {
        let mut less = question.clone();
        match without {
            0..3 => less.lists[without] = None,
            3 => drop(less.rules.pop()),
            _ => less.private_only = false,
        }
        prop_assert!(ours(&question).0.is_some() || ours(&less).0.is_none());
    }
}
