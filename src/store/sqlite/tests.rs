//! What is particular to SQLite: the file, its schema, its faults. What every store does is in `store::contract`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::SystemClock;
use crate::store::account::Accounts;
use crate::store::aws::attachment::Attachments;
use crate::store::aws::holder::Actor;
use crate::store::aws::managed_policy::ManagedPolicies;
use crate::store::aws::policies::PoliciesInForce;
use crate::store::aws::repository::Repositories;
use crate::store::aws::tag::{Tagged, Tags};
use crate::store::aws::user::AwsUsers;
use crate::store::contract::aws_samples::{
    aws_user, by_aws, holders, managed, repository, role, tag, text, user_actor,
};
use crate::store::contract::samples::{ALL, api_key, founding, of_user, policy, signing_key, time, user};
use crate::store::feed::{Feed, Sequence};
use crate::store::identity::Identities;
use crate::store::keyring::Keyring;
use crate::store::network::Networks;
use crate::store::policy::{Policies, Subject};
use crate::store::sqlite;
use crate::store::tables::SqlStore;
use crate::store::{Store, StoreError};

async fn open(path: &Path) -> Result<SqlStore, StoreError> {
    sqlite::open(path, Arc::new(SystemClock)).await
}

async fn fresh() -> (SqlStore, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (open(&dir.path().join("store.db")).await.unwrap(), dir)
}

mod contract {
    use super::{Arc, Store, TempDir, fresh};

    async fn any() -> Option<(Arc<dyn Store>, TempDir)> {
        let (store, dir) = fresh().await;
        Some((Arc::new(store), dir))
    }

    crate::store::contract::suite!(any);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_file_its_log_and_its_directories_are_for_the_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/store.db");
    let store = open(&path).await.unwrap();
    store.insert_user(&user(1)).await.unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        assert_eq!(mode(&dir.path().join("a/b").join(name)), 0o600, "{name}");
    }
    assert_eq!((mode(&dir.path().join("a")), mode(&dir.path().join("a/b"))), (0o700, 0o700));
}

