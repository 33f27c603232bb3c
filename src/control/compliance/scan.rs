//! Scans: everything is judged, what has turned is noted with who may have turned it, and what says something new is kept.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::compliance::check::judge;
use crate::compliance::drift::{Deed, Drift, compare};
use crate::compliance::facts::Facts;
use crate::compliance::goal::{Goal, Profile, Severity};
use crate::compliance::report::Summary;
use crate::compliance::verdict::{Status, Verdict};
use crate::control::Desk;
use crate::control::compliance::gather::Known;
use crate::control::problem::Problem;
use crate::record::audit::event::AuditEvent;
use crate::store::compliance::{ComplianceRule, Scan, ScanRow};
use crate::store::feed::Sequence;

/// What verdicts on rules are kept under, in place of a profile.
pub const RULES: &str = "rules";

/// How old a scan may be that answers a question, in milliseconds, when nothing has changed since.
const FRESH: i64 = 5_000;

/// How often a scan gets a row of history although it found nothing new, in milliseconds.
const HISTORY_EVERY: i64 = 60 * 60 * 1000;

/// How much earlier than the scan before a change may have begun that this one sees, in milliseconds.
const OVERLAP: i64 = 10_000;

/// How many changes are looked at for a cause.
const DEEDS_MAX: u32 = 1000;

/// Within which time a change that is in force is on record, and so can be named as a cause.
const RECORDED: Duration = Duration::from_millis(250);

/// Why a scan is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Something was changed.
    Change,
    /// Somebody asked for it.
    Request,
    /// It was time.
    Schedule,
}

impl Reason {
    const fn label(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Request => "request",
            Self::Schedule => "schedule",
        }
    }
}

/// What a scan came to.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// As of when.
    pub at: UnixTime,
    /// As of which change.
    pub sequence: Sequence,
    /// As of which change of what is known of images.
    pub noted: u64,
    /// The verdicts of each profile, in order.
    pub profiles: Vec<Vec<Verdict>>,
    /// The verdicts on rules, oldest rule first.
    pub rules: Vec<Verdict>,
}

/// A scan, and what it was made from: as long as nothing is changed, the next one need not ask for all of it again.
#[derive(Debug)]
pub(super) struct Last {
    scanned: Scanned,
    facts: Facts,
}

/// Verdicts of one profile, or on rules, on their way into the store.
struct Batch<'a> {
    profile: &'a str,
    before: Vec<Verdict>,
    now: Vec<Verdict>,
    drifts: Vec<Drift>,
}

impl Desk {
    /// The last scan, if nothing has changed since; else a new one.
    pub(super) async fn scanned(&self) -> Result<Scanned, Problem> {
        let mut last = self.compliance.last.lock().await;
        let (now, latest) = (self.clock.now(), self.store.latest().await?);
        let fits = |scan: &&Scanned| {
            scan.sequence == latest
                && scan.noted == self.bin.census.written()
                && now.millis().saturating_sub(scan.at.millis()) < FRESH
        };
        if let Some(fresh) = last.as_ref().map(|last| &last.scanned).filter(fits) {
            return Ok(fresh.clone());
        }
        let unchanged = last.as_ref().is_some_and(|last| last.scanned.sequence == latest);
        let reason = if unchanged { Reason::Schedule } else { Reason::Change };
        self.scan_now(&mut last, reason).await
    }

    /// Judges everything anew.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be read or written.
    pub async fn compliance_scan(&self, reason: Reason) -> Result<Scanned, Problem> {
        let mut last = self.compliance.last.lock().await;
        self.scan_now(&mut last, reason).await
    }

