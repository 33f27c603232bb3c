//! OpenID Connect providers: who else may say who somebody is.

use async_trait::async_trait;

use super::AwsError;
use super::tag::Tag;
use crate::ids::aws::ProviderUrl;
use crate::store::StoreError;
use crate::store::feed::Sequence;
use crate::store::identity::{Listed, Stamp, Window};

/// A provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OidcProvider {
    /// Its issuer, which is also its name.
    pub url: ProviderUrl,
    /// The audiences that its tokens may be for.
    pub client_ids: Vec<String>,
    /// SHA-1 thumbprints of its certificates.
    pub thumbprints: Vec<String>,
    /// When.
    pub stamp: Stamp,
}

/// Reading and changing providers.
#[async_trait]
pub trait OidcProviders {
    /// One provider, and the feed's position at that instant.
    async fn oidc_provider(&self, url: &ProviderUrl) -> Result<(Option<OidcProvider>, Sequence), StoreError>;
    /// Providers, oldest first.
    async fn oidc_providers(&self, window: Window) -> Result<Listed<OidcProvider>, StoreError>;
    /// Adds a provider with its tags; `Conflict` if there is one of that URL.
    async fn insert_oidc_provider(&self, row: &OidcProvider, tags: &[Tag]) -> Result<(), AwsError>;
    /// Replaces a provider whose stored version is `row.stamp.version - 1`.
    async fn update_oidc_provider(&self, row: &OidcProvider) -> Result<(), AwsError>;
    /// Removes a provider.
    async fn delete_oidc_provider(&self, url: &ProviderUrl) -> Result<(), StoreError>;
}
