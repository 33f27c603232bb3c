//! Rows of trusted profiles. Each is a principal, with whom it trusts in tables of their own.

use async_trait::async_trait;

use super::row::{self, List};
use super::write::Write;
use super::{SqlStore, principal};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{ClaimRuleId, ProfileId, ProfileLinkId};
use crate::policy::ibm::trust::{Identity, LinkTarget, Trust};
use crate::store::feed::ChangeKey;
use crate::store::identity::{Listed, Stamp, Window};
use crate::store::trusted_profile::{
    ProfileIdentities, ProfileIdentity, ProfileLink, ProfileRule, TrustedProfile, TrustedProfiles, heard,
    principal as iam_id, spoken, trust,
};
use crate::store::{StoreError, sql};

const TAKEN: &str = "a trusted profile of that name exists already";

const SELECT: &str = "select principal.*, email from principal \
                      join trusted_profile on principal_id = principal.id where principal.id = ?1";

const ALL: List<TrustedProfile> = List {
    count: "select count(*) from principal where kind = 'profile'",
    rows: "select principal.*, email from principal join trusted_profile on principal_id = principal.id \
           where kind = 'profile' order by created_at, id limit ?2 offset ?3",
    decode,
};

const OF_NAME: List<TrustedProfile> = List {
    count: "select count(*) from principal where kind = 'profile' and folded = ?1",
    rows: "select principal.*, email from principal join trusted_profile on principal_id = principal.id \
           where kind = 'profile' and folded = ?1 order by created_at, id limit ?2 offset ?3",
    decode,
};

const IDENTITIES: &str = "select * from profile_identity where profile_id = ?1 order by number";
const LINKS: &str = "select * from profile_link where profile_id = ?1 order by created_at, id";
const RULES: &str = "select * from profile_rule where profile_id = ?1 order by created_at, id";

#[async_trait]
impl TrustedProfiles for SqlStore {
    async fn trusted_profile(&self, id: &ProfileId) -> Result<Option<TrustedProfile>, StoreError> {
        row::one(self, SELECT, &iam_id(id).to_string(), decode).await
    }

    async fn trusted_profiles(
        &self,
        name: Option<&str>,
        window: Window,
    ) -> Result<Listed<TrustedProfile>, StoreError> {
        let list = if name.is_some() { OF_NAME } else { ALL };
        list.read(self, name.map(str::to_lowercase).as_deref(), window).await
    }

