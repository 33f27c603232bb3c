//! Paging: opaque tokens that belong to one list with one filter.

use crate::control::problem::Problem;
use crate::control::version::fingerprint;
use crate::store::identity::Window;

/// Makes the token for the page that starts at `offset` of the list named `list` (its path and filter). It holds no
/// secret and grants nothing: what a page shows is decided when it is asked for.
#[must_use]
pub fn token(list: &str, offset: u32) -> String {
    format!("{offset:08x}{:032x}", fingerprint(&format!("{list} {offset}")))
}

/// The token of a page of the list that a call asks for.
#[must_use]
pub(super) fn token_of(call: &super::call::Call<'_>, parameter: &str, offset: u32) -> String {
    token(&call.listed(parameter), offset)
}

/// Reads a token back.
///
/// # Errors
/// [`Problem::Invalid`] for a token of another list or filter, or one that was made up.
pub fn offset(list: &str, given: Option<&str>, parameter: &str) -> Result<u32, Problem> {
    let Some(given) = given else { return Ok(0) };
    let start = given.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let fits = start.filter(|start| token(list, *start) == given);
    let wrong = || Problem::Invalid(format!("`{parameter}` is not a page of this list: start without it"));
    fits.ok_or_else(wrong)
}

/// Where the page after `window` starts, if there is one.
#[must_use]
pub fn next(window: Window, shown: usize, total: u32) -> Option<u32> {
    let end = window.offset.saturating_add(u32::try_from(shown).unwrap_or(u32::MAX));
    (shown > 0 && end < total).then_some(end)
}

/// Where the page before `window` starts, if there is one.
#[must_use]
pub fn previous(window: Window) -> Option<u32> {
    (window.offset > 0).then(|| window.offset.saturating_sub(window.limit))
}

#[cfg(test)]
mod tests {
    use super::{offset, token};

    #[test]
    fn a_page_token_belongs_to_one_list_and_cannot_be_bent() {
        let made = token("/v1/apikeys?a", 20);
        assert_eq!(offset("/v1/apikeys?a", Some(&made), "pagetoken").unwrap(), 20);
        assert!(offset("/v1/apikeys?b", Some(&made), "pagetoken").is_err());
        let bent = made.replacen("00000014", "00000015", 1);
        for wrong in [bent.as_str(), "", "20", "é", "0000001"] {
            assert!(offset("/v1/apikeys?a", Some(wrong), "pagetoken").is_err(), "{wrong}");
        }
    }
}
