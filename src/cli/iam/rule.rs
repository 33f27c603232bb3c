//! Rules: who is let into an access group, or may take on a trusted profile, by what others say of them.

use http::Method;
use serde_json::{Map, Value, json};

use super::group;
use crate::cli::args::iam::profile::{RuleCreate, RuleType, RuleUpdate};
use crate::cli::args::iam::rule::{
    GroupRuleCommand, GroupRuleCreate, GroupRuleUpdate, PartDelete, PartShow, Parts, RuleChange,
};
use crate::cli::display::{Display, tame};
use crate::cli::failure::Failure;
use crate::cli::http::{Request, encoded};
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::thing::{self, Detailed, Listed, Thing};
use crate::cli::wire::{self, OfProfile, Rule};
use crate::policy::ibm::claim::ClaimCondition;

/// What has rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Group,
    Profile,
}

impl Owner {
    const fn noun(self) -> &'static str {
        match self {
            Self::Group => "access group",
            Self::Profile => "trusted profile",
        }
    }

    /// What a rule is in a message that there is none, and what lists them.
    const fn a_rule(self) -> (&'static str, &'static str) {
        match self {
            Self::Group => ("rule", "portcullis iam access-group-rules GROUP"),
            Self::Profile => ("rule", "portcullis iam trusted-profile-rules PROFILE"),
        }
    }

    /// What of a rule is for the caller to write.
    const fn writable(self) -> &'static [&'static str] {
        match self {
            Self::Group => &["name", "realm_name", "expiration", "conditions"],
            Self::Profile => &["name", "type", "realm_name", "cr_type", "expiration", "conditions"],
        }
    }

    async fn find(self, session: &mut Session, name: &str) -> Result<Rules, Failure> {
        let (name, path) = match self {
            Self::Group => {
                let row = lookup::group(session, name).await?;
                (tame(&row.name), group::path(&row))
            }
            Self::Profile => {
                let row = lookup::entity::<OfProfile>(session, name).await?;
                (tame(&row.name), row.path())
            }
        };
        Ok(Rules {
            owner: self,
            within: format!(" of {} {name}", self.noun()),
            path: format!("{path}/rules"),
        })
    }
}

/// The rules of one access group or trusted profile.
struct Rules {
    owner: Owner,
    /// Where messages say that they are.
    within: String,
    /// Where the API keeps them.
    path: String,
}

impl Rules {
    fn thing<'a>(&'a self, name: &'a str) -> Thing<'a> {
        Thing { noun: "rule", name, within: &self.within }
    }

    async fn named(&self, session: &mut Session, name: &str) -> Result<(Value, Rule), Failure> {
        let found = lookup::part(session, self.owner.a_rule(), (&self.path, "rules"), name).await?;
        let row = wire::row(&found)?;
        Ok((found, row))
    }

    fn at(&self, rule: &Rule) -> String {
        format!("{}/{}", self.path, encoded(&rule.id))
    }

    async fn create(
        &self,
        io: &mut Io,
        session: &mut Session,
        display: Display,
        body: Map<String, Value>,
    ) -> Result<(), Failure> {
        let name = body.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
        let request = Request::new(Method::POST, self.path.as_str()).json(&Value::Object(body));
        self.thing(&name).create::<Rule>(io, session, display, request).await
    }

    /// The API replaces a rule whole: what is not to change is said again.
    async fn update(
        &self,
        io: &mut Io,
        session: &mut Session,
        (rule, display): (&str, Display),
        (change, gone): (Map<String, Value>, &[&str]),
    ) -> Result<(), Failure> {
        if change.is_empty() {
            return Err(Failure::usage("Nothing is to be changed.", "`--help` after it lists what can be."));
        }
        let (found, row) = self.named(session, rule).await?;
        let version = thing::version(session, &self.at(&row)).await?;
        let known = found.as_object().cloned().unwrap_or_default();
        let kept = |(field, value): &(String, Value)| {
            let field = field.as_str();
            self.owner.writable().contains(&field) && !gone.contains(&field) && !value.is_null()
        };
        let mut body: Map<String, Value> = known.into_iter().filter(kept).collect();
        body.extend(change);
        let request = Request::new(Method::PUT, self.at(&row)).json(&Value::Object(body));
        self.thing(shown_name(&row)).update::<Rule>(io, session, display, (request, &version)).await
    }
}

fn shown_name(rule: &Rule) -> &str {
    if rule.name.is_empty() { &rule.id } else { &rule.name }
}

/// Runs one command.
pub(super) async fn run(
    io: &mut Io,
    session: &mut Session,
    command: GroupRuleCommand,
) -> Result<(), Failure> {
    match command {
        GroupRuleCommand::Create(new) => create_for_group(io, session, new).await,
        GroupRuleCommand::Delete(one) => delete(io, session, Owner::Group, one).await,
        GroupRuleCommand::List(of) => list(io, session, Owner::Group, of).await,
        GroupRuleCommand::Show(one) => show(io, session, Owner::Group, one).await,
        GroupRuleCommand::Update(change) => update_for_group(io, session, change).await,
    }
}

/// Lists the rules.
pub(super) async fn list(io: &mut Io, session: &mut Session, owner: Owner, of: Parts) -> Result<(), Failure> {
    let rules = owner.find(session, &of.whole.name).await?;
    let (user, display) = (session.user(), of.only.display(of.whole.display));
    io.announce(display, format!("Getting all rules{} as {user}...", rules.within));
    let found = session.list(&rules.path, "rules").await?;
    if of.only.id {
        thing::ids(io, &found);
        return Ok(());
    }
    thing::table::<Rule>(io, display, found, "No rule found.")
}

