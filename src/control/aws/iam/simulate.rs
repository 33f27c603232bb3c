//! What policies would say: the engine's own decision, on documents that are put together for the question.
//!
//! As AWS's, the simulator asks AWS's documents only; what IBM's access policies add is for `explain` to tell. It permits
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entity::Entity;
use super::held::Held;
use super::keys::spellings;
use super::words::invalid;
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::document::Document;
use crate::policy::aws::json::Position;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::validate;
use crate::policy::engine::bundle::{Bundle, Policies};
use crate::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use crate::policy::engine::context::{Context, Key, Value};
use crate::policy::engine::decide::{decide, explain};
use crate::policy::engine::principal::Caller as Who;
use crate::policy::engine::question::{Class, Decider, Kind as Stands, Question};
use crate::policy::engine::resource::Resource;
use crate::policy::table::{ActionTable, IamAction, Row, product};

/// The most answers that one call has: actions times resources.
const ANSWERS: usize = 10_000;

/// A condition key and its values, as they are told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// The key.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
    /// Whether it is a list, be it of one.
    pub list: bool,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    /// The actions.
    pub actions: Vec<String>,
    /// The ARNs; all if there are none.
    pub resources: Vec<String>,
    /// Documents that grant besides.
    pub policies: Vec<String>,
    /// Documents that are the boundary, in place of the entity's own.
    pub boundaries: Vec<String>,
    /// The resource's own document.
    pub resource_policy: Option<String>,
    /// The account that owns the resource.
    pub owner: Option<String>,
    /// Who is to ask.
    pub caller: Option<String>,
    /// Condition keys.
    pub context: Vec<Told>,
}

/// One answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// What the policies say.
    pub class: Class,
    /// The statements that decided.
    pub matched: Vec<Matched>,
    /// Condition keys that decide and have no value.
    pub missing: Vec<String>,
    /// Whether the boundary allows it, if there is one.
    pub within_boundary: Option<bool>,
}

/// A statement that decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Matched {
    /// Its policy.
    pub source: String,
    /// Where it begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
}

/// A document, with what it is called and its text.
struct Sourced {
    source: String,
    text: String,
    document: Document,
}

impl Desk {
    /// Tries documents that are given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn simulate_custom(
        &self,
        caller: &Arc<Caller>,
        asked: &Simulation,
    ) -> Result<AwsDone<Vec<Answer>>, AwsProblem> {
        let permit = self.permit_all(caller, IamAction::SimulateCustomPolicy).await?;
        let name =
            asked.caller.clone().unwrap_or_else(|| format!("arn:aws:iam::{}:user/simulated", self.account));
        let who = Who::User { account: self.account.clone(), arn: name.into(), id: "AIDASIMULATED".into() };
        let scene = Scene::new(asked, who, (Vec::new(), Vec::new()), &[])?;
        Ok(AwsDone::new(scene.answers(self)?, permit))
    }

    /// Tries the documents of an entity, with others that are given.
    ///
    /// # Errors
    /// [`AwsProblem`].
    pub async fn simulate_principal(
        &self,
        caller: &Arc<Caller>,
        arn: &str,
        asked: &Simulation,
    ) -> Result<AwsDone<Vec<Answer>>, AwsProblem> {
        let (entity, permit) = self.grasp_arn(caller, IamAction::SimulatePrincipalPolicy, arn).await?;
        let (held, boundary) = self.held_by(&entity).await?;
        let sourced =
            |one: &Held| Ok(Sourced { source: one.source(), text: one.text.clone(), document: one.read()? });
        let own = held.iter().map(sourced).collect::<Result<_, AwsProblem>>()?;
        let boundary = boundary.iter().map(sourced).collect::<Result<_, AwsProblem>>()?;
        let facts = self.facts_of(&entity).await?;
        let who = self.who(&entity, asked.caller.as_deref());
        let scene = Scene::new(asked, who, (own, boundary), &facts)?;
        Ok(AwsDone::new(scene.answers(self)?, permit))
    }

    /// Who would ask.
    fn who(&self, entity: &Entity, caller: Option<&str>) -> Who {
        let (account, arn) = (self.account.clone(), entity.arn(&self.account));
        match (caller, entity) {
            (None, Entity::Role(row)) => Who::RoleSession {
                account,
                id: row.id.as_str().into(),
                role: arn.into(),
                session: format!(
                    "arn:aws:sts::{}:assumed-role/{}/simulated",
                    self.account,
                    row.name.as_str()
                )
                .into(),
            },
            (None, Entity::User(person)) => {
                Who::User { account, arn: arn.into(), id: person.unique_id().as_str().into() }
            }
            (Some(caller), _) => Who::User { account, arn: caller.into(), id: "AIDASIMULATED".into() },
            (None, Entity::Group(_)) => Who::User { account, arn: arn.into(), id: "AIDASIMULATED".into() },
        }
    }

    /// Condition keys that are known of the entity.
    async fn facts_of(&self, entity: &Entity) -> Result<Vec<Told>, AwsProblem> {
        let Some(actor) = entity.actor() else { return Ok(Vec::new()) };
        let kind = if matches!(entity, Entity::Role(_)) { "AssumedRole" } else { "User" };
        let mut facts = vec![
            one("aws:PrincipalAccount", self.account.as_str()),
            one("aws:PrincipalArn", &entity.arn(&self.account)),
            one("aws:PrincipalType", kind),
        ];
        if let Entity::User(person) = entity {
            facts.push(one("aws:username", &person.name));
            facts.push(one("aws:userid", person.unique_id().as_str()));
        }
        let tags = self.tags_of(&actor).await?;
        facts.extend(tags.iter().map(|tag| one(&format!("aws:PrincipalTag/{}", tag.key()), tag.value())));
        Ok(facts)
    }
}

