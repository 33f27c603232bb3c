//! Access policies of service IDs, users, trusted profiles and access groups.

use http::{Method, header};
use serde_json::{Map, Value, json};

use super::{grant, policy_v2};
use crate::cli::args::iam::access::{
    AccessPolicies, AccountPolicies, ApiVersion, Dialect, Grant, PolicyCommand, PolicyCreate, PolicyEntity,
    PolicyListing, PolicyShow, PolicyType, PolicyUpdate, SubjectType,
};
use crate::cli::display::{self, Display, Table};
use crate::cli::failure::Failure;
use crate::cli::http::{Reply, Request, encoded, form};
use crate::cli::lookup::{self, PrincipalKind};
use crate::cli::resource;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Attribute, Policy};

/// What a policy can be for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Group,
    Principal(PrincipalKind),
}

const PROFILE: Kind = Kind::Principal(PrincipalKind::Profile);
const SERVICE_ID: Kind = Kind::Principal(PrincipalKind::ServiceId);
const USER: Kind = Kind::Principal(PrincipalKind::User);

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Group => "access group",
            Self::Principal(kind) => kind.noun(),
        }
    }

    const fn policy(self) -> &'static str {
        match self {
            Self::Group => "Access group policy",
            Self::Principal(PrincipalKind::Profile) => "Trusted profile policy",
            Self::Principal(PrincipalKind::ServiceId) => "Service policy",
            Self::Principal(PrincipalKind::User) => "User policy",
        }
    }

    /// Whom the attribute of a policy's subject names.
    fn of(subject: &Attribute) -> Self {
        match (subject.name.as_str(), subject.value.as_str()) {
            ("access_group_id", _) => Self::Group,
            (_, id) if id.starts_with("iam-ServiceId-") => SERVICE_ID,
            (_, id) if id.starts_with("iam-Profile-") => PROFILE,
            (_, _) => USER,
        }
    }

    async fn names(self, session: &mut Session) -> Result<Vec<(String, String)>, Failure> {
        match self {
            Self::Group => lookup::group_names(session).await,
            Self::Principal(kind) => kind.names(session).await,
        }
    }
}

impl From<SubjectType> for Kind {
    fn from(named: SubjectType) -> Self {
        match named {
            SubjectType::AccessGroup => Self::Group,
            SubjectType::ServiceId => SERVICE_ID,
            SubjectType::TrustedProfile => PROFILE,
            SubjectType::User => USER,
        }
    }
}

/// Whom a policy is for, as the API names it.
struct Subject {
    kind: Kind,
    attribute: &'static str,
    id: String,
    name: String,
}

impl Subject {
    async fn find(session: &mut Session, kind: Kind, name: &str) -> Result<Self, Failure> {
        let (attribute, id, name) = match kind {
            Kind::Group => {
                let row = lookup::group(session, name).await?;
                ("access_group_id", row.id, row.name)
            }
            Kind::Principal(principal) => {
                let row = principal.find(session, name).await?;
                ("iam_id", row.iam_id, row.name)
            }
        };
        Ok(Self { kind, attribute, id, name: display::tame(&name) })
    }
}

/// Where a version of the API keeps policies.
const fn collection(dialect: Dialect) -> &'static str {
    match dialect.api_version {
        Some(ApiVersion::V2) => "/v2/policies",
        Some(ApiVersion::V1) | None => "/v1/policies",
    }
}

/// A policy as one of the versions writes it.
fn read(dialect: Dialect, found: &Value) -> Result<Policy, Failure> {
    match dialect.api_version {
        Some(ApiVersion::V2) => Ok(policy_v2::policy(found)),
        Some(ApiVersion::V1) | None => wire::row(found),
    }
}

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: PolicyCommand) -> Result<(), Failure> {
    use PolicyCommand as C;
    match command {
        C::AccessGroupPolicies(of) => list(io, session, Kind::Group, of).await,
        C::AccessGroupPolicy(one) => show(io, session, Kind::Group, one).await,
        C::AccessGroupPolicyCreate(new) => create(io, session, Kind::Group, *new).await,
        C::AccessGroupPolicyDelete(one) => delete(io, session, Kind::Group, one).await,
        C::AccessGroupPolicyUpdate(change) => update(io, session, Kind::Group, *change).await,
        C::AccessPolicies(wanted) => list_access(io, session, wanted).await,
        C::AccountPolicies(wanted) => list_account(io, session, wanted).await,
        C::ServicePolicies(of) => list(io, session, SERVICE_ID, of).await,
        C::ServicePolicy(one) => show(io, session, SERVICE_ID, one).await,
        C::ServicePolicyCreate(new) => create(io, session, SERVICE_ID, *new).await,
        C::ServicePolicyDelete(one) => delete(io, session, SERVICE_ID, one).await,
        C::ServicePolicyUpdate(change) => update(io, session, SERVICE_ID, *change).await,
        C::TrustedProfilePolicies(of) => list(io, session, PROFILE, of).await,
        C::TrustedProfilePolicy(one) => show(io, session, PROFILE, one).await,
        C::TrustedProfilePolicyCreate(new) => create(io, session, PROFILE, *new).await,
        C::TrustedProfilePolicyDelete(one) => delete(io, session, PROFILE, one).await,
        C::TrustedProfilePolicyUpdate(change) => update(io, session, PROFILE, *change).await,
        C::UserPolicies(of) => list(io, session, USER, of).await,
        C::UserPolicy(one) => show(io, session, USER, one).await,
        C::UserPolicyCreate(new) => create(io, session, USER, *new).await,
        C::UserPolicyDelete(one) => delete(io, session, USER, one).await,
        C::UserPolicyUpdate(change) => update(io, session, USER, *change).await,
    }
}

