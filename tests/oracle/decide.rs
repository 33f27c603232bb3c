//! The order of evaluation, and what it answers.
//!
//! **One action.** `sts:GetCallerIdentity` is everyone's who signs. Else a matching Deny in any policy that
//! applies ends it. Then:
//!
//! 1. the resource's policy: required of other accounts, of role trust, and of who does not sign. In the same
//!    account it grants by itself to whom it names directly (identity and boundary need not allow) and to the
//!    role of a session (identity need not allow); naming the account only delegates;
//! 2. identity policies, group policies and IBM access policies: one of them must allow;
//! 3. the permissions boundary, if there is one, must allow;
//! 4. the session policies, if there are any, must allow. A federated user without them has an empty one.
//!    Sources differ on whether they limit what a resource policy grants directly; here they do
//!    (`SESSION_LIMITS_DIRECT`), the stricter reading.
//!
//! The root user of the resource's account needs no Allow, and only a resource policy can deny it; it may not
//! assume roles. Nothing but the resource's policy applies to those who do not sign.
//!
//! **One operation in the words of both clouds.** AWS documents are asked for each AWS action on the ARN, and
//! all must be allowed; IBM policies are asked once for the IBM action on the IBM attributes, and their Allow
//! serves in step 2 for every one of the AWS actions. They never deny, and boundary and session policies
//! limit them too. An operation without an AWS name is put to AWS documents under its IBM name with the
//! resource `*`: `Action: "*"` or a `NotAction` on `Resource: "*"` speaks of it, for Allow and for Deny, and
//! a boundary that does not speak of it refuses it. An operation without an IBM name is beyond IBM policies.

use super::document::{Ask, denies, speaks_of, statements};
use super::ibm::grants;
use super::principal::{Closeness, Standing, names};
use super::world::{Caller, Class, Decider, Kind, Outcome, Policy, Question, World};
use std::collections::BTreeSet;

/// Session policies also limit what a resource policy grants to the session or user by name.
const SESSION_LIMITS_DIRECT: bool = true;

type Deciders = BTreeSet<Decider>;

/// Decides the question: the first explicitly denied action, else the first denied, else allow.
pub(crate) fn decide(world: &World, question: &Question) -> Outcome {
    let outcomes: Vec<Outcome> =
        asks(question).into_iter().map(|ask| decide_one(world, question, ask)).collect();
    let explicit = outcomes.iter().find(|outcome| matches!(outcome.class, Class::ExplicitDeny(_)));
    if let Some(denied) = explicit.or_else(|| outcomes.iter().find(|outcome| !outcome.allowed())) {
        return denied.clone();
    }
    let deciders: Deciders = outcomes.iter().flat_map(|outcome| outcome.deciders.clone()).collect();
    let class = outcomes.iter().map(|outcome| outcome.class).min().unwrap();
    Outcome { class, refused: None, deciders }
}

/// What AWS documents are asked.
fn asks(question: &Question) -> Vec<Ask<'_>> {
    let context = &question.context;
    match &question.ibm {
        Some(words) if question.aws.is_empty() => vec![Ask { action: &words.action, resource: "*", context }],
        _ => {
            let resource = &question.resource;
            question.aws.iter().map(|action| Ask { action, resource, context }).collect()
        }
    }
}

fn decide_one(world: &World, question: &Question, ask: Ask) -> Outcome {
    let signs = !matches!(world.caller, Caller::Anonymous | Caller::WebIdentity { .. });
    let denied = all_denies(world, ask);
    let (class, deciders) = if signs && ask.action == "sts:GetCallerIdentity" {
        (Class::AllowAlways, Deciders::new())
    } else if let Some(first) = denied.first() {
        (Class::ExplicitDeny(first.kind), denied)
    } else {
        match &world.caller {
            Caller::Anonymous | Caller::WebIdentity { .. } => unsigned(world, ask),
            Caller::Root { account } => root(world, ask, *account == question.resource_account),
            Caller::FederatedUser { .. } | Caller::RoleSession { .. } | Caller::User { .. } => {
                signed(world, question, ask)
            }
        }
    };
    let outcome = Outcome { class, refused: None, deciders };
    let refused = (!outcome.allowed()).then(|| ask.action.to_owned());
    Outcome { refused, ..outcome }
}

fn unsigned(world: &World, ask: Ask) -> (Class, Deciders) {
    allowed_by(attached_allows(world, ask, Closeness::Direct), attached_kind(ask))
}

fn root(world: &World, ask: Ask, same_account: bool) -> (Class, Deciders) {
    match attached_kind(ask) {
        Kind::Trust => (Class::ImplicitDeny(Kind::Trust), Deciders::new()),
        _ if same_account => (Class::AllowRoot, Deciders::new()),
        kind => allowed_by(attached_allows(world, ask, Closeness::Account), kind),
    }
}

