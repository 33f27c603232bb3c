//! Access groups and who is in them.

use http::{Method, header};
use serde_json::{Value, json};

use crate::cli::args::iam::access::{GroupCommand, GroupUpdate, Groups, Members};
use crate::cli::args::iam::{Create, Entity, Listing};
use crate::cli::display::{self, Display, Table, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup::{self, Principal};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Group, Member, ServiceId, User};

/// What can be in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    ServiceId,
    User,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::ServiceId => "service ID",
            Self::User => "user",
        }
    }

    /// As the API calls it.
    const fn wire(self) -> &'static str {
        match self {
            Self::ServiceId => "service",
            Self::User => "user",
        }
    }
}

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: GroupCommand) -> Result<(), Failure> {
    match command {
        GroupCommand::Create(new) => create(io, session, new).await,
        GroupCommand::Delete(one) => delete(io, session, one).await,
        GroupCommand::ServiceIdAdd(members) => add(io, session, Kind::ServiceId, members).await,
        GroupCommand::ServiceIdRemove(members) => remove(io, session, Kind::ServiceId, members).await,
        GroupCommand::ServiceIds(of) => members(io, session, Kind::ServiceId, of).await,
        GroupCommand::UserAdd(members) => add(io, session, Kind::User, members).await,
        GroupCommand::UserRemove(members) => remove(io, session, Kind::User, members).await,
        GroupCommand::Users(of) => members(io, session, Kind::User, of).await,
        GroupCommand::Show(one) => show(io, session, one).await,
        GroupCommand::Update(change) => update(io, session, change).await,
        GroupCommand::List(filter) => list(io, session, filter).await,
    }
}

async fn list(io: &mut Io, session: &mut Session, filter: Groups) -> Result<(), Failure> {
    let (user, display) = (session.user(), filter.display);
    let member = match (&filter.user, &filter.service_id) {
        (Some(name), _) => Some(lookup::user(session, name).await?.iam_id),
        (None, Some(name)) => Some(lookup::service_id(session, name).await?.iam_id),
        (None, None) => None,
    };
    io.announce(display, format!("Getting all access groups under current account as {user}..."));
    let account = session.account();
    let mut fields = vec![("account_id", account.as_str()), ("limit", lookup::PAGE)];
    fields.extend(member.as_deref().map(|iam_id| ("iam_id", iam_id)));
    let found = session.list(&format!("/v2/groups?{}", form(&fields)), "groups").await?;
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<Group> = wire::rows(&found)?;
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, "No access group found.");
        return Ok(());
    }
    let mut table = Table::new(&["Name", "ID", "Description"]);
    for row in rows {
        table.row([row.name, row.id, row.description]);
    }
    io.line(table.render());
    Ok(())
}

async fn create(io: &mut Io, session: &mut Session, new: Create) -> Result<(), Failure> {
    let (name, user, display) = (display::tame(&new.name), session.user(), new.display);
    io.announce(display, format!("Creating access group {name} under current account as {user}..."));
    let mut body = json!({ "name": new.name });
    if let (Some(description), Some(fields)) = (new.description, body.as_object_mut()) {
        fields.insert("description".to_owned(), description.into());
    }
    let path = format!("/v2/groups?{}", form(&[("account_id", &session.account())]));
    let made = session.call(Request::new(Method::POST, path).json(&body)).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Access group {name} is created successfully\n"));
    detail(io, display, &made)
}

fn detail(io: &mut Io, display: Display, found: &Value) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
        return Ok(());
    }
    let row: Group = wire::row(found)?;
    if display.quiet {
        io.line(display::tame(&row.id));
        return Ok(());
    }
    io.line(pairs([("Name", row.name), ("ID", row.id), ("Description", row.description)]));
    Ok(())
}

async fn show(io: &mut Io, session: &mut Session, one: Listing) -> Result<(), Failure> {
    let (name, user) = (display::tame(&one.name), session.user());
    io.announce(one.display, format!("Getting access group {name} under current account as {user}..."));
    let group = lookup::group(session, &one.name).await?;
    let found = session.read(&path(&group)).await?;
    io.ok(one.display);
    io.announce(one.display, "");
    detail(io, one.display, &found)
}

async fn update(io: &mut Io, session: &mut Session, change: GroupUpdate) -> Result<(), Failure> {
    let group = lookup::group(session, &change.group).await?;
    let (name, user, display) = (display::tame(&group.name), session.user(), change.display);
    let reply = session.call(Request::new(Method::GET, path(&group))).await?;
    let version = reply.header("etag").unwrap_or("*").to_owned();
    io.announce(display, format!("Updating access group {name} under current account as {user}..."));
    let mut body = serde_json::Map::new();
    let fields = [("name", change.name), ("description", change.description)];
    body.extend(fields.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))));
    let request = Request::new(Method::PATCH, path(&group)).json(&Value::Object(body));
    let changed = session.call(request.header(header::IF_MATCH, &version)).await?.json()?;
    io.ok(display);
    io.announce(display, format!("Access group {name} is updated successfully\n"));
    detail(io, display, &changed)
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let group = lookup::group(session, &one.name).await?;
    let (name, user, display) = (display::tame(&group.name), session.user(), one.consent.display());
    let question =
        format!("Really delete access group {name} ({}), and what it grants its members?", group.id);
    if !io.confirm(&question, one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting access group {name} under current account as {user}..."));
    session.call(Request::new(Method::DELETE, format!("{}?force=true", path(&group)))).await?;
    io.ok(display);
    io.announce(display, format!("Access group {name} is deleted successfully"));
    Ok(())
}

