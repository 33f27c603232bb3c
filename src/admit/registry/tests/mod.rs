//! The gate over policies of both clouds: what a registry call is called in each, and what is known of it.

use std::cell::Cell;
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{Admission, Asking, NewNamespaces};
use crate::admit::authenticate::Authenticator;
use crate::admit::caller::{Caller, Credential};
use crate::admit::fault::Fault;
use crate::admit::findings::{Resolved, Upstream as Asked};
use crate::admit::gate::{Gate, Why};
use crate::admit::network::Premises;
use crate::admit::origin::Origin;
use crate::admit::permit::Grounds;
use crate::admit::proof::{Ceiling, Proof};
use crate::admit::refusal::Refusal;
use crate::client::address::ClientAddr;
use crate::clock::{Clock as _, ManualClock, SequenceEntropy, UnixTime};
use crate::credential::api_key::Pepper;
use crate::credential::authorization::Presented;
use crate::credential::lease::LeaseKey;
use crate::credential::seal::MasterKey;
use crate::credential::session::Sealer;
use crate::ids::aws::UserUniqueId;
use crate::ids::region::Region;
use crate::network::endpoint::Endpoint;
use crate::policy::aws::kind::Kind as DocumentKind;
use crate::policy::aws::validate;
use crate::policy::engine::bundle::Policies;
use crate::policy::engine::compiled::{CompiledPolicy, Place, compile_aws};
use crate::policy::engine::question::{Class, Kind};
use crate::policy::ibm::check::{check, compile};
use crate::policy::reason::Denial;
use crate::policy::table::{Action, product};
use crate::registry::name::RepositoryName;
use crate::registry::parse::parse;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::scope::{ScopeAction, ScopeEntry};
use crate::registry::shape::Nature;
use crate::store::contract::samples;
use crate::store::sqlite;
use crate::store::tables::SqlStore;
use crate::view::bundle::{Bundle, rights};
use crate::view::{Settings, View};

mod changing;
mod findings;
mod living;
mod sessions;
mod stored;

/// A gate over an empty store. Who asks, with which policies, is made by each test.
struct House {
    gate: Gate,
    clock: Arc<ManualClock>,
    store: Arc<SqlStore>,
    _dir: TempDir,
}

/// An upstream that has some tags, or does not answer; and how often it was asked.
struct Upstream {
    tags: Option<&'static [&'static str]>,
    asked: Cell<u32>,
}

impl Asked for Upstream {
    async fn exists(&self, _: &RepositoryName, tag: &Tag) -> Result<bool, Fault> {
        self.asked.set(self.asked.get() + 1);
        let down = || Fault::UpstreamUnreachable("down".to_owned());
        self.tags.map(|tags| tags.contains(&tag.as_str())).ok_or_else(down)
    }

    async fn resolved(&self, _: &RepositoryName, by: &Reference) -> Result<Option<Resolved>, Fault> {
        self.asked.set(self.asked.get() + 1);
        if self.tags.is_none() {
            return Err(Fault::UpstreamUnreachable("down".to_owned()));
        }
        let image = |n: u8| Resolved {
            digest: Digest::parse(&format!("sha256:{n:064x}")).unwrap(),
            nature: Nature::Image,
            children: Vec::new(),
        };
        let index =
            Resolved { nature: Nature::Index, children: vec![image(1).digest, image(2).digest], ..image(9) };
        let all = [("v1", image(1)), ("v2", image(2)), ("all", index)];
        let found =
            all.into_iter().find(|(tag, one)| by.as_str() == *tag || by.as_str() == one.digest.as_str());
        Ok(found.map(|(_, one)| one))
    }

    async fn signed(&self, _: &RepositoryName, digest: &Digest) -> Result<bool, Fault> {
        Ok(digest.as_str().ends_with('2'))
    }
}

fn no_tags() -> Upstream {
    Upstream { tags: Some(&[]), asked: Cell::new(0) }
}

fn aws(id: &str, statements: Value) -> Arc<CompiledPolicy> {
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = validate::read(&document, DocumentKind::Managed).unwrap();
    Arc::new(compile_aws(id, &document, Place::Identity, product()))
}

