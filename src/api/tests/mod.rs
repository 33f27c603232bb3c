//! The API over a real store: what clients send and read, and what strangers do not learn.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Api, ApiReply, ApiRequest, RegistrySite};
use crate::admit::aws::{AwsAsk, AwsTarget};
use crate::admit::caller::{Caller, Credential};
use crate::admit::control::ImageCall;
use crate::admit::explain::{Examination, explain};
use crate::admit::fault::Fault;
use crate::admit::held::{HeldTag, TagHolds};
use crate::admit::network::Premises;
use crate::admit::origin::Origin;
use crate::admit::permit::{AwsControl, Control, Grounds, Permit};
use crate::admit::refusal::{Challenge, Refusal, Unauthorized};
use crate::admit::web_identity::{Introduced, WebIdentity};
use crate::client::address::ClientAddr;
use crate::clock::{ManualClock, SequenceEntropy};
use crate::control::aws::problem::AwsProblem;
use crate::control::compliance::{Compliance, Premises as Server};
use crate::control::image::{Image, Images};
use crate::control::problem::Problem;
use crate::control::trash::Bin;
use crate::control::usage::Usage;
use crate::control::{Authority, Desk};
use crate::credential::api_key::Pepper;
use crate::credential::seal::MasterKey;
use crate::credential::session::Sealer;
use crate::forward::issuers::Issuers;
use crate::ids::aws::RoleId;
use crate::ids::host::HostName;
use crate::ids::principal::PrincipalId;
use crate::ids::region::Region;
use crate::network::endpoint::Endpoint;
use crate::policy::asked::{Asked, Target};
use crate::policy::engine::bundle::Policies;
use crate::policy::engine::context::{Context, Value as Known};
use crate::policy::engine::decide::decide;
use crate::policy::engine::principal::Caller as Who;
use crate::policy::engine::question::Question;
use crate::policy::engine::resource::Resource as Arn;
use crate::policy::ibm::check::{check, compile};
use crate::policy::resource::Resource;
use crate::policy::sentence;
use crate::policy::table::Action;
use crate::record::audit::{AuditLog, Destination, OnFailure};
use crate::record::recorder::Recorder;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::{Digest, Tag};
use crate::store::Store;
use crate::store::aws::holder::Actor;
use crate::store::contract::samples;
use crate::store::identity::PrincipalRecord;
use crate::store::policy::{PolicyRecord, Subject};
use crate::store::sqlite;
use crate::store::tables::SqlStore;
use crate::token::federation::Federation;
use crate::view::bundle::{Bundle, rights_at};
use crate::view::compile::policies as compiled_documents;

mod alerts;
mod compliance;
mod empty;
mod explain;
mod groups;
mod iam;
mod identity;
mod insights;
mod native;
mod policies;
mod registry;
mod shelf;
mod trash;
mod wire;

/// Decides by the caller's grants, as the gate does.
struct AsPolicy;

#[async_trait]
impl Authority for AsPolicy {
    async fn reach(&self, _: &Arc<Caller>, _: &Region, _: &Namespace) -> Result<(), Problem> {
        Ok(())
    }

    async fn permit(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
    ) -> Result<Permit<Control>, Problem> {
        if !self.may(caller, action, &resource) {
            return Err(Refusal::unallowed(action, resource).into());
        }
        Ok(Permit::for_test(Control { action, resource }, caller.clone(), Grounds::Proven))
    }

    async fn permit_image(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        resource: Resource,
        _: &ImageCall,
    ) -> Result<Permit<Control>, Problem> {
        self.permit(caller, action, resource).await
    }

