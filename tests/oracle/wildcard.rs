//! `*`, `?` and policy variables: a pattern becomes a list of marks, and marks are matched by trying
//! everything.
//!
//! Text that a variable stands for is literal, and so is a variable's default: a `*` in a tag value is only a
//! star. A colon that came from a variable does not end a segment of an ARN. A list is not a value that a
//! variable can stand for.

use super::world::Given;
use std::collections::{BTreeMap, HashSet};

/// One position of a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mark {
    /// `*`: any number of characters.
    Any,
    /// `?`: one character.
    One,
    /// This character, as written in the pattern.
    Written(char),
    /// This character, as a variable gave it.
    Given(char),
}

/// The condition keys of a request.
pub(crate) type Context = BTreeMap<String, Given>;

/// Finds a key whatever its case. An empty list is no key at all.
pub(crate) fn find<'a>(context: &'a Context, key: &str) -> Option<&'a Given> {
    let (_, given) = context.iter().find(|(name, _)| name.to_lowercase() == key.to_lowercase())?;
    (*given != Given::Many(Vec::new())).then_some(given)
}

/// The pattern's marks, without variables: `${…}` is text.
pub(crate) fn plain_marks(pattern: &str) -> Vec<Mark> {
    let mark = |c| match c {
        '*' => Mark::Any,
        '?' => Mark::One,
        other => Mark::Written(other),
    };
    pattern.chars().map(mark).collect()
}

/// The pattern's marks, with variables replaced; `None` if one of them stands for nothing.
pub(crate) fn marks(pattern: &str, context: &Context) -> Option<Vec<Mark>> {
    let Some((before, rest)) = pattern.split_once("${") else { return Some(plain_marks(pattern)) };
    let Some((variable, after)) = rest.split_once('}') else { return Some(plain_marks(pattern)) };
    let mut all = plain_marks(before);
    all.extend(stands_for(variable, context)?.chars().map(Mark::Given));
    all.extend(marks(after, context)?);
    Some(all)
}

fn stands_for(variable: &str, context: &Context) -> Option<String> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable.to_owned());
    }
    let (name, default) = match variable.split_once(',') {
        None => (variable, None),
        Some((name, default)) => (name, default.trim().strip_prefix('\'').and_then(|d| d.strip_suffix('\''))),
    };
    match find(context, name.trim()) {
        Some(Given::One(text)) => Some(text.clone()),
        Some(Given::Many(_)) => None,
        None => default.map(str::to_owned),
    }
}

/// What the marks spell when wildcards are only characters, as in `StringEquals`.
pub(crate) fn spell(marks: &[Mark]) -> String {
    let character = |mark: &Mark| match mark {
        Mark::Any => '*',
        Mark::One => '?',
        Mark::Written(c) | Mark::Given(c) => *c,
    };
    marks.iter().map(character).collect()
}

/// Whether the whole text fits the marks.
pub(crate) fn fits(marks: &[Mark], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    fits_from(marks, &text, &mut HashSet::new())
}

/// `failed` remembers what was tried in vain: how many marks and how many characters were left at a star.
fn fits_from(marks: &[Mark], text: &[char], failed: &mut HashSet<(usize, usize)>) -> bool {
    match (marks, text) {
        ([], rest) => rest.is_empty(),
        ([Mark::Any, after @ ..], rest) => {
            let here = (marks.len(), rest.len());
            let fits = !failed.contains(&here)
                && (fits_from(after, rest, failed)
                    || matches!(rest, [_, tail @ ..] if fits_from(marks, tail, failed)));
            if !fits {
                failed.insert(here);
            }
            fits
        }
        (_, []) => false,
        ([Mark::One, after @ ..], [_, tail @ ..]) => fits_from(after, tail, failed),
        ([Mark::Written(c) | Mark::Given(c), after @ ..], [first, tail @ ..]) => {
            c == first && fits_from(after, tail, failed)
        }
    }
}

/// Splits at the first five colons that the pattern itself has.
pub(crate) fn segments(marks: &[Mark]) -> Vec<&[Mark]> {
    marks.splitn(6, |mark| *mark == Mark::Written(':')).collect()
}

/// Whether an ARN fits a pattern of six segments, segment by segment. A `*` never reaches over the colon
/// after it.
pub(crate) fn fits_arn(pattern: &[Mark], arn: &str) -> bool {
    let (patterns, texts) = (segments(pattern), arn.splitn(6, ':').collect::<Vec<_>>());
    patterns.len() == 6
        && texts.len() == 6
        && patterns.iter().zip(texts).all(|(pattern, text)| fits(pattern, text))
}

/// As `fits_arn`, for the Resource element: `*` alone is everything, and a short pattern that ends in `*`
/// goes on with `*`.
pub(crate) fn fits_resource(pattern: &[Mark], resource: &str) -> bool {
    if *pattern == [Mark::Any] {
        return true;
    }
    let mut padded = pattern.to_vec();
    while padded.last() == Some(&Mark::Any) && segments(&padded).len() < 6 {
        padded.extend([Mark::Written(':'), Mark::Any]);
    }
    fits_arn(&padded, resource)
}

#[test]
fn a_hostile_pattern_is_answered_all_the_same() {
    let pattern = "*a".repeat(40);
    assert!(!fits(&plain_marks(&pattern), &"a".repeat(39)));
    assert!(fits(&plain_marks(&pattern), &"a".repeat(80)));
}

#[test]
fn patterns_fit_as_documented() {
    let context = Context::from([
        ("aws:username".to_owned(), Given::One("a*".to_owned())),
        ("aws:TagKeys".to_owned(), Given::Many(vec!["k".to_owned()])),
        ("none".to_owned(), Given::Many(Vec::new())),
    ]);
    let cases = [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", true),
        ("arn:aws:s3:*:b", "arn:aws:s3:::b", false),
        ("arn:aws:s3:*", "arn:aws:s3:::b", true),
        ("arn:aws:s3", "arn:aws:s3:::b", false),
        ("arn:aws:s3:::${AWS:UserName}", "arn:aws:s3:::a*", true),
        ("arn:aws:s3:::${aws:username}", "arn:aws:s3:::ab", false),
        ("arn:aws:s3:::${*}${?}${$}", "arn:aws:s3:::*?$", true),
        ("arn:aws:s3:::${none, 'x*'}", "arn:aws:s3:::x*", true),
        ("arn:aws:s3:::${none,'x*'}", "arn:aws:s3:::xy", false),
        ("*", "*", true),
        ("arn:aws:s3:::*", "*", false),
        ("arn:aws:s3:::b?", "arn:aws:s3:::b\u{e9}", true),
        ("arn:aws:S3:::b", "arn:aws:s3:::b", false),
    ];
    for (pattern, resource, expected) in cases {
        let marks = marks(pattern, &context).unwrap();
        assert_eq!(fits_resource(&marks, resource), expected, "{pattern} {resource}");
    }
    for nothing in ["${aws:TagKeys}", "${aws:TagKeys, 'd'}", "${none}", "x${absent}"] {
        assert_eq!(marks(nothing, &context), None, "{nothing}");
    }
}
