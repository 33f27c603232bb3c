//! Taking on a role: the trust policy must let the caller, and unless it names them, their own policies must too.

use std::sync::Arc;

use super::super::problem::{AwsCode, AwsProblem};
use super::super::{AwsDone, action};
use super::session::{Begun, Wish, duration, invalid};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::Caller;
use crate::admit::permit::{AwsControl, Permit};
use crate::admit::refusal::{Refusal, Unauthorized};
use crate::control::Desk;
use crate::credential::session::{Kind, Session};
use crate::ids::aws::SessionKeyId;
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::{Arn, Name};
use crate::policy::engine::compiled::CompiledPolicy;
use crate::policy::engine::principal::Caller as Who;
use crate::store::aws::holder::Actor;
use crate::store::aws::role::Role;
use crate::store::aws::tag::Tagged;
use crate::view::compile;

/// How long a session lasts at most that was made from another role's.
const CHAINED: i64 = 3_600;

/// How long one lasts unless that is said.
const USUAL: i64 = 3_600;

/// A wish to take on a role.
#[derive(Clone, Debug)]
pub struct Assume {
    /// Which.
    pub role: String,
    /// The session's name.
    pub session: Name,
    /// What limits and describes the session.
    pub wish: Wish,
    /// Keys of tags that go on to the next role.
    pub transitive: Vec<String>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// Who is really behind it.
    pub source_identity: Option<String>,
}

/// A role that was taken on.
#[derive(Debug)]
pub struct Assumed {
    /// The session.
    pub begun: Begun,
    /// `AROA…:SESSION`
    pub id: String,
    /// The session's ARN.
    pub arn: String,
    /// Who is really behind it.
    pub source_identity: Option<String>,
}

impl Desk {
    /// Begins a session of a role.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn assume_role(
        &self,
        caller: &Arc<Caller>,
        mut assume: Assume,
    ) -> Result<AwsDone<Assumed>, AwsProblem> {
        inherit(caller, &mut assume)?;
        let role = self.role_of(&assume.role).await?;
        let trust = role.as_ref().map(|role| trust_of(&assume.role, role)).transpose()?;
        let asked = Asked { action: "sts:AssumeRole", role: role.as_ref(), trust, context: Vec::new() };
        let permit = self.permit_assuming(caller, &assume, asked).await.map_err(reticent)?;
        let Some(role) = role else { return Err(denied(&permit)) };
        let chained = matches!(caller.bundle.rights.caller(), Who::RoleSession { .. });
        let seconds = seconds(&assume.wish, &role)?;
        if chained && seconds > CHAINED {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        let by = taken_on_by(caller);
        Ok(AwsDone::new(self.begin_role(assume, &role, seconds, (Vec::new(), by)).await?, permit))
    }

    /// Begins the session. `kept` are condition keys that it keeps, `by` is who takes the role on, if it is a principal.
    pub(super) async fn begin_role(
        &self,
        assume: Assume,
        role: &Role,
        seconds: i64,
        (kept, by): (Vec<(String, String)>, Option<PrincipalId>),
    ) -> Result<Assumed, AwsProblem> {
        let (limits, tags) = (self.limits(&assume.wish).await?, assume.wish.pairs()?);
        let (issued_at, expires_at) = self.span(seconds);
        let name = assume.session.as_str();
        let begun = self.begin(Session {
            account: self.account.clone(),
            id: SessionKeyId::fresh(&self.account, &*self.entropy),
            principal: PrincipalId::Role(role.id.clone()),
            kind: Kind::Role(name.to_owned()),
            made_with: None,
            taken_on_by: by,
            limits,
            tags,
            transitive: assume.transitive,
            source_identity: assume.source_identity.clone(),
            context: kept,
            issued_at,
            expires_at,
        })?;
        let (id, role_name) = (format!("{}:{name}", role.id), role.name.as_str());
        let arn = format!("arn:aws:sts::{}:assumed-role/{role_name}/{name}", self.account);
        let source_identity = assume.source_identity;
        Ok(Assumed { begun, id, arn, source_identity })
    }

    /// The role of that ARN, if there is one.
    pub(super) async fn role_of(&self, arn: &str) -> Result<Option<Role>, AwsProblem> {
        let Ok(Arn::Role { account, path, name }) = Arn::parse(arn) else {
            return Err(invalid(format!("{} is invalid", crate::ids::Malformed::new(arn, "").text)));
        };
        let row = self.store.role_named(&name).await?;
        Ok(row.filter(|row| account == self.account && row.path == path && row.name == name))
    }

    /// Whether the caller may take it on, with these tags and under this name. That there is no such role reads as if its
    /// trust policy let nobody.
    pub(super) async fn permit_assuming(
        &self,
        caller: &Arc<Caller>,
        assume: &Assume,
        asked: Asked<'_>,
    ) -> Result<Permit<AwsControl>, AwsProblem> {
        let tags = match asked.role {
            Some(role) => self.store.tags(&Tagged::Actor(Actor::Role(role.id.clone()))).await?,
            None => Vec::new(),
        };
        let mut context = assume.wish.context();
        context.extend(asked.context);
        for tag in &tags {
            for prefix in ["aws:ResourceTag", "iam:ResourceTag"] {
                context.push((format!("{prefix}/{}", tag.key()), vec![tag.value().to_owned()]));
            }
        }
        let mut one = |key: &str, value: Option<&str>| {
            context.extend(value.map(|value| (key.to_owned(), vec![value.to_owned()])));
        };
        one("sts:RoleSessionName", Some(assume.session.as_str()));
        one("sts:ExternalId", assume.external_id.as_deref());
        one("sts:SourceIdentity", assume.source_identity.as_deref());
        one("sts:DurationSeconds", assume.wish.duration.map(|seconds| seconds.to_string()).as_deref());
        if !assume.transitive.is_empty() {
            context.push(("sts:TransitiveTagKeys".to_owned(), assume.transitive.clone()));
        }
        let mut needed = Vec::new();
        if !assume.wish.tags.is_empty() {
            needed.push("sts:TagSession");
        }
        if assume.source_identity.is_some() {
            needed.push("sts:SetSourceIdentity");
        }
        needed.push(asked.action);
        let mut last = None;
        for name in needed {
            let target = AwsTarget::Arn(assume.role.clone());
            let (context, trust) = (context.clone(), asked.trust.clone());
            let ask = AwsAsk { context, trust, ..AwsAsk::new(action(name)?, target) };
            last = Some(self.authority.permit_aws(caller, ask).await?);
        }
        last.ok_or_else(|| invalid("nothing was asked"))
    }
}

