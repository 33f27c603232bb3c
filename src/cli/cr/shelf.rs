//! `cr image-inspect`, `-rm`, `-untag`, `-tag`, `-restore`, `-prune-untagged`, `manifest-inspect` and `trash-list`.

use http::Method;
use serde_json::{Value, json};

use super::region::{self, Targeted};
use crate::cli::args::shelf::{ImageNames, ImageRestore, ImageTag, Inspection, PruneUntagged, TrashList};
use crate::cli::display::{self, Display, Table, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, ImageDigest, Trashed};

/// How many images are deleted in one call.
const AT_ONCE: usize = 500;

/// The image's name with the registry's host; without a tag, `latest` is meant.
pub(super) fn named(targeted: &Targeted, image: &str) -> String {
    let host = targeted.host();
    let bare = image.strip_prefix(&format!("{host}/")).unwrap_or(image);
    let last = bare.rsplit('/').next().unwrap_or(bare);
    let tag = if last.contains([':', '@']) { "" } else { ":latest" };
    format!("{host}/{bare}{tag}")
}

/// The rows of `POST /api/v1/images/digests`, restricted to a namespace or a repository.
pub(super) async fn listed(
    session: &mut Session,
    targeted: &Targeted,
    restrict: Option<&str>,
    untagged_only: bool,
) -> Result<Vec<Value>, Failure> {
    let host = targeted.host();
    let restrict = restrict.map(|one| one.strip_prefix(&format!("{host}/")).unwrap_or(one));
    let repositories: Vec<&str> = restrict.filter(|one| one.contains('/')).into_iter().collect();
    let body = json!({"exclude_tagged": untagged_only, "exclude_va": true, "repositories": repositories});
    let request = Request::new(Method::POST, "/api/v1/images/digests").json(&body);
    let Value::Array(rows) = targeted.call(session, request).await?.json()? else {
        return Err(Failure::misunderstood("the digests are no list"));
    };
    let prefix = restrict.filter(|one| !one.contains('/')).map(|namespace| format!("{host}/{namespace}/"));
    let within = |row: &Value| {
        let Some(prefix) = &prefix else { return true };
        let names = row.get("repoTags").and_then(Value::as_object);
        names.is_some_and(|names| names.keys().any(|name| name.starts_with(prefix.as_str())))
    };
    Ok(rows.into_iter().filter(within).collect())
}

/// Shows what images say of themselves: `json` is the image, `manifest` its manifest.
pub(super) async fn inspect(
    io: &mut Io,
    session: &mut Session,
    wanted: Inspection,
    what: &str,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let mut display = wanted.formatted.display();
    display.quiet = wanted.quiet;
    let mut documents = Vec::new();
    for image in &wanted.images {
        let name = named(&targeted, image);
        io.announce(display, format!("Inspecting '{}'...\n", tame(&name)));
        documents.push(targeted.read(session, &format!("/api/v1/images/{}/{what}", encoded(&name))).await?);
    }
    let shown = match documents.as_mut_slice() {
        [only] if what == "manifest" => only.take(),
        _ => Value::Array(documents),
    };
    io.line(display::json(&shown));
    io.announce(display, "");
    io.ok(display);
    Ok(())
}

/// Deletes images with all their tags.
pub(super) async fn remove(io: &mut Io, session: &mut Session, wanted: ImageNames) -> Result<(), Failure> {
    each(io, session, wanted, ("images", "Deleting image", "Successfully deleted image")).await
}

/// Takes tags off images, which stay.
pub(super) async fn untag(io: &mut Io, session: &mut Session, wanted: ImageNames) -> Result<(), Failure> {
    each(io, session, wanted, ("tags", "Deleting image tag", "Successfully deleted image tag")).await
}

async fn each(
    io: &mut Io,
    session: &mut Session,
    wanted: ImageNames,
    (place, doing, did): (&str, &str, &str),
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    for image in &wanted.images {
        let name = named(&targeted, image);
        io.line(format!("{doing} '{}'...\n", tame(&name)));
        let path = format!("/api/v1/{place}/{}", encoded(&name));
        targeted.call(session, Request::new(Method::DELETE, path)).await?;
        io.line(format!("{did} '{}'\n", tame(&name)));
    }
    io.ok(Display::default());
    Ok(())
}

