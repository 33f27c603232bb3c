//! How a store operation can fail.

use sqlx::error::ErrorKind;

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

impl StoreError {
    /// Of a failed commit: if the database has not refused it, nobody knows.
    pub(super) fn in_doubt(error: sqlx::Error) -> Self {
        if error.as_database_error().is_some() {
            return error.into();
        }
        Self::Unavailable(format!(
            "the connection was lost while a change was committed, and whether it was made is unknown: {error}"
        ))
    }

    /// Says `because` if the database refused a row that is there already.
    pub(super) fn conflict(error: sqlx::Error, because: &'static str) -> Self {
        if let Self::Conflict(_) = Self::from(&error) { Self::Conflict(because) } else { Self::from(&error) }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&sqlx::Error> for StoreError {
    fn from(error: &sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            return Self::Corrupt(error.to_string());
        }
        if let sqlx::Error::Encode(_) = error {
            return Self::Conflict("a text holds a null character, which is not kept");
        }
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            Some(ErrorKind::ForeignKeyViolation) => Self::NotFound,
            Some(ErrorKind::UniqueViolation) => Self::Conflict("such a row exists already"),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
