//! Vulnerability Advisor, version 4, at `/va/api/v4`: what is reported of images.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::images::{bare, full, named};
use super::registry::same_account;
use crate::clock::UnixTime;
use crate::control::findings::ImageReport;
use crate::control::problem::Problem;
use crate::findings::assess::{Assessment, Check, Notice, Status, Tally, Vulnerability, assess};
use crate::registry::name::RepositoryName;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Reports {
    Account,
    AccountStatus,
    Image,
    ImageStatus,
}

pub(in super::super) async fn answer(which: Reports, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Reports::Account => account(call).await,
        Reports::AccountStatus => account_status(call).await,
        Reports::Image => {
            let image = named(call, call.text("name"))?;
            let done = desk.image_report(caller, region, &image).await?;
            Ok(Answer::of(StatusCode::OK, done, |report| whole(&report, desk.clock.now())))
        }
        Reports::ImageStatus => {
            let image = named(call, call.text("name"))?;
            let done = desk.image_report(caller, region, &image).await?;
            Ok(Answer::of(StatusCode::OK, done, |report| summary(&report, desk.clock.now())))
        }
    }
}

/// The repository that a list is restricted to.
fn repository(call: &Call<'_>) -> Result<Option<RepositoryName>, Problem> {
    let text = call.query.one("repository")?.filter(|text| !text.is_empty());
    Ok(text.map(|text| RepositoryName::parse(bare(call, text))).transpose()?)
}

async fn account(call: &Call<'_>) -> Result<Answer, Problem> {
    let (repository, now) = (repository(call)?, call.desk.clock.now());
    let mut assessments = Map::new();
    let each = |report: ImageReport| {
        assessments.insert(full(call, &report.image), whole(&report, now));
    };
    let (caller, region) = (&call.caller, &call.request.region);
    let done = call.desk.reports(caller, region, repository.as_ref(), true, each).await?;
    Ok(Answer::of(StatusCode::OK, done, |()| json!({"assessments": assessments})))
}

async fn account_status(call: &Call<'_>) -> Result<Answer, Problem> {
    let (repository, now) = (repository(call)?, call.desk.clock.now());
    let mut images = Vec::new();
    let each = |report: ImageReport| {
        let mut one = summary(&report, now);
        if let Some(members) = one.as_object_mut() {
            members.insert("name".to_owned(), json!(full(call, &report.image)));
        }
        images.push(one);
    };
    let (caller, region) = (&call.caller, &call.request.region);
    let done = call.desk.reports(caller, region, repository.as_ref(), false, each).await?;
    Ok(Answer::of(StatusCode::OK, done, |()| json!({"images": images})))
}

pub(super) fn status(report: &ImageReport, tally: Tally) -> Status {
    match (report.scanned_at, tally.status()) {
        (None, Status::Ok) => Status::Unscanned,
        (_, status) => status,
    }
}

fn summary(report: &ImageReport, now: UnixTime) -> Value {
    let tally = assess(&report.findings, &report.exemptions, now).tally();
    json!({
        "status": status(report, tally).label(),
        "scan_time": report.scanned_at.map_or(0, UnixTime::seconds),
        "issue_count": tally.issues(),
        "exempt_issue_count": tally.exempt(),
        "vulnerability_count": tally.vulnerabilities,
        "exempt_vulnerability_count": tally.exempt_vulnerabilities,
        "configuration_issue_count": tally.checks,
        "exempt_configuration_issue_count": tally.exempt_checks,
    })
}

fn whole(report: &ImageReport, now: UnixTime) -> Value {
    let Assessment { vulnerabilities, checks } = assess(&report.findings, &report.exemptions, now);
    let seen = Assessment { vulnerabilities, checks };
    let tally = seen.tally();
    let os = report.os.clone().unwrap_or_default();
    json!({
        "id": report.digest,
        "status": status(report, tally).label(),
        "scan_time": report.scanned_at.map_or(0, UnixTime::seconds),
        "os_distribution": {
            "distribution_id": os.name,
            "version_id": os.version,
            "version_code_name": "",
        },
        "configuration_issues": seen.checks.iter().map(check).collect::<Vec<_>>(),
        "vulnerabilities": seen.vulnerabilities.iter().map(vulnerability).collect::<Vec<_>>(),
    })
}

fn check(one: &Check<'_>) -> Value {
    json!({
        "type": one.finding.id,
        "description": one.finding.summary,
        "corrective_action": one.finding.fixed,
        "exempt": one.exempt,
        "meta": {"severity": one.finding.severity.label()},
    })
}

/// With our own `severity`, which Vulnerability Advisor has no word for.
fn vulnerability(one: &Vulnerability<'_>) -> Value {
    let exempt = one.notices.iter().filter(|notice| notice.exempt || one.cve_exempt).count();
    json!({
        "cve_id": one.id,
        "severity": one.severity.label(),
        "cve_exempt": one.cve_exempt,
        "summary": one.summary,
        "exempt_status": one.exempt.label(),
        "exempt_security_notice_count": exempt,
        "security_notice_count": one.notices.len() - exempt,
        "total_security_notice_count": one.notices.len(),
        "security_notices": one.notices.iter().map(notice).collect::<Vec<_>>(),
    })
}

fn notice(one: &Notice<'_>) -> Value {
    let first = one.findings.first();
    let packages = one.findings.iter().map(|finding| {
        let action = match finding.fixed.is_empty() {
            true => "There is no fix yet".to_owned(),
            false => format!("Upgrade {} to {}", finding.package, finding.fixed),
        };
        json!({
            "package_name": finding.package,
            "installed_version": finding.installed,
            "fix_version": finding.fixed,
            "corrective_action": action,
            "description": finding.summary,
        })
    });
    json!({
        "notice_id": one.id,
        "notice": first.map(|finding| &*finding.link).unwrap_or_default(),
        "notice_exempt": one.exempt,
        "summary": first.map(|finding| &*finding.summary).unwrap_or_default(),
        "vulnerable_packages": packages.collect::<Vec<_>>(),
    })
}
