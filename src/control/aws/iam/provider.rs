//! OpenID Connect providers: whose tokens may be exchanged for sessions of roles.

use std::sync::Arc;

use super::words::{Noun, failed, missing};
use super::{Keys, request_tags, resource_tags};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::list::rows;
use crate::ids::aws::ProviderUrl;
use crate::policy::table::IamAction;
use crate::store::aws::oidc_provider::OidcProvider;
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::identity::Stamp;

/// What a caller says of a new provider.
#[derive(Debug)]
pub struct NewProvider {
    /// Its issuer.
    pub url: ProviderUrl,
    /// The audiences that its tokens may be for.
    pub client_ids: Vec<String>,
    /// SHA-1 thumbprints of its certificates.
    pub thumbprints: Vec<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What is done to the client ids of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientChange {
    /// One is added; twice is once.
    Add,
    /// One is removed; one that is not there stays away.
    Remove,
}

impl Desk {
    /// The ARN of a provider.
    #[must_use]
    pub fn provider_arn(&self, url: &ProviderUrl) -> String {
        format!("arn:aws:iam::{}:oidc-provider/{url}", self.account)
    }

    /// Makes a provider.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn create_provider(
        &self,
        caller: &Arc<Caller>,
        new: NewProvider,
    ) -> Result<AwsDone<(String, Vec<Tag>)>, AwsProblem> {
        let arn = self.provider_arn(&new.url);
        let (action, keys) = (IamAction::CreateOpenIdConnectProvider, request_tags(&new.tags));
        let permit = self.permit_on(caller, action, arn.clone(), keys.clone()).await?;
        if !new.tags.is_empty() {
            self.permit_on(caller, IamAction::TagOpenIdConnectProvider, arn.clone(), keys).await?;
        }
        let stamp = Stamp::new(self.clock.now());
        let (client_ids, thumbprints) = (new.client_ids, new.thumbprints);
        let row = OidcProvider { url: new.url, client_ids, thumbprints, stamp };
        let url = format!("https://{}", row.url);
        let inserted = self.store.insert_oidc_provider(&row, &new.tags).await;
        inserted.map_err(|error| failed(error, Noun::NewProvider(&url), ""))?;
        Ok(AwsDone::new((arn, new.tags), permit))
    }

    /// Permits an action on a provider and says which it is.
    pub(super) async fn grasp_provider(
        &self,
        caller: &Arc<Caller>,
        action: IamAction,
        arn: &str,
        mut keys: Keys,
    ) -> Result<(OidcProvider, Permit<AwsControl>), AwsProblem> {
        let own = arn.strip_prefix(&format!("arn:aws:iam::{}:oidc-provider/", self.account));
        let url = own.and_then(|url| ProviderUrl::parse(url).ok());
        let found = match url.filter(|url| self.provider_arn(url) == arn) {
            Some(url) => self.store.oidc_provider(&url).await?.0,
            None => None,
        };
        if let Some(row) = &found {
            keys.extend(resource_tags(&self.store.tags(&Tagged::Provider(row.url.clone())).await?));
        }
        let permit = self.permit_on(caller, action, arn.to_owned(), keys).await?;
        let row = found.ok_or_else(|| missing(Noun::Provider(arn)))?;
        Ok((row, permit))
    }

    /// One provider and its tags.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn provider(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
    ) -> Result<AwsDone<(OidcProvider, Vec<Tag>)>, AwsProblem> {
        let action = IamAction::GetOpenIdConnectProvider;
        let (row, permit) = self.grasp_provider(caller, action, arn, Keys::new()).await?;
        let tags = self.store.tags(&Tagged::Provider(row.url.clone())).await?;
        Ok(AwsDone::new((row, tags), permit))
    }

    /// The ARNs of all providers.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn providers(&self, caller: &Arc<Caller>) -> Result<AwsDone<Vec<String>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::ListOpenIdConnectProviders).await?;
        let all = rows(|window| self.store.oidc_providers(window)).await?;
        Ok(AwsDone::new(all.iter().map(|row| self.provider_arn(&row.url)).collect(), permit))
    }

    /// Adds or removes a client id.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn change_client(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        change: ClientChange,
        client: &str,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = match change {
            ClientChange::Add => IamAction::AddClientIdToOpenIdConnectProvider,
            ClientChange::Remove => IamAction::RemoveClientIdFromOpenIdConnectProvider,
        };
        let (mut row, permit) = self.grasp_provider(caller, action, arn, Keys::new()).await?;
        let known = row.client_ids.iter().any(|one| one == client);
        match change {
            ClientChange::Add if !known => row.client_ids.push(client.to_owned()),
            ClientChange::Remove if known => row.client_ids.retain(|one| one != client),
            ClientChange::Add | ClientChange::Remove => return Ok(AwsDone::new((), permit)),
        }
        self.replace_provider(row, arn).await?;
        Ok(AwsDone::new((), permit))
    }

    /// Replaces the thumbprints.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn replace_thumbprints(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        thumbprints: Vec<String>,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let action = IamAction::UpdateOpenIdConnectProviderThumbprint;
        let (row, permit) = self.grasp_provider(caller, action, arn, Keys::new()).await?;
        self.replace_provider(OidcProvider { thumbprints, ..row }, arn).await?;
        Ok(AwsDone::new((), permit))
    }

    async fn replace_provider(&self, mut row: OidcProvider, arn: &str) -> Result<(), AwsProblem> {
        row.stamp.version += 1;
        row.stamp.modified_at = self.clock.now();
        let updated = self.store.update_oidc_provider(&row).await;
        updated.map_err(|error| failed(error, Noun::Provider(arn), ""))
    }

    /// Deletes a provider. It is gone already if there is none.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn delete_provider(&self, caller: &Arc<Caller>, arn: &str) -> Result<AwsDone<()>, AwsProblem> {
        let action = IamAction::DeleteOpenIdConnectProvider;
        let (row, permit) = self.grasp_provider(caller, action, arn, Keys::new()).await?;
        let deleted = self.store.delete_oidc_provider(&row.url).await;
        deleted.map_err(|error| failed(error, Noun::Provider(arn), ""))?;
        Ok(AwsDone::new((), permit))
    }
}
