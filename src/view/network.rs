//! All that restricts from where an account may be used, compiled.

use crate::credential::settings::IdentitySettings;
use crate::network::allow_list::Allowed;
use crate::network::decide::{Facts, NetworkDecision, PrivateSource, Restrictions, decide};
use crate::network::rule::{Enforcement, Rule};
use crate::network::zone::Zones;
use crate::store::network::NetworkFacts;

/// The restrictions of the account, as of one position in the feed.
#[derive(Clone, Debug, Default)]
pub struct AccountNetwork {
    /// The account's own list.
    pub allowed: Option<Allowed>,
    /// Whether images of all its registries may only be reached over private networks.
    pub private_only: bool,
    /// Its rules that are not disabled.
    pub rules: Vec<Rule>,
    /// Its zones.
    pub zones: Zones,
    /// What it says of its identities.
    pub identity: IdentitySettings,
}

/// What restricts besides the account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own<'a> {
    /// The list of the user or service ID.
    pub principal: Option<&'a Allowed>,
    /// The list of the very API key.
    pub api_key: Option<&'a Allowed>,
    /// Whether the registry may only be reached over private networks.
    pub private_only: bool,
}

impl AccountNetwork {
    /// Compiles them.
    #[must_use]
    pub fn of(facts: NetworkFacts) -> Self {
        let zones = Zones::of(&facts.zones);
        let settings =
            facts.settings.map(|settings| (settings.allow_list, settings.private_only, settings.identity));
        let (list, private_only, identity) = settings.unwrap_or_default();
        let obeyed = |rule: &Rule| rule.enforcement != Enforcement::Disabled;
        Self {
            allowed: list.map(|list| list.compile(&zones)),
            private_only,
            rules: facts.rules.into_iter().filter(obeyed).collect(),
            zones,
            identity,
        }
    }

    /// Decides.
    pub fn decide<'a>(
        &'a self,
        facts: Facts<'_>,
        own: Own<'a>,
        private_source: PrivateSource,
    ) -> NetworkDecision<'a> {
        let Own { principal, api_key, private_only } = own;
        decide(
            facts,
            Restrictions {
                account: self.allowed.as_ref(),
                principal,
                api_key,
                rules: &self.rules,
                zones: &self.zones,
                private_only: private_only || self.private_only,
                private_source,
            },
        )
    }
}
