//! The grammar of rules: what is read, what is refused and why, and what each operator says.

use serde_json::{Value, json};

use super::document::RuleDocument;
use crate::compliance::check::tests::facts;
use crate::compliance::facts::Facts;
use crate::compliance::verdict::Status;

/// The rule of the documentation, to the letter.
pub(super) const SEED: &str = include_str!("seed_rule.json");

fn read(document: Value) -> Result<super::Rule, String> {
    let document: RuleDocument = serde_json::from_value(document).map_err(|error| error.to_string())?;
    document.rule().map_err(|mistake| mistake.0)
}

fn of(required: Value) -> Value {
    let target = json!({"service_name": "container-registry", "resource_kind": "service"});
    json!({"target": target, "required_config": required})
}

fn status(required: Value, facts: &Facts) -> Status {
    read(of(required)).unwrap().judge(facts).status()
}

fn is(property: &str, operator: &str) -> Value {
    json!({"property": property, "operator": operator})
}

#[test]
fn the_documentations_rule_is_about_the_registry_of_us_south_under_whatever_name() {
    let rule = read(serde_json::from_str(SEED).unwrap()).unwrap();
    let facts = facts();
    let judgement = rule.judge(&facts);
    assert_eq!(judgement.resources.len(), 1, "{judgement:?}");
    assert!(judgement.resources[0].resource.contains(":us-south:"));
    assert_eq!(judgement.status(), Status::Fail);
    assert_eq!(
        judgement.resources[0].fix,
        "portcullis cr region-set us-south && portcullis cr private-only --enable"
    );
    let mut mended = facts;
    mended.registries[0].private_only = true;
    assert_eq!(rule.judge(&mended).status(), Status::Pass);
}

#[test]
fn targets_are_regions_and_names() {
    for (name, operator, value, count) in [
        ("region", "string_equals", json!("us-south"), 1),
        ("region", "string_equals", json!(["us-south", "eu-de"]), 2),
        ("region", "string_not_equals", json!("us-south"), 1),
        ("region", "string_match", json!("*-*"), 2),
        ("registry", "string_equals", json!("us.registry.test"), 1),
        ("registry", "string_equals", json!("US.registry.test"), 0),
        ("registry", "string_not_equals", json!("us.registry.test"), 1),
        ("registry", "string_match", json!("?s.registry.*"), 1),
        ("registry", "string_equals", json!("de.icr.io"), 1),
    ] {
        let mut document = of(is("iam_authz", "is_true"));
        document["target"]["additional_target_attributes"] =
            json!([{"name": name, "operator": operator, "value": value}]);
        let found = read(document).unwrap().judge(&facts()).resources.len();
        assert_eq!(found, count, "{name} {operator} {value}");
    }
}

#[test]
fn groups_are_joined_two_deep() {
    let (yes, no) = (is("iam_authz", "is_true"), is("private_only", "is_true"));
    let mut one = facts();
    one.registries.truncate(1);
    for (required, expected) in [
        (yes.clone(), Status::Pass),
        (json!({"and": [yes, no]}), Status::Fail),
        (json!({"or": [no, yes]}), Status::Pass),
        (json!({"and": [yes, {"or": [no, yes]}]}), Status::Pass),
        (json!({"or": [no, {"description": "both", "and": [yes, no]}]}), Status::Fail),
    ] {
        assert_eq!(status(required.clone(), &one), expected, "{required}");
    }
    let deep = json!({"and": [{"or": [{"and": [yes]}]}]});
    assert!(read(of(deep)).unwrap_err().contains("two deep"));
}

