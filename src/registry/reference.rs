//! Tags and digests: the two ways to point at a manifest.

use std::sync::Arc;

use crate::ids::{Malformed, text_type};

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Parses a tag.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let rest = |b: u8| first(b) || b == b'.' || b == b'-';
        let ok = text.len() <= 128 && text.bytes().next().is_some_and(first) && text.bytes().all(rest);
        if ok { Ok(Self(text.into())) } else { Err(Malformed::new(text, "a tag")) }
    }

    /// The tag as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(Tag);

/// A digest of one of the two registered algorithms, in lower-case hex: `sha256:` + 64 or `sha512:` + 128.
///
/// Other algorithms are refused: a vanilla registry answers 500 to some of them and believes others.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest(Arc<str>);

impl Digest {
    /// Parses `algorithm:hex`.
    ///
    /// # Errors
    /// [`Malformed`] for another algorithm, length or case.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let hex = |digits: &str, length: usize| {
            digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let ok = match text.split_once(':') {
            Some(("sha256", digits)) => hex(digits, 64),
            Some(("sha512", digits)) => hex(digits, 128),
            _ => false,
        };
        if ok { Ok(Self(text.into())) } else { Err(Malformed::new(text, "a sha256 or sha512 digest")) }
    }

    /// `algorithm:hex`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(Digest);

/// What follows `/manifests/`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Reference {
    /// By content.
    Digest(Digest),
    /// By name.
    Tag(Tag),
}

impl Reference {
    /// Parses a digest if there is a colon, else a tag; no text can be both.
    ///
    /// # Errors
    /// [`Malformed`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.contains(':') {
            Digest::parse(text).map(Self::Digest)
        } else {
            Tag::parse(text).map(Self::Tag)
        }
    }

    /// The text as it stands in a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Digest(digest) => digest.as_str(),
            Self::Tag(tag) => tag.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, Reference, Tag};

    #[test]
    fn tags_are_ascii_and_at_most_128_long() {
        assert!(
            Tag::parse("v1").is_ok() && Tag::parse("_x.y-Z").is_ok() && Tag::parse(&"a".repeat(128)).is_ok()
        );
        for wrong in ["", ".a", "-a", "a/b", "a:b", "v\u{661}", "a b", &"a".repeat(129)] {
            assert!(Tag::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_registered_lower_case_digests_are_digests() {
        let hex = "0123456789abcdef".repeat(4);
        assert!(Digest::parse(&format!("sha256:{hex}")).is_ok());
        assert!(Digest::parse(&format!("sha512:{hex}{hex}")).is_ok());
        for wrong in ["md5:0", "SHA256:", "sha256:", &hex, &format!("sha256:{}", hex.to_uppercase())] {
            assert!(Digest::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Digest::parse(&format!("sha256:{}", hex.split_at(63).0)).is_err());
        assert!(matches!(Reference::parse("latest"), Ok(Reference::Tag(_))));
        assert!(Reference::parse("sha256:abc").is_err());
    }
}
