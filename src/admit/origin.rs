//! Where a request came from, and which certificate came with it.
//!
//! It decides nothing: whether an address or a network is good enough is for `network`, whom a certificate names for
//! `authenticate`.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client::address::ClientAddr;
use crate::client::certificate::{ClientCertificate, Fingerprint, Holder};
use crate::network::endpoint::Endpoint;

/// Where a request came from, as far as the gate cares.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The client.
    pub from: ClientAddr,
    /// Our end of the connection.
    pub local: IpAddr,
    /// The listener's network.
    pub endpoint: Endpoint,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// The client's own certificate, if it has shown one.
    pub certificate: Option<Shown>,
}

/// A certificate that was shown in the handshake, and proven to be held.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The certificate.
    pub certificate: Arc<ClientCertificate>,
    /// Whether it may stand for its holder where nothing else is presented. A browser shows it whoever made the page that
    /// asks.
    pub alone: bool,
}

impl Origin {
    /// Whom the connection's certificate stands for.
    pub(super) fn holder(&self) -> &Holder {
        self.certificate.as_ref().map_or(&Holder::Unasked, |shown| &shown.certificate.holder)
    }

    /// Whether that is the connection's certificate.
    pub(super) fn shows(&self, id: &Fingerprint) -> bool {
        self.certificate.as_ref().is_some_and(|shown| shown.certificate.fingerprint == *id)
    }
}
