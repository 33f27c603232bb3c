//! Access groups and who is in them.

use http::Method;
use serde_json::{Value, json};

use crate::cli::args::iam::access::{GroupCommand, GroupDelete, Groups, Members};
use crate::cli::args::iam::{Create, Entity, Listing, One, Reword};
use crate::cli::display::{self, Table};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup::{self, Principal, PrincipalKind as Kind};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Listed, Thing};
use crate::cli::wire::{self, Group, Member};

/// As access groups call a principal.
const fn wire_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Profile => "profile",
        Kind::ServiceId => "service",
        Kind::User => "user",
    }
}

/// How messages name an access group.
const fn thing(name: &str) -> Thing<'_> {
    Thing { noun: "access group", name, within: " under current account" }
}

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: GroupCommand) -> Result<(), Failure> {
    match command {
        GroupCommand::Create(new) => create(io, session, new).await,
        GroupCommand::Delete(one) => delete(io, session, one).await,
        GroupCommand::ProfileAdd(members) => add(io, session, Kind::Profile, members).await,
        GroupCommand::ProfilePurge(one) => purge(io, session, Kind::Profile, one).await,
        GroupCommand::ProfileRemove(members) => remove(io, session, Kind::Profile, members).await,
        GroupCommand::Profiles(of) => members(io, session, Kind::Profile, of).await,
        GroupCommand::ServiceIdAdd(members) => add(io, session, Kind::ServiceId, members).await,
        GroupCommand::ServiceIdPurge(one) => purge(io, session, Kind::ServiceId, one).await,
        GroupCommand::ServiceIdRemove(members) => remove(io, session, Kind::ServiceId, members).await,
        GroupCommand::ServiceIds(of) => members(io, session, Kind::ServiceId, of).await,
        GroupCommand::UserAdd(members) => add(io, session, Kind::User, members).await,
        GroupCommand::UserPurge(one) => purge(io, session, Kind::User, one).await,
        GroupCommand::UserRemove(members) => remove(io, session, Kind::User, members).await,
        GroupCommand::Users(of) => members(io, session, Kind::User, of).await,
        GroupCommand::Show(one) => show(io, session, one).await,
        GroupCommand::Update(change) => update(io, session, change).await,
        GroupCommand::List(filter) => list(io, session, filter).await,
    }
}

async fn list(io: &mut Io, session: &mut Session, filter: Groups) -> Result<(), Failure> {
    let (user, display) = (session.user(), filter.display);
    let named =
        [(Kind::User, &filter.user), (Kind::ServiceId, &filter.service_id), (Kind::Profile, &filter.profile)];
    let named = named.into_iter().find_map(|(kind, name)| Some((kind, name.as_deref()?)));
    let member = match named {
        Some((kind, name)) => Some(kind.find(session, name).await?.iam_id),
        None => None,
    };
    io.announce(display, format!("Getting all access groups under current account as {user}..."));
    let account = session.account();
    let mut fields = vec![("account_id", account.as_str()), ("limit", lookup::PAGE)];
    fields.extend(member.as_deref().map(|iam_id| ("iam_id", iam_id)));
    let found = session.list(&format!("/v2/groups?{}", form(&fields)), "groups").await?;
    thing::table::<Group>(io, display, found, "No access group found.")
}

async fn create(io: &mut Io, session: &mut Session, new: Create) -> Result<(), Failure> {
    let mut body = json!({ "name": new.name });
    if let (Some(description), Some(fields)) = (new.description, body.as_object_mut()) {
        fields.insert("description".to_owned(), description.into());
    }
    let path = format!("/v2/groups?{}", form(&[("account_id", &session.account())]));
    let request = Request::new(Method::POST, path).json(&body);
    thing(&new.name).create::<Group>(io, session, new.display, request).await
}

impl Detailed for Group {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![("Name", self.name), ("ID", self.id), ("Description", self.description)]
    }
}

impl Listed for Group {
    const HEADINGS: &'static [&'static str] = &["Name", "ID", "Description"];

    fn cells(self) -> Vec<String> {
        vec![self.name, self.id, self.description]
    }
}

async fn show(io: &mut Io, session: &mut Session, one: One) -> Result<(), Failure> {
    let display = one.display();
    thing(&one.of.name).getting(io, session, display);
    let group = lookup::group(session, &one.of.name).await?;
    thing::found::<Group>(io, session, display, &path(&group)).await
}