async fn principals(session: &mut Session, kind: Kind, names: &[String]) -> Result<Vec<Principal>, Failure> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(match kind {
            Kind::ServiceId => {
                let row = lookup::service_id(session, name).await?;
                Principal { iam_id: row.iam_id, name: row.name }
            }
            Kind::User => lookup::user(session, name).await?,
        });
    }
    Ok(found)
}

async fn add(io: &mut Io, session: &mut Session, kind: Kind, to: Members) -> Result<(), Failure> {
    let group = lookup::group(session, &to.group).await?;
    let members = principals(session, kind, &to.members).await?;
    let (user, display, noun) = (session.user(), to.consent.display(), kind.noun());
    let (group_name, names) = (display::tame(&group.name), names(&members));
    io.announce(
        display,
        format!("Adding {noun} {names} to access group {group_name} under current account as {user}..."),
    );
    put(session, &group, kind.wire(), &members).await?;
    io.ok(display);
    io.announce(display, format!("{noun} {names} added to access group {group_name}"));
    Ok(())
}

/// Puts members of one kind, as the API calls it, into a group.
pub(super) async fn put(
    session: &mut Session,
    group: &Group,
    kind: &str,
    members: &[Principal],
) -> Result<(), Failure> {
    let rows: Vec<Value> =
        members.iter().map(|member| json!({ "iam_id": member.iam_id, "type": kind })).collect();
    let request =
        Request::new(Method::PUT, format!("{}/members", path(group))).json(&json!({ "members": rows }));
    // 207: each member has a status of its own.
    let answer = session.call(request).await?.json()?;
    let answer = answer.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let answer: Vec<Member> = wire::rows(&answer)?;
    let refused = answer.iter().find(|member| member.status_code.is_some_and(|status| status >= 400));
    if let Some(refused) = refused {
        let why =
            refused.errors.first().map_or("the server does not say why", |error| error.message.as_str());
        let what = format!("{} was not added: {}", display::tame(&refused.iam_id), display::tame(why));
        return Err(Failure::new(
            what,
            "Correct that one, and run the command again; adding a member twice does no harm.",
        ));
    }
    Ok(())
}

async fn remove(io: &mut Io, session: &mut Session, kind: Kind, from: Members) -> Result<(), Failure> {
    let group = lookup::group(session, &from.group).await?;
    let members = principals(session, kind, &from.members).await?;
    let (user, display, noun) = (session.user(), from.consent.display(), kind.noun());
    let (group_name, names) = (display::tame(&group.name), names(&members));
    if !io.confirm(
        &format!("Really remove {noun} {names} from access group {group_name}?"),
        from.consent.force,
    )? {
        return Ok(());
    }
    io.announce(display, format!("Removing {noun} {names} from access group {group_name} as {user}..."));
    for member in &members {
        let path = format!("{}/members/{}", path(&group), encoded(&member.iam_id));
        session.call(Request::new(Method::DELETE, path)).await?;
    }
    io.ok(display);
    io.announce(display, format!("{noun} {names} removed from access group {group_name}"));
    Ok(())
}

async fn members(io: &mut Io, session: &mut Session, kind: Kind, of: Listing) -> Result<(), Failure> {
    let group = lookup::group(session, &of.name).await?;
    let (user, display, noun) = (session.user(), of.display, kind.noun());
    let group_name = display::tame(&group.name);
    io.announce(
        display,
        format!("Getting all {noun}s in access group {group_name} under current account as {user}..."),
    );
    let mut found =
        session.list(&format!("{}/members?limit={}", path(&group), lookup::PAGE), "members").await?;
    found.retain(|row| row.get("type").and_then(Value::as_str) == Some(kind.wire()));
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<Member> = wire::rows(&found)?;
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, format!("No {noun} found in access group {group_name}."));
        return Ok(());
    }
    let known = known(session, kind).await?;
    let mut table = Table::new(&["Name", "IAM ID", "Added At"]);
    for row in rows {
        let name = known.iter().find(|(iam_id, _)| *iam_id == row.iam_id).map_or("-", |(_, name)| name);
        table.row([name, &row.iam_id, &row.created_at]);
    }
    io.line(table.render());
    Ok(())
}

/// The names of everyone who could be in a group, by IAM id.
async fn known(session: &mut Session, kind: Kind) -> Result<Vec<(String, String)>, Failure> {
    Ok(match kind {
        Kind::ServiceId => {
            let query = form(&[("account_id", &session.account()), ("pagesize", lookup::PAGE)]);
            let found = session.list(&format!("/v1/serviceids/?{query}"), "serviceids").await?;
            wire::rows::<ServiceId>(&found)?.into_iter().map(|row| (row.iam_id, row.name)).collect()
        }
        Kind::User => wire::rows::<User>(&lookup::users(session).await?)?
            .into_iter()
            .map(|row| (row.iam_id, row.user_id))
            .collect(),
    })
}

fn names(members: &[Principal]) -> String {
    members.iter().map(|member| display::tame(&member.name)).collect::<Vec<_>>().join(", ")
}

fn path(group: &Group) -> String {
    format!("/v2/groups/{}", encoded(&group.id))
}
