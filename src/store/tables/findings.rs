//! Rows of reports and of new findings.

use std::collections::HashSet;

use async_trait::async_trait;

use super::write::Write;
use super::{SqlStore, row};
use crate::findings::channel::Channel;
use crate::findings::finding::{Finding, Kind};
use crate::findings::report::{Counts, Format, Os, Report, counts};
use crate::findings::severity::Severity;
use crate::ids::Malformed;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::store::feed::ChangeKey;
use crate::store::findings::{Findings, Kept, NewFinding, ReportRecord, Reported, Scanned, made_at};
use crate::store::{StoreError, sql};

/// How many new findings are kept that alerts have been made of, to know what is no news.
const NEW_KEPT: i64 = 100_000;

/// How many are kept even if nobody makes alerts of them: the disk has an end.
const NEW_MAX: i64 = 2_000_000;

/// How many of one report are written down by themselves; of each further severity there is one. The others are counted.
const NEW_AT_ONCE: usize = 1_000;

#[async_trait]
impl Findings for SqlStore {
    async fn put_report(&self, report: &ReportRecord, children: &[Digest]) -> Result<Kept, StoreError> {
        let of = &report.of;
        let mut write = Write::begin(self).await?;
        let made_at = made_at(&report.report, report.received_at);
        let before = found_by_any(&mut write, of).await?;
        if !write_over(&mut write, report, made_at.millis()).await? {
            return Ok(Kept::Outdated);
        }
        let id = insert(&mut write, report, made_at.millis()).await?;
        for digest in std::iter::once(&of.digest).chain(children) {
            let about = sql::query(
                "insert into report_image (region, repository, digest, report_id) values (?1, ?2, ?3, ?4) \
                 on conflict do nothing",
            );
            let about =
                about.bind(of.region.as_str()).bind(of.repository.as_str()).bind(digest.as_str()).bind(id);
            about.execute(write.connection()).await?;
        }
        // What was said to be harmless is news when it turns out not to be.
        let known: HashSet<(&str, &str, Severity)> =
            before.iter().map(|old| (&*old.id, &*old.package, old.severity)).collect();
        let as_bad = |one: &Finding| {
            let worse = Severity::ALL.into_iter().filter(|severity| *severity >= one.severity);
            worse.into_iter().any(|severity| known.contains(&(&*one.id, &*one.package, severity)))
        };
        let alarming = report
            .report
            .findings
            .iter()
            .filter(|one| one.kind == Kind::Vulnerability && one.severity.alarms() && !as_bad(one));
        let new: Vec<&Finding> = alarming.collect();
        note(&mut write, report, &new).await?;
        write.touch(ChangeKey::Findings(of.region.clone(), of.repository.clone()));
        write.commit().await?;
        Ok(Kept::Now(new.len()))
    }

