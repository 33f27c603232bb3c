//! The examples of the ECR user guide, "Examples of lifecycle policies", and what is no policy.

use serde_json::{Value, json};

use super::document::Policy;
use super::select::{Candidate, expiring};
use crate::clock::UnixTime;
use crate::registry::reference::Digest;

const NOW: UnixTime = UnixTime::from_seconds(100 * 86_400);

fn digest(name: &str) -> Digest {
    let letter = name.to_lowercase();
    Digest::parse(&format!("sha256:{}", letter.repeat(64))).unwrap()
}

fn image(name: &str, tags: &[&str], days: i64) -> Candidate {
    Candidate {
        digest: digest(name),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        pushed_at: UnixTime::from_seconds((100 - days) * 86_400),
        pulled_at: None,
        children: Vec::new(),
    }
}

fn rule(priority: u32, selection: Value) -> Value {
    json!({
        "rulePriority": priority,
        "description": "a rule of the user guide's examples, with a description that makes it long enough",
        "selection": selection,
        "action": {"type": "expire"},
    })
}

fn more_than(list: &str, tags: &[&str], count: u32) -> Value {
    json!({"tagStatus": "tagged", list: tags, "countType": "imageCountMoreThan", "countNumber": count})
}

fn days(mut selection: Value, count: u32) -> Value {
    selection["countType"] = json!("sinceImagePushed");
    selection["countUnit"] = json!("days");
    selection["countNumber"] = json!(count);
    selection
}

fn read(rules: &[Value]) -> Result<Policy, String> {
    Policy::read(&json!({"rules": rules}).to_string())
}

#[track_caller]
fn expires(images: &[Candidate], rules: &[Value], expected: &[(&str, u32)]) {
    let policy = read(rules).unwrap();
    let found: Vec<(Digest, u32)> =
        expiring(&policy, images, NOW).iter().map(|(image, rule)| (image.digest.clone(), *rule)).collect();
    let expected: Vec<(Digest, u32)> = expected.iter().map(|(name, rule)| (digest(name), *rule)).collect();
    assert_eq!(found, expected);
}

#[test]
fn filtering_on_image_age() {
    let images = [image("A", &[], 20), image("B", &[], 10), image("C", &["v1"], 20)];
    expires(&images, &[rule(1, days(json!({"tagStatus": "untagged"}), 14))], &[("A", 1)]);
}

