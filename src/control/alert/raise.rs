//! What has happened, made into alerts.

use crate::compliance::drift::Drift;
use crate::compliance::goal;
use crate::compliance::verdict::Status;
use crate::control::Desk;
use crate::control::compliance::scan::RULES;
use crate::control::problem::Problem;
use crate::findings::alert::Alert;
use crate::findings::alert::message::occurrence_id;
use crate::findings::alert::topic::Topic;
use crate::findings::severity::Severity;
use crate::record::spikes::Spike;
use crate::store::alert::{Alarming, ChannelRecord, Cursor, Raised, Step};

/// How many groups of findings, or drifts, are looked at in one go.
const AT_ONCE: u32 = 300;

/// In which time the same who is refused is told of once, in seconds.
const SPIKE_EVERY: i64 = 60 * 60;

/// How many who are refused are told of by themselves in one go; of more there is one alert, once a minute.
const SPIKES_NAMED: usize = 20;

/// In which time there is one alert of all others who are refused, in seconds.
const FOLD_EVERY: i64 = 60;

impl Desk {
    /// Makes alerts of all that the store has learnt since the last look.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be read or written; then nothing is lost.
    pub async fn raise_alerts(&self) -> Result<(), Problem> {
        while self.raise_findings().await? {}
        while self.raise_drifts().await? {}
        Ok(())
    }

    /// Makes alerts of who was refused too often by this replica.
    ///
    /// # Errors
    /// [`Problem`] when the store cannot be read or written; then nothing is lost.
    pub async fn raise_spikes(&self) -> Result<(), Problem> {
        let noticed = self.compliance.recorder.spikes();
        let spikes = noticed.take();
        if spikes.is_empty() {
            return Ok(());
        }
        let kept = async {
            let channels = self.store.channels().await?;
            let (named, folded) = spikes.split_at(spikes.len().min(SPIKES_NAMED));
            let each =
                named.iter().map(|spike| self.raised(&channels, spike_cause(spike), self.spike(spike)));
            let mut alerts: Vec<Raised> = each.collect();
            if let Some(last) = folded.last() {
                alerts.push(self.raised(&channels, fold_cause(last), self.folded(last, folded)));
            }
            self.keep_alerts(&alerts, None).await
        };
        let kept = kept.await;
        if kept.is_err() {
            noticed.put_back(spikes);
        }
        kept.map(|_| ())
    }

    /// Whether there is more.
    async fn raise_findings(&self) -> Result<bool, Problem> {
        let from = self.store.cursor(Cursor::Findings).await?;
        let (groups, to) = self.store.alarming(from, AT_ONCE).await?;
        if to == from {
            return Ok(false);
        }
        let channels = self.store.channels().await?;
        let each = groups.iter().map(|one| {
            let cause = format!("finding {} {}", one.last, one.severity.label());
            self.raised(&channels, cause, self.vulnerable(one))
        });
        let alerts: Vec<Raised> = each.collect();
        self.keep_alerts(&alerts, Some(Step { of: Cursor::Findings, from, to })).await?;
        Ok(!groups.is_empty())
    }

    /// Whether there is more.
    async fn raise_drifts(&self) -> Result<bool, Problem> {
        let from = self.store.cursor(Cursor::Drift).await?;
        let drifts = self.store.drifts_after(from, AT_ONCE).await?;
        let Some((to, _)) = drifts.last() else { return Ok(false) };
        let channels = self.store.channels().await?;
        let alarming = drifts.iter().filter(|(_, drift)| is_alarming(drift));
        let each = alarming.map(|(number, drift)| {
            self.raised(&channels, format!("drift {number}"), self.drifted(drift, *number))
        });
        let alerts: Vec<Raised> = each.collect();
        self.keep_alerts(&alerts, Some(Step { of: Cursor::Drift, from, to: *to })).await?;
        Ok(true)
    }

    async fn keep_alerts(&self, alerts: &[Raised], step: Option<Step>) -> Result<bool, Problem> {
        let kept = self.store.raise(alerts, step).await?;
        if kept {
            let metrics = self.compliance.recorder.metrics();
            alerts.iter().for_each(|one| metrics.alert_raised(one.alert.topic));
        }
        Ok(kept)
    }

    pub(in crate::control) fn raised(
        &self,
        channels: &[ChannelRecord],
        cause: String,
        alert: Alert,
    ) -> Raised {
        let told = channels.iter().filter(|row| row.document.wants(&alert));
        Raised { cause, channels: told.map(|row| row.id.clone()).collect(), alert }
    }

    pub(in crate::control) fn fresh_alert_id(&self) -> Box<str> {
        format!("msg_{}", self.entropy.uuid().simple()).into()
    }

