//! Trusted profiles: principals without credentials, which others take on. Whom one trusts is [`super::trust`]'s and [`super::rule`]'s.

use http::Method;
use serde_json::json;

use super::{rule, trust};
use crate::cli::args::iam::profile::ProfileCommand;
use crate::cli::args::iam::{Create, Entity, Many, One, Reword};
use crate::cli::display;
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Listed, Thing};
use crate::cli::wire::{OfProfile, Profile};

/// Runs one command.
pub(super) async fn run(io: &mut Io, session: &mut Session, command: ProfileCommand) -> Result<(), Failure> {
    use ProfileCommand as C;
    match command {
        C::Create(new) => create(io, session, new).await,
        C::Delete(one) => delete(io, session, one).await,
        C::Identities(of) => trust::identities(io, session, of).await,
        C::Identity(one) => trust::identity(io, session, one).await,
        C::IdentityCreate(new) => trust::add_identity(io, session, new).await,
        C::IdentityDelete(one) => trust::remove_identity(io, session, one).await,
        C::Link(one) => trust::link(io, session, one).await,
        C::LinkCreate(new) => trust::add_link(io, session, new).await,
        C::LinkDelete(one) => trust::remove_link(io, session, one).await,
        C::Links(of) => trust::links(io, session, of).await,
        C::List(many) => list(io, session, many).await,
        C::Rule(one) => rule::show(io, session, rule::Owner::Profile, one).await,
        C::RuleCreate(new) => rule::create_for_profile(io, session, new).await,
        C::RuleDelete(one) => rule::delete(io, session, rule::Owner::Profile, one).await,
        C::RuleUpdate(change) => rule::update_for_profile(io, session, change).await,
        C::Rules(of) => rule::list(io, session, rule::Owner::Profile, of).await,
        C::Show(one) => show(io, session, one).await,
        C::Update(change) => update(io, session, change).await,
    }
}

/// How messages name a trusted profile.
const fn thing(name: &str) -> Thing<'_> {
    Thing { noun: "trusted profile", name, within: " under current account" }
}

async fn create(io: &mut Io, session: &mut Session, new: Create) -> Result<(), Failure> {
    let mut body = json!({ "account_id": session.account(), "name": new.name });
    if let (Some(description), Some(fields)) = (new.description, body.as_object_mut()) {
        fields.insert("description".to_owned(), description.into());
    }
    let request = Request::new(Method::POST, "/v1/profiles").json(&body);
    thing(&new.name).create::<Profile>(io, session, new.display, request).await
}

async fn list(io: &mut Io, session: &mut Session, many: Many) -> Result<(), Failure> {
    let (user, display) = (session.user(), many.only.display(many.display));
    io.announce(display, format!("Getting all trusted profiles under current account as {user}..."));
    let found = lookup::entities::<OfProfile>(session).await?;
    if many.only.id {
        thing::ids(io, &found);
        return Ok(());
    }
    thing::table::<Profile>(io, display, found, "No trusted profile found.")
}

async fn show(io: &mut Io, session: &mut Session, one: One) -> Result<(), Failure> {
    let display = one.display();
    thing(&one.of.name).getting(io, session, display);
    let row = lookup::entity::<OfProfile>(session, &one.of.name).await?;
    thing::found::<Profile>(io, session, display, &row.path()).await
}

async fn update(io: &mut Io, session: &mut Session, change: Reword) -> Result<(), Failure> {
    let row = lookup::entity::<OfProfile>(session, &change.of).await?;
    let display = change.texts.display;
    let request = Request::new(Method::PUT, row.path()).json(&change.texts.body());
    thing(&row.name).update::<Profile>(io, session, display, (request, &row.entity_tag)).await
}

async fn delete(io: &mut Io, session: &mut Session, one: Entity) -> Result<(), Failure> {
    let row = lookup::entity::<OfProfile>(session, &one.name).await?;
    let name = display::tame(&row.name);
    let question = format!("Really delete trusted profile {name} ({}) with its policies?", row.id);
    thing(&row.name).delete(io, session, &one.consent, (&question, &row.path())).await
}

impl Detailed for Profile {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id),
            ("Name", self.name),
            ("Description", self.description),
            ("CRN", self.crn),
            ("IAM ID", self.iam_id),
            ("Version", self.entity_tag),
            ("Created At", self.created_at),
            ("Last Updated", self.modified_at),
        ]
    }
}

impl Listed for Profile {
    const HEADINGS: &'static [&'static str] = &["ID", "Name", "Created At", "Last Updated", "Description"];

    fn cells(self) -> Vec<String> {
        vec![self.id, self.name, self.created_at, self.modified_at, self.description]
    }
}
