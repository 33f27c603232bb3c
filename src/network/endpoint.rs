//! By which of the two networks a connection came in.

use serde::{Deserialize, Serialize};

/// A property of the listener, never of anything that a client sends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// A private network.
    Private,
    /// The public network.
    #[default]
    Public,
}

impl Endpoint {
    /// `private` or `public`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}
