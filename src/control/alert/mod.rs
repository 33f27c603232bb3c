//! Alerts: channels are made ([`channel`]), what has happened is made into alerts (`raise`), and those are delivered
//! ([`deliver`]).
//!
//! An alert and whom to tell are kept before anything is sent, in the transaction that says how far its source has been looked
//! at: so none is lost and none is made twice. A message has the alert's id, and is done when its endpoint has taken it.

pub mod channel;
pub mod deliver;
mod raise;

use std::sync::Arc;

use async_trait::async_trait;

use crate::credential::seal::MasterKey;
use crate::credential::webhook::WebhookKey;
use crate::findings::alert::message::{Message, Teller};
use crate::ids::issuer::DocumentUrl;

/// Carries messages to endpoints. Implemented where sockets may be opened; decides only which places may be reached.
#[async_trait]
pub trait Courier: Send + Sync + std::fmt::Debug {
    /// Whether messages may go there at all.
    ///
    /// # Errors
    /// Why not, and what would change that.
    fn may_reach(&self, to: &DocumentUrl) -> Result<(), String>;

    /// Sends a message with this signature, and says with which status it was answered.
    ///
    /// # Errors
    /// Why it was not.
    async fn post(&self, to: &DocumentUrl, message: &Message, signature: &Signature) -> Result<u16, String>;
}

/// What a message is signed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    /// When, in seconds: a part of what is signed.
    pub at: i64,
    /// The signatures, as the header says them.
    pub text: String,
}

/// What sends alerts.
#[derive(Debug)]
pub struct Dispatch {
    courier: Arc<dyn Courier>,
    teller: Teller,
    key: Option<WebhookKey>,
}

impl Dispatch {
    /// Sends by this courier, in this name.
    #[must_use]
    pub fn new(courier: Arc<dyn Courier>, teller: Teller, master: &MasterKey) -> Self {
        Self { courier, teller, key: WebhookKey::of(master) }
    }
}
