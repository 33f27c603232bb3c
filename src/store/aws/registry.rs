//! Settings of a registry as ECR has them: its policy and its account settings, each a text by its name.

use async_trait::async_trait;

use crate::ids::region::Region;
use crate::store::StoreError;

/// Reading and changing settings. They decide no request, so they touch nothing.
#[async_trait]
pub trait RegistryExtras {
    /// One setting.
    async fn registry_setting(&self, region: &Region, name: &str) -> Result<Option<String>, StoreError>;
    /// Sets or removes a setting; `NotFound` if there is none to be removed.
    async fn put_registry_setting(
        &self,
        region: &Region,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), StoreError>;
}
