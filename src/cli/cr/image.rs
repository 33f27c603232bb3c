//! `cr image-list`.

use serde_json::Value;

use super::region;
use crate::cli::args::cr::ImageList;
use crate::cli::display::{self, Table, ago, size};
use crate::cli::failure::Failure;
use crate::cli::http::form;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Image};

/// How much of a digest is shown, in hex digits.
const SHORT: usize = 12;

/// Lists the tagged images that the caller may see.
pub(super) async fn list(io: &mut Io, session: &mut Session, list: ImageList) -> Result<(), Failure> {
    let mut display = list.formatted.display();
    display.quiet = list.quiet;
    let targeted = region::target(session, None).await?;
    io.announce(display, "Listing images...\n");
    let mut path = "/api/v1/images".to_owned();
    if let Some(restrict) = &list.restrict {
        let restrict = restrict.strip_prefix(&format!("{}/", targeted.host())).unwrap_or(restrict);
        let field = if restrict.contains('/') { "repository" } else { "namespace" };
        path = format!("{path}?{}", form(&[(field, restrict)]));
    }
    let answer = targeted.read(session, &path).await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let Value::Array(images) = &answer else { return Err(Failure::misunderstood("the images are no list")) };
    let rows = rows(&wire::rows(images)?, io.clock.now().seconds());
    if list.quiet {
        rows.iter().for_each(|row| io.line(display::tame(&format!("{}:{}", row.repository, row.tag))));
        return Ok(());
    }
    if rows.is_empty() {
        io.line("There are no images that you may see. `docker push` adds one; see `portcullis cr login`.");
    } else {
        io.line(table(&rows, &list).render());
    }
    io.line("");
    io.ok(display);
    Ok(())
}

#[derive(Debug)]
struct Row {
    repository: String,
    tag: String,
    digest: String,
    namespace: String,
    created: String,
    size: String,
    status: String,
}

fn rows(images: &[Image], now: i64) -> Vec<Row> {
    let mut rows: Vec<Row> = images.iter().flat_map(|image| rows_of(image, now)).collect();
    rows.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
    rows
}

fn rows_of(image: &Image, now: i64) -> impl Iterator<Item = Row> {
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
    let created = if image.created > 0 { ago(now - image.created) } else { "-".to_owned() };
    image.repo_tags.iter().filter_map(move |name| {
        let (repository, tag) = name.rsplit_once(':')?;
        let mut parts = repository.splitn(3, '/').skip(1);
        Some(Row {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: digest.clone(),
            namespace: parts.next().unwrap_or_default().to_owned(),
            created: created.clone(),
            size: size(image.size),
            status: status.clone(),
        })
    })
}

fn table(rows: &[Row], list: &ImageList) -> Table {
    let headings = ["Repository", "Tag", "Digest", "Namespace", "Created", "Size", "Security status"];
    let columns = if list.no_va { headings.len() - 1 } else { headings.len() };
    let mut table = Table::new(headings.get(..columns).unwrap_or(&headings));
    for row in rows {
        let hex = row.digest.split_once(':').map_or(row.digest.as_str(), |(_, hex)| hex);
        let digest = if list.no_trunc { row.digest.as_str() } else { hex.get(..SHORT).unwrap_or(hex) };
        let cells = [&row.repository, &row.tag, digest, &row.namespace, &row.created, &row.size, &row.status];
        table.row(cells.into_iter().take(columns));
    }
    table
}
