//! A call of the control plane: read whole, proven, and handed to the API on the runtime where databases may be waited
//! for.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use super::Shared;
use super::outcome::{Outcome, blamed, decided, verdict_of, who};
use super::sites::Site;
use super::visit::Visit;
use crate::admit::aws::AwsAsk;
use crate::admit::caller::Caller;
use crate::admit::control::ImageCall;
use crate::admit::fault::Fault;
use crate::admit::gate::{Gate, Why};
use crate::admit::held::HeldTag;
use crate::admit::network::Want;
use crate::admit::origin::Origin;
use crate::admit::permit::{AwsControl, Control, Permit};
use crate::admit::proof::Authenticated;
use crate::admit::refusal::{Challenge, Refusal};
use crate::admit::web_identity::{Introduced, WebIdentity};
use crate::api::activity::CHANNEL_TEST;
use crate::api::routes::{self, Dialect};
use crate::api::{ApiReply, ApiRequest, Verdict as ApiVerdict, body};
use crate::control::Authority;
use crate::control::aws::problem::AwsProblem;
use crate::control::problem::Problem;
use crate::credential::authorization::Presented;
use crate::edge::body::{CollectError, RequestBody};
use crate::edge::respond;
use crate::ids::aws::RoleId;
use crate::ids::cbr::RuleId;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::record::event::{ControlCall, Verdict, What};
use crate::registry::error::{OciCode, OciError};
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::Tag;

/// Answers one call.
pub async fn call(shared: &Shared, visit: &Visit, site: &Site, request: Request<RequestBody>) -> Outcome {
    let (parts, body) = request.into_parts();
    let (caller, would_refuse) = match prove(shared, visit, site, &parts).await {
        Ok(proven) => proven,
        Err((caller, fault)) => {
            return Outcome::failed(visit, What::Unroutable, caller.as_deref(), &fault);
        }
    };
    let caller = match caller {
        Proven::Inside(caller) => match shared.limits.admit_caller(&caller) {
            Ok(()) => Proven::Inside(caller),
            Err(refusal) => Proven::Stopped(caller, refusal),
        },
        Proven::Nobody(_) | Proven::Stopped(..) => caller,
    };
    answer(shared, visit, site, (parts, body), (caller, would_refuse)).await
}

/// Answers a call that is refused whoever it is from, in the words of what it asks for.
pub async fn refuse(
    shared: &Shared,
    visit: &Visit,
    site: &Site,
    request: Request<RequestBody>,
    refusal: Refusal,
) -> Outcome {
    answer(shared, visit, site, request.into_parts(), (Proven::Nobody(refusal), Vec::new())).await
}