    async fn reported(&self, of: &Scanned) -> Result<Reported, StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = super::feed::latest(&mut reading).await?;
        let select = sql::query(
            "select report.* from report_image join report on report.id = report_image.report_id \
             where report_image.region = ?1 and report_image.repository = ?2 and report_image.digest = ?3 \
             order by report.id",
        );
        let select = select.bind(of.region.as_str()).bind(of.repository.as_str()).bind(of.digest.as_str());
        let rows = select.fetch_all(&mut *reading).await?;
        let exempt = sql::query("select * from exemption where region = ?1").bind(of.region.as_str());
        let exempt = exempt.fetch_all(&mut *reading).await?;
        let exempt = exempt.iter().map(super::exemption::decode);
        let mut exemptions = exempt.map(|one| Ok(one?.exemption)).collect::<Result<Vec<_>, StoreError>>()?;
        exemptions.retain(|one| one.scope.reaches(&of.repository));
        let reports = rows.iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Reported { reports, exemptions, as_of })
    }

    async fn reported_in(
        &self,
        region: &Region,
        name: Option<&RepositoryName>,
        after: Option<&Scanned>,
        limit: u32,
    ) -> Result<Vec<(Scanned, Vec<ReportRecord>)>, StoreError> {
        let select = sql::query(
            "select page.repository as of_repository, page.digest as of_digest, report.* from \
             (select distinct repository, digest from report_image where region = ?1 \
              and (?2 is null or repository = ?2) and (repository, digest) > (?3, ?4) \
              order by repository, digest limit ?5) as page \
             join report_image on report_image.region = ?1 and report_image.repository = page.repository \
              and report_image.digest = page.digest \
             join report on report.id = report_image.report_id order by page.repository, page.digest, report.id",
        );
        let after = after.map(|one| (one.repository.as_str(), one.digest.as_str())).unwrap_or_default();
        let select = select.bind(region.as_str()).bind(name.map(RepositoryName::as_str));
        let rows = select.bind(after.0).bind(after.1).bind(limit).fetch_all(&self.readers).await?;
        let mut all: Vec<(Scanned, Vec<ReportRecord>)> = Vec::new();
        for found in &rows {
            let (repository, digest) =
                (row::parsed(found, "of_repository")?, row::parsed(found, "of_digest")?);
            let of = Scanned { region: region.clone(), repository, digest };
            match all.last_mut().filter(|(last, _)| *last == of) {
                Some((_, reports)) => reports.push(decode(found)?),
                None => all.push((of, vec![decode(found)?])),
            }
        }
        Ok(all)
    }

    async fn scanned_repositories(&self, region: &Region) -> Result<Vec<RepositoryName>, StoreError> {
        let select = "select distinct repository from report where region = ?1 order by repository";
        let rows = sql::query(select).bind(region.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(|found| row::parsed(found, "repository")).collect()
    }

    async fn forget_reports(&self, of: &Scanned) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let delete = sql::query("delete from report where region = ?1 and repository = ?2 and digest = ?3");
        let delete = delete.bind(of.region.as_str()).bind(of.repository.as_str()).bind(of.digest.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Ok(());
        }
        write.touch(ChangeKey::Findings(of.region.clone(), of.repository.clone()));
        write.commit().await
    }

    async fn finding_counts(&self, region: &Region) -> Result<(Counts, u32), StoreError> {
        let select = "select count(distinct repository || '@' || digest) as images, cast(sum(unknown) as bigint) as unknown, \
                      cast(sum(negligible) as bigint) as negligible, cast(sum(low) as bigint) as low, \
                      cast(sum(medium) as bigint) as medium, cast(sum(high) as bigint) as high, \
                      cast(sum(critical) as bigint) as critical from report where region = ?1";
        let found = sql::query(select).bind(region.as_str()).fetch_one(&self.readers).await?;
        let mut all = Counts::default();
        for (severity, count) in Severity::ALL.into_iter().zip(&mut all) {
            let sum: Option<i64> = found.try_get(severity.label().to_lowercase().as_str())?;
            *count = u32::try_from(sum.unwrap_or_default()).unwrap_or(u32::MAX);
        }
        Ok((all, row::count(&found, "images")?))
    }

    async fn new_findings(&self, after: i64, limit: u32) -> Result<Vec<NewFinding>, StoreError> {
        let select = sql::query("select * from new_finding where id > ?1 order by id limit ?2");
        let rows = select.bind(after).bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(new_finding).collect()
    }
}

/// What any report has found in the image so far.
async fn found_by_any(write: &mut Write<'_>, of: &Scanned) -> Result<Vec<Finding>, StoreError> {
    let select =
        sql::query("select findings from report where region = ?1 and repository = ?2 and digest = ?3");
    let select = select.bind(of.region.as_str()).bind(of.repository.as_str()).bind(of.digest.as_str());
    let rows = select.fetch_all(write.connection()).await?;
    let lists = rows.iter().map(|found| list(found, "findings")).collect::<Result<Vec<_>, _>>()?;
    Ok(lists.into_iter().flatten().collect())
}

/// Removes the report whose place is taken; `false` if it is later, and stays.
async fn write_over(write: &mut Write<'_>, new: &ReportRecord, made_at: i64) -> Result<bool, StoreError> {
    let of = &new.of;
    let select = sql::query(
        "select id, made_at from report where region = ?1 and repository = ?2 and digest = ?3 \
         and channel = ?4 and format = ?5",
    );
    let select = select.bind(of.region.as_str()).bind(of.repository.as_str()).bind(of.digest.as_str());
    let select = select.bind(new.channel.label()).bind(new.report.format.label());
    let Some(found) = select.fetch_optional(write.connection()).await? else { return Ok(true) };
    let (id, standing): (i64, i64) = (found.try_get("id")?, found.try_get("made_at")?);
    if standing <= made_at {
        sql::query("delete from report where id = ?1").bind(id).execute(write.connection()).await?;
    }
    Ok(standing <= made_at)
}

async fn insert(write: &mut Write<'_>, new: &ReportRecord, made_at: i64) -> Result<i64, StoreError> {
    let (of, report) = (&new.of, &new.report);
    let [unknown, negligible, low, medium, high, critical] =
        counts(report.findings.iter().filter(|one| one.kind == Kind::Vulnerability));
    let insert = sql::query(
        "insert into report (region, repository, digest, channel, format, tool, os_name, os_version, is_scan, made_at, \
         received_at, findings, dismissed, unknown, negligible, low, medium, high, critical) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) returning id",
    );
    let insert = insert
        .bind(of.region.as_str())
        .bind(of.repository.as_str())
        .bind(of.digest.as_str())
        .bind(new.channel.label())
        .bind(report.format.label())
        .bind(&*report.tool)
        .bind(report.os.as_ref().map(|os| &*os.name))
        .bind(report.os.as_ref().map(|os| &*os.version))
        .bind(report.is_scan)
        .bind(made_at)
        .bind(new.received_at.millis())
        .bind(json(&report.findings)?)
        .bind(json(&report.dismissed)?);
    let insert = insert.bind(unknown).bind(negligible).bind(low).bind(medium).bind(high).bind(critical);
    Ok(insert.fetch_one(write.connection()).await?.try_get("id")?)
}