/// Shows a rule.
pub(super) async fn show(
    io: &mut Io,
    session: &mut Session,
    owner: Owner,
    one: PartShow,
) -> Result<(), Failure> {
    let rules = owner.find(session, &one.of).await?;
    let display = one.only.display(one.display);
    rules.thing(&one.part).getting(io, session, display);
    let (found, _) = rules.named(session, &one.part).await?;
    io.ok(display);
    io.announce(display, "");
    thing::detail::<Rule>(io, display, &found)
}

/// Deletes a rule.
pub(super) async fn delete(
    io: &mut Io,
    session: &mut Session,
    owner: Owner,
    one: PartDelete,
) -> Result<(), Failure> {
    let rules = owner.find(session, &one.of).await?;
    let (_, row) = rules.named(session, &one.part).await?;
    let name = shown_name(&row);
    let question = format!("Really delete rule {} ({}){}?", tame(name), tame(&row.id), rules.within);
    rules.thing(name).delete(io, session, &one.consent, (&question, &rules.at(&row))).await
}

async fn create_for_group(io: &mut Io, session: &mut Session, new: GroupRuleCreate) -> Result<(), Failure> {
    let rules = Owner::Group.find(session, &new.group).await?;
    let change = RuleChange {
        name: new.name,
        realm_name: Some(new.realm_name),
        expiration: Some(new.expiration),
        conditions: new.conditions,
    };
    rules.create(io, session, new.display, said(change)).await
}

async fn update_for_group(
    io: &mut Io,
    session: &mut Session,
    change: GroupRuleUpdate,
) -> Result<(), Failure> {
    let rules = Owner::Group.find(session, &change.group).await?;
    rules.update(io, session, (&change.rule, change.display), (said(change.change), &[])).await
}

/// Makes a rule of a trusted profile.
pub(super) async fn create_for_profile(
    io: &mut Io,
    session: &mut Session,
    new: RuleCreate,
) -> Result<(), Failure> {
    let rules = Owner::Profile.find(session, &new.profile).await?;
    let change = RuleChange {
        name: new.name,
        realm_name: new.realm_name,
        expiration: new.expiration,
        conditions: new.conditions,
    };
    let mut body = said(change);
    body.insert("type".to_owned(), new.kind.wire().into());
    body.extend(new.cr_type.map(|kind| ("cr_type".to_owned(), kind.wire().into())));
    rules.create(io, session, new.display, body).await
}

/// Changes a rule of a trusted profile; what only its former type can say goes with that.
pub(super) async fn update_for_profile(
    io: &mut Io,
    session: &mut Session,
    change: RuleUpdate,
) -> Result<(), Failure> {
    let rules = Owner::Profile.find(session, &change.profile).await?;
    let gone: &[&str] = match change.kind {
        Some(RuleType::Compute) => &["realm_name", "expiration"],
        Some(RuleType::Realm) => &["cr_type"],
        None => &[],
    };
    let mut body = said(change.change);
    body.extend(change.kind.map(|kind| ("type".to_owned(), kind.wire().into())));
    body.extend(change.cr_type.map(|kind| ("cr_type".to_owned(), kind.wire().into())));
    rules.update(io, session, (&change.rule, change.display), (body, gone)).await
}

/// What was given, as the API names it.
fn said(change: RuleChange) -> Map<String, Value> {
    let conditions = Some(change.conditions).filter(|conditions| !conditions.is_empty());
    let fields = [
        ("name", change.name.map(Value::from)),
        ("realm_name", change.realm_name.map(Value::from)),
        ("expiration", change.expiration.map(Value::from)),
        ("conditions", conditions.map(|conditions: Vec<ClaimCondition>| json!(conditions))),
    ];
    fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect()
}

/// What a rule demands, on one line.
fn demands(rule: &Rule) -> String {
    let one = |condition: &wire::Condition| {
        format!("{} {} {}", condition.claim, condition.operator, condition.value)
    };
    rule.conditions.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// Hours for an access group, which has one kind of rules; seconds for a trusted profile.
fn lifetime(rule: &Rule) -> String {
    let unit = if rule.kind.is_some() { "s" } else { "h" };
    rule.expiration.map_or_else(String::new, |time| format!("{time} {unit}"))
}

impl Detailed for Rule {
    fn pairs(self) -> Vec<(&'static str, String)> {
        let (conditions, expiration) = (demands(&self), lifetime(&self));
        let all = [
            ("ID", Some(self.id)),
            ("Name", Some(self.name)),
            ("Type", self.kind),
            ("Realm", self.realm_name),
            ("Compute Type", self.cr_type),
            ("Expiration", Some(expiration).filter(|text| !text.is_empty())),
            ("Conditions", Some(conditions)),
        ];
        all.into_iter().filter_map(|(title, value)| Some((title, value?))).collect()
    }
}

impl Listed for Rule {
    const HEADINGS: &'static [&'static str] = &["ID", "Name", "Of", "Expiration", "Conditions"];

    fn cells(self) -> Vec<String> {
        let (conditions, expiration) = (demands(&self), lifetime(&self));
        let of = self.cr_type.or(self.realm_name).unwrap_or_default();
        vec![self.id, self.name, of, expiration, conditions]
    }
}