    async fn insert_trusted_profile(&self, row: &TrustedProfile) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into principal \
             (id, version, kind, name, folded, description, active, locked, created_at, modified_at) \
             values (?1, ?2, 'profile', ?3, ?4, ?5, true, false, ?6, ?7)";
        let done = bound(insert, row).execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        let insert = "insert into trusted_profile values (?1, ?2, ?3, 1)";
        let insert = sql::query(insert)
            .bind(iam_id(&row.id).to_string())
            .bind(&row.email)
            .bind(row.stamp.created_at.millis());
        insert.execute(write.connection()).await?;
        settle(write, &row.id).await
    }

    async fn update_trusted_profile(&self, row: &TrustedProfile) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = "update principal set name = ?3, folded = ?4, description = ?5, created_at = ?6, \
             modified_at = ?7, version = ?2 where id = ?1 and version = ?2 - 1 and kind = 'profile'";
        let done = bound(update, row).execute(write.connection()).await;
        let done = done.map_err(|error| StoreError::conflict(error, TAKEN))?;
        let id = iam_id(&row.id).to_string();
        if done.rows_affected() == 0 {
            return Err(write.missed("select 1 from principal where id = ?1", &id).await);
        }
        let update = sql::query("update trusted_profile set email = ?2 where principal_id = ?1");
        update.bind(&id).bind(&row.email).execute(write.connection()).await?;
        settle(write, &row.id).await
    }

    async fn delete_trusted_profile(&self, id: &ProfileId) -> Result<(), StoreError> {
        principal::delete(self, iam_id(id)).await
    }

    async fn profile_identities(&self, id: &ProfileId) -> Result<Option<ProfileIdentities>, StoreError> {
        let name = iam_id(id).to_string();
        let mut reading = self.readers.begin().await?;
        let select = sql::query(
            "select created_at, identities_modified_at, identities_version from trusted_profile \
             join principal on id = principal_id where principal_id = ?1",
        );
        let Some(found) = select.bind(&name).fetch_optional(&mut *reading).await? else { return Ok(None) };
        let stamp = Stamp {
            created_at: row::time(&found, "created_at")?,
            modified_at: row::time(&found, "identities_modified_at")?,
            version: found.try_get("identities_version")?,
        };
        Ok(Some(ProfileIdentities { list: identities(&mut reading, &name).await?, stamp }))
    }

    async fn put_profile_identities(
        &self,
        id: &ProfileId,
        row: &ProfileIdentities,
    ) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let name = iam_id(id).to_string();
        let update = sql::query(
            "update trusted_profile set identities_modified_at = ?3, identities_version = ?2 \
             where principal_id = ?1 and identities_version = ?2 - 1",
        );
        let update = update.bind(&name).bind(row.stamp.version).bind(row.stamp.modified_at.millis());
        if update.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from trusted_profile where principal_id = ?1", &name).await);
        }
        let delete = sql::query("delete from profile_identity where profile_id = ?1").bind(&name);
        delete.execute(write.connection()).await?;
        for one in &row.list {
            let (principal, crn) = match &one.identity {
                Identity::Crn(crn) => (None, Some(crn)),
                Identity::Principal(id) => (Some(id.to_string()), None),
            };
            let insert = sql::query(
                "insert into profile_identity (profile_id, principal_id, crn, description) \
                 values (?1, ?2, ?3, ?4)",
            );
            let insert = insert.bind(&name).bind(principal).bind(crn).bind(&one.description);
            let done = insert.execute(write.connection()).await;
            done.map_err(|error| StoreError::conflict(error, "an identity is there twice"))?;
        }
        settle(write, id).await
    }

    async fn profile_links(&self, id: &ProfileId) -> Result<Vec<ProfileLink>, StoreError> {
        links(&mut *self.readers.begin().await?, &iam_id(id).to_string()).await
    }

    async fn insert_profile_link(&self, row: &ProfileLink) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into profile_link (id, version, profile_id, name, cr_type, crn, namespace, \
             resource, created_at, modified_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let insert = sql::query(insert)
            .bind(row.id.as_str())
            .bind(row.stamp.version)
            .bind(iam_id(&row.profile).to_string())
            .bind(&row.name)
            .bind(row.target.kind.name())
            .bind(&row.target.crn)
            .bind(&row.target.namespace)
            .bind(&row.target.name)
            .bind(row.stamp.created_at.millis())
            .bind(row.stamp.modified_at.millis());
        let done = insert.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that link exists already"))?;
        settle(write, &row.profile).await
    }

    async fn delete_profile_link(&self, of: &ProfileId, id: &ProfileLinkId) -> Result<(), StoreError> {
        forget(self, "delete from profile_link where id = ?1 and profile_id = ?2", id.as_str(), of).await
    }

    async fn profile_rules(&self, id: &ProfileId) -> Result<Vec<ProfileRule>, StoreError> {
        rules(&mut *self.readers.begin().await?, &iam_id(id).to_string()).await
    }

    async fn insert_profile_rule(&self, row: &ProfileRule) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let insert = "insert into profile_rule (id, version, profile_id, name, cr_type, realm, expiration, \
             conditions, created_at, modified_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let done = ruled(insert, row)?.execute(write.connection()).await;
        done.map_err(|error| StoreError::conflict(error, "that rule exists already"))?;
        settle(write, &row.profile).await
    }

    async fn update_profile_rule(&self, row: &ProfileRule) -> Result<(), StoreError> {
        let mut write = Write::begin(self).await?;
        let update = "update profile_rule set name = ?4, cr_type = ?5, realm = ?6, expiration = ?7, \
             conditions = ?8, created_at = ?9, modified_at = ?10, version = ?2 \
             where id = ?1 and version = ?2 - 1 and profile_id = ?3";
        if ruled(update, row)?.execute(write.connection()).await?.rows_affected() == 0 {
            return Err(write.missed("select 1 from profile_rule where id = ?1", row.id.as_str()).await);
        }
        settle(write, &row.profile).await
    }

    async fn delete_profile_rule(&self, of: &ProfileId, id: &ClaimRuleId) -> Result<(), StoreError> {
        forget(self, "delete from profile_rule where id = ?1 and profile_id = ?2", id.as_str(), of).await
    }
}

/// All that a profile trusts, as of the instant of `reading`.
pub(super) async fn trusts(reading: &mut sql::Connection, profile: &str) -> Result<Trust, StoreError> {
    let identities = identities(reading, profile).await?;
    let links = links(reading, profile).await?;
    Ok(trust(identities, links, rules(reading, profile).await?))
}

