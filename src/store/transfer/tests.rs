//! A store of which every table has rows, moved from one database to the other and back, and by a file.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::rows::Cell;
use super::schema::{Kind, Schema, Table};
use super::{Moved, TransferError, copy, export, import, rows};
use crate::clock::{SystemClock, UnixTime};
use crate::secret::Secret;
use crate::store::contract::samples::{founding, user};
use crate::store::identity::Identities;
use crate::store::lead::Leads;
use crate::store::postgres::tests as postgres;
use crate::store::tables::SqlStore;
use crate::store::{sql, sqlite};

/// How many rows each table should have.
const ROWS: usize = 3;

/// How often a row is made up before the table is given up.
const TRIES: u64 = 60_000;

async fn file(directory: &tempfile::TempDir, name: &str) -> SqlStore {
    sqlite::open(&directory.path().join(name), Arc::new(SystemClock)).await.unwrap()
}

/// Texts that a careless way would spoil.
const TEXTS: [&str; 8] =
    ["", "a", "ü€𝄞", "it's \"quoted\"\\", "line\nbreak\r\n", "null", "{\"a\":[1]}", "ABC"];

/// Something that is the same every time, and different for every `n`.
fn chance(n: u64) -> u64 {
    let hash = digest(&SHA256, &n.to_be_bytes());
    u64::from_be_bytes(hash.as_ref()[..8].try_into().unwrap())
}

fn pick<T: Clone>(from: &[T], n: u64) -> T {
    from[usize::try_from(chance(n) % from.len() as u64).unwrap()].clone()
}

/// What stands in quotes in a table's definition: what its conditions compare with.
fn quoted(definition: &str) -> Vec<String> {
    definition.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The columns that hold truth in PostgreSQL, by name: numbers in SQLite, which would take any.
fn truths() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations/postgres");
    let files = std::fs::read_dir(folder).unwrap();
    let text: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(2).filter(|pair| pair[1].starts_with("boolean")).map(|pair| pair[0].to_owned()).collect()
}

/// Makes up rows until the database takes some, for every table there is: whatever the conditions are, some row fulfils them.
async fn fill(store: &SqlStore) {
    let mut write = store.engine.begin(&store.writer).await.unwrap();
    let schema = Schema::read(&mut write).await.unwrap();
    let truths = truths();
    let mut known: HashMap<String, Vec<Cell>> = HashMap::new();
    for table in &schema.tables {
        let definition = sql::query_scalar::<String>("select sql from sqlite_master where name = ?1");
        let definition = definition.bind(&table.name).fetch_one(&mut *write).await.unwrap();
        let parents = sql::query(
            "select \"from\" as here, \"table\" as there, \"to\" as named from pragma_foreign_key_list(?1)",
        );
        let parents = parents.bind(&table.name).fetch_all(&mut *write).await.unwrap();
        let parent = |column: &str| {
            let found = parents.iter().find(|row| row.try_get::<String>("here").unwrap() == column)?;
            let (there, named): (String, String) =
                (found.try_get("there").unwrap(), found.try_get("named").unwrap());
            known.get(&format!("{there}.{named}")).cloned()
        };
        let needed =
            sql::query_scalar::<String>("select name from pragma_table_xinfo(?1) where \"notnull\" = 1");
        let needed = needed.bind(&table.name).fetch_all(&mut *write).await.unwrap();
        let words = quoted(&definition);
        let only_one = definition.contains("only_one");
        let mut made: Vec<Vec<Cell>> = Vec::new();
        for n in 0..TRIES {
            if made.len() == if only_one { 1 } else { ROWS } {
                break;
            }
            let cell = |(place, column): (usize, &super::schema::Column)| {
                let n = (n * 64 + place as u64) * 16;
                if !needed.contains(&column.name) && chance(n).is_multiple_of(3) {
                    return Cell::Null;
                }
                match (parent(&column.name), column.kind) {
                    (Some(of), _) if !of.is_empty() => pick(&of, n + 1),
                    (_, Kind::Bytes) => Cell::Bytes(digest(&SHA256, &n.to_be_bytes()).as_ref().to_vec()),
                    (_, Kind::Integer | Kind::Truth) if truths.contains(&column.name) => {
                        Cell::Integer(pick(&[0, 1], n + 2))
                    }
                    (_, Kind::Integer | Kind::Truth) => {
                        Cell::Integer(pick(&[0, 1, 1, 2, 3, 24, 3600, i64::MAX - 9, n.cast_signed()], n + 2))
                    }
                    (_, Kind::Text) if !words.is_empty() && chance(n + 3).is_multiple_of(2) => {
                        Cell::Text(pick(&words, n + 4))
                    }
                    (_, Kind::Text) => Cell::Text(format!("{}{n}", pick(&TEXTS, n + 5))),
                }
            };
            let row: Vec<Cell> = table.columns.iter().enumerate().map(cell).collect();
            if insert(&mut write, table, &row).await {
                made.push(row);
            }
        }
        assert!(
            made.len() == ROWS || (only_one && !made.is_empty()),
            "no row could be made up for {definition}"
        );
        for (place, column) in table.columns.iter().enumerate() {
            let cells = made.iter().map(|row| row[place].clone()).filter(|cell| *cell != Cell::Null);
            known.insert(format!("{}.{}", table.name, column.name), cells.collect());
        }
    }
    // A policy refers to one of its versions, which refer to it: made up one by one, they do not fit.
    for statement in [
        "insert into policy_version (policy_id, number, document, created_at) select id, 77, 'x', 1 from managed_policy",
        "update managed_policy set default_version = 77",
    ] {
        sql::query(statement).execute(&mut *write).await.unwrap();
    }
    write.commit().await.unwrap();
}

