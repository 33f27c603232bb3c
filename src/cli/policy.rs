//! `policy lint`: what is odd about a document, with its place, in the form that compilers use. It asks no server.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::args::policy::{DocumentKind, Lint};
use super::display::{self, tame};
use super::failure::Failure;
use super::terminal::Io;
use crate::policy::aws::json::Position;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::lint::{Level, ibm, lint as remarks};
use crate::policy::table::product;

/// More than any document may have, in bytes; nothing beyond it is read.
const BYTES_MAX: u64 = 1 << 20;

/// One line of the report.
struct Remark {
    level: Level,
    problem: &'static str,
    position: Position,
    text: String,
}

/// Reports on one document.
pub(super) fn lint(io: &mut Io, lint: &Lint) -> Result<(), Failure> {
    let text = read(io, &lint.file)?;
    let remarks = judged(&text, lint.kind.unwrap_or_else(|| likely(&text)));
    let errors = remarks.iter().filter(|remark| remark.level == Level::Error).count();
    if lint.formatted.display().is_json() {
        io.line(display::json(&remarks.iter().map(shape).collect()));
    } else {
        let name = tame(&lint.file.to_string_lossy());
        remarks.iter().for_each(|remark| io.line(line(&name, remark)));
        io.ok(lint.formatted.display());
    }
    if errors == 0 {
        return Ok(());
    }
    let what = format!("The document has {errors} error{}.", if errors == 1 { "" } else { "s" });
    Err(Failure::new(what, "Change what the lines above name, and run the command again."))
}

fn read(io: &mut Io, file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let done = if file == Path::new("-") {
        io.input.by_ref().take(BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    let name = tame(&file.to_string_lossy());
    let unread = |why: String| {
        Failure::new(
            format!("{name} cannot be read: {why}."),
            "Name a policy document, or `-` to pipe it in.",
        )
    };
    done.map_err(|error| unread(error.to_string()))?;
    if bytes.len() > usize::try_from(BYTES_MAX).unwrap_or(usize::MAX) {
        return Err(unread("it is larger than any policy may be".to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| unread("it is not UTF-8".to_owned()))
}

/// What a text that nothing is said about will be. AWS's elements are never called like this.
fn likely(text: &str) -> DocumentKind {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let ibm = ["roles", "control", "resources"].iter().any(|key| value.get(key).is_some());
    if ibm { DocumentKind::Ibm } else { DocumentKind::Identity }
}

fn judged(text: &str, kind: DocumentKind) -> Vec<Remark> {
    let found = match kind {
        DocumentKind::Ibm => ibm::lint(text).map_err(|not| invalid(not.position, not.advice)),
        // No limit of its own: how long one may be depends on what it is attached to.
        DocumentKind::Identity => aws(text, Kind::Inline),
        DocumentKind::Resource => aws(text, Kind::Repository),
        DocumentKind::Trust => aws(text, Kind::Trust),
    };
    let remark = |one: crate::policy::lint::Finding| Remark {
        level: one.problem.level(),
        problem: one.problem.name(),
        position: one.position,
        text: one.advice,
    };
    match found {
        Ok(found) => found.into_iter().map(remark).collect(),
        Err(remark) => vec![remark],
    }
}

fn aws(text: &str, kind: Kind) -> Result<Vec<crate::policy::lint::Finding>, Remark> {
    let document = validate::read(text, kind).map_err(|refused| {
        let position = Position { line: refused.line, column: refused.column };
        invalid(position, format!("{} {}", refused.message, refused.advice))
    })?;
    Ok(remarks(&document, product()))
}

fn invalid(position: Position, text: String) -> Remark {
    Remark { level: Level::Error, problem: "invalid", position, text }
}

const fn called(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn line(name: &str, remark: &Remark) -> String {
    let Position { line, column } = remark.position;
    let (level, text) = (called(remark.level), tame(&remark.text));
    format!("{name}:{line}:{column}: {level}: {text} [{}]", remark.problem)
}

fn shape(remark: &Remark) -> Value {
    json!({
        "level": called(remark.level), "problem": remark.problem,
        "line": remark.position.line, "column": remark.position.column, "message": remark.text,
    })
}