#[tokio::test]
async fn a_file_that_others_may_open_is_refused() {
    let (store, dir) = fresh().await;
    store.close().await;
    let path = dir.path().join("store.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let text = unavailable(open(&path).await);
    assert!(text.contains("chmod 600"), "{text}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    open(&path).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let (store, dir) = fresh().await;
    store.found(&founding()).await.unwrap();
    store.close().await;
    let again = open(&dir.path().join("store.db")).await.unwrap();
    assert!(again.account().await.unwrap().is_some());
    assert_eq!(*again.committed().borrow(), Sequence(5));
}

#[tokio::test]
async fn every_connection_is_durable_checked_and_leaves_no_remains() {
    let (store, _dir) = fresh().await;
    for pool in [&store.writer, &store.readers] {
        let pragma = async |sql: &'static str| {
            sqlx::query_scalar::<_, i64>(sql).fetch_one(pool.sqlite()).await.unwrap()
        };
        assert_eq!(pragma("pragma synchronous").await, 2, "FULL");
        assert_eq!(pragma("pragma foreign_keys").await, 1);
        assert_eq!(pragma("pragma secure_delete").await, 1);
        let mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(pool.sqlite()).await.unwrap();
        assert_eq!(mode, "wal");
    }
    sqlx::query("delete from account").execute(store.readers.sqlite()).await.unwrap_err();
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let (store, dir) = fresh().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (99, 'from the future', true, x'00', 0)";
    sqlx::query(newer).execute(store.writer.sqlite()).await.unwrap();
    store.close().await;
    let text = unavailable(open(&dir.path().join("store.db")).await);
    assert!(text.contains("newer version") && text.contains("schema 99"), "{text}");
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    std::fs::write(&path, "certainly not a database, but long enough to look at").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    unavailable(open(&path).await);
    unavailable(open(&dir.path().join("store.db/below/a/file")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_open_a_new_store_at_once_do_not_collide() {
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let (one, two) = tokio::join!(open(&path), open(&path));
        let (one, two) = (one.unwrap(), two.unwrap());
        one.insert_user(&user(1)).await.unwrap();
        assert_eq!(two.latest().await.unwrap(), Sequence(1), "the other process sees it");
        two.insert_user(&user(2)).await.unwrap();
        assert_eq!(one.users(ALL).await.unwrap().total, 2);
    }
}

#[tokio::test]
async fn a_removed_file_fails_writes_until_it_is_put_back() {
    let (store, dir) = fresh().await;
    let (path, aside) = (dir.path().join("store.db"), dir.path().join("aside"));
    std::fs::rename(&path, &aside).unwrap();
    assert!(unavailable(store.insert_user(&user(1)).await).contains("put it back"));
    unavailable(store.latest().await);
    std::fs::write(&path, "").unwrap();
    assert!(unavailable(store.insert_user(&user(1)).await).contains("another file"));
    std::fs::rename(&aside, &path).unwrap();
    store.insert_user(&user(1)).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(1));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_whole_and_keeps_reading() {
    let (store, _dir) = fresh().await;
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(store.writer.sqlite()).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("pragma max_page_count = {pages}"));
    sqlx::query(limit).fetch_one(store.writer.sqlite()).await.unwrap();
    let mut written: u32 = 0;
    let full = loop {
        match store.insert_user(&user(written.into())).await {
            Ok(()) => written += 1,
            Err(error) => break unavailable::<()>(Err(error)),
        }
        assert!(written < 10_000);
    };
    assert!(full.contains("full"), "{full}");
    assert_eq!(store.users(ALL).await.unwrap().total, written);
    assert_eq!(store.latest().await.unwrap(), Sequence(written.into()));
    sqlx::query("pragma max_page_count = 1000000").fetch_one(store.writer.sqlite()).await.unwrap();
    store.insert_user(&user(written.into())).await.expect("recovers by itself");
}

#[tokio::test]
async fn a_file_that_may_only_be_read_refuses_writes() {
    let (store, _dir) = fresh().await;
    sqlx::query("pragma query_only = on").execute(store.writer.sqlite()).await.unwrap();
    unavailable(store.insert_user(&user(1)).await);
    assert_eq!(store.users(ALL).await.unwrap().total, 0);
}

#[tokio::test]
async fn rows_that_were_tampered_with_are_corrupt_and_others_are_not() {
    let (store, _dir) = fresh().await;
    store.found(&founding()).await.unwrap();
    store.insert_user(&user(1)).await.unwrap();
    store.insert_policy(&policy(7, Subject::Principal(of_user(&user(1))))).await.unwrap();
    let corrupt = async |sql: &'static str| {
        sqlx::query(sql).execute(store.writer.sqlite()).await.unwrap();
        let found = store.principal(&of_user(&user(0))).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{sql}: {found:?}");
        store.principal(&of_user(&user(1))).await.unwrap().unwrap();
    };
    corrupt(
        "update policy set document = replace(document, 'roles', 'rolls') where principal_id like '%'
             and id in (select policy.id from policy join api_key on owner = principal_id)",
    )
    .await;
    corrupt("update api_key set created_by = 'someone'").await;
    assert!(matches!(store.policies(None, ALL).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(store.api_key(&founding().api_key.id).await, Err(StoreError::Corrupt(_))));
    sqlx::query("update change set kind = 'comet' where seq = 3")
        .execute(store.writer.sqlite())
        .await
        .unwrap();
    assert!(matches!(store.changes(Sequence(0), 9).await, Err(StoreError::Corrupt(_))));
    assert_eq!(store.changes(Sequence(3), 9).await.unwrap().len(), 4);
}

#[tokio::test]
async fn pruning_keeps_the_last_changes_and_their_numbers() {
    let (store, _dir) = fresh().await;
    for n in 1..=5 {
        store.insert_user(&user(n)).await.unwrap();
    }
    store.prune_changes(2).await.unwrap();
    let left = store.changes(Sequence(0), 9).await.unwrap();
    assert_eq!(left.iter().map(|change| change.sequence.0).collect::<Vec<_>>(), [4, 5]);
    store.prune_changes(0).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(5), "the position itself is never lost");
    store.insert_user(&user(6)).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(6));
}

#[tokio::test]
async fn deleted_key_material_is_not_in_the_file() {
    let (store, dir) = fresh().await;
    let mut key = signing_key(1);
    key.sealed = b"canary-of-the-sealed-key".repeat(20);
    store.rotate_in(&key, None, key.created_at).await.unwrap();
    store.rotate_in(&signing_key(2), Some(&key.kid), key.created_at).await.unwrap();
    store.purge_retired(crate::clock::UnixTime::from_millis(i64::MAX)).await.unwrap();
    store.close().await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_the_store_usable() {
    let (store, _dir) = fresh().await;
    for n in 0..50 {
        let row = user(n);
        let _ = tokio::time::timeout(Duration::from_micros(20 * n), store.insert_user(&row)).await;
    }
    store.insert_user(&user(99)).await.unwrap();
    let total = store.users(ALL).await.unwrap().total;
    assert_eq!(
        store.latest().await.unwrap(),
        Sequence(total.into()),
        "each user has its change, and no other"
    );
}

/// Where the child below finds its directory.
const CHILD: &str = "PORTCULLIS_TEST_FOUNDING";

#[test]
fn a_founding_killed_at_any_instant_is_there_whole_or_not_at_all() {
    let (mut whole, mut absent) = (0, 0);
    for round in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sqlite::tests::founds_an_account_until_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("founding now")));
        std::thread::sleep(Duration::from_micros(50 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if runtime.block_on(is_whole(&path)) { whole += 1 } else { absent += 1 }
    }
    assert_eq!(whole + absent, 40);
}