async fn insert(write: &mut sql::Connection, table: &Table, row: &[Cell]) -> bool {
    let mut statement = sql::made(table.insert(1));
    for cell in row {
        statement = statement.bind(match cell.clone() {
            Cell::Bytes(bytes) => sql::Value::Bytes(Some(bytes)),
            Cell::Integer(number) => sql::Value::Integer(Some(number)),
            Cell::Null => sql::Value::Text(None),
            Cell::Text(text) => sql::Value::Text(Some(text)),
        });
    }
    statement.execute(write).await.is_ok()
}

/// Empties a store down to the schema, and fills every table.
async fn full(directory: &tempfile::TempDir) -> SqlStore {
    let store = file(directory, "full.db").await;
    let mut write = store.engine.begin(&store.writer).await.unwrap();
    for table in Schema::read(&mut write).await.unwrap().tables.iter().rev() {
        sql::made(format!("delete from {}", table.quoted())).execute(&mut *write).await.unwrap();
    }
    write.commit().await.unwrap();
    fill(&store).await;
    store
}

/// What a store holds.
async fn held(store: &SqlStore) -> Vec<(Moved, Option<i64>)> {
    let mut reading = store.readers.begin().await.unwrap();
    let schema = Schema::read(&mut reading).await.unwrap();
    let mut all = Vec::new();
    for table in &schema.tables {
        // Positions in the feed are one more than the last, which is never removed; only one database counts them, too.
        let last = table.last(&mut reading).await.unwrap().filter(|_| table.name != "change");
        let mut rows = rows::Reading::of(table, &mut reading);
        while rows.next().await.unwrap().is_some() {}
        all.push((rows.sum().of(table), last));
    }
    all
}

fn key(byte: u8) -> Secret<[u8; 32]> {
    Secret::new([byte; 32])
}

async fn exported(store: &SqlStore) -> Vec<u8> {
    let mut text = Vec::new();
    export(store, &mut text, &key(7), UnixTime::from_millis(0)).await.unwrap();
    text
}