fn identity(statements: Value) -> Policies {
    Policies { identity: vec![aws("doc", statements)], ..Policies::default() }
}

fn ibm(role: &str) -> Arc<CompiledPolicy> {
    let row =
        samples::policy(1, crate::store::policy::Subject::Principal(samples::of_user(&samples::user(1))));
    let document = serde_json::from_value(json!({
        "roles": [{"role_id": format!("crn:v1:bluemix:public:iam::::serviceRole:{role}")}],
        "resources": [{"attributes": [{"name": "accountId", "value": "123456789012"},
            {"name": "serviceName", "value": "container-registry"}]}],
    }));
    Arc::new(compile(&row.id, &check(&document.unwrap(), &samples::account_id()).unwrap()))
}

fn push_to(repository: &str) -> Value {
    json!([{"Sid": "Push", "Effect": "Allow", "Resource": format!("arn:aws:ecr:us-south:123456789012:repository/{repository}"),
        "Action": ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
            "ecr:CompleteLayerUpload", "ecr:PutImage"]}])
}

fn region() -> Region {
    samples::region("us-south")
}

fn caller(policies: Policies) -> Arc<Caller> {
    let (account, user) = (samples::account_id(), samples::user(1));
    let principal = samples::of_user(&user);
    let rights = rights(&account, &principal, &user.name, policies);
    let credential = Credential::ApiKey(samples::api_key(0, &principal).id);
    let bundle = Bundle {
        principal,
        name: user.name,
        active: true,
        allowed: None,
        keys: Vec::new(),
        trust: None,
        groups: Vec::new(),
        until: None,
        tags: Vec::new(),
        rights,
    };
    Arc::new(Caller {
        account,
        credential,
        bundle: Arc::new(bundle),
        behind: None,
        from: ClientAddr::from_socket("192.0.2.1:9".parse().unwrap()),
        local: "10.0.0.1".parse().unwrap(),
        endpoint: Endpoint::Private,
        secure: true,
        issued_at: None,
        reported: crate::admit::caller::Reported::default(),
        said: crate::admit::caller::Said::default(),
    })
}

