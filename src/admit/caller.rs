//! A principal that has been proven by a credential, as of now.

use std::net::IpAddr;
use std::sync::Arc;

use crate::client::address::ClientAddr;
use crate::clock::UnixTime;
use crate::ids::account::AccountId;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::ApiKeyId;
use crate::network::endpoint::Endpoint;
use crate::view::bundle::Bundle;

/// Who is asking, proven on this very request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The API key that proved the principal, directly or through a token.
    pub api_key: ApiKeyId,
    /// What the principal is and may do, as of now.
    pub bundle: Arc<Bundle>,
    /// From where.
    pub from: ClientAddr,
    /// Our end of the connection.
    pub local: IpAddr,
    /// Over which network.
    pub endpoint: Endpoint,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// When the token was issued that proved the principal, if it was one.
    pub issued_at: Option<UnixTime>,
}

impl Caller {
    /// The principal.
    #[must_use]
    pub fn principal(&self) -> &PrincipalId {
        &self.bundle.principal
    }

    /// What people call the principal: an e-mail address or the service ID's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.bundle.name
    }
}
