//! IBM access policies, v1 and v2: they only allow, and whatever they say that is not understood allows
//! nothing.
//!
//! A policy grants when its subject is the caller or one of its groups, one of its roles has the action, all
//! its resource attributes fit, and its rule holds. Policies with resource tags grant nothing: a question
//! carries no tags. Times are compared in the offset that the policy writes; days are numbered from 1,
//! Monday.

use super::condition::texts;
use super::value::{clock_and_offset, day_number, instant, offset};
use super::wildcard::{Mark, fits};
use super::world::{IbmWords, World};
use serde_json::Value;

/// Whether this access policy grants what is asked.
pub(crate) fn grants(policy: &Value, world: &World, asked: &IbmWords, now: i64) -> bool {
    policy["type"] == "access"
        && subject_is_caller(policy, world)
        && role_has_action(policy, world, asked)
        && resource_fits(policy, asked)
        && policy.get("rule").is_none_or(|rule| rule_holds(rule, asked, now))
}

/// An element that v1 calls one name and wraps in a list of one, and v2 calls another.
fn part<'a>(policy: &'a Value, v1: &str, v2: &str) -> &'a Value {
    policy.get(v2).unwrap_or(&policy[v1][0])
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

fn key(attribute: &Value) -> &str {
    attribute.get("key").or_else(|| attribute.get("name")).and_then(Value::as_str).unwrap_or_default()
}

fn subject_is_caller(policy: &Value, world: &World) -> bool {
    let attributes = list(part(policy, "subjects", "subject"), "attributes");
    let is_caller = |attribute: &Value| match key(attribute) {
        "iam_id" => attribute["value"] == world.iam_id.as_str(),
        "access_group_id" => world.groups.iter().any(|group| attribute["value"] == group.id.as_str()),
        _ => false,
    };
    !attributes.is_empty() && attributes.iter().all(is_caller)
}

fn role_has_action(policy: &Value, world: &World, asked: &IbmWords) -> bool {
    let v1 = list(policy, "roles").iter();
    let v2 = list(&policy["control"]["grant"], "roles").iter();
    let has = |role: &Value| {
        let actions = role["role_id"].as_str().and_then(|id| world.roles.get(id));
        actions.is_some_and(|actions| actions.contains(&asked.action))
    };
    v1.chain(v2).any(has)
}

fn resource_fits(policy: &Value, asked: &IbmWords) -> bool {
    let resource = part(policy, "resources", "resource");
    let fits = |attribute: &Value| {
        let operator = attribute.get("operator").and_then(Value::as_str).unwrap_or("stringEquals");
        text_fits(operator, asked.attributes.get(key(attribute)), &attribute["value"])
    };
    let attributes = list(resource, "attributes");
    // A policy that names no account would reach into all of them.
    let names_account = attributes.iter().any(|attribute| key(attribute) == "accountId");
    names_account && list(resource, "tags").is_empty() && attributes.iter().all(fits)
}

/// The string operators. An attribute that the resource lacks fits only `stringExists` false.
fn text_fits(operator: &str, found: Option<&String>, wanted: &Value) -> bool {
    let any = |fit: fn(&str, &str) -> bool| {
        found.is_some_and(|found| texts(wanted).iter().any(|wanted| fit(wanted, found)))
    };
    match operator {
        "stringEquals" | "stringEqualsAnyOf" => any(|wanted, found| wanted == found),
        "stringExists" => texts(wanted) == [found.is_some().to_string()],
        "stringMatch" | "stringMatchAnyOf" => any(|wanted, found| fits(&pattern(wanted), found)),
        _ => false,
    }
}

/// `*` and `?` are wildcards, `{{*}}` and `{{?}}` the characters.
fn pattern(text: &str) -> Vec<Mark> {
    let Some(first) = text.chars().next() else { return Vec::new() };
    let (mark, rest) = match text {
        _ if text.starts_with("{{*}}") => (Mark::Given('*'), text.strip_prefix("{{*}}")),
        _ if text.starts_with("{{?}}") => (Mark::Given('?'), text.strip_prefix("{{?}}")),
        _ if first == '*' => (Mark::Any, text.strip_prefix('*')),
        _ if first == '?' => (Mark::One, text.strip_prefix('?')),
        _ => (Mark::Written(first), text.strip_prefix(first)),
    };
    [vec![mark], pattern(rest.unwrap_or_default())].concat()
}

/// One condition, or conditions joined by `and` or `or`.
fn rule_holds(rule: &Value, asked: &IbmWords, now: i64) -> bool {
    let operator = rule["operator"].as_str().unwrap_or_default();
    let conditions = list(rule, "conditions");
    match operator {
        "and" => !conditions.is_empty() && conditions.iter().all(|inner| rule_holds(inner, asked, now)),
        "or" => conditions.iter().any(|inner| rule_holds(inner, asked, now)),
        _ => condition_holds(key(rule), operator, &rule["value"], asked, now),
    }
}

fn condition_holds(key: &str, operator: &str, wanted: &Value, asked: &IbmWords, now: i64) -> bool {
    let Some(name) = key.strip_prefix("{{").and_then(|key| key.strip_suffix("}}")) else { return false };
    if let Some(attribute) = name.strip_prefix("resource.attributes.") {
        return text_fits(operator, asked.attributes.get(attribute), wanted);
    }
    match name.strip_prefix("environment.attributes.") {
        Some("day_of_week") => day_fits(operator, wanted, now),
        Some("current_time") => ordered(operator.strip_prefix("time"), time_and_now(wanted, now)),
        Some("current_date") => ordered(operator.strip_prefix("date"), date_and_now(wanted, now)),
        Some("current_date_time") => ordered(operator.strip_prefix("dateTime"), instant_and_now(wanted, now)),
        _ => false,
    }
}