    /// As the gate decides, but for what repositories say of themselves and what it knows of a request.
    async fn permit_aws(&self, caller: &Arc<Caller>, ask: AwsAsk) -> Result<Permit<AwsControl>, AwsProblem> {
        let mut context = Context::default();
        if let Who::User { arn, .. } = caller.bundle.rights.caller() {
            context.one("aws:username", arn.rsplit_once('/').unwrap().1.to_owned()).unwrap();
        }
        for (key, values) in ask.context {
            let value = match values.as_slice() {
                [only] if key != "aws:TagKeys" => Known::One(only.clone().into()),
                several => Known::Many(several.iter().map(|one| one.clone().into()).collect()),
            };
            context.set(key, value).unwrap();
        }
        let resource = match ask.target {
            AwsTarget::Arn(arn) => arn,
            AwsTarget::Everything => "*".to_owned(),
            AwsTarget::Resource(resource) => resource.arn(&caller.account).unwrap(),
        };
        let question = Question {
            aws: &[ask.action],
            ibm: None,
            resource: Arn::of(&resource).unwrap(),
            resource_account: ACCOUNT,
            attached: None,
            now: 1,
        };
        let (action, class) = (ask.action, decide(&caller.bundle.rights, &question, &context).class);
        if class.is_allow() {
            return Ok(Permit::for_test(AwsControl { action, resource }, caller.clone(), Grounds::Proven));
        }
        let sentence = sentence::unauthorized(action, class, caller.bundle.rights.caller(), &resource);
        let denial = Unauthorized { action, resource, class, because: None, sentence };
        Err(AwsProblem::Refused(Refusal::Unauthorized(Box::new(denial))))
    }

    async fn introduce(&self, _: WebIdentity, _: &RoleId, _: Origin) -> Result<Introduced, AwsProblem> {
        Err(AwsProblem::Fault(Fault::Internal("the gate introduces, and there is none".to_owned())))
    }

    fn permit_signed(&self, caller: &Arc<Caller>, of: AwsControl) -> Permit<AwsControl> {
        Permit::for_test(of, caller.clone(), Grounds::Proven)
    }

    fn permit_own(&self, caller: &Arc<Caller>, owner: &PrincipalId, of: Control) -> Option<Permit<Control>> {
        (owner == caller.principal()).then(|| Permit::for_test(of, caller.clone(), Grounds::Own))
    }

    fn permit_proven(&self, caller: &Arc<Caller>, of: Control) -> Permit<Control> {
        Permit::for_test(of, caller.clone(), Grounds::Proven)
    }

    async fn listed(
        &self,
        caller: &Arc<Caller>,
        action: Action,
        region: &Region,
        mut names: Vec<RepositoryName>,
    ) -> Result<Vec<RepositoryName>, Problem> {
        names.retain(|name| self.may(caller, action, &Resource::repository(region, name)));
        Ok(names)
    }

