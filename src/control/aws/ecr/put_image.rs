//! Putting an image in place by its manifest.

use bytes::Bytes;
use serde::Deserialize;

use super::{Asker, Doing, invalid};
use crate::admit::fault::Fault;
use crate::admit::held::HeldTag;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::intake::{read_pushed, subject_of};
use crate::control::stock::{Manifest, Unstored};
use crate::policy::table::Action;
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::RepositoryName;
use crate::registry::operation::OperationKind;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::is_ambiguous;
use crate::store::aws::repository::Repository;
use crate::store::findings::{Due, PushedReport, Scanned};

/// The longest manifest.
const MANIFEST_MAX: usize = 4 << 20;

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// An image that is to be put in place.
#[derive(Clone, Debug)]
pub struct NewImage {
    /// Its manifest, to the letter.
    pub manifest: String,
    /// The manifest's media type, if the manifest does not say.
    pub media_type: Option<String>,
    /// The tag that it gets.
    pub tag: Option<Tag>,
    /// What the caller takes its digest for.
    pub digest: Option<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Config>,
    manifests: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: Option<String>,
}

impl NewImage {
    /// The manifest's media type: what it says itself, what the call says, or what it looks like.
    fn kind(&self) -> Result<String, AwsProblem> {
        let wrong = || invalid("ImageManifest", "Invalid JSON syntax");
        let outline: Outline = serde_json::from_str(&self.manifest).map_err(|_| wrong())?;
        let said = outline.media_type.or_else(|| self.media_type.clone());
        let of_docker = || {
            let config = outline.config.as_ref().and_then(|config| config.media_type.as_deref());
            config.is_some_and(|kind| kind.starts_with("application/vnd.docker."))
        };
        let kind = match (said, outline.schema_version, &outline.manifests) {
            (Some(said), _, _) => said,
            (None, 2, Some(_)) => OCI_INDEX.to_owned(),
            (None, 2, None) if of_docker() => DOCKER.to_owned(),
            (None, 2, None) => OCI.to_owned(),
            (None, _, _) => SIGNED.to_owned(),
        };
        if [OCI, OCI_INDEX, DOCKER, DOCKER_LIST].contains(&kind.as_str()) {
            return Ok(kind);
        }
        let text = "This registry stores OCI and Docker manifests of the second schema, and indexes of them.";
        Err(AwsProblem::said(AwsCode::UnsupportedImageTypeException, text))
    }
}

