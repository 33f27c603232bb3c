//! How an image stands, as requests need it.

use std::sync::Arc;

use super::Known;
use super::ledger::Depends;
use super::lookup::{Loaded, Lookup};
use super::table::Table;
use crate::findings::standing::Standing;
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::findings::Scanned;

/// Asks how an image stands.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct StandingOf(pub(super) Scanned);

impl Lookup for StandingOf {
    type Found = Arc<Standing>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.standings
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let of = &self.0;
        let reported = known.store.0.reported(of).await?;
        let found =
            Standing::of(&of.digest, reported.scanned_at(), &reported.findings(), &reported.exemptions);
        let name = of.repository.as_str().len();
        let weight = u64::try_from(1 + name / 64 + found.len()).unwrap_or(u64::MAX);
        let depends = Depends::On(vec![
            ChangeKey::Findings(of.region.clone(), of.repository.clone()),
            ChangeKey::Exemptions(of.region.clone()),
        ]);
        Ok(Loaded { found: Arc::new(found), as_of: Some(reported.as_of), depends, weight })
    }
}