    async fn hold_tag(
        &self,
        region: &Region,
        name: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<HeldTag>, Fault> {
        Arc::<TagHolds>::default().hold(region, name, tag).await
    }

    fn may(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let (asked, target) = (Asked::of(action).unwrap(), Target::from(resource.clone()));
        let now = samples::time(1000);
        let question = Examination { asked: &asked, target: &target, repository: None, now, told: &[] };
        explain(caller, question).class.is_allow()
    }

    fn may_throughout(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        let any = resource.any_repository();
        self.may(caller, action, resource) && any.is_none_or(|any| self.may(caller, action, &any))
    }
}

/// An upstream with one image in each of two namespaces.
struct TwoImages;

#[async_trait]
impl Images for TwoImages {
    async fn repositories(&self, _: &Region) -> Result<Vec<RepositoryName>, Fault> {
        Ok(["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap()).to_vec())
    }

    async fn list(&self, _: &Region, repositories: &[RepositoryName]) -> Result<Vec<Image>, Fault> {
        let image = |repository: &RepositoryName| Image {
            repository: repository.clone(),
            digest: Digest::parse(&format!("sha256:{}", "a".repeat(64))).unwrap(),
            tags: vec![Tag::parse("v1").unwrap()],
            created: None,
            size: Some(7),
            manifest_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            labels: Vec::new(),
        };
        Ok(repositories.iter().map(image).collect())
    }
}

/// The profiles that come with the program, a registry in `us-south`, and no audit log.
fn judged() -> Compliance {
    let clock = Arc::new(ManualClock::at(samples::time(1000)));
    let audit = AuditLog::open(Destination::None, OnFailure::Refuse, clock).unwrap();
    let registries = vec![(samples::region("us-south"), vec!["us.registry.test".to_owned()])];
    let premises = Server { registries, listeners: Vec::new() };
    Compliance::new(crate::config::profile::shipped().unwrap(), premises, Recorder::new(audit).unwrap())
}

/// An installation: an administrator, and a stranger who may do nothing.
struct House {
    api: Api,
    store: Arc<SqlStore>,
    admin: PrincipalId,
    stranger: PrincipalId,
    _dir: TempDir,
}

const ACCOUNT: &str = "123456789012";

fn target(kind: &str, value: &str) -> Value {
    json!({"attributes": [{"name": "accountId", "value": ACCOUNT}, {"name": kind, "value": value}]})
}

fn role(kind: &str, name: &str) -> Value {
    json!({"role_id": format!("crn:v1:bluemix:public:iam::::{kind}:{name}")})
}

impl House {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(samples::time(1000)));
        let store = Arc::new(sqlite::open(&dir.path().join("store.db"), clock.clone()).await.unwrap());
        let mut founding = samples::founding();
        let (service, platform) =
            (target("serviceType", "service"), target("serviceType", "platform_service"));
        let roles = [
            json!({"roles": [role("serviceRole", "Manager"), role("role", "Administrator")], "resources": [service]}),
            json!({"roles": [role("role", "Administrator")], "resources": [platform]}),
        ];
        for (policy, document) in founding.policies.iter_mut().zip(roles) {
            policy.document = serde_json::from_value(document).unwrap();
        }
        let admin = samples::of_user(&founding.administrator);
        store.found_for_test(&founding).await;
        let stranger = samples::service_id(99);
        store.insert_service_id_for_test(&stranger).await;
        let registries = [(samples::region("us-south"), HostName::parse("us.registry.test").unwrap())].into();
        let bin = Bin {
            store: store.clone(),
            inventory: Arc::new(shelf::OneImage::default()),
            clock: clock.clone(),
            keep: Some(std::time::Duration::from_secs(30 * 24 * 3600)),
            usage: Arc::new(Usage::of([samples::region("us-south")])),
            census: Arc::default(),
            reads_reports: true,
        };
        let desk = Desk {
            bin: Arc::new(bin),
            account: samples::account_id(),
            activity: Arc::default(),
            compliance: judged(),
            dispatch: alerts::dispatch(),
            authority: Arc::new(AsPolicy),
            federation: Arc::new(Federation::new(Arc::new(Issuers::default()), clock.clone())),
            clock,
            entropy: Arc::new(SequenceEntropy::seeded(4711)),
            images: Arc::new(TwoImages),
            master: Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(1))),
            pepper: Arc::new(Pepper::new(&[7; 32])),
            sealer: Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(7)))),
            premises: Premises { registries, ..Premises::default() },
            scans: Arc::new(crate::control::scans::Scans::new(None, false)),
            stock: Arc::new(empty::Empty),
            store: store.clone(),
        };
        let site = RegistrySite {
            name: HostName::parse("us.registry.test").unwrap(),
            aliases: vec![HostName::parse("localhost").unwrap()],
            private_name: None,
            region: samples::region("us-south"),
        };
        let stranger = samples::of_service_id(&stranger);
        Self { api: Api::new(desk, vec![site]), store, admin, stranger, _dir: dir }
    }

    /// The caller that the gate would make of `who`, as of now.
    async fn caller(&self, who: &PrincipalId) -> Arc<Caller> {
        let store: &dyn Store = &*self.store;
        let facts = store.principal(who).await.unwrap().unwrap();
        let account = samples::account_id();
        let compiled =
            |row: &PolicyRecord| Arc::new(compile(&row.id, &check(&row.document, &account).unwrap()));
        let ibm = facts.policies.iter().map(compiled).collect();
        let name = match facts.record {
            PrincipalRecord::Profile(row, _) => row.name,
            PrincipalRecord::ServiceId(row) => row.name,
            PrincipalRecord::User(row) => row.name,
        };
        let held = store.policies_of(&Actor::Principal(who.clone())).await.unwrap().unwrap();
        let policies = Policies { ibm, ..compiled_documents(&account, &held).unwrap() };
        let rights = rights_at(&account, who, (held.path.as_str(), &name), policies);
        let bundle = Bundle {
            principal: who.clone(),
            name,
            active: true,
            allowed: None,
            keys: Vec::new(),
            trust: None,
            groups: facts.groups,
            until: None,
            tags: Vec::new(),
            rights,
        };
        Arc::new(Caller {
            account: samples::account_id(),
            credential: Credential::ApiKey(samples::api_key(0, who).id),
            bundle: Arc::new(bundle),
            behind: None,
            from: ClientAddr::from_socket("192.0.2.1:9".parse().unwrap()),
            local: "10.0.0.1".parse().unwrap(),
            endpoint: Endpoint::Public,
            secure: true,
            issued_at: None,
            reported: crate::admit::caller::Reported::default(),
            said: crate::admit::caller::Said::default(),
        })
    }

    async fn send(&self, who: Option<&PrincipalId>, ask: Ask) -> Reply {
        let caller = match who {
            Some(who) => Ok(self.caller(who).await),
            None => Err(Refusal::Challenge { because: Challenge::Absent, scope: None }),
        };
        let (path, query) = match ask.target.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (ask.target, None),
        };
        let request = ApiRequest {
            method: ask.method,
            path,
            query,
            headers: ask.headers,
            body: ask.body,
            caller,
            region: samples::region("us-south"),
            authority: "us.registry.test:8443".to_owned(),
            request_id: "req-1".to_owned(),
        };
        Reply(self.api.respond(request).await)
    }

    /// As the administrator.
    async fn ask(&self, ask: Ask) -> Reply {
        let admin = self.admin.clone();
        self.send(Some(&admin), ask).await
    }

    /// Makes a service ID and returns its id.
    async fn service_id(&self, name: &str) -> String {
        let reply = self.ask(post("/v1/serviceids", json!({"account_id": ACCOUNT, "name": name}))).await;
        reply.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Grants `who` a role on what `attributes` (besides the account) name.
    async fn grant(&self, who: &PrincipalId, role: Value, attributes: &[(&str, &str)]) -> String {
        let reply = self.ask(post("/v1/policies", policy(&json!(who), role, attributes))).await;
        reply.expect(201)["id"].as_str().unwrap().to_owned()
    }
}