/// The body that grants this to that subject.
async fn body(
    session: &mut Session,
    grant: &Grant,
    subject: &Subject,
) -> Result<Map<String, Value>, Failure> {
    let custom = match grant::names_custom_roles(grant) {
        true => lookup::custom_roles(session).await?,
        false => Vec::new(),
    };
    let mut body = grant::document(grant, &session.account(), &custom)?;
    let named = (subject.attribute, subject.id.as_str());
    if grant.dialect.api_version == Some(ApiVersion::V2) {
        return Ok(policy_v2::body(body, named));
    }
    body.insert("type".to_owned(), "access".into());
    let attribute = json!({ "name": named.0, "value": named.1 });
    body.insert("subjects".to_owned(), json!([{ "attributes": [attribute] }]));
    Ok(body)
}

/// Knows the resource group by its id.
async fn grouped(session: &mut Session, grant: &mut Grant) -> Result<(), Failure> {
    if let Some(name) = &grant.resource_group_name {
        grant.resource_group_id = Some(resource::named(session, name).await?.id);
    }
    Ok(())
}

async fn create(
    io: &mut Io,
    session: &mut Session,
    kind: Kind,
    mut new: PolicyCreate,
) -> Result<(), Failure> {
    grant::check(&new.grant)?;
    grouped(session, &mut new.grant).await?;
    let subject = Subject::find(session, kind, &new.subject).await?;
    let body = body(session, &new.grant, &subject).await?;
    let (user, display, noun) = (session.user(), new.display, kind.noun());
    io.announce(
        display,
        format!("Creating policy under current account for {noun} {} as {user}...", subject.name),
    );
    let request = Request::new(Method::POST, collection(new.grant.dialect)).json(&Value::Object(body));
    let reply = session.call(request).await?;
    written(io, (display, new.grant.dialect), &reply, &format!("{} is successfully created\n", kind.policy()))
}

async fn update(
    io: &mut Io,
    session: &mut Session,
    kind: Kind,
    mut new: PolicyUpdate,
) -> Result<(), Failure> {
    grant::check(&new.grant)?;
    grouped(session, &mut new.grant).await?;
    let dialect = new.grant.dialect;
    let subject = Subject::find(session, kind, &new.subject).await?;
    let (found, version) = policy_of(session, (&subject, dialect), &new.policy_id).await?;
    let mut body = body(session, &new.grant, &subject).await?;
    // The API replaces it whole: what is not to change is said again.
    if let (None, Some(known)) = (body.get("description"), found.get("description")) {
        body.insert("description".to_owned(), known.clone());
    }
    let (user, display, noun) = (session.user(), new.display, kind.noun());
    let id = display::tame(&new.policy_id);
    io.announce(display, format!("Updating policy {id} of {noun} {} as {user}...", subject.name));
    let request = Request::new(Method::PUT, path(dialect, &new.policy_id)).json(&Value::Object(body));
    let request = request.header(header::IF_MATCH, version.as_deref().unwrap_or("*"));
    let reply = session.call(request).await?;
    written(io, (display, dialect), &reply, &format!("{} is successfully updated\n", kind.policy()))
}

/// Shows a policy as it has been written.
fn written(
    io: &mut Io,
    (display, dialect): (Display, Dialect),
    reply: &Reply,
    said: &str,
) -> Result<(), Failure> {
    let version = reply.header("etag").map(|tag| tag.trim_matches('"').to_owned());
    let made = reply.json()?;
    io.ok(display);
    io.announce(display, said);
    if display.is_json() {
        io.line(display::json(&made));
        return Ok(());
    }
    let made = read(dialect, &made)?;
    io.line(if display.quiet { made.id } else { block(&made, version) });
    Ok(())
}

