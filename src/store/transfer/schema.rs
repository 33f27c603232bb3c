//! Which tables there are, as the database itself says: their columns, keys, and what they refer to.

use std::collections::BTreeSet;

use crate::store::sql;

/// The tables, each after those that it refers to.
pub(super) struct Schema {
    pub(super) tables: Vec<Table>,
}

/// A table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Table {
    pub(super) name: String,
    /// Those that are not computed, by name.
    pub(super) columns: Vec<Column>,
    /// The column that the database counts, if there is one.
    counted: Option<String>,
    key: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Bytes,
    Integer,
    Text,
    /// A whole number where the other database has no truth.
    Truth,
}

/// How one kind of database is asked.
struct Words {
    tables: &'static str,
    /// Name, type, place in the primary key or 0, of those that are not computed; `?1` is the table.
    columns: &'static str,
    /// The primary key's columns in order.
    key: &'static str,
    /// The tables that it refers to, unless that is looked at only when the transaction ends.
    parents: &'static str,
    /// The column that is counted.
    counted: &'static str,
}

const SQLITE: Words = Words {
    tables: "select name from sqlite_master where type = 'table' and name not like 'sqlite!_%' escape '!' \
             and name <> '_sqlx_migrations' order by name",
    columns: "select name, lower(type) as kind from pragma_table_xinfo(?1) where hidden = 0 order by name",
    key: "select name from pragma_table_xinfo(?1) where pk > 0 order by pk",
    parents: "select distinct \"table\" as name from pragma_foreign_key_list(?1) as refers where not exists \
              (select 1 from sqlite_master where name = ?1 \
              and sql like '%references ' || refers.\"table\" || ' (%) deferrable initially deferred%')",
    counted: "select info.name from pragma_table_xinfo(?1) as info where info.pk = 1 and lower(info.type) = 'integer' \
              and (select count(*) from pragma_table_xinfo(?1) as other where other.pk > 0) = 1",
};

const POSTGRES: Words = Words {
    tables: "select table_name::text as name from information_schema.tables where table_schema = current_schema() \
             and table_type = 'BASE TABLE' and table_name <> 'schema_step' order by table_name::text collate \"C\"",
    columns: "select column_name::text as name, data_type::text as kind from information_schema.columns \
              where table_schema = current_schema() and table_name = ?1 and is_generated = 'NEVER' \
              order by column_name::text collate \"C\"",
    key: "select attname::text as name from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey) \
          where indrelid = (quote_ident(?1))::regclass and indisprimary order by array_position(indkey::int2[], attnum)",
    parents: "select distinct confrelid::regclass::text as name from pg_constraint \
              where contype = 'f' and not condeferred and conrelid = (quote_ident(?1))::regclass",
    counted: "select column_name::text as name from information_schema.columns \
              where table_schema = current_schema() and table_name = ?1 and is_identity = 'YES'",
};

impl Schema {
    /// Asks.
    pub(super) async fn read(connection: &mut sql::Connection) -> Result<Self, sqlx::Error> {
        let words = match connection {
            sql::Connection::Postgres(_) => POSTGRES,
            sql::Connection::Sqlite(_) => SQLITE,
        };
        let mut unsorted = Vec::new();
        let names: Vec<String> = sql::query_scalar(words.tables).fetch_all(&mut *connection).await?;
        for name in names {
            let parents = sql::query_scalar(words.parents).bind(&name);
            let parents: Vec<String> = parents.fetch_all(&mut *connection).await?;
            unsorted.push((Table::read(name, connection, &words).await?, parents));
        }
        Ok(Self { tables: sorted(unsorted) })
    }

    /// Whether rows of one fit into the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let named = |schema: &Self| -> BTreeSet<(String, Vec<String>)> {
            schema.tables.iter().map(|table| (table.name.clone(), table.names())).collect()
        };
        named(self) == named(other)
    }
}

