//! Profiles of goals: those that come with the program, and how their files are read.

use std::path::Path;

use super::mistake::{Mistakes, Notes};
use super::raw;
use super::section::Section;
use crate::compliance::goal::{Check, Goal, Profile, Severity};

/// The profiles that come with the program, by the names of their files.
const SHIPPED: [(&str, &str); 2] = [
    (
        "config/compliance/ibm-best-practices.toml",
        include_str!("../../config/compliance/ibm-best-practices.toml"),
    ),
    ("config/compliance/auditor.toml", include_str!("../../config/compliance/auditor.toml")),
];

/// The profiles that come with the program.
///
/// # Errors
/// [`Mistakes`] in one of them, which the tests would have found.
pub fn shipped() -> Result<Vec<Profile>, Mistakes> {
    SHIPPED.iter().map(|(name, text)| parse(Path::new(name), text)).collect()
}

/// Reads a profile.
///
/// # Errors
/// All [`Mistakes`].
pub fn parse(path: &Path, text: &str) -> Result<Profile, Mistakes> {
    let notes = Notes::default();
    let table = raw::read(text, &notes);
    let profile = if notes.is_empty() { profile(Section::top(table, &notes)) } else { None };
    let (mistakes, _) = notes.into_parts(path);
    match profile {
        Some(profile) if mistakes.is_empty() => Ok(profile),
        Some(_) | None => Err(mistakes),
    }
}

fn profile(mut top: Section<'_>) -> Option<Profile> {
    let text = |section: &mut Section<'_>, key, advice: &str| section.required(key, advice, Section::text);
    let id = text(&mut top, "id", "write what commands call the profile");
    let name = text(&mut top, "name", "write what people call the profile");
    let description = top.text("description").unwrap_or_default();
    let place = top.place().clone();
    let goals: Vec<Option<Goal>> = top.sections("goal").into_iter().map(goal).collect();
    let notes = top.notes;
    top.end();
    let goals: Option<Vec<Goal>> = goals.into_iter().collect();
    let read = Profile { id: id?, name: name?, description, goals: goals? };
    read.checked().map_err(|mistake| notes.mistake(&place, mistake.to_string())).ok()
}

fn goal(mut section: Section<'_>) -> Option<Goal> {
    let id = section.required("id", "write an id that no other goal of the profile has", Section::text);
    let check = section
        .required("check", "write how the goal is judged", |section, key| section.word(key, &Check::WORDS));
    let parameter = section.number("parameter", 0..=1_000_000).and_then(|number| u32::try_from(number).ok());
    let severity = section.word("severity", &Severity::WORDS).unwrap_or(Severity::Medium);
    let description = section.required("description", "write what the goal asks", Section::text);
    section.end();
    Some(Goal { id: id?, check: check?, parameter, severity, description: description? })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{parse, shipped};

    #[test]
    fn the_profiles_that_come_with_the_program_are_the_nine_goals_of_ibms_and_our_own() {
        let profiles = shipped().unwrap();
        let ids: Vec<&str> = profiles.iter().map(|profile| profile.id.as_str()).collect();
        assert_eq!(ids, ["ibm-best-practices", "auditor"]);
        let goals: Vec<&str> = profiles[0].goals.iter().map(|goal| goal.id.as_str()).collect();
        assert_eq!(
            goals,
            [
                "3000639", "3000636", "3000635", "3000628", "3000627", "3000626", "3000625", "3000623",
                "3000602"
            ]
        );
        let numbers: Vec<_> = profiles[0].goals.iter().filter_map(|goal| goal.parameter).collect();
        assert_eq!(numbers, [1, 1, 3, 3], "at least 1, no more than 3");
        assert_eq!(profiles[1].goals.len(), 13);
    }

    #[test]
    fn a_profile_that_cannot_be_judged_says_where_it_is_wrong() {
        let goal = "id = \"p\"\nname = \"P\"\n[[goal]]\nid = \"1\"\ndescription = \"d\"\n";
        for (text, told) in [
            (format!("{goal}check = \"magic\"\n"), "`magic` is not one of"),
            (format!("{goal}check = \"tls\"\nparameter = 3\n"), "if and only if"),
            (format!("{goal}check = \"key_age\"\nparameter = 3\n"), "`#` in the description"),
            (format!("{goal}check = \"tls\"\nlevel = 3\n"), "is not a known key"),
            ("name = \"P\"".to_owned(), "is missing"),
        ] {
            let mistakes = parse(Path::new("p.toml"), &text).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{mistakes}");
        }
    }
}
