//! `cr quota`, `plan`, `platform-metrics` and the retention policies.

use http::Method;
use serde_json::{Value, json};

use super::region;
use crate::cli::args::cr::{Formatted, PrivateOnly};
use crate::cli::args::shelf::{Keeping, PlanUpgrade, QuotaSet, RetentionRun, RetentionSet};
use crate::cli::display::{self, Display, Table, size, tame};
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, QuotaAnswer, Retention};

/// Shows limits and usage.
pub(super) async fn quota(io: &mut Io, session: &mut Session, formatted: Formatted) -> Result<(), Failure> {
    let display = formatted.display();
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    io.announce(
        display,
        format!("Getting quotas and usage for account '{account}' in registry '{registry}'...\n"),
    );
    let answer: QuotaAnswer = wire::row(&targeted.read(session, "/api/v1/quotas").await?)?;
    let (limit, usage) = (answer.limit, answer.usage);
    if display.is_json() {
        io.line(display::json(&json!({
            "usage": {"traffic": usage.traffic_bytes, "store": usage.storage_bytes},
            "limit": {"traffic": limit.traffic_bytes, "store": limit.storage_bytes},
        })));
        return Ok(());
    }
    let shown = |bytes: i64| u64::try_from(bytes).map_or("Unlimited".to_owned(), size);
    let mut table = Table::new(&["QUOTA", "LIMIT", "USED"]);
    table.row(["Pull traffic", &shown(limit.traffic_bytes), &shown(usage.traffic_bytes)]);
    table.row(["Storage", &shown(limit.storage_bytes), &shown(usage.storage_bytes)]);
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}

/// Sets limits.
pub(super) async fn set_quota(io: &mut Io, session: &mut Session, set: QuotaSet) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let named = [("storage", set.storage), ("traffic", set.traffic)];
    let named = named.into_iter().filter_map(|(name, limit)| limit.map(|limit| format!("{name}: {limit} ")));
    io.line(format!("Setting quotas: '{}'...\n", named.collect::<Vec<_>>().join(", ").trim_end()));
    let mut body = serde_json::Map::new();
    for (name, limit) in [("storage_megabytes", set.storage), ("traffic_megabytes", set.traffic)] {
        limit.and_then(|limit| body.insert(name.to_owned(), json!(limit)));
    }
    let request = Request::new(Method::PATCH, "/api/v1/quotas").json(&Value::Object(body));
    targeted.call(session, request).await?;
    io.ok(Display::default());
    Ok(())
}

/// Shows the plan.
pub(super) async fn plan(io: &mut Io, session: &mut Session, formatted: Formatted) -> Result<(), Failure> {
    let display = formatted.display();
    let targeted = region::target(session, None).await?;
    let answer = targeted.read(session, "/api/v1/plans").await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let plan = tame(answer.get("plan").and_then(Value::as_str).unwrap_or_default());
    let (account, registry) = (session.account_name(), targeted.host());
    io.line(format!("You are on the '{plan}' plan for account '{account}' in registry '{registry}'.\n"));
    io.ok(display);
    Ok(())
}

/// Changes the plan.
pub(super) async fn upgrade(io: &mut Io, session: &mut Session, wanted: PlanUpgrade) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    io.line(format!("Upgrading to the '{}' plan...\n", tame(&wanted.plan)));
    let request = Request::new(Method::PATCH, "/api/v1/plans").json(&json!({"plan": wanted.plan}));
    targeted.call(session, request).await?;
    io.ok(Display::default());
    Ok(())
}

/// `cr platform-metrics`, with exactly one of its flags.
pub(super) async fn metrics(io: &mut Io, session: &mut Session, which: PrivateOnly) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (account, registry) = (session.account_name(), targeted.host());
    if which.status {
        let answer = targeted.read(session, "/api/v1/settings").await?;
        let on = answer.get("platform_metrics").and_then(Value::as_bool).unwrap_or(false);
        let state = if on { "enabled" } else { "disabled" };
        io.line(format!("Platform metrics are {state} for account '{account}' in registry '{registry}'.\n"));
    } else {
        let doing = if which.enable { "Enabling" } else { "Disabling" };
        io.line(format!("{doing} platform metrics for account '{account}' in registry '{registry}'...\n"));
        let body = json!({"platform_metrics": which.enable});
        targeted.call(session, Request::new(Method::PATCH, "/api/v1/settings").json(&body)).await?;
    }
    io.ok(Display::default());
    Ok(())
}

