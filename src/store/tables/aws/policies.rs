//! What is in force for an actor or a repository, read in one transaction.

use async_trait::async_trait;

use super::{holder, repository, tag};
use crate::ids::region::Region;
use crate::policy::aws::arn::{Name, Path};
use crate::registry::name::RepositoryName;
use crate::store::aws::holder::Actor;
use crate::store::aws::managed_policy::VersionNumber;
use crate::store::aws::policies::{
    ActorPolicies, HeldPolicy, Origin, PoliciesInForce, PolicyText, RepositoryPolicy,
};
use crate::store::aws::tag::Tagged;
use crate::store::aws::text::DocumentText;
use crate::store::tables::SqlStore;
use crate::store::tables::feed::latest;
use crate::store::tables::row::{self, groups_of};
use crate::store::{StoreError, sql};

/// A managed policy of `$table`, with the document in force.
macro_rules! managed {
    ($table:literal, $columns:literal, $($rest:tt)*) => {
        concat!(
            "select ",
            $columns,
            " h.policy_id, h.policy_arn, m.path, m.name, v.number, v.document from ",
            $table,
            " h left join managed_policy m on m.id = h.policy_id \
             left join policy_version v on v.policy_id = m.id and v.number = m.default_version ",
            $($rest)*
        )
    };
}

const INLINE: &str = concat!(
    "select h.group_id, g.name as group_name, h.name, h.document from inline_policy h \
     left join access_group g on g.id = h.group_id where h.holder = ?1 or h.holder in ",
    groups_of!(),
    " order by h.group_id is not null, g.created_at, g.id, h.name"
);

const ATTACHED: &str = managed!(
    "attachment",
    "h.group_id, g.name as group_name,",
    "left join access_group g on g.id = h.group_id where h.holder = ?1 or h.holder in ",
    groups_of!(),
    " order by h.group_id is not null, g.created_at, g.id, h.attached_at, h.policy"
);

const BOUNDARY: &str = managed!("boundary", "", "where h.holder = ?1");

const GROUPS: &str = concat!(
    "select g.id, g.name from access_group g where g.id in ",
    groups_of!(),
    " order by g.created_at, g.id"
);

#[async_trait]
impl PoliciesInForce for SqlStore {
    async fn policies_of(&self, actor: &Actor) -> Result<Option<ActorPolicies>, StoreError> {
        let key = holder::actor_key(actor);
        let mut reading = self.readers.begin().await?;
        let as_of = latest(&mut reading).await?;
        let select = match actor {
            Actor::Principal(_) => "select path, name from principal where id = ?1",
            Actor::Role(_) => "select path, name from role where id = ?1",
        };
        let found = sql::query(select).bind(&key).fetch_optional(&mut *reading).await?;
        let Some(found) = found else { return Ok(None) };
        let of = (key.as_str(), self.clock.now().millis());
        let mut policies = rows(&mut reading, INLINE, of, inline).await?;
        policies.extend(rows(&mut reading, ATTACHED, of, attached).await?);
        Ok(Some(ActorPolicies {
            actor: actor.clone(),
            path: row::parsed_by(&found, "path", Path::parse)?,
            name: found.try_get("name")?,
            groups: rows(&mut reading, GROUPS, of, group).await?,
            policies,
            boundary: rows(&mut reading, BOUNDARY, of, managed).await?.pop(),
            tags: tag::read(&mut reading, &Tagged::Actor(actor.clone())).await?,
            as_of,
        }))
    }

    async fn repository_policy(
        &self,
        region: &Region,
        name: &RepositoryName,
    ) -> Result<RepositoryPolicy, StoreError> {
        let mut reading = self.readers.begin().await?;
        let as_of = latest(&mut reading).await?;
        let select = sql::query("select * from repository where region = ?1 and name = ?2");
        let select = select.bind(region.as_str()).bind(name.as_str());
        let found = select.fetch_optional(&mut *reading).await?;
        let policy: Option<String> = match &found {
            Some(found) => found.try_get("policy")?,
            None => None,
        };
        let tagged = Tagged::Repository(region.clone(), name.clone());
        Ok(RepositoryPolicy {
            repository: found.as_ref().map(repository::decode).transpose()?,
            policy: policy.map(DocumentText::stored),
            tags: tag::read(&mut reading, &tagged).await?,
            as_of,
        })
    }
}

async fn rows<T>(
    reading: &mut sql::Connection,
    sql: &'static str,
    (key, now): (&str, i64),
    decode: row::Decode<T>,
) -> Result<Vec<T>, StoreError> {
    sql::query(sql).bind(key).bind(now).fetch_all(reading).await?.iter().map(decode).collect()
}

fn group<T: std::str::FromStr<Err = crate::ids::Malformed>>(
    found: &sql::Row,
) -> Result<(T, String), StoreError> {
    Ok((row::parsed(found, "id")?, found.try_get("name")?))
}

fn inline(found: &sql::Row) -> Result<HeldPolicy, StoreError> {
    let name = row::parsed_by(found, "name", Name::parse)?;
    let policy = PolicyText::Inline(name, DocumentText::stored(found.try_get("document")?));
    Ok(HeldPolicy { origin: origin(found)?, policy })
}

fn attached(found: &sql::Row) -> Result<HeldPolicy, StoreError> {
    Ok(HeldPolicy { origin: origin(found)?, policy: managed(found)? })
}

fn origin(found: &sql::Row) -> Result<Origin, StoreError> {
    if holder::filled(found, "group_id")? {
        return Ok(Origin::Group(row::parsed(found, "group_id")?, found.try_get("group_name")?));
    }
    Ok(Origin::Own)
}

fn managed(found: &sql::Row) -> Result<PolicyText, StoreError> {
    if holder::filled(found, "policy_arn")? {
        return Ok(PolicyText::Aws(row::parsed(found, "policy_arn")?));
    }
    Ok(PolicyText::Customer {
        id: row::parsed(found, "policy_id")?,
        path: row::parsed_by(found, "path", Path::parse)?,
        name: row::parsed_by(found, "name", Name::parse)?,
        version: VersionNumber::stored(row::count(found, "number")?),
        document: DocumentText::stored(found.try_get("document")?),
    })
}