impl Desk {
    /// Puts an image in place, or gives one another tag.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_put_image(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        new: NewImage,
    ) -> Result<AwsDone<(Manifest, Option<Tag>)>, AwsProblem> {
        let doing = Doing("ecr:PutImage", Some(Action::ImagePush));
        let mut told = vec![("registry:ManifestSize".to_owned(), vec![new.manifest.len().to_string()])];
        told.extend(new.kind().ok().map(|kind| ("registry:MediaType".to_owned(), vec![kind])));
        let digest = sha256(new.manifest.as_bytes())?;
        let id = (Some(&digest), new.tag.as_ref());
        let permit = self.may_on_image(asker, doing, name, (OperationKind::ManifestWrite, id), told).await?;
        let row = self.existing(asker.region, name).await?;
        if new.manifest.is_empty() || new.manifest.len() > MANIFEST_MAX {
            return Err(invalid("ImageManifest", "must have 1 to 4194304 bytes"));
        }
        let media_type = new.kind()?;
        if is_ambiguous(&media_type, new.manifest.as_bytes()) {
            return Err(invalid("ImageManifest", "can be read in two ways"));
        }
        if new.digest.as_ref().is_some_and(|given| *given != digest) {
            let text =
                "The specified image digest does not match the digest that is computed for the manifest.";
            return Err(AwsProblem::said(AwsCode::ImageDigestDoesNotMatchException, text));
        }
        let _held = self.free_place(asker, &row, &new, &digest).await?;
        let reference = match &new.tag {
            Some(tag) => Reference::Tag(tag.clone()),
            None => Reference::Digest(digest.clone()),
        };
        let content = Bytes::from(new.manifest.into_bytes());
        let manifest = Manifest { digest, media_type, content };
        let put = self.stock.put_manifest(&permit, asker.region, name, &reference, &manifest).await;
        let said = |unstored| refused(unstored, &manifest.media_type, name, self.account.as_str());
        let digest = put.map_err(said)?;
        self.store.image_pushed(asker.region, name, &digest, self.clock.now()).await?;
        let subject = subject_of(&reference, &manifest.content).filter(|_| self.bin.reads_reports);
        if let Some(subject) = subject {
            let of = Scanned { region: asker.region.clone(), repository: name.clone(), digest: subject };
            let row = PushedReport { id: 0, of, digest: digest.clone(), pushed_at: self.clock.now() };
            self.bin.report_pushed(&row).await?;
            read_pushed(&self.bin, Due::About(&row.of)).await?;
        }
        Ok(AwsDone::new((Manifest { digest, ..manifest }, new.tag), permit))
    }

    /// Makes sure that the image is not there already, and that its tag may be written.
    async fn free_place(
        &self,
        asker: Asker<'_>,
        row: &Repository,
        new: &NewImage,
        digest: &Digest,
    ) -> Result<Option<HeldTag>, AwsProblem> {
        let (region, name) = (asker.region, &row.name);
        let Some(tag) = &new.tag else {
            let reference = Reference::Digest(digest.clone());
            return match self.stock.manifest(region, name, &reference).await? {
                Some(_) => Err(self.already(name, digest, None)),
                None => Ok(None),
            };
        };
        let written = || {
            let text = format!(
                "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the repository is immutable."
            );
            AwsProblem::said(AwsCode::ImageTagAlreadyExistsException, text)
        };
        let keeps = row.keeps(tag);
        let held = match keeps {
            true => {
                let held = self.authority.hold_tag(region, name, tag).await;
                Some(held?.ok_or_else(written)?)
            }
            false => None,
        };
        match self.stock.digest_of(region, name, tag).await? {
            Some(there) if there == *digest => Err(self.already(name, digest, Some(tag))),
            Some(_) if keeps => Err(written()),
            Some(_) | None => Ok(held),
        }
    }

    fn already(&self, name: &RepositoryName, digest: &Digest, tag: Option<&Tag>) -> AwsProblem {
        let tag = tag.map_or("null", Tag::as_str);
        let text = format!(
            "Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}' in registry with id '{}'",
            self.account
        );
        AwsProblem::said(AwsCode::ImageAlreadyExistsException, text)
    }
}

fn refused(unstored: Unstored, media_type: &str, name: &RepositoryName, account: &str) -> AwsProblem {
    let error = match unstored {
        Unstored::Fault(fault) => return fault.into(),
        Unstored::Refused(error) => error,
    };
    let OciError { code, message, .. } = error;
    match code {
        OciCode::BlobUnknown | OciCode::ManifestBlobUnknown | OciCode::ManifestUnknown => {
            let of = format!("in the repository with name '{name}' in the registry with id '{account}'");
            if [OCI_INDEX, DOCKER_LIST].contains(&media_type) {
                let text = format!("Manifests that the index refers to do not exist {of}");
                AwsProblem::said(AwsCode::ReferencedImagesNotFoundException, text)
            } else {
                AwsProblem::said(AwsCode::LayersNotFoundException, format!("Layers do not exist {of}"))
            }
        }
        _ => invalid("ImageManifest", &message),
    }
}

fn sha256(content: &[u8]) -> Result<Digest, AwsProblem> {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    Digest::parse(&format!("sha256:{}", data_encoding::HEXLOWER.encode(hash.as_ref())))
        .map_err(|_| Fault::Internal("a digest that does not parse".to_owned()).into())
}
