//! What is asked about single images besides what they are: scans, and replication, signatures and storage, which do not happen
//! here.

use std::sync::Arc;

use super::image::{ImageId, no_image};
use super::inventory::Held;
use super::{Asker, Doing, not_offered};
use crate::admit::permit::{AwsControl, Permit};
use crate::clock::UnixTime;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::problem::Problem;
use crate::control::scans::Progress;
use crate::control::stock::Described;
use crate::control::stocktaking::ImageName;
use crate::findings::assess::{Exempt, assess};
use crate::findings::finding::{Finding, Kind};
use crate::findings::report::{Counts, counts};
use crate::ids::region::Region;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::store::findings::Scanned;

/// What is known of an image's scan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageScan {
    /// Which image.
    pub digest: Digest,
    /// How a scan that was asked for stands, unless it has ended well.
    pub progress: Option<Progress>,
    /// When it was last scanned.
    pub scanned_at: Option<UnixTime>,
    /// Its vulnerabilities that are not exempt, the worst first.
    pub findings: Vec<Finding>,
}

/// The same in numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScanSummary {
    /// How a scan that was asked for stands, unless it has ended well.
    pub progress: Option<Progress>,
    /// When it was last scanned.
    pub scanned_at: Option<UnixTime>,
    /// How many vulnerabilities of each severity are not exempt.
    pub counts: Counts,
}

impl ScanSummary {
    /// The numbers of a scan.
    #[must_use]
    pub fn of(scan: &ImageScan) -> Self {
        let (progress, counts) = (scan.progress.clone(), counts(&scan.findings));
        Self { progress, scanned_at: scan.scanned_at, counts }
    }
}

/// An image, as lists show it.
#[derive(Clone, Debug)]
pub struct ImageDetail {
    /// When it came and was used, and its tags.
    pub held: Held,
    /// What its manifest says.
    pub described: Described,
    /// Its scan.
    pub scan: Option<ScanSummary>,
}

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

    /// What the reports of an image say, without what is exempt.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_scan_findings(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<ImageScan>, AwsProblem> {
        let doing = Doing("ecr:DescribeImageScanFindings", Some(Action::ImageVulnerabilities));
        let (permit, digest) = self.about_image(asker, doing, name, id).await?;
        let reference = match &id.tag {
            Some(tag) => {
                Reference::Tag(Tag::parse(tag).map_err(|_| no_image(id, name, self.account.as_str()))?)
            }
            None => Reference::Digest(digest.clone()),
        };
        let scan = self.scan_of(asker.region, name, reference, &digest).await;
        let scan = scan.map_err(|problem| match problem {
            Problem::Fault(fault) => AwsProblem::Fault(fault),
            _ => no_image(id, name, self.account.as_str()),
        })?;
        let scan = scan.ok_or_else(|| self.no_scan(name, id, &digest))?;
        Ok(AwsDone::new(scan, permit))
    }

    /// What is known of an image's scan; nothing, if nobody has looked.
    async fn scan_of(
        &self,
        region: &Region,
        name: &RepositoryName,
        reference: Reference,
        digest: &Digest,
    ) -> Result<Option<ImageScan>, Problem> {
        let of = Scanned { region: region.clone(), repository: name.clone(), digest: digest.clone() };
        let report = self.report_of(region, &ImageName { repository: name.clone(), reference }).await?;
        let progress = self.scans.progress(&of);
        if progress.is_none() && report.scanned_at.is_none() && report.findings.is_empty() {
            return Ok(None);
        }
        let seen = assess(&report.findings, &report.exemptions, self.clock.now());
        let exempt = |finding: &Finding| match finding.kind {
            Kind::Configuration => true,
            Kind::Vulnerability => {
                seen.vulnerabilities.iter().any(|one| *one.id == *finding.id && one.exempt == Exempt::Exempt)
            }
        };
        let findings = report.findings.iter().filter(|one| !exempt(one)).cloned().collect();
        let (digest, scanned_at) = (digest.clone(), report.scanned_at);
        Ok(Some(ImageScan { digest, progress, scanned_at, findings }))
    }

    /// Images with what is known of their scans, as far as the caller may know that.
    pub(super) async fn with_scans(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        images: Vec<(Held, Described)>,
    ) -> Result<Vec<ImageDetail>, AwsProblem> {
        let shown = self.authority.listed(
            asker.caller,
            Action::ImageVulnerabilities,
            asker.region,
            vec![name.clone()],
        );
        let may_know = shown.await.is_ok_and(|names| !names.is_empty());
        let mut all = Vec::with_capacity(images.len());
        for (held, described) in images {
            let reference = Reference::Digest(held.digest.clone());
            let scan = match may_know {
                true => match self.scan_of(asker.region, name, reference, &held.digest).await {
                    Ok(scan) => scan.as_ref().map(ScanSummary::of),
                    Err(Problem::Fault(fault)) => return Err(AwsProblem::Fault(fault)),
                    // It has gone meanwhile.
                    Err(_) => None,
                },
                false => None,
            };
            all.push(ImageDetail { held, described, scan });
        }
        Ok(all)
    }

    fn no_scan(&self, name: &RepositoryName, id: &ImageId, digest: &Digest) -> AwsProblem {
        let tag = id.tag.as_ref().map_or(String::new(), |tag| format!(", imageTag:'{tag}'"));
        let text = format!(
            "Image scan does not exist for the image with '{{imageDigest:'{digest}'{tag}}}' in the repository with name '{name}' in the registry with id '{}'",
            self.account
        );
        AwsProblem::said(AwsCode::ScanNotFoundException, text)
    }

    /// Has the operator's scanner scan an image.
    ///
    /// # Errors
    /// [`AwsProblem`], where there is no scanner.
    pub async fn ecr_start_scan(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        id: &ImageId,
    ) -> Result<AwsDone<Digest>, AwsProblem> {
        let (permit, digest) = self.about_image(asker, Doing("ecr:StartImageScan", None), name, id).await?;
        if !self.scans.offered() {
            return Err(not_offered("image scanning: no scanner is configured, so send reports"));
        }
        let of = Scanned { region: asker.region.clone(), repository: name.clone(), digest: digest.clone() };
        if self.scans.begin(&of, self.clock.now()) {
            let (bin, scans) = (Arc::clone(&self.bin), Arc::clone(&self.scans));
            tokio::spawn(async move { scans.carry_out(&bin, of).await });
        }
        Ok(AwsDone::new(digest, permit))
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
