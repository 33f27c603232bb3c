//! The control plane's wire shapes: requests into use cases, and what came of them into replies.
//!
//! [`routes`] is the contents page. Nothing here decides, and nothing here touches a socket: a request comes in whole
//! ([`ApiRequest`]), with the caller already proven or not, and a reply goes out whole.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::permit::Grounds;
use crate::admit::refusal::{Challenge, Refusal};
use crate::admit::web_identity::Introduced;
use crate::control::Desk;
use crate::control::problem::Problem;
use crate::ids::host::HostName;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::ids::tagged::ApiKeyId;
use crate::policy::resource::Resource;
use crate::policy::table::Action;

pub mod activity;
pub mod answer;
pub mod aws;
pub mod body;
pub mod call;
pub mod compliance;
pub mod envelope;
mod explain;
pub mod fleet;
pub mod ibm;
pub mod native;
pub mod page;
pub mod query;
pub mod routes;

use answer::Answer;
use call::Call;
use routes::{Access, Endpoint, Found};

/// A request to the control plane, read whole.
pub struct ApiRequest {
    /// The method.
    pub method: Method,
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The query as it came, without the question mark.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who is asking, or why that is not known.
    pub caller: Result<Arc<Caller>, Refusal>,
    /// Which registry the host that the client used stands for.
    pub region: Region,
    /// The host that the client used, with its port if it is not the default: a configured name, never free text.
    pub authority: String,
    /// For errors and logs.
    pub request_id: String,
}

/// A reply.
pub struct ApiReply {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of framing.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// For log, metrics and audit.
    pub event: Event,
}

// Headers and bodies hold tokens and keys, so neither prints.
impl std::fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("ApiRequest");
        out.field("method", &self.method).field("path", &self.path).field("request_id", &self.request_id);
        out.finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ApiReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiReply")
            .field("status", &self.status)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// What happened, for those who record it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The template of the route; `None` if there is no such route.
    pub route: Option<&'static str>,
    /// What the call is called in the audit log, if that is not its action.
    pub activity: Option<&'static str>,
    /// The action that was decided on, or that the route asks for.
    pub action: Option<&'static str>,
    /// The resource that was decided on.
    pub resource: Option<Resource>,
    /// What was acted on: the ids in the path, or that of what was made.
    pub target: Option<String>,
    /// Who asked, where only the call's own words say that.
    pub introduced: Option<Introduced>,
    /// The end of it.
    pub verdict: Verdict,
}

/// How a control call ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It was permitted, on these grounds (`None` where nothing needs a permit), and done.
    Done(Option<Grounds>),
    /// It failed; the text is for the log only.
    Failed(Fault),
    /// It was refused by the gate, or nobody was proven.
    Refused(Refusal),
    /// It was permitted or never got that far, and could not be done as asked.
    Rejected(String),
}

/// A registry as clients know it.
#[derive(Clone, Debug)]
pub struct RegistrySite {
    /// Its name.
    pub name: HostName,
    /// Other names for it.
    pub aliases: Vec<HostName>,
    /// Its name on the private network.
    pub private_name: Option<HostName>,
    /// Where it stands.
    pub region: Region,
}

/// The control plane's API.
#[derive(Debug)]
pub struct Api {
    desk: Desk,
    registries: Vec<RegistrySite>,
}

impl Api {
    /// Where things are changed, for what goes on beside requests.
    #[must_use]
    pub const fn desk(&self) -> &Desk {
        &self.desk
    }

    /// An API to `desk`.
    #[must_use]
    pub fn new(desk: Desk, registries: Vec<RegistrySite>) -> Self {
        Self { desk, registries }
    }

    /// Answers a request. Nothing that a request says makes this fail.
    pub async fn respond(&self, request: ApiRequest) -> ApiReply {
        let (route, params) = match routes::find(&request.method, &request.path) {
            Found::Route(route, params) => (route, params),
            Found::OtherMethods(allowed) => return envelope::wrong_method(&request, &allowed),
            Found::Nothing => return envelope::no_route(&request),
        };
        let owner = self.key_owner(route.endpoint, &request, &params).await;
        let mut event = Event {
            route: Some(route.template),
            activity: activity::activity(route.endpoint, owner.as_ref()),
            action: route.access.action().map(Action::name),
            resource: None,
            target: params.target(),
            introduced: None,
            verdict: Verdict::Done(None),
        };
        let answer = match (&request.caller, route.access) {
            (Err(refusal), Access::Proven | Access::Listing(_) | Access::Needs(_)) => {
                Err(Problem::Refused(refusal.clone()))
            }
            (caller, _) => {
                let caller = caller.as_ref().ok().cloned();
                self.answer(route.endpoint, &request, params, caller).await
            }
        };
        match answer {
            Ok(answer) => {
                answer.note(&mut event);
                envelope::success(&request, answer, event)
            }
            Err(problem) => {
                note(&problem, &mut event);
                envelope::failure(route.dialect, &request, &problem, event)
            }
        }
    }

