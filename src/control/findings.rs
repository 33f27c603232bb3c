//! What is reported of images: single reports, lists of those that the caller may see, and reports that somebody sends.

use std::collections::HashSet;
use std::sync::Arc;

use super::image::Image;
use super::intake::{Taken, Untaken, take_in};
use super::problem::Problem;
use super::stocktaking::{ImageName, missing};
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::findings::{Resolved, Seen};
use crate::clock::UnixTime;
use crate::findings::assess::{Tally, assess};
use crate::findings::channel::Channel;
use crate::findings::exemption::{Exemption, Scope};
use crate::findings::finding::Finding;
use crate::findings::report::Os;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::Shape;
use crate::store::findings::{ReportRecord, Scanned, found, scanned_at};

/// How many images are read at once for a list.
const PAGE: u32 = 1000;

/// The most findings that one list of reports shows: beyond, they are asked for by repository.
const LISTED_MAX: usize = 50_000;

/// How many tags are looked up because something may be exempt by them.
const NAMES_MAX: usize = 16;

/// All that is known of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageReport {
    /// What it was asked for by.
    pub image: ImageName,
    /// What it hashes to.
    pub digest: Digest,
    /// When it was last scanned; of an index, when the child was that was scanned first. `None` if never.
    pub scanned_at: Option<UnixTime>,
    /// The distribution that it is made of.
    pub os: Option<Os>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// The exemptions that reach it.
    pub exemptions: Vec<Exemption>,
}

