//! Access policies of service IDs, users and access groups.

use http::Method;
use serde_json::{Value, json};

use super::grant;
use crate::cli::args::iam::access::{
    ApiVersion, Dialect, PolicyCommand, PolicyCreate, PolicyEntity, PolicyListing, PolicyShow,
};
use crate::cli::display::{self, Display};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup;
use crate::cli::resource;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Policy};

/// What a policy can be for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Group,
    ServiceId,
    User,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Group => "access group",
            Self::ServiceId => "service ID",
            Self::User => "user",
        }
    }

    const fn policy(self) -> &'static str {
        match self {
            Self::Group => "Access group policy",
            Self::ServiceId => "Service policy",
            Self::User => "User policy",
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
            Kind::ServiceId => {
                let row = lookup::service_id(session, name).await?;
                ("iam_id", row.iam_id, row.name)
            }
            Kind::User => {
                let row = lookup::user(session, name).await?;
                ("iam_id", row.iam_id, row.name)
            }
        };
        Ok(Self { kind, attribute, id, name: display::tame(&name) })
    }
}

/// Refuses the version of the API that this server does not have yet, before anything is asked of it.
fn demand_v1(dialect: Dialect) -> Result<(), Failure> {
    match dialect.api_version {
        Some(ApiVersion::V2) => Err(Failure::usage(
            "The server has version v1 of the policy API only.",
            "Leave out `--api-version v2`: flags mean the same in v1, and a file needs `roles` and `resources`.",
        )),
        Some(ApiVersion::V1) | None => Ok(()),
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
        C::ServicePolicies(of) => list(io, session, Kind::ServiceId, of).await,
        C::ServicePolicy(one) => show(io, session, Kind::ServiceId, one).await,
        C::ServicePolicyCreate(new) => create(io, session, Kind::ServiceId, *new).await,
        C::ServicePolicyDelete(one) => delete(io, session, Kind::ServiceId, one).await,
        C::UserPolicies(of) => list(io, session, Kind::User, of).await,
        C::UserPolicy(one) => show(io, session, Kind::User, one).await,
        C::UserPolicyCreate(new) => create(io, session, Kind::User, *new).await,
        C::UserPolicyDelete(one) => delete(io, session, Kind::User, one).await,
    }
}

async fn create(
    io: &mut Io,
    session: &mut Session,
    kind: Kind,
    mut new: PolicyCreate,
) -> Result<(), Failure> {
    demand_v1(new.grant.dialect)?;
    if let Some(name) = &new.grant.resource_group_name {
        new.grant.resource_group_id = Some(resource::named(session, name).await?.id);
    }
    let mut body = grant::document(&new.grant, &session.account())?;
    let subject = Subject::find(session, kind, &new.subject).await?;
    let (user, display) = (session.user(), new.display);
    let noun = kind.noun();
    io.announce(
        display,
        format!("Creating policy under current account for {noun} {} as {user}...", subject.name),
    );
    body.insert("type".to_owned(), "access".into());
    let attribute = json!({ "name": subject.attribute, "value": subject.id });
    body.insert("subjects".to_owned(), json!([{ "attributes": [attribute] }]));
    let reply = session.call(Request::new(Method::POST, "/v1/policies").json(&Value::Object(body))).await?;
    let version = reply.header("etag").map(|tag| tag.trim_matches('"').to_owned());
    let made = reply.json()?;
    io.ok(display);
    io.announce(display, format!("{} is successfully created\n", kind.policy()));
    if display.is_json() {
        io.line(display::json(&made));
        return Ok(());
    }
    let made: Policy = wire::row(&made)?;
    io.line(if display.quiet { made.id } else { block(&made, version) });
    Ok(())
}

async fn list(io: &mut Io, session: &mut Session, kind: Kind, list: PolicyListing) -> Result<(), Failure> {
    demand_v1(list.dialect)?;
    let of = list.of;
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
    let found = session.list(&format!("/v1/policies?{query}"), "policies").await?;
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<Policy> = wire::rows(&found)?;
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

async fn show(io: &mut Io, session: &mut Session, kind: Kind, one: PolicyShow) -> Result<(), Failure> {
    demand_v1(one.dialect)?;
    let subject = Subject::find(session, kind, &one.subject).await?;
    let (user, display, noun) = (session.user(), one.display, kind.noun());
    let id = display::tame(&one.policy_id);
    io.announce(display, format!("Getting policy {id} of {noun} {} as {user}...", subject.name));
    let (found, version) = policy_of(session, &subject, &one.policy_id).await?;
    io.ok(display);
    io.announce(display, "");
    print(io, display, &found, version)
}

async fn delete(io: &mut Io, session: &mut Session, kind: Kind, one: PolicyEntity) -> Result<(), Failure> {
    demand_v1(one.dialect)?;
    let subject = Subject::find(session, kind, &one.subject).await?;
    policy_of(session, &subject, &one.policy_id).await?;
    let (user, display, noun) = (session.user(), one.consent.display(), kind.noun());
    let id = display::tame(&one.policy_id);
    if !io.confirm(&format!("Really delete policy {id} of {noun} {}?", subject.name), one.consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting policy {id} of {noun} {} as {user}...", subject.name));
    session.call(Request::new(Method::DELETE, path(&one.policy_id))).await?;
    io.ok(display);
    io.announce(display, format!("{} {id} is deleted successfully", kind.policy()));
    Ok(())
}

/// The policy with this id and its version, if it is one of this subject: a slip of the id must not hit somebody else.
async fn policy_of(
    session: &mut Session,
    subject: &Subject,
    id: &str,
) -> Result<(Value, Option<String>), Failure> {
    let reply = session.call(Request::new(Method::GET, path(id))).await?;
    let version = reply.header("etag").map(|tag| tag.trim_matches('"').to_owned());
    let found = reply.json()?;
    let policy: Policy = wire::row(&found)?;
    let named = policy.subjects.iter().flat_map(|subject| &subject.attributes);
    if named.into_iter().any(|attribute| attribute.value == subject.id) {
        return Ok((found, version));
    }
    let what =
        format!("Policy {} is not one of {} {}.", display::tame(id), subject.kind.noun(), subject.name);
    Err(Failure::new(
        what,
        "List its policies, with their ids, with `portcullis iam service-policies`, `user-policies` or `access-group-policies`.",
    ))
}

fn path(id: &str) -> String {
    format!("/v1/policies/{}", encoded(id))
}

fn print(io: &mut Io, display: Display, found: &Value, version: Option<String>) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
    } else {
        io.line(block(&wire::row(found)?, version));
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
