//! Names and descriptions that callers choose: any text that a terminal and a log survive.

use super::problem::Problem;

/// The longest name of an identity or key, in characters.
pub const NAME_MAX: usize = 255;
/// The longest description, in characters.
pub const DESCRIPTION_MAX: usize = 1000;

/// Checks a name: 1 to `max` characters, none of them a control character, no space at either end.
///
/// # Errors
/// [`Problem::Invalid`] otherwise.
pub fn name(field: &str, text: &str, max: usize) -> Result<String, Problem> {
    let ok = (1..=max).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && text.trim() == text;
    let wrong = || {
        let rule = format!("1 to {max} characters without control characters or outer spaces");
        Problem::Invalid(format!("`{field}` is not a usable name: give {rule}"))
    };
    ok.then(|| text.to_owned()).ok_or_else(wrong)
}

/// Checks a description: at most `max` characters, none of them a control character except line breaks and tabs.
///
/// # Errors
/// [`Problem::Invalid`] otherwise.
pub fn description(text: &str, max: usize) -> Result<String, Problem> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    let ok = text.chars().count() <= max && !text.chars().any(odd);
    let wrong = || {
        Problem::Invalid(format!(
            "`description` is not usable: give at most {max} characters, no control characters"
        ))
    };
    ok.then(|| text.to_owned()).ok_or_else(wrong)
}