fn one(name: &str, value: &str) -> Told {
    Told { name: name.to_owned(), values: vec![value.to_owned()], list: false }
}

/// Everything that decides.
struct Scene<'a> {
    asked: &'a Simulation,
    table: ActionTable,
    rights: Bundle,
    boundary: Option<Bundle>,
    resource: Option<CompiledPolicy>,
    /// By the ids of the compiled policies.
    sources: BTreeMap<String, Sourced>,
    spellings: BTreeMap<String, String>,
    known: Vec<Told>,
}

impl<'a> Scene<'a> {
    fn new(
        asked: &'a Simulation,
        who: Who,
        (mut own, mut boundaries): (Vec<Sourced>, Vec<Sourced>),
        facts: &[Told],
    ) -> Result<Self, AwsProblem> {
        let table = table(&asked.actions)?;
        own.extend(given(&asked.policies, "PolicyInputList")?);
        let limits = given(&asked.boundaries, "PermissionsBoundaryPolicyInputList")?;
        if !limits.is_empty() {
            boundaries = limits;
        }
        let resource = asked.resource_policy.as_deref().map(resource_policy).transpose()?;
        let documents: Vec<Document> =
            own.iter().chain(&boundaries).chain(&resource).map(|one| one.document.clone()).collect();
        let mut sources = BTreeMap::new();
        let mut compiled = |list: Vec<Sourced>, prefix: &str, place: Place| {
            let compile = |(at, one): (usize, Sourced)| {
                let id = format!("{prefix}{at}");
                let policy = Arc::new(compile_aws(&id, &one.document, place, &table));
                sources.insert(id, one);
                policy
            };
            list.into_iter().enumerate().map(compile).collect::<Vec<_>>()
        };
        let identity = compiled(own, "own ", Place::Identity);
        let bounds = compiled(boundaries, "boundary ", Place::Identity);
        let resource = compiled(resource.into_iter().collect(), "resource ", Place::Repository).pop();
        let boundary = bounds
            .first()
            .map(|_| Bundle::new(who.clone(), Policies { identity: bounds.clone(), ..Policies::default() }));
        let first = bounds.into_iter().next();
        let rights = Bundle::new(who, Policies { identity, boundary: first, ..Policies::default() });
        let resource = resource.and_then(Arc::into_inner);
        let (spellings, known) = (spellings(&documents), facts.to_vec());
        Ok(Self { asked, table, rights, boundary, resource, sources, spellings, known })
    }

    fn answers(&self, desk: &Desk) -> Result<Vec<Answer>, AwsProblem> {
        let everything = ["*".to_owned()];
        let resources = if self.asked.resources.is_empty() { &everything[..] } else { &self.asked.resources };
        if self.asked.actions.len().saturating_mul(resources.len()) > ANSWERS {
            let text = format!("Too many combinations of actions and resources; at most {ANSWERS}.");
            return Err(AwsProblem::said(AwsCode::InvalidInput, text));
        }
        let context = self.context(desk)?;
        let mut answers = Vec::new();
        for action in &self.asked.actions {
            for resource in resources {
                answers.push(self.answer(desk, action, resource, &context)?);
            }
        }
        Ok(answers)
    }

