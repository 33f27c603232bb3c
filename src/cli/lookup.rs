//! From what people call things to their ids. A name that means several things is never guessed at.

use serde_json::Value;

use super::entity::{self, Entity, EntityKind, OfProfile, OfServiceId};
use super::failure::Failure;
use super::http::form;
use super::session::Session;
use super::wire::{self, ApiKey, Group, Role, User};

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

/// The kinds of principals that policies and groups know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PrincipalKind {
    Profile,
    ServiceId,
    User,
}

impl PrincipalKind {
    /// What messages call one.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Profile => "trusted profile",
            Self::ServiceId => "service ID",
            Self::User => "user",
        }
    }

    /// The one with this id or name.
    pub(super) async fn find(self, session: &mut Session, name: &str) -> Result<Principal, Failure> {
        match self {
            Self::Profile => Ok(entity::<OfProfile>(session, name).await?.principal()),
            Self::ServiceId => Ok(entity::<OfServiceId>(session, name).await?.principal()),
            Self::User => user(session, name).await,
        }
    }

    /// What all of them are called, by IAM id.
    pub(super) async fn names(self, session: &mut Session) -> Result<Vec<(String, String)>, Failure> {
        let principals: Vec<Principal> = match self {
            Self::Profile => principals::<OfProfile>(session).await?,
            Self::ServiceId => principals::<OfServiceId>(session).await?,
            Self::User => wire::rows(&users(session).await?)?.into_iter().map(User::principal).collect(),
        };
        Ok(principals.into_iter().map(|one| (one.iam_id, one.name)).collect())
    }
}

/// The service ID or trusted profile with this id or name.
pub(super) async fn entity<K: EntityKind>(session: &mut Session, name: &str) -> Result<Entity<K>, Failure> {
    let id = name.strip_prefix("iam-").unwrap_or(name);
    if id.starts_with(K::PREFIX) {
        return wire::row(&session.read(&entity::path::<K>(id)).await?);
    }
    let found = entities_named(session, name).await?;
    only(K::NOUN, name, K::COMMAND, found, |row: &Entity<K>| row.id.clone())
}

/// All service IDs or trusted profiles, as the API shows them.
pub(super) async fn entities<K: EntityKind>(session: &mut Session) -> Result<Vec<Value>, Failure> {
    entities_with::<K>(session, &[]).await
}

async fn entities_with<K: EntityKind>(
    session: &mut Session,
    filter: &[(&str, &str)],
) -> Result<Vec<Value>, Failure> {
    let account = session.account();
    let query = form(&[&[("account_id", account.as_str()), ("pagesize", PAGE)], filter].concat());
    session.list(&format!("{}?{query}", K::PATH), K::LIST).await
}

async fn principals<K: EntityKind>(session: &mut Session) -> Result<Vec<Principal>, Failure> {
    let found: Vec<Entity<K>> = wire::rows(&entities::<K>(session).await?)?;
    Ok(found.into_iter().map(Entity::principal).collect())
}

async fn entities_named<K: EntityKind>(session: &mut Session, name: &str) -> Result<Vec<Entity<K>>, Failure> {
    let found = entities_with::<K>(session, &[("name", name)]).await?;
    let mut found: Vec<Entity<K>> = wire::rows(&found)?;
    found.retain(|row| row.name == name);
    Ok(found)
}

/// The row with this id or name in a list of the parts of something, such as its rules.
pub(super) async fn part(
    session: &mut Session,
    (kind, list): (&str, &str),
    (target, field): (&str, &str),
    name: &str,
) -> Result<Value, Failure> {
    let text =
        |row: &Value, field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = session.list(target, field).await?;
    found.retain(|row| text(row, "id") == name || text(row, "name") == name);
    only(kind, name, list, found, |row| text(row, "id"))
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
    let mut found = groups(session).await?;
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
    let rows = answer.get("custom_roles").and_then(Value::as_array).cloned();
    wire::rows(&rows.unwrap_or_default())
}

/// What the access groups are called, by id.
pub(super) async fn group_names(session: &mut Session) -> Result<Vec<(String, String)>, Failure> {
    Ok(groups(session).await?.into_iter().map(|row| (row.id, row.name)).collect())
}

async fn groups(session: &mut Session) -> Result<Vec<Group>, Failure> {
    let query = form(&[("account_id", &session.account()), ("limit", PAGE)]);
    wire::rows(&session.list(&format!("/v2/groups?{query}"), "groups").await?)
}

/// All users of the account.
pub(super) async fn users(session: &mut Session) -> Result<Vec<Value>, Failure> {
    let account = super::http::encoded(&session.account());
    session.list(&format!("/v2/accounts/{account}/users?limit={PAGE}"), "resources").await
}

/// The user with this name, e-mail address or IAM id.
pub(super) async fn user(session: &mut Session, name: &str) -> Result<Principal, Failure> {
    let found = users_named(session, name).await?;
    Ok(only("user", name, "portcullis iam users", found, |row| row.iam_id.clone())?.principal())
}

async fn users_named(session: &mut Session, name: &str) -> Result<Vec<User>, Failure> {
    let mut found: Vec<User> = wire::rows(&users(session).await?)?;
    found.retain(|row| {
        row.iam_id == name || row.user_id.eq_ignore_ascii_case(name) || row.email.eq_ignore_ascii_case(name)
    });
    Ok(found)
}

/// Whoever has this name or IAM id: oneself, a service ID, a user, a trusted profile.
pub(super) async fn principal(session: &mut Session, name: &str) -> Result<Principal, Failure> {
    let me = session.login.who.clone();
    if name == me.iam_id || name == me.name {
        return Ok(Principal { iam_id: me.iam_id, name: me.name });
    }
    let id = name.strip_prefix("iam-").unwrap_or(name);
    if id.starts_with("ServiceId-") {
        return PrincipalKind::ServiceId.find(session, id).await;
    }
    if id.starts_with("Profile-") {
        return PrincipalKind::Profile.find(session, id).await;
    }
    if name.starts_with("IBMid-") {
        return Ok(Principal { iam_id: name.to_owned(), name: name.to_owned() });
    }
    let service_ids = entities_named::<OfServiceId>(session, name).await?;
    let mut found: Vec<Principal> = service_ids.into_iter().map(Entity::principal).collect();
    found.extend(users_named(session, name).await?.into_iter().map(User::principal));
    found.extend(entities_named::<OfProfile>(session, name).await?.into_iter().map(Entity::principal));
    let lists = "portcullis iam service-ids`, `portcullis iam users` and `portcullis iam trusted-profiles";
    only("principal", name, lists, found, |row| row.iam_id.clone())
}

/// The only one that was found, whatever it is: none is refused, and several ask for the id.
pub(super) fn only<T>(
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
