//! New findings in groups, one for each image, report and severity: what alerts are made of.

use super::findings::severity_of;
use super::{SqlStore, row};
use crate::clock::UnixTime;
use crate::findings::alert::{ISSUES_MAX, Issue};
use crate::store::alert::Alarming;
use crate::store::findings::Scanned;
use crate::store::{StoreError, sql};

/// How long something that is found again in the same image is no news, in milliseconds.
const KNOWN_FOR: i64 = 24 * 60 * 60 * 1000;

/// Whether the row `one` says what none before has said, and what no exemption is of: one by its name, for the account, or for
/// the namespace, repository or digest. The text goes on with how long something is known.
/// How bad a severity is that alarms, in order.
macro_rules! rank {
    ($row:literal) => {
        concat!(
            "case ",
            $row,
            ".severity when 'MEDIUM' then 1 when 'HIGH' then 2 when 'CRITICAL' then 3 else 0 end"
        )
    };
}

macro_rules! is_news {
    () => {
        concat!("not exists (select 1 from exemption where exemption.region = one.region and issue_type = 'cve' \
         and lower(issue_id) = lower(one.issue) and (expires_at is null or expires_at > one.found_at) and (scope in ('*', one.repository, \
         one.repository || '@' || one.digest) or substr(one.repository, 1, length(scope) + 1) = scope || '/' \
         and scope not like '%/%')) \
         and not exists (select 1 from new_finding as old where old.digest = one.digest and old.issue = one.issue \
         and old.package = one.package and old.region = one.region and old.repository = one.repository \
         and ",
            rank!("old"),
            " >= ",
            rank!("one"),
            " and old.id < one.id and old.found_at > one.found_at - ")
    };
}

/// Reads up to `limit` groups, and where that ends: at the end of a report, so that none is told of in pieces.
pub(super) async fn read(
    store: &SqlStore,
    after: i64,
    limit: u32,
) -> Result<(Vec<Alarming>, i64), StoreError> {
    let mut reading = store.readers.begin().await?;
    let end: Option<i64> =
        sql::query_scalar("select max(id) from new_finding").fetch_one(&mut *reading).await?;
    let end = end.unwrap_or(after).max(after);
    let select = sql::query(concat!(
        "select region, repository, digest, severity, found_at, cast(count(*) + sum(more) as bigint) as total, min(id) as first, max(id) as last \
         from new_finding as one where id > ?1 and ",
        is_news!(),
        "?2) group by region, repository, digest, found_at, severity order by first limit ?3"
    ));
    let rows = select.bind(after).bind(KNOWN_FOR).bind(limit).fetch_all(&mut *reading).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let mut groups = rows.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    if full {
        drop_last_report(&mut groups);
    }
    let to = if full { groups.iter().map(|(one, _)| one.last).max().unwrap_or(end) } else { end };
    for (one, first) in &mut groups {
        let select = sql::query(concat!(
            "select issue, package from new_finding as one where id between ?1 and ?2 and digest = ?3 and repository = ?4 \
             and region = ?5 and severity = ?6 and found_at = ?7 and ",
            is_news!(),
            "?8) order by id limit ?9"
        ));
        let (of, severity) = (&one.of, one.severity.label());
        let select = select.bind(*first).bind(one.last).bind(of.digest.as_str()).bind(of.repository.as_str());
        let select = select.bind(of.region.as_str()).bind(severity).bind(one.found_at.millis());
        let rows = select.bind(KNOWN_FOR).bind(ISSUES_MAX).fetch_all(&mut *reading).await?;
        one.issues = rows.iter().map(issue).collect::<Result<_, _>>()?;
    }
    Ok((groups.into_iter().map(|(one, _)| one).collect(), to))
}

/// Leaves out the last report, of which there may be more than was read; but never all.
fn drop_last_report(groups: &mut Vec<(Alarming, i64)>) {
    let of = |one: &(Alarming, i64)| (one.0.of.clone(), one.0.found_at);
    let Some(last) = groups.last().map(of) else { return };
    if groups.first().map(of).is_some_and(|first| first != last) {
        groups.retain(|one| of(one) != last);
    }
}

fn group(found: &sql::Row) -> Result<(Alarming, i64), StoreError> {
    let one = Alarming {
        last: found.try_get("last")?,
        of: Scanned {
            region: row::parsed(found, "region")?,
            repository: row::parsed(found, "repository")?,
            digest: row::parsed(found, "digest")?,
        },
        severity: severity_of(found)?,
        found_at: UnixTime::from_millis(found.try_get("found_at")?),
        count: row::count(found, "total")?,
        issues: Vec::new(),
    };
    Ok((one, found.try_get("first")?))
}

fn issue(found: &sql::Row) -> Result<Issue, StoreError> {
    let (id, package): (&str, &str) = (found.try_get("issue")?, found.try_get("package")?);
    Ok(Issue { id: id.into(), package: package.into() })
}