impl Desk {
    /// What is reported of an image; of an index, of all images in it.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn image_report(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<ImageReport>, Problem> {
        let resource = Resource::repository(region, &image.repository);
        let permit = self.authority.permit(caller, Action::ImageVulnerabilities, resource).await?;
        Ok(Done::new(self.report_of(region, image).await?, permit))
    }

    /// The same, for whoever holds a permit.
    pub(super) async fn report_of(&self, region: &Region, image: &ImageName) -> Result<ImageReport, Problem> {
        let manifest = self.shown_manifest(region, image).await?;
        let children = Shape::read_as(&manifest.media_type, &manifest.content)
            .map(|shape| shape.children)
            .unwrap_or_default();
        let of = |digest: &Digest| Scanned {
            region: region.clone(),
            repository: image.repository.clone(),
            digest: digest.clone(),
        };
        let own = self.store.reported(&of(&manifest.digest)).await?;
        let mut reports = own.reports;
        let mut scanned = if children.is_empty() { vec![scanned_at(&reports)] } else { Vec::new() };
        for child in &children {
            let reported = self.store.reported(&of(child)).await?;
            scanned.push(scanned_at(&reported.reports));
            reports.extend(reported.reports);
        }
        let exemptions = self.reaching(region, image, &manifest.digest, own.exemptions).await?;
        let os = reports.iter().find_map(|one| one.report.os.clone());
        Ok(ImageReport {
            image: image.clone(),
            digest: manifest.digest,
            scanned_at: scanned.into_iter().min_by_key(|at| at.map(UnixTime::millis)).flatten(),
            os,
            findings: found(&reports),
            exemptions,
        })
    }

    /// Those exemptions that reach the image by any of its names.
    async fn reaching(
        &self,
        region: &Region,
        image: &ImageName,
        digest: &Digest,
        exemptions: Vec<Exemption>,
    ) -> Result<Vec<Exemption>, Problem> {
        let mut tags: Vec<&Tag> = exemptions.iter().filter_map(|one| tag_of(&one.scope)).collect();
        tags.sort();
        tags.dedup();
        let mut own: HashSet<Tag> = HashSet::new();
        for tag in tags.into_iter().take(NAMES_MAX) {
            if self.bin.shown(region, &image.repository, tag).await?.as_ref() == Some(digest) {
                own.insert(tag.clone());
            }
        }
        let reaches = |one: &Exemption| match &one.scope {
            Scope::Account | Scope::Namespace(_) | Scope::Repository(_) => true,
            Scope::Image(_, Reference::Digest(by)) => by == digest,
            Scope::Image(_, Reference::Tag(tag)) => own.contains(tag),
        };
        Ok(exemptions.into_iter().filter(reaches).collect())
    }

    /// What is reported of the images that the caller may see, by digest; of one repository by tag, whether or not it was
    /// scanned.
    ///
    /// # Errors
    /// [`Problem`]; [`Problem::Invalid`] if `whole` and there is too much to tell at once.
    pub async fn reports(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        repository: Option<&RepositoryName>,
        whole: bool,
        mut each: impl FnMut(ImageReport) + Send,
    ) -> Result<Done<()>, Problem> {
        let permit = self.proven(caller, Action::ImageVulnerabilities, Resource::registry(region));
        let names = match repository {
            Some(name) => vec![name.clone()],
            None => self.store.scanned_repositories(region).await?,
        };
        let names = self.authority.listed(caller, Action::ImageVulnerabilities, region, names).await?;
        if let Some(name) = repository {
            if names.is_empty() {
                return Ok(Done::new((), permit));
            }
            for (tag, _) in self.bin.tags_shown(region, name).await? {
                let image = ImageName { repository: name.clone(), reference: Reference::Tag(tag) };
                match self.report_of(region, &image).await {
                    Ok(report) => each(report),
                    // It has gone meanwhile.
                    Err(Problem::NotFound(..)) => {}
                    Err(problem) => return Err(problem),
                }
            }
            return Ok(Done::new((), permit));
        }
        let names: HashSet<RepositoryName> = names.into_iter().collect();
        self.all_reports(region, &names, whole, &mut each).await?;
        Ok(Done::new((), permit))
    }

    /// Page by page, so that memory does not grow with what there is.
    async fn all_reports(
        &self,
        region: &Region,
        names: &HashSet<RepositoryName>,
        whole: bool,
        each: &mut (impl FnMut(ImageReport) + Send),
    ) -> Result<(), Problem> {
        let rows = self.store.exemptions(region).await?;
        let exemptions: Vec<Exemption> = rows.into_iter().map(|row| row.exemption).collect();
        let (mut after, mut listed) = (None::<Scanned>, 0_usize);
        loop {
            let page = self.store.reported_in(region, None, after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (of, reports) in page.into_iter().filter(|(of, _)| names.contains(&of.repository)) {
                let report = by_digest(of, &reports, &exemptions);
                listed = listed.saturating_add(report.findings.len());
                if whole && listed > LISTED_MAX {
                    let text = format!(
                        "there are more than {LISTED_MAX} findings: ask for one repository after the other"
                    );
                    return Err(Problem::Invalid(text));
                }
                each(report);
            }
        }
    }

    /// How much is wrong with each image of a list; nothing where nobody has looked, or the caller may not know.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn tallies(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        rows: &[Image],
    ) -> Result<Vec<Option<Tally>>, Problem> {
        let scanned = self.store.scanned_repositories(region).await?;
        let names = self.authority.listed(caller, Action::ImageVulnerabilities, region, scanned).await?;
        let names: HashSet<RepositoryName> = names.into_iter().collect();
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(match names.contains(&row.repository) {
                true => self.tally(region, row).await?,
                false => None,
            });
        }
        Ok(all)
    }

    async fn tally(&self, region: &Region, row: &Image) -> Result<Option<Tally>, Problem> {
        let reference = Reference::Digest(row.digest.clone());
        let image = ImageName { repository: row.repository.clone(), reference };
        let report = match self.report_of(region, &image).await {
            Ok(report) => report,
            // It has gone meanwhile.
            Err(Problem::NotFound(..)) => return Ok(None),
            Err(problem) => return Err(problem),
        };
        let tally = assess(&report.findings, &report.exemptions, self.clock.now()).tally();
        Ok((report.scanned_at.is_some() || tally.issues() > 0).then_some(tally))
    }

    /// What the gate is to be told of a manifest that is read.
    ///
    /// # Errors
    /// [`Fault`]
    pub(super) async fn seen(
        &self,
        region: &Region,
        name: &RepositoryName,
        by: &Reference,
        (digest, content): (&Digest, &[u8]),
    ) -> Result<Seen, Fault> {
        let odd = || Fault::UpstreamBroken(format!("what {} is cannot be told", digest));
        let resolved = Resolved::of(digest, content).ok_or_else(odd)?;
        let tag = match by {
            Reference::Digest(_) => None,
            Reference::Tag(tag) => Some(tag.clone()),
        };
        let beside = self.bin.inventory.signatures(region, name, digest).await?;
        let hidden = self.bin.hidden(region, name).await?;
        let signed = beside.iter().any(|one| hidden.shows(one));
        Ok(Seen { resolved, tag, signed })
    }

    /// Keeps a report that the caller has of an image.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn upload_report(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
        report: &bytes::Bytes,
    ) -> Result<Done<Taken>, Problem> {
        let resource = Resource::repository(region, &image.repository);
        let permit = self.authority.permit(caller, Action::FindingsWrite, resource).await?;
        let digest = self.shown_manifest(region, image).await?.digest;
        let of = Scanned { region: region.clone(), repository: image.repository.clone(), digest };
        match take_in(&self.bin, of, Channel::Upload, report.clone()).await {
            Ok(taken) => Ok(Done::new(taken, permit)),
            Err(Untaken::Fault(fault)) => Err(Problem::Fault(fault)),
            Err(Untaken::NoImage) => Err(missing(image)),
            Err(Untaken::OtherImage) => {
                Err(Problem::Invalid("the report says that it is about another image".to_owned()))
            }
            Err(Untaken::Unread(unread)) => Err(Problem::Invalid(unread.to_string())),
        }
    }
}

const fn tag_of(scope: &Scope) -> Option<&Tag> {
    match scope {
        Scope::Image(_, Reference::Tag(tag)) => Some(tag),
        Scope::Account | Scope::Namespace(_) | Scope::Repository(_) | Scope::Image(..) => None,
    }
}

/// What is known of an image without asking the upstream what it is called.
fn by_digest(of: Scanned, reports: &[ReportRecord], exemptions: &[Exemption]) -> ImageReport {
    let reaches = |one: &&Exemption| match &one.scope {
        Scope::Image(name, Reference::Digest(digest)) => *name == of.repository && *digest == of.digest,
        Scope::Image(_, Reference::Tag(_)) => false,
        scope @ (Scope::Account | Scope::Namespace(_) | Scope::Repository(_)) => {
            scope.reaches(&of.repository)
        }
    };
    let reference = Reference::Digest(of.digest.clone());
    ImageReport {
        scanned_at: scanned_at(reports),
        os: reports.iter().find_map(|one| one.report.os.clone()),
        findings: found(reports),
        exemptions: exemptions.iter().filter(reaches).cloned().collect(),
        image: ImageName { repository: of.repository, reference },
        digest: of.digest,
    }
}