async fn answer(
    shared: &Shared,
    visit: &Visit,
    site: &Site,
    (parts, body): (Parts, RequestBody),
    (caller, would_refuse): (Proven, Vec<RuleId>),
) -> Outcome {
    let method = parts.method.clone();
    // Nobody's bodies are not read.
    let max = routes::body_max(&method, parts.uri.path());
    // What is large waits for room, and keeps it until it is answered.
    let room = match caller {
        Proven::Inside(_) if max > body::MAX => shared.large_bodies.acquire().await.ok(),
        Proven::Inside(_) | Proven::Nobody(_) | Proven::Stopped(..) => None,
    };
    let body = match caller {
        Proven::Inside(_) => body.collect_limited(max).await,
        Proven::Nobody(_) | Proven::Stopped(..) => Ok(Bytes::new()),
    };
    let body = match body {
        Ok(body) => body,
        Err(CollectError::TooLarge) => {
            return unread(visit, StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
        }
        Err(CollectError::Broken(_)) => {
            return unread(visit, StatusCode::BAD_REQUEST, "the body did not arrive whole");
        }
    };
    visit.bytes_in().set(body.len() as u64);
    let authority = visit.client_origin().split_once("://").map(|(_, rest)| rest.to_owned());
    let request = ApiRequest {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        caller: caller.let_in(),
        region: site.region.clone(),
        authority: authority.unwrap_or_default(),
        request_id: visit.request_id().to_owned(),
    };
    let api = Arc::clone(&shared.api);
    // Once begun, a change is carried through even if the client goes away: it is written whole or not at all.
    let answered = shared.control.spawn(async move { api.respond(request).await }).await;
    drop(room);
    match answered {
        Ok(reply) => {
            let outcome = replied(visit, &method, caller.who(), reply);
            let broken = caller.who().map(|caller| caller.reported.broken()).unwrap_or_default();
            outcome.reported_by(&with_reported(would_refuse, caller.who())).breaking(broken)
        }
        Err(_) => Outcome::failed(
            visit,
            What::Unroutable,
            None,
            &Fault::Internal("a control call panicked".to_owned()),
        ),
    }
}

/// Proves the caller, and decides where the call comes from before its body is read.
async fn prove(
    shared: &Shared,
    visit: &Visit,
    site: &Site,
    parts: &Parts,
) -> Result<(Proven, Vec<RuleId>), (Option<Arc<Caller>>, Fault)> {
    let presented = Presented::read(&parts.headers);
    let nobody = |because| Ok((Proven::Nobody(Refusal::Challenge { because, scope: None }), Vec::new()));
    let caller = match shared.gate.authenticator.control(&presented, visit.origin()).await {
        Ok(Authenticated::Proven(caller)) => {
            if matches!(presented, Presented::Basic { .. }) {
                shared.authenticated(&caller);
            }
            caller.saying(&parts.headers)
        }
        Ok(Authenticated::Absent) => return nobody(Challenge::Absent),
        Ok(Authenticated::Rejected(_)) => return nobody(Challenge::InvalidToken),
        Err(fault) => return Err((None, fault)),
    };
    let want = match routes::dialect_of(parts.uri.path()) {
        Dialect::Registry => Want::Management(&site.region, None),
        Dialect::Identity | Dialect::Native | Dialect::Policies | Dialect::Users => Want::Identity,
    };
    match shared.gate.network(&caller, want).await {
        Ok(would_refuse) => Ok((Proven::Inside(caller), would_refuse)),
        Err(Why::Refusal(refusal)) => Ok((Proven::Stopped(caller, refusal), Vec::new())),
        Err(Why::Fault(fault)) => Err((Some(caller), fault)),
    }
}

/// What is known of who calls.
enum Proven {
    /// Who it is, and that it may come from there.
    Inside(Arc<Caller>),
    /// Nothing.
    Nobody(Refusal),
    /// Who it is, and that it may not: from there, or so often.
    Stopped(Arc<Caller>, Refusal),
}

impl Proven {
    fn let_in(&self) -> Result<Arc<Caller>, Refusal> {
        match self {
            Self::Inside(caller) => Ok(Arc::clone(caller)),
            Self::Nobody(refusal) | Self::Stopped(_, refusal) => Err(refusal.clone()),
        }
    }

    fn who(&self) -> Option<&Caller> {
        match self {
            Self::Inside(caller) | Self::Stopped(caller, _) => Some(caller),
            Self::Nobody(_) => None,
        }
    }
}

pub(super) fn replied(visit: &Visit, method: &Method, caller: Option<&Caller>, reply: ApiReply) -> Outcome {
    let what = reply.event.route.map_or(What::Unroutable, |route| {
        What::Control(ControlCall {
            method: method_label(method),
            route,
            activity: reply.event.activity.or(reply.event.action).unwrap_or("none"),
            action: reply.event.action,
            target: reply.event.target.clone().unwrap_or_default(),
        })
    });
    let introduced = reply.event.introduced.as_ref();
    let caller = caller.or(introduced.map(|introduced| &*introduced.caller));
    let would_refuse = introduced.map(|introduced| &*introduced.would_refuse).unwrap_or_default();
    let event = visit.event(what).by(caller.map(who)).reported_by(would_refuse);
    let (event, verdict) = match &reply.event.verdict {
        ApiVerdict::Done(Some(grounds)) => decided(event, grounds),
        ApiVerdict::Done(None) => (event, Verdict::Allowed),
        ApiVerdict::Failed(fault) => (event.saying(fault), Verdict::Faulted),
        ApiVerdict::Refused(refusal) => (blamed(event, refusal), verdict_of(refusal)),
        ApiVerdict::Rejected(because) => (event.saying(because), Verdict::Malformed),
    };
    let mut response: Response<Bytes> = respond::json(reply.status, reply.body, visit.request_id());
    for (name, value) in &reply.headers {
        response.headers_mut().insert(name, value.clone());
    }
    let mut outcome = Outcome::ready(event, verdict, response);
    // Whoever asks too often has changed nothing, and must not keep the disk busy.
    // A test sends something, also where it is asked for by GET, as IBM has it.
    let changes =
        !matches!(*method, Method::GET | Method::HEAD) || reply.event.activity == Some(CHANNEL_TEST);
    outcome.durable = changes && outcome.verdict != Verdict::Limited;
    outcome
}

/// Rules in report mode: those that were asked before the call was answered, and those on what it was about.
pub(super) fn with_reported(mut rules: Vec<RuleId>, caller: Option<&Caller>) -> Vec<RuleId> {
    let later = caller.map(|caller| caller.reported.rules()).unwrap_or_default();
    let new: Vec<RuleId> = later.into_iter().filter(|rule| !rules.contains(rule)).collect();
    rules.extend(new);
    rules
}

pub(super) fn unread(visit: &Visit, status: StatusCode, message: &str) -> Outcome {
    Outcome::unroutable(visit, &Refusal::Malformed(OciError::new(status, OciCode::Unsupported, message)))
}

const fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "OTHER",
    }
}