fn policy(iam_id: &Value, role: Value, attributes: &[(&str, &str)]) -> Value {
    let mut all = vec![json!({"name": "accountId", "value": ACCOUNT})];
    all.extend(attributes.iter().map(|(name, value)| json!({"name": name, "value": value})));
    json!({
        "type": "access",
        "subjects": [{"attributes": [{"name": "iam_id", "value": iam_id}]}],
        "roles": [role],
        "resources": [{"attributes": all}],
    })
}

#[derive(Clone)]
struct Ask {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    fn new(method: Method, target: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("account", HeaderValue::from_static(ACCOUNT));
        Self { method, target: target.to_owned(), headers, body: Bytes::new() }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn raw(mut self, body: &str) -> Self {
        self.body = Bytes::from(body.to_owned());
        self.header("content-type", "application/json")
    }
}

fn get(target: &str) -> Ask {
    Ask::new(Method::GET, target)
}

fn delete(target: &str) -> Ask {
    Ask::new(Method::DELETE, target)
}

fn post(target: &str, body: Value) -> Ask {
    Ask::new(Method::POST, target).raw(&body.to_string())
}

fn put(target: &str, tag: &str, body: Value) -> Ask {
    Ask::new(Method::PUT, target).raw(&body.to_string()).header("if-match", tag)
}

#[derive(Debug)]
struct Reply(ApiReply);

impl Reply {
    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.0.body);
        assert_eq!(self.0.status.as_u16(), status, "{text} {:?}", self.0.event);
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    fn header(&self, name: &str) -> &str {
        self.0.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl SqlStore {
    async fn found_for_test(&self, founding: &crate::store::account::Founding) {
        crate::store::account::Accounts::found(self, founding).await.unwrap();
    }

    async fn insert_service_id_for_test(&self, row: &crate::store::identity::ServiceIdentity) {
        crate::store::identity::Identities::insert_service_id(self, row).await.unwrap();
    }
}

fn subject_of(who: &PrincipalId) -> Subject {
    Subject::Principal(who.clone())
}