fn signed(world: &World, question: &Question, ask: Ask) -> (Class, Deciders) {
    let implicit = |kind| (Class::ImplicitDeny(kind), Deciders::new());
    let same_account = world.caller.account() == Some(&question.resource_account);
    let kind = attached_kind(ask);
    let named = attached_allows(world, ask, Closeness::Account);
    let must_be_named = !same_account || kind == Kind::Trust;
    if must_be_named && named.is_empty() {
        return implicit(kind);
    }
    // What the resource's policy grants by itself.
    let grants = |closeness| {
        if same_account { attached_allows(world, ask, closeness) } else { Deciders::new() }
    };
    let (direct, by_role) = (grants(Closeness::Direct), grants(Closeness::Role));
    let identity = identity_allows(world, question, ask);
    let within_boundary = within(world.boundary.as_ref().map(|one| vec![one]), Kind::Boundary, ask);
    let within_session = within(session(world), Kind::Session, ask);
    if identity.is_empty() && by_role.is_empty() {
        return implicit(Kind::Identity);
    }
    if !within_boundary && direct.is_empty() {
        return implicit(Kind::Boundary);
    }
    if !within_session && (SESSION_LIMITS_DIRECT || direct.is_empty()) {
        return implicit(Kind::Session);
    }
    let named = if must_be_named { named } else { by_role };
    let deciders = if within_boundary && within_session { &identity | &named } else { direct };
    allowed_by(deciders, kind)
}

/// Allowed by these, or denied for the lack of a statement of that kind.
fn allowed_by(deciders: Deciders, kind: Kind) -> (Class, Deciders) {
    let class = deciders.first().map_or(Class::ImplicitDeny(kind), |first| Class::Allow(first.kind));
    (class, deciders)
}

fn session(world: &World) -> Option<Vec<&Policy>> {
    let federated = matches!(world.caller, Caller::FederatedUser { .. });
    let none = if federated { Some(Vec::new()) } else { None };
    world.session.as_ref().map(|policies| policies.iter().collect()).or(none)
}

fn within(limit: Option<Vec<&Policy>>, kind: Kind, ask: Ask) -> bool {
    limit.is_none_or(|policies| {
        policies.into_iter().any(|policy| !matching(policy, kind, false, ask).is_empty())
    })
}

/// Statements of an identity policy, group policy, boundary or session policy that speak of what is asked.
fn matching(policy: &Policy, kind: Kind, denying: bool, ask: Ask) -> Deciders {
    let document = &policy.document;
    let all = statements(document).into_iter().enumerate();
    let fitting = all.filter(|(_, one)| denies(one) == denying && speaks_of(document, one, false, ask));
    fitting.map(|(statement, _)| Decider { kind, policy: policy.name.clone(), statement }).collect()
}

fn identity_policies(world: &World) -> Vec<(Kind, &Policy)> {
    let own = world.identity.iter().map(|policy| (Kind::Identity, policy));
    let groups = world.groups.iter().flat_map(|group| &group.policies);
    own.chain(groups.map(|policy| (Kind::Group, policy))).collect()
}

fn identity_allows(world: &World, question: &Question, ask: Ask) -> Deciders {
    let aws =
        identity_policies(world).into_iter().flat_map(|(kind, policy)| matching(policy, kind, false, ask));
    let mut all: Deciders = aws.collect();
    if let Some(asked) = &question.ibm {
        let granting = world.ibm.iter().filter(|one| grants(&one.document, world, asked, question.now));
        all.extend(granting.map(|one| Decider { kind: Kind::Ibm, policy: one.name.clone(), statement: 0 }));
    }
    all
}

fn all_denies(world: &World, ask: Ask) -> Deciders {
    let mut limits = Vec::new();
    if has_policies(&world.caller) {
        limits.extend(identity_policies(world));
        limits.extend(world.boundary.iter().map(|policy| (Kind::Boundary, policy)));
        limits.extend(world.session.iter().flatten().map(|policy| (Kind::Session, policy)));
    }
    let own = limits.into_iter().flat_map(|(kind, policy)| matching(policy, kind, true, ask));
    own.chain(attached(world, true, ask).into_iter().map(|(_, decider)| decider)).collect()
}

fn has_policies(caller: &Caller) -> bool {
    matches!(caller, Caller::FederatedUser { .. } | Caller::RoleSession { .. } | Caller::User { .. })
}

/// Roles have trust policies, for STS alone; everything else has at most a repository policy.
fn attached_kind(ask: Ask) -> Kind {
    // Only assuming a role, and what goes with it, is about a role and its trust policy.
    let about_roles = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    if about_roles.iter().any(|name| ask.action.starts_with(name)) { Kind::Trust } else { Kind::Repository }
}

fn attached_allows(world: &World, ask: Ask, at_least: Closeness) -> Deciders {
    let all = attached(world, false, ask).into_iter();
    all.filter(|(closeness, _)| *closeness >= at_least).map(|(_, decider)| decider).collect()
}

/// Statements of the resource's own policy that speak of the caller and of what is asked.
fn attached(world: &World, denying: bool, ask: Ask) -> Vec<(Closeness, Decider)> {
    let kind = attached_kind(ask);
    let is_role = ask.resource.split(':').nth(2) == Some("iam");
    let Some(policy) = world.attached.get(ask.resource).filter(|_| is_role == (kind == Kind::Trust)) else {
        return Vec::new();
    };
    // Neither the root user nor who does not sign can have a boundary.
    let standing =
        Standing { trust: is_role, bounded: world.boundary.is_some() && has_policies(&world.caller) };
    let document = &policy.document;
    let decider = |statement| Decider { kind, policy: policy.name.clone(), statement };
    let all = statements(document).into_iter().enumerate();
    let fitting = all.filter(|(_, one)| denies(one) == denying && speaks_of(document, one, true, ask));
    fitting.filter_map(|(at, one)| Some((names(one, &world.caller, standing)?, decider(at)))).collect()
}