/// Writes down what is new, the worst first and so many of it, with how many more there are; and forgets the oldest of what alerts
/// have been made of.
async fn note(write: &mut Write<'_>, of: &ReportRecord, new: &[&Finding]) -> Result<(), StoreError> {
    let (mut room, mut latest) = (NEW_AT_ONCE, None);
    for severity in Severity::ALL.into_iter().rev() {
        let all: Vec<&&Finding> = new.iter().filter(|one| one.severity == severity).collect();
        let told = all.len().min(room.max(1));
        room -= told.min(room);
        for (place, finding) in all.iter().take(told).enumerate() {
            let more = if place + 1 == told { all.len() - told } else { 0 };
            latest = Some(note_one(write, of, finding, i64::try_from(more).unwrap_or(i64::MAX)).await?);
        }
    }
    if let Some(latest) = latest {
        let delete = sql::query(
            "delete from new_finding where id <= ?2 \
             or id <= ?1 and id <= (select position from alert_cursor where source = 'findings')",
        );
        let delete = delete.bind(latest - NEW_KEPT).bind(latest - NEW_MAX);
        delete.execute(write.connection()).await?;
    }
    Ok(())
}

async fn note_one(
    write: &mut Write<'_>,
    of: &ReportRecord,
    finding: &Finding,
    more: i64,
) -> Result<i64, StoreError> {
    let insert = sql::query(
        "insert into new_finding (region, repository, digest, issue, package, severity, found_at, more) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) returning id",
    );
    let insert = insert
        .bind(of.of.region.as_str())
        .bind(of.of.repository.as_str())
        .bind(of.of.digest.as_str())
        .bind(&*finding.id)
        .bind(&*finding.package)
        .bind(finding.severity.label())
        .bind(of.received_at.millis())
        .bind(more);
    Ok(insert.fetch_one(write.connection()).await?.try_get("id")?)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unavailable(format!("cannot write a report as JSON: {error}")))
}

fn list<T: serde::de::DeserializeOwned>(found: &sql::Row, column: &str) -> Result<Vec<T>, StoreError> {
    let text: &str = found.try_get(column)?;
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("column {column}: {error}")))
}

/// Reads a word that must be one of a closed list.
fn word<T>(found: &sql::Row, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let text: &str = found.try_get(column)?;
    parse(text)
        .ok_or_else(|| StoreError::Corrupt(format!("column {column}: {}", Malformed::new(text, "").text)))
}

/// Reads the severity of a finding.
pub(super) fn severity_of(found: &sql::Row) -> Result<Severity, StoreError> {
    word(found, "severity", |label| Severity::ALL.into_iter().find(|one| one.label() == label))
}

fn scanned(found: &sql::Row) -> Result<Scanned, StoreError> {
    Ok(Scanned {
        region: row::parsed(found, "region")?,
        repository: row::parsed(found, "repository")?,
        digest: row::parsed(found, "digest")?,
    })
}

fn decode(found: &sql::Row) -> Result<ReportRecord, StoreError> {
    let name: Option<&str> = found.try_get("os_name")?;
    let version: Option<&str> = found.try_get("os_version")?;
    let os = name.map(|name| Os { name: name.into(), version: version.unwrap_or_default().into() });
    let tool: &str = found.try_get("tool")?;
    Ok(ReportRecord {
        of: scanned(found)?,
        channel: word(found, "channel", Channel::parse)?,
        received_at: row::time(found, "received_at")?,
        report: Report {
            format: word(found, "format", Format::parse)?,
            tool: tool.into(),
            made_at: Some(row::time(found, "made_at")?),
            os,
            is_scan: found.try_get("is_scan")?,
            findings: list(found, "findings")?,
            dismissed: list(found, "dismissed")?,
            subjects: Vec::new(),
        },
    })
}

fn new_finding(found: &sql::Row) -> Result<NewFinding, StoreError> {
    let (issue, package): (&str, &str) = (found.try_get("issue")?, found.try_get("package")?);
    Ok(NewFinding {
        id: found.try_get("id")?,
        of: scanned(found)?,
        issue: issue.into(),
        package: package.into(),
        severity: severity_of(found)?,
        found_at: row::time(found, "found_at")?,
    })
}