    /// Whose key a call is about, for the audit log: looked up before the key is gone.
    async fn key_owner(
        &self,
        endpoint: Endpoint,
        request: &ApiRequest,
        params: &routes::Params,
    ) -> Option<PrincipalId> {
        let Endpoint::ApiKeys(which) = endpoint else { return None };
        if request.caller.is_err() || request.body.len() > body::MAX {
            return None;
        }
        if which != ibm::api_keys::ApiKeys::Create {
            return self.desk.owner_of_key(&ApiKeyId::parse(params.value("id")).ok()?).await;
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        PrincipalId::parse(body.get("iam_id")?.as_str()?).ok()
    }

    async fn answer(
        &self,
        endpoint: Endpoint,
        request: &ApiRequest,
        params: routes::Params,
        caller: Option<Arc<Caller>>,
    ) -> Result<Answer, Problem> {
        if request.body.len() > routes::body_max(&request.method, &request.path) {
            return Err(Problem::TooLarge);
        }
        if endpoint == Endpoint::Registry(ibm::registry::Registry::Messages) {
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        }
        let unknown = || Refusal::Challenge { because: Challenge::Absent, scope: None };
        let caller = caller.ok_or_else(unknown)?;
        let call = Call::new(&self.desk, request, params, caller)?;
        match endpoint {
            Endpoint::Accounts(which) => ibm::accounts::answer(which, &call).await,
            Endpoint::ApiKeys(which) => ibm::api_keys::answer(which, &call).await,
            Endpoint::Cbr(which) => ibm::cbr::answer(which, &call).await,
            Endpoint::Compliance(which) => compliance::answer(which, &call).await,
            Endpoint::Attachments(which) => ibm::attachments::answer(which, &call).await,
            Endpoint::Governance(which) => ibm::governance::answer(which, &call).await,
            Endpoint::Exemptions(which) => ibm::exemptions::answer(which, &call).await,
            Endpoint::GroupRules(which) => ibm::group_rules::answer(which, &call).await,
            Endpoint::Groups(which) => ibm::groups::answer(which, &call).await,
            Endpoint::Images(which) => ibm::images::answer(which, &call).await,
            Endpoint::Fleet(which) => fleet::answer(which, &call).await,
            Endpoint::Native(which) => native::answer(which, &call, &self.registries).await,
            Endpoint::Notifications(which) => ibm::notifications::answer(which, &call).await,
            Endpoint::Insights(which) => ibm::insights::answer(which, &call).await,
            Endpoint::Policies(which) => ibm::policies::answer(which, &call).await,
            Endpoint::Profiles(which) => ibm::profiles::answer(which, &call).await,
            Endpoint::ProfileIdentities(which) => ibm::profiles::identities::answer(which, &call).await,
            Endpoint::ProfileLinks(which) => ibm::profiles::links::answer(which, &call).await,
            Endpoint::ProfileRules(which) => ibm::profiles::rules::answer(which, &call).await,
            Endpoint::Quotas(which) => ibm::quotas::answer(which, &call).await,
            Endpoint::Registry(which) => ibm::registry::answer(which, &call).await,
            Endpoint::Reports(which) => ibm::reports::answer(which, &call).await,
            Endpoint::ResourceGroups(which) => ibm::resource_groups::answer(which, &call).await,
            Endpoint::Retentions(which) => ibm::retentions::answer(which, &call).await,
            Endpoint::PoliciesV2(which) => ibm::policies_v2::answer(which, &call).await,
            Endpoint::Roles(which) => ibm::roles::answer(which, &call).await,
            Endpoint::ServiceIds(which) => ibm::service_ids::answer(which, &call).await,
            Endpoint::Trash(which) => ibm::trash::answer(which, &call).await,
            Endpoint::Users(which) => ibm::users::answer(which, &call).await,
        }
    }
}

fn note(problem: &Problem, event: &mut Event) {
    event.verdict = match problem {
        Problem::Fault(fault) => Verdict::Failed(fault.clone()),
        Problem::Hidden { refusal, .. } | Problem::Refused(refusal) => {
            if let Refusal::Denied(denial) = refusal {
                event.action = Some(denial.action.name());
                event.resource = Some(denial.resource.clone());
            }
            Verdict::Refused(refusal.clone())
        }
        Problem::Conflict(text) | Problem::Invalid(text) => Verdict::Rejected(text.clone()),
        Problem::Duplicate(_) => Verdict::Rejected("there is such a policy already".to_owned()),
        Problem::Locked(noun) => Verdict::Rejected(format!("{} is locked", noun.words())),
        Problem::NotFound(noun, name) => Verdict::Rejected(format!("no {} {name}", noun.words())),
        Problem::OtherAccount => Verdict::Rejected("another account".to_owned()),
        Problem::Stale => Verdict::Rejected("stale version".to_owned()),
        Problem::TooLarge => Verdict::Rejected("body too large".to_owned()),
        Problem::Unreadable(_) => Verdict::Rejected("body is not JSON".to_owned()),
    };
}

#[cfg(test)]
mod tests;
