//! A client that speaks HTTP/2, many requests on one connection.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::wire::{Answer, address, tls_settings};
use crate::support::http::connect_from;
use crate::support::portcullis::Portcullis;
use crate::support::wait::PATIENCE;

/// One connection.
pub(super) struct Second {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Second {
    pub(super) fn open(at: &Portcullis) -> Self {
        Self::from(at, "127.0.0.1")
    }

    /// From another of this machine's addresses.
    pub(super) fn from(at: &Portcullis, source: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connector = TlsConnector::from(tls_settings(at, &["h2"]));
        let sender = runtime.block_on(async {
            let socket = connect_from(source.parse().unwrap(), address(at)).unwrap();
            socket.set_nonblocking(true).unwrap();
            let socket = TcpStream::from_std(socket).unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let stream = connector.connect(name, socket).await.unwrap();
            let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender, host: at.host() }
    }

    /// A request to the server, with header lines as HTTP/1.1 would have them.
    pub(super) fn request(&self, method: &str, path: &str, lines: &str) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(format!("https://{}{path}", self.host));
        for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
            request = request.header(name, value);
        }
        request.body(Full::default()).unwrap()
    }

    /// Sends one request; `None` when its stream or the connection is reset.
    pub(super) fn ask(&mut self, request: Request<Full<Bytes>>) -> Option<Answer> {
        self.ask_all(vec![request]).pop().flatten()
    }

    /// Sends all requests at once, each on its own stream.
    pub(super) fn ask_all(&mut self, requests: Vec<Request<Full<Bytes>>>) -> Vec<Option<Answer>> {
        let sender = Arc::new(self.sender.clone());
        let each = |request| {
            let mut sender = (*sender).clone();
            async move {
                sender.ready().await.ok()?;
                whole(sender.send_request(request).await.ok()?).await
            }
        };
        let all = join_all(requests.into_iter().map(each));
        self.runtime.block_on(async { timeout(PATIENCE, all).await.unwrap() })
    }
}

async fn whole(response: Response<Incoming>) -> Option<Answer> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes().to_vec();
    Some(Answer { status: parts.status.as_u16(), headers: lines(&parts.headers), body })
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    headers.iter().map(line).collect()
}
