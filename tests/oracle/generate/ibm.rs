//! IBM access policies at random, and what operations are called in IBM's words.

use super::words::{IBM_PATTERNS, IBM_ROLES, On};
use crate::world::Caller;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The caller as IBM subjects name it.
pub(crate) fn iam_id(caller: &Caller) -> &'static str {
    match caller {
        Caller::RoleSession { .. } => "iam-Profile-build",
        Caller::User { arn, .. } if arn.ends_with("/bob") => "iam-ServiceId-bob",
        _ => "IBMid-alice",
    }
}

/// Which actions each role has.
pub(crate) fn roles() -> BTreeMap<String, Vec<String>> {
    let owned = |actions: &[&str]| actions.iter().map(|action| (*action).to_owned()).collect();
    IBM_ROLES.iter().map(|(role, actions)| ((*role).to_owned(), owned(actions))).collect()
}

/// The attributes of what is acted on.
pub(crate) fn attributes(on: On, arn: &str, account: &str) -> BTreeMap<String, String> {
    let mut found = vec![("accountId", account)];
    match on {
        On::Nothing => found.extend([("serviceName", "container-registry"), ("region", "us-south")]),
        On::Repository => {
            let name = arn.rsplit(":repository/").next().unwrap_or_default();
            let namespace = name.split('/').next().unwrap_or_default();
            let region = arn.split(':').nth(3).unwrap_or_default();
            found.extend([("serviceName", "container-registry"), ("region", region)]);
            if namespace != "*" {
                found.extend([("resourceType", "namespace"), ("resource", namespace)]);
            }
        }
        On::Role | On::User => found.push(("serviceName", "iam-identity")),
    }
    found.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A restriction on an attribute, as (key, operator, value).
type Restriction = (&'static str, &'static str, Value);

fn restriction() -> BoxedStrategy<Restriction> {
    let keys = || select(&["resource", "region", "resourceType", "geography"][..]);
    let text =
        (keys(), select(&["stringEquals", "stringMatch"][..]), select(IBM_PATTERNS).prop_map(Value::from));
    prop_oneof![
        8 => text,
        1 => (Just("resourceType"), Just("stringEquals"), select(&["namespace", "Namespace"][..]).prop_map(Value::from)),
    ]
    .boxed()
}

/// Restrictions that only v2 knows.
fn restriction_v2() -> BoxedStrategy<Restriction> {
    let keys = || select(&["resource", "region", "resourceType"][..]);
    let several = vec(select(IBM_PATTERNS).prop_map(Value::from), 1..3).prop_map(Value::from);
    let lists = (keys(), select(&["stringEqualsAnyOf", "stringMatchAnyOf"][..]), several);
    let exists = (keys(), Just("stringExists"), any::<bool>().prop_map(Value::from));
    prop_oneof![2 => restriction(), 2 => lists, 1 => exists].boxed()
}

fn time_condition() -> BoxedStrategy<Value> {
    let of = |key: &'static str, operators: &'static [&'static str], values: &'static [&'static str]| {
        let key = format!("{{{{environment.attributes.{key}}}}}");
        let parts = (select(operators), select(values));
        parts
            .prop_map(move |(operator, value)| json!({"key": key, "operator": operator, "value": value}))
            .boxed()
    };
    let days = vec(select(&["5+00:00", "6+01:00", "1+00:00"][..]).prop_map(Value::from), 1..3);
    let any_day = days.prop_map(|days| json!({"key": "{{environment.attributes.day_of_week}}", "operator": "dayOfWeekAnyOf", "value": days}));
    let name = select(&["team-*", "prod"][..]).prop_map(
        |value| json!({"key": "{{resource.attributes.resource}}", "operator": "stringMatch", "value": value}),
    );
    prop_oneof![
        of(
            "current_time",
            &["timeGreaterThan", "timeLessThan", "timeGreaterThanOrEquals", "timeLessThanOrEquals"],
            &["12:00:00+00:00", "23:00:00+00:00", "01:00:00+01:00"],
        ),
        of(
            "current_date_time",
            &[
                "dateTimeGreaterThan",
                "dateTimeLessThan",
                "dateTimeGreaterThanOrEquals",
                "dateTimeLessThanOrEquals"
            ],
            &["2024-03-01T12:00:00+00:00", "2024-03-01T14:00:00+02:00"],
        ),
        of("day_of_week", &["dayOfWeekEquals"], &["5+00:00", "6+01:00", "1+00:00"]),
        any_day,
        name,
    ]
    .boxed()
}

fn rule() -> BoxedStrategy<Value> {
    let joined = |inner: BoxedStrategy<Value>| {
        let parts = (select(&["and", "or"][..]), vec(inner, 1..3));
        parts
            .prop_map(|(operator, conditions)| json!({"operator": operator, "conditions": conditions}))
            .boxed()
    };
    let nested = joined(prop_oneof![3 => time_condition(), 1 => joined(time_condition())].boxed());
    prop_oneof![time_condition(), nested].boxed()
}

fn subject() -> BoxedStrategy<(&'static str, &'static str)> {
    select(
        &[
            ("iam_id", "IBMid-alice"),
            ("iam_id", "IBMid-alice"),
            ("iam_id", "iam-Profile-build"),
            ("iam_id", "iam-ServiceId-bob"),
            ("access_group_id", "AccessGroupId-0"),
            ("access_group_id", "AccessGroupId-1"),
        ][..],
    )
    .boxed()
}

fn role_ids() -> BoxedStrategy<Vec<Value>> {
    let known = select(IBM_ROLES).prop_map(|(role, _)| json!({"role_id": role}));
    let unknown = Just(json!({"role_id": "crn:v1:bluemix:public:iam::::role:Viewer"}));
    vec(prop_oneof![6 => known, 1 => unknown], 1..3).boxed()
}

/// `accountId` and, mostly, `serviceName`: what every policy restricts.
fn base() -> BoxedStrategy<Vec<Restriction>> {
    let account = select(&["111122223333", "111122223333", "111122223333", "444455556666"][..]);
    let service = select(&["container-registry", "container-registry", "iam-identity"][..]);
    (account, option::weighted(0.8, service))
        .prop_map(|(account, service)| {
            let service = service.map(|name| ("serviceName", "stringEquals", json!(name)));
            [("accountId", "stringEquals", json!(account))].into_iter().chain(service).collect()
        })
        .boxed()
}

fn v1() -> BoxedStrategy<Value> {
    (subject(), role_ids(), base(), vec(restriction(), 0..2))
        .prop_map(|((name, value), roles, base, more)| {
            let attribute = |(name, operator, value): Restriction| json!({"name": name, "operator": operator, "value": value});
            let attributes: Vec<Value> = base.into_iter().chain(more).map(attribute).collect();
            json!({
                "type": "access",
                "subjects": [{"attributes": [{"name": name, "value": value}]}],
                "roles": roles,
                "resources": [{"attributes": attributes}],
            })
        })
        .boxed()
}

fn v2() -> BoxedStrategy<Value> {
    (subject(), role_ids(), base(), vec(restriction_v2(), 0..2), option::weighted(0.4, rule()))
        .prop_map(|((key, value), roles, base, more, rule)| {
            let attribute = |(key, operator, value): Restriction| json!({"key": key, "operator": operator, "value": value});
            let attributes: Vec<Value> = base.into_iter().chain(more).map(attribute).collect();
            let mut policy = json!({
                "type": "access",
                "subject": {"attributes": [{"key": key, "operator": "stringEquals", "value": value}]},
                "control": {"grant": {"roles": roles}},
                "resource": {"attributes": attributes},
            });
            if let Some(rule) = rule {
                policy["rule"] = rule;
            }
            policy
        })
        .boxed()
}

/// An access policy of either version.
pub(crate) fn policy() -> BoxedStrategy<Value> {
    prop_oneof![v1(), v2()].boxed()
}
