//! Zones and rules as the API of context-based restrictions writes them, and as the store keeps them.
//!
//! A document that says something that nothing here can obey is a mistake, never ignored: a rule that was meant for less
//! would restrict more, or the other way round.

use serde::{Deserialize, Serialize};

use super::block::Block;
use super::rule::{Attribute, EndpointType, Enforcement, Rule, RuleContext, Service, Target};
use super::zone::{Member, Zone, ZoneName};
use crate::ids::account::AccountId;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::ids::host::HostName;
use crate::ids::region::Region;
use crate::registry::name::Namespace;

/// What is wrong with a document, for people.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Mistake(pub String);

/// The most addresses, or exclusions, of one zone.
const ADDRESSES_MAX: usize = 1000;

/// The longest description.
const DESCRIPTION_MAX: usize = 300;

/// The most contexts of one rule.
const CONTEXTS_MAX: usize = 500;

/// A zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneDocument {
    /// Its name.
    pub name: String,
    /// Whose it is; the caller's, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Any text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who is in it.
    #[serde(default)]
    pub addresses: Vec<AddressDocument>,
    /// Who is not.
    #[serde(default)]
    pub excluded: Vec<AddressDocument>,
}

/// One entry of a zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AddressDocument {
    /// `ipAddress`, `ipRange`, `subnet`, `vpc` or `serviceRef`.
    #[serde(rename = "type")]
    pub kind: String,
    /// An address, a range, a subnet, or the CRN of a VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A service.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceDocument>,
}

/// A service of IBM Cloud.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceDocument {
    /// The account that it belongs to.
    pub account_id: String,
    /// What kind of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// Which instance of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_instance: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl ZoneDocument {
    /// The zone that it describes.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn zone(&self, id: ZoneId) -> Result<Zone, Mistake> {
        let name = ZoneName::parse(&self.name).map_err(|wrong| Mistake(wrong.to_string()))?;
        short(&self.description)?;
        if self.addresses.len() > ADDRESSES_MAX || self.excluded.len() > ADDRESSES_MAX {
            return Err(Mistake(format!("a zone has at most {ADDRESSES_MAX} addresses and exclusions")));
        }
        if self.addresses.is_empty() {
            return Err(Mistake("a zone has at least one address".to_owned()));
        }
        let members = self.addresses.iter().map(member).collect::<Result<_, _>>()?;
        let excluded = self.excluded.iter().map(|one| block(&one.kind, one.value.as_deref()));
        Ok(Zone { id, name, members, excluded: excluded.collect::<Result<_, _>>()? })
    }
}

impl AddressDocument {
    /// The entry for a block of addresses.
    #[must_use]
    pub fn of(block: &Block) -> Self {
        Self { kind: block.kind().to_owned(), value: Some(plain(block)), reference: None }
    }
}

/// As this API writes ranges: without spaces.
fn plain(block: &Block) -> String {
    block.to_string().replace(" - ", "-")
}

fn short(text: &str) -> Result<(), Mistake> {
    if text.chars().count() <= DESCRIPTION_MAX {
        return Ok(());
    }
    Err(Mistake(format!("a description has at most {DESCRIPTION_MAX} characters")))
}

fn member(entry: &AddressDocument) -> Result<Member, Mistake> {
    match (entry.kind.as_str(), &entry.value, &entry.reference) {
        ("vpc", Some(crn), None) if crn.starts_with("crn:") => Ok(Member::Vpc(crn.clone())),
        ("vpc", _, _) => Err(Mistake("a `vpc` has the CRN of a VPC as its `value`".to_owned())),
        ("serviceRef", None, Some(reference)) => Ok(Member::ServiceRef {
            account: reference.account_id.clone(),
            service: reference.service_name.clone().or_else(|| reference.service_type.clone()),
            instance: reference.service_instance.clone(),
            location: reference.location.clone(),
        }),
        ("serviceRef", _, _) => Err(Mistake("a `serviceRef` has a `ref` and no `value`".to_owned())),
        (kind, value, None) => block(kind, value.as_deref()).map(Member::Block),
        (_, _, Some(_)) => Err(Mistake("only a `serviceRef` has a `ref`".to_owned())),
    }
}

