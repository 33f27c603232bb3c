//! Repository and namespace names (OCI distribution-spec 1.1, "Pulling manifests").

use std::sync::Arc;

use crate::ids::{Malformed, text_type};

/// The longest repository name, in bytes, that every client and upstream accepts.
pub const NAME_MAX: usize = 255;

/// A repository name in the strict OCI grammar, at most [`NAME_MAX`] bytes.
///
/// Stricter than a vanilla registry, which also routes names that begin with a host; those are refused here because
/// the two sides would disagree on what was asked for.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RepositoryName(Arc<str>);

impl RepositoryName {
    /// Parses `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` components joined by `/`.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() <= NAME_MAX && text.split('/').all(is_component) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::new(text, "a repository name"))
        }
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first component, by which IBM policies and quotas are scoped.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

text_type!(RepositoryName);

/// A namespace: the first component of a repository name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Namespace(Box<str>);

impl Namespace {
    /// Parses any name that a repository's first component can have.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let ok = text.len() <= NAME_MAX && is_component(text);
        if ok { Ok(Self(text.into())) } else { Err(Malformed::new(text, "a namespace")) }
    }

    /// Parses the name of a namespace that is to be created by name: 4 to 30 characters,
    /// `^[a-z0-9]+[a-z0-9_-]+[a-z0-9]+$`. Pushes may bring others into being.
    ///
    /// # Errors
    /// [`Malformed`] for names that Container Registry would refuse.
    pub fn creatable(text: &str) -> Result<Self, Malformed> {
        let expected = "a namespace: 4 to 30 lower-case letters, digits, hyphens and underscores, \
                        starting and ending with a letter or digit";
        let ok = (4..=30).contains(&text.len()) && !text.contains('.') && is_component(text);
        if ok { Ok(Self(text.into())) } else { Err(Malformed::new(text, expected)) }
    }

    /// The namespace of a repository.
    #[must_use]
    pub fn of(repository: &RepositoryName) -> Self {
        Self(repository.namespace().into())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(Namespace);

/// One path component: alphanumeric runs joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separator = 0usize..0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if alphanumeric(byte) {
            let run = bytes.get(separator.clone()).unwrap_or_default();
            let joined = matches!(run, [] | b"." | b"_" | b"__") || run.iter().all(|&b| b == b'-');
            if !joined || (separator.start == 0 && !run.is_empty()) {
                return false;
            }
            separator = at + 1..at + 1;
        } else if matches!(byte, b'.' | b'_' | b'-') {
            separator.end = at + 1;
        } else {
            return false;
        }
    }
    !bytes.is_empty() && separator.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{Namespace, RepositoryName};

    #[test]
    fn names_follow_the_oci_grammar() {
        for good in
            ["a", "0", "a/b", "a.b", "a_b", "a__b", "a---b", "a/manifests/b", "a/blobs/uploads", "v2/a"]
        {
            assert!(RepositoryName::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        let wrong = [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a/B",
            "a..b",
            "a._b",
            "a___b",
            "-a",
            "a-",
            ".a",
            "a.",
            "a+b",
            "a~b",
            "a/b:1",
            "a b",
            "é",
            "a/../b",
            "localhost:5000/a",
            "_catalog",
            &long,
        ];
        for name in wrong {
            assert!(RepositoryName::parse(name).is_err(), "{name}");
        }
        assert!(RepositoryName::parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn namespaces_have_container_registrys_limits() {
        assert!(Namespace::creatable("my_namespace").is_ok() && Namespace::creatable("team-a").is_ok());
        for wrong in ["abc", "a.bcd", "-abcd", "abcd-", "Abcd", "a/bcd", &"a".repeat(31)] {
            assert!(Namespace::creatable(wrong).is_err(), "{wrong}");
        }
    }
}
