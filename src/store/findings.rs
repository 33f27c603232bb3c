//! What scanners have found in images, and what of it is exempt.
//!
//! A report is of an image in one repository: what somebody says of it there binds nobody elsewhere.

use std::collections::HashSet;

use async_trait::async_trait;

use super::StoreError;
use super::feed::Sequence;
use crate::clock::UnixTime;
use crate::findings::channel::Channel;
use crate::findings::exemption::{Exemption, IssueType, Scope};
use crate::findings::finding::{Finding, distinct};
use crate::findings::report::{Counts, Report};
use crate::findings::severity::Severity;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;

/// An image, as reports are kept of it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Scanned {
    /// In which registry.
    pub region: Region,
    /// In which repository.
    pub repository: RepositoryName,
    /// Which.
    pub digest: Digest,
}

/// A report that has come in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportRecord {
    /// About what.
    pub of: Scanned,
    /// By which way.
    pub channel: Channel,
    /// When.
    pub received_at: UnixTime,
    /// What it says. `made_at` is when it was made or, if it does not say so, when it came.
    pub report: Report,
}

/// What all reports of an image say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// The reports, without what they were read from; those of an index that it is part of too.
    pub reports: Vec<ReportRecord>,
    /// The exemptions that reach its repository.
    pub exemptions: Vec<Exemption>,
    /// The feed's position at that instant.
    pub as_of: Sequence,
}

impl Reported {
    /// When it was last scanned.
    #[must_use]
    pub fn scanned_at(&self) -> Option<UnixTime> {
        scanned_at(&self.reports)
    }

    /// What is found by any, each once, without what somebody who is believed has dismissed.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        found(&self.reports)
    }
}

/// When an image was last scanned, by these reports of it.
#[must_use]
pub fn scanned_at(reports: &[ReportRecord]) -> Option<UnixTime> {
    let scans = reports.iter().filter(|one| one.report.is_scan);
    scans.filter_map(|one| one.report.made_at).max_by_key(|at| at.millis())
}

/// What these reports have found, each once and the worst first, without what somebody who is believed has dismissed.
#[must_use]
pub fn found(reports: &[ReportRecord]) -> Vec<Finding> {
    let believed = reports.iter().filter(|one| one.channel.dismisses());
    let dismissed: HashSet<&str> = believed.flat_map(|one| &one.report.dismissed).map(|one| &**one).collect();
    let all = reports.iter().flat_map(|one| &one.report.findings);
    distinct(all.filter(|one| !dismissed.contains(&*one.id)).cloned().collect())
}

/// What came of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kept {
    /// It stands, and so many of its findings of medium severity and worse are new.
    Now(usize),
    /// A later one stands already.
    Outdated,
}

/// A finding of medium severity or worse that an image did not have before: what alerts are made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewFinding {
    /// Its place among all of them.
    pub id: i64,
    /// In what.
    pub of: Scanned,
    /// What.
    pub issue: Box<str>,
    /// In which package.
    pub package: Box<str>,
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub found_at: UnixTime,
}

/// An exemption, and who made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExemptionRecord {
    /// In which registry.
    pub region: Region,
    /// The exemption.
    pub exemption: Exemption,
    /// Who made it.
    pub created_by: PrincipalId,
    /// When.
    pub created_at: UnixTime,
}

/// Reading and changing reports. A report touches its repository's findings.
#[async_trait]
pub trait Findings {
    /// Keeps a report about an image and, if it is an index, its children. It takes the place of the last one of its format
    /// that came by the same way, unless that is later.
    async fn put_report(&self, row: &ReportRecord, children: &[Digest]) -> Result<Kept, StoreError>;
    /// What is reported of an image, and the exemptions that reach it.
    async fn reported(&self, of: &Scanned) -> Result<Reported, StoreError>;
    /// Up to `limit` images of a registry, or of one repository, with all that is reported of each: by repository and digest,
    /// after `after`.
    async fn reported_in(
        &self,
        region: &Region,
        name: Option<&RepositoryName>,
        after: Option<&Scanned>,
        limit: u32,
    ) -> Result<Vec<(Scanned, Vec<ReportRecord>)>, StoreError>;
    /// The repositories of a registry with reports.
    async fn scanned_repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError>;
    /// Forgets what is reported of an image.
    async fn forget_reports(&self, of: &Scanned) -> Result<(), StoreError>;
    /// How many vulnerabilities of each severity are reported in a registry, and of how many images.
    async fn finding_counts(&self, region: &Region) -> Result<(Counts, u32), StoreError>;
    /// Up to `limit` new findings after `after`, in their order.
    async fn new_findings(&self, after: i64, limit: u32) -> Result<Vec<NewFinding>, StoreError>;
}

/// A pushed manifest that may be a report, and was not read yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PushedReport {
    /// Its place among all of them.
    pub id: i64,
    /// About what it may be.
    pub of: Scanned,
    /// What it hashes to.
    pub digest: Digest,
    /// When it was pushed.
    pub pushed_at: UnixTime,
}

/// Which pushed reports are to be read.
#[derive(Clone, Copy, Debug)]
pub enum Due<'a> {
    /// Those about an image, which has just come or about which something has.
    About(&'a Scanned),
    /// Those after this one that nobody has looked at yet, or that waited for an image which is there by now.
    After(i64),
}

/// Reading and changing pushed reports that wait. They decide nothing, so they touch nothing.
#[async_trait]
pub trait PushedReports {
    /// Notes one, and forgets the oldest of too many in its repository; its id is given by the store.
    async fn report_pushed(&self, row: &PushedReport) -> Result<(), StoreError>;
    /// Up to `limit` of them, oldest first.
    async fn pushed_reports(&self, due: Due<'_>, limit: u32) -> Result<Vec<PushedReport>, StoreError>;
    /// Notes that one waits for its image.
    async fn report_waits(&self, id: i64) -> Result<(), StoreError>;
    /// Forgets one that was read.
    async fn report_read(&self, id: i64) -> Result<(), StoreError>;
}

/// Reading and changing exemptions. Every change touches the registry's exemptions.
#[async_trait]
pub trait Exemptions {
    /// Those of a registry, by scope and issue.
    async fn exemptions(&self, region: &Region) -> Result<Vec<ExemptionRecord>, StoreError>;
    /// Makes one, or puts it in the place of the same.
    async fn put_exemption(&self, row: &ExemptionRecord) -> Result<(), StoreError>;
    /// Removes one; whether it was there.
    async fn delete_exemption(
        &self,
        region: &Region,
        scope: &Scope,
        issue_type: IssueType,
        issue_id: &str,
    ) -> Result<bool, StoreError>;
    /// Removes all of a registry; how many there were.
    async fn delete_exemptions(&self, region: &Region) -> Result<u64, StoreError>;
}

/// When a report was made: never later than it came.
#[must_use]
pub fn made_at(report: &Report, received_at: UnixTime) -> UnixTime {
    report.made_at.filter(|at| *at <= received_at).unwrap_or(received_at)
}