impl House {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(samples::time(1000)));
        let store = Arc::new(sqlite::open(&dir.path().join("store.db"), clock.clone()).await.unwrap());
        let view = View::new(store.clone(), Handle::current(), samples::account_id(), Settings::default());
        let view = Arc::new(view);
        let pepper = Arc::new(Pepper::new(&[7; 32]));
        let sealer = Sealer::new(Arc::new(MasterKey::fresh(&SequenceEntropy::seeded(7))));
        let account = samples::account_id();
        let prover = Authenticator::new(
            view.clone(),
            account,
            "https://issuer".into(),
            (pepper, sealer),
            (clock.clone(), Arc::new(SequenceEntropy::seeded(8))),
        );
        let leases = LeaseKey::new(&[7; 32]);
        let registries = [(region(), "us.registry.test".parse().unwrap())].into();
        let premises = Premises { registries, ..Premises::default() };
        Self { gate: Gate::new(prover, view, leases, premises, clock.clone()), clock, store, _dir: dir }
    }

    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    async fn ask(
        &self,
        caller: &Arc<Caller>,
        call: &str,
        headers: &[(HeaderName, &'static str)],
        upstream: &Upstream,
    ) -> Result<Admission, Why> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let (method, path) = call.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let operation = parse(&method, &format!("/v2/{path}"), query, &headers).unwrap();
        let proof = Proof { caller: Some(caller.clone()), ceiling: Ceiling::Unlimited, expired: false };
        let (from, local, endpoint) = (caller.from, caller.local, caller.endpoint);
        let asking = Asking {
            presented: &Presented::Absent,
            origin: &Origin { from, local, endpoint, secure: caller.secure, certificate: None },
            region: &region(),
            new: NewNamespaces::Made,
            headers: &headers,
        };
        self.gate.proven(operation, &proof, caller, asking, upstream).await
    }

    /// Whether the call goes ahead. Anything but a plain yes or no fails the test.
    async fn may(&self, caller: &Arc<Caller>, call: &str) -> bool {
        match self.ask(caller, call, &[], &no_tags()).await {
            Ok(_) => true,
            Err(Why::Refusal(Refusal::Denied(_))) => false,
            Err(other) => panic!("{call}: {other:?}"),
        }
    }

    async fn denial(&self, caller: &Arc<Caller>, call: &str) -> Denial {
        match self.ask(caller, call, &[], &no_tags()).await {
            Err(Why::Refusal(Refusal::Denied(denial))) => *denial,
            other => panic!("{call}: {other:?}"),
        }
    }
}

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn each_call_needs_the_action_that_ecr_names_for_it() {
    let house = House::open().await;
    let cases = [
        ("GET team-a/app/manifests/v1", vec!["BatchGetImage"]),
        ("HEAD team-a/app/manifests/v1", vec!["BatchGetImage"]),
        ("GET team-a/app/blobs/D", vec!["GetDownloadUrlForLayer"]),
        ("HEAD team-a/app/blobs/D", vec!["BatchCheckLayerAvailability"]),
        ("GET team-a/app/tags/list", vec!["ListImages"]),
        ("GET team-a/app/referrers/D", vec!["BatchGetImage"]),
        ("PUT team-a/app/manifests/v1", vec!["PutImage"]),
        ("DELETE team-a/app/manifests/v1", vec!["BatchDeleteImage"]),
        ("DELETE team-a/app/blobs/D", vec!["BatchDeleteImage"]),
        ("POST team-a/app/blobs/uploads/", vec!["InitiateLayerUpload"]),
        (
            "POST team-a/app/blobs/uploads/?digest=D",
            vec!["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"],
        ),
    ];
    for (call, needed) in cases {
        let call = call
            .replace('D', DIGEST)
            .replace(&format!("{DIGEST}ELETE"), "DELETE")
            .replace(&format!("HEA{DIGEST}"), "HEAD");
        let allow = |actions: &[&str]| {
            let names: Vec<String> = actions.iter().map(|name| format!("ecr:{name}")).collect();
            caller(identity(json!([{"Effect": "Allow", "Action": names, "Resource": "*"}])))
        };
        assert!(house.may(&allow(&needed), &call).await, "{call}");
        for lacking in 0..needed.len() {
            let mut others: Vec<&str> = needed.clone();
            others.remove(lacking);
            others.push("DescribeRegistry");
            assert!(!house.may(&allow(&others), &call).await, "{call} without {}", needed[lacking]);
        }
        let deny = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": format!("ecr:{}", needed[0]), "Resource": "*"}]);
        let mixed = Policies { ibm: vec![ibm("Manager")], ..identity(deny) };
        assert!(!house.may(&caller(mixed), &call).await, "{call}: a Deny wins over both clouds' Allow");
    }
}

#[tokio::test]
async fn aws_documents_are_asked_about_the_repository_they_name() {
    let house = House::open().await;
    let pusher = caller(identity(push_to("team-a/*")));
    assert!(house.may(&pusher, "PUT team-a/app/manifests/v1").await);
    assert!(!house.may(&pusher, "PUT team-b/app/manifests/v1").await);
    assert!(!house.may(&pusher, "GET team-a/app/manifests/v1").await, "pushing is not pulling");
    let permit = house.ask(&pusher, "PUT team-a/app/manifests/v1", &[], &no_tags()).await.unwrap().permit;
    let Grounds::Policy(reason) = permit.grounds() else { panic!("{:?}", permit.grounds()) };
    assert_eq!(
        (reason.policy.as_str(), reason.statement.as_deref(), reason.kind),
        ("doc", Some("Push"), Kind::Identity)
    );
}

#[tokio::test]
async fn rights_of_both_clouds_add_up_and_boundaries_limit_both() {
    let house = House::open().await;
    let both = Policies { ibm: vec![ibm("Reader")], ..identity(push_to("*")) };
    let boundary = aws("edge", json!([{"Effect": "Allow", "Action": "ecr:Batch*", "Resource": "*"}]));
    let bounded = caller(Policies { boundary: Some(boundary), ..both.clone() });
    let both = caller(both);
    for call in ["GET team-a/app/manifests/v1", "PUT team-a/app/manifests/v1", "GET team-a/app/tags/list"] {
        assert!(house.may(&both, call).await, "{call}");
    }
    assert!(house.may(&bounded, "GET team-a/app/manifests/v1").await, "IBM allows, and it is within");
    let denial = house.denial(&bounded, "PUT team-a/app/manifests/v1").await;
    assert_eq!(denial.class, Class::ImplicitDeny(Kind::Boundary));
    assert_eq!(denial.refused.map(|action| product().name(action)), Some("ecr:PutImage"));
}

