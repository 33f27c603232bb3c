//! The file of an export: a line of JSON for each table, row and end, and at last a code over all of it.
//!
//! The code is made with a key of the installation, so a file that ends early or was changed by anybody else is refused; what was sealed
//! in the store is sealed in the file.

use std::io::{BufRead, Read, Write};

use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TransferError;
use super::rows::{Cell, Cells, Sum};
use super::schema::Table;
use crate::clock::UnixTime;
use crate::secret::Secret;

/// The form of the file.
const FORM: u32 = 1;

/// How long a line is at most: longer than any row.
const LINE_MAX: u64 = 256 << 20;

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
struct Head {
    portcullis_store: u32,
    version: String,
    at: String,
}

/// The other lines.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Wire {
    Row(Vec<Value>),
    Table { table: String, columns: Vec<String> },
    End { end: String, rows: u64, digest: String, last: Option<i64> },
    Whole { tables: usize, code: String },
}

/// A line.
#[derive(Debug)]
pub(super) enum Line {
    Row(Cells),
    Table { name: String, columns: Vec<String> },
    End { name: String, sum: (u64, String), last: Option<i64> },
    Whole { tables: usize, code: String },
}

impl Line {
    pub(super) fn table(table: &Table) -> Self {
        Self::Table { name: table.name.clone(), columns: table.names() }
    }

    pub(super) fn row(row: &[Cell]) -> Self {
        Self::Row(row.to_vec())
    }

    pub(super) fn end(table: &Table, sum: &Sum, last: Option<i64>) -> Self {
        Self::End { name: table.name.clone(), sum: sum.told(), last }
    }

    fn written(&self) -> Wire {
        match self {
            Self::Row(cells) => Wire::Row(cells.iter().map(written).collect()),
            Self::Table { name, columns } => Wire::Table { table: name.clone(), columns: columns.clone() },
            Self::End { name, sum: (rows, digest), last } => {
                Wire::End { end: name.clone(), rows: *rows, digest: digest.clone(), last: *last }
            }
            Self::Whole { tables, code } => Wire::Whole { tables: *tables, code: code.clone() },
        }
    }

    fn read(wire: Wire) -> Result<Self, TransferError> {
        Ok(match wire {
            Wire::Row(values) => Self::Row(values.into_iter().map(cell).collect::<Result<_, _>>()?),
            Wire::Table { table, columns } => Self::Table { name: table, columns },
            Wire::End { end, rows, digest, last } => Self::End { name: end, sum: (rows, digest), last },
            Wire::Whole { tables, code } => Self::Whole { tables, code },
        })
    }
}

/// Bytes stand in an object, so that they are no text.
fn written(cell: &Cell) -> Value {
    match cell {
        Cell::Bytes(bytes) => serde_json::json!({"base64": BASE64.encode(bytes)}),
        Cell::Integer(number) => Value::from(*number),
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
    }
}

fn cell(value: Value) -> Result<Cell, TransferError> {
    let strange = || broken("a row holds what no row holds");
    Ok(match value {
        Value::Null => Cell::Null,
        Value::Number(number) => Cell::Integer(number.as_i64().ok_or_else(strange)?),
        Value::String(text) => Cell::Text(text),
        Value::Object(fields) => {
            let text = fields.get("base64").and_then(Value::as_str).ok_or_else(strange)?;
            Cell::Bytes(BASE64.decode(text.as_bytes()).map_err(|_| strange())?)
        }
        Value::Array(_) | Value::Bool(_) => return Err(strange()),
    })
}

/// The file is no whole export.
pub(super) fn broken(because: &str) -> TransferError {
    TransferError::File(format!("the file is not a whole export: {because}"))
}

fn context(key: &Secret<[u8; 32]>) -> hmac::Context {
    hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
}

/// Writes a file.
pub(super) struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    code: hmac::Context,
}

