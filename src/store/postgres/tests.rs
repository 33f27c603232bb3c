//! What is particular to PostgreSQL: the schema, the lock, the wakes, its faults. What every store does is in
//! `store::contract`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::address::Server;
use super::proxy::{Cut, Proxy};
use super::server::PostgresServer;
use super::{open, reach};
use crate::clock::SystemClock;
use crate::store::account::Accounts;
use crate::store::contract::samples::{ALL, founding, user};
use crate::store::feed::{Feed, Sequence};
use crate::store::identity::Identities;
use crate::store::tables::SqlStore;
use crate::store::{Store, StoreError, sql};

/// The server of all tests, with an up-to-date store to copy; or why there is none.
fn shared() -> Option<&'static PostgresServer> {
    static SHARED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
    let start = || {
        let server = PostgresServer::start()?;
        server.sql("postgres", "create database pattern template template0");
        Ok(server)
    };
    let found = SHARED.get_or_init(start).as_ref();
    found.inspect_err(|reason| println!("skipped: {reason}")).ok()
}

/// A database of its own.
pub(in crate::store) async fn database() -> Option<Server> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static PATTERN: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let server = shared()?;
    let make_pattern = || async {
        let url = server.url("pattern");
        open(&Server::parse(&url).unwrap(), Arc::new(SystemClock)).await.unwrap().close().await;
        // The listener's connection ends when it is next looked at.
        let ended = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'pattern'";
        server.sql("postgres", ended);
    };
    PATTERN.get_or_init(make_pattern).await;
    let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let make = format!("create database {name} template pattern");
    tokio::task::spawn_blocking(move || server.sql("postgres", &make)).await.unwrap();
    Some(Server::parse(&server.url(&name)).unwrap())
}

pub(in crate::store) async fn opened(server: &Server) -> SqlStore {
    open(server, Arc::new(SystemClock)).await.unwrap()
}

mod contract {
    use super::{Arc, Store, database, opened};

    async fn any() -> Option<(Arc<dyn Store>, ())> {
        let server = database().await?;
        let store: Arc<dyn Store> = Arc::new(opened(&server).await);
        Some((store, ()))
    }

    crate::store::contract::suite!(any);
}