#[tokio::test]
async fn a_denial_carries_its_class_and_the_statement_that_denies() {
    let house = House::open().await;
    let nobody = caller(Policies::default());
    let denial = house.denial(&nobody, "GET team-a/app/manifests/v1").await;
    assert_eq!((denial.class, &denial.because), (Class::ImplicitDeny(Kind::Identity), &None));
    assert_eq!(denial.action, Action::ImagePull);
    let denied = caller(identity(json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Sid": "Never", "Effect": "Deny", "Action": "ecr:BatchDeleteImage", "Resource": "*"}])));
    let denial = house.denial(&denied, "DELETE team-a/app/manifests/v1").await;
    assert_eq!(denial.class, Class::ExplicitDeny(Kind::Identity));
    assert_eq!(denial.because.as_ref().unwrap().statement.as_deref(), Some("Never"));
    assert_eq!(
        denial.to_string(),
        "policy doc, statement Never, denies container-registry.image.delete on team-a/app in us-south"
    );
}

#[tokio::test]
async fn tags_decide_in_both_directions() {
    let house = House::open().await;
    let policies = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*", "Condition": {"StringLike": {"registry:Tag": "prod-*"}}},
        {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*", "Condition": {"Null": {"registry:Digest": "true"}}}]);
    let caller = caller(identity(policies));
    assert!(house.may(&caller, "PUT team-a/app/manifests/v1").await);
    assert!(!house.may(&caller, "PUT team-a/app/manifests/prod-1").await);
    assert!(house.may(&caller, &format!("PUT team-a/app/manifests/{DIGEST}")).await);
    assert!(house.may(&caller, &format!("GET team-a/app/manifests/{DIGEST}")).await);
    assert!(!house.may(&caller, "GET team-a/app/manifests/v1").await);
}

#[tokio::test]
async fn creating_a_tag_and_overwriting_it_are_separate_rights() {
    let house = House::open().await;
    let create = json!([{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*",
        "Condition": {"Bool": {"registry:TagExists": "false"}}}]);
    let creator = caller(identity(create));
    let upstream = Upstream { tags: Some(&["old"]), asked: Cell::new(0) };
    assert!(house.ask(&creator, "PUT team-a/app/manifests/new", &[], &upstream).await.is_ok());
    let over = house.ask(&creator, "PUT team-a/app/manifests/old", &[], &upstream).await;
    assert!(matches!(over, Err(Why::Refusal(Refusal::Denied(_)))), "{over:?}");
    assert_eq!(upstream.asked.get(), 2);
    let down = Upstream { tags: None, asked: Cell::new(0) };
    let unknown = house.ask(&creator, "PUT team-a/app/manifests/new", &[], &down).await;
    assert!(
        matches!(unknown, Err(Why::Fault(Fault::UpstreamUnreachable(_)))),
        "it fails closed: {unknown:?}"
    );
    let others = [
        caller(identity(push_to("*"))),
        caller(Policies { ibm: vec![ibm("Writer")], ..Policies::default() }),
    ];
    for other in others {
        assert!(house.ask(&other, "PUT team-a/app/manifests/new", &[], &down).await.is_ok());
    }
    assert!(house.ask(&creator, "GET team-a/app/manifests/new", &[], &down).await.is_err());
    assert_eq!(down.asked.get(), 1, "the upstream is asked only where a policy depends on it");
}

#[tokio::test]
async fn a_manifest_is_known_by_its_size_and_type_before_it_is_read() {
    let house = House::open().await;
    let small = json!([{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*", "Condition": {
        "NumericLessThanEquals": {"registry:ManifestSize": "1000"},
        "StringEquals": {"registry:MediaType": "application/vnd.oci.image.manifest.v1+json"}}}]);
    let caller = caller(identity(small));
    let kind = "application/vnd.OCI.image.manifest.v1+json; charset=utf-8";
    let cases = [
        (vec![(CONTENT_LENGTH, "1000"), (CONTENT_TYPE, kind)], true),
        (vec![(CONTENT_LENGTH, "1001"), (CONTENT_TYPE, kind)], false),
        (vec![(CONTENT_TYPE, kind)], false),
        (vec![(CONTENT_LENGTH, "+1"), (CONTENT_TYPE, kind)], false),
        (vec![(CONTENT_LENGTH, "10"), (CONTENT_TYPE, "text/plain")], false),
    ];
    for (headers, expected) in cases {
        let asked = house.ask(&caller, "PUT team-a/app/manifests/v1", &headers, &no_tags()).await;
        assert_eq!(asked.is_ok(), expected, "{headers:?}");
    }
}

#[tokio::test]
async fn what_a_proxy_knows_of_a_request_are_condition_keys() {
    let house = House::open().await;
    let user = samples::user(1).name;
    let arn = format!("arn:aws:iam::123456789012:user/{user}");
    let holds = [
        json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        json!({"Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": "false"}}),
        json!({"DateGreaterThan": {"aws:CurrentTime": "2023-11-14T00:00:00Z"}, "DateLessThan": {"aws:CurrentTime": "2023-11-15T00:00:00Z"}}),
        json!({"NumericGreaterThan": {"aws:EpochTime": "1700000000"}}),
        json!({"StringEquals": {"aws:username": user, "aws:PrincipalType": "User", "aws:PrincipalAccount": "123456789012"}}),
        json!({"ArnEquals": {"aws:PrincipalArn": arn}}),
        json!({"StringEquals": {"aws:userid": UserUniqueId::of(&samples::of_user(&samples::user(1))).as_str(), "aws:RequestedRegion": "us-south"}}),
        json!({"StringLike": {"aws:UserAgent": "docker/*"}}),
        json!({"StringEquals": {"registry:Operation": "manifest_read", "registry:Endpoint": "private", "registry:Tag": "v1"}}),
        json!({"Null": {"aws:TokenIssueTime": "true", "registry:ManifestSize": "true", "aws:Referer": "true"}}),
    ];
    for condition in holds {
        let statement =
            json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": condition}]);
        let (caller, agent) = (caller(identity(statement)), [(USER_AGENT, "docker/27.1")]);
        let asked = house.ask(&caller, "GET team-a/app/manifests/v1", &agent, &no_tags()).await;
        assert!(asked.is_ok(), "{condition}: {asked:?}");
    }
}

#[tokio::test]
async fn time_passes_for_remembered_verdicts_too() {
    let house = House::open().await;
    let until = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*",
        "Condition": {"NumericLessThan": {"aws:EpochTime": "1700000060"}}}]);
    let caller = caller(identity(until));
    assert!(house.may(&caller, "GET team-a/app/manifests/v1").await);
    assert!(house.may(&caller, "GET team-a/app/manifests/v1").await);
    assert_eq!(house.gate.decision_events(), (1, 1));
    house.clock.advance(std::time::Duration::from_secs(60));
    assert!(!house.may(&caller, "GET team-a/app/manifests/v1").await);
}