async fn imported(
    store: &SqlStore,
    mut text: &[u8],
    key: &Secret<[u8; 32]>,
) -> Result<Vec<Moved>, TransferError> {
    import(store, &mut text, key).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_arrives_whole_in_the_other_database_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let first = full(&directory).await;
    let before = held(&first).await;
    for (table, _) in &before {
        assert!(table.rows > 0, "{} has no rows, so nothing says that it is moved", table.table);
    }
    let Some(server) = postgres::database().await else { return };
    let there = postgres::opened(&server).await;
    let moved = copy(&first, &there).await.unwrap();
    assert_eq!(moved, before.iter().map(|(table, _)| table.clone()).collect::<Vec<_>>());
    assert_eq!(held(&there).await, before);
    let back = file(&directory, "back.db").await;
    copy(&there, &back).await.unwrap();
    assert_eq!(held(&back).await, before);
    let again = file(&directory, "again.db").await;
    imported(&again, &exported(&there).await, &key(7)).await.unwrap();
    assert_eq!(held(&again).await, before);
    // It counts on from where it was.
    again.insert_user(&user(77)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_used_or_at_work_is_neither_filled_nor_copied() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (file(&directory, "a.db").await, file(&directory, "b.db").await);
    crate::store::account::Accounts::found(&first, &founding()).await.unwrap();
    let text = exported(&first).await;
    let lead = first.try_lead().await.unwrap();
    assert!(matches!(copy(&first, &second).await, Err(TransferError::Busy(_))), "a server is at work");
    drop(lead);
    let lead = second.try_lead().await.unwrap();
    assert!(matches!(copy(&first, &second).await, Err(TransferError::Busy(_))));
    assert!(matches!(imported(&second, &text, &key(7)).await, Err(TransferError::Busy(_))));
    drop(lead);
    second.insert_user(&user(5)).await.unwrap();
    assert!(matches!(copy(&first, &second).await, Err(TransferError::NotEmpty)));
    assert!(matches!(imported(&second, &text, &key(7)).await, Err(TransferError::NotEmpty)));
    assert_eq!(held(&second).await.iter().find(|(one, _)| one.table == "principal").unwrap().0.rows, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_whole_or_was_changed_leaves_the_store_empty() {
    let directory = tempfile::tempdir().unwrap();
    let first = file(&directory, "a.db").await;
    crate::store::account::Accounts::found(&first, &founding()).await.unwrap();
    let text = String::from_utf8(exported(&first).await).unwrap();
    assert!(!text.contains("AAAAA") || text.contains("base64"), "bytes are no text");
    let empty = file(&directory, "b.db").await;
    let untouched = held(&empty).await;
    let first_bytes = |count: usize| String::from_utf8_lossy(&text.as_bytes()[..count]).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let without = |from: usize, to: usize| {
        let rest = lines.iter().enumerate().filter(|(n, _)| !(from..to).contains(n));
        rest.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let row = lines.iter().position(|line| line.starts_with('[')).unwrap();
    let mut spoilt: Vec<String> = vec![
        String::new(),
        first_bytes(text.len() / 2),
        first_bytes(text.len() - 1),
        without(lines.len() - 1, lines.len()),
        without(row, row + 1),
        without(0, 1),
        format!("{text}\n"),
        text.replacen("\"portcullis_store\":1", "\"portcullis_store\":2", 1),
        text.replacen(&founding().account.name, "another", 1),
        text.replacen("\"version\":\"", "\"version\":\"9", 1),
    ];
    spoilt.extend((1..20).map(|n| first_bytes(text.len() * n / 20)));
    for one in &spoilt {
        let done = imported(&empty, one.as_bytes(), &key(7)).await;
        assert!(matches!(done, Err(TransferError::File(_) | TransferError::Differs(_))), "{done:?}");
        assert_eq!(held(&empty).await, untouched);
    }
    let other = imported(&empty, text.as_bytes(), &key(8)).await;
    assert!(other.unwrap_err().to_string().contains("another master key"));
    assert_eq!(held(&empty).await, untouched);
    imported(&empty, text.as_bytes(), &key(7)).await.unwrap();
    assert_eq!(held(&empty).await, held(&first).await);
}