async fn identities(
    reading: &mut sql::Connection,
    profile: &str,
) -> Result<Vec<ProfileIdentity>, StoreError> {
    sql::query(IDENTITIES).bind(profile).fetch_all(reading).await?.iter().map(identity).collect()
}

async fn links(reading: &mut sql::Connection, profile: &str) -> Result<Vec<ProfileLink>, StoreError> {
    sql::query(LINKS).bind(profile).fetch_all(reading).await?.iter().map(link).collect()
}

async fn rules(reading: &mut sql::Connection, profile: &str) -> Result<Vec<ProfileRule>, StoreError> {
    sql::query(RULES).bind(profile).fetch_all(reading).await?.iter().map(rule).collect()
}

async fn forget(store: &SqlStore, delete: &'static str, id: &str, of: &ProfileId) -> Result<(), StoreError> {
    let mut write = Write::begin(store).await?;
    let delete = sql::query(delete).bind(id).bind(iam_id(of).to_string());
    if delete.execute(write.connection()).await?.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    settle(write, of).await
}

async fn settle(mut write: Write<'_>, id: &ProfileId) -> Result<(), StoreError> {
    write.touch(ChangeKey::Principal(iam_id(id)));
    write.commit().await
}

fn bound(sql: &'static str, row: &TrustedProfile) -> sql::Query {
    sql::query(sql)
        .bind(iam_id(&row.id).to_string())
        .bind(row.stamp.version)
        .bind(&row.name)
        .bind(row.name.to_lowercase())
        .bind(&row.description)
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis())
}

fn ruled(sql: &'static str, row: &ProfileRule) -> Result<sql::Query, StoreError> {
    let conditions = serde_json::to_string(&row.conditions)
        .map_err(|error| StoreError::Unavailable(format!("cannot write conditions as JSON: {error}")))?;
    let (kind, realm, seconds) = spoken(&row.about);
    Ok(sql::query(sql)
        .bind(row.id.as_str())
        .bind(row.stamp.version)
        .bind(iam_id(&row.profile).to_string())
        .bind(&row.name)
        .bind(kind)
        .bind(realm)
        .bind(seconds)
        .bind(conditions)
        .bind(row.stamp.created_at.millis())
        .bind(row.stamp.modified_at.millis()))
}

/// Reads a profile.
pub(super) fn decode(found: &sql::Row) -> Result<TrustedProfile, StoreError> {
    Ok(TrustedProfile {
        id: profile(found, "id")?,
        name: found.try_get("name")?,
        description: found.try_get("description")?,
        email: found.try_get("email")?,
        stamp: row::stamp(found)?,
    })
}

fn profile(found: &sql::Row, column: &str) -> Result<ProfileId, StoreError> {
    match row::parsed(found, column)? {
        PrincipalId::Profile(id) => Ok(id),
        PrincipalId::Role(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_) => {
            Err(StoreError::Corrupt(format!("column {column}: not the id of a trusted profile")))
        }
    }
}

fn identity(found: &sql::Row) -> Result<ProfileIdentity, StoreError> {
    let crn: Option<String> = found.try_get("crn")?;
    let identity = match crn {
        Some(crn) => Identity::Crn(crn),
        None => Identity::Principal(row::parsed(found, "principal_id")?),
    };
    Ok(ProfileIdentity { identity, description: found.try_get("description")? })
}

fn link(found: &sql::Row) -> Result<ProfileLink, StoreError> {
    let kind: &str = found.try_get("cr_type")?;
    let kind = crate::credential::voucher::ComputeKind::parse(kind)
        .ok_or_else(|| StoreError::Corrupt(format!("column cr_type: {kind}")))?;
    Ok(ProfileLink {
        id: row::parsed(found, "id")?,
        profile: profile(found, "profile_id")?,
        name: found.try_get("name")?,
        target: LinkTarget {
            kind,
            crn: found.try_get("crn")?,
            namespace: found.try_get("namespace")?,
            name: found.try_get("resource")?,
        },
        stamp: row::stamp(found)?,
    })
}

fn rule(found: &sql::Row) -> Result<ProfileRule, StoreError> {
    let conditions: &str = found.try_get("conditions")?;
    let conditions = serde_json::from_str(conditions)
        .map_err(|error| StoreError::Corrupt(format!("conditions of a rule: {error}")))?;
    let about =
        heard(found.try_get("cr_type")?, found.try_get("realm")?, row::number_if_any(found, "expiration")?)?;
    Ok(ProfileRule {
        id: row::parsed(found, "id")?,
        profile: profile(found, "profile_id")?,
        name: found.try_get("name")?,
        about,
        conditions,
        stamp: row::stamp(found)?,
    })
}
