//! The lead: of all processes that share a store, at most one has it.
//!
//! It is a lock that ends with its holder, never a row that somebody has to clean up. A holder that was cut off may believe in it
//! for a moment longer than the others do; so what is done under it must be safe to do twice.

use async_trait::async_trait;

use super::StoreError;

/// The lead, for as long as this lives and [`Lead::check`] does not fail.
#[async_trait]
pub trait Lead: std::fmt::Debug + Send + Sync {
    /// Fails when it is lost, or when nobody can tell in time.
    async fn check(&mut self) -> Result<(), StoreError>;
}

/// Taking the lead.
#[async_trait]
pub trait Leads {
    /// The lead; `None` while another process has it.
    async fn try_lead(&self) -> Result<Option<Box<dyn Lead>>, StoreError>;
    /// Waits for its turn among all processes that compare what is there with rules and change it then; it lasts as long as the value.
    async fn exclusive(&self) -> Result<Box<dyn Lead>, StoreError>;
}