#[test]
fn every_operator_compares_as_its_name_says() {
    let mut one = facts();
    one.registries.truncate(1);
    one.registries[0].storage_quota = Some(1000);
    one.allowed_addresses = vec!["10.1.0.0/16".to_owned(), "192.0.2.7".to_owned()];
    let with = |property: &str, operator: &str, value: Value| json!({"property": property, "operator": operator, "value": value});
    let quota = |operator: &str, value: Value| with("storage_quota", operator, value);
    let list = |operator: &str, value: Value| with("allowed_ip_addresses", operator, value);
    for (holds, required) in [
        (true, is("iam_authz", "is_true")),
        (false, is("iam_authz", "is_false")),
        (true, is("traffic_quota", "is_empty")),
        (false, is("traffic_quota", "is_not_empty")),
        (true, quota("num_equals", json!([7, "1000"]))),
        (false, quota("num_not_equals", json!(1000))),
        (false, quota("num_less_than", json!(1000))),
        (true, quota("num_less_than_equals", json!(1000))),
        (false, quota("num_greater_than", json!(1000))),
        (true, quota("num_greater_than_equals", json!("1000"))),
        (false, with("traffic_quota", "num_less_than", json!(5))),
        (true, list("ips_in_range", json!(["10.0.0.0/8", "192.0.2.0/24"]))),
        (false, list("ips_in_range", json!(["10.0.0.0/8"]))),
        (false, list("ips_in_range", json!(["10.1.0.0/17", "192.0.2.7"]))),
        (true, list("ips_equals", json!(["192.0.2.7/32", "10.1.0.0/16"]))),
        (true, list("ips_not_equals", json!(["192.0.2.7"]))),
        (true, list("strings_in_list", json!(["192.0.2.7", "10.1.0.0/16", "x"]))),
        (true, list("strings_required", json!("192.0.2.7"))),
        (false, list("strings_required", json!("x"))),
    ] {
        let expected = if holds { Status::Pass } else { Status::Fail };
        assert_eq!(status(required.clone(), &one), expected, "{required}");
    }
    one.allowed_addresses.clear();
    let all = list("ips_in_range", json!(["0.0.0.0/0", "::/0"]));
    assert_eq!(status(all, &one), Status::Fail, "no list is not a list within bounds");
}

#[test]
fn what_cannot_be_obeyed_is_refused_and_says_why() {
    let long = "x".repeat(33);
    let many: Vec<Value> = (0..17).map(|_| is("iam_authz", "is_true")).collect();
    let wide: Vec<Value> = (0..25).map(|_| is("iam_authz", "is_true")).collect();
    let with = |member: &str, value: Value| {
        let mut document = of(is("iam_authz", "is_true"));
        document[member] = value;
        document
    };
    for (document, because) in [
        (of(is("encrypted", "is_true")), "no property"),
        (of(is("iam_authz", "string_equals")), "needs a value"),
        (of(json!({"property": "iam_authz", "operator": "is_true", "value": true})), "takes no value"),
        (of(json!({"property": "iam_authz", "operator": "num_equals", "value": 1})), "is_true or is_false"),
        (of(is("iam_authz", "is_so")), "no operator"),
        (of(json!({"property": "iam_authz"})), "either"),
        (of(json!({"and": [], "or": []})), "either"),
        (of(json!({"and": []})), "between 1 and 24"),
        (of(json!({"and": many})), "16 conditions"),
        (of(json!({"and": wide})), "between 1 and 24"),
        (with("name", json!(long)), "32 characters"),
        (with("description", json!("x".repeat(257))), "256 characters"),
        (with("rule_type", json!("service_defined")), "user_defined"),
        (with("labels", json!(["a/b"])), "label"),
        (with("labels", json!(vec!["a"; 33])), "32 labels"),
        (with("enforcement_actions", json!([{"action": "disallow"}, {"action": "disallow"}])), "twice"),
        (with("enforcement_actions", json!([{"action": "delete"}])), "unknown variant"),
        (with("severity", json!("high")), "unknown field"),
        (with("target", json!({"service_name": "cos", "resource_kind": "bucket"})), "container-registry"),
    ] {
        let told = read(document.clone()).unwrap_err();
        assert!(told.contains(because), "{document}: {told}");
    }
}