impl Table {
    async fn read(
        name: String,
        connection: &mut sql::Connection,
        words: &Words,
    ) -> Result<Self, sqlx::Error> {
        let found = sql::query(words.columns).bind(&name).fetch_all(&mut *connection).await?;
        let column = |row: &sql::Row| {
            let (name, kind): (String, String) = (row.try_get("name")?, row.try_get("kind")?);
            let kind = Kind::of(&kind).ok_or_else(|| {
                sqlx::Error::Protocol(format!("the column {name} is of a type that is not known: {kind}"))
            })?;
            Ok::<_, sqlx::Error>(Column { name, kind })
        };
        let columns = found.iter().map(column).collect::<Result<_, _>>()?;
        let key = sql::query_scalar(words.key).bind(&name).fetch_all(&mut *connection).await?;
        let counted = sql::query_scalar(words.counted).bind(&name).fetch_optional(&mut *connection).await?;
        Ok(Self { name, columns, counted, key })
    }

    /// The columns' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Its name in a statement.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// Finds all rows, in the order of the key.
    pub(super) fn select(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let key: Vec<String> = self.key.iter().map(|name| quoted(name)).collect();
        let order = if key.is_empty() { String::new() } else { format!(" order by {}", key.join(", ")) };
        format!("select {} from {}{order}", columns.join(", "), self.quoted())
    }

    /// Inserts so many rows.
    pub(super) fn insert(&self, rows: usize) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let width = columns.len();
        let row = |number: usize| {
            let values: Vec<String> = (1..=width).map(|n| format!("?{}", number * width + n)).collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("insert into {} ({}) values {}", self.quoted(), columns.join(", "), rows.join(", "))
    }

    /// The last number that the database has given out, also if its row is gone: none is given twice.
    pub(super) async fn last(&self, connection: &mut sql::Connection) -> Result<Option<i64>, sqlx::Error> {
        let Some(counted) = &self.counted else { return Ok(None) };
        let given = match connection {
            sql::Connection::Postgres(_) => sql::query_scalar(
                "select pg_sequence_last_value(pg_get_serial_sequence(quote_ident(?1), ?2)::regclass)",
            )
            .bind(&self.name)
            .bind(counted),
            sql::Connection::Sqlite(_) => {
                sql::query_scalar("select seq from sqlite_sequence where name = ?1").bind(&self.name)
            }
        };
        let given: Option<Option<i64>> = given.fetch_optional(&mut *connection).await?;
        let most = sql::made(format!("select max({}) as most from {}", quoted(counted), self.quoted()));
        let most: Option<i64> = most.fetch_one(connection).await?.try_get("most")?;
        Ok(given.flatten().max(most))
    }

    /// Goes on counting from there.
    pub(super) async fn count_on(
        &self,
        last: i64,
        connection: &mut sql::Connection,
    ) -> Result<(), sqlx::Error> {
        let Some(counted) = &self.counted else { return Ok(()) };
        match connection {
            sql::Connection::Postgres(_) => {
                let set =
                    sql::query("select setval(pg_get_serial_sequence(quote_ident(?1), ?2)::regclass, ?3)");
                set.bind(&self.name).bind(counted).bind(last).execute(connection).await?;
            }
            sql::Connection::Sqlite(_) => {
                let forget = sql::query("delete from sqlite_sequence where name = ?1").bind(&self.name);
                forget.execute(&mut *connection).await?;
                let set = sql::query("insert into sqlite_sequence (name, seq) values (?1, ?2)");
                set.bind(&self.name).bind(last).execute(connection).await?;
            }
        }
        Ok(())
    }
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        match text {
            "blob" | "bytea" => Some(Self::Bytes),
            "integer" | "bigint" => Some(Self::Integer),
            "text" => Some(Self::Text),
            "boolean" => Some(Self::Truth),
            _ => None,
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Each after those that it refers to; by name where that leaves a choice, so that both databases come to the same order.
fn sorted(mut waiting: Vec<(Table, Vec<String>)>) -> Vec<Table> {
    let mut done: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_done =
            |name: &String, of: &Table| *name == of.name || done.iter().any(|table| table.name == *name);
        let ready = |(table, parents): &(Table, Vec<String>)| parents.iter().all(|name| is_done(name, table));
        // If they refer to one another in a circle, the database will say so.
        let next = waiting.iter().position(ready).unwrap_or(0);
        done.push(waiting.remove(next).0);
    }
    done
}