    fn context(&self, desk: &Desk) -> Result<Context<'_>, AwsProblem> {
        let mut context = Context::default();
        let too_long = |_| AwsProblem::said(AwsCode::InvalidInput, "A context value is too long.");
        let now = desk.clock.now();
        context.one("aws:CurrentTime", now.rfc3339()).map_err(too_long)?;
        context.one("aws:EpochTime", now.seconds().to_string()).map_err(too_long)?;
        for told in self.known.iter().chain(&self.asked.context) {
            let value = match told.values.as_slice() {
                [only] if !told.list => Value::One(only.as_str().into()),
                several => Value::Many(several.iter().map(|one| one.as_str().into()).collect()),
            };
            context.set(told.name.as_str(), value).map_err(too_long)?;
        }
        Ok(context)
    }

    fn answer(
        &self,
        desk: &Desk,
        action: &str,
        resource: &str,
        context: &Context<'_>,
    ) -> Result<Answer, AwsProblem> {
        let wrong = || AwsProblem::said(AwsCode::InvalidInput, format!("Invalid resource: {resource}"));
        let asked_on = if resource == "*" { Some(Resource::NOTHING) } else { Resource::of(resource) };
        let id = self.table.find(action).ok_or_else(wrong)?;
        let question = Question {
            aws: &[id],
            ibm: None,
            resource: asked_on.ok_or_else(wrong)?,
            resource_account: self.asked.owner.as_deref().unwrap_or(desk.account.as_str()),
            attached: self.resource.as_ref(),
            now: desk.clock.now().seconds(),
        };
        let outcome = explain(&self.rights, &question, context);
        let keys = self.rights.keys(id).iter().chain(self.resource.iter().flat_map(CompiledPolicy::keys));
        let unknown = keys.filter(|key| context.value(key).is_none());
        let mut missing: Vec<String> = unknown.map(|key| self.spelt(key)).collect();
        missing.sort();
        missing.dedup();
        Ok(Answer {
            action: action.to_owned(),
            resource: resource.to_owned(),
            class: outcome.class,
            matched: outcome.deciders.iter().filter_map(|decider| self.matched(decider)).collect(),
            missing,
            within_boundary: self.boundary.as_ref().map(|limit| decide(limit, &question, context).is_allow()),
        })
    }

    fn spelt(&self, key: &Key) -> String {
        self.spellings.get(key.name()).map_or_else(|| key.name().to_owned(), Clone::clone)
    }

    fn matched(&self, decider: &Decider) -> Option<Matched> {
        let policy = match decider.kind {
            Stands::Repository | Stands::Trust => self.resource.as_ref()?,
            Stands::Boundary | Stands::Group | Stands::Ibm | Stands::Identity | Stands::Session => {
                self.rights.policy(decider)?
            }
        };
        let (_, start) = policy.source(usize::try_from(decider.statement).ok()?)?;
        let of = self.sources.get(policy.id())?;
        Some(Matched { source: of.source.clone(), start, end: end(&of.text, start) })
    }
}

/// The product's actions, and those that are asked about: what is simulated need not be anything of ours.
fn table(actions: &[String]) -> Result<ActionTable, AwsProblem> {
    let wrong = |action: &str| {
        let text = format!("Action {action} is not valid: write service:name, without wildcards.");
        AwsProblem::said(AwsCode::InvalidInput, text)
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    for action in actions {
        let parts = action.split_once(':').filter(|(service, name)| !service.is_empty() && !name.is_empty());
        if !parts.is_some_and(|(service, name)| service.bytes().chain(name.bytes()).all(fits)) {
            return Err(wrong(action));
        }
    }
    let own =
        product().actions().map(|action| Row { name: product().name(action), typed: action.is_typed() });
    let asked = actions.iter().filter(|action| product().find(action).is_none());
    let asked = asked.map(|name| Row { name, typed: true });
    ActionTable::new(own.chain(asked))
        .map_err(|_| AwsProblem::said(AwsCode::InvalidInput, "Too many actions: ask for fewer at once."))
}

fn given(texts: &[String], list: &str) -> Result<Vec<Sourced>, AwsProblem> {
    let read = |(at, text): (usize, &String)| {
        let document = validate::read(text, Kind::Managed).map_err(invalid)?;
        Ok(Sourced { source: format!("{list}.{}", at + 1), text: text.clone(), document })
    };
    texts.iter().enumerate().map(read).collect()
}

/// A resource's policy names principals, and resources or none.
fn resource_policy(text: &str) -> Result<Sourced, AwsProblem> {
    let read = validate::read(text, Kind::Registry).or_else(|_| validate::read(text, Kind::Repository));
    let document = read.map_err(|error| {
        let text = format!("Syntax errors in policy. (line {}, column {})", error.line, error.column);
        AwsProblem::said(AwsCode::MalformedPolicyDocument, text)
    })?;
    Ok(Sourced { source: "ResourcePolicy".to_owned(), text: text.to_owned(), document })
}

/// Where the object that begins there ends: after its last brace.
fn end(text: &str, start: Position) -> Position {
    let (mut line, mut column) = (1, 1);
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for character in text.chars() {
        let begun = (line, column) >= (start.line, start.column);
        column += 1;
        if character == '\n' {
            (line, column) = (line + 1, 1);
        }
        if !begun {
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Position { line, column };
                }
            }
            _ => {}
        }
    }
    Position { line, column }
}

#[cfg(test)]
mod tests {
    use super::{end, table};
    use crate::policy::aws::json::Position;

    #[test]
    fn a_statement_ends_at_its_own_brace() {
        let text = "{\"Statement\":[\n {\"Sid\":\"}\\\"\",\"Condition\":{}}\n]}";
        let at = |line, column| Position { line, column };
        assert_eq!(end(text, at(2, 2)), at(2, 30));
        assert_eq!(end(text, at(1, 1)), at(3, 3));
    }

    #[test]
    fn any_service_can_be_simulated_but_no_wildcards() {
        let table = |action: &str| table(&[action.to_owned()]);
        assert!(table("s3:GetObject").unwrap().find("s3:getobject").is_some());
        for wrong in ["", "s3", "s3:", ":Get", "s3:*", "s3:Get Object", "a:b:c"] {
            assert!(table(wrong).is_err(), "{wrong}");
        }
    }
}
