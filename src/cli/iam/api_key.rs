//! API keys: one's own, and those of service IDs. A fresh key is shown once, or written to a file instead.

use std::path::Path;

use http::{HeaderName, Method, header};
use serde_json::{Value, json};

use super::service_id::contains;
use crate::cli::args::iam::identity::{ApiKeyCommand, Issue, ServiceApiKeyCreate, ServiceApiKeys};
use crate::cli::args::iam::{Consent, Many, Texts};
use crate::cli::display::{self, Display, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded, form};
use crate::cli::lookup::{self, Principal};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Listed};
use crate::cli::wire::{self, ApiKey, OfServiceId};

/// A switch on a key.
#[derive(Clone, Copy)]
enum Switch {
    Disable,
    Enable,
    Lock,
    Unlock,
}

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: ApiKeyCommand) -> Result<(), Failure> {
    use ApiKeyCommand as C;
    match command {
        C::ApiKey(one) => show(io, session, (&one.of.name, None), one.display()).await,
        C::ApiKeyCreate(new) => {
            let (new, issue) = (new.create, new.issue);
            let owner = Owner { principal: myself(session), service: false };
            create(
                io,
                session,
                &owner,
                New { name: new.name, description: new.description, issue, display: new.display },
            )
            .await
        }
        C::ApiKeyDelete(key) => delete(io, session, &key.name, None, &key.consent).await,
        C::ApiKeyDisable(key) => switch(io, session, &key.name, None, &key.consent, Switch::Disable).await,
        C::ApiKeyEnable(key) => switch(io, session, &key.name, None, &key.consent, Switch::Enable).await,
        C::ApiKeyLock(key) => switch(io, session, &key.name, None, &key.consent, Switch::Lock).await,
        C::ApiKeyUnlock(key) => switch(io, session, &key.name, None, &key.consent, Switch::Unlock).await,
        C::ApiKeyUpdate(change) => update(io, session, &change.of, None, change.texts).await,
        C::ApiKeys(many) => list_own(io, session, many).await,
        C::ServiceApiKey(one) => {
            let display = one.only.display(one.display);
            show(io, session, (&one.key, Some(&one.service_id)), display).await
        }
        C::ServiceApiKeyCreate(new) => create_for_service_id(io, session, new).await,
        C::ServiceApiKeyDelete(key) => {
            delete(io, session, &key.key, Some(&key.service_id), &key.consent).await
        }
        C::ServiceApiKeyDisable(key) => {
            switch(io, session, &key.key, Some(&key.service_id), &key.consent, Switch::Disable).await
        }
        C::ServiceApiKeyEnable(key) => {
            switch(io, session, &key.key, Some(&key.service_id), &key.consent, Switch::Enable).await
        }
        C::ServiceApiKeyLock(key) => {
            switch(io, session, &key.key, Some(&key.service_id), &key.consent, Switch::Lock).await
        }
        C::ServiceApiKeyUnlock(key) => {
            switch(io, session, &key.key, Some(&key.service_id), &key.consent, Switch::Unlock).await
        }
        C::ServiceApiKeyUpdate(change) => {
            update(io, session, &change.key, Some(&change.service_id), change.texts).await
        }
        C::ServiceApiKeys(filter) => list_of_service_id(io, session, filter).await,
    }
}

/// Whose key it is.
struct Owner {
    principal: Principal,
    service: bool,
}

impl Owner {
    /// What messages call a key of theirs: `API key K of service ID S`.
    fn key(&self, name: &str) -> String {
        let name = display::tame(name);
        if self.service {
            format!("API key {name} of service ID {}", display::tame(&self.principal.name))
        } else {
            format!("API key {name}")
        }
    }
}

struct New {
    name: String,
    description: Option<String>,
    issue: Issue,
    display: Display,
}

fn myself(session: &Session) -> Principal {
    Principal { iam_id: session.login.who.iam_id.clone(), name: session.user() }
}

async fn owner(session: &mut Session, service_id: Option<&str>) -> Result<Owner, Failure> {
    let Some(name) = service_id else { return Ok(Owner { principal: myself(session), service: false }) };
    let row = lookup::entity::<OfServiceId>(session, name).await?;
    Ok(Owner { principal: Principal { iam_id: row.iam_id, name: row.name }, service: true })
}

async fn create_for_service_id(
    io: &mut Io,
    session: &mut Session,
    new: ServiceApiKeyCreate,
) -> Result<(), Failure> {
    let owner = owner(session, Some(&new.service_id)).await?;
    let new = New { name: new.name, description: new.description, issue: new.issue, display: new.display };
    create(io, session, &owner, new).await
}

