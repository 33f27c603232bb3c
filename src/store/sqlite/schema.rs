//! Brings a file's schema up to what this program knows, or refuses a file that knows more.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection, SqlitePool};

use crate::store::StoreError;

/// The steps, in order. A step that has been released never changes; what is new comes in a new step.
const STEPS: [(i64, &str, &str); 16] = [
    (1, "foundation", include_str!("../migrations/sqlite/0001_foundation.sql")),
    (2, "aws", include_str!("../migrations/sqlite/0002_aws.sql")),
    (3, "repository_policies", include_str!("../migrations/sqlite/0003_repository_policies.sql")),
    (4, "network", include_str!("../migrations/sqlite/0004_network.sql")),
    (5, "ecr", include_str!("../migrations/sqlite/0005_ecr.sql")),
    (6, "ibm", include_str!("../migrations/sqlite/0006_ibm.sql")),
    (7, "icr", include_str!("../migrations/sqlite/0007_icr.sql")),
    (8, "profiles", include_str!("../migrations/sqlite/0008_profiles.sql")),
    (9, "resource_groups", include_str!("../migrations/sqlite/0009_resource_groups.sql")),
    (10, "compliance", include_str!("../migrations/sqlite/0010_compliance.sql")),
    (11, "findings", include_str!("../migrations/sqlite/0011_findings.sql")),
    (12, "activity", include_str!("../migrations/sqlite/0012_activity.sql")),
    (13, "alerts", include_str!("../migrations/sqlite/0013_alerts.sql")),
    (14, "images", include_str!("../migrations/sqlite/0014_images.sql")),
    (15, "attachments", include_str!("../migrations/sqlite/0015_attachments.sql")),
    (16, "fleet", include_str!("../migrations/sqlite/0016_fleet.sql")),
];

/// Applies the steps that are missing, all in one transaction: two processes that start at once do not collide, and
/// one that is killed leaves nothing behind. Meanwhile foreign keys are off, for a table that is made anew must not take
/// along what refers to it; what has been changed is checked whole before it counts.
pub(super) async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let steps = STEPS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(steps.into());
    let mut connection = writer.acquire().await?;
    sqlx::query("pragma foreign_keys = off").execute(&mut *connection).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let before = schema_version(&mut transaction).await?;
    migrator.run(&mut *transaction).await.map_err(refusal)?;
    if schema_version(&mut transaction).await? != before {
        let loose = sqlx::query("pragma foreign_key_check").fetch_optional(&mut *transaction).await?;
        if loose.is_some() {
            let text =
                "bringing the schema up to date would leave rows that refer to nothing: restore a backup";
            return Err(StoreError::Unavailable(text.to_owned()));
        }
    }
    transaction.commit().await?;
    sqlx::query("pragma foreign_keys = on").execute(&mut *connection).await?;
    Ok(())
}

async fn schema_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("pragma schema_version").fetch_one(connection).await?)
}

fn refusal(error: MigrateError) -> StoreError {
    StoreError::Unavailable(match error {
        MigrateError::VersionMissing(found) => format!(
            "a newer version of portcullis has written this store (schema {found}, known here up to {}): \
             start that version, or restore a backup that is older than the upgrade",
            STEPS.last().map_or(0, |(version, _, _)| *version)
        ),
        MigrateError::VersionMismatch(version) => format!(
            "schema step {version} of this store is not the one that this version of portcullis knows: \
             start the version that made the store"
        ),
        other => format!("cannot bring the schema up to date: {other}"),
    })
}
