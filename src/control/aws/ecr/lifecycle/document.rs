//! The text of a lifecycle policy, read strictly (ECR user guide, "Lifecycle policy parameters").

use serde::Deserialize;

/// How long a text may be.
const LENGTH: std::ops::RangeInclusive<usize> = 100..=30_720;

/// The most stars of a pattern.
const STARS: usize = 4;

/// A policy: its rules by priority, the first first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Lower numbers go first.
    pub priority: u32,
    /// Which images it is about.
    pub about: About,
    /// Which of these go.
    pub going: Going,
}

/// Which images a rule is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum About {
    /// All.
    Any,
    /// Those with tags that fit all of these patterns.
    Patterns(Vec<String>),
    /// Those with tags that begin with all of these.
    Prefixes(Vec<String>),
    /// Those without tags.
    Untagged,
}

/// Which images go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Going {
    /// All but the youngest.
    MoreThan(u32),
    /// Those that nobody has pulled for so many days.
    PulledDaysAgo(u32),
    /// Those that were pushed more than so many days ago.
    PushedDaysAgo(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawRule {
    rule_priority: u32,
    #[serde(default)]
    #[expect(dead_code, reason = "for people; it decides nothing")]
    description: Option<String>,
    selection: RawSelection,
    #[expect(dead_code, reason = "there is one")]
    action: RawAction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawSelection {
    tag_status: TagStatus,
    tag_prefix_list: Option<Vec<String>>,
    tag_pattern_list: Option<Vec<String>>,
    count_type: CountType,
    count_unit: Option<CountUnit>,
    count_number: u32,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum TagStatus {
    Any,
    Tagged,
    Untagged,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
enum CountType {
    ImageCountMoreThan,
    SinceImagePulled,
    SinceImagePushed,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum CountUnit {
    Days,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAction {
    #[serde(rename = "type")]
    #[expect(dead_code, reason = "there is one")]
    kind: ActionType,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActionType {
    Expire,
}

impl Policy {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, for the caller.
    pub fn read(text: &str) -> Result<Self, String> {
        if !LENGTH.contains(&text.chars().count()) {
            return Err(format!("the text must have {} to {} characters", LENGTH.start(), LENGTH.end()));
        }
        let raw: RawPolicy = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut rules = raw.rules.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        rules.sort_by_key(|rule| rule.priority);
        agree(&rules)?;
        Ok(Self { rules })
    }
}

fn rule(raw: RawRule) -> Result<Rule, String> {
    let (priority, selection) = (raw.rule_priority, raw.selection);
    let wrong = |why: &str| format!("rule {priority}: {why}");
    if priority == 0 || selection.count_number == 0 {
        return Err(wrong("rulePriority and countNumber must be at least 1"));
    }
    let about = match (selection.tag_status, selection.tag_prefix_list, selection.tag_pattern_list) {
        (TagStatus::Any, None, None) => About::Any,
        (TagStatus::Untagged, None, None) => About::Untagged,
        (TagStatus::Tagged, Some(prefixes), None) if is_list(&prefixes) => About::Prefixes(prefixes),
        (TagStatus::Tagged, None, Some(patterns)) if is_list(&patterns) => {
            if patterns.iter().any(|pattern| pattern.matches('*').count() > STARS) {
                return Err(wrong("a tag pattern has at most four stars"));
            }
            About::Patterns(patterns)
        }
        (TagStatus::Tagged, _, _) => {
            return Err(wrong("tagStatus tagged needs either tagPrefixList or tagPatternList, not empty"));
        }
        (TagStatus::Any | TagStatus::Untagged, _, _) => {
            return Err(wrong("tagPrefixList and tagPatternList go with tagStatus tagged only"));
        }
    };
    let number = selection.count_number;
    let going = match (selection.count_type, selection.count_unit) {
        (CountType::ImageCountMoreThan, None) => Going::MoreThan(number),
        (CountType::SinceImagePulled, Some(CountUnit::Days)) => Going::PulledDaysAgo(number),
        (CountType::SinceImagePushed, Some(CountUnit::Days)) => Going::PushedDaysAgo(number),
        (CountType::ImageCountMoreThan, Some(_)) => {
            return Err(wrong("countUnit does not go with imageCountMoreThan"));
        }
        (CountType::SinceImagePulled | CountType::SinceImagePushed, None) => {
            return Err(wrong("countUnit must be days"));
        }
    };
    Ok(Rule { priority, about, going })
}

fn is_list(texts: &[String]) -> bool {
    !texts.is_empty() && texts.iter().all(|text| !text.is_empty() && text.chars().count() <= 128)
}

/// What must hold between rules, which are in the order of their priorities.
fn agree(rules: &[Rule]) -> Result<(), String> {
    if rules.is_empty() {
        return Err("a policy has at least one rule".to_owned());
    }
    for (rule, next) in rules.iter().zip(rules.iter().skip(1)) {
        if rule.priority == next.priority {
            return Err(format!("rulePriority {} is there more than once", rule.priority));
        }
        if rule.about == About::Any {
            return Err("a rule with tagStatus any must be the only one, and have the highest rulePriority"
                .to_owned());
        }
    }
    if rules.iter().filter(|rule| rule.about == About::Untagged).count() > 1 {
        return Err("only one rule may have tagStatus untagged".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    for rule in rules {
        let mut texts = match &rule.about {
            About::Patterns(texts) | About::Prefixes(texts) => texts.clone(),
            About::Any | About::Untagged => continue,
        };
        texts.sort();
        if !seen.insert(texts) {
            return Err(format!("rule {}: another rule has the same tags", rule.priority));
        }
    }
    Ok(())
}
