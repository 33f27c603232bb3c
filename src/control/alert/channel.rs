//! Notification channels. What goes out by one is all that is found in the account's images and goals, so whoever makes one could
//! read that, or grant it.

use std::sync::Arc;

use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::permit::{Control, Permit};
use crate::admit::refusal::Refusal;
use crate::control::problem::{Noun, Problem};
use crate::control::{Desk, Done};
use crate::credential::webhook::WebhookSecret;
use crate::findings::alert::channel::ChannelDocument;
use crate::ids::tagged::NotificationChannelId;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::secret::Secret;
use crate::store::alert::{ChannelRecord, Delivery};
use crate::store::identity::Stamp;

/// The most channels of an account.
const CHANNELS_MAX: u32 = 15;

/// Which secret a channel is to have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NewSecret {
    /// One that was chosen elsewhere.
    Chosen(WebhookSecret),
    /// A fresh one.
    Fresh,
}

/// What reading and changing channels is decided on.
fn account() -> Resource {
    Resource::platform(Service::IamIdentity)
}

impl Desk {
    /// All channels, oldest first. Who may not change them sees of an endpoint only where it is: the rest may be a secret.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn channels(&self, caller: &Arc<Caller>) -> Result<Done<Vec<ChannelRecord>>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelRead, account()).await?;
        let mut rows = self.store.channels().await?;
        rows.iter_mut().for_each(|row| self.redact(caller, row));
        Ok(Done::new(rows, permit))
    }

    /// One channel.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn channel(
        &self,
        caller: &Arc<Caller>,
        id: &NotificationChannelId,
    ) -> Result<Done<ChannelRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelRead, account()).await?;
        let mut row = self.stored_channel(id).await?;
        self.redact(caller, &mut row);
        Ok(Done::new(row, permit))
    }

    /// Makes a channel. Its secret is shown this once.
    ///
    /// # Errors
    /// [`Problem`]; a channel that cannot be obeyed, one too many, and one of a name that is taken.
    pub async fn create_channel(
        &self,
        caller: &Arc<Caller>,
        document: ChannelDocument,
        secret: NewSecret,
    ) -> Result<Done<(ChannelRecord, Secret<String>)>, Problem> {
        let permit = self.permit_channels(caller).await?;
        self.check_channel(&document)?;
        let id = NotificationChannelId::fresh(&*self.entropy);
        let (secret, sealed) = self.sealed(&id, secret);
        let row = ChannelRecord {
            id,
            document,
            secret: sealed,
            delivered_at: None,
            failed_at: None,
            created_by: caller.principal().clone(),
            modified_by: caller.principal().clone(),
            stamp: Stamp::new(self.clock.now()),
        };
        self.store.insert_channel(&row, CHANNELS_MAX).await?;
        Ok(Done::new((row, secret), permit))
    }

    /// Changes a channel, as it is while nobody else changes it. Where the endpoint is another, none of its messages has been
    /// taken yet. A new secret is shown this once.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn change_channel(
        &self,
        caller: &Arc<Caller>,
        id: &NotificationChannelId,
        change: impl FnOnce(ChannelDocument) -> Result<ChannelDocument, Problem> + Send,
        secret: Option<NewSecret>,
    ) -> Result<Done<(ChannelRecord, Option<Secret<String>>)>, Problem> {
        let permit = self.permit_channels(caller).await?;
        let stored = self.stored_channel(id).await?;
        let document = change(stored.document.clone())?;
        self.check_channel(&document)?;
        let moved = document.endpoint != stored.document.endpoint;
        let (secret, sealed) = secret.map(|secret| self.sealed(id, secret)).unzip();
        let row = ChannelRecord {
            document,
            secret: sealed.unwrap_or(stored.secret),
            delivered_at: stored.delivered_at.filter(|_| !moved),
            failed_at: stored.failed_at.filter(|_| !moved),
            modified_by: caller.principal().clone(),
            stamp: Stamp { modified_at: self.clock.now(), version: stored.stamp.version + 1, ..stored.stamp },
            ..stored
        };
        let written = self.store.update_channel(&row).await;
        written.map_err(|error| Problem::of(error, Noun::NotificationChannel, id))?;
        Ok(Done::new((row, secret), permit))
    }

    /// Deletes channels, and forgets what was sent by them. All are looked at before any is deleted.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_channels(
        &self,
        caller: &Arc<Caller>,
        ids: &[NotificationChannelId],
    ) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelUpdate, account()).await?;
        for id in ids {
            self.stored_channel(id).await?;
        }
        for id in ids {
            let gone = self.store.delete_channel(id).await;
            gone.map_err(|error| Problem::of(error, Noun::NotificationChannel, id))?;
        }
        Ok(Done::new((), permit))
    }

    /// Sends a test by a channel, enabled or not, and says what became of it. It is not tried again.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn test_channel(
        &self,
        caller: &Arc<Caller>,
        id: &NotificationChannelId,
    ) -> Result<Done<Delivery>, Problem> {
        let permit = self.permit_channels(caller).await?;
        let row = self.stored_channel(id).await?;
        self.not_too_often(&row).await?;
        Ok(Done::new(self.deliver_test(&row, caller).await?, permit))
    }

    /// What became of the latest messages, newest first; only those by a channel, if given.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn deliveries(
        &self,
        caller: &Arc<Caller>,
        channel: Option<&NotificationChannelId>,
        limit: u32,
    ) -> Result<Done<Vec<Delivery>>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelRead, account()).await?;
        if let Some(id) = channel {
            self.stored_channel(id).await?;
        }
        Ok(Done::new(self.store.deliveries(channel, limit).await?, permit))
    }

    /// What messages by any channel can be checked with, as PEM.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn notification_key(&self, caller: &Arc<Caller>) -> Result<Done<String>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelRead, account()).await?;
        let missing = || Fault::Internal("there is no key to sign messages with".to_owned());
        let key = self.dispatch.key.as_ref().ok_or_else(missing)?;
        Ok(Done::new(key.public_key(), permit))
    }

    /// A permit to decide who is told what is found anywhere: nobody hands that on who could neither read nor grant it.
    async fn permit_channels(&self, caller: &Arc<Caller>) -> Result<Permit<Control>, Problem> {
        let permit = self.authority.permit(caller, Action::ChannelUpdate, account()).await?;
        for (region, _) in &self.compliance.premises.registries {
            let whole = Resource::registry(region);
            let may = |action| self.authority.may(caller, action, &whole);
            if may(Action::PolicyCreate) {
                continue;
            }
            // What is denied in one place is not seen from the whole.
            let scanned = self.store.scanned_repositories(region).await?;
            let count = scanned.len();
            let seen = self.authority.listed(caller, Action::ImageVulnerabilities, region, scanned).await?;
            if !may(Action::ImageVulnerabilities) || seen.len() < count {
                return Err(Refusal::unallowed(Action::ImageVulnerabilities, whole).into());
            }
        }
        Ok(permit)
    }

    fn check_channel(&self, document: &ChannelDocument) -> Result<(), Problem> {
        document.check().map_err(Problem::Invalid)?;
        let url = document.url().map_err(Problem::Invalid)?;
        self.dispatch.courier.may_reach(&url).map_err(Problem::Invalid)
    }

    fn sealed(&self, id: &NotificationChannelId, secret: NewSecret) -> (Secret<String>, Vec<u8>) {
        let secret = match secret {
            NewSecret::Chosen(secret) => secret,
            NewSecret::Fresh => WebhookSecret::fresh(&*self.entropy),
        };
        (secret.reveal(), secret.sealed(id, &self.master, &*self.entropy))
    }

    pub(super) async fn stored_channel(&self, id: &NotificationChannelId) -> Result<ChannelRecord, Problem> {
        let missing = || Problem::NotFound(Noun::NotificationChannel, id.to_string());
        self.store.channel(id).await?.ok_or_else(missing)
    }

    fn redact(&self, caller: &Caller, row: &mut ChannelRecord) {
        if self.authority.may(caller, Action::ChannelUpdate, &account()) {
            return;
        }
        let shown = row.document.url().map(|url| format!("{}/…", url.origin()));
        row.document.endpoint = shown.unwrap_or_default();
    }
}
