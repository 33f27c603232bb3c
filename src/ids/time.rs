//! Reading times as people and other machines write them.
//!
//! [`UnixTime`] itself lives in `clock`, which knows nothing of texts that may be malformed.

use super::Malformed;
use crate::clock::UnixTime;

impl UnixTime {
    /// Parses RFC 3339 or IBM's short form.
    ///
    /// # Errors
    /// A sentence that says which forms are accepted.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "a time such as `2026-12-31T23:59+0000`");
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_millis(instant.as_millisecond()));
        }
        let civil = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M%z", text).map_err(|_| malformed())?;
        civil.to_timestamp().map(|t| Self::from_millis(t.as_millisecond())).map_err(|_| malformed())
    }
}
