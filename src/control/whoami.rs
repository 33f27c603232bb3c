//! Who the caller is, as the server sees it.

use std::sync::Arc;

use super::problem::Problem;
use super::{Control, Desk, Done};
use crate::admit::caller::Caller;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;

impl Desk {
    /// The account's name, for the caller to know where it is logged in.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn whoami(&self, caller: &Arc<Caller>) -> Result<Done<String>, Problem> {
        let resource = Resource::platform(Service::IamIdentity);
        let of = Control { action: Action::AccountRead, resource };
        let permit = self.authority.permit_proven(caller, of);
        let name = self.store.account().await?.map(|account| account.name);
        Ok(Done::new(name.unwrap_or_default(), permit))
    }
}