fn block(kind: &str, value: Option<&str>) -> Result<Block, Mistake> {
    let kinds = ["ipAddress", "ipRange", "subnet"];
    if !kinds.contains(&kind) {
        return Err(Mistake(format!("`{kind}` is no type of address here: use {}", kinds.join(", "))));
    }
    let text = value.ok_or_else(|| Mistake(format!("an `{kind}` has a `value`")))?;
    let block: Block = text.parse().map_err(|wrong: super::block::Wrong| Mistake(wrong.to_string()))?;
    if block.kind() == kind {
        return Ok(block);
    }
    Err(Mistake(format!("{text} is not of the type `{kind}` but `{}`", block.kind())))
}

/// A rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// Any text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// From where; none at all means from nowhere.
    #[serde(default)]
    pub contexts: Vec<ContextDocument>,
    /// What is restricted.
    pub resources: Vec<ResourceDocument>,
    /// Which parts of its API; all of them, here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<OperationsDocument>,
    /// `enabled`, `disabled` or `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement_mode: Option<String>,
}

/// One context.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContextDocument {
    /// All of these must match.
    pub attributes: Vec<AttributeDocument>,
}

/// One resource.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDocument {
    /// All of these must match.
    pub attributes: Vec<AttributeDocument>,
    /// Tags that it must have: nothing here has such tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<serde_json::Value>,
}

/// One attribute.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeDocument {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// How it is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// Parts of an API.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperationsDocument {
    /// The parts.
    pub api_types: Vec<ApiTypeDocument>,
}

/// One part of an API.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiTypeDocument {
    /// Its CRN.
    pub api_type_id: String,
}

/// The CRN that stands for the whole of an API.
pub const WHOLE_API: &str = "crn:v1:bluemix:public:context-based-restrictions::::api-type:";

impl RuleDocument {
    /// The rule that it describes, of this account.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn rule(&self, id: RuleId, account: &AccountId) -> Result<Rule, Mistake> {
        short(&self.description)?;
        if self.contexts.len() > CONTEXTS_MAX {
            return Err(Mistake(format!("a rule has at most {CONTEXTS_MAX} contexts")));
        }
        let parts = self.operations.iter().flat_map(|operations| &operations.api_types);
        if let Some(part) = parts.map(|part| &part.api_type_id).find(|part| *part != WHOLE_API) {
            return Err(Mistake(format!("rules are for the whole of an API: leave out {part}")));
        }
        let word = self.enforcement_mode.as_deref().unwrap_or(Enforcement::default().label());
        let mode = Enforcement::WORDS.into_iter().find_map(|(label, mode)| (label == word).then_some(mode));
        let modes = || Mistake("`enforcement_mode` is none of enabled, disabled and report".to_owned());
        let [resource] = self.resources.as_slice() else {
            return Err(Mistake("a rule has exactly one resource".to_owned()));
        };
        Ok(Rule {
            id,
            enforcement: mode.ok_or_else(modes)?,
            contexts: self.contexts.iter().map(context).collect::<Result<_, _>>()?,
            targets: vec![target(resource, account)?],
        })
    }
}

/// The single value of every attribute; each is compared for being the same text.
fn once<'a>(attributes: &'a [AttributeDocument], known: &[&str]) -> Result<Vec<(&'a str, &'a str)>, Mistake> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for attribute in attributes {
        let AttributeDocument { name, value, operator } = attribute;
        if !known.contains(&name.as_str()) {
            return Err(Mistake(format!("`{name}` is no attribute here: use {}", known.join(", "))));
        }
        if seen.iter().any(|(other, _)| other == name) {
            return Err(Mistake(format!("`{name}` is given twice: make a context or a rule for each")));
        }
        if operator.as_deref().is_some_and(|operator| operator != "stringEquals") {
            return Err(Mistake(format!("`{name}` can only be compared with stringEquals")));
        }
        seen.push((name, value));
    }
    Ok(seen)
}

