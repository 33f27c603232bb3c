//! How a store operation can fail.

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row exists already, or another row forbids the change.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// A stored row cannot be read as what it should be; the text is for the log.
    #[error("corrupt row: {0}")]
    Corrupt(String),
    /// There is no such row.
    #[error("not found")]
    NotFound,
    /// The row is not at the version that the caller last saw.
    #[error("stale version")]
    Stale,
    /// The store cannot be reached, or failed; the text is for the log.
    #[error("store unavailable: {0}")]
    Unavailable(String),
}
