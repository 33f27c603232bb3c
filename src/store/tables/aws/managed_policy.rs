//! Rows of customer managed policies and their versions.

use async_trait::async_trait;

use super::remains::{self, Check};
use super::tag;
use crate::clock::UnixTime;
use crate::ids::aws::ManagedPolicyId;
use crate::policy::aws::arn::{Name, Path};
use crate::store::aws::managed_policy::{
    ManagedPolicies, ManagedPolicy, PolicyVersion, Usage, VersionNumber,
};
use crate::store::aws::tag::{Tag, Tagged};
use crate::store::aws::text::DocumentText;
use crate::store::aws::{AwsError, Quota, Remains};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Window};
use crate::store::tables::SqlStore;
use crate::store::tables::row::{self, List};
use crate::store::tables::write::Write;
use crate::store::{StoreError, sql};

/// Policies, with how often they are used.
macro_rules! policies {
    ($rest:literal) => {
        concat!(
            "select m.*, (select count(*) from attachment where policy_id = m.id) as attachments, \
             (select count(*) from boundary where policy_id = m.id) as boundaries from managed_policy m ",
            $rest
        )
    };
}

/// Those whose path begins with `?1` and that `$used` finds.
macro_rules! under {
    ($used:literal) => {
        List {
            count: concat!(
                "select count(*) from managed_policy m where substr(path, 1, length(?1)) = ?1",
                $used
            ),
            rows: concat!(
                policies!("where substr(path, 1, length(?1)) = ?1"),
                $used,
                " order by created_at, id limit ?2 offset ?3"
            ),
            decode,
        }
    };
}

const UNDER: List<ManagedPolicy> = under!("");
const ATTACHED: List<ManagedPolicy> = under!(" and exists (select 1 from attachment where policy_id = m.id)");
const BOUNDING: List<ManagedPolicy> = under!(" and exists (select 1 from boundary where policy_id = m.id)");

const VERSIONS: List<PolicyVersion> = List {
    count: "select count(*) from policy_version where policy_id = ?1",
    rows: "select v.*, number = default_version as is_default from policy_version v \
           join managed_policy on id = policy_id where policy_id = ?1 \
           order by number desc limit ?2 offset ?3",
    decode: version,
};

/// What a policy that is to go may not have.
const EMPTY: [Check; 3] = [
    ("select 1 from attachment where policy_id = ?1 limit 1", Remains::Entities),
    ("select 1 from boundary where policy_id = ?1 limit 1", Remains::Entities),
    ("select 1 from policy_version where policy_id = ?1 limit 1 offset 1", Remains::Versions),
];

#[async_trait]
impl ManagedPolicies for SqlStore {
    async fn managed_policy(&self, id: &ManagedPolicyId) -> Result<Option<ManagedPolicy>, StoreError> {
        row::one(self, policies!("where id = ?1"), id.as_str(), decode).await
    }

    async fn managed_policy_named(&self, name: &Name) -> Result<Option<ManagedPolicy>, StoreError> {
        row::one(self, policies!("where folded = ?1"), &name.as_str().to_lowercase(), decode).await
    }

    async fn managed_policies(
        &self,
        path_prefix: &str,
        used: Option<Usage>,
        window: Window,
    ) -> Result<Listed<ManagedPolicy>, StoreError> {
        let list = match used {
            None => UNDER,
            Some(Usage::Boundary) => BOUNDING,
            Some(Usage::Permissions) => ATTACHED,
        };
        list.read(self, Some(path_prefix), window).await
    }

