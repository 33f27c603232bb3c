//! A server with canned answers, and a home directory to run commands in.

use std::io::{Cursor, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::cli::terminal::{Environment, Io};
use crate::cli::{Outcome, run};
use crate::clock::{Clock, ManualClock, UnixTime};
use crate::secret::Secret;

pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const KEY: &str = "pTheAdministratorsOwnKey";
pub(super) const NEW_KEY: &str = "pAFreshKeyThatIsShownOnce";
pub(super) const ACCESS: &str = "eyJ.access.token";
pub(super) const REFRESH: &str = "the-refresh-token";
pub(super) const SERVICE_ID: &str = "ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b";
pub(super) const API_KEY: &str = "ApiKey-0a934ca1-36a4-4d6c-a649-af45a2fc184b";
pub(super) const GROUP: &str = "AccessGroupId-1a934ca1-36a4-4d6c-a649-af45a2fc184b";
pub(super) const POLICY: &str = "4364da1a-5bde-4c76-9f12-9022b7baa258";
/// 2019-01-29T10:57:00Z.
pub(super) const NOW: i64 = 1_548_759_420;

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

type Override = Box<dyn Fn(&Seen) -> Option<(u16, Value)> + Send + Sync>;

struct Shared {
    seen: Mutex<Vec<Seen>>,
    overrides: Mutex<Vec<Override>>,
}

/// The server, a home directory, and what the next command finds.
pub(super) struct World {
    pub(super) address: SocketAddr,
    pub(super) home: tempfile::TempDir,
    pub(super) environment: Environment,
    pub(super) clock: Arc<ManualClock>,
    pub(super) interactive: bool,
    pub(super) input: String,
    shared: Arc<Shared>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a command did.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    /// The output of a command that was done.
    #[track_caller]
    pub(super) fn done(self) -> String {
        assert!(matches!(self.outcome, Outcome::Done), "{:?}\n{}{}", self.outcome, self.out, self.err);
        self.out
    }

    /// The complaint of a command that failed.
    #[track_caller]
    pub(super) fn failed(self) -> String {
        assert!(matches!(self.outcome, Outcome::Failed), "{:?}\n{}{}", self.outcome, self.out, self.err);
        self.err
    }

    /// The complaint of a command that was used wrongly.
    #[track_caller]
    pub(super) fn misused(self) -> String {
        assert!(matches!(self.outcome, Outcome::Usage), "{:?}\n{}{}", self.outcome, self.out, self.err);
        self.err
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl World {
    /// A server that speaks plain HTTP on the loopback.
    pub(super) fn new() -> Self {
        Self::serving(None)
    }

    /// A server that speaks TLS, if told how.
    pub(super) fn serving(tls: Option<rustls::ServerConfig>) -> Self {
        let shared = Arc::new(Shared { seen: Mutex::default(), overrides: Mutex::default() });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let state = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, tls, state) => {}
                    _ = stopped => {}
                }
            });
        });
        let home = tempfile::tempdir().unwrap();
        let environment =
            Environment { directory: Some(home.path().join("portcullis")), ..Environment::default() };
        let clock = Arc::new(ManualClock::at(UnixTime::from_seconds(NOW)));
        let (stop, thread) = (Some(stop), Some(thread));
        Self {
            address,
            home,
            environment,
            clock,
            interactive: false,
            input: String::new(),
            shared,
            stop,
            thread,
        }
    }

    /// The same, with the administrator logged in.
    pub(super) fn logged_in() -> Self {
        let world = Self::new();
        world.run(&format!("login -a {} --apikey {KEY}", world.endpoint())).done();
        world.forget();
        world
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers differently from now on, where `answer` has something to say.
    pub(super) fn answering(&self, answer: impl Fn(&Seen) -> Option<(u16, Value)> + Send + Sync + 'static) {
        self.shared.overrides.lock().unwrap().push(Box::new(answer));
    }

    /// Answers one request line differently from now on.
    pub(super) fn answer(&self, line: &'static str, status: u16, body: Value) {
        self.answering(move |seen| (seen.line == line).then(|| (status, body.clone())));
    }

    /// Runs a command, split at spaces.
    pub(super) fn run(&self, line: &str) -> Ran {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.run_words(&words)
    }

    /// Runs a command.
    pub(super) fn run_words(&self, words: &[&str]) -> Ran {
        let (out, err) = (Buffer::default(), Buffer::default());
        let mut io = Io::new(
            Box::new(out.clone()),
            Box::new(err.clone()),
            Box::new(Cursor::new(self.input.clone().into_bytes())),
            self.interactive,
            self.environment.clone(),
        );
        io.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let words = std::iter::once("portcullis").chain(words.iter().copied()).map(Into::into);
        let outcome = run(words, &mut io);
        let text = |buffer: Buffer| String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        Ran { outcome, out: text(out), err: text(err) }
    }

    pub(super) fn use_key(&mut self, key: &str) {
        self.environment.api_key = Some(Secret::from(key));
    }

    /// What the server has seen since it was last told to forget.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The request lines among them that start so.
    pub(super) fn lines(&self, start: &str) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).filter(|line| line.starts_with(start)).collect()
    }

    /// The JSON body of the only request whose line starts so.
    #[track_caller]
    pub(super) fn body(&self, start: &str) -> Value {
        let found: Vec<Seen> = self.seen().into_iter().filter(|seen| seen.line.starts_with(start)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        serde_json::from_str(&found[0].body).unwrap()
    }

    pub(super) fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Puts a script where programs are looked for.
    pub(super) fn install(&mut self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.home.path().join(name);
        std::fs::write(&file, format!("#!/bin/sh\ncd {}\n{script}\n", self.home.path().display())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.environment.path = Some(self.home.path().into());
    }

    pub(super) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap()
    }

    pub(super) fn path(&self, name: &str) -> String {
        Path::join(self.home.path(), name).display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

async fn serve(listener: std::net::TcpListener, tls: Option<rustls::ServerConfig>, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let acceptor = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        match acceptor.clone() {
            None => drop(tokio::spawn(talk(stream, shared))),
            Some(acceptor) => drop(tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    talk(stream, shared).await;
                }
            })),
        }
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let line = format!("{} {}", parts.method, parts.uri);
            let seen =
                Seen { line, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() };
            shared.seen.lock().unwrap().push(seen.clone());
            let differently = shared.overrides.lock().unwrap().iter().rev().find_map(|answer| answer(&seen));
            let (status, body) = differently.unwrap_or_else(|| canned(&seen));
            let mut response = http::Response::builder().status(status).header("x-request-id", "req-1");
            if seen.line.contains("/v1/policies") {
                response = response.header("etag", "\"1-a87c6b7290bb93db\"");
            }
            let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
            Ok::<_, hyper::Error>(response.body(Full::new(body)).unwrap())
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// What the server says unless a test has it say something else.
fn canned(seen: &Seen) -> (u16, Value) {
    let (method, target) = seen.line.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    match (method, path) {
        ("POST", "/identity/token") => tokens(&seen.body),
        _ if seen.headers.get("authorization").is_none_or(|value| value != &format!("Bearer {ACCESS}")) => (
            401,
            json!({"errors": [{"code": "invalid_token", "message": "The provided IAM token is invalid."}]}),
        ),
        ("GET", "/api/native/whoami") => (
            200,
            json!({"account_id": ACCOUNT, "account_name": "example", "iam_id": "IBMid-1", "name": "michaelh@uk.ibm.com"}),
        ),
        ("GET", "/api/native/registries") => (
            200,
            json!({"registries": [
                {"name": "us.registry.test", "region": "us-south", "aliases": ["127.0.0.1", "localhost"]},
                {"name": "localhost", "region": "eu-de", "aliases": []}]}),
        ),
        (method, path) if path.starts_with("/v1/") => identity(method, path),
        (method, path) if path.starts_with("/v2/") => access(method, path),
        (method, path) => registry(method, path),
    }
}

