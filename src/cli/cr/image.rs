//! `cr image-list`.

use serde_json::Value;

use super::region;
use crate::cli::args::cr::ImageList;
use crate::cli::display::{self, Display, Table, ago, size};
use crate::cli::failure::Failure;
use crate::cli::http::form;
use crate::cli::session::Session;
use crate::cli::template::{Fault, Template, Value as Field};
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Image};

/// How much of a digest is shown, in hex digits.
const SHORT: usize = 12;

/// The columns of the table.
const HEADINGS: [&str; 8] =
    ["Repository", "Tag", "Digest", "Namespace", "Manifest Type", "Created", "Size", "Security status"];

/// Lists the tagged images that the caller may see.
pub(super) async fn list(io: &mut Io, session: &mut Session, list: ImageList) -> Result<(), Failure> {
    let mut display = list.formatted.display();
    display.quiet = list.quiet || list.format.is_some();
    let targeted = region::target(session, None).await?;
    io.announce(display, "Listing images...\n");
    let mut fields = Vec::new();
    if list.no_va {
        fields.push(("vulnerabilities", "false"));
    }
    if let Some(restrict) = &list.restrict {
        let restrict = restrict.strip_prefix(&format!("{}/", targeted.host())).unwrap_or(restrict);
        fields.push((if restrict.contains('/') { "repository" } else { "namespace" }, restrict));
    }
    let path = match fields.is_empty() {
        true => "/api/v1/images".to_owned(),
        false => format!("/api/v1/images?{}", form(&fields)),
    };
    let answer = targeted.read(session, &path).await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let Value::Array(images) = &answer else { return Err(Failure::misunderstood("the images are no list")) };
    let rows = rows(&wire::rows(images)?);
    match &list.format {
        Some(format) => formatted(io, format, "image-list", rows.iter().map(record)),
        None => {
            shown(io, &rows, &list, display);
            Ok(())
        }
    }
}

/// One line for each image, none for those for which the template prints nothing.
pub(super) fn formatted(
    io: &mut Io,
    format: &Template,
    verb: &str,
    records: impl Iterator<Item = Field>,
) -> Result<(), Failure> {
    for record in records {
        let line = format.fill(&record).map_err(|fault| {
            let next = format!("`portcullis cr {verb} --help` names the fields and shows how it is written.");
            Failure::usage(format!("The format cannot be used: {fault}."), next)
        })?;
        if !line.is_empty() {
            io.line(line);
        }
    }
    Ok(())
}

/// Reads a format; every field that it names is one of an image.
pub(in crate::cli) fn format(text: &str) -> Result<Template, Fault> {
    Template::read(text, &record(&Row::default()))
}

fn shown(io: &mut Io, rows: &[Row], list: &ImageList, display: Display) {
    if list.quiet {
        rows.iter().for_each(|row| io.line(format!("{}:{}", row.repository, row.tag)));
        return;
    }
    if rows.is_empty() {
        io.line("There are no images that you may see. `docker push` adds one; see `portcullis cr login`.");
    } else {
        io.line(table(rows, list, io.clock.now().seconds()).render());
    }
    io.line("");
    io.ok(display);
}

/// An image under one of its tags; no text in it can move a terminal's cursor.
#[derive(Clone, Debug, Default)]
struct Row {
    repository: String,
    tag: String,
    digest: String,
    namespace: String,
    manifest_type: String,
    created: i64,
    size: u64,
    status: String,
    issues: u64,
    exempt: u64,
}

fn rows(images: &[Image]) -> Vec<Row> {
    let mut rows: Vec<Row> = images.iter().flat_map(rows_of).collect();
    rows.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
    rows
}

fn rows_of(image: &Image) -> impl Iterator<Item = Row> {
    let listed = image
        .repo_digests
        .first()
        .and_then(|digest| digest.split_once('@'))
        .map(|(_, digest)| digest.to_owned());
    let digest = listed.or_else(|| image.digest_tags.keys().next().cloned()).unwrap_or_default();
    let status = match (image.vulnerable.as_deref(), image.issue_count) {
        (_, Some(1)) => "1 Issue".to_owned(),
        (Some("false"), _) | (_, Some(0)) => "No Issues".to_owned(),
        (_, Some(count)) => format!("{count} Issues"),
        (Some(_) | None, None) => "-".to_owned(),
    };
    let row = Row {
        digest: display::tame(&digest),
        manifest_type: display::tame(&image.manifest_type),
        created: image.created,
        size: image.size,
        status,
        issues: image.issue_count.unwrap_or_default(),
        exempt: image.exempt_issue_count.unwrap_or_default(),
        ..Row::default()
    };
    image.repo_tags.iter().filter_map(move |name| {
        let (repository, tag) = name.rsplit_once(':')?;
        let mut parts = repository.splitn(3, '/').skip(1);
        Some(Row {
            repository: display::tame(repository),
            tag: display::tame(tag),
            namespace: display::tame(parts.next().unwrap_or_default()),
            ..row.clone()
        })
    })
}

/// What a format may name, in the order of IBM's plug-in.
fn record(row: &Row) -> Field {
    let text = |text: &str| Field::Text(text.to_owned());
    let status = vec![
        ("Status", text(&row.status)),
        ("IssueCount", Field::number(row.issues)),
        ("ExemptionCount", Field::number(row.exempt)),
    ];
    Field::Record(vec![
        ("Created", Field::number(row.created)),
        ("Digest", text(&row.digest)),
        ("ManifestType", text(&row.manifest_type)),
        ("Namespace", text(&row.namespace)),
        ("Repository", text(&row.repository)),
        ("SecurityStatus", Field::Record(status)),
        ("Size", Field::number(row.size)),
        ("Tag", text(&row.tag)),
    ])
}

fn table(rows: &[Row], list: &ImageList, now: i64) -> Table {
    let wanted = |heading: &&str| match *heading {
        "Manifest Type" => list.show_type,
        "Security status" => !list.no_va,
        _ => true,
    };
    let headings: Vec<&str> = HEADINGS.into_iter().filter(wanted).collect();
    let mut table = Table::new(&headings);
    for row in rows {
        let hex = row.digest.split_once(':').map_or(row.digest.as_str(), |(_, hex)| hex);
        let digest = if list.no_trunc { row.digest.as_str() } else { hex.get(..SHORT).unwrap_or(hex) };
        let created = if row.created > 0 { ago(now - row.created) } else { "-".to_owned() };
        let size = size(row.size);
        let cells = [
            row.repository.as_str(),
            &row.tag,
            digest,
            &row.namespace,
            &row.manifest_type,
            &created,
            &size,
            &row.status,
        ];
        let cells = HEADINGS.into_iter().zip(cells).filter(|(heading, _)| wanted(heading));
        table.row(cells.map(|(_, cell)| cell));
    }
    table
}
