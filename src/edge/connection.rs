//! What is known of a connection before its first request.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::client::address::ClientAddr;
use crate::client::certificate::ClientCertificate;
use crate::ids::host::HostName;
use crate::network::endpoint::Endpoint;

/// One accepted connection. It carries no caller: every request proves its own.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Which of the configured listeners accepted it, by position.
    pub listener: usize,
    /// The listener's network.
    pub endpoint: Endpoint,
    /// The client, of the connection or, behind a proxy that is trusted to name it, of the request at hand.
    pub client: ClientAddr,
    /// Our end of the socket.
    pub local: SocketAddr,
    /// The name that the client asked for in the TLS handshake; `None` without TLS or SNI.
    pub server_name: Option<HostName>,
    /// The certificate that the client proved to hold, if the listener asks for one. What it proves of a request, the gate
    /// decides for each.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}
