//! The query: known keys only, each at most once, decoded once and strictly.
//!
//! It decides what text a key has. It never guesses: whatever Go, Rust or a proxy in between could read differently is
//! refused, and unknown keys are dropped, never forwarded.

use super::unsupported;
use crate::registry::error::OciError;

/// The decoded values of the keys that registry calls know.
#[derive(Debug, Default, Eq, PartialEq)]
pub(in crate::registry) struct Query {
    pub(in crate::registry) artifact_type: Option<String>,
    pub(in crate::registry) digest: Option<String>,
    pub(in crate::registry) from: Option<String>,
    pub(in crate::registry) last: Option<String>,
    pub(in crate::registry) lease: Option<String>,
    pub(in crate::registry) mount: Option<String>,
    pub(in crate::registry) n: Option<String>,
}

impl Query {
    /// Parses what follows the `?`.
    pub(in crate::registry) fn parse(raw: &str) -> Result<Self, OciError> {
        if raw.bytes().any(|b| b == b';' || !b.is_ascii_graphic()) {
            return Err(unsupported("The query has a character that must be percent-encoded."));
        }
        let mut query = Self::default();
        for pair in raw.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key)?, decode(value)?);
            let Some(place) = query.place(&key) else { continue };
            if place.replace(value).is_some() {
                return Err(unsupported(&format!("The query parameter `{key}` is given more than once.")));
            }
        }
        Ok(query)
    }

    fn place(&mut self, key: &str) -> Option<&mut Option<String>> {
        match key {
            "artifactType" => Some(&mut self.artifact_type),
            "digest" => Some(&mut self.digest),
            "from" => Some(&mut self.from),
            "last" => Some(&mut self.last),
            "lease" => Some(&mut self.lease),
            "mount" => Some(&mut self.mount),
            "n" => Some(&mut self.n),
            _ => None,
        }
    }
}

/// Decodes percent-escapes and `+` once; refuses bad escapes, control characters and invalid UTF-8.
fn decode(text: &str) -> Result<String, OciError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (bytes.next().and_then(hex), bytes.next().and_then(hex));
                let (Some(high), Some(low)) = digits else {
                    return Err(unsupported("The query has a `%` without two hex digits after it."));
                };
                high << 4 | low
            }
            other => other,
        });
    }
    match String::from_utf8(decoded) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        Ok(_) | Err(_) => Err(unsupported("The query decodes to control characters or invalid UTF-8.")),
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
