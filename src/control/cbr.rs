//! Context-based restrictions: network zones, and the rules that restrict resources to them.
//!
//! Who may change the account's settings may change them: they only take away, so nobody gains a right by one.

use std::sync::Arc;

use super::network::Insistence;
use super::problem::{Noun, Problem};
use super::version::Expected;
use super::{Desk, Done};
use crate::admit::caller::Caller;
use crate::ids::cbr::{RuleId, ZoneId};
use crate::network::allow_list::Entry;
use crate::network::document::{AddressDocument, Mistake, RuleDocument, ZoneDocument};
use crate::network::rule::{Attribute, Rule};
use crate::network::zone::Zone;
use crate::policy::resource::{Resource, Service};
use crate::policy::table::Action;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::network::{NetworkFacts, RuleRecord, ZoneRecord};

/// The most zones, and the most rules, of an account.
const MOST: usize = 500;

fn account() -> Resource {
    Resource::platform(Service::IamIdentity)
}

fn wrong(mistake: Mistake) -> Problem {
    Problem::Invalid(mistake.to_string())
}

impl Desk {
    /// The zones.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn zones(
        &self,
        caller: &Arc<Caller>,
        window: Window,
    ) -> Result<Done<Listed<ZoneRecord>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.store.zones(window).await?, permit))
    }

    /// One zone.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn zone(&self, caller: &Arc<Caller>, id: &ZoneId) -> Result<Done<ZoneRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        let missing = || Problem::NotFound(Noun::Zone, id.to_string());
        Ok(Done::new(self.store.zone(id).await?.ok_or_else(missing)?, permit))
    }

    /// Makes a zone.
    ///
    /// # Errors
    /// [`Problem`]; names are unique.
    pub async fn create_zone(
        &self,
        caller: &Arc<Caller>,
        document: ZoneDocument,
    ) -> Result<Done<ZoneRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let id = ZoneId::fresh(&*self.entropy);
        let document = plain(document, &id)?;
        if self.store.network().await?.zones.len() >= MOST {
            return Err(Problem::Conflict(format!(
                "there are {MOST} network zones already: delete one first"
            )));
        }
        let by = caller.principal().clone();
        let stamp = Stamp::new(self.clock.now());
        let row = ZoneRecord { id, document, created_by: by.clone(), modified_by: by, stamp };
        self.store.insert_zone(&row).await?;
        Ok(Done::new(row, permit))
    }

    /// Replaces a zone.
    ///
    /// # Errors
    /// [`Problem`]; names are unique, and a change that locks the caller out needs to be insisted on.
    pub async fn replace_zone(
        &self,
        caller: &Arc<Caller>,
        id: &ZoneId,
        expected: &Expected,
        document: ZoneDocument,
        insistence: Insistence,
    ) -> Result<Done<ZoneRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let missing = || Problem::NotFound(Noun::Zone, id.to_string());
        let mut row = self.store.zone(id).await?.ok_or_else(missing)?;
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        if document.name != row.document.name
            && let Some(user) = self.user_of_zone(id, &row.document.name).await?
        {
            let text = format!("the zone is named by {user}: it cannot be renamed before that is changed");
            return Err(Problem::Conflict(text));
        }
        row.document = plain(document, id)?;
        row.modified_by = caller.principal().clone();
        let zone = row.document.zone(id.clone()).map_err(wrong)?;
        let changed = |facts: NetworkFacts| NetworkFacts { zones: with_zone(facts.zones, zone), ..facts };
        self.let_back_in(caller, changed(self.store.network().await?), insistence)?;
        self.store.update_zone(&row).await.map_err(|error| Problem::of(error, Noun::Zone, id))?;
        Ok(Done::new(row, permit))
    }

    /// Removes a zone that nothing names.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_zone(&self, caller: &Arc<Caller>, id: &ZoneId) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let missing = || Problem::NotFound(Noun::Zone, id.to_string());
        let row = self.store.zone(id).await?.ok_or_else(missing)?;
        if let Some(user) = self.user_of_zone(id, &row.document.name).await? {
            let text = format!("the zone is named by {user}: change that first");
            return Err(Problem::Conflict(text));
        }
        self.store.delete_zone(id).await.map_err(|error| Problem::of(error, Noun::Zone, id))?;
        Ok(Done::new((), permit))
    }

    /// The rules.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn rules(
        &self,
        caller: &Arc<Caller>,
        window: Window,
    ) -> Result<Done<Listed<RuleRecord>>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        Ok(Done::new(self.store.rules(window).await?, permit))
    }

    /// One rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn rule(&self, caller: &Arc<Caller>, id: &RuleId) -> Result<Done<RuleRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountRead, account()).await?;
        let missing = || Problem::NotFound(Noun::Rule, id.to_string());
        Ok(Done::new(self.store.rule(id).await?.ok_or_else(missing)?, permit))
    }

    /// Makes a rule.
    ///
    /// # Errors
    /// [`Problem`]; a rule that names no known zone, and one that locks the caller out.
    pub async fn create_rule(
        &self,
        caller: &Arc<Caller>,
        document: RuleDocument,
        insistence: Insistence,
    ) -> Result<Done<RuleRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let id = RuleId::fresh(&*self.entropy);
        self.check_rule(caller, &id, &document, insistence).await?;
        let by = caller.principal().clone();
        let stamp = Stamp::new(self.clock.now());
        let row = RuleRecord { id, document, created_by: by.clone(), modified_by: by, stamp };
        self.store.insert_rule(&row).await?;
        Ok(Done::new(row, permit))
    }

    /// Replaces a rule.
    ///
    /// # Errors
    /// [`Problem`], as for making one.
    pub async fn replace_rule(
        &self,
        caller: &Arc<Caller>,
        id: &RuleId,
        expected: &Expected,
        document: RuleDocument,
        insistence: Insistence,
    ) -> Result<Done<RuleRecord>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        let missing = || Problem::NotFound(Noun::Rule, id.to_string());
        let mut row = self.store.rule(id).await?.ok_or_else(missing)?;
        row.stamp = expected.next(id, &row.stamp, self.clock.now())?;
        self.check_rule(caller, id, &document, insistence).await?;
        row.document = document;
        row.modified_by = caller.principal().clone();
        self.store.update_rule(&row).await.map_err(|error| Problem::of(error, Noun::Rule, id))?;
        Ok(Done::new(row, permit))
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_rule(&self, caller: &Arc<Caller>, id: &RuleId) -> Result<Done<()>, Problem> {
        let permit = self.authority.permit(caller, Action::AccountUpdate, account()).await?;
        self.store.delete_rule(id).await.map_err(|error| Problem::of(error, Noun::Rule, id))?;
        Ok(Done::new((), permit))
    }

    /// Refuses a rule that cannot be obeyed, or that locks the caller out.
    async fn check_rule(
        &self,
        caller: &Caller,
        id: &RuleId,
        document: &RuleDocument,
        insistence: Insistence,
    ) -> Result<(), Problem> {
        let rule = document.rule(id.clone(), &self.account).map_err(wrong)?;
        let mut facts = self.store.network().await?;
        if let Some(unknown) = zones_of(&rule).find(|zone| facts.zones.iter().all(|known| known.id != **zone))
        {
            return Err(Problem::Invalid(format!("there is no network zone {unknown}: make it first")));
        }
        facts.rules.retain(|other| other.id != *id);
        if facts.rules.len() >= MOST {
            return Err(Problem::Conflict(format!("there are {MOST} rules already: delete one first")));
        }
        facts.rules.push(rule);
        self.let_back_in(caller, facts, insistence)
    }

    /// Who names a zone, if anybody does.
    async fn user_of_zone(&self, id: &ZoneId, name: &str) -> Result<Option<String>, Problem> {
        let facts = self.store.network().await?;
        let list = facts.settings.as_ref().and_then(|settings| settings.allow_list.as_ref());
        let named = |entry: &Entry| matches!(entry, Entry::Zone(zone) if zone.as_str() == name);
        if list.is_some_and(|list| list.entries().iter().any(named)) {
            return Ok(Some("the allowlist of the account".to_owned()));
        }
        let rule = facts.rules.iter().find(|rule| zones_of(rule).any(|zone| zone == id));
        Ok(rule.map(|rule| format!("the rule {}", rule.id)))
    }
}

fn zones_of(rule: &Rule) -> impl Iterator<Item = &ZoneId> {
    let attributes = rule.contexts.iter().flat_map(|context| context.attributes());
    attributes.filter_map(|attribute| match attribute {
        Attribute::Zone(id) => Some(id),
        Attribute::Endpoint(_) | Attribute::Mfa(_) => None,
    })
}

fn with_zone(mut zones: Vec<Zone>, zone: Zone) -> Vec<Zone> {
    zones.retain(|other| other.id != zone.id);
    zones.push(zone);
    zones
}

/// Checks a zone, and writes its addresses in their plain form.
fn plain(mut document: ZoneDocument, id: &ZoneId) -> Result<ZoneDocument, Problem> {
    document.zone(id.clone()).map_err(wrong)?;
    document.account_id = None;
    for entry in document.addresses.iter_mut().chain(&mut document.excluded) {
        if let Some(block) = entry.value.as_deref().and_then(|text| text.parse().ok()) {
            *entry = AddressDocument::of(&block);
        }
    }
    Ok(document)
}