fn problem(why: Why) -> Problem {
    match why {
        Why::Fault(fault) => Problem::Fault(fault),
        Why::Refusal(refusal) => Problem::Refused(refusal),
    }
}

/// The gate, as the control plane asks it.
#[derive(Debug)]
pub struct GateAuthority(pub Arc<Gate>);

#[async_trait]
impl Authority for GateAuthority {
    async fn permit(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
    ) -> Result<Permit<Control>, Problem> {
        self.0.control(caller, action, resource).await.map_err(problem)
    }

    async fn permit_image(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
        image: &ImageCall,
    ) -> Result<Permit<Control>, Problem> {
        self.0.control_of_image(caller, action, resource, image).await.map_err(problem)
    }

    async fn reach(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        namespace: &Namespace,
    ) -> Result<(), Problem> {
        self.0.reach(caller, region, namespace).await.map_err(|why| match why {
            Why::Fault(fault) => Problem::Fault(fault),
            Why::Refusal(refusal) => Problem::Refused(refusal),
        })
    }

    async fn permit_aws(&self, caller: &Arc<Caller>, ask: AwsAsk) -> Result<Permit<AwsControl>, AwsProblem> {
        self.0.aws(caller, ask).await.map_err(|why| match why {
            Why::Fault(fault) => AwsProblem::Fault(fault),
            Why::Refusal(refusal) => AwsProblem::Refused(refusal),
        })
    }

    async fn introduce(
        &self,
        identity: WebIdentity,
        role: &RoleId,
        origin: Origin,
    ) -> Result<Introduced, AwsProblem> {
        self.0.introduce(identity, role, origin).await.map_err(|why| match why {
            Why::Fault(fault) => AwsProblem::Fault(fault),
            Why::Refusal(refusal) => AwsProblem::Refused(refusal),
        })
    }

    fn permit_signed(&self, caller: &Arc<Caller>, of: AwsControl) -> Permit<AwsControl> {
        self.0.everyones_aws(caller, of)
    }

    fn permit_own(&self, caller: &Arc<Caller>, owner: &PrincipalId, of: Control) -> Option<Permit<Control>> {
        (owner == caller.principal()).then(|| self.0.own(caller, of))
    }

    fn permit_proven(&self, caller: &Arc<Caller>, of: Control) -> Permit<Control> {
        self.0.everyones(caller, of)
    }

    async fn listed(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        region: &Region,
        names: Vec<RepositoryName>,
    ) -> Result<Vec<RepositoryName>, Problem> {
        let visibility = self.0.lists(caller, action, region).await.map_err(Problem::Fault)?;
        visibility.shown(names).await.map_err(Problem::Fault)
    }

    async fn hold_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<HeldTag>, Fault> {
        self.0.hold_tag(region, name, tag).await
    }

    fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        self.0.may(caller, action, resource)
    }

    fn may_throughout(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        self.0.may_throughout(caller, action, resource)
    }
}