async fn create(io: &mut Io, session: &mut Session, owner: &Owner, new: New) -> Result<(), Failure> {
    let (account, user, display) = (session.account(), session.user(), new.display);
    io.announce(display, format!("Creating {} under account {account} as {user}...", owner.key(&new.name)));
    let mut body = serde_json::Map::new();
    body.insert("name".to_owned(), new.name.clone().into());
    body.insert("iam_id".to_owned(), owner.principal.iam_id.clone().into());
    body.insert("account_id".to_owned(), account.into());
    if let Some(description) = new.description {
        body.insert("description".to_owned(), description.into());
    }
    if let Some(action) = new.issue.action_if_leaked {
        body.insert("action_when_leaked".to_owned(), action.as_str().into());
    }
    let lock = if new.issue.lock { "true" } else { "false" };
    let request = Request::new(Method::POST, "/v1/apikeys").json(&Value::Object(body));
    let made = session.call(request.header(HeaderName::from_static("entity-lock"), lock)).await?.json()?;
    let key = made
        .get("apikey")
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::misunderstood("the API key is missing"))?;
    if let Some(file) = &new.issue.file {
        save(file, &made, key)?;
    }
    io.ok(display);
    let kind = if owner.service { "Service ID API key" } else { "API key" };
    io.announce(display, format!("{kind} {} is created", display::tame(&new.name)));
    let shown = match &new.issue.file {
        Some(file) => {
            io.announce(display, format!("Successfully save API key information to {}", file.display()));
            None
        }
        None => {
            io.announce(display, "\nPlease preserve the API key! It cannot be retrieved after it's created.");
            Some(key)
        }
    };
    io.announce(display, "");
    detail(io, display, &made, shown)
}

fn detail(io: &mut Io, display: Display, made: &Value, key: Option<&str>) -> Result<(), Failure> {
    if display.is_json() {
        let mut made = made.clone();
        if let (None, Some(fields)) = (key, made.as_object_mut()) {
            fields.remove("apikey");
        }
        io.line(display::json(&made));
        return Ok(());
    }
    let row: ApiKey = wire::row(made)?;
    if display.quiet {
        io.line(display::tame(key.unwrap_or(&row.id)));
        return Ok(());
    }
    let rows = [
        ("ID", Some(row.id)),
        ("Name", Some(row.name)),
        ("Description", Some(row.description)),
        ("Created At", Some(row.created_at)),
        ("API Key", key.map(str::to_owned)),
        ("Locked", Some(row.locked.to_string())),
    ];
    io.line(pairs(rows.into_iter().filter_map(|(name, value)| Some((name, value?)))));
    Ok(())
}

fn save(file: &Path, made: &Value, key: &str) -> Result<(), Failure> {
    let field = |name: &str| made.get(name).and_then(Value::as_str).unwrap_or_default();
    let content = json!({
        "name": field("name"), "description": field("description"), "createdAt": field("created_at"), "apikey": key,
    });
    let text = zeroize::Zeroizing::new(display::json(&content));
    crate::cli::profile::replace(file, text.as_bytes()).map_err(|error| {
        let what = format!(
            "The key was created as {}, but {} cannot be written: {error}.",
            field("id"),
            file.display()
        );
        Failure::new(what, "Delete that key, and create another one with a `--file` that can be written.")
    })
}

async fn list_own(io: &mut Io, session: &mut Session, many: Many) -> Result<(), Failure> {
    let (user, display) = (session.user(), many.only.display(many.display));
    io.announce(display, format!("Getting all API keys of the current user as {user}..."));
    let owner = session.login.who.iam_id.clone();
    let query = form(&[("account_id", &session.account()), ("iam_id", &owner), ("pagesize", lookup::PAGE)]);
    let found = session.list(&format!("/v1/apikeys?{query}"), "apikeys").await?;
    if many.only.id {
        thing::ids(io, &found);
        return Ok(());
    }
    thing::table::<ApiKey>(io, display, found, "No API key found.")
}

