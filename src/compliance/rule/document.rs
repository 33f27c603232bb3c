//! A rule as it is written, and as the store keeps it: IBM's shape, every member of it, and no other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operator::{Operator, shown};
use super::property::Property;
use super::{Attribute, Condition, Enforcement, Mistake, Rule, Target};

/// The longest rule, as JSON.
const RULE_MAX: usize = 4096;
/// The longest name.
const NAME_MAX: usize = 32;
/// The longest description.
const DESCRIPTION_MAX: usize = 256;
/// The most labels, and the longest.
const LABELS_MAX: (usize, usize) = (32, 64);
/// The most comparisons of a rule.
const CONDITIONS_MAX: usize = 16;
/// The most comparisons or groups side by side.
const PROPERTIES_MAX: usize = 24;
/// The most attributes of a target.
const ATTRIBUTES_MAX: usize = 24;

/// A rule. The seed's example has a target and what is required, and nothing else.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// Whose it is; the caller's account, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `user_defined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_type: Option<String>,
    /// What it is about.
    pub target: TargetDocument,
    /// What must hold there.
    pub required_config: ConditionDocument,
    /// What becomes of changes that break it; if not said, they are reported.
    #[serde(default)]
    pub enforcement_actions: Vec<EnforcementDocument>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// What a rule is about.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDocument {
    /// `container-registry`.
    pub service_name: String,
    /// `service`.
    pub resource_kind: String,
    /// Which of its resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_target_attributes: Vec<AttributeDocument>,
}

/// One attribute of a target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeDocument {
    /// `registry` or `region`.
    pub name: String,
    /// `string_equals` and the like.
    pub operator: String,
    /// What it must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// A comparison, or several that are joined.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionDocument {
    /// Any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// All of these must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<Vec<ConditionDocument>>,
    /// One of these must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub or: Option<Vec<ConditionDocument>>,
}

/// What becomes of changes that break a rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EnforcementDocument {
    /// `audit_log` or `disallow`.
    pub action: Enforcement,
}

impl RuleDocument {
    /// The rule that it describes.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn rule(&self) -> Result<Rule, Mistake> {
        self.check_words()?;
        let mut count = 0;
        let condition = condition(&self.required_config, 0, &mut count)?;
        if count > CONDITIONS_MAX {
            return Err(Mistake(format!(
                "a rule has at most {CONDITIONS_MAX} conditions, this one has {count}"
            )));
        }
        let (targets, enforcement) = (self.targets()?, self.enforcement()?);
        Ok(Rule { targets, attachments: Vec::new(), condition, enforcement })
    }

    fn check_words(&self) -> Result<(), Mistake> {
        let long = |what: &str, text: Option<&String>, most: usize| match text {
            Some(text) if text.chars().count() > most => {
                Err(Mistake(format!("`{what}` has at most {most} characters")))
            }
            Some(_) | None => Ok(()),
        };
        long("name", self.name.as_ref(), NAME_MAX)?;
        long("description", self.description.as_ref(), DESCRIPTION_MAX)?;
        if let Some(kind) = self.rule_type.as_deref().filter(|kind| *kind != "user_defined") {
            return Err(Mistake(format!("`rule_type` is user_defined, not `{}`", shown(kind))));
        }
        let (most, longest) = LABELS_MAX;
        if self.labels.len() > most {
            return Err(Mistake(format!("a rule has at most {most} labels")));
        }
        let odd = |label: &&String| {
            label.is_empty() || label.chars().count() > longest || label.contains([',', '/'])
        };
        if let Some(label) = self.labels.iter().find(odd) {
            let text = format!(
                "the label `{}` is longer than {longest} characters, empty, or has `,` or `/` in it",
                shown(label)
            );
            return Err(Mistake(text));
        }
        let written = serde_json::to_string(self).map_err(|error| Mistake(error.to_string()))?;
        match written.chars().count() > RULE_MAX {
            true => Err(Mistake(format!("a rule has at most {RULE_MAX} characters"))),
            false => Ok(()),
        }
    }

    fn enforcement(&self) -> Result<Vec<Enforcement>, Mistake> {
        let actions: Vec<Enforcement> = self.enforcement_actions.iter().map(|one| one.action).collect();
        match actions.as_slice() {
            [first, second] if first == second => {
                Err(Mistake(format!("the enforcement action {} is there twice", first.label())))
            }
            [] | [_] | [_, _] => Ok(actions),
            _ => Err(Mistake("a rule has at most two enforcement actions".to_owned())),
        }
    }

    fn targets(&self) -> Result<Vec<Target>, Mistake> {
        let TargetDocument { service_name, resource_kind, additional_target_attributes } = &self.target;
        if service_name != "container-registry" || resource_kind != "service" {
            let text = format!(
                "rules are for `service_name` container-registry and `resource_kind` service here, not for `{}` and `{}`",
                shown(service_name),
                shown(resource_kind)
            );
            return Err(Mistake(text));
        }
        if additional_target_attributes.len() > ATTRIBUTES_MAX {
            return Err(Mistake(format!("a target has at most {ATTRIBUTES_MAX} attributes")));
        }
        additional_target_attributes.iter().map(target).collect()
    }
}

