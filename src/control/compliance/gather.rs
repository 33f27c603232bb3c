//! The facts, from the store and from what the server knows of itself.

use std::collections::{BTreeMap, HashMap};

use crate::clock::UnixTime;
use crate::compliance::facts::{
    AlertChannel, AuditLog, Dialect, Facts, Images, Key, KeyKind, Kind, Principal, Registry,
};
use crate::control::Desk;
use crate::control::list::every;
use crate::control::problem::Problem;
use crate::ids::principal::PrincipalId;
use crate::store::alert::ChannelRecord;
use crate::store::feed::Sequence;
use crate::store::identity::User;

/// How long what is known of images is good although nothing has changed, in milliseconds: scans grow old.
const IMAGES_KEPT: i64 = 45 * 1000;

/// What an earlier scan was made from.
pub(super) enum Known {
    /// There was none.
    Nothing,
    /// As of the same change.
    Same(Facts),
    /// As of an earlier one.
    Older(Facts, Sequence),
}

impl Desk {
    /// Everything that goals and rules are judged by, as of `sequence` or later. What only changes of the account can change is
    /// taken from `known`, if it is from after the last one. So is what is known of images, if nothing was noted of them (`unnoted`).
    pub(super) async fn facts(
        &self,
        known: Known,
        sequence: Sequence,
        unnoted: bool,
    ) -> Result<Facts, Problem> {
        let uses = self.store.last_uses().await?;
        let mut facts = self.registry_facts().await?;
        if let Known::Same(known) = known {
            let Facts { mut principals, grants, public, mut keys, signing_key, images: old, .. } = known;
            for principal in principals.values_mut() {
                principal.last_used = uses.get(&principal.id.to_string()).copied().max(principal.last_used);
            }
            for key in &mut keys {
                key.last_used = uses.get(&key.id).copied().max(key.last_used);
            }
            let age = |as_of: UnixTime| facts.at.millis().saturating_sub(as_of.millis());
            let fresh = |old: &Images| unnoted && old.as_of.is_some_and(|as_of| age(as_of) < IMAGES_KEPT);
            let images = match old.filter(fresh) {
                Some(old) => Some(old),
                None => Some(self.known_of_images(facts.at).await?),
            };
            return Ok(Facts { principals, grants, public, keys, signing_key, images, ..facts });
        }
        facts.principals = self.known_principals(&uses).await?;
        let before = match known {
            Known::Older(Facts { mut grants, .. }, since) => {
                grants.retain(|grant| grant.dialect == Dialect::Ibm);
                Some((grants, since))
            }
            Known::Nothing | Known::Same(_) => None,
        };
        let mut grants = self.ibm_grants(before, sequence).await?;
        grants.extend(self.aws_grants().await?);
        facts.grants = grants;
        facts.public = self.public_grants().await?;
        facts.keys = self.keys(&facts, &uses).await?;
        facts.signing_key = self.store.signing_keys().await?.0.first().map(|key| key.created_at);
        facts.images = Some(self.known_of_images(facts.at).await?);
        Ok(facts)
    }

    /// What is known of the tagged images of all registries.
    async fn known_of_images(&self, now: UnixTime) -> Result<Images, Problem> {
        let mut all = Images::default();
        all.as_of = Some(now);
        for (region, _) in &self.compliance.premises.registries {
            match self.store.tagged_images(region, now).await? {
                Some(images) => all.add(images),
                None => all.unseen.push(region.clone()),
            }
        }
        Ok(all)
    }

