//! Brings a file's schema up to what this program knows, or refuses a file that knows more.

use sqlx::SqlSafeStr;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use crate::store::StoreError;

/// The steps, in order. A step that has been released never changes; what is new comes in a new step.
const STEPS: [(i64, &str, &str); 8] = [
    (1, "foundation", include_str!("../migrations/sqlite/0001_foundation.sql")),
    (2, "aws", include_str!("../migrations/sqlite/0002_aws.sql")),
    (3, "repository_policies", include_str!("../migrations/sqlite/0003_repository_policies.sql")),
    (4, "network", include_str!("../migrations/sqlite/0004_network.sql")),
    (5, "ecr", include_str!("../migrations/sqlite/0005_ecr.sql")),
    (6, "ibm", include_str!("../migrations/sqlite/0006_ibm.sql")),
    (7, "icr", include_str!("../migrations/sqlite/0007_icr.sql")),
    (9, "resource_groups", include_str!("../migrations/sqlite/0009_resource_groups.sql")),
];

/// Applies the steps that are missing, all in one transaction: two processes that start at once do not collide, and
/// one that is killed leaves nothing behind.
pub(super) async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let steps = STEPS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(steps.into());
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run(&mut *transaction).await.map_err(refusal)?;
    transaction.commit().await?;
    Ok(())
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
