//! Whom a trusted profile trusts: by name (identities) and by place (links).

use http::Method;
use serde_json::{Map, Value, json};

use crate::cli::args::iam::Listing;
use crate::cli::args::iam::profile::{
    IdentityCreate, IdentityDelete, IdentityShow, IdentityType, LinkCreate, Trusted,
};
use crate::cli::args::iam::rule::{PartDelete, PartShow, Parts};
use crate::cli::display::tame;
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::lookup::{self, PrincipalKind};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Listed, Thing};
use crate::cli::wire::{self, Identity, Link, OfProfile, OfServiceId, Profile};

/// What a link is in a message that there is none, and what lists them.
const A_LINK: (&str, &str) = ("link", "portcullis iam trusted-profile-links PROFILE");

/// Where something of this profile is.
fn within(profile: &Profile) -> String {
    format!(" of trusted profile {}", tame(&profile.name))
}

/// `iam trusted-profile-identities`.
pub(super) async fn identities(io: &mut Io, session: &mut Session, of: Listing) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &of.name).await?;
    let (user, display) = (session.user(), of.display);
    io.announce(display, format!("Getting all identities{} as {user}...", within(&profile)));
    let found = session.list(&format!("{}/identities", profile.path()), "identities").await?;
    thing::table::<Identity>(io, display, found, "No identity found.")
}

/// `iam trusted-profile-identity`.
pub(super) async fn identity(io: &mut Io, session: &mut Session, one: IdentityShow) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &one.profile).await?;
    let identifier = identifier(session, &one.trusted).await?;
    let named = Thing { noun: "identity", name: &identifier, within: &within(&profile) };
    named.getting(io, session, one.display);
    thing::found::<Identity>(io, session, one.display, &at(&profile, &one.trusted, &identifier)).await
}

/// `iam trusted-profile-identity-create`.
pub(super) async fn add_identity(
    io: &mut Io,
    session: &mut Session,
    new: IdentityCreate,
) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &new.profile).await?;
    let identifier = identifier(session, &new.trusted).await?;
    let kind = new.trusted.id_type.wire();
    let mut body = Map::new();
    body.insert("identifier".to_owned(), identifier.as_str().into());
    body.insert("type".to_owned(), kind.into());
    body.extend(new.description.map(|text| ("description".to_owned(), text.into())));
    let target = format!("{}/identities/{kind}", profile.path());
    let request = Request::new(Method::POST, target).json(&Value::Object(body));
    let named = Thing { noun: "identity", name: &identifier, within: &within(&profile) };
    named.create::<Identity>(io, session, new.display, request).await
}

/// `iam trusted-profile-identity-delete`.
pub(super) async fn remove_identity(
    io: &mut Io,
    session: &mut Session,
    one: IdentityDelete,
) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &one.profile).await?;
    let identifier = identifier(session, &one.trusted).await?;
    let within = within(&profile);
    let question = format!("Really delete identity {}{within}?", tame(&identifier));
    let named = Thing { noun: "identity", name: &identifier, within: &within };
    let target = at(&profile, &one.trusted, &identifier);
    named.delete(io, session, &one.consent, (&question, &target)).await
}

fn at(profile: &Profile, trusted: &Trusted, identifier: &str) -> String {
    format!("{}/identities/{}/{}", profile.path(), trusted.id_type.wire(), encoded(identifier))
}

/// What the API knows somebody by. An id is taken as it is: whom it meant may be gone, and the trust in them is to go too.
async fn identifier(session: &mut Session, trusted: &Trusted) -> Result<String, Failure> {
    let id = trusted.id.strip_prefix("iam-").unwrap_or(&trusted.id);
    match trusted.id_type {
        IdentityType::Crn => Ok(trusted.id.clone()),
        IdentityType::ServiceId if id.starts_with("ServiceId-") => Ok(id.to_owned()),
        IdentityType::ServiceId => Ok(lookup::entity::<OfServiceId>(session, &trusted.id).await?.id),
        IdentityType::User if id.starts_with("IBMid-") => Ok(id.to_owned()),
        IdentityType::User => Ok(PrincipalKind::User.find(session, &trusted.id).await?.iam_id),
    }
}

