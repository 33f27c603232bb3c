//! Tickets for one layer: what a download URL holds, sealed, so that it can be handed to a program that signs nothing.
//!
//! A ticket proves nothing by itself: it holds a registry password of whoever asked for it, which is looked at like any
//! other when it is used, and only for that layer.

use serde::{Deserialize, Serialize};

use super::session::Sealer;
use crate::clock::{Entropy, UnixTime};
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::secret::Secret;

const TICKET: &str = "layer-ticket";

/// A ticket.
#[derive(Clone, Debug)]
pub struct LayerTicket {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// Which layer.
    pub digest: Digest,
    /// Until when it is good.
    pub expires_at: UnixTime,
    /// The registry password of whoever asked for it.
    pub password: Secret<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    region: Region,
    repository: RepositoryName,
    digest: Digest,
    expires_at: UnixTime,
    password: String,
}

impl Sealer {
    /// Writes a ticket in characters that a path may hold.
    #[must_use]
    pub fn layer_ticket(&self, ticket: LayerTicket, entropy: &dyn Entropy) -> String {
        let LayerTicket { region, repository, digest, expires_at, password } = ticket;
        let password = password.expose().clone();
        self.seal(TICKET, &Sealed { region, repository, digest, expires_at, password }, entropy)
    }

    /// Opens a ticket; `None` for anything that was not sealed here, or is over.
    #[must_use]
    pub fn open_layer_ticket(&self, text: &str, now: UnixTime) -> Option<LayerTicket> {
        let sealed: Sealed = self.open(TICKET, text)?;
        let Sealed { region, repository, digest, expires_at, password } = sealed;
        let password = Secret::new(password);
        (now < expires_at).then_some(LayerTicket { region, repository, digest, expires_at, password })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::LayerTicket;
    use crate::clock::{SequenceEntropy, UnixTime};
    use crate::credential::seal::MasterKey;
    use crate::credential::session::Sealer;
    use crate::secret::Secret;

    #[test]
    fn a_ticket_is_good_until_it_is_over_and_only_where_it_was_sealed() {
        let sealer = |seed| Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(seed))));
        let ticket = LayerTicket {
            region: "us-south".parse().unwrap(),
            repository: "team-a/app".parse().unwrap(),
            digest: format!("sha256:{}", "a".repeat(64)).parse().unwrap(),
            expires_at: UnixTime::from_seconds(1000),
            password: Secret::from("a-password"),
        };
        let text = sealer(1).layer_ticket(ticket, &SequenceEntropy::seeded(7));
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let opened = sealer(1).open_layer_ticket(&text, UnixTime::from_seconds(999)).unwrap();
        assert_eq!(
            (opened.repository.as_str(), opened.password.expose().as_str()),
            ("team-a/app", "a-password")
        );
        assert!(sealer(1).open_layer_ticket(&text, UnixTime::from_seconds(1000)).is_none());
        assert!(sealer(2).open_layer_ticket(&text, UnixTime::from_seconds(1)).is_none());
        assert!(sealer(1).registry_password(&text).is_none());
    }
}