/// What is asked of the gate before a role is taken on.
pub(super) struct Asked<'a> {
    /// The action.
    pub(super) action: &'static str,
    /// The role, if there is one.
    pub(super) role: Option<&'a Role>,
    /// Its trust policy.
    pub(super) trust: Option<Arc<CompiledPolicy>>,
    /// Condition keys that only this way of asking has.
    pub(super) context: Vec<(String, Vec<String>)>,
}

pub(super) fn trust_of(arn: &str, role: &Role) -> Result<Arc<CompiledPolicy>, AwsProblem> {
    Ok(compile::trust(arn, role.trust.as_str())?)
}

/// How long the session lasts.
pub(super) fn seconds(wish: &Wish, role: &Role) -> Result<i64, AwsProblem> {
    let most = i64::from(role.max_session);
    let seconds = duration(wish.duration, USUAL.min(most), 43_200)?;
    if seconds <= most {
        return Ok(seconds);
    }
    Err(invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."))
}

/// Who is on the one end of the chain, if a principal of the account is.
fn taken_on_by(caller: &Caller) -> Option<PrincipalId> {
    match caller.principal() {
        PrincipalId::Role(_) => caller.credential.session()?.taken_on_by.clone(),
        person @ (PrincipalId::Profile(_) | PrincipalId::ServiceId(_) | PrincipalId::User(_)) => {
            Some(person.clone())
        }
    }
}

/// A role's session hands on its transitive tags and its source identity; neither can be changed on the way.
fn inherit(caller: &Caller, assume: &mut Assume) -> Result<(), AwsProblem> {
    if let Who::FederatedUser { .. } | Who::Root { .. } = caller.bundle.rights.caller() {
        return Err(AwsProblem::said(
            AwsCode::AccessDenied,
            "Roles may not be assumed by root accounts or with federation tokens.",
        ));
    }
    let Some(session) = caller.credential.session() else { return Ok(()) };
    for (key, value) in session.tags.iter().filter(|(key, _)| session.transitive.contains(key)) {
        if assume.wish.tags.iter().any(|tag| tag.key().eq_ignore_ascii_case(key)) {
            let text = format!("The session tag {key} is transitive: it cannot be set again.");
            return Err(AwsProblem::said(AwsCode::AccessDenied, text));
        }
        let tag = crate::store::aws::tag::Tag::parse(key, value);
        assume.wish.tags.push(tag.map_err(|malformed| invalid(malformed.to_string()))?);
        assume.transitive.push(key.clone());
    }
    match (&session.source_identity, &assume.source_identity) {
        (Some(kept), Some(other)) if kept != other => {
            let text = "The source identity of a session cannot be changed.";
            return Err(AwsProblem::said(AwsCode::AccessDenied, text));
        }
        (Some(kept), _) => assume.source_identity = Some(kept.clone()),
        (None, _) => {}
    }
    Ok(())
}

/// AWS does not say which policy does not allow it, because that would say whether there is such a role.
fn reticent(problem: AwsProblem) -> AwsProblem {
    match problem {
        AwsProblem::Refused(Refusal::Unauthorized(denial)) => {
            let sentence = denial.sentence.split(" because ").next().unwrap_or_default().to_owned();
            AwsProblem::Refused(Refusal::Unauthorized(Box::new(Unauthorized { sentence, ..*denial })))
        }
        other @ (AwsProblem::Fault(_)
        | AwsProblem::Refused(_)
        | AwsProblem::Said { .. }
        | AwsProblem::Unproven { .. }) => other,
    }
}

/// The same, where somebody may take on every role and there is none.
fn denied(permit: &Permit<AwsControl>) -> AwsProblem {
    let (who, of) = (permit.caller(), permit.of());
    let who = crate::policy::sentence::arn(who.bundle.rights.caller());
    let text =
        format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {}", of.resource);
    AwsProblem::said(AwsCode::AccessDenied, text)
}