impl<'a> Writer<'a> {
    pub(super) fn begin(
        out: &'a mut (dyn Write + Send),
        key: &Secret<[u8; 32]>,
        now: UnixTime,
    ) -> Result<Self, TransferError> {
        let mut writer = Self { out, code: context(key) };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        writer.json(&Head { portcullis_store: FORM, version, at: now.rfc3339() })?;
        Ok(writer)
    }

    pub(super) fn line(&mut self, line: &Line) -> Result<(), TransferError> {
        self.json(&line.written())
    }

    fn json(&mut self, line: &impl Serialize) -> Result<(), TransferError> {
        let mut text = serde_json::to_vec(line).map_err(std::io::Error::from)?;
        text.push(b'\n');
        self.code.update(&text);
        Ok(self.out.write_all(&text)?)
    }

    pub(super) fn end(mut self, tables: usize) -> Result<(), TransferError> {
        let code = HEXLOWER.encode(self.code.clone().sign().as_ref());
        self.line(&Line::Whole { tables, code })?;
        Ok(self.out.flush()?)
    }
}

/// Reads a file.
pub(super) struct Reader<'a> {
    input: &'a mut (dyn BufRead + Send),
    code: hmac::Context,
}

impl<'a> Reader<'a> {
    pub(super) fn begin(
        input: &'a mut (dyn BufRead + Send),
        key: &Secret<[u8; 32]>,
    ) -> Result<Self, TransferError> {
        let mut reader = Self { input, code: context(key) };
        let head = reader.text()?;
        reader.code.update(&head);
        let head: Head = serde_json::from_slice(&head).map_err(|_| broken("it does not begin like one"))?;
        if head.portcullis_store != FORM {
            let text = format!(
                "the file is of a form that this version does not read: version {} wrote it",
                head.version
            );
            return Err(TransferError::File(text));
        }
        Ok(reader)
    }

    /// The next line must begin this table.
    pub(super) fn begin_table(&mut self, table: &Table) -> Result<(), TransferError> {
        match self.read()? {
            Line::Table { name, columns } if name == table.name && columns == table.names() => Ok(()),
            Line::Table { name, .. } => Err(TransferError::File(format!(
                "the file has the tables of another version (at {name}): import it with the version that wrote it, into a \
                 store of its own, and start this version on that"
            ))),
            Line::Row(_) | Line::End { .. } | Line::Whole { .. } => Err(broken("a table is missing")),
        }
    }

    /// A row of this table, or its end.
    pub(super) fn next(&mut self, table: &Table) -> Result<Line, TransferError> {
        match self.read()? {
            Line::End { name, .. } if name != table.name => Err(broken("a table has no end")),
            line => Ok(line),
        }
    }

    /// The last line must be true of all before it.
    pub(super) fn end(mut self, expected: usize) -> Result<(), TransferError> {
        let key = self.code.clone().sign();
        let Line::Whole { tables, code } = self.read()? else {
            return Err(broken("it does not end like one"));
        };
        let same = HEXLOWER
            .decode(code.as_bytes())
            .is_ok_and(|code| aws_lc_rs::constant_time::verify_slices_are_equal(&code, key.as_ref()).is_ok());
        if !same || tables != expected {
            let text =
                "the file was changed after it was written, or by an installation with another master key";
            return Err(TransferError::File(text.to_owned()));
        }
        let mut more = [0];
        if self.input.read(&mut more)? > 0 { Err(broken("something follows its end")) } else { Ok(()) }
    }

    fn read(&mut self) -> Result<Line, TransferError> {
        let text = self.text()?;
        self.code.update(&text);
        let wire = serde_json::from_slice(&text).map_err(|_| broken("a line is none of its lines"))?;
        Line::read(wire)
    }

    fn text(&mut self) -> Result<Vec<u8>, TransferError> {
        let mut text = Vec::new();
        (&mut *self.input).take(LINE_MAX).read_until(b'\n', &mut text)?;
        if text.last() == Some(&b'\n') { Ok(text) } else { Err(broken("it ends in the middle")) }
    }
}