fn tokens(form: &str) -> (u16, Value) {
    let good = form.contains(KEY) || form.contains(&format!("refresh_token={REFRESH}"));
    if good {
        let body = json!({"access_token": ACCESS, "refresh_token": REFRESH, "token_type": "Bearer", "expires_in": 900});
        return (200, body);
    }
    (400, json!({"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}))
}

pub(super) fn service_id(id: &str, name: &str) -> Value {
    json!({
        "id": id, "iam_id": format!("iam-{id}"), "entity_tag": "1-f0aed7b1e4fd", "name": name, "locked": false,
        "crn": format!("crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::serviceid:{id}"),
        "created_at": "2019-01-29T10:57+0000", "modified_at": "2019-01-29T10:57+0000",
        "description": "Service ID created for session 2406 at Think 2019", "account_id": ACCOUNT,
    })
}

pub(super) fn api_key(name: &str) -> Value {
    json!({
        "id": API_KEY, "name": name, "iam_id": format!("iam-{SERVICE_ID}"), "locked": false, "disabled": false,
        "created_at": "2019-02-01T19:06+0000", "modified_at": "2019-02-01T19:06+0000", "account_id": ACCOUNT,
    })
}

fn identity(method: &str, path: &str) -> (u16, Value) {
    let one_service_id = format!("/v1/serviceids/{SERVICE_ID}");
    let one_key = format!("/v1/apikeys/{API_KEY}");
    match (method, path) {
        ("GET", "/v1/serviceids/") => {
            (200, json!({"serviceids": [service_id(SERVICE_ID, "think-registry-demo")]}))
        }
        ("POST", "/v1/serviceids/") => (201, service_id(SERVICE_ID, "think-registry-demo")),
        ("GET" | "PUT", path) if path == one_service_id => {
            (200, service_id(SERVICE_ID, "think-registry-demo"))
        }
        ("GET", "/v1/apikeys") => (200, json!({"apikeys": [api_key("think-registry-demo-key")]})),
        ("POST", "/v1/apikeys") => {
            let mut made = api_key("think-registry-demo-key");
            made["apikey"] = NEW_KEY.into();
            (201, made)
        }
        ("GET", "/v1/profiles") => (200, json!({"profiles": []})),
        ("GET", "/v1/policies") => (200, json!({"policies": [policy()]})),
        ("POST", "/v1/policies") => (201, policy()),
        ("GET", path) if path.ends_with(POLICY) => (200, policy()),
        ("POST" | "DELETE", path) if path.starts_with(&one_service_id) || path.starts_with(&one_key) => {
            (204, Value::Null)
        }
        ("DELETE", path) if path.ends_with(POLICY) => (204, Value::Null),
        _ => (404, json!({"errors": [{"code": "not_found", "message": format!("{path} not found.")}]})),
    }
}

pub(super) fn policy() -> Value {
    json!({
        "id": POLICY, "type": "access", "state": "active",
        "subjects": [{"attributes": [{"name": "iam_id", "value": format!("iam-{SERVICE_ID}")}]}],
        "roles": [{"role_id": "crn:v1:bluemix:public:iam::::serviceRole:Reader", "display_name": "Reader"}],
        "resources": [{"attributes": [
            {"name": "accountId", "value": ACCOUNT}, {"name": "serviceName", "value": "container-registry"},
            {"name": "region", "value": "us-south"}, {"name": "resourceType", "value": "namespace"},
            {"name": "resource", "value": "my_namespace"}]}],
    })
}

fn access(method: &str, path: &str) -> (u16, Value) {
    let users = format!("/v2/accounts/{ACCOUNT}/users");
    let group = json!({"id": GROUP, "name": "pullers", "description": "may pull"});
    let member = |iam_id: &str, kind: &str| json!({"iam_id": iam_id, "type": kind, "created_at": "2019-02-01T19:06:00Z", "status_code": 200});
    match (method, path) {
        ("GET", path) if path == users => (
            200,
            json!({"resources": [{"id": "IBMid-2", "iam_id": "IBMid-2", "user_id": "eve@x.test", "email": "eve@x.test",
                "state": "ACTIVE", "added_on": "2019-02-01T19:06:00Z"}]}),
        ),
        ("POST", path) if path == users => {
            (202, json!({"resources": [{"email": "new@x.test", "id": "IBMid-3", "state": "ACTIVE"}]}))
        }
        ("GET", "/v2/groups") => (200, json!({"groups": [group]})),
        ("POST", "/v2/groups") => (201, group),
        ("GET", path) if path.ends_with("/members") => (
            200,
            json!({"members": [member("IBMid-2", "user"), member(&format!("iam-{SERVICE_ID}"), "service")]}),
        ),
        ("PUT", path) if path.ends_with("/members") => (207, json!({"members": [member("IBMid-2", "user")]})),
        ("DELETE", path) if path.starts_with("/v2/groups/") => (204, Value::Null),
        ("GET", "/v2/roles") => (
            200,
            json!({"system_roles": [], "custom_roles": [], "service_roles": [{"display_name": "Reader", "actions": ["a", "b"],
                "crn": "crn:v1:bluemix:public:iam::::serviceRole:Reader", "description": "Pulls"}]}),
        ),
        _ => (404, json!({"errors": [{"code": "not_found", "message": format!("{path} not found.")}]})),
    }
}

fn registry(method: &str, path: &str) -> (u16, Value) {
    match (method, path) {
        ("GET", "/api/v1/auth") => (200, json!({"iam_authz": true, "private_only": false})),
        ("PATCH", "/api/v1/auth") => (204, Value::Null),
        ("GET", "/api/v1/namespaces") => (200, json!(["birds", "cats"])),
        ("GET", "/api/v1/namespaces/details") => {
            (200, json!([{"name": "birds", "created_date": "2019-01-01T00:00:00Z"}]))
        }
        ("PUT", path) if path.starts_with("/api/v1/namespaces/") => (201, json!({"namespace": "birds"})),
        ("DELETE", path) if path.starts_with("/api/v1/namespaces/") => (204, Value::Null),
        ("GET", "/api/v1/images") => (
            200,
            json!([{"Id": "sha256:1", "RepoTags": ["us.registry.test/birds/owl:2", "us.registry.test/birds/owl:1"],
                "RepoDigests": ["us.registry.test/birds/owl@sha256:d1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd1668a9a1f5bd166"],
                "Created": NOW - 86_400, "Size": 2_700_000}]),
        ),
        ("POST", "/api/native/explain") => (
            200,
            json!({"principal": {"iam_id": "i", "name": "think-registry-demo"}, "action": "container-registry.image.push",
                "resource": {"region": "us-south", "repository": "birds/owl"}, "decision": "deny",
                "needed": {"any_role_of": ["Manager", "Writer"]}}),
        ),
        _ => (404, json!({"code": "CRG0009E", "message": format!("{path} not found."), "request-id": "1"})),
    }
}
