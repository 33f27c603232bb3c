//! Why a server command ends: one sentence for the operator, ending in what to do.

use std::fmt::Display;

/// A failed command.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// Says what failed and why.
    #[must_use]
    pub fn new(what: impl Display, why: impl Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// Says it in one sentence.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Adds what was being done to an error.
pub trait Doing<T> {
    /// Names what was being done.
    ///
    /// # Errors
    /// [`Failure`] with the error's text.
    fn doing(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|why| Failure::new(what, why))
    }
}