#[test]
fn filtering_on_image_count() {
    let images = [image("A", &[], 3), image("B", &[], 2), image("C", &["v1"], 9), image("D", &[], 1)];
    let untagged = json!({"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1});
    expires(&images, &[rule(1, untagged)], &[("A", 1), ("B", 1)]);
}

#[test]
fn filtering_on_multiple_rules() {
    let images = [
        image("A", &["beta-1", "prod-1"], 10),
        image("B", &["beta-2", "prod-2"], 9),
        image("C", &["beta-3"], 8),
    ];
    let (prod, beta) = (more_than("tagPrefixList", &["prod"], 1), more_than("tagPrefixList", &["beta"], 1));
    expires(&images, &[rule(1, prod.clone()), rule(2, beta.clone())], &[("A", 1)]);
    expires(&images, &[rule(1, beta), rule(2, prod)], &[("A", 1), ("B", 1)]);
}

#[test]
fn filtering_on_multiple_tags_in_a_single_rule() {
    let images = [
        image("A", &["alpha-1"], 12),
        image("B", &["beta-1"], 11),
        image("C", &["alpha-2", "beta-2"], 10),
        image("D", &["alpha-3"], 4),
        image("E", &["beta-3"], 3),
        image("F", &["alpha-4", "beta-4"], 2),
    ];
    let both = json!({"tagStatus": "tagged", "tagPrefixList": ["alpha", "beta"]});
    expires(&images, &[rule(1, days(both, 5))], &[("C", 1)]);
    let both = json!({"tagStatus": "tagged", "tagPatternList": ["alpha*", "beta*"]});
    expires(&images, &[rule(1, days(both, 5))], &[("C", 1)]);
    expires(&images, &[rule(1, more_than("tagPatternList", &["alpha*", "beta*"], 1))], &[("C", 1)]);
}

#[test]
fn filtering_on_all_images() {
    let images = [
        image("A", &["alpha-1"], 4),
        image("B", &["beta-1"], 3),
        image("C", &[], 2),
        image("D", &["alpha-2"], 1),
    ];
    let any = json!({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1});
    expires(&images, &[rule(1, any.clone())], &[("A", 1), ("B", 1), ("C", 1)]);

    // The user guide's second example: what a rule is about is kept from those after it.
    let images =
        [image("A", &["alpha-1", "beta-1"], 3), image("B", &[], 2), image("C", &["alpha-2", "beta-2"], 1)];
    let alpha = more_than("tagPrefixList", &["alpha"], 1);
    let untagged = days(json!({"tagStatus": "untagged"}), 1);
    let rules = [rule(1, alpha), rule(2, untagged), rule(3, any)];
    expires(&images, &rules, &[("A", 1), ("B", 2)]);
}

#[test]
fn an_image_of_an_index_stays_while_the_index_does() {
    let mut index = image("A", &["v1"], 10);
    index.children = vec![digest("B")];
    let images = [index, image("B", &[], 10), image("C", &[], 10)];
    expires(&images, &[rule(1, days(json!({"tagStatus": "untagged"}), 1))], &[("C", 1)]);
}

#[test]
fn what_is_pulled_stays_and_what_never_was_counts_from_its_push() {
    let mut pulled = image("A", &["v1"], 50);
    pulled.pulled_at = Some(UnixTime::from_seconds(99 * 86_400));
    let mut selection = days(json!({"tagStatus": "any"}), 30);
    selection["countType"] = json!("sinceImagePulled");
    expires(&[pulled, image("B", &["v2"], 31), image("C", &["v3"], 29)], &[rule(1, selection)], &[("B", 1)]);
}

#[test]
fn what_is_no_policy_is_refused() {
    let count =
        |status: &str| json!({"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 1});
    assert!(read(&[rule(1, count("untagged")), rule(2, count("any"))]).is_ok());
    let with = |key: &str, value: Value| {
        let mut selection = more_than("tagPrefixList", &["prod"], 1);
        selection[key] = value;
        selection
    };
    let wrong = [
        vec![],
        vec![rule(0, count("any"))],
        vec![rule(1, count("none"))],
        vec![rule(1, count("tagged"))],
        vec![rule(1, count("any")), rule(2, count("untagged"))],
        vec![rule(1, count("untagged")), rule(1, count("any"))],
        vec![rule(1, count("untagged")), rule(2, count("untagged"))],
        vec![rule(1, with("countNumber", json!(0)))],
        vec![rule(1, with("countNumber", json!("1")))],
        vec![rule(1, with("countUnit", json!("days")))],
        vec![rule(1, with("countType", json!("sinceImagePushed")))],
        vec![rule(1, with("countType", json!("sinceImageForgotten")))],
        vec![rule(1, with("tagPrefixList", json!([])))],
        vec![rule(1, with("tagPatternList", json!(["a"])))],
        vec![rule(1, more_than("tagPatternList", &["a*b*c*d*e*"], 1))],
        vec![rule(1, with("unknown", json!(1)))],
        vec![
            rule(1, more_than("tagPrefixList", &["a", "b"], 1)),
            rule(2, more_than("tagPrefixList", &["b", "a"], 1)),
        ],
    ];
    for rules in wrong {
        assert!(read(&rules).is_err(), "{rules:?}");
    }
    let mut transition = rule(1, count("any"));
    transition["action"] = json!({"type": "transition"});
    assert!(read(&[transition]).is_err());
    assert!(Policy::read("{}").is_err() && Policy::read(&" ".repeat(200)).is_err());
}