#[test]
fn a_change_breaks_a_rule_that_held_or_makes_a_broken_one_worse() {
    let rule =
        read(of(json!({"and": [is("iam_authz", "is_true"), is("platform_metrics", "is_true")]}))).unwrap();
    let with = |metrics: bool, iam_authz: bool| {
        let mut facts = facts();
        for registry in &mut facts.registries {
            (registry.platform_metrics, registry.iam_authz) = (metrics, iam_authz);
        }
        facts
    };
    let broken = |before: (bool, bool), after: (bool, bool)| {
        let (before, after) = (with(before.0, before.1), with(after.0, after.1));
        !rule.broken_by(&before, &after).is_empty()
    };
    assert!(broken((true, true), (false, true)));
    assert!(broken((false, true), (false, false)), "broken already, and now more");
    assert!(!broken((false, false), (true, false)), "still broken, but better");
    assert!(!broken((false, true), (false, true)), "nothing changed");
    assert!(!broken((false, false), (true, true)));
}

fn attachment(document: Value) -> super::attachment::AttachmentDocument {
    serde_json::from_value(document).unwrap()
}

fn scope(kind: &str, id: &str) -> Value {
    json!({"scope_type": kind, "scope_id": id})
}

#[test]
fn an_attached_rule_is_about_what_its_attachments_are_for_and_about_nothing_else() {
    let facts = facts();
    let mut rule = read(of(is("private_only", "is_true"))).unwrap();
    let regions = |rule: &super::Rule| {
        let about = facts.registries.iter().filter(|registry| rule.is_about(registry));
        about.map(|registry| registry.region.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(regions(&rule), ["us-south", "eu-de"], "without attachments it is for all");
    let (account, south) = (scope("account", "123456789012"), scope("account.region", "us-south"));
    let german = scope("account.registry", "DE.icr.io");
    for (attachments, expected) in [
        (vec![json!({"included_scope": account})], vec!["us-south", "eu-de"]),
        (vec![json!({"included_scope": south})], vec!["us-south"]),
        (vec![json!({"included_scope": account, "excluded_scopes": [south]})], vec!["eu-de"]),
        (vec![json!({"included_scope": scope("account.registry", "us.registry.test")})], vec!["us-south"]),
        (
            vec![json!({"included_scope": german}), json!({"included_scope": south})],
            vec!["us-south", "eu-de"],
        ),
        (vec![json!({"included_scope": scope("account.region", "us-sout")})], vec![]),
    ] {
        rule.attachments =
            attachments.iter().map(|one| attachment(one.clone()).attachment().unwrap()).collect();
        assert_eq!(regions(&rule), expected, "{attachments:?}");
    }
    // What it is not for, no change there breaks.
    rule.attachments =
        vec![attachment(json!({"included_scope": german, "excluded_scopes": []})).attachment().unwrap()];
    let mut before = facts.clone();
    before.registries.iter_mut().for_each(|registry| registry.private_only = true);
    assert_eq!(rule.broken_by(&before, &facts).len(), 1, "only the German registry is its business");
}

#[test]
fn an_attachment_that_no_registry_is_in_is_refused_and_says_why() {
    let registries: Vec<_> =
        facts().registries.into_iter().map(|registry| (registry.region, registry.names)).collect();
    let account = || scope("account", "123456789012");
    for (document, told) in [
        (json!({"included_scope": scope("account", "210987654321")}), "not your account"),
        (json!({"included_scope": account(), "account_id": "210987654321"}), "not your account"),
        (json!({"included_scope": scope("account.region", "us-sout")}), "us-sout"),
        (json!({"included_scope": scope("account.registry", "")}), "no registry"),
        (json!({"included_scope": scope("enterprise", "x")}), "no enterprise"),
        (json!({"included_scope": scope("account.resource_group", "x")}), "no resource group"),
        (json!({"included_scope": scope("region", "us-south")}), "no `scope_type`"),
        (json!({"included_scope": account(), "excluded_scopes": [account()]}), "is excluded"),
        (
            json!({"included_scope": scope("account.region", "us-south"), "excluded_scopes": [scope("account.region", "eu-de")]}),
            "eu-de",
        ),
        (
            json!({"included_scope": account(), "excluded_scopes": vec![scope("account.region", "eu-de"); 9]}),
            "8",
        ),
    ] {
        let mistake = attachment(document.clone()).check("123456789012", &registries).unwrap_err();
        assert!(mistake.0.contains(told), "{document}: {mistake}");
    }
    let unknown = json!({"included_scope": account(), "scope": 1});
    assert!(serde_json::from_value::<super::attachment::AttachmentDocument>(unknown).is_err());
}
