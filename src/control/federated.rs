//! What a login by an identity provider brings about: the groups that its rules let the person into, for as long as they say.

use super::Desk;
use super::problem::Problem;
use crate::credential::voucher::{Claims, Voucher};
use crate::ids::principal::PrincipalId;
use crate::policy::ibm::claim::all_hold;
use crate::store::group_rule::{ClaimRuleRecord, Claimed};

/// How long an hour is, in milliseconds.
const HOUR: i64 = 60 * 60 * 1000;

impl Desk {
    /// Puts a user into the groups whose rules what was said of them satisfies, and out of those whose rules it does not any
    /// more. Whoever made the rules had what the groups may do in their reach.
    ///
    /// # Errors
    /// [`Problem`], only for what is not the user's fault.
    pub async fn join_by_claims(&self, user: &PrincipalId, by: &Voucher) -> Result<(), Problem> {
        let Voucher::Realm(realm, claims) = by else { return Ok(()) };
        let rules = self.store.claim_rules_about(realm).await?;
        let claimed: Vec<_> = rules.iter().filter_map(|rule| self.claimed(rule, claims)).collect();
        Ok(self.store.put_claimed(user, realm, &claimed).await?)
    }

    fn claimed(&self, rule: &ClaimRuleRecord, claims: &Claims) -> Option<(Claimed, i64)> {
        let lasts = i64::from(rule.expiration) * HOUR;
        let ends_at = crate::clock::UnixTime::from_millis(self.clock.now().millis().saturating_add(lasts));
        let fits = all_hold(&rule.conditions, claims);
        let claimed = Claimed { rule: rule.id.clone(), group: rule.group.clone(), ends_at };
        fits.then_some((claimed, rule.stamp.version))
    }
}
