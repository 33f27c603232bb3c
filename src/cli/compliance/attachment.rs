//! Attachments of configuration rules.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::args::attachment::{
    AttachmentCreate, AttachmentDelete, AttachmentUpdate, AttachmentsOf, Scope, Scopes,
};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{Detailed, Listed, Thing, detail, table};

/// An attachment on the wire.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    attachment_id: String,
    included_scope: ScopeRow,
    excluded_scopes: Vec<ScopeRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScopeRow {
    scope_id: String,
    scope_type: String,
    note: String,
}

impl ScopeRow {
    /// As the flags write it.
    fn words(&self) -> String {
        match self.scope_type.strip_prefix("account.") {
            Some(kind) => format!("{kind}:{}", self.scope_id),
            None => self.scope_type.clone(),
        }
    }
}

impl Row {
    fn excluded(&self) -> String {
        self.excluded_scopes.iter().map(ScopeRow::words).collect::<Vec<_>>().join(", ")
    }
}

impl Detailed for Row {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let (included, excluded) = (self.included_scope.words(), self.excluded());
        vec![
            ("ID", self.attachment_id),
            ("Included", included),
            ("Excluded", excluded),
            ("Note", self.included_scope.note),
        ]
    }
}

impl Listed for Row {
    const HEADINGS: &'static [&'static str] = &["ID", "Included", "Excluded", "Note"];

    fn cells(self) -> Vec<String> {
        self.pairs().into_iter().map(|(_, value)| value).collect()
    }
}

impl Scope {
    fn wire(&self, session: &Session) -> Value {
        match self {
            Self::Account => json!({"scope_type": "account", "scope_id": session.account()}),
            Self::Region(name) => json!({"scope_type": "account.region", "scope_id": name}),
            Self::Registry(name) => json!({"scope_type": "account.registry", "scope_id": name}),
        }
    }
}

impl Scopes {
    fn wire(&self, session: &Session) -> Value {
        let mut included = self.include.wire(session);
        if let (Some(note), Some(fields)) = (&self.note, included.as_object_mut()) {
            fields.insert("note".to_owned(), json!(note));
        }
        let excluded: Vec<Value> = self.exclude.iter().map(|one| one.wire(session)).collect();
        json!({"account_id": session.account(), "included_scope": included, "excluded_scopes": excluded})
    }
}

fn path(rule: &str) -> String {
    format!("/config/v1/rules/{}/attachments", encoded(rule))
}

fn path_of(rule: &str, id: &str) -> String {
    format!("{}/{}", path(rule), encoded(id))
}

/// `compliance rule-attachments`.
pub(super) async fn list(io: &mut Io, session: &mut Session, of: AttachmentsOf) -> Result<(), Failure> {
    let answer = session.read(&path(&of.rule)).await?;
    let found = answer.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
    let none = "The rule has no attachments: it is for every registry that its target fits.";
    table::<Row>(io, of.formatted.display(), found, none)
}

/// `compliance rule-attachment-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: AttachmentCreate) -> Result<(), Failure> {
    let display = new.formatted.display();
    io.announce(display, format!("Attaching rule as {}...", session.user()));
    let body = json!({"attachments": [new.scopes.wire(session)]});
    let answer = session.call(Request::new(Method::POST, path(&new.rule)).json(&body)).await?.json()?;
    let made =
        answer.pointer("/attachments/0").ok_or_else(|| Failure::misunderstood("`attachments` is missing"))?;
    io.ok(display);
    detail::<Row>(io, display, made)
}

/// `compliance rule-attachment-update`.
pub(super) async fn update(
    io: &mut Io,
    session: &mut Session,
    update: AttachmentUpdate,
) -> Result<(), Failure> {
    let path = path_of(&update.rule, &update.id);
    let seen = session.call(Request::new(Method::GET, path.clone())).await?;
    let request = Request::new(Method::PUT, path).json(&update.scopes.wire(session));
    let version = seen.header("etag").unwrap_or_default();
    let thing = Thing { noun: "attachment", name: &update.id, within: "" };
    thing.update::<Row>(io, session, update.formatted.display(), (request, version)).await
}

/// `compliance rule-attachment-delete`.
pub(super) async fn delete(io: &mut Io, session: &mut Session, one: AttachmentDelete) -> Result<(), Failure> {
    let path = path_of(&one.rule, &one.id);
    Thing { noun: "attachment", name: &one.id, within: "" }
        .delete(io, session, &one.consent, ("", &path))
        .await
}