fn policy(namespace: &str, which: &Keeping) -> Value {
    let mut policy = json!({
        "namespace": namespace,
        "images_per_repo": which.images,
        "retain_untagged": which.retain_untagged,
    });
    if let (Some(days), Some(members)) = (which.deletion_threshold_days, policy.as_object_mut()) {
        members.insert("deletion_threshold_days".to_owned(), json!(days));
    }
    policy
}

/// The images in an answer about what goes.
fn images(answer: &Value) -> Vec<String> {
    let lists = answer.as_object().into_iter().flat_map(|rows| rows.values());
    lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str).map(tame).collect()
}

fn kept(images: i64) -> String {
    if images < 0 { "all".to_owned() } else { images.to_string() }
}

/// Sets the policy of a namespace, which deletes at once and then every day.
pub(super) async fn set_retention(
    io: &mut Io,
    session: &mut Session,
    set: RetentionSet,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (name, policy) = (tame(&set.namespace), policy(&set.namespace, &set.which));
    let request = Request::new(Method::POST, "/api/v1/retentions/analyze").json(&policy);
    let going = images(&targeted.call(session, request).await?.json()?);
    going.iter().for_each(|image| io.line(image));
    io.line(format!("\nFound {} images to delete.\n", going.len()));
    if !io.confirm("Delete these images, and others every day as the policy says?", set.force)? {
        return Ok(());
    }
    let request = Request::new(Method::POST, "/api/v1/retentions").json(&policy);
    let gone = images(&targeted.call(session, request).await?.json()?);
    io.line(format!("Deleted {} images.", gone.len()));
    io.line(format!(
        "A scheduled retention policy is set that keeps {} images in each repository in {name} and retain-untagged is set to {}.\n",
        kept(set.which.images), set.which.retain_untagged
    ));
    io.ok(Display::default());
    Ok(())
}

/// Lists policies.
pub(super) async fn retentions(
    io: &mut Io,
    session: &mut Session,
    formatted: Formatted,
) -> Result<(), Failure> {
    let display = formatted.display();
    let targeted = region::target(session, None).await?;
    io.announce(display, "Listing retention policies...\n");
    let answer = targeted.read(session, "/api/v1/retentions").await?;
    if display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let mut table = Table::new(&["Namespace", "Images per repository", "Retain untagged", "Threshold days"]);
    for row in answer.as_object().into_iter().flat_map(|rows| rows.values()) {
        let row: Retention = wire::row(row)?;
        let days = row.deletion_threshold_days.map_or("-".to_owned(), |days| days.to_string());
        table.row([&row.namespace, &kept(row.images_per_repo), &row.retain_untagged.to_string(), &days]);
    }
    io.line(table.render());
    io.line("");
    io.ok(display);
    Ok(())
}

/// Deletes once what a policy would delete every day, or shows it.
pub(super) async fn run(io: &mut Io, session: &mut Session, run: RetentionRun) -> Result<(), Failure> {
    let display = run.formatted.display();
    let targeted = region::target(session, None).await?;
    let policy = policy(&run.namespace, &run.which);
    let request = Request::new(Method::POST, "/api/v1/retentions/analyze").json(&policy);
    let answer = targeted.call(session, request).await?.json()?;
    let going = images(&answer);
    if display.is_json() && (run.dry_run || going.is_empty()) {
        io.line(display::json(&answer));
        return Ok(());
    }
    if !display.is_json() {
        going.iter().for_each(|image| io.line(image));
        io.line(format!("\nFound {} images to delete.\n", going.len()));
    }
    if !run.dry_run && !going.is_empty() {
        if !io.confirm("Delete these images?", run.force)? {
            return Ok(());
        }
        let request = Request::new(Method::POST, "/api/v1/images/bulkdelete").json(&json!(going));
        let done = targeted.call(session, request).await?.json()?;
        if display.is_json() {
            io.line(display::json(&done));
            return Ok(());
        }
        let gone = done.get("success").and_then(Value::as_array).map_or(0, Vec::len);
        io.line(format!("Deleted {gone} images.\n"));
    }
    io.ok(display);
    Ok(())
}
