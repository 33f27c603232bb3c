//! Where a server takes time and randomness from.

use std::sync::Arc;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};

/// Time and randomness, as everything that runs is given them.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Sources {
    /// The machine's own.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }
}