/// Gives an image another name.
pub(super) async fn tag(io: &mut Io, session: &mut Session, wanted: ImageTag) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (from, to) = (named(&targeted, &wanted.source), named(&targeted, &wanted.target));
    io.line(format!("Tagging '{}' as '{}'...\n", tame(&from), tame(&to)));
    let query = form(&[("fromimage", &from), ("toimage", &to)]);
    targeted.call(session, Request::new(Method::POST, format!("/api/v1/images/tags?{query}"))).await?;
    io.ok(Display::default());
    Ok(())
}

/// Restores a deleted image: by tag with that one, by digest with all that it had.
pub(super) async fn restore(io: &mut Io, session: &mut Session, wanted: ImageRestore) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let name = named(&targeted, &wanted.image);
    io.line(format!("Restoring image '{}'...\n", tame(&name)));
    let how = if name.contains('@') { "restoretags" } else { "restore" };
    let path = format!("/api/v1/trash/{}/{how}", encoded(&name));
    let answer = targeted.call(session, Request::new(Method::POST, path)).await?.json()?;
    let list = |field: &str| -> Vec<String> {
        let tags = answer.get(field).and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(Value::as_str).map(tame).collect()
    };
    let (back, taken) = (list("successful"), list("unsuccessful"));
    if !back.is_empty() {
        io.line(format!("Restored tags: {}", back.join(", ")));
    }
    if !taken.is_empty() {
        io.line(format!("These tags stand on other images by now: {}", taken.join(", ")));
    }
    io.line(format!("Successfully restored image '{}'\n", tame(&name)));
    io.ok(Display::default());
    Ok(())
}

/// Deletes all images without tags.
pub(super) async fn prune(io: &mut Io, session: &mut Session, wanted: PruneUntagged) -> Result<(), Failure> {
    let display = wanted.formatted.display();
    let targeted = region::target(session, None).await?;
    let rows = listed(session, &targeted, wanted.restrict.as_deref(), true).await?;
    let rows = wire::rows::<ImageDigest>(&rows)?;
    let name = |row: &ImageDigest| -> Vec<String> {
        row.repo_tags.keys().map(|repository| format!("{repository}@{}", row.id)).collect()
    };
    let names: Vec<String> = rows.iter().flat_map(name).collect();
    io.announce(display, format!("Found {} untagged images.\n", names.len()));
    if !names.is_empty() && !io.confirm("Delete all untagged images?", wanted.force)? {
        return Ok(());
    }
    let (mut gone, mut failed) = (Vec::new(), Vec::new());
    for some in names.chunks(AT_ONCE) {
        let request = Request::new(Method::POST, "/api/v1/images/bulkdelete").json(&json!(some));
        let answer = targeted.call(session, request).await?.json()?;
        let success = answer.get("success").and_then(Value::as_array).cloned().unwrap_or_default();
        gone.extend(success.iter().filter_map(Value::as_str).map(tame));
        let error = answer.get("error").and_then(Value::as_object).cloned().unwrap_or_default();
        failed.extend(error.keys().map(|name| tame(name)));
        io.progress.so_far(|| format!("{} of {} done", gone.len() + failed.len(), names.len()));
    }
    if display.is_json() {
        io.line(display::json(&json!({"success": gone, "error": failed})));
        return Ok(());
    }
    gone.iter().for_each(|name| io.line(format!("Deleted '{name}'")));
    failed.iter().for_each(|name| io.line(format!("Could not delete '{name}'")));
    io.line(format!("\nDeleted {} images.\n", gone.len()));
    io.ok(display);
    Ok(())
}

/// Lists deleted images that can be restored.
pub(super) async fn trash(io: &mut Io, session: &mut Session, list: TrashList) -> Result<(), Failure> {
    let display = list.formatted.display();
    let targeted = region::target(session, None).await?;
    io.announce(display, "Listing images that are in the trash...\n");
    let path = match &list.restrict {
        Some(namespace) => format!("/api/v1/trash?{}", form(&[("namespace", namespace)])),
        None => "/api/v1/trash".to_owned(),
    };
    let answer = targeted.read(session, &path).await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let mut table = Table::new(&["Digest", "Days until expiry", "Tags"]);
    for (image, row) in answer.as_object().into_iter().flatten() {
        let row: Trashed = wire::row(row)?;
        table.row([image, &row.days_until_expiry.to_string(), &row.tags.join(",")]);
    }
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}