    async fn scan_now(&self, last: &mut Option<Last>, reason: Reason) -> Result<Scanned, Problem> {
        let (sequence, noted) = (self.store.latest().await?, self.bin.census.written());
        self.write_down().await?;
        self.note_private().await?;
        let unnoted = last.as_ref().is_some_and(|last| last.scanned.noted == noted);
        let known = match last.take() {
            Some(last) if last.scanned.sequence == sequence => Known::Same(last.facts),
            Some(last) => Known::Older(last.facts, last.scanned.sequence),
            None => Known::Nothing,
        };
        let mut facts = self.facts(known, sequence, unnoted).await?;
        facts.at = self.clock.now();
        let rows = self.store.compliance_rules().await?;
        let mut profiles = Vec::new();
        for profile in &self.compliance.profiles {
            let verdicts = profile.goals.iter().map(|goal| judge(goal, &facts)).collect();
            let causes = |id: &str| goal_causes(profile, id);
            profiles.push(self.keep(&profile.id, verdicts, causes, &facts, reason).await?);
        }
        let verdicts = rule_verdicts(&rows, &facts)?;
        let causes = |id: &str| {
            let row = rows.iter().find(|row| row.id.as_str() == id);
            row.and_then(|row| row.document.rule().ok()).map(|rule| rule.causes()).unwrap_or_default()
        };
        let rules = self.keep(RULES, verdicts, causes, &facts, reason).await?;
        let scanned = Scanned { at: facts.at, sequence, noted, profiles, rules };
        *last = Some(Last { scanned: scanned.clone(), facts });
        Ok(scanned)
    }

    /// Has registries looked through, in the background, of which nothing is known.
    pub(super) async fn look_at_images(&self) -> Result<(), Problem> {
        let last = self.compliance.last.lock().await;
        let images = last.as_ref().and_then(|last| last.facts.images.as_ref());
        if images.is_some_and(|images| !images.unseen.is_empty()) {
            self.bin.census.want();
        }
        Ok(())
    }

    /// Writes down what was noticed of requests.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be written; then nothing is lost.
    pub async fn write_down(&self) -> Result<(), Problem> {
        let activity = self.compliance.recorder.activity();
        let notices = activity.take();
        if notices.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.store.note_activity(&notices).await {
            activity.put_back(notices);
            return Err(error.into());
        }
        Ok(())
    }

    /// Notes since when registries refuse public endpoints.
    async fn note_private(&self) -> Result<(), Problem> {
        let facts = self.registry_facts().await?;
        for registry in &facts.registries {
            match (registry.private_only, registry.private_since) {
                (true, None) => self.store.note_private(&registry.region, Some(facts.at)).await?,
                (false, Some(_)) => self.store.note_private(&registry.region, None).await?,
                (true, Some(_)) | (false, None) => {}
            }
        }
        Ok(())
    }

    async fn keep(
        &self,
        profile: &str,
        mut now: Vec<Verdict>,
        causes: impl Fn(&str) -> Vec<&'static str>,
        facts: &Facts,
        reason: Reason,
    ) -> Result<Vec<Verdict>, Problem> {
        let before = self.store.verdicts(profile).await?;
        let last = self.store.scans(Some(profile), 1).await?.into_iter().next();
        let turns = |old: &Verdict| now.iter().any(|new| new.id == old.id && new.status != old.status);
        if before.iter().any(turns) {
            // What turned it is in force already, but whoever did it may still be hearing of it.
            tokio::time::sleep(RECORDED).await;
            self.write_down().await?;
        }
        let deeds = self.deeds_since(last.as_ref(), facts.at).await?;
        let cause = |id: &str| {
            let wanted = causes(id);
            deeds.iter().rev().find(|deed| deed.is_one_of(&wanted)).cloned()
        };
        let drifts = compare(profile, &before, &mut now, facts.at, cause);
        let batch = Batch { profile, before, now, drifts };
        self.tell(&batch, facts.at);
        let scan = written(&batch, last, facts.at, reason);
        if let Some(scan) = scan {
            self.store.keep_scan(&scan).await?;
        }
        Ok(batch.now)
    }

