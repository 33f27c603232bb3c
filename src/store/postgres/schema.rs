//! Brings the database's schema up to what this program knows, while other replicas may be running.
//!
//! Each step is remembered with a digest of its text and whether versions that do not know it can go on. So a replica of
//! the version before may run, and start again, beside one that has just brought in a compatible step; and one that
//! would misread what it finds does not start.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool};

use super::WRITER;
use crate::store::{StoreError, sql};

/// A step. One that has been released never changes; what is new comes in a new step, and only ever adds.
struct Step {
    version: i64,
    name: &'static str,
    sql: &'static str,
    /// Whether programs that do not know this step read and write rightly all the same.
    compatible: bool,
}

/// The steps, in order.
const STEPS: [Step; 3] = [
    Step {
        version: 1,
        name: "foundation",
        sql: include_str!("../migrations/postgres/0001_foundation.sql"),
        compatible: false,
    },
    Step {
        version: 2,
        name: "attachments",
        sql: include_str!("../migrations/postgres/0002_attachments.sql"),
        // A rule that is attached somewhere would be for everything.
        compatible: false,
    },
    Step {
        version: 3,
        name: "fleet",
        sql: include_str!("../migrations/postgres/0003_fleet.sql"),
        compatible: true,
    },
];

/// Finds the last position in the feed; none, once there is a step that this program does not know and that it must know.
pub(super) fn position() -> sql::Scalar<i64> {
    let select = "select coalesce(max(seq), 0) from change \
         having not exists (select 1 from schema_step where version > ?1 and not compatible)";
    sql::query_scalar(select).bind(STEPS.last().map_or(0, |step| step.version))
}

/// The oldest server that has all we use.
const OLDEST: i64 = 120_000;

const TABLE: &str = "create table if not exists schema_step (version bigint not null primary key, \
                     name text not null, digest text not null, compatible boolean not null, \
                     applied_at timestamptz not null default now())";

/// Applies the steps that are missing, all in one transaction and under the lock of writers: replicas that start at once do
/// not collide, one that is killed leaves nothing behind, and nobody writes meanwhile.
pub(super) async fn migrate(writer: &PgPool) -> Result<(), StoreError> {
    let mut connection = writer.acquire().await?;
    usable(&mut connection).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(WRITER).execute(&mut *transaction).await?;
    sqlx::query(TABLE).execute(&mut *transaction).await?;
    let there = compared(&mut transaction).await?;
    for step in STEPS.iter().filter(|step| step.version > there) {
        sqlx::raw_sql(step.sql).execute(&mut *transaction).await.map_err(|error| {
            let (version, name) = (step.version, step.name);
            StoreError::Unavailable(format!("cannot bring the schema up to step {version} ({name}): {error}"))
        })?;
        let note = "insert into schema_step (version, name, digest, compatible) values ($1, $2, $3, $4)";
        let note = sqlx::query(note).bind(step.version).bind(step.name);
        note.bind(digest_of(step)).bind(step.compatible).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether a schema that is there is one that this program knows; one that is older or not there yet is.
pub(super) async fn known(reader: &PgPool) -> Result<(), StoreError> {
    let mut connection = reader.acquire().await?;
    usable(&mut connection).await?;
    let there = sqlx::query_scalar("select to_regclass('schema_step') is not null");
    if there.fetch_one(&mut *connection).await? {
        compared(&mut connection).await?;
    }
    Ok(())
}

/// The last known step that is there; fails if a step is there that this program does not know or knows otherwise.
async fn compared(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let select = "select version, digest, compatible from schema_step order by version";
    let rows: Vec<(i64, String, bool)> = sqlx::query_as(select).fetch_all(connection).await?;
    let mut last = 0;
    for (version, digest, compatible) in rows {
        match STEPS.iter().find(|step| step.version == version) {
            Some(step) if digest_of(step) == digest => last = version,
            Some(_) => {
                return Err(StoreError::Unavailable(format!(
                    "schema step {version} of this store is not the one that this version of portcullis knows: \
                     start the version that made the store"
                )));
            }
            None if compatible => {
                tracing::info!(version, "a newer version has added to the store; this one goes on without");
            }
            None => {
                return Err(StoreError::Unavailable(format!(
                    "a newer version of portcullis has written this store (schema {version}, known here up to {}): \
                     start that version, or restore a backup that is older than the upgrade",
                    STEPS.last().map_or(0, |step| step.version)
                )));
            }
        }
    }
    Ok(last)
}

/// Refuses a server that only follows another: what has been changed there may not have come here. One that is demoted ends its
/// connections, so it is enough to ask when one is made.
pub(super) async fn believable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let follows: bool = sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(connection).await?;
    match follows {
        true => Err(sqlx::Error::Protocol(
            "this server only follows another one: store.url must lead to the primary".to_owned(),
        )),
        false => Ok(()),
    }
}

/// Refuses a server that is too old, and a database that cannot hold every text.
async fn usable(connection: &mut PgConnection) -> Result<(), StoreError> {
    let ask = "select current_setting('server_version_num')::bigint, current_setting('server_encoding')";
    let (version, encoding): (i64, String) = sqlx::query_as(ask).fetch_one(connection).await?;
    if version < OLDEST {
        let text = "the PostgreSQL server is too old: use version 12 or later";
        return Err(StoreError::Unavailable(text.to_owned()));
    }
    if encoding != "UTF8" {
        let text = format!("the database's encoding is {encoding}: make one with `encoding 'UTF8'`");
        return Err(StoreError::Unavailable(text));
    }
    Ok(())
}

fn digest_of(step: &Step) -> String {
    HEXLOWER.encode(digest(&SHA256, step.sql.as_bytes()).as_ref())
}