/// A new database without any schema.
fn empty(name: &str) -> Option<Server> {
    let server = shared()?;
    server.sql("postgres", &format!("create database {name} template template0"));
    Some(Server::parse(&server.url(name)).unwrap())
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_on_a_new_database_do_not_collide() {
    let Some(server) = empty("at_once") else { return };
    reach(&server).await.unwrap();
    let (one, two, three) = tokio::join!(opened(&server), opened(&server), opened(&server));
    one.found(&founding()).await.unwrap();
    two.insert_user(&user(1)).await.unwrap();
    assert_eq!(three.users(ALL).await.unwrap().total, 2);
    reach(&server).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_unless_it_is_marked_compatible() {
    let Some(server) = database().await else { return };
    let there = shared().unwrap();
    opened(&server).await.insert_user(&user(1)).await.unwrap();
    let newer = "insert into schema_step (version, name, digest, compatible) values (99, 'from the future', 'x', true)";
    there.sql(&server.database, newer);
    assert_eq!(opened(&server).await.users(ALL).await.unwrap().total, 1);
    there.sql(&server.database, "update schema_step set compatible = false where version = 99");
    for text in
        [unavailable(open(&server, Arc::new(SystemClock)).await.map(drop)), unavailable(reach(&server).await)]
    {
        assert!(text.contains("newer version") && text.contains("schema 99"), "{text}");
    }
    there.sql(
        &server.database,
        "delete from schema_step where version = 99; update schema_step set digest = 'y'",
    );
    let text = unavailable(open(&server, Arc::new(SystemClock)).await.map(drop));
    assert!(text.contains("not the one that this version of portcullis knows"), "{text}");
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let Some(there) = shared() else { return };
    there.sql("postgres", "create database latin template template0 encoding 'LATIN1'");
    let server = Server::parse(&there.url("latin")).unwrap();
    assert!(unavailable(open(&server, Arc::new(SystemClock)).await.map(drop)).contains("UTF8"));
    let nowhere = Server::parse("postgres://p@/p?host=/nowhere/at/all").unwrap();
    assert!(unavailable(open(&nowhere, Arc::new(SystemClock)).await.map(drop)).contains("cannot connect"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_replica_has_committed_wakes_those_who_wait() {
    let Some(server) = database().await else { return };
    let (one, two) = (opened(&server).await, opened(&server).await);
    let mut committed = two.committed();
    // A wake that came before anybody listened is lost; so it is told of until it is heard.
    let heard = async {
        for n in 0..1000 {
            one.insert_user(&user(n)).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(50), committed.changed()).await.is_ok() {
                return;
            }
        }
        panic!("nothing was heard");
    };
    heard.await;
    assert!(*two.committed().borrow() > Sequence(0));
}

/// Two processes that write at the same time: their positions follow on one another, and each is seen in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_are_given_in_the_order_of_commits_by_however_many_replicas() {
    let Some(server) = database().await else { return };
    let (one, two) = (Arc::new(opened(&server).await), Arc::new(opened(&server).await));
    let write = |store: Arc<SqlStore>, from: u64| {
        tokio::spawn(async move {
            for n in from..from + 100 {
                // The same name now and then: refused, and no position is lost.
                let _ = store.insert_user(&user(n - n % 7 / 6)).await;
            }
        })
    };
    let (first, second) = (write(one.clone(), 0), write(two.clone(), 1000));
    let mut seen = Sequence(0);
    loop {
        let over = first.is_finished() && second.is_finished();
        for change in two.changes(seen, 1000).await.unwrap() {
            assert_eq!(change.sequence.0, seen.0 + 1, "a position was passed over, or came late");
            seen = change.sequence;
        }
        if over {
            break;
        }
    }
    let total = one.users(ALL).await.unwrap().total;
    assert_eq!(seen, Sequence(total.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_leaves_the_store_usable() {
    let Some(server) = database().await else { return };
    let store = opened(&server).await;
    for n in 0..60 {
        let row = user(n);
        let _ = tokio::time::timeout(Duration::from_micros(100 * n), store.insert_user(&row)).await;
    }
    store.insert_user(&user(99)).await.unwrap();
    let total = store.users(ALL).await.unwrap().total;
    assert_eq!(
        store.latest().await.unwrap(),
        Sequence(total.into()),
        "each user has its change, and no other"
    );
}

/// Whoever holds the lock and vanishes does not keep others from writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_ended_leaves_no_trace_and_frees_the_lock() {
    let Some(server) = database().await else { return };
    let store = opened(&server).await;
    let mut stuck = store.engine.begin(&store.writer).await.unwrap();
    sql::query("delete from change").execute(&mut *stuck).await.unwrap();
    let other = opened(&server);
    let held = "select count(*) from pg_locks where locktype = 'advisory' and granted";
    assert_ne!(shared().unwrap().sql(&server.database, held), "0");
    // The schema is looked at under the same lock, so this one waits until the writer is gone.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity \
               where datname = current_database() and state = 'idle in transaction'";
    let (other, ended) = tokio::join!(other, async { shared().unwrap().sql(&server.database, end) });
    assert_eq!(ended, "t");
    other.insert_user(&user(1)).await.unwrap();
    unavailable(stuck.commit().await.map_err(StoreError::in_doubt));
    store.insert_user(&user(2)).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_server_was_killed_every_acknowledged_write_is_there_and_writing_goes_on() {
    let Ok(mut there) = PostgresServer::start().inspect_err(|reason| println!("skipped: {reason}")) else {
        return;
    };
    let server = Server::parse(&there.url("postgres")).unwrap();
    let store = Arc::new(opened(&server).await);
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut acknowledged = 0;
            loop {
                match store.insert_user(&user(acknowledged.into())).await {
                    Ok(()) => acknowledged += 1,
                    Err(error) => return (acknowledged, unavailable::<()>(Err(error))),
                }
            }
        })
    };
    let mut committed = store.committed();
    committed.wait_for(|at| *at >= Sequence(20)).await.unwrap();
    there.kill();
    let (acknowledged, _) = writer.await.unwrap();
    unavailable(store.users(ALL).await);
    let there = tokio::task::spawn_blocking(move || {
        there.start_again();
        there
    });
    let there = there.await.unwrap();
    let total = store.users(ALL).await.unwrap().total;
    // One commit may have happened without anybody having been told.
    assert!(total == acknowledged || total == acknowledged + 1, "{total} of {acknowledged}");
    assert_eq!(store.latest().await.unwrap(), Sequence(total.into()));
    store.insert_user(&user(1_000_000)).await.unwrap();
    drop(there);
}

/// Both databases have the same tables with the same columns: what one statement names is there in each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    let Some(server) = database().await else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = crate::store::sqlite::open(&dir.path().join("store.db"), Arc::new(SystemClock)).await.unwrap();
    let columns = "select m.name || '.' || c.name || case when c.\"notnull\" or c.pk then ' not null' else '' end \
                   from sqlite_master m join pragma_table_xinfo(m.name) c \
                   where m.type = 'table' and m.name not like 'sqlite_%' and m.name <> '_sqlx_migrations'";
    let mut here: Vec<String> = sqlx::query_scalar(columns).fetch_all(file.writer.sqlite()).await.unwrap();
    let columns = "select c.table_name || '.' || c.column_name || case is_nullable when 'NO' then ' not null' else '' end \
                   from information_schema.columns c join information_schema.tables t using (table_schema, table_name) \
                   where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> 'schema_step'";
    let there = shared().unwrap().sql(&server.database, columns);
    let mut there: Vec<String> = there.lines().map(str::to_owned).collect();
    // SQLite cannot make it a condition of a column that it computes.
    here.iter_mut().chain(&mut there).for_each(|column| {
        if column.starts_with("principal.unique_id") {
            column.truncate("principal.unique_id".len());
        }
    });
    here.sort();
    there.sort();
    assert_eq!(here, there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_asked_for() {
    let Some(server) = database().await else { return };
    let proxy = Proxy::before(&server).await;
    let store = opened(&proxy.server).await;
    proxy.cut(Cut::AfterCommit);
    store.insert_user(&user(1)).await.unwrap();
    assert_eq!(store.users(ALL).await.unwrap().total, 1, "it was made, and is not said to have failed");
    proxy.cut(Cut::BeforeCommit);
    let text = unavailable(store.insert_user(&user(2)).await);
    assert!(text.contains("before a change was made"), "{text}");
    assert_eq!(store.users(ALL).await.unwrap().total, 1);
    store.insert_user(&user(2)).await.unwrap();
    assert_eq!(store.latest().await.unwrap(), Sequence(2));
}