async fn list(io: &mut Io, session: &mut Session, kind: Kind, list: PolicyListing) -> Result<(), Failure> {
    let (of, dialect) = (list.of, list.dialect);
    let subject = Subject::find(session, kind, &of.name).await?;
    let (user, display) = (session.user(), of.display);
    let noun = kind.noun();
    io.announce(
        display,
        format!("Getting policies under current account of {noun} {} as {user}...", subject.name),
    );
    let query = form(&[
        ("account_id", &session.account()),
        (subject.attribute, &subject.id),
        ("type", "access"),
        ("limit", lookup::PAGE),
    ]);
    let found = session.list(&format!("{}?{query}", collection(dialect)), "policies").await?;
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows = found.iter().map(|row| read(dialect, row)).collect::<Result<Vec<Policy>, _>>()?;
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, "No policy found.");
        return Ok(());
    }
    io.announce(display, "");
    let blocks: Vec<String> = rows.iter().map(|row| block(row, None)).collect();
    io.line(blocks.join("\n\n"));
    Ok(())
}

async fn list_access(io: &mut Io, session: &mut Session, wanted: AccessPolicies) -> Result<(), Failure> {
    let (user, display) = (session.user(), wanted.display);
    io.announce(display, format!("Getting access policies under current account as {user}..."));
    let mut found = all_access(session, wanted.dialect).await?;
    if let Some(of) = wanted.of {
        let mut fitting = Vec::with_capacity(found.len());
        for row in found {
            let subject = read(wanted.dialect, &row)?;
            if subject.subject().is_some_and(|subject| Kind::of(subject) == of.into()) {
                fitting.push(row);
            }
        }
        found = fitting;
    }
    if let Some(order) = wanted.sort_by {
        let key = |row: &Value| row.get(order.field).and_then(Value::as_str).unwrap_or_default().to_owned();
        found.sort_by_cached_key(key);
        if order.descending {
            found.reverse();
        }
    }
    table(io, session, (display, wanted.dialect), found).await
}

async fn list_account(io: &mut Io, session: &mut Session, wanted: AccountPolicies) -> Result<(), Failure> {
    let (user, dialect) = (session.user(), Dialect::default());
    io.announce(wanted.display, format!("Getting policies under current account as {user}..."));
    // No service here is authorized to use another.
    let found = match wanted.of {
        Some(PolicyType::Auth) => Vec::new(),
        Some(PolicyType::Access) | None => all_access(session, dialect).await?,
    };
    table(io, session, (wanted.display, dialect), found).await
}

async fn all_access(session: &mut Session, dialect: Dialect) -> Result<Vec<Value>, Failure> {
    let query = form(&[("account_id", &session.account()), ("type", "access"), ("limit", lookup::PAGE)]);
    session.list(&format!("{}?{query}", collection(dialect)), "policies").await
}

/// One line for each policy, with whom it is for by the name that people know.
async fn table(
    io: &mut Io,
    session: &mut Session,
    (display, dialect): (Display, Dialect),
    found: Vec<Value>,
) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows = found.iter().map(|row| read(dialect, row)).collect::<Result<Vec<Policy>, _>>()?;
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, "No policy found.");
        return Ok(());
    }
    let mut names = Vec::new();
    for kind in [Kind::Group, SERVICE_ID, PROFILE, USER] {
        if rows.iter().filter_map(Policy::subject).any(|subject| Kind::of(subject) == kind) {
            names.extend(kind.names(session).await?);
        }
    }
    let mut table = Table::new(&["Policy ID", "Subject", "Roles", "Resources"]);
    for row in rows {
        let id = row.subject().map(|attribute| attribute.value.as_str()).unwrap_or_default();
        let name = names.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name);
        let roles: Vec<&str> = row.roles.iter().map(grant::role_name).collect();
        let attributes = row.resources.iter().flat_map(|resource| &resource.attributes);
        let shown = attributes.filter(|attribute| attribute.name != "accountId");
        let shown: Vec<String> = shown.map(|one| format!("{}={}", one.name, one.value)).collect();
        table.row([row.id.as_str(), name, &roles.join(", "), &shown.join(", ")]);
    }
    io.line(table.render());
    Ok(())
}