/// Whether the store at `path` has been founded; fails if it has been in part.
async fn is_whole(path: &Path) -> bool {
    let store = open(path).await.unwrap();
    let check: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(store.writer.sqlite()).await.unwrap();
    assert_eq!(check, "ok");
    let whole = store.account().await.unwrap().is_some();
    let latest = if whole { Sequence(5) } else { Sequence(0) };
    assert_eq!(store.latest().await.unwrap(), latest);
    assert_eq!(store.users(ALL).await.unwrap().total, u32::from(whole));
    assert_eq!(store.policies(None, ALL).await.unwrap().total, 2 * u32::from(whole));
    assert_eq!(store.signing_keys().await.unwrap().0.len(), usize::from(whole));
    let again = store.found(&founding()).await;
    assert_eq!(again.is_err(), whole, "init can be run again");
    store.api_key(&api_key(0, &of_user(&user(0))).id).await.unwrap().unwrap();
    whole
}

#[tokio::test]
async fn founds_an_account_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = open(Path::new(&path)).await.unwrap();
    println!("founding now");
    store.found(&founding()).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_store_of_the_first_schema_is_brought_up_to_date_with_all_that_it_holds() {
    let (store, dir) = fresh().await;
    store.found(&founding()).await.unwrap();
    let before = store.latest().await.unwrap();
    // Takes the later steps back.
    let tables = "tag_hold job leadership insight_occurrence insight_note compliance_attachment alert_delivery alert alert_cursor notification_channel pushed_report census census_signature census_child census_manifest census_tag exemption new_finding report_image report compliance_rule compliance_verdict compliance_scan compliance_drift private_since \
                  last_use public_transfer deed activity resource_group namespace_group retention usage quota hidden_tag trash image \
                  lifecycle registry_setting layer_upload \
                  network_zone network_rule tag repository oidc_provider access_key inline_policy boundary attachment policy_version \
                  managed_policy role";
    let mut back: Vec<String> = vec!["pragma foreign_keys = off".to_owned()];
    back.extend(
        ["claimed_membership", "profile_rule", "profile_link", "profile_identity", "trusted_profile"]
            .map(|table| format!("drop table {table}")),
    );
    back.push("drop trigger history_ends_with_its_principal".to_owned());
    back.push("drop trigger activity_ends_with_its_principal".to_owned());
    back.push("drop trigger activity_ends_with_its_key".to_owned());
    back.push("drop trigger history_ends_with_its_key".to_owned());
    back.push("drop view policy_with_roles".to_owned());
    back.extend(
        ["group_rule", "user_profile", "history", "policy_role", "custom_role", "deleted_policy"]
            .map(|table| format!("drop table {table}")),
    );
    back.extend(tables.split_whitespace().map(|table| format!("drop table {table}")));
    back.extend(
        [
            "drop index principal_by_unique_id",
            "alter table principal drop column unique_id",
            "alter table principal drop column path",
            "alter table access_group drop column path",
            "alter table account drop column allowed_ips",
            "alter table account drop column private_only",
            "alter table account drop column settings_modified_at",
            "alter table account drop column settings_version",
            "alter table account drop column identity_settings",
            "alter table principal drop column allowed_ips",
            "alter table api_key drop column allowed_ips",
            "delete from _sqlx_migrations where version > 1",
        ]
        .map(str::to_owned),
    );
    for sql in back {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(store.writer.sqlite()).await.unwrap();
    }
    store.close().await;
    let again = open(&dir.path().join("store.db")).await.unwrap();
    let administrator = again.aws_user(&user(0).id).await.unwrap().unwrap();
    assert_eq!((administrator.user.clone(), administrator.path.as_str()), (user(0), "/"));
    let found = again.principal_of(&administrator.unique_id()).await.unwrap();
    assert_eq!(found, Some(of_user(&user(0))));
    assert_eq!(again.latest().await.unwrap(), before);
    let network = again.network().await.unwrap();
    let settings = network.settings.unwrap();
    assert_eq!((settings.allow_list, settings.private_only, settings.stamp.version), (None, false, 1));
    again.insert_managed_policy(&managed(1), &text("ecr:*"), &[]).await.unwrap();
}

