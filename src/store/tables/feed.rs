//! The feed's table: how keys are spelt, and reading on.

use async_trait::async_trait;
use tokio::sync::watch;

use super::SqlStore;
use crate::ids::Malformed;
use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::store::feed::{Change, ChangeKey, Feed, Sequence};
use crate::store::{StoreError, sql};

/// The last position.
pub(super) const POSITION: &str = "select coalesce(max(seq), 0) from change";

#[async_trait]
impl Feed for SqlStore {
    async fn latest(&self) -> Result<Sequence, StoreError> {
        self.engine.check()?;
        let found = self.engine.position().fetch_optional(&self.feed).await?;
        let newer = "a newer version of portcullis has changed the store in a way that this one does not understand: start that version";
        found.map(Sequence).ok_or_else(|| StoreError::Unavailable(newer.to_owned()))
    }

    async fn changes(&self, after: Sequence, limit: u32) -> Result<Vec<Change>, StoreError> {
        let select = sql::query("select seq, kind, key from change where seq > ?1 order by seq limit ?2");
        let rows = select.bind(after.0).bind(limit).fetch_all(&self.feed).await?;
        rows.iter().map(change).collect()
    }

    fn committed(&self) -> watch::Receiver<Sequence> {
        self.committed.subscribe()
    }

    fn applied(&self, sequence: Sequence) {
        self.applied.send_replace(Some(sequence));
    }
}

/// The position of the latest change that `connection` sees.
pub(super) async fn latest(connection: &mut sql::Connection) -> Result<Sequence, StoreError> {
    Ok(Sequence(sql::query_scalar(POSITION).fetch_one(connection).await?))
}

/// How a key is stored: its kind, and the key within the kind.
pub(super) fn spelt(key: &ChangeKey) -> (&'static str, String) {
    match key {
        ChangeKey::Account => ("account", String::new()),
        ChangeKey::Compliance => ("compliance", String::new()),
        ChangeKey::Exemptions(region) => ("exemptions", region.to_string()),
        ChangeKey::Findings(region, name) => ("findings", format!("{region}/{name}")),
        ChangeKey::Group(id) => ("group", id.to_string()),
        ChangeKey::Keyring => ("keyring", String::new()),
        ChangeKey::ManagedPolicy(id) => ("managed_policy", id.to_string()),
        ChangeKey::Network => ("network", String::new()),
        ChangeKey::OidcProvider(url) => ("oidc_provider", url.to_string()),
        ChangeKey::PolicyInForce(id) => ("policy_in_force", id.to_string()),
        ChangeKey::Principal(id) => ("principal", id.to_string()),
        ChangeKey::Registry(region) => ("registry", region.to_string()),
        ChangeKey::Repository(region, name) => ("repository", format!("{region}/{name}")),
        ChangeKey::Role(id) => ("role", id.to_string()),
    }
}

fn change(row: &sql::Row) -> Result<Change, StoreError> {
    let kind: String = row.try_get("kind")?;
    let key = match kind.as_str() {
        "account" => ChangeKey::Account,
        "compliance" => ChangeKey::Compliance,
        "exemptions" => ChangeKey::Exemptions(super::row::parsed(row, "key")?),
        "findings" => super::row::parsed_by(row, "key", findings)?,
        "group" => ChangeKey::Group(super::row::parsed(row, "key")?),
        "keyring" => ChangeKey::Keyring,
        "managed_policy" => ChangeKey::ManagedPolicy(super::row::parsed(row, "key")?),
        "network" => ChangeKey::Network,
        "oidc_provider" => ChangeKey::OidcProvider(super::row::parsed(row, "key")?),
        "policy_in_force" => ChangeKey::PolicyInForce(super::row::parsed(row, "key")?),
        "principal" => ChangeKey::Principal(super::row::parsed(row, "key")?),
        "registry" => ChangeKey::Registry(super::row::parsed(row, "key")?),
        "repository" => super::row::parsed_by(row, "key", repository)?,
        "role" => ChangeKey::Role(super::row::parsed(row, "key")?),
        _ => return Err(StoreError::Corrupt(format!("change of unknown kind `{kind}`"))),
    };
    Ok(Change { sequence: Sequence(row.try_get("seq")?), key })
}

fn repository(key: &str) -> Result<ChangeKey, Malformed> {
    place(key).map(|(region, name)| ChangeKey::Repository(region, name))
}

fn findings(key: &str) -> Result<ChangeKey, Malformed> {
    place(key).map(|(region, name)| ChangeKey::Findings(region, name))
}

/// A repository: the region, which has no slash, and the name.
fn place(key: &str) -> Result<(Region, RepositoryName), Malformed> {
    let (region, name) = key.split_once('/').ok_or_else(|| Malformed::new(key, "a region and a name"))?;
    Ok((Region::parse(region)?, RepositoryName::parse(name)?))
}