async fn show(io: &mut Io, session: &mut Session, kind: Kind, one: PolicyShow) -> Result<(), Failure> {
    let subject = Subject::find(session, kind, &one.subject).await?;
    let (user, display, noun) = (session.user(), one.display, kind.noun());
    let id = display::tame(&one.policy_id);
    io.announce(display, format!("Getting policy {id} of {noun} {} as {user}...", subject.name));
    let (found, version) = policy_of(session, (&subject, one.dialect), &one.policy_id).await?;
    io.ok(display);
    io.announce(display, "");
    print(io, (display, one.dialect), &found, version)
}

async fn delete(io: &mut Io, session: &mut Session, kind: Kind, one: PolicyEntity) -> Result<(), Failure> {
    let subject = Subject::find(session, kind, &one.subject).await?;
    policy_of(session, (&subject, one.dialect), &one.policy_id).await?;
    let (user, display, noun) = (session.user(), one.consent.display(), kind.noun());
    let id = display::tame(&one.policy_id);
    if !io.confirm(&format!("Really delete policy {id} of {noun} {}?", subject.name), one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting policy {id} of {noun} {} as {user}...", subject.name));
    session.call(Request::new(Method::DELETE, path(one.dialect, &one.policy_id))).await?;
    io.ok(display);
    io.announce(display, format!("{} {id} is deleted successfully", kind.policy()));
    Ok(())
}

/// The policy with this id and its version, if it is one of this subject: a slip of the id must not hit somebody else.
async fn policy_of(
    session: &mut Session,
    (subject, dialect): (&Subject, Dialect),
    id: &str,
) -> Result<(Value, Option<String>), Failure> {
    let reply = session.call(Request::new(Method::GET, path(dialect, id))).await?;
    let version = reply.header("etag").map(|tag| tag.trim_matches('"').to_owned());
    let found = reply.json()?;
    let policy = read(dialect, &found)?;
    let named = policy.subjects.iter().flat_map(|subject| &subject.attributes);
    if named.into_iter().any(|attribute| attribute.value == subject.id) {
        return Ok((found, version));
    }
    let what =
        format!("Policy {} is not one of {} {}.", display::tame(id), subject.kind.noun(), subject.name);
    Err(Failure::new(
        what,
        "List its policies, with their ids, with `portcullis iam service-policies`, `user-policies`, `trusted-profile-policies` or `access-group-policies`.",
    ))
}

fn path(dialect: Dialect, id: &str) -> String {
    format!("{}/{}", collection(dialect), encoded(id))
}

fn print(
    io: &mut Io,
    (display, dialect): (Display, Dialect),
    found: &Value,
    version: Option<String>,
) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
    } else {
        io.line(block(&read(dialect, found)?, version));
    }
    Ok(())
}

/// One policy, as the IBM Cloud CLI lays it out.
fn block(policy: &Policy, version: Option<String>) -> String {
    let roles: Vec<&str> = policy.roles.iter().map(grant::role_name).collect();
    let mut lines = vec![("Policy ID:", policy.id.clone())];
    lines.extend(version.map(|version| ("Version:", version)));
    if !policy.description.is_empty() {
        lines.push(("Description:", policy.description.clone()));
    }
    lines.push(("Roles:", roles.join(", ")));
    lines.push(("Resources:", String::new()));
    let head = display::pairs(lines);
    let attributes = policy.resources.iter().flat_map(|resource| &resource.attributes);
    let shown = attributes.filter(|attribute| attribute.name != "accountId");
    let body =
        display::pairs(shown.map(|attribute| (grant::title(&attribute.name), attribute.value.clone())));
    let margin = if policy.description.is_empty() { 13 } else { 15 };
    let body: Vec<String> = body.lines().map(|line| format!("{:margin$}{line}", "")).collect();
    format!("{head}\n{}", body.join("\n")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::block;
    use crate::cli::wire;

    #[test]
    fn a_policy_is_laid_out_as_the_ibm_cloud_cli_does() {
        let policy = wire::row(&json!({
            "id": "4364da1a-5bde-4c76-9f12-9022b7baa258",
            "roles": [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader", "display_name": "Reader"},
                      {"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Writer"}],
            "resources": [{"attributes": [
                {"name": "accountId", "value": "1"}, {"name": "serviceName", "value": "container-registry"},
                {"name": "region", "value": "us-south"}, {"name": "resourceType", "value": "namespace"},
                {"name": "resource", "value": "pydemo"}]}],
        }));
        assert_eq!(
            block(&policy.unwrap(), Some("1-a87c".into())),
            "Policy ID:   4364da1a-5bde-4c76-9f12-9022b7baa258\n\
             Version:     1-a87c\n\
             Roles:       Reader, Writer\n\
             Resources:\n             Service Name    container-registry\n             Region          us-south\n\
             \x20            Resource Type   namespace\n             Resource        pydemo"
        );
    }
}
