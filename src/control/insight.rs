//! What others report to Security Insights. It is the account's, not one registry's, and whoever is told of it is told of it like of what
//! is found here: so it is read by those who may read, and written by those who may write, findings of every registry.

use std::sync::Arc;

use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::permit::{Control, Permit};
use crate::control::problem::{Noun, Problem};
use crate::control::{Desk, Done};
use crate::findings::alert::topic::Topic;
use crate::findings::alert::{Alert, Reported};
use crate::findings::insight::note::Note;
use crate::findings::insight::occurrence::Occurrence;
use crate::findings::insight::{InsightName, Level};
use crate::findings::severity::Severity;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::store::alert::Raised;
use crate::store::insight::{Insight, Named, Of, Put};

/// The most notes of an account.
const NOTES_MAX: u32 = 1_000;
/// The most occurrences of an account.
const OCCURRENCES_MAX: u32 = 10_000;
/// The longest part of a report that an alert quotes, in characters.
const QUOTED_MAX: usize = 256;

impl Desk {
    /// Who has reported anything, if the caller may know.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn insight_providers(&self, caller: &Arc<Caller>) -> Result<Vec<InsightName>, Problem> {
        match self.may_read_insights(caller) {
            true => Ok(self.store.insight_providers().await?),
            false => Ok(Vec::new()),
        }
    }

    /// Whether the caller may read what others report; lists of who may not are empty.
    #[must_use]
    pub fn may_read_insights(&self, caller: &Caller) -> bool {
        let mut regions = self.compliance.premises.registries.iter();
        regions.all(|(region, _)| {
            self.authority.may(caller, Action::ImageVulnerabilities, &Resource::registry(region))
        })
    }

    /// Notes of a provider.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn insight_notes(
        &self,
        caller: &Arc<Caller>,
        provider: &InsightName,
        after: Option<&InsightName>,
        limit: u32,
    ) -> Result<Done<Vec<Insight<Note>>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::ImageVulnerabilities).await?;
        Ok(Done::new(self.store.insight_notes(provider, after, limit).await?, permit))
    }

    /// One note.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn insight_note(
        &self,
        caller: &Arc<Caller>,
        name: &Named,
    ) -> Result<Done<Insight<Note>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::ImageVulnerabilities).await?;
        Ok(Done::new(self.stored_note(name).await?, permit))
    }

    /// Makes a note, or replaces one: what it describes stays of the kind that it is.
    ///
    /// # Errors
    /// [`Problem`]; a provider that only this server is, and one note too many.
    pub async fn put_insight_note(
        &self,
        caller: &Arc<Caller>,
        provider: &InsightName,
        note: Note,
        how: Put,
    ) -> Result<Done<Insight<Note>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::FindingsWrite).await?;
        not_our_own(provider)?;
        let id = note.check().map_err(Problem::Invalid)?;
        let row = self.insight(caller, Named { provider: provider.clone(), id }, note);
        let stored = self.store.insight_note(&row.name).await?;
        if stored.as_ref().is_some_and(|stored| stored.document.kind != row.document.kind) {
            return Err(Problem::Conflict("a note stays of the kind that it is: delete it first".to_owned()));
        }
        let written = self.store.put_insight_note(&row, how, NOTES_MAX).await;
        written.map_err(|error| Problem::of(error, Noun::Note, &row.name.id))?;
        Ok(Done::new(
            Insight { created_at: stored.map_or(row.created_at, |old| old.created_at), ..row },
            permit,
        ))
    }

    /// Deletes a note, with all its occurrences.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_insight_note(&self, caller: &Arc<Caller>, name: &Named) -> Result<Done<()>, Problem> {
        let permit = self.permit_everywhere(caller, Action::FindingsWrite).await?;
        not_our_own(&name.provider)?;
        let gone = self.store.delete_insight_note(name).await;
        gone.map_err(|error| Problem::of(error, Noun::Note, &name.id))?;
        Ok(Done::new((), permit))
    }

    /// Occurrences.
    ///
    /// # Errors
    /// [`Problem`]; a note that is not there.
    pub async fn insight_occurrences(
        &self,
        caller: &Arc<Caller>,
        of: &Of,
        after: Option<&Named>,
        limit: u32,
    ) -> Result<Done<Vec<Insight<Occurrence>>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::ImageVulnerabilities).await?;
        if let Of::Note(name) = of {
            self.stored_note(name).await?;
        }
        Ok(Done::new(self.store.insight_occurrences(of, after, limit).await?, permit))
    }

    /// One occurrence.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn insight_occurrence(
        &self,
        caller: &Arc<Caller>,
        name: &Named,
    ) -> Result<Done<Insight<Occurrence>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::ImageVulnerabilities).await?;
        let missing = || Problem::NotFound(Noun::Finding, name.id.to_string());
        Ok(Done::new(self.store.insight_occurrence(name).await?.ok_or_else(missing)?, permit))
    }

    /// Reports that something has occurred, or what has become of it. What is new or worse than before is told to those who want to
    /// be told.
    ///
    /// # Errors
    /// [`Problem`]; a note that is not there or of another kind, and one occurrence too many.
    pub async fn put_insight_occurrence(
        &self,
        caller: &Arc<Caller>,
        provider: &InsightName,
        occurrence: Occurrence,
        how: Put,
    ) -> Result<Done<Insight<Occurrence>>, Problem> {
        let permit = self.permit_everywhere(caller, Action::FindingsWrite).await?;
        not_our_own(provider)?;
        let (id, of) = occurrence.check(self.account.as_str()).map_err(Problem::Invalid)?;
        let of = Named { provider: of.0, id: of.1 };
        let note = self.stored_note(&of).await?.document;
        if note.kind != occurrence.kind {
            return Err(Problem::Invalid(format!("`kind` is {}, as its note's", note.kind.label())));
        }
        let row = self.insight(caller, Named { provider: provider.clone(), id }, occurrence);
        let before = self.store.insight_occurrence(&row.name).await?;
        let known = before.as_ref().and_then(|before| before.document.severity(&note));
        let raised = match row.document.severity(&note) {
            Some(level) if Some(level) > known => Some(self.raised_of(&row, (&of, &note), level).await?),
            Some(_) | None => None,
        };
        let written =
            self.store.put_insight_occurrence((&row, &of), how, OCCURRENCES_MAX, raised.as_ref()).await;
        written.map_err(|error| Problem::of(error, Noun::Finding, &row.name.id))?;
        if let Some(raised) = raised {
            self.compliance.recorder.metrics().alert_raised(raised.alert.topic);
        }
        let created_at = before.map_or(row.created_at, |before| before.created_at);
        Ok(Done::new(Insight { created_at, ..row }, permit))
    }

    /// Deletes an occurrence.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_insight_occurrence(
        &self,
        caller: &Arc<Caller>,
        name: &Named,
    ) -> Result<Done<()>, Problem> {
        let permit = self.permit_everywhere(caller, Action::FindingsWrite).await?;
        not_our_own(&name.provider)?;
        let gone = self.store.delete_insight_occurrence(name).await;
        gone.map_err(|error| Problem::of(error, Noun::Finding, &name.id))?;
        Ok(Done::new((), permit))
    }

    /// A permit for that in every registry.
    async fn permit_everywhere(
        &self,
        caller: &Arc<Caller>,
        action: Action,
    ) -> Result<Permit<Control>, Problem> {
        let mut last = None;
        for (region, _) in &self.compliance.premises.registries {
            last = Some(self.authority.permit(caller, action, Resource::registry(region)).await?);
        }
        last.ok_or_else(|| Fault::Internal("there is no registry".to_owned()).into())
    }

    async fn stored_note(&self, name: &Named) -> Result<Insight<Note>, Problem> {
        let missing = || Problem::NotFound(Noun::Note, name.id.to_string());
        self.store.insight_note(name).await?.ok_or_else(missing)
    }

    fn insight<D>(&self, caller: &Caller, name: Named, document: D) -> Insight<D> {
        let now = self.clock.now();
        Insight { name, document, created_by: caller.principal().clone(), created_at: now, modified_at: now }
    }

    /// The alert of an occurrence, and whom to tell.
    async fn raised_of(
        &self,
        row: &Insight<Occurrence>,
        (of, note): (&Named, &Note),
        level: Level,
    ) -> Result<Raised, Problem> {
        let Named { provider, id } = &row.name;
        let (severity, place) = (severity(level), quoted(row.document.place()));
        let steps = note.finding.as_ref().and_then(|finding| finding.next_steps.first()?.title.as_deref());
        let remedy = row.document.remediation.as_deref().or(steps).unwrap_or(&note.long_description);
        // The same is told once an hour at most, however often it is taken back and reported anew.
        let hour = row.modified_at.millis() / 3_600_000;
        let cause = format!("occurrence {provider}/{id} {hour} {level:?}");
        let alert = Alert {
            id: self.fresh_alert_id(),
            topic: Topic::CustomFinding,
            severity,
            at: row.modified_at,
            region: None,
            occurrence: id.to_string(),
            summary: format!("{provider} reports: {} ({place})", quoted(&note.short_description)),
            resource: place,
            resource_type: "reported".to_owned(),
            remedy: quoted(remedy),
            count: 1,
            issues: Vec::new(),
            reported: Some(Reported { provider: of.provider.clone(), note: of.id.clone() }),
        };
        Ok(self.raised(&self.store.channels().await?, cause, alert))
    }
}

fn not_our_own(provider: &InsightName) -> Result<(), Problem> {
    match provider.is_own() {
        true => Err(Problem::Conflict(format!(
            "what {provider} finds, this server finds itself: report as a provider of another name"
        ))),
        false => Ok(()),
    }
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::Low => Severity::Low,
        Level::Medium => Severity::Medium,
        Level::High => Severity::High,
        Level::Critical => Severity::Critical,
    }
}

fn quoted(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(QUOTED_MAX).collect()
}