#[tokio::test]
async fn tokens_and_lists_follow_aws_documents() {
    let house = House::open().await;
    let names = ["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap());
    let wanted = |actions: Vec<ScopeAction>| {
        let entry = |repository: &RepositoryName| ScopeEntry::Repository {
            name: repository.clone(),
            actions: actions.clone().into_iter().collect(),
        };
        names.iter().map(entry).collect::<Vec<_>>()
    };
    let pusher = caller(identity(push_to("team-a/*")));
    let narrowed = house
        .gate
        .narrow(&pusher, wanted(vec![ScopeAction::Pull, ScopeAction::Push]), &region())
        .await
        .unwrap();
    assert_eq!(narrowed, wanted(vec![ScopeAction::Push])[..1]);
    let tagged = caller(identity(json!([{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*",
        "Condition": {"StringLike": {"registry:Tag": "v*"}}}])));
    let narrowed = house.gate.narrow(&tagged, wanted(vec![ScopeAction::Pull]), &region()).await.unwrap();
    assert_eq!(narrowed, wanted(vec![ScopeAction::Pull]), "the call will say its tag");
    let reader = json!([{"Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": "arn:aws:ecr:*:*:repository/team-b/*"}]);
    let shown = house.gate.visibility(&caller(identity(reader)), &region()).await.unwrap();
    assert!(shown.shows_anything());
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names[1..]);
    let nobody = house.gate.visibility(&pusher, &region()).await.unwrap();
    assert!(!nobody.shows_anything(), "who pushes sees no list");
}

