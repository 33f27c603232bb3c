//! What is asked about single images besides what they are: scans, replication, signatures, storage. None of these happen
//! here yet.

use super::image::{ImageId, no_image};
use super::{Asker, Doing, not_offered};
use crate::admit::permit::{AwsControl, Permit};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};

impl Desk {
    async fn about_image(
        &self,
        asker: Asker<'_>,
        doing: Doing,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<(Permit<AwsControl>, Digest), AwsProblem> {
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        self.existing(asker.region, name).await?;
        let missing = || no_image(id, name, self.account.as_str());
        let reference = match (&id.digest, &id.tag) {
            (Some(digest), _) => Reference::Digest(Digest::parse(digest).map_err(|_| missing())?),
            (None, Some(tag)) => Reference::Tag(Tag::parse(tag).map_err(|_| missing())?),
            (None, None) => {
                return Err(super::invalid("imageId", "imageDigest and imageTag cannot both be null"));
            }
        };
        let found = self.stock.manifest(asker.region, name, &reference).await?;
        Ok((permit, found.ok_or_else(missing)?.digest))
    }

    /// What a scan of an image has found. There are no scans.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn ecr_scan_findings(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<()>, AwsProblem> {
        let doing = Doing("ecr:DescribeImageScanFindings", None);
        let (_, digest) = self.about_image(asker, doing, name, id).await?;
        let tag = id.tag.as_ref().map_or(String::new(), |tag| format!(", imageTag:'{tag}'"));
        let text = format!(
            "Image scan does not exist for the image with '{{imageDigest:'{digest}'{tag}}}' in the repository with name '{name}' in the registry with id '{}'",
            self.account
        );
        Err(AwsProblem::said(AwsCode::ScanNotFoundException, text))
    }

    /// Scans an image, which is not offered yet.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn ecr_start_scan(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<()>, AwsProblem> {
        self.about_image(asker, Doing("ecr:StartImageScan", None), name, id).await?;
        Err(not_offered("image scanning"))
    }

    /// Where an image is replicated to: nowhere.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_replication_status(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<Digest>, AwsProblem> {
        let doing = Doing("ecr:DescribeImageReplicationStatus", None);
        let (permit, digest) = self.about_image(asker, doing, name, id).await?;
        Ok(AwsDone::new(digest, permit))
    }

    /// How the registry has signed an image: not at all.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_signing_status(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<Digest>, AwsProblem> {
        let doing = Doing("ecr:DescribeImageSigningStatus", None);
        let (permit, digest) = self.about_image(asker, doing, name, id).await?;
        Ok(AwsDone::new(digest, permit))
    }

    /// Moves an image to another class of storage, which is not offered.
    ///
    /// # Errors
    /// [`AwsProblem`], always.
    pub async fn ecr_storage_class(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<()>, AwsProblem> {
        self.about_image(asker, Doing("ecr:UpdateImageStorageClass", None), name, id).await?;
        Err(not_offered("classes of storage"))
    }
}
