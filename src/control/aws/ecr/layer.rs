//! Layers: whether they are there, how they are downloaded, and their way in, part by part.

use std::time::Duration;

use bytes::Bytes;

use super::{Asker, Doing, invalid};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::quota::STORAGE;
use crate::control::stock::{LayerSession, Unstored};
use crate::credential::layer_ticket::LayerTicket;
use crate::ids::Malformed;
use crate::policy::sentence;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::aws::layer_upload::LayerUpload;

/// The size of a part that clients are told to send.
pub const PART_SIZE: u64 = 10 << 20;

/// The smallest part that another one may follow.
const PART_MIN: u64 = 5 << 20;

/// The largest part.
const PART_MAX: usize = 20 << 20;

/// How long a ticket for a layer is good.
const TICKET_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Whether one layer is there.
#[derive(Clone, Debug)]
pub enum Availability {
    /// It is, with so many bytes.
    There(Digest, u64),
    /// It is not.
    Missing(String),
    /// That is no digest.
    Wrong(String),
}

impl Desk {
    /// Whether layers are there.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_layer_availability(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        digests: Vec<String>,
    ) -> Result<AwsDone<Vec<Availability>>, AwsProblem> {
        let doing = Doing("ecr:BatchCheckLayerAvailability", Some(Action::ImagePull));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        let mut found = Vec::new();
        for text in digests {
            found.push(match Digest::parse(&text) {
                Err(_) => Availability::Wrong(Malformed::new(&text, "").text.to_string()),
                Ok(digest) => match self.stock.layer_size(asker.region, name, &digest).await? {
                    Some(size) => Availability::There(digest, size),
                    None => Availability::Missing(text),
                },
            });
        }
        Ok(AwsDone::new(found, permit))
    }

    /// A ticket to download a layer with.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_layer_ticket(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        digest: &str,
    ) -> Result<AwsDone<(Digest, String)>, AwsProblem> {
        let doing = Doing("ecr:GetDownloadUrlForLayer", Some(Action::ImagePull));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        let digest = layer_digest(digest)?;
        if self.stock.layer_size(asker.region, name, &digest).await?.is_none() {
            let text = format!(
                "The layer with digest '{digest}' does not exist in the repository with name '{name}' in the registry with id '{}'",
                self.account
            );
            return Err(AwsProblem::said(AwsCode::LayersNotFoundException, text));
        }
        let (password, end) = self.registry_password(asker.caller);
        let expires_at = self.clock.now().plus(TICKET_LIFETIME).min(end);
        let (region, repository) = (asker.region.clone(), name.clone());
        let ticket = LayerTicket { region, repository, digest: digest.clone(), expires_at, password };
        Ok(AwsDone::new((digest, self.sealer.layer_ticket(ticket, &*self.entropy)), permit))
    }

    /// A password for the registry, until when it is good, and what it was got under.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_authorization_token(
        &self,
        asker: Asker<'_>,
    ) -> Result<AwsDone<(Secret<String>, UnixTime)>, AwsProblem> {
        let permit = self.may(asker, "ecr:GetAuthorizationToken", Vec::new()).await?;
        Ok(AwsDone::new(self.registry_password(asker.caller), permit))
    }

    /// Begins an upload; its id.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_initiate_layer_upload(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
    ) -> Result<AwsDone<String>, AwsProblem> {
        let doing = Doing("ecr:InitiateLayerUpload", Some(Action::ImagePush));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        if !self.has_room(asker.region).await? {
            return Err(AwsProblem::said(AwsCode::LimitExceededException, STORAGE));
        }
        let session = self.stock.begin_layer(&permit, asker.region, name).await?;
        let row = LayerUpload {
            id: self.entropy.uuid().to_string(),
            region: asker.region.clone(),
            repository: name.clone(),
            opener: opener(asker),
            upstream: session.id,
            query: session.query,
            received: 0,
            short_part: false,
            started_at: self.clock.now(),
        };
        self.store.insert_layer_upload(&row).await?;
        Ok(AwsDone::new(row.id, permit))
    }

    /// Adds a part, which must be the next one; the position of its last byte.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_upload_layer_part(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        upload: &str,
        (first, last): (u64, u64),
        bytes: Bytes,
    ) -> Result<AwsDone<u64>, AwsProblem> {
        let doing = Doing("ecr:UploadLayerPart", Some(Action::ImagePush));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        let row = self.own_upload(asker, name, upload).await?;
        if bytes.is_empty() || bytes.len() > PART_MAX {
            return Err(invalid("layerPartBlob", "must have 1 to 20971520 bytes"));
        }
        let length = bytes.len() as u64;
        if first != row.received || last.checked_add(1) != first.checked_add(length) {
            return Err(self.wrong_part(&row));
        }
        if row.short_part {
            return Err(self.too_small(&row));
        }
        let session = LayerSession {
            repository: row.repository.clone(),
            id: row.upstream.clone(),
            query: row.query.clone(),
        };
        let extended = self.stock.extend_layer(&permit, asker.region, session, first, bytes).await;
        let session = extended.map_err(|unstored| self.lost(&row, unstored))?;
        let advanced = LayerUpload {
            upstream: session.id,
            query: session.query,
            received: row.received + length,
            short_part: length < PART_MIN,
            ..row.clone()
        };
        match self.store.advance_layer_upload(&advanced, row.received).await {
            Ok(()) => Ok(AwsDone::new(last, permit)),
            Err(StoreError::Stale) => Err(self.wrong_part(&row)),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends an upload, whose bytes must hash to the digest.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_complete_layer_upload(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        upload: &str,
        digests: &[String],
    ) -> Result<AwsDone<Digest>, AwsProblem> {
        let doing = Doing("ecr:CompleteLayerUpload", Some(Action::ImagePush));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        let row = self.own_upload(asker, name, upload).await?;
        let [digest] = digests else {
            return Err(invalid("layerDigests", "must be the one digest of the layer"));
        };
        let digest = layer_digest(digest)?;
        if row.received == 0 {
            let text = "The specified layer upload does not contain any layer parts.";
            return Err(AwsProblem::said(AwsCode::EmptyUploadException, text));
        }
        if self.stock.layer_size(asker.region, name, &digest).await?.is_some() {
            let text = format!(
                "Layer with digest '{digest}' already exists in the repository with name '{name}' in registry with id '{}'",
                self.account
            );
            return Err(AwsProblem::said(AwsCode::LayerAlreadyExistsException, text));
        }
        let session = LayerSession {
            repository: row.repository.clone(),
            id: row.upstream.clone(),
            query: row.query.clone(),
        };
        let finished = self.stock.finish_layer(&permit, asker.region, session, &digest).await;
        finished.map_err(|unstored| match unstored {
            Unstored::Fault(fault) => AwsProblem::Fault(fault),
            Unstored::Refused(_) => {
                let text = format!("The layer does not match the digest '{digest}', or its upload is gone");
                AwsProblem::said(AwsCode::InvalidLayerException, text)
            }
        })?;
        self.store.delete_layer_upload(&row.id).await?;
        Ok(AwsDone::new(digest, permit))
    }

    /// The upload, if it is the caller's and of this repository.
    async fn own_upload(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        upload: &str,
    ) -> Result<LayerUpload, AwsProblem> {
        let row = self.store.layer_upload(upload).await?;
        let own = row.filter(|row| {
            row.region == *asker.region && row.repository == *name && row.opener == opener(asker)
        });
        own.ok_or_else(|| {
            let text = format!(
                "Upload with id '{}' could not be found for the repository with name '{name}' in the registry with id '{}'",
                Malformed::new(upload, "").text,
                self.account
            );
            AwsProblem::said(AwsCode::UploadNotFoundException, text)
        })
    }

    fn wrong_part(&self, row: &LayerUpload) -> AwsProblem {
        let text = format!(
            "Invalid layer part upload for upload with id '{}' in the repository with name '{}' in the registry with id '{}'",
            row.id, row.repository, self.account
        );
        AwsProblem::said(AwsCode::InvalidLayerPartException, text)
    }

    fn too_small(&self, row: &LayerUpload) -> AwsProblem {
        let text = format!(
            "Layer parts of upload with id '{}' in the repository with name '{}' must be at least 5 MiB in size, except the last",
            row.id, row.repository
        );
        AwsProblem::said(AwsCode::LayerPartTooSmallException, text)
    }

    fn lost(&self, row: &LayerUpload, unstored: Unstored) -> AwsProblem {
        match unstored {
            Unstored::Fault(fault) => AwsProblem::Fault(fault),
            Unstored::Refused(_) => self.wrong_part(row),
        }
    }
}

/// Whoever opened an upload goes on with it: in AWS's words, so that a session is not its role.
fn opener(asker: Asker<'_>) -> String {
    sentence::arn(asker.caller.bundle.rights.caller())
}

fn layer_digest(text: &str) -> Result<Digest, AwsProblem> {
    Digest::parse(text).map_err(|_| {
        invalid("layerDigest", "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'")
    })
}
