//! Which trusted profile and which user has a name.

use super::Known;
use super::ledger::Depends;
use super::lookup::{Loaded, Lookup};
use super::table::Table;
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ProfileId, UserId};
use crate::store::StoreError;
use crate::store::feed::ChangeKey;
use crate::store::identity::Window;

/// Asks for the profile of a name, in lower case.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct ProfileName(pub(super) String);

impl Lookup for ProfileName {
    type Found = Option<ProfileId>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.profile_names
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let first = Window { offset: 0, limit: 1 };
        let listed = known.store.0.trusted_profiles(Some(&self.0), first).await?;
        let found = listed.rows.into_iter().next().map(|row| row.id);
        // That there is none is not kept: whoever guesses names would fill the memory.
        let depends = match &found {
            None => Depends::OnEverything,
            Some(id) => Depends::On(vec![ChangeKey::Principal(PrincipalId::Profile(id.clone()))]),
        };
        Ok(Loaded { found, as_of: None, depends, weight: 1 })
    }
}

/// Asks for the user of a name, in lower case.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct UserName(pub(super) String);

impl Lookup for UserName {
    type Found = Option<UserId>;

    fn table(known: &Known) -> &Table<Self, Self::Found> {
        &known.user_names
    }

    async fn read(&self, known: &Known) -> Result<Loaded<Self::Found>, StoreError> {
        let found = known.store.0.aws_user_named(&self.0).await?.map(|row| row.user.id);
        let depends = match &found {
            None => Depends::OnEverything,
            Some(id) => Depends::On(vec![ChangeKey::Principal(PrincipalId::User(id.clone()))]),
        };
        Ok(Loaded { found, as_of: None, depends, weight: 1 })
    }
}
