//! Rules against registries: which they are about, whether they hold, and what a change would break.

use super::operator::Operator;
use super::property::{Property, Value};
use super::{Attribute, Condition, Rule, Target};
use crate::compliance::facts::{Facts, Registry};
use crate::compliance::verdict::{Judged, Judgement, Status};
use crate::ids::region::Region;

/// The hosts of IBM's own registries, by region: rules that name one are about the registry of that region here.
const ICR: [(&str, &str); 11] = [
    ("au-syd", "au.icr.io"),
    ("br-sao", "br.icr.io"),
    ("ca-mon", "ca2.icr.io"),
    ("ca-tor", "ca.icr.io"),
    ("eu-de", "de.icr.io"),
    ("eu-es", "es.icr.io"),
    ("eu-gb", "uk.icr.io"),
    ("global", "icr.io"),
    ("jp-osa", "jp2.icr.io"),
    ("jp-tok", "jp.icr.io"),
    ("us-south", "us.icr.io"),
];

/// The host of IBM's own registry of that region.
pub(super) fn ibms_host(region: &Region) -> Option<&'static str> {
    ICR.iter().find_map(|(known, host)| (*known == region.as_str()).then_some(*host))
}

impl Target {
    fn fits(&self, registry: &Registry) -> bool {
        let texts: Vec<String> = match self.attribute {
            Attribute::Region => vec![registry.region.to_string()],
            Attribute::Registry => {
                let ibms = ibms_host(&registry.region).map(str::to_owned);
                registry.names.iter().cloned().chain(ibms).collect()
            }
        };
        let mut values = texts.into_iter().map(Value::Text);
        match self.operator.is_negated() {
            true => values.all(|value| self.operator.holds(&value)),
            false => values.any(|value| self.operator.holds(&value)),
        }
    }
}

impl Condition {
    fn holds(&self, value: &dyn Fn(Property) -> Value) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(value)),
            Self::Any(any) => any.iter().any(|one| one.holds(value)),
            Self::One(property, operator) => operator.holds(&value(*property)),
        }
    }

    /// The comparisons, in order.
    fn comparisons(&self) -> Vec<(Property, &Operator)> {
        match self {
            Self::All(several) | Self::Any(several) => several.iter().flat_map(Self::comparisons).collect(),
            Self::One(property, operator) => vec![(*property, operator)],
        }
    }

    /// It in words.
    #[must_use]
    pub fn words(&self) -> String {
        let joined = |several: &[Self], by: &str| {
            let word = |one: &Self| match one {
                Self::One(..) => one.words(),
                Self::All(_) | Self::Any(_) => format!("({})", one.words()),
            };
            several.iter().map(word).collect::<Vec<_>>().join(by)
        };
        match self {
            Self::All(all) => joined(all, " and "),
            Self::Any(any) => joined(any, " or "),
            Self::One(property, operator) => format!("{} {}", property.name(), operator.words()),
        }
    }
}

impl Rule {
    /// Whether it is about this registry.
    #[must_use]
    pub fn is_about(&self, registry: &Registry) -> bool {
        let attached = self.attachments.is_empty() || self.attachments.iter().any(|one| one.is_for(registry));
        attached && self.targets.iter().all(|target| target.fits(registry))
    }

    /// Judges it: one result for each registry that it is about.
    #[must_use]
    pub fn judge(&self, facts: &Facts) -> Judgement {
        let about = facts.registries.iter().filter(|registry| self.is_about(registry));
        let judged = |registry: &Registry| {
            let holds = self.condition.holds(&|property| property.of(registry, facts));
            Judged {
                resource: format!(
                    "crn:v1:bluemix:public:container-registry:{}:a/{}:::",
                    registry.region, facts.account
                ),
                status: if holds { Status::Pass } else { Status::Fail },
                found: self.found(registry, facts),
                fix: if holds { String::new() } else { self.fix(registry, facts) },
            }
        };
        Judgement { expected: self.condition.words(), resources: about.map(judged).collect() }
    }

    fn found(&self, registry: &Registry, facts: &Facts) -> String {
        let mut told: Vec<String> = Vec::new();
        for (property, _) in self.condition.comparisons() {
            let text = format!("{} is {}", property.name(), property.of(registry, facts));
            if !told.contains(&text) {
                told.push(text);
            }
        }
        format!("{} in {}", told.join(", "), registry.region)
    }

    fn fix(&self, registry: &Registry, facts: &Facts) -> String {
        let broken =
            |(property, operator): &(Property, &Operator)| !operator.holds(&property.of(registry, facts));
        let command =
            self.condition.comparisons().into_iter().find(broken).and_then(|(property, operator)| {
                let switch = if *operator == Operator::IsTrue { "--enable" } else { "--disable" };
                match property {
                    Property::IamAuthz if *operator == Operator::IsTrue => {
                        Some("cr iam-policies-enable".to_owned())
                    }
                    Property::IamAuthz => None,
                    Property::PrivateOnly => Some(format!("cr private-only {switch}")),
                    Property::PlatformMetrics => Some(format!("cr platform-metrics {switch}")),
                    Property::AllowedIpAddresses => Some("iam account-settings-update --help".to_owned()),
                    Property::StorageQuota | Property::TrafficQuota => Some("cr quota-set --help".to_owned()),
                }
            });
        command.map_or_else(String::new, |command| {
            format!("portcullis cr region-set {} && portcullis {command}", registry.region)
        })
    }

    /// The registries in which a change from `before` to `after` breaks it: where it held and does not, or did not and now
    /// misses more.
    #[must_use]
    pub fn broken_by<'f>(&self, before: &Facts, after: &'f Facts) -> Vec<&'f Registry> {
        let breaks = |new: &&Registry| {
            let old = before.registries.iter().find(|old| old.region == new.region);
            let misses = |registry: &Registry, facts: &Facts| -> Vec<usize> {
                let all = self.condition.comparisons().into_iter().enumerate();
                let missed =
                    all.filter(|(_, (property, operator))| !operator.holds(&property.of(registry, facts)));
                missed.map(|(at, _)| at).collect()
            };
            let holds = |registry: &Registry, facts: &Facts| {
                self.condition.holds(&|property| property.of(registry, facts))
            };
            let worse = |old: &Registry| {
                let known = misses(old, before);
                holds(old, before) || misses(new, after).iter().any(|at| !known.contains(at))
            };
            self.is_about(new) && !holds(new, after) && old.is_none_or(worse)
        };
        after.registries.iter().filter(breaks).collect()
    }

    /// How the names of actions begin that can turn its verdict.
    #[must_use]
    pub fn causes(&self) -> Vec<&'static str> {
        let of_properties =
            self.condition.comparisons().into_iter().flat_map(|(property, _)| property.causes());
        of_properties.copied().chain(["compliance.configuration-governance"]).collect()
    }
}