fn target(document: &AttributeDocument) -> Result<Target, Mistake> {
    let attribute = match document.name.as_str() {
        "region" => Attribute::Region,
        "registry" => Attribute::Registry,
        other => {
            return Err(Mistake(format!(
                "`{}` is no target attribute: use registry or region",
                shown(other)
            )));
        }
    };
    let operator = Operator::read(&document.operator, document.value.as_ref())?;
    match operator.is_of_text() {
        true => Ok(Target { attribute, operator }),
        false => Err(Mistake(format!("{} is compared as a text: use string_equals", document.name))),
    }
}

/// Reads a condition that stands so deep: a group may be in a group, and no deeper.
fn condition(document: &ConditionDocument, depth: usize, count: &mut usize) -> Result<Condition, Mistake> {
    if document.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX) {
        return Err(Mistake(format!("a description has at most {DESCRIPTION_MAX} characters")));
    }
    let mut group = |list: &[ConditionDocument], word: &str| {
        if depth >= 2 {
            return Err(Mistake("`and` and `or` are nested two deep at most".to_owned()));
        }
        if list.is_empty() || list.len() > PROPERTIES_MAX {
            return Err(Mistake(format!("`{word}` has between 1 and {PROPERTIES_MAX} conditions")));
        }
        list.iter().map(|one| condition(one, depth + 1, count)).collect::<Result<Vec<_>, _>>()
    };
    let ConditionDocument { description: _, property, operator, value, and, or } = document;
    match (property, operator, value, and, or) {
        (None, None, None, Some(all), None) => Ok(Condition::All(group(all, "and")?)),
        (None, None, None, None, Some(any)) => Ok(Condition::Any(group(any, "or")?)),
        (Some(property), Some(operator), value, None, None) => {
            *count += 1;
            one(property, operator, value.as_ref())
        }
        _ => Err(Mistake(
            "a condition has either `property` and `operator`, or `and`, or `or`, and no two of them"
                .to_owned(),
        )),
    }
}

fn one(name: &str, operator: &str, value: Option<&Value>) -> Result<Condition, Mistake> {
    let unknown = || {
        let known: Vec<&str> = Property::WORDS.iter().map(|(word, _)| *word).collect();
        Mistake(format!("`{}` is no property of container-registry: use {}", shown(name), known.join(", ")))
    };
    let property = Property::parse(name).ok_or_else(unknown)?;
    let operator_read = Operator::read(operator, value)?;
    match operator_read.fits(property.kind()) {
        true => Ok(Condition::One(property, operator_read)),
        false => Err(Mistake(format!("{name} is {}", property.kind().words()))),
    }
}
