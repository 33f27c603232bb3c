//! Compliance: what is known is gathered (`gather`), judged and kept ([`scan`]), shown ([`show`]); rules are made ([`rule`]),
//! attached ([`attachment`]) and stand in the way of changes (`govern`).

pub mod attachment;
mod gather;
mod govern;
mod grants;
mod ibm_grants;
pub mod rule;
pub mod scan;
pub mod show;

use tokio::sync::{Mutex, MutexGuard};

use crate::compliance::facts::Listener;
use crate::compliance::goal::Profile;
use crate::control::Desk;
use crate::control::problem::Problem;
use crate::ids::region::Region;
use crate::record::recorder::Recorder;
use crate::store::lead::Lead;

/// What the server is, as far as goals ask.
#[derive(Clone, Debug, Default)]
pub struct Premises {
    /// The registries: region, and all names, the first one first.
    pub registries: Vec<(Region, Vec<String>)>,
    /// Where it listens.
    pub listeners: Vec<Listener>,
}

/// What compliance needs beside the store.
#[derive(Debug)]
pub struct Compliance {
    /// The profiles; the first is the one that is meant where none is named.
    pub profiles: Vec<Profile>,
    /// The server.
    pub premises: Premises,
    /// Where drift is recorded, metrics are shown, and notices come from.
    pub recorder: Recorder,
    /// Held while a change is compared with the rules and made, so that none slips in between.
    governing: Mutex<()>,
    /// The last scan; held while there is one, so that there is only one at a time.
    last: Mutex<Option<scan::Last>>,
}

impl Compliance {
    /// Judges by these profiles.
    #[must_use]
    pub fn new(profiles: Vec<Profile>, premises: Premises, recorder: Recorder) -> Self {
        Self { profiles, premises, recorder, governing: Mutex::default(), last: Mutex::default() }
    }
}

/// The turn of one change among all that rules have a say in, of whichever replica; it is over with this value.
#[derive(Debug)]
pub(in crate::control) struct Governing<'a> {
    _here: MutexGuard<'a, ()>,
    _among: Box<dyn Lead>,
}

impl Desk {
    /// Waits for the turn of a change that is compared with the rules and then made.
    pub(in crate::control) async fn governing(&self) -> Result<Governing<'_>, Problem> {
        let here = self.compliance.governing.lock().await;
        Ok(Governing { _here: here, _among: self.store.exclusive().await? })
    }
}