fn context(document: &ContextDocument) -> Result<RuleContext, Mistake> {
    let known = ["networkZoneId", "endpointType", "mfa"];
    let attribute = |(name, value): (&str, &str)| match (name, value) {
        ("endpointType", "public") => Ok(Attribute::Endpoint(EndpointType::Public)),
        ("endpointType", "private") => Ok(Attribute::Endpoint(EndpointType::Private)),
        ("endpointType", "direct") => Ok(Attribute::Endpoint(EndpointType::Direct)),
        ("endpointType", other) => {
            Err(Mistake(format!("`{other}` is no endpoint type: use public, private or direct")))
        }
        ("networkZoneId", id) => {
            ZoneId::parse(id).map(Attribute::Zone).map_err(|wrong| Mistake(wrong.to_string()))
        }
        (_, level) => Ok(Attribute::Mfa(level.to_owned())),
    };
    let attributes = once(&document.attributes, &known)?.into_iter().map(attribute);
    let empty = || Mistake("a context has at least one attribute".to_owned());
    RuleContext::new(attributes.collect::<Result<_, _>>()?).ok_or_else(empty)
}

fn target(document: &ResourceDocument, account: &AccountId) -> Result<Target, Mistake> {
    if !document.tags.is_empty() {
        return Err(Mistake("resources have no tags here: name the resource by its attributes".to_owned()));
    }
    let known = ["accountId", "serviceName", "region", "geography", "registry", "resourceType", "resource"];
    let given = once(&document.attributes, &known)?;
    let value = |name: &str| given.iter().find_map(|(key, value)| (*key == name).then_some(*value));
    if value("accountId").is_some_and(|id| id != account.as_str()) {
        return Err(Mistake("`accountId` is not your account".to_owned()));
    }
    let service = match value("serviceName") {
        Some("container-registry") => Service::ContainerRegistry,
        Some("iam-identity") => Service::Identity,
        Some(other) => {
            return Err(Mistake(format!(
                "`{other}` is no service here: use container-registry or iam-identity"
            )));
        }
        None => return Err(Mistake("the resource lacks `serviceName`".to_owned())),
    };
    let namespace = match (value("resourceType"), value("resource")) {
        (None, None) => None,
        (Some("namespace"), Some(name)) => {
            Some(Namespace::parse(name).map_err(|wrong| Mistake(wrong.to_string()))?)
        }
        (_, _) => {
            return Err(Mistake(
                "`resourceType` is namespace, and comes with `resource`, its name".to_owned(),
            ));
        }
    };
    if !matches!(value("geography"), None | Some("global")) {
        return Err(Mistake("`geography` can only be global".to_owned()));
    }
    let region = match (value("region"), value("geography")) {
        (Some(_), Some(_)) => return Err(Mistake("give `region` or `geography`, not both".to_owned())),
        (Some(text), None) | (None, Some(text)) => Some(text),
        (None, None) => None,
    };
    let region = region.map(Region::parse).transpose().map_err(|wrong| Mistake(wrong.to_string()))?;
    let registry = value("registry").map(HostName::parse).transpose();
    let registry = registry.map_err(|wrong| Mistake(wrong.to_string()))?;
    let placed = region.is_some() || registry.is_some() || namespace.is_some();
    if service == Service::Identity && placed {
        return Err(Mistake("identities are in no region, registry or namespace".to_owned()));
    }
    Ok(Target { account: account.clone(), service, region, registry, namespace })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{RuleDocument, ZoneDocument};
    use crate::network::rule::Enforcement;

    fn zone(addresses: Value, excluded: Value) -> Result<(), String> {
        let body = json!({"name": "office", "addresses": addresses, "excluded": excluded});
        let document: ZoneDocument = serde_json::from_value(body).map_err(|wrong| wrong.to_string())?;
        let id = "65810ac762004f22ac19f8f8edf70a34".parse().unwrap();
        document.zone(id).map(|_| ()).map_err(|wrong| wrong.to_string())
    }

    fn rule(contexts: Value, resource: Value, more: Value) -> Result<Enforcement, String> {
        let mut body = json!({"contexts": contexts, "resources": [{"attributes": resource}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let document: RuleDocument = serde_json::from_value(body).map_err(|wrong| wrong.to_string())?;
        let id = "65810ac762004f22ac19f8f8edf70a34".parse().unwrap();
        let account = "123456789012".parse().unwrap();
        document.rule(id, &account).map(|rule| rule.enforcement).map_err(|wrong| wrong.to_string())
    }

    fn attributes(pairs: &[(&str, &str)]) -> Value {
        pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    }

    #[test]
    fn a_zone_is_read_or_its_mistake_named() {
        let one = |kind: &str, value: &str| json!([{"type": kind, "value": value}]);
        let service = json!([{"type": "serviceRef", "ref": {"account_id": "a", "service_name": "cos"}}]);
        for fine in [
            one("ipAddress", "192.0.2.1"),
            one("ipRange", "192.0.2.1-192.0.2.9"),
            one("subnet", "10.0.0.0/8"),
            one("vpc", "crn:v1:x"),
            service.clone(),
        ] {
            assert_eq!(zone(fine.clone(), json!([])), Ok(()), "{fine}");
        }
        for wrong in [
            json!([]),
            one("subnet", "192.0.2.1"),
            one("ipAddress", "10.0.0.0/8"),
            one("subnet", "10.0.0.5/8"),
            one("instance", "x"),
            one("vpc", "mine"),
            json!([{"type": "ipAddress"}]),
            json!([{"type": "ipAddress", "value": "192.0.2.1", "ref": {"account_id": "a"}}]),
            json!([{"type": "ipAddress", "value": "192.0.2.1", "port": 1}]),
        ] {
            assert!(zone(wrong.clone(), json!([])).is_err(), "{wrong}");
        }
        assert!(zone(one("ipAddress", "192.0.2.1"), service).is_err(), "only addresses are excluded");
    }

    #[test]
    fn a_rule_that_cannot_be_obeyed_as_it_is_meant_is_a_mistake() {
        let registry = || attributes(&[("serviceName", "container-registry")]);
        let private = || json!([{"attributes": attributes(&[("endpointType", "private")])}]);
        assert_eq!(rule(private(), registry(), json!({})), Ok(Enforcement::Enabled));
        assert_eq!(
            rule(json!([]), registry(), json!({"enforcement_mode": "report"})),
            Ok(Enforcement::Report)
        );
        let namespace =
            [("serviceName", "container-registry"), ("resourceType", "namespace"), ("resource", "a")];
        assert!(rule(private(), attributes(&namespace), json!({})).is_ok());
        for wrong in [
            &[("region", "us-south")][..],
            &[("serviceName", "cloud-object-storage")],
            &[("serviceName", "container-registry"), ("serviceName", "container-registry")],
            &[("serviceName", "container-registry"), ("resource", "a")],
            &[("serviceName", "container-registry"), ("resourceType", "repository"), ("resource", "a")],
            &[("serviceName", "container-registry"), ("accountId", "999999999999")],
            &[("serviceName", "container-registry"), ("serviceInstance", "x")],
            &[("serviceName", "container-registry"), ("region", "eu-de"), ("geography", "global")],
            &[("serviceName", "iam-identity"), ("region", "eu-de")],
        ] {
            assert!(rule(private(), attributes(wrong), json!({})).is_err(), "{wrong:?}");
        }
        let pattern =
            json!([{"name": "serviceName", "value": "container-registry", "operator": "stringMatch"}]);
        assert!(rule(private(), pattern, json!({})).is_err());
        for context in
            [attributes(&[]), attributes(&[("endpointType", "vpe")]), attributes(&[("networkZoneId", "x")])]
        {
            assert!(rule(json!([{"attributes": context}]), registry(), json!({})).is_err());
        }
        let part = json!({"operations": {"api_types": [{"api_type_id": "crn:x:data-plane"}]}});
        assert!(rule(private(), registry(), part).is_err());
        assert!(rule(private(), registry(), json!({"enforcement_mode": "on"})).is_err());
    }
}
