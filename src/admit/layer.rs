//! Downloads of single layers by ticket: the ticket says which layer, and brings the password that its bearer is looked at by.

use super::authenticate::Authenticator;
use crate::credential::layer_ticket::LayerTicket;
use crate::ids::region::Region;

impl Authenticator {
    /// Reads a ticket of this registry; `None` for anything else, and when it is over. It proves nothing yet.
    #[must_use]
    pub fn layer_ticket(&self, text: &str, region: &Region) -> Option<LayerTicket> {
        self.sealer.open_layer_ticket(text, self.clock.now()).filter(|ticket| ticket.region == *region)
    }
}