/// `LessThan` and its kin, of what is now to what is wanted.
fn ordered(comparison: Option<&str>, values: Option<(i128, i128)>) -> bool {
    let Some((wanted, now)) = values else { return false };
    match comparison {
        Some("LessThan") => now < wanted,
        Some("LessThanOrEquals") => now <= wanted,
        Some("GreaterThan") => now > wanted,
        Some("GreaterThanOrEquals") => now >= wanted,
        _ => false,
    }
}

const NANOSECONDS: i128 = 1_000_000_000;

/// `hh:mm:ss+hh:mm`, and the time of day there now.
fn time_and_now(wanted: &Value, now: i64) -> Option<(i128, i128)> {
    let (wanted, east) = clock_and_offset(wanted.as_str()?)?;
    Some((wanted, i128::from((now + east).rem_euclid(86_400)) * NANOSECONDS))
}

/// `YYYY-MM-DD+hh:mm`, and the day there now, in days since 1970.
fn date_and_now(wanted: &Value, now: i64) -> Option<(i128, i128)> {
    let (date, zone) = wanted.as_str()?.split_at_checked(10)?;
    let today = (now + offset(zone)?).div_euclid(86_400);
    Some((i128::from(day_number(date)?), i128::from(today)))
}

fn instant_and_now(wanted: &Value, now: i64) -> Option<(i128, i128)> {
    Some((instant(wanted.as_str()?)?, i128::from(now) * NANOSECONDS))
}

/// `1+00:00`: Monday, as days begin in that offset.
fn day_fits(operator: &str, wanted: &Value, now: i64) -> bool {
    let is_today = |day: &String| -> Option<bool> {
        let (number, zone) = day.split_at_checked(1)?;
        // 1970-01-01 was a Thursday, the fourth day.
        let today = ((now + offset(zone)?).div_euclid(86_400) + 3).rem_euclid(7) + 1;
        Some(number == today.to_string())
    };
    let known = matches!(operator, "dayOfWeekEquals" | "dayOfWeekAnyOf");
    known && texts(wanted).iter().any(|day| is_today(day) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Friday, 2024-03-01, 23:30 in London.
    const NOW: i64 = 1_709_335_800;

    #[test]
    fn attributes_fit_as_documented() {
        let found = "team-a*".to_owned();
        let cases = [
            ("stringEquals", json!("team-a*"), true),
            ("stringEquals", json!("team-*"), false),
            ("stringMatch", json!("team-*"), true),
            ("stringMatch", json!("team-a{{*}}"), true),
            ("stringMatch", json!("team-{{*}}"), false),
            ("stringMatch", json!("TEAM-*"), false),
            ("stringMatch", json!("team-a{{?}}"), false),
            ("stringExists", json!(true), true),
            ("stringExists", json!(false), false),
            ("stringEqualsAnyOf", json!(["x", "team-a*"]), true),
            ("stringMatchAnyOf", json!(["x", "y?"]), false),
            ("stringLike", json!("*"), false),
        ];
        for (operator, wanted, expected) in cases {
            assert_eq!(text_fits(operator, Some(&found), &wanted), expected, "{operator} {wanted}");
        }
        assert!(text_fits("stringExists", None, &json!(false)));
        assert!(!text_fits("stringMatch", None, &json!("*")));
    }

    #[test]
    fn rules_read_the_clock_where_the_policy_is() {
        let asked =
            IbmWords { action: String::new(), attributes: [("resource".into(), "prod".into())].into() };
        let on = |key: &str, operator: &str, value: Value| json!({"key": format!("{{{{{key}}}}}"), "operator": operator, "value": value});
        let time = |operator, value| on("environment.attributes.current_time", operator, json!(value));
        let day = |operator, value| on("environment.attributes.day_of_week", operator, value);
        let moment = |operator, value| on("environment.attributes.current_date_time", operator, json!(value));
        let cases = [
            (time("timeGreaterThan", "23:00:00+00:00"), true),
            (time("timeLessThan", "01:00:00+01:00"), true),
            (day("dayOfWeekEquals", json!("5+00:00")), true),
            (day("dayOfWeekAnyOf", json!(["1+00:00", "6+01:00"])), true),
            (day("dayOfWeekEquals", json!("6+00:00")), false),
            (moment("dateTimeLessThanOrEquals", "2024-03-01T23:30:00+00:00"), true),
            (moment("dateTimeLessThan", "2024-03-01T23:30:00+00:00"), false),
            (moment("timeLessThan", "23:59:00+00:00"), false),
            (on("environment.attributes.current_date", "dateLessThan", json!("2024-03-02+00:00")), true),
            (on("resource.attributes.resource", "stringMatch", json!("pr*")), true),
            (on("environment.attributes.moon", "stringEquals", json!("full")), false),
        ];
        for (rule, expected) in cases.clone() {
            assert_eq!(rule_holds(&rule, &asked, NOW), expected, "{rule}");
        }
        let (yes, no) = (&cases[0].0, &cases[4].0);
        assert!(rule_holds(
            &json!({"operator": "or", "conditions": [no, {"operator": "and", "conditions": [yes]}]}),
            &asked,
            NOW
        ));
        assert!(!rule_holds(&json!({"operator": "and", "conditions": [no, yes]}), &asked, NOW));
    }
}
