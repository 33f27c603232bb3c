//! Rows on their way: read, added up, written.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use super::schema::{Column, Kind, Table};
use super::{Moved, TransferError};
use crate::store::{StoreError, sql};

/// How many values one statement binds at most.
const VALUES: usize = 600;

/// What one column of a row holds, in the kinds that both databases have: truth is 0 or 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cell {
    Bytes(Vec<u8>),
    Integer(i64),
    Null,
    Text(String),
}

/// A row.
pub(super) type Cells = Vec<Cell>;

/// What rows add up to, in whatever order they come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum {
    rows: u64,
    high: u128,
    low: u128,
}

impl Sum {
    fn add(&mut self, row: &[Cell]) {
        let mut bytes = Vec::new();
        for cell in row {
            let (kind, value): (u8, &[u8]) = match cell {
                Cell::Null => (0, &[]),
                Cell::Integer(number) => (1, &number.to_be_bytes()),
                Cell::Text(text) => (2, text.as_bytes()),
                Cell::Bytes(value) => (3, value),
            };
            bytes.push(kind);
            bytes.extend((value.len() as u64).to_be_bytes());
            bytes.extend(value);
        }
        let hash = digest(&SHA256, &bytes);
        let lane =
            |half: Option<&[u8]>| half.and_then(|half| half.try_into().ok()).map_or(0, u128::from_be_bytes);
        self.rows += 1;
        self.high = self.high.wrapping_add(lane(hash.as_ref().get(..16)));
        self.low = self.low.wrapping_add(lane(hash.as_ref().get(16..)));
    }

    /// How many rows, and what they add up to.
    pub(super) fn told(&self) -> (u64, String) {
        let bytes = [self.high.to_be_bytes(), self.low.to_be_bytes()].concat();
        (self.rows, HEXLOWER.encode(&bytes))
    }

    pub(super) fn of(&self, table: &Table) -> Moved {
        let (rows, digest) = self.told();
        Moved { table: table.name.clone(), rows, digest }
    }
}

/// Reads a table.
pub(super) struct Reading<'a> {
    columns: &'a [Column],
    rows: BoxStream<'a, Result<sql::Row, sqlx::Error>>,
    sum: Sum,
}

impl<'a> Reading<'a> {
    pub(super) fn of(table: &'a Table, connection: &'a mut sql::Connection) -> Self {
        Self {
            columns: &table.columns,
            rows: sql::made(table.select()).fetch(connection),
            sum: Sum::default(),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Cells>, TransferError> {
        let Some(row) = self.rows.next().await.transpose()? else { return Ok(None) };
        let cells = self.columns.iter().map(|column| read(&row, column)).collect::<Result<Cells, _>>()?;
        self.sum.add(&cells);
        Ok(Some(cells))
    }

    /// What was read so far.
    pub(super) fn sum(&self) -> Sum {
        self.sum.clone()
    }
}

fn read(row: &sql::Row, column: &Column) -> Result<Cell, sqlx::Error> {
    let name = column.name.as_str();
    Ok(match column.kind {
        Kind::Bytes => row.try_get::<Option<Vec<u8>>>(name)?.map_or(Cell::Null, Cell::Bytes),
        Kind::Integer => row.try_get::<Option<i64>>(name)?.map_or(Cell::Null, Cell::Integer),
        Kind::Text => row.try_get::<Option<String>>(name)?.map_or(Cell::Null, Cell::Text),
        Kind::Truth => {
            row.try_get::<Option<bool>>(name)?.map_or(Cell::Null, |truth| Cell::Integer(truth.into()))
        }
    })
}

/// Writes a table.
pub(super) struct Filling<'a> {
    table: &'a Table,
    connection: &'a mut sql::Connection,
    sums: &'a mut Vec<(Table, Sum)>,
    waiting: Vec<Cells>,
    sum: Sum,
}

impl<'a> Filling<'a> {
    pub(super) fn of(
        table: &'a Table,
        connection: &'a mut sql::Connection,
        sums: &'a mut Vec<(Table, Sum)>,
    ) -> Self {
        Self { table, connection, sums, waiting: Vec::new(), sum: Sum::default() }
    }

    pub(super) async fn add(&mut self, row: Cells) -> Result<(), TransferError> {
        if row.len() != self.table.columns.len() {
            return Err(TransferError::OtherSchema);
        }
        self.sum.add(&row);
        self.waiting.push(row);
        if self.waiting.len() * self.table.columns.len() >= VALUES {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), TransferError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut insert = sql::made(self.table.insert(self.waiting.len()));
        for row in self.waiting.drain(..) {
            for (cell, column) in row.into_iter().zip(&self.table.columns) {
                insert = insert.bind(value(cell, column).ok_or_else(|| wrong(self.table, column))?);
            }
        }
        insert.execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Writes what waits, and goes on counting from `last`. What was written in all.
    pub(super) async fn end(mut self, last: Option<i64>) -> Result<Sum, TransferError> {
        self.write().await?;
        if let Some(last) = last {
            self.table.count_on(last, &mut *self.connection).await?;
        }
        self.sums.push((self.table.clone(), self.sum.clone()));
        Ok(self.sum)
    }
}

/// A cell as the column takes it; `None` if it does not.
fn value(cell: Cell, column: &Column) -> Option<sql::Value> {
    Some(match (column.kind, cell) {
        (Kind::Bytes, Cell::Bytes(bytes)) => sql::Value::Bytes(Some(bytes)),
        (Kind::Bytes, Cell::Null) => sql::Value::Bytes(None),
        (Kind::Integer, Cell::Integer(number)) => sql::Value::Integer(Some(number)),
        (Kind::Integer, Cell::Null) => sql::Value::Integer(None),
        (Kind::Text, Cell::Text(text)) => sql::Value::Text(Some(text)),
        (Kind::Text, Cell::Null) => sql::Value::Text(None),
        (Kind::Truth, Cell::Integer(number @ 0..=1)) => sql::Value::Truth(Some(number == 1)),
        (Kind::Truth, Cell::Null) => sql::Value::Truth(None),
        (Kind::Bytes | Kind::Integer | Kind::Text | Kind::Truth, _) => return None,
    })
}

fn wrong(table: &Table, column: &Column) -> StoreError {
    StoreError::Corrupt(format!("{}.{} does not take what is there", table.name, column.name))
}
