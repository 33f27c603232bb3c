//! Values that are written into a line as text without being copied first.

use std::fmt;

use serde::{Serialize, Serializer};

/// Writes what it holds as a JSON string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What something is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named<'a> {
    /// Simply so.
    Text(&'a str),
    /// The method and the template of a route.
    Route(&'static str, &'static str),
    /// `host/repository`, with `:tag` or `@digest` if there is one.
    Image {
        /// The registry.
        host: &'a str,
        /// The repository.
        repository: &'a str,
        /// A tag or a digest.
        reference: Option<&'a str>,
    },
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Text(text) => f.write_str(text),
            Self::Route(method, route) => [method, " ", route].iter().try_for_each(|part| f.write_str(part)),
            Self::Image { host, repository, reference } => {
                [host, "/", repository].iter().try_for_each(|part| f.write_str(part))?;
                let Some(reference) = reference else { return Ok(()) };
                f.write_str(if reference.contains(':') { "@" } else { ":" })?;
                f.write_str(reference)
            }
        }
    }
}