async fn update(io: &mut Io, session: &mut Session, change: Reword) -> Result<(), Failure> {
    let group = lookup::group(session, &change.of).await?;
    let (display, version) = (change.texts.display, thing::version(session, &path(&group)).await?);
    let request = Request::new(Method::PATCH, path(&group)).json(&change.texts.body());
    thing(&group.name).update::<Group>(io, session, display, (request, &version)).await
}

async fn delete(io: &mut Io, session: &mut Session, one: GroupDelete) -> Result<(), Failure> {
    let group = lookup::group(session, &one.group.name).await?;
    let (name, id) = (display::tame(&group.name), &group.id);
    let question = format!("Really delete access group {name} ({id}), and what it grants its members?");
    let path = format!("{}?force=true", path(&group));
    thing(&group.name).delete(io, session, &one.group.consent, (&question, &path)).await
}

async fn principals(session: &mut Session, kind: Kind, names: &[String]) -> Result<Vec<Principal>, Failure> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(kind.find(session, name).await?);
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
    put(session, &group, kind, &members).await?;
    io.ok(display);
    io.announce(display, format!("{noun} {names} added to access group {group_name}"));
    Ok(())
}

/// Puts members of one kind into a group.
pub(super) async fn put(
    session: &mut Session,
    group: &Group,
    kind: Kind,
    members: &[Principal],
) -> Result<(), Failure> {
    let kind = wire_kind(kind);
    let rows: Vec<Value> =
        members.iter().map(|member| json!({ "iam_id": member.iam_id, "type": kind })).collect();
    let request =
        Request::new(Method::PUT, format!("{}/members", path(group))).json(&json!({ "members": rows }));
    // 207: each member has a status of its own.
    let answer = session.call(request).await?.json()?;
    all_done(&answer, "members", "added")
}

/// Whether each row of a list that came back is a success.
fn all_done(answer: &Value, list: &str, done: &str) -> Result<(), Failure> {
    let answer = answer.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let answer: Vec<Member> = wire::rows(&answer)?;
    let refused = answer.iter().find(|member| member.status_code.is_some_and(|status| status >= 400));
    let Some(refused) = refused else { return Ok(()) };
    let why = refused.errors.first().map_or("the server does not say why", |error| error.message.as_str());
    let who = if refused.iam_id.is_empty() { &refused.access_group_id } else { &refused.iam_id };
    let what = format!("{} was not {done}: {}", display::tame(who), display::tame(why));
    Err(Failure::new(
        what,
        "Correct that one, and run the command again; adding or removing a member twice does no harm.",
    ))
}

/// Takes a principal out of all groups.
async fn purge(io: &mut Io, session: &mut Session, kind: Kind, one: Entity) -> Result<(), Failure> {
    let member = kind.find(session, &one.name).await?;
    let (user, display) = (session.user(), one.consent.display());
    let named = format!("{} {}", kind.noun(), display::tame(&member.name));
    if !io.confirm(&format!("Really remove {named} from all access groups?"), one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Removing {named} from all access groups as {user}..."));
    let path = format!("/v2/groups/_allgroups/members/{}", encoded(&member.iam_id));
    let answer = session.call(Request::new(Method::DELETE, path)).await?.json()?;
    all_done(&answer, "groups", "left")?;
    io.ok(display);
    io.announce(display, format!("{named} removed from all access groups"));
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
    found.retain(|row| row.get("type").and_then(Value::as_str) == Some(wire_kind(kind)));
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
    let known = kind.names(session).await?;
    let mut table = Table::new(&["Name", "IAM ID", "Added At"]);
    for row in rows {
        let name = known.iter().find(|(iam_id, _)| *iam_id == row.iam_id).map_or("-", |(_, name)| name);
        table.row([name, &row.iam_id, &row.created_at]);
    }
    io.line(table.render());
    Ok(())
}

fn names(members: &[Principal]) -> String {
    members.iter().map(|member| display::tame(&member.name)).collect::<Vec<_>>().join(", ")
}

pub(super) fn path(group: &Group) -> String {
    format!("/v2/groups/{}", encoded(&group.id))
}