    /// The same, of registries and the server only: all that rules ask.
    pub(super) async fn registry_facts(&self) -> Result<Facts, Problem> {
        let network = self.store.network().await?;
        let settings = network.settings.as_ref();
        let whole = settings.is_some_and(|settings| settings.private_only);
        let list = settings.and_then(|settings| settings.allow_list.as_ref());
        let (since, moved) = (self.store.private_since().await?, self.store.public_transfers().await?);
        let mut registries = Vec::new();
        for (region, names) in &self.compliance.premises.registries {
            let (settings, quota) = (self.settings_of(region).await?, self.store.quota(region).await?);
            registries.push(Registry {
                region: region.clone(),
                names: names.clone(),
                iam_authz: settings.policies_enforced,
                private_only: whole || settings.private_only,
                private_since: since.get(region).copied(),
                platform_metrics: settings.platform_metrics,
                storage_quota: quota.storage,
                traffic_quota: quota.traffic,
                public_transfer: moved.get(region).cloned(),
            });
        }
        let audit = self.compliance.recorder.audit();
        let condition = audit.condition();
        Ok(Facts {
            at: self.clock.now(),
            account: self.account.clone(),
            registries,
            principals: BTreeMap::new(),
            grants: Vec::new(),
            public: Vec::new(),
            keys: Vec::new(),
            signing_key: None,
            audit: AuditLog {
                kept: condition.kept,
                healthy: audit.is_healthy(),
                strict: condition.strict,
                lost: condition.lost,
            },
            listeners: self.compliance.premises.listeners.clone(),
            allowed_addresses: list.map(listed).unwrap_or_default(),
            alerts: Some(self.alert_channels().await?),
            images: None,
            verified: self.bin.census.signers().places(),
        })
    }

    async fn alert_channels(&self) -> Result<Vec<AlertChannel>, Problem> {
        let one = |row: ChannelRecord| AlertChannel {
            covers: row.document.covers_images(),
            name: row.document.name,
            delivered_at: row.delivered_at,
            failed_at: row.failed_at,
        };
        Ok(self.store.channels().await?.into_iter().map(one).collect())
    }

    async fn known_principals(
        &self,
        uses: &HashMap<String, UnixTime>,
    ) -> Result<BTreeMap<PrincipalId, Principal>, Problem> {
        let mut groups: HashMap<String, Vec<String>> = HashMap::new();
        for group in every(|window| self.store.groups(None, window)).await? {
            for member in every(|window| self.store.members(&group.id, window)).await? {
                groups.entry(member.member.to_string()).or_default().push(group.id.to_string());
            }
        }
        let mut one = |id: PrincipalId, kind, name: String, active, created_at| {
            let text = id.to_string();
            let (last_used, groups) = (uses.get(&text).copied(), groups.remove(&text).unwrap_or_default());
            (id.clone(), Principal { id, kind, name, active, created_at, last_used, groups })
        };
        let mut found = BTreeMap::new();
        for User { id, name, active, stamp } in every(|window| self.store.users(window)).await? {
            found.extend([one(PrincipalId::User(id), Kind::User, name, active, stamp.created_at)]);
        }
        for row in every(|window| self.store.service_ids(None, window)).await? {
            let id = PrincipalId::ServiceId(row.id);
            found.extend([one(id, Kind::ServiceId, row.name, true, row.stamp.created_at)]);
        }
        for row in every(|window| self.store.trusted_profiles(None, window)).await? {
            let id = PrincipalId::Profile(row.id);
            found.extend([one(id, Kind::Profile, row.name, true, row.stamp.created_at)]);
        }
        Ok(found)
    }

    /// The keys that log in: none that is switched off or over.
    async fn keys(&self, facts: &Facts, uses: &HashMap<String, UnixTime>) -> Result<Vec<Key>, Problem> {
        let mut keys = Vec::new();
        for row in every(|window| self.store.api_keys(None, window)).await? {
            if row.disabled || row.expires_at.is_some_and(|end| end <= facts.at) {
                continue;
            }
            keys.push(Key {
                last_used: uses.get(row.id.as_str()).copied(),
                id: row.id.to_string(),
                kind: KeyKind::ApiKey,
                name: row.name,
                owner_name: facts.name_of(&row.owner),
                owner: row.owner,
                created_at: row.stamp.created_at,
            });
        }
        for owner in self.store.access_key_owners().await? {
            for row in every(|window| self.store.access_keys(&owner, window)).await? {
                if !row.active {
                    continue;
                }
                let noted = uses.get(row.id.as_str()).copied();
                keys.push(Key {
                    last_used: noted.max(row.last_used.map(|used| used.at)),
                    id: row.id.to_string(),
                    kind: KeyKind::AccessKey,
                    name: row.id.to_string(),
                    owner_name: facts.name_of(&owner),
                    owner: row.owner,
                    created_at: row.created_at,
                });
            }
        }
        Ok(keys)
    }
}

/// The entries of an allowlist, as they are written.
pub(super) fn listed(list: &crate::network::allow_list::AllowList) -> Vec<String> {
    list.to_string().split(',').map(|entry| entry.trim().to_owned()).collect()
}
