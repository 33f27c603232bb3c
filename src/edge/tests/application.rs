//! The application under test and the server around it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::Semaphore;

use super::super::application::Application;
use super::super::body::{BodyError, CollectError, RequestBody};
use super::super::connection::Connection;
use super::super::head::Authority;
use super::super::rejection::Rejection;
use super::super::settings::Settings;
use super::super::tls::{CertificateFiles, CertificateStore};
use super::super::trust::Trust;
use super::super::{Edge, ListenerSpec, Running};
use crate::network::endpoint::Endpoint;
use crate::record::metrics::TurnedAway;

/// What tests and application share.
pub(super) struct Stage {
    /// `METHOD path` of every request that got through, in order.
    pub(super) seen: Mutex<Vec<String>>,
    /// `/gate` answers half, and the other half when this is opened.
    pub(super) gate: Semaphore,
    /// Gets a permit for every endless answer that was given up.
    pub(super) given_up: Semaphore,
    /// Gets a permit for every request that began.
    pub(super) begun: Semaphore,
    /// Who was not listened to, and why, in order; and a permit for each.
    pub(super) turned_away: Mutex<Vec<TurnedAway>>,
    pub(super) turned: Semaphore,
}

impl Stage {
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[derive(Clone)]
pub(super) struct Echo {
    stage: Arc<Stage>,
    /// Makes the application `!Send`, as real ones are.
    _local: Rc<()>,
}

struct GivesUp(Arc<Stage>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.given_up.add_permits(1);
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed_unsync());
    *response.status_mut() = status;
    response
}

impl Echo {
    async fn collect(body: RequestBody) -> Response<Body> {
        match body.collect_limited(8 << 20).await {
            Ok(bytes) => text(StatusCode::OK, bytes),
            Err(CollectError::TooLarge) => text(StatusCode::PAYLOAD_TOO_LARGE, "too large"),
            Err(CollectError::Broken(BodyError::Stalled)) => text(StatusCode::REQUEST_TIMEOUT, "stalled"),
            Err(CollectError::Broken(BodyError::Malformed)) => text(StatusCode::BAD_REQUEST, "malformed"),
            Err(CollectError::Broken(BodyError::Gone)) => text(StatusCode::BAD_REQUEST, "gone"),
        }
    }

    fn endless(&self) -> Response<Body> {
        let guard = GivesUp(Arc::clone(&self.stage));
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        let chunks = futures_util::stream::repeat(chunk).map(move |chunk| {
            let _held = &guard;
            Ok(Frame::data(chunk))
        });
        Response::new(StreamBody::new(chunks).boxed_unsync())
    }

    fn gated(&self) -> Response<Body> {
        let stage = Arc::clone(&self.stage);
        let second = futures_util::stream::once(async move {
            stage.gate.acquire().await.unwrap().forget();
            Ok(Frame::data(Bytes::from_static(b"second")))
        });
        let first = futures_util::stream::once(async { Ok(Frame::data(Bytes::from_static(b"first "))) });
        let body = StreamBody::new(first.chain(second)).boxed_unsync();
        Response::builder().header("content-length", "12").body(body).unwrap()
    }
}

impl Application for Echo {
    type Body = Body;

    async fn respond(
        &self,
        connection: &Rc<Connection>,
        request: Request<RequestBody>,
        authority: Authority,
    ) -> Response<Body> {
        let line = format!("{} {}", request.method(), request.uri().path());
        self.stage.seen.lock().unwrap().push(line.clone());
        self.stage.begun.add_permits(1);
        match request.uri().path() {
            "/echo" => Self::collect(request.into_body()).await,
            "/stream" => {
                let body = request.into_body().map_err(|error| -> Infallible { panic!("{error}") });
                Response::new(body.boxed_unsync())
            }
            "/refuse" => text(StatusCode::FORBIDDEN, "refused"),
            "/gate" => self.gated(),
            "/endless" => self.endless(),
            "/panic" => panic!("as asked"),
            "/client" => {
                let names: Vec<&str> = request.headers().keys().map(http::HeaderName::as_str).collect();
                let (ip, source) = (connection.client.ip(), connection.client.provenance().label());
                text(StatusCode::OK, format!("{ip} by {source} with {}.", names.join(" ")))
            }
            "/connection" => {
                let name = connection.server_name.as_ref().map(ToString::to_string);
                let seen = (name.unwrap_or_default(), connection.encrypted, connection.endpoint.label());
                text(StatusCode::OK, format!("{seen:?} {}", authority.host))
            }
            _ => text(StatusCode::OK, line),
        }
    }

    fn turned_away(&self, because: TurnedAway) {
        self.stage.turned_away.lock().unwrap().push(because);
        self.stage.turned.add_permits(1);
    }

    fn reject(&self, _: &Rc<Connection>, rejection: Rejection) -> Response<Body> {
        text(rejection.status, rejection.reason)
    }
}

/// A server with one worker, so that connections and requests have an order. It has a second listener like the first.
pub(super) struct Server {
    pub(super) running: Running,
    pub(super) stage: Arc<Stage>,
    pub(super) address: SocketAddr,
}

fn start(settings: &Settings, tls: Option<Arc<CertificateStore>>, trust: Trust, workers: usize) -> Server {
    let stage = Arc::new(Stage {
        seen: Mutex::default(),
        gate: Semaphore::new(0),
        given_up: Semaphore::new(0),
        begun: Semaphore::new(0),
        turned_away: Mutex::default(),
        turned: Semaphore::new(0),
    });
    let address = "127.0.0.1:0".parse().unwrap();
    let spec = ListenerSpec { address, endpoint: Endpoint::Private, tls, trust };
    let shared = Arc::clone(&stage);
    let make = move |_| Echo { stage: Arc::clone(&shared), _local: Rc::new(()) };
    let running = Edge::start(settings.clone(), vec![spec.clone(), spec], workers, make).unwrap();
    let address = running.addresses[0];
    Server { running, stage, address }
}

pub(super) fn plain(settings: &Settings) -> Server {
    start(settings, None, Trust::default(), 1)
}

/// In clear text, behind trusted proxies.
pub(super) fn trusting(settings: &Settings, trust: Trust) -> Server {
    start(settings, None, trust, 1)
}

pub(super) fn several(workers: usize) -> Server {
    start(&Settings::default(), None, Trust::default(), workers)
}

/// A server with a certificate for `cr.test`, which is returned too.
pub(super) fn encrypted(settings: &Settings) -> (Server, rustls::pki_types::CertificateDer<'static>) {
    encrypted_trusting(settings, Trust::default())
}

/// The same, behind trusted proxies.
pub(super) fn encrypted_trusting(
    settings: &Settings,
    trust: Trust,
) -> (Server, rustls::pki_types::CertificateDer<'static>) {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["cr.test".to_owned()]).unwrap();
    let files = CertificateFiles {
        certificate: directory.path().join("tls.crt"),
        key: directory.path().join("tls.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let store = CertificateStore::load(vec![files]).unwrap();
    (start(settings, Some(Arc::new(store)), trust, 1), made.cert.der().clone())
}
