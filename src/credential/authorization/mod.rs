//! The `Authorization` header: one documented grammar, everything else is unusable.
//!
//! It decides which form was presented, never whether it is right. What is unusable is refused like a wrong
//! credential; the reason is for the log and repeats nothing of the header.

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The longest header value that is looked at, in bytes.
pub const HEADER_MAX: usize = 8192;

/// What a request presents in its `Authorization` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presented {
    /// There is no such header.
    Absent,
    /// A user name and a password, neither of them empty, without control characters (RFC 7617).
    Basic {
        /// What stands before the first colon.
        user: String,
        /// What stands after it.
        password: Secret<String>,
    },
    /// A token (RFC 6750).
    Bearer(Secret<String>),
    /// Something else, and why, for the log.
    Unusable(&'static str),
}

impl Presented {
    /// Reads the header: `<scheme> <credentials>`, with exactly one space and a scheme in any case.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) if value.len() > HEADER_MAX => Self::Unusable("the header is too long"),
            (Some(value), None) => value.to_str().map_or(Self::Unusable("the header is not ASCII"), parse),
            (Some(_), Some(_)) => Self::Unusable("there are two Authorization headers"),
        }
    }
}

fn parse(text: &str) -> Presented {
    let Some((scheme, credentials)) = text.split_once(' ') else {
        return Presented::Unusable("there is no space after the scheme");
    };
    if !is_token68(credentials) {
        return Presented::Unusable("the credentials are not one plain token");
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        Presented::Bearer(Secret::from(credentials))
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(credentials)
    } else {
        Presented::Unusable("the scheme is neither Basic nor Bearer")
    }
}

/// RFC 9110 §11.2: no spaces, no commas, padding only at the end.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    // Without a branch for each byte: tokens are long.
    !body.is_empty() && body.bytes().fold(true, |all, byte| all & is_of_token68(byte))
}

const fn is_of_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

fn basic(credentials: &str) -> Presented {
    let Ok(bytes) = BASE64.decode(credentials.as_bytes()).map(Zeroizing::new) else {
        return Presented::Unusable("the Basic credentials are not canonical base64");
    };
    let Some((user, password)) = std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once(':'))
    else {
        return Presented::Unusable("the Basic credentials are not UTF-8 with a colon");
    };
    if user.is_empty() || password.is_empty() {
        return Presented::Unusable("the user name or the password is empty");
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Presented::Unusable("the user name or the password has control characters");
    }
    Presented::Basic { user: user.to_owned(), password: Secret::from(password) }
}

#[cfg(test)]
mod tests;