    async fn deeds_since(&self, last: Option<&ScanRow>, now: UnixTime) -> Result<Vec<Deed>, Problem> {
        let from = last.map_or(now, |row| row.at).millis().saturating_sub(OVERLAP);
        Ok(self.store.deeds(UnixTime::from_millis(from), DEEDS_MAX).await?)
    }

    /// Tells metrics, log and audit.
    fn tell(&self, batch: &Batch<'_>, at: UnixTime) {
        let recorder = &self.compliance.recorder;
        let profile = Some(batch.profile).filter(|profile| *profile != RULES);
        let statuses: Vec<(&str, Status)> =
            batch.now.iter().map(|verdict| (verdict.id.as_str(), verdict.status)).collect();
        recorder.metrics().judged(profile, &statuses, at);
        let action = if profile.is_some() { "compliance.goal.drift" } else { "compliance.rule.drift" };
        let mut told: Vec<(bool, String)> = batch
            .drifts
            .iter()
            .map(|drift| {
                (drift.to == Status::Fail, format!("{} {}: {}", drift.profile, drift.id, drift.sentence()))
            })
            .collect();
        let known = |verdict: &&Verdict| batch.before.iter().any(|old| old.id == verdict.id);
        let broken = |verdict: &&Verdict| verdict.status == Status::Fail && profile.is_none();
        // A rule that is broken when it is made has not drifted; it is recorded all the same.
        for verdict in batch.now.iter().filter(|verdict| broken(verdict) && !known(verdict)) {
            told.push((true, format!("rules {}: {} on {}", verdict.id, verdict.found, verdict.resource)));
        }
        for (failed, text) in told {
            tracing::info!(action, text, "compliance");
            if let Ok(slot) = recorder.audit().try_reserve() {
                slot.write(&AuditEvent::verdict(action, at, failed, text));
            }
        }
    }
}

fn goal_causes(profile: &Profile, id: &str) -> Vec<&'static str> {
    let goal = profile.goals.iter().find(|goal: &&Goal| goal.id == id);
    goal.map(|goal| goal.check.causes().to_vec()).unwrap_or_default()
}

fn rule_verdicts(rows: &[ComplianceRule], facts: &Facts) -> Result<Vec<Verdict>, Problem> {
    let verdict = |row: &ComplianceRule| {
        let rule = super::rule::understood(row)?;
        let document = &row.document;
        let words = document.description.as_ref().or(document.required_config.description.as_ref());
        let description = document.name.as_ref().or(words).cloned().unwrap_or_else(|| rule.condition.words());
        let id = row.id.to_string();
        Ok(Verdict::of((&id, &description), None, Severity::High, rule.judge(facts), facts.at))
    };
    rows.iter().map(verdict).collect()
}

/// What is new in a batch; nothing if nothing is.
fn written(batch: &Batch<'_>, last: Option<ScanRow>, at: UnixTime, reason: Reason) -> Option<Scan> {
    let changed: Vec<Verdict> =
        batch.now.iter().filter(|verdict| !batch.before.contains(verdict)).cloned().collect();
    let left = |old: &&Verdict| !batch.now.iter().any(|verdict| verdict.id == old.id);
    let gone: Vec<String> = batch.before.iter().filter(left).map(|old| old.id.clone()).collect();
    let summary = Summary::of(&batch.now);
    let old = last.as_ref().is_none_or(|row| at.millis().saturating_sub(row.at.millis()) >= HISTORY_EVERY);
    let other = last.as_ref().is_none_or(|row| row.summary != summary) || !batch.drifts.is_empty();
    let row = (old || other || reason == Reason::Request).then(|| ScanRow {
        profile: batch.profile.to_owned(),
        at,
        reason: reason.label().to_owned(),
        summary,
    });
    if changed.is_empty() && gone.is_empty() && row.is_none() {
        return None;
    }
    Some(Scan { profile: batch.profile.to_owned(), changed, gone, drifts: batch.drifts.clone(), row })
}
