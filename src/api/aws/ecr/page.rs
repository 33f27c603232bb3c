//! Pages of lists: how much, and after what.

use data_encoding::BASE64URL_NOPAD;

use crate::control::aws::ecr::invalid;
use crate::control::aws::ecr::repository::Paging;
use crate::control::aws::problem::AwsProblem;

/// Reads which page is wanted.
pub(super) fn paging(token: Option<&str>, results: Option<u32>, most: u32) -> Result<Paging, AwsProblem> {
    let limit = results.unwrap_or(100.min(most));
    if !(1..=most).contains(&limit) {
        return Err(invalid("maxResults", &format!("must be between 1 and {most}")));
    }
    let wrong = || invalid("nextToken", "Invalid token");
    let after = match token {
        None => None,
        Some(token) => {
            let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| wrong())?;
            Some(String::from_utf8(bytes).map_err(|_| wrong())?)
        }
    };
    Ok(Paging { after, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
}

/// Writes where the next page begins.
pub(super) fn token(after: &str) -> String {
    BASE64URL_NOPAD.encode(after.as_bytes())
}