    fn vulnerable(&self, found: &Alarming) -> Alert {
        let (of, severity) = (&found.of, found.severity);
        let noun = if found.count == 1 { "vulnerability" } else { "vulnerabilities" };
        let first: Vec<&str> = found.issues.iter().take(3).map(|one| &*one.id).collect();
        let more = if found.count > 3 { ", …" } else { "" };
        let (count, word) = (found.count, severity.label().to_lowercase());
        let image = format!("{}@{}", of.repository, of.digest);
        Alert {
            id: self.fresh_alert_id(),
            topic: Topic::ImageWithVulnerabilities,
            severity,
            at: found.found_at,
            region: Some(of.region.clone()),
            occurrence: occurrence_id(Topic::ImageWithVulnerabilities.note(), &of.repository, &of.digest),
            summary: format!("{count} new {word} {noun} in {image}: {}{more}", first.join(", ")),
            remedy: format!("portcullis cr va {image}, and build the image with packages that are mended"),
            resource: image,
            resource_type: "container-image".to_owned(),
            count: found.count.into(),
            issues: found.issues.clone(),
            reported: None,
        }
    }

    fn drifted(&self, drift: &Drift, number: i64) -> Alert {
        let is_rule = drift.profile == RULES;
        let (topic, kind, remedy) = match is_rule {
            true => (Topic::RuleDrift, "rule", format!("portcullis compliance results {}", drift.id)),
            false => {
                (Topic::GoalDrift, "goal", format!("portcullis compliance goals --profile {}", drift.profile))
            }
        };
        Alert {
            id: self.fresh_alert_id(),
            topic,
            severity: self.severity_of(drift),
            at: drift.at,
            region: None,
            occurrence: format!("{}.{number}", topic.note()),
            resource: format!("{}/{}", drift.profile, drift.id),
            resource_type: format!("compliance-{kind}"),
            summary: format!("{kind} {} ({}) {}", drift.id, drift.description, drift.sentence()),
            remedy,
            count: 1,
            issues: Vec::new(),
            reported: None,
        }
    }

    /// How much a goal matters; a rule always does.
    fn severity_of(&self, drift: &Drift) -> Severity {
        let goals =
            self.compliance.profiles.iter().filter(|one| one.id == drift.profile).flat_map(|one| &one.goals);
        match goals.into_iter().find(|goal| goal.id == drift.id).map(|goal| goal.severity) {
            Some(goal::Severity::Critical) => Severity::Critical,
            Some(goal::Severity::High) | None => Severity::High,
            Some(goal::Severity::Medium) => Severity::Medium,
            Some(goal::Severity::Low) => Severity::Low,
        }
    }

    fn spike(&self, spike: &Spike) -> Alert {
        let Spike { who, name, count, since, at, last } = spike;
        let told = name.as_ref().map_or_else(|| who.clone(), |name| format!("{name} ({who})"));
        let id = self.fresh_alert_id();
        Alert {
            topic: Topic::DeniedAccessSpike,
            severity: Severity::High,
            at: *at,
            region: None,
            occurrence: format!("{}.{id}", Topic::DeniedAccessSpike.note()),
            resource: who.clone(),
            resource_type: if name.is_some() { "principal" } else { "address" }.to_owned(),
            summary: format!("{told} was refused {count} times since {}, last {last}", since.rfc3339()),
            remedy: "look in the audit log for what it asked for, and lock its keys or narrow the allowlists"
                .to_owned(),
            count: u64::from(*count),
            issues: Vec::new(),
            reported: None,
            id,
        }
    }

    /// Many who are refused at once, in one alert: they may be one attacker with many addresses.
    fn folded(&self, last: &Spike, all: &[Spike]) -> Alert {
        let refused: u64 = all.iter().map(|spike| u64::from(spike.count)).sum();
        let others = all.len();
        Alert {
            resource: format!("{others} others"),
            resource_type: "address".to_owned(),
            summary: format!(
                "{others} others were refused {refused} times, last {}: {}",
                last.who, last.last
            ),
            count: refused,
            ..self.spike(last)
        }
    }
}

/// Once a minute for all others.
fn fold_cause(last: &Spike) -> String {
    format!("denied others {}", last.at.seconds().div_euclid(FOLD_EVERY))
}

/// Once an hour for each who is refused.
fn spike_cause(spike: &Spike) -> String {
    format!("denied {} {}", spike.who, spike.at.seconds().div_euclid(SPIKE_EVERY))
}

/// What fails now, and what cannot be told any more although it held.
const fn is_alarming(drift: &Drift) -> bool {
    match (drift.from, drift.to) {
        (_, Status::Fail) | (Status::Pass, Status::UnableToPerform) => true,
        (_, Status::NotApplicable | Status::Pass)
        | (Status::Fail | Status::NotApplicable | Status::UnableToPerform, Status::UnableToPerform) => false,
    }
}