#[tokio::test]
async fn control_actions_obey_both_clouds() {
    use crate::policy::resource::{Resource, Service};
    let house = House::open().await;
    let admin = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:DeleteRepository", "Resource": "*"}]);
    let admin = caller(Policies { ibm: vec![ibm("Manager")], ..identity(admin) });
    let namespace = Resource::namespace(&region(), "team-a");
    assert!(house.gate.control(&admin, Action::NamespaceCreate, namespace.clone()).await.is_ok());
    assert!(
        house
            .gate
            .control(&admin, Action::ServiceIdCreate, Resource::platform(Service::IamIdentity))
            .await
            .is_ok()
    );
    assert!(house.gate.control(&admin, Action::NamespaceDelete, namespace.clone()).await.is_err());
    assert!(!house.gate.may(&admin, Action::NamespaceDelete, &namespace));
}

#[tokio::test]
async fn a_manifest_that_does_not_say_its_length_is_asked_for_it_where_that_decides() {
    let house = House::open().await;
    let not_large = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:PutImage", "Resource": "*",
            "Condition": {"NumericGreaterThan": {"registry:ManifestSize": "1000"}}}]);
    let (limited, free) = (caller(identity(not_large)), caller(identity(push_to("*"))));
    let kind = (CONTENT_TYPE, "application/vnd.oci.image.manifest.v1+json");
    let put = "PUT team-a/app/manifests/v1";
    let small = house.ask(&limited, put, &[(CONTENT_LENGTH, "1000"), kind.clone()], &no_tags()).await;
    assert!(small.is_ok(), "{small:?}");
    let unsaid = house.ask(&limited, put, std::slice::from_ref(&kind), &no_tags()).await;
    let Err(Why::Refusal(Refusal::Malformed(error))) = unsaid else { panic!("{unsaid:?}") };
    assert_eq!(error.status, http::StatusCode::LENGTH_REQUIRED);
    assert!(house.ask(&free, put, &[kind], &no_tags()).await.is_ok(), "nobody else is asked");
}

#[tokio::test]
async fn a_deny_of_making_repositories_holds_for_pushes_that_would_make_them() {
    let house = House::open().await;
    let denied = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Sid": "NoNew", "Effect": "Deny", "Action": "ecr:CreateRepository", "Resource": "*"}]);
    let denied = caller(identity(denied));
    for call in ["PUT team-a/app/manifests/v1", "POST team-a/app/blobs/uploads/"] {
        let denial = house.denial(&denied, call).await;
        assert_eq!(
            (denial.action, denial.class),
            (Action::NamespaceCreate, Class::ExplicitDeny(Kind::Identity))
        );
    }
    assert!(house.may(&caller(identity(push_to("*"))), "PUT team-a/app/manifests/v1").await);
}

#[tokio::test]
async fn a_deny_of_listing_hides_from_the_catalog_what_may_be_pulled() {
    let house = House::open().await;
    let denied = json!([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecr:DescribeRepositories", "Resource": "arn:aws:ecr:*:*:repository/team-b/*"}]);
    let mixed = Policies { ibm: vec![ibm("Reader")], ..identity(denied) };
    let shown = house.gate.visibility(&caller(mixed), &region()).await.unwrap();
    let names = ["team-a/app", "team-b/app"].map(|name| RepositoryName::parse(name).unwrap());
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names[..1]);
    let puller = json!([{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}]);
    let shown = house.gate.visibility(&caller(identity(puller)), &region()).await.unwrap();
    assert_eq!(shown.shown(names.to_vec()).await.unwrap(), names);
}
