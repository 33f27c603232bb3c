//! `cr image-digests`: every manifest, by its whole digest, tagged or not.

use serde_json::Value;

use super::{image, region, shelf};
use crate::cli::args::shelf::ImageDigests;
use crate::cli::display::{self, Table, ago, size, tame};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::template::{Fault, Template, Value as Field};
use crate::cli::terminal::Io;
use crate::cli::wire::{self, ImageDigest};

/// A manifest in one repository; no text in it can move a terminal's cursor.
#[derive(Debug, Default)]
struct Row {
    repository: String,
    digest: String,
    manifest_type: String,
    tags: Vec<String>,
    created: i64,
    size: u64,
}

/// Reads a format; every field that it names is one of a manifest.
pub(in crate::cli) fn format(text: &str) -> Result<Template, Fault> {
    Template::read(text, &record(&Row::default()))
}

/// Lists every manifest that the caller may see, tagged or not.
pub(super) async fn list(io: &mut Io, session: &mut Session, list: ImageDigests) -> Result<(), Failure> {
    let mut display = list.formatted.display();
    display.quiet = list.quiet || list.format.is_some();
    let targeted = region::target(session, None).await?;
    io.announce(display, "Listing image digests...\n");
    let found = shelf::listed(session, &targeted, list.restrict.as_deref(), false).await?;
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<Row> = wire::rows::<ImageDigest>(&found)?.into_iter().flat_map(rows_of).collect();
    if let Some(format) = &list.format {
        return image::formatted(io, format, "image-digests", rows.iter().map(record));
    }
    if list.quiet {
        rows.iter().for_each(|row| io.line(format!("{}@{}", row.repository, row.digest)));
        return Ok(());
    }
    let mut table = Table::new(&["Repository", "Digest", "Tags", "Created", "Size"]);
    for row in &rows {
        let created = match row.created {
            0 => "-".to_owned(),
            at => ago(io.clock.now().seconds() - at),
        };
        table.row([&row.repository, &row.digest, &row.tags.join(","), &created, &size(row.size)]);
    }
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}

fn rows_of(found: ImageDigest) -> impl Iterator<Item = Row> {
    let (digest, manifest_type) = (tame(&found.id), tame(&found.manifest_type));
    let (created, size) = (found.created, found.size);
    found.repo_tags.into_iter().map(move |(repository, tags)| Row {
        repository: tame(&repository),
        digest: digest.clone(),
        manifest_type: manifest_type.clone(),
        tags: tags.keys().map(|tag| tame(tag)).collect(),
        created,
        size,
    })
}

/// What a format may name, in the order of IBM's plug-in. Nothing is known here of what is wrong with a manifest.
fn record(row: &Row) -> Field {
    let text = |text: &str| Field::Text(text.to_owned());
    let status =
        vec![("Status", text("-")), ("IssueCount", Field::number(0)), ("ExemptionCount", Field::number(0))];
    Field::Record(vec![
        ("Created", Field::number(row.created)),
        ("Digest", text(&row.digest)),
        ("ManifestType", text(&row.manifest_type)),
        ("Repository", text(&row.repository)),
        ("SecurityStatus", Field::Record(status)),
        ("Size", Field::number(row.size)),
        ("Tags", Field::List(row.tags.iter().map(|tag| text(tag)).collect())),
    ])
}