impl Detailed for Identity {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("Identifier", self.identifier),
            ("Type", self.kind),
            ("IAM ID", self.iam_id),
            ("Description", self.description),
        ]
    }
}

impl Listed for Identity {
    const HEADINGS: &'static [&'static str] = &["Identifier", "Type", "IAM ID", "Description"];

    fn cells(self) -> Vec<String> {
        vec![self.identifier, self.kind, self.iam_id, self.description]
    }
}

/// `iam trusted-profile-links`.
pub(super) async fn links(io: &mut Io, session: &mut Session, of: Parts) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &of.whole.name).await?;
    let (user, display) = (session.user(), of.only.display(of.whole.display));
    io.announce(display, format!("Getting all links{} as {user}...", within(&profile)));
    let found = session.list(&format!("{}/links", profile.path()), "links").await?;
    if of.only.id {
        thing::ids(io, &found);
        return Ok(());
    }
    thing::table::<Link>(io, display, found, "No link found.")
}

/// `iam trusted-profile-link`.
pub(super) async fn link(io: &mut Io, session: &mut Session, one: PartShow) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &one.of).await?;
    let display = one.only.display(one.display);
    let named = Thing { noun: "link", name: &one.part, within: &within(&profile) };
    named.getting(io, session, display);
    let found = link_named(session, &profile, &one.part).await?;
    io.ok(display);
    io.announce(display, "");
    thing::detail::<Link>(io, display, &found)
}

async fn link_named(session: &mut Session, profile: &Profile, name: &str) -> Result<Value, Failure> {
    lookup::part(session, A_LINK, (&format!("{}/links", profile.path()), "links"), name).await
}

/// `iam trusted-profile-link-create`.
pub(super) async fn add_link(io: &mut Io, session: &mut Session, new: LinkCreate) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &new.profile).await?;
    let mut target = Map::new();
    target.insert("crn".to_owned(), new.link_crn.clone().into());
    target.extend(new.link_namespace.map(|text| ("namespace".to_owned(), text.into())));
    target.extend(new.link_name.map(|text| ("name".to_owned(), text.into())));
    let body = json!({ "name": new.name.clone().unwrap_or_default(), "cr_type": new.cr_type.wire(), "link": target });
    let request = Request::new(Method::POST, format!("{}/links", profile.path())).json(&body);
    let name = new.name.unwrap_or(new.link_crn);
    let named = Thing { noun: "link", name: &name, within: &within(&profile) };
    named.create::<Link>(io, session, new.display, request).await
}

/// `iam trusted-profile-link-delete`.
pub(super) async fn remove_link(io: &mut Io, session: &mut Session, one: PartDelete) -> Result<(), Failure> {
    let profile = lookup::entity::<OfProfile>(session, &one.of).await?;
    let found: Link = wire::row(&link_named(session, &profile, &one.part).await?)?;
    let (name, within) = (if found.name.is_empty() { &found.id } else { &found.name }, within(&profile));
    let question = format!("Really delete link {} ({}){within}?", tame(name), tame(&found.id));
    let target = format!("{}/links/{}", profile.path(), encoded(&found.id));
    let named = Thing { noun: "link", name, within: &within };
    named.delete(io, session, &one.consent, (&question, &target)).await
}

impl Detailed for Link {
    fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("ID", self.id),
            ("Name", self.name),
            ("Type", self.cr_type),
            ("CRN", self.link.crn),
            ("Namespace", self.link.namespace),
            ("Service Account", self.link.name),
            ("Created At", self.created_at),
        ]
    }
}

impl Listed for Link {
    const HEADINGS: &'static [&'static str] =
        &["ID", "Name", "Type", "CRN", "Namespace", "Service Account", "Created At"];

    fn cells(self) -> Vec<String> {
        let Self { id, name, cr_type, link, created_at } = self;
        vec![id, name, cr_type, link.crn, link.namespace, link.name, created_at]
    }
}