#[tokio::test]
async fn an_administrator_made_before_is_given_what_one_holds_now_once_and_only_if_it_still_is_one() {
    for (change, expected) in [
        ("select 1", 1),
        ("update policy set version = 2 where id = (select min(id) from policy)", 0),
        ("delete from policy where id = (select min(id) from policy)", 0),
        ("update policy set created_by = 'IBMid-somebody'", 0),
        ("update principal set created_at = created_at + 1", 0),
    ] {
        let (store, dir) = fresh().await;
        let mut founding = founding();
        founding.held.clear();
        for row in &mut founding.policies {
            row.description = "The administrator that `init` made".to_owned();
            (row.created_by, row.stamp) = (of_user(&user(0)), founding.administrator.stamp);
        }
        store.found(&founding).await.unwrap();
        let back = ["drop index repository_with_policy", "delete from _sqlx_migrations where version = 3"];
        for sql in back.into_iter().chain([change]) {
            sqlx::query(sql).execute(store.writer.sqlite()).await.unwrap();
        }
        store.close().await;
        let again = open(&dir.path().join("store.db")).await.unwrap();
        let held = again.policies_of(&user_actor(0)).await.unwrap().unwrap().policies;
        assert_eq!(held.len(), expected, "{change}");
        if expected > 0 {
            again.detach(&user_actor(0).into(), &by_aws("AdministratorAccess")).await.unwrap();
        }
        again.close().await;
        let later = open(&dir.path().join("store.db")).await.unwrap();
        assert!(later.policies_of(&user_actor(0)).await.unwrap().unwrap().policies.is_empty(), "{change}");
    }
}

#[tokio::test]
async fn rows_of_awss_dialect_that_were_tampered_with_are_corrupt() {
    let (store, _dir) = fresh().await;
    store.insert_managed_policy(&managed(1), &text("ecr:*"), &[tag("a", "b")]).await.unwrap();
    let [holder, ..] = holders(&store, 1).await;
    store.attach(&holder, &by_aws("X"), time(1)).await.unwrap();
    store.policies_of(&user_actor(1)).await.unwrap().unwrap();
    for sql in [
        "update attachment set policy_arn = 'arn:aws:iam::1:policy/X'",
        "update managed_policy set path = 'nowhere'",
        "update tag set key = 'aws:x'",
    ] {
        sqlx::query(sql).execute(store.writer.sqlite()).await.unwrap();
    }
    assert!(matches!(store.policies_of(&user_actor(1)).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(store.managed_policy(&managed(1).id).await, Err(StoreError::Corrupt(_))));
    let of = Tagged::Policy(managed(1).id);
    assert!(matches!(store.tags(&of).await, Err(StoreError::Corrupt(_))));
    store.policies_of(&Actor::Role(role(1).id)).await.unwrap().unwrap();
}

/// Each round the child makes a user with a boundary and three tags, a policy of two versions, and a repository with its
/// namespace, over and over; whatever it was at, nothing is there in part.
#[test]
fn writes_killed_at_any_instant_are_there_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut seen = 0;
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::sqlite::tests::writes_awss_rows_until_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("writing now")));
        std::thread::sleep(Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        seen = runtime.block_on(rows_that_are_whole(&path, seen));
    }
    assert!(seen > 0, "the child wrote something");
}

/// How many changes there are; fails if one of them is there in part, or if there are fewer than `before`.
async fn rows_that_are_whole(path: &Path, before: i64) -> i64 {
    let store = open(path).await.unwrap();
    let one = async |sql: &'static str| {
        sqlx::query_scalar::<_, i64>(sql).fetch_one(store.writer.sqlite()).await.unwrap()
    };
    assert!(
        sqlx::query("pragma foreign_key_check").fetch_all(store.writer.sqlite()).await.unwrap().is_empty()
    );
    let check: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(store.writer.sqlite()).await.unwrap();
    assert_eq!(check, "ok");
    let users = one("select count(*) from principal").await;
    assert_eq!(one("select count(*) from tag").await, 3 * users);
    assert_eq!(one("select count(*) from boundary").await, users);
    let policies = one("select count(*) from managed_policy").await;
    let versions = one("select count(*) from policy_version").await;
    assert_eq!(versions, one("select coalesce(sum(last_version), 0) from managed_policy").await);
    let repositories = one("select count(*) from repository").await;
    assert_eq!(repositories, one("select count(*) from namespace").await);
    let changes = store.latest().await.unwrap().0;
    assert_eq!(changes, users + policies + 2 * (versions - policies) + 2 * repositories);
    store.close().await;
    assert!(changes >= before);
    changes
}

#[tokio::test]
async fn writes_awss_rows_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = open(Path::new(&path)).await.unwrap();
    let first = u64::try_from(store.latest().await.unwrap().0).unwrap();
    println!("writing now");
    let tags = ["a", "b", "c"].map(|key| tag(key, "x"));
    for n in 1000 * first.. {
        store.insert_aws_user(&aws_user(n), Some(&by_aws("B")), &tags).await.unwrap();
        store.insert_managed_policy(&managed(n), &text("ecr:*"), &[]).await.unwrap();
        store.insert_policy_version(&managed(n).id, &text("ecr:*"), true, time(n)).await.unwrap();
        store.insert_repository(&repository(n), &[]).await.unwrap();
    }
}