async fn list_of_service_id(
    io: &mut Io,
    session: &mut Session,
    filter: ServiceApiKeys,
) -> Result<(), Failure> {
    let (account, user, display) = (session.account(), session.user(), filter.display);
    let query = match &filter.service_id {
        Some(name) => {
            let row = lookup::entity::<OfServiceId>(session, name).await?;
            let name = display::tame(&row.name);
            io.announce(
                display,
                format!("Getting all API keys of service ID {name} under account {account} as {user}..."),
            );
            form(&[("account_id", &account), ("iam_id", &row.iam_id), ("pagesize", lookup::PAGE)])
        }
        None => {
            io.announce(
                display,
                format!("Getting all API keys of all service IDs under account {account} as {user}..."),
            );
            form(&[
                ("account_id", &account),
                ("scope", "account"),
                ("type", "serviceid"),
                ("pagesize", lookup::PAGE),
            ])
        }
    };
    let mut found = session.list(&format!("/v1/apikeys?{query}"), "apikeys").await?;
    found.retain(|row| {
        contains(row, "name", &filter.name) && contains(row, "description", &filter.description)
    });
    thing::table::<ApiKey>(io, display, found, "No service API key found.")
}

impl Listed for ApiKey {
    const HEADINGS: &'static [&'static str] =
        &["ID", "Name", "Created At", "Last Updated", "Description", "Locked", "Disabled"];

    fn cells(self) -> Vec<String> {
        let (locked, disabled) = (self.locked.to_string(), self.disabled.to_string());
        vec![self.id, self.name, self.created_at, self.modified_at, self.description, locked, disabled]
    }
}

async fn show(
    io: &mut Io,
    session: &mut Session,
    (key, service_id): (&str, Option<&str>),
    display: Display,
) -> Result<(), Failure> {
    let owner = owner(session, service_id).await?;
    let row = lookup::api_key(session, &owner.principal.iam_id, key).await?;
    let (name, user) = (owner.key(&row.name), session.user());
    io.announce(display, format!("Getting {name} as {user}..."));
    let found = session.read(&path(&row)).await?;
    io.ok(display);
    io.announce(display, "");
    detail(io, display, &found, None)
}

async fn update(
    io: &mut Io,
    session: &mut Session,
    key: &str,
    service_id: Option<&str>,
    texts: Texts,
) -> Result<(), Failure> {
    let owner = owner(session, service_id).await?;
    let row = lookup::api_key(session, &owner.principal.iam_id, key).await?;
    let (name, user, display) = (owner.key(&row.name), session.user(), texts.display);
    io.announce(display, format!("Updating {name} as {user}..."));
    let version = if row.entity_tag.is_empty() { "*" } else { &row.entity_tag };
    let request = Request::new(Method::PUT, path(&row)).json(&texts.body());
    let changed = session.call(request.header(header::IF_MATCH, version)).await?.json()?;
    io.ok(display);
    io.announce(display, format!("{name} is updated successfully\n"));
    detail(io, display, &changed, None)
}

fn path(key: &ApiKey) -> String {
    format!("/v1/apikeys/{}", encoded(&key.id))
}

async fn delete(
    io: &mut Io,
    session: &mut Session,
    key: &str,
    service_id: Option<&str>,
    consent: &Consent,
) -> Result<(), Failure> {
    let owner = owner(session, service_id).await?;
    let row = lookup::api_key(session, &owner.principal.iam_id, key).await?;
    let (name, user, display) = (owner.key(&row.name), session.user(), consent.display());
    if !io.confirm(&format!("Really delete {name} ({})?", row.id), consent.force)? {
        return Ok(());
    }
    io.announce(display, format!("Deleting {name} as {user}..."));
    session.call(Request::new(Method::DELETE, format!("/v1/apikeys/{}", encoded(&row.id)))).await?;
    io.ok(display);
    io.announce(display, format!("{name} is deleted successfully"));
    Ok(())
}

async fn switch(
    io: &mut Io,
    session: &mut Session,
    key: &str,
    service_id: Option<&str>,
    consent: &Consent,
    switch: Switch,
) -> Result<(), Failure> {
    let owner = owner(session, service_id).await?;
    let row = lookup::api_key(session, &owner.principal.iam_id, key).await?;
    let (name, user, display) = (owner.key(&row.name), session.user(), consent.display());
    let (doing, done, method, what) = match switch {
        Switch::Disable => ("Disabling", "disabled", Method::POST, "disable"),
        Switch::Enable => ("Enabling", "enabled", Method::DELETE, "disable"),
        Switch::Lock => ("Locking", "locked", Method::POST, "lock"),
        Switch::Unlock => ("Unlocking", "unlocked", Method::DELETE, "lock"),
    };
    io.announce(display, format!("{doing} {name} as {user}..."));
    session.call(Request::new(method, format!("/v1/apikeys/{}/{what}", encoded(&row.id)))).await?;
    io.ok(display);
    io.announce(display, format!("{name} is {done} successfully"));
    Ok(())
}
