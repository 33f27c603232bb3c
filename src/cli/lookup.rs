//! From what people call things to their ids. A name that means several things is never guessed at.

use super::failure::Failure;
use super::http::form;
use super::session::Session;
use super::wire::{self, ApiKey, Group, Role, ServiceId, User};

/// The largest page that the identity service gives.
pub(super) const PAGE: &str = "100";

/// A principal that policies and groups can name.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    /// Its IAM id.
    pub(super) iam_id: String,
    /// Its name.
    pub(super) name: String,
}

/// The service ID with this id or name.
pub(super) async fn service_id(session: &mut Session, name: &str) -> Result<ServiceId, Failure> {
    let id = name.strip_prefix("iam-").unwrap_or(name);
    if id.starts_with("ServiceId-") {
        let target = format!("/v1/serviceids/{}", super::http::encoded(id));
        return wire::row(&session.read(&target).await?);
    }
    let found = service_ids_named(session, name).await?;
    only("service ID", name, "portcullis iam service-ids", found, |row| row.id.clone())
}

async fn service_ids_named(session: &mut Session, name: &str) -> Result<Vec<ServiceId>, Failure> {
    let query = form(&[("account_id", &session.account()), ("name", name), ("pagesize", PAGE)]);
    let found = session.list(&format!("/v1/serviceids/?{query}"), "serviceids").await?;
    let mut found: Vec<ServiceId> = wire::rows(&found)?;
    found.retain(|row| row.name == name);
    Ok(found)
}

/// The API key of `owner` with this id or name.
pub(super) async fn api_key(session: &mut Session, owner: &str, name: &str) -> Result<ApiKey, Failure> {
    let mut found = api_keys(session, owner).await?;
    let id = name.starts_with("ApiKey-");
    found.retain(|row| if id { row.id == name } else { row.name == name });
    let list = if owner.starts_with("iam-ServiceId-") {
        "portcullis iam service-api-keys SERVICE_ID"
    } else {
        "portcullis iam api-keys"
    };
    only("API key", name, list, found, |row| row.id.clone())
}

/// The API keys of `owner`.
pub(super) async fn api_keys(session: &mut Session, owner: &str) -> Result<Vec<ApiKey>, Failure> {
    let query = form(&[("account_id", &session.account()), ("iam_id", owner), ("pagesize", PAGE)]);
    wire::rows(&session.list(&format!("/v1/apikeys?{query}"), "apikeys").await?)
}

/// The access group with this id or name; names are compared without regard to case.
pub(super) async fn group(session: &mut Session, name: &str) -> Result<Group, Failure> {
    let query = form(&[("account_id", &session.account()), ("limit", PAGE)]);
    let mut found: Vec<Group> = wire::rows(&session.list(&format!("/v2/groups?{query}"), "groups").await?)?;
    found.retain(|row| row.id == name || row.name.eq_ignore_ascii_case(name));
    only("access group", name, "portcullis iam access-groups", found, |row| row.id.clone())
}

/// The role of the account's own making with this id or name, whichever of its two names it is.
pub(super) async fn custom_role(session: &mut Session, name: &str) -> Result<Role, Failure> {
    let mut found = custom_roles(session).await?;
    found.retain(|row| {
        row.id == name || row.crn == name || row.name == name || row.display_name.eq_ignore_ascii_case(name)
    });
    only("custom role", name, "portcullis iam roles", found, |row| row.id.clone())
}

/// The roles of the account's own making.
pub(super) async fn custom_roles(session: &mut Session) -> Result<Vec<Role>, Failure> {
    let query = form(&[("account_id", &session.account())]);
    let answer = session.read(&format!("/v2/roles?{query}")).await?;
    let rows = answer.get("custom_roles").and_then(serde_json::Value::as_array).cloned();
    wire::rows(&rows.unwrap_or_default())
}

/// What whoever a policy can be for is called, by id.
pub(super) async fn names(session: &mut Session) -> Result<Vec<(String, String)>, Failure> {
    let account = session.account();
    let query = form(&[("account_id", &account), ("limit", PAGE)]);
    let groups: Vec<Group> = wire::rows(&session.list(&format!("/v2/groups?{query}"), "groups").await?)?;
    let query = form(&[("account_id", &account), ("pagesize", PAGE)]);
    let found = session.list(&format!("/v1/serviceids/?{query}"), "serviceids").await?;
    let service_ids: Vec<ServiceId> = wire::rows(&found)?;
    let people: Vec<User> = wire::rows(&users(session).await?)?;
    let mut names: Vec<(String, String)> = groups.into_iter().map(|row| (row.id, row.name)).collect();
    names.extend(service_ids.into_iter().map(|row| (row.iam_id, row.name)));
    names.extend(people.into_iter().map(|row| (row.iam_id, row.user_id)));
    Ok(names)
}

/// All users of the account.
pub(super) async fn users(session: &mut Session) -> Result<Vec<serde_json::Value>, Failure> {
    let account = super::http::encoded(&session.account());
    session.list(&format!("/v2/accounts/{account}/users?limit={PAGE}"), "resources").await
}

/// The user with this name, e-mail address or IAM id.
pub(super) async fn user(session: &mut Session, name: &str) -> Result<Principal, Failure> {
    let found = users_named(session, name).await?;
    let found = only("user", name, "portcullis iam users", found, |row| row.iam_id.clone())?;
    Ok(Principal { iam_id: found.iam_id, name: found.user_id })
}

async fn users_named(session: &mut Session, name: &str) -> Result<Vec<User>, Failure> {
    let mut found: Vec<User> = wire::rows(&users(session).await?)?;
    found.retain(|row| {
        row.iam_id == name || row.user_id.eq_ignore_ascii_case(name) || row.email.eq_ignore_ascii_case(name)
    });
    Ok(found)
}

/// Whoever has this name or IAM id: oneself, a service ID, a user.
pub(super) async fn principal(session: &mut Session, name: &str) -> Result<Principal, Failure> {
    let me = session.login.who.clone();
    if name == me.iam_id || name == me.name {
        return Ok(Principal { iam_id: me.iam_id, name: me.name });
    }
    if name.starts_with("ServiceId-") || name.starts_with("iam-ServiceId-") {
        let row = service_id(session, name).await?;
        return Ok(Principal { iam_id: row.iam_id, name: row.name });
    }
    if name.starts_with("IBMid-") {
        return Ok(Principal { iam_id: name.to_owned(), name: name.to_owned() });
    }
    let service_ids = service_ids_named(session, name).await?;
    let mut found: Vec<Principal> =
        service_ids.into_iter().map(|row| Principal { iam_id: row.iam_id, name: row.name }).collect();
    let users = users_named(session, name).await?;
    found.extend(users.into_iter().map(|row| Principal { iam_id: row.iam_id, name: row.user_id }));
    only("principal", name, "portcullis iam service-ids` and `portcullis iam users", found, |row| {
        row.iam_id.clone()
    })
}

fn only<T>(
    kind: &str,
    name: &str,
    list: &str,
    found: Vec<T>,
    id: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let ids: Vec<String> = found.iter().map(id).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => Err(Failure::new(
            format!("There is no {kind} `{name}`."),
            format!("`{list}` {} those that there are.", if list.contains('`') { "list" } else { "lists" }),
        )),
        (Some(_), Some(_)) => {
            let what = format!("The {kind} `{name}` is not the only one of that name: {}.", ids.join(", "));
            Err(Failure::new(what, "Run the command again with the id instead of the name."))
        }
    }
}
