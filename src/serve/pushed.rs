//! Who is told of pushed manifests: whoever reads reports and has images scanned. Noticed here, done elsewhere.

use tokio::sync::mpsc;

use crate::control::pushed::Pushed;

/// Who is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where to.
    pub by: mpsc::Sender<Pushed>,
}

impl Told {
    /// Tells of it. A full channel loses it, which the log says: reports are read a little later then, and what was to be
    /// scanned is not.
    pub fn tell(&self, pushed: Pushed) {
        if let Err(lost) = self.by.try_send(pushed) {
            tracing::warn!(%lost, "a pushed manifest is not looked at, because too many wait for it");
        }
    }
}
