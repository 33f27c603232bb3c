//! A gate over a real store, asked with real API keys: service IDs and users by number, each with key of that number.

use std::sync::Arc;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{no_tags, region};
use crate::admit::authenticate::Authenticator;
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::admit::gate::{Gate, Why};
use crate::admit::network::Premises;
use crate::admit::origin::Origin;
use crate::admit::permit::Grounds;
use crate::admit::proof::Authenticated;
use crate::admit::refusal::Refusal;
use crate::admit::registry::{Asking, NewNamespaces};
use crate::client::address::ClientAddr;
use crate::clock::{ManualClock, SequenceEntropy};
use crate::credential::api_key::{ApiKey, Pepper};
use crate::credential::authorization::Presented;
use crate::credential::lease::LeaseKey;
use crate::credential::seal::MasterKey;
use crate::credential::session::Sealer;
use crate::ids::principal::PrincipalId;
use crate::network::endpoint::Endpoint;
use crate::policy::aws::kind::Kind;
use crate::policy::engine::question::Class;
use crate::registry::name::RepositoryName;
use crate::registry::parse::parse;
use crate::secret::Secret;
use crate::store::Store;
use crate::store::aws::holder::{Holder, PolicyRef};
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::repository::Repository;
use crate::store::aws::text::DocumentText;
use crate::store::contract::aws_samples::{managed, name, repository};
use crate::store::contract::samples;
use crate::store::sqlite;
use crate::store::tables::SqlStore;
use crate::view::{Settings, View};

/// The pull that most tests ask for.
pub(super) const PULL: &str = "GET team-a/app/manifests/v1";
/// The push.
pub(super) const PUSH: &str = "PUT team-a/app/manifests/v1";

pub(super) struct Living {
    pub(super) gate: Gate,
    pub(super) store: Arc<SqlStore>,
    pub(super) view: Arc<View>,
    _dir: TempDir,
}

/// What came of a call.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Came {
    Allowed(Grounds),
    Denied(Class),
    /// Nothing can be said about the caller, or the repository.
    Stopped,
}

pub(super) fn text(kind: Kind, statements: &Value) -> DocumentText {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    DocumentText::read(&text, kind).unwrap().0
}

pub(super) fn statement(effect: &str, action: &str) -> Value {
    json!([{"Effect": effect, "Action": action, "Resource": "*"}])
}

pub(super) fn user(n: u64) -> PrincipalId {
    samples::of_user(&samples::user(n))
}

pub(super) fn service(n: u64) -> PrincipalId {
    samples::of_service_id(&samples::service_id(n))
}

pub(super) fn app() -> RepositoryName {
    RepositoryName::parse("team-a/app").unwrap()
}

pub(super) fn origin() -> Origin {
    let from = ClientAddr::from_socket("192.0.2.1:9".parse().unwrap());
    let local = "10.0.0.1".parse().unwrap();
    Origin { from, local, endpoint: Endpoint::Public, secure: true, certificate: None }
}

impl Living {
    /// With the users 1 and 2 and the service ID 3, and the repository `team-a/app`.
    pub(super) async fn open() -> Self {
        // In memory where there is such a place: what is tested is not how fast a disk is.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let clock = Arc::new(ManualClock::at(samples::time(1000)));
        let store = Arc::new(sqlite::open(&dir.path().join("store.db"), clock.clone()).await.unwrap());
        let shared: Arc<dyn Store> = store.clone();
        let view = Arc::new(View::new(shared, Handle::current(), samples::account_id(), Settings::default()));
        let (account, issuer, pepper) = (samples::account_id(), "https://issuer", Pepper::new(&[7; 32]));
        let sealer = Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(7))));
        let prover = Authenticator::new(
            view.clone(),
            account,
            issuer.into(),
            (Arc::new(pepper), sealer),
            (clock.clone(), Arc::new(SequenceEntropy::seeded(8))),
        );
        let registries = [(region(), "us.registry.test".parse().unwrap())].into();
        let premises = Premises { registries, ..Premises::default() };
        let gate = Gate::new(prover, view.clone(), LeaseKey::new(&[7; 32]), premises, clock);
        let living = Self { gate, store, view, _dir: dir };
        let store = living.store();
        store.put_registry(&samples::settings("us-south")).await.unwrap();
        for n in [1, 2] {
            store.insert_user(&samples::user(n)).await.unwrap();
            store.insert_api_key(&samples::api_key(n, &user(n))).await.unwrap();
        }
        store.insert_service_id(&samples::service_id(3)).await.unwrap();
        store.insert_api_key(&samples::api_key(3, &service(3))).await.unwrap();
        store.insert_repository(&Repository { name: app(), ..repository(1) }, &[]).await.unwrap();
        living
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// What comes of a call with the key of that number.
    pub(super) async fn ask(&self, key: u64, call: &str) -> Came {
        let password = ApiKey::fresh(&SequenceEntropy::seeded(key)).reveal().to_owned();
        let presented = Presented::Basic { user: "iamapikey".into(), password: Secret::new(password) };
        let (method, path) = call.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let (method, headers) = (Method::from_bytes(method.as_bytes()).unwrap(), HeaderMap::new());
        let operation = parse(&method, &format!("/v2/{path}"), query, &headers).unwrap();
        let asking = Asking {
            presented: &presented,
            origin: &origin(),
            region: &region(),
            new: NewNamespaces::Made,
            headers: &headers,
        };
        match self.gate.admit(operation, asking, &no_tags()).await {
            Ok(admission) if admission.mount_downgraded => Came::Denied(Class::AllowAlways),
            Ok(admission) => Came::Allowed(admission.permit.grounds().clone()),
            Err(stopped) => match stopped.why {
                Why::Refusal(Refusal::Denied(denial)) => Came::Denied(denial.class),
                Why::Fault(Fault::Store(_)) => Came::Stopped,
                other => panic!("{call}: {other:?}"),
            },
        }
    }

    /// The caller that the key of that number proves now.
    pub(super) async fn caller(&self, key: u64) -> Arc<Caller> {
        let key = ApiKey::fresh(&SequenceEntropy::seeded(key));
        match self.gate.authenticator.api_key(key.reveal(), &origin()).await {
            Ok(Authenticated::Proven(caller)) => caller,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn may(&self, key: u64, call: &str) -> bool {
        match self.ask(key, call).await {
            Came::Allowed(_) => true,
            Came::Denied(_) => false,
            Came::Stopped => panic!("{call}: nothing can be said"),
        }
    }

    /// An inline policy called `own`.
    pub(super) async fn write(&self, holder: &Holder, statements: &Value) {
        let document = text(Kind::Inline, statements);
        let row = InlinePolicy { name: name("own"), document };
        self.store().put_inline_policy(holder, &row).await.unwrap();
    }

    /// A customer managed policy.
    pub(super) async fn managed(&self, n: u64, statements: &Value) -> PolicyRef {
        let document = text(Kind::Managed, statements);
        self.store().insert_managed_policy(&managed(n), &document, &[]).await.unwrap();
        PolicyRef::Customer(managed(n).id)
    }

    pub(super) async fn attach(&self, holder: &Holder, policy: &PolicyRef) {
        self.store().attach(holder, policy, samples::time(1)).await.unwrap();
    }

    /// The policy of `team-a/app`; statements without a resource.
    pub(super) async fn say(&self, statements: Option<&Value>) {
        let document = statements.map(|statements| text(Kind::Repository, statements));
        self.store().put_repository_policy(&region(), &app(), document.as_ref()).await.unwrap();
    }
}
