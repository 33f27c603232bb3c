//! The forwarder against upstreams that misbehave byte by byte, and against a real registry.

mod cache;
mod counted;
mod ends;
mod faults;
mod issuers;
mod layers;
mod lists;
mod registry;
mod staleness;
mod tls;
mod translation;
mod upstream;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::HeaderMap;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};

use super::body::ForwardBody;
use super::settings::{UpstreamSettings, UpstreamUrl};
use super::{Exchange, Failure, Forwarder};
use crate::admit::caller::{Caller, Credential};
use crate::admit::fault::Fault;
use crate::admit::permit::{Grounds, Permit};
use crate::client::address::ClientAddr;
use crate::clock::SystemEntropy;
use crate::ids::account::AccountId;
use crate::ids::tagged::{ApiKeyId, UserId};
use crate::network::endpoint::Endpoint;
use crate::policy::engine::bundle::Policies;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, ReadMode, UploadId, UploadSession, UploadStart};
use crate::registry::reference::{Digest, Reference};
use crate::view::bundle::{Bundle, rights};

const ORIGIN: &str = "https://cr.test:8443";

/// Runs a test the way a worker runs: one thread, local tasks, and an end in sight.
fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = std::time::Duration::from_secs(60);
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async { tokio::time::timeout(limit, test).await.expect("the test hangs") })
}

fn permit(operation: Operation) -> Permit<Operation> {
    let account = AccountId::parse("123456789012").unwrap();
    let principal = crate::ids::principal::PrincipalId::User(UserId::fresh(&SystemEntropy));
    let rights = rights(&account, &principal, "ada", Policies::default());
    let caller = Caller {
        account,
        credential: Credential::ApiKey(ApiKeyId::fresh(&SystemEntropy)),
        bundle: Arc::new(Bundle {
            principal,
            name: "ada".into(),
            active: true,
            allowed: None,
            keys: Vec::new(),
            trust: None,
            groups: Vec::new(),
            until: None,
            tags: Vec::new(),
            rights,
        }),
        behind: None,
        from: ClientAddr::from_socket("10.0.0.1:1".parse().unwrap()),
        local: "10.0.0.1".parse().unwrap(),
        endpoint: Endpoint::Public,
        secure: true,
        issued_at: None,
        reported: crate::admit::caller::Reported::default(),
        said: crate::admit::caller::Said::default(),
    };
    Permit::for_test(operation, Arc::new(caller), Grounds::Proven)
}

/// Lets some names through.
fn only(
    visible: impl Fn(&RepositoryName) -> bool,
) -> impl AsyncFn(Vec<RepositoryName>) -> Result<Vec<RepositoryName>, Fault> {
    async move |names: Vec<RepositoryName>| Ok(names.into_iter().filter(|name| visible(name)).collect())
}

fn settings(url: &str) -> UpstreamSettings {
    UpstreamSettings::new(UpstreamUrl::parse(url).unwrap())
}

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn digest_of(content: &[u8]) -> Digest {
    super::digest::sha256(content).unwrap()
}

fn blob(repository: &str, digest: &Digest) -> Operation {
    Operation::BlobRead {
        repository: name(repository),
        digest: digest.clone(),
        mode: ReadMode::Get,
        range: None,
    }
}

fn manifest(repository: &str, reference: &str) -> Operation {
    let reference = Reference::parse(reference).unwrap();
    Operation::ManifestRead { repository: name(repository), reference, mode: ReadMode::Get }
}

fn start(repository: &str) -> Operation {
    Operation::UploadStart { repository: name(repository), start: UploadStart::Session }
}

fn session(repository: &str, id: &str) -> UploadSession {
    UploadSession { repository: name(repository), id: UploadId::parse(id).unwrap(), lease: None }
}

/// The test's lease holds the upstream's query in hex, so that it can be opened again.
fn seal(_: &UploadId, query: &str) -> String {
    data_encoding::HEXLOWER.encode(query.as_bytes())
}

/// Opens the `Location` of an upload answer as a client's next request would.
fn open(response: &Response<ForwardBody>) -> (UploadSession, String) {
    let location = response.headers()["location"].to_str().unwrap();
    let (path, lease) = location.strip_prefix(ORIGIN).unwrap().split_once("?lease=").unwrap();
    let (repository, id) = crate::registry::target::upload_location(path).unwrap();
    let query = data_encoding::HEXLOWER.decode(lease.as_bytes()).unwrap();
    (UploadSession { repository, id, lease: Some(lease.into()) }, String::from_utf8(query).unwrap())
}

async fn send<B>(
    forwarder: &Forwarder,
    operation: Operation,
    headers: &[(&'static str, &str)],
    upload_query: Option<&str>,
    body: B,
) -> Result<Response<ForwardBody>, Failure>
where
    B: http_body::Body<Data = Bytes> + 'static,
    B::Error: Into<super::BoxError>,
{
    let mut client_headers = HeaderMap::new();
    for (name, value) in headers {
        client_headers.append(*name, value.parse().unwrap());
    }
    let exchange = Exchange {
        client_headers: &client_headers,
        origin: ORIGIN,
        request_id: "req-1",
        trace: None,
        upload_query,
        lease: &seal,
    };
    forwarder.forward(&permit(operation), exchange, body).await
}

async fn ask(forwarder: &Forwarder, operation: Operation) -> Result<Response<ForwardBody>, Failure> {
    send(forwarder, operation, &[], None, Empty::<Bytes>::new()).await
}

async fn content(response: Response<ForwardBody>) -> Result<Bytes, Fault> {
    response.into_body().collect().await.map(http_body_util::Collected::to_bytes)
}

fn full(content: &'static [u8]) -> Full<Bytes> {
    Full::new(Bytes::from_static(content))
}

fn forwarder(url: &str) -> Forwarder {
    Forwarder::new(settings(url)).unwrap()
}

fn is_broken(failure: &Failure) -> bool {
    matches!(failure, Failure::Fault(Fault::UpstreamBroken(_)))
}

/// A client's body that the test feeds piece by piece.
fn fed() -> (
    tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>,
    impl http_body::Body<Data = Bytes, Error = std::io::Error>,
) {
    let (feed, mut source) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let pieces = futures_util::stream::poll_fn(move |cx| source.poll_recv(cx));
    let frames = futures_util::StreamExt::map(pieces, |piece| piece.map(http_body::Frame::data));
    (feed, StreamBody::new(frames))
}

fn chunk() -> Operation {
    Operation::UploadChunk { session: session("a/b", "u1"), content_range: None }
}

async fn forwarder_to_nowhere() -> Forwarder {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    forwarder(&format!("http://{}", listener.local_addr().unwrap()))
}
