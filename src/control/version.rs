//! Entity tags: which version of a row a caller saw.

use super::problem::Problem;
use crate::store::identity::Stamp;

/// The tag of a row: `<version>-<32 hex digits>`. The digits only make tags of different rows differ; they are no
/// secret and prove nothing.
#[must_use]
pub fn entity_tag(id: &dyn std::fmt::Display, stamp: &Stamp) -> String {
    let text = format!("{id} {} {}", stamp.version, stamp.modified_at.millis());
    format!("{}-{:032x}", stamp.version, fingerprint(&text))
}

/// FNV-1a over 128 bits: spreads, and is the same on every machine.
#[must_use]
pub fn fingerprint(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

/// Which version a caller is ready to change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expected {
    /// Whatever is there.
    Any,
    /// Only the one with this tag.
    Tag(String),
}

impl Expected {
    /// Checks the stored row, and gives the stamp that the changed row will have.
    ///
    /// # Errors
    /// [`Problem::Stale`] if the caller saw another version.
    pub fn next(
        &self,
        id: &dyn std::fmt::Display,
        stored: &Stamp,
        now: crate::clock::UnixTime,
    ) -> Result<Stamp, Problem> {
        let fits = match self {
            Self::Any => true,
            Self::Tag(tag) => *tag == entity_tag(id, stored),
        };
        let next = Stamp { created_at: stored.created_at, modified_at: now, version: stored.version + 1 };
        if fits { Ok(next) } else { Err(Problem::Stale) }
    }
}