    async fn insert_managed_policy(
        &self,
        row: &ManagedPolicy,
        document: &DocumentText,
        tags: &[Tag],
    ) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        insert(&mut write, row).await?;
        insert_version(&mut write, &row.id, 1, document, row.created_at).await?;
        tag::put(&mut write, &Tagged::Policy(row.id.clone()), tags).await?;
        remains::admit(&mut write, Quota::Policies, "select count(*) from managed_policy", "").await?;
        write.touch(ChangeKey::ManagedPolicy(row.id.clone()));
        Ok(write.commit().await?)
    }

    async fn delete_managed_policy(&self, id: &ManagedPolicyId) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        remains::refuse(&mut write, id.as_str(), &EMPTY).await?;
        let delete = sql::query("delete from managed_policy where id = ?1").bind(id.as_str());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound.into());
        }
        write.touch(ChangeKey::ManagedPolicy(id.clone()));
        Ok(write.commit().await?)
    }

    async fn policy_versions(
        &self,
        id: &ManagedPolicyId,
        window: Window,
    ) -> Result<Listed<PolicyVersion>, StoreError> {
        VERSIONS.read(self, Some(id.as_str()), window).await
    }

    async fn policy_version(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
    ) -> Result<Option<PolicyVersion>, StoreError> {
        let select = sql::query(
            "select v.*, number = default_version as is_default from policy_version v \
             join managed_policy on id = policy_id where policy_id = ?1 and number = ?2",
        );
        let select = select.bind(id.as_str()).bind(number.number());
        select.fetch_optional(&self.readers).await?.as_ref().map(version).transpose()
    }

    async fn insert_policy_version(
        &self,
        id: &ManagedPolicyId,
        document: &DocumentText,
        in_force: bool,
        now: UnixTime,
    ) -> Result<VersionNumber, AwsError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update managed_policy set last_version = last_version + 1, updated_at = ?3, \
             default_version = case when ?2 then last_version + 1 else default_version end where id = ?1 returning last_version",
        );
        let update = update.bind(id.as_str()).bind(in_force).bind(now.millis());
        let changed = update.fetch_optional(write.connection()).await?.ok_or(StoreError::NotFound)?;
        let number = row::count(&changed, "last_version")?;
        insert_version(&mut write, id, number, document, now).await?;
        let count = "select count(*) from policy_version where policy_id = ?1";
        remains::admit(&mut write, Quota::VersionsPerPolicy, count, id.as_str()).await?;
        write.touch(ChangeKey::ManagedPolicy(id.clone()));
        if in_force {
            write.touch(ChangeKey::PolicyInForce(id.clone()));
        }
        write.commit().await?;
        Ok(VersionNumber::stored(number))
    }

    async fn put_in_force(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = sql::query(
            "update managed_policy set default_version = ?2, updated_at = ?3 where id = ?1 \
             and exists (select 1 from policy_version where policy_id = ?1 and number = ?2)",
        );
        let update = update.bind(id.as_str()).bind(number.number()).bind(now.millis());
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        write.touch(ChangeKey::ManagedPolicy(id.clone()));
        write.touch(ChangeKey::PolicyInForce(id.clone()));
        write.commit().await
    }

    async fn delete_policy_version(
        &self,
        id: &ManagedPolicyId,
        number: VersionNumber,
    ) -> Result<(), AwsError> {
        let mut write = Write::begin(self).await?;
        let select = sql::query("select 1 from managed_policy where id = ?1 and default_version = ?2");
        let select = select.bind(id.as_str()).bind(number.number());
        if select.fetch_optional(write.connection()).await?.is_some() {
            return Err(AwsError::Remains(Remains::DefaultVersion));
        }
        let delete = sql::query("delete from policy_version where policy_id = ?1 and number = ?2");
        let delete = delete.bind(id.as_str()).bind(number.number());
        if delete.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::NotFound.into());
        }
        write.touch(ChangeKey::ManagedPolicy(id.clone()));
        Ok(write.commit().await?)
    }
}

async fn insert(write: &mut Write<'_>, row: &ManagedPolicy) -> Result<(), StoreError> {
    let insert = sql::query(
        "insert into managed_policy (id, name, folded, path, description, default_version, last_version, \
         created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, 1, 1, ?6, ?6)",
    )
    .bind(row.id.as_str())
    .bind(row.name.as_str())
    .bind(row.name.as_str().to_lowercase())
    .bind(row.path.as_str())
    .bind(&row.description)
    .bind(row.created_at.millis());
    let done = insert.execute(write.connection()).await;
    done.map_err(|error| StoreError::conflict(error, "a policy of that name exists already"))?;
    Ok(())
}

async fn insert_version(
    write: &mut Write<'_>,
    id: &ManagedPolicyId,
    number: u32,
    document: &DocumentText,
    now: UnixTime,
) -> Result<(), StoreError> {
    let insert =
        "insert into policy_version (policy_id, number, document, created_at) values (?1, ?2, ?3, ?4)";
    let insert = sql::query(insert).bind(id.as_str()).bind(number);
    insert.bind(document.as_str()).bind(now.millis()).execute(write.connection()).await?;
    Ok(())
}

fn decode(found: &sql::Row) -> Result<ManagedPolicy, StoreError> {
    Ok(ManagedPolicy {
        id: row::parsed(found, "id")?,
        name: row::parsed_by(found, "name", Name::parse)?,
        path: row::parsed_by(found, "path", Path::parse)?,
        description: found.try_get("description")?,
        default_version: VersionNumber::stored(row::count(found, "default_version")?),
        attachments: row::count(found, "attachments")?,
        boundaries: row::count(found, "boundaries")?,
        created_at: row::time(found, "created_at")?,
        updated_at: row::time(found, "updated_at")?,
    })
}

fn version(found: &sql::Row) -> Result<PolicyVersion, StoreError> {
    Ok(PolicyVersion {
        number: VersionNumber::stored(row::count(found, "number")?),
        document: DocumentText::stored(found.try_get("document")?),
        is_default: found.try_get("is_default")?,
        created_at: row::time(found, "created_at")?,
    })
}
