//! What others report to Security Insights. It decides nothing, so it touches nothing.

use async_trait::async_trait;

use super::StoreError;
use super::alert::Raised;
use crate::clock::UnixTime;
use crate::findings::insight::InsightName;
use crate::findings::insight::note::Note;
use crate::findings::insight::occurrence::Occurrence;
use crate::ids::principal::PrincipalId;

/// The name of something of a provider's.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Named {
    /// Whose.
    pub provider: InsightName,
    /// Its id there.
    pub id: InsightName,
}

/// Something that was reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Insight<D> {
    /// Its name.
    pub name: Named,
    /// What it says; one that has a mistake is never stored.
    pub document: D,
    /// Who reported it first.
    pub created_by: PrincipalId,
    /// When.
    pub created_at: UnixTime,
    /// When it was reported last.
    pub modified_at: UnixTime,
}

/// Whether something may be there already, or must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// It must not: `Conflict`.
    Fresh,
    /// It may.
    Either,
    /// It must: `NotFound`.
    Over,
}

/// Which occurrences.
#[derive(Clone, Debug)]
pub enum Of {
    /// Those of a note, whoever reports them.
    Note(Named),
    /// Those that a provider reports.
    Provider(InsightName),
}

/// Reading and changing it. Lists are in the order of names.
#[async_trait]
pub trait Insights {
    /// Who has reported anything that is there.
    async fn insight_providers(&self) -> Result<Vec<InsightName>, StoreError>;
    /// Up to `limit` notes of a provider after one of that id.
    async fn insight_notes(
        &self,
        provider: &InsightName,
        after: Option<&InsightName>,
        limit: u32,
    ) -> Result<Vec<Insight<Note>>, StoreError>;
    /// One note.
    async fn insight_note(&self, name: &Named) -> Result<Option<Insight<Note>>, StoreError>;
    /// Writes a note; `Conflict` if there would be more than `most`. When it was made first, and by whom, stays.
    async fn put_insight_note(&self, row: &Insight<Note>, how: Put, most: u32) -> Result<(), StoreError>;
    /// Removes a note, with all its occurrences.
    async fn delete_insight_note(&self, name: &Named) -> Result<(), StoreError>;
    /// Up to `limit` occurrences after one of that name.
    async fn insight_occurrences(
        &self,
        of: &Of,
        after: Option<&Named>,
        limit: u32,
    ) -> Result<Vec<Insight<Occurrence>>, StoreError>;
    /// One occurrence.
    async fn insight_occurrence(&self, name: &Named) -> Result<Option<Insight<Occurrence>>, StoreError>;
    /// Writes an occurrence of a note, and what is told of it, both or neither; as [`Insights::put_insight_note`], and `NotFound`
    /// without the note.
    async fn put_insight_occurrence(
        &self,
        row: (&Insight<Occurrence>, &Named),
        how: Put,
        most: u32,
        raised: Option<&Raised>,
    ) -> Result<(), StoreError>;
    /// Removes an occurrence.
    async fn delete_insight_occurrence(&self, name: &Named) -> Result<(), StoreError>;
}
