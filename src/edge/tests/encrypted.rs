//! TLS, and HTTP/2 inside it.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use super::super::settings::Settings;
use super::application::encrypted;
use super::clients::{Raw, tls, tls_of};

type Stream = Raw<TlsStream<TcpStream>>;

/// An HTTP/2 client, and the task that ends with its connection.
pub(super) async fn second(stream: Stream) -> (SendRequest<String>, JoinHandle<()>) {
    let made = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream.0)).await;
    let (sender, connection) = made.unwrap();
    (sender, tokio::spawn(async move { drop(connection.await) }))
}

async fn ask(sender: &mut SendRequest<String>, request: Request<String>) -> (StatusCode, Bytes) {
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

fn request(path: &str) -> http::request::Builder {
    Request::builder().uri(format!("https://cr.test{path}"))
}

#[tokio::test]
async fn both_versions_are_spoken_as_agreed_and_know_the_name_asked_for() {
    let (server, certificate) = encrypted(&Settings::default());
    let expected = "(\"cr.test\", true, \"private\") cr.test";
    for alpn in [&["http/1.1"][..], &[]] {
        let mut first = tls(server.address, &certificate, "cr.test", alpn).await.unwrap();
        first.send("GET /connection HTTP/1.1\r\nHost: CR.test\r\nConnection: close\r\n\r\n").await;
        assert!(first.rest().await.ends_with(expected));
    }
    let stream = tls(server.address, &certificate, "cr.test", &["h2", "http/1.1"]).await.unwrap();
    let (mut sender, _) = second(stream).await;
    let (status, body) = ask(&mut sender, request("/connection").body(String::new()).unwrap()).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::from(expected)));
}

#[tokio::test]
async fn each_version_of_tls_will_do_by_itself() {
    let (server, certificate) = encrypted(&Settings::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = tls_of(&[version], server.address, &certificate, "cr.test", &["http/1.1"]).await;
        let mut client = stream.unwrap();
        client.send("GET /connection HTTP/1.1\r\nHost: cr.test\r\nConnection: close\r\n\r\n").await;
        assert!(client.rest().await.starts_with("HTTP/1.1 200 "), "{version:?}");
    }
}

#[tokio::test]
async fn bodies_go_through_the_second_version() {
    let (server, certificate) = encrypted(&Settings::default());
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, _) = second(stream).await;
    let long = "x".repeat(3 << 20);
    let (status, body) = ask(&mut sender, request("/echo").method("POST").body(long.clone()).unwrap()).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::from(long)));
    // An answer without a look at the body leaves the connection usable.
    let refused = request("/refuse").method("PUT").body("x".repeat(1 << 20)).unwrap();
    assert_eq!(sender.send_request(refused).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(&mut sender, request("/next").body(String::new()).unwrap()).await.1, "GET /next");
}

/// A body that never comes, and never ends.
struct Stalled;

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_second_version_body_that_stands_still_is_given_up() {
    let (server, certificate) =
        encrypted(&Settings { body_stall: Duration::from_millis(200), ..Settings::default() });
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let made = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream.0)).await;
    let (mut sender, connection) = made.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    let request = request("/echo").method("POST").body(Stalled).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT, "D-08");
}

#[tokio::test]
async fn ambiguous_second_version_requests_are_answered_and_never_seen() {
    let (server, certificate) = encrypted(&Settings::default());
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, _) = second(stream).await;
    let empty = String::new;
    for (case, status, request) in [
        ("S-46", 400, request("/").header("host", "evil").body(empty()).unwrap()),
        ("S-21", 400, request("/").header("x_y", "z").body(empty()).unwrap()),
        ("S-53", 400, Request::builder().uri("http://cr.test/").body(empty()).unwrap()),
        ("S-54", 400, request("/").header("authorization", "Bearer a, Basic b").body(empty()).unwrap()),
        ("P-08", 400, request("//v2/").body(empty()).unwrap()),
        ("M-04", 405, request("/").method("get").body(empty()).unwrap()),
        ("M-09", 400, request("/").body("body".to_owned()).unwrap()),
    ] {
        assert_eq!(ask(&mut sender, request).await.0.as_u16(), status, "{case}");
    }
    assert_eq!(server.stage.seen(), [""; 0]);
}

#[tokio::test]
async fn a_panic_ends_only_its_own_stream() {
    let (server, certificate) = encrypted(&Settings::default());
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, _) = second(stream).await;
    let bad = sender.send_request(request("/panic").body(String::new()).unwrap()).await;
    assert!(bad.is_err(), "D-32");
    assert_eq!(ask(&mut sender, request("/next").body(String::new()).unwrap()).await.1, "GET /next");
}

#[tokio::test]
async fn nothing_but_what_was_agreed_is_spoken() {
    let (server, certificate) = encrypted(&Settings::default());
    assert!(tls(server.address, &certificate, "cr.test", &["ftp"]).await.is_err(), "H-11");

    let mut client = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    client.send("GET / HTTP/1.1\r\nHost: cr.test\r\n\r\n").await;
    assert!(!client.closed().await.contains("HTTP/1.1"), "S-40");

    let mut client = tls(server.address, &certificate, "cr.test", &["http/1.1"]).await.unwrap();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400 "), "S-40");
    assert_eq!(server.stage.seen(), [""; 0]);
}

#[tokio::test]
async fn a_second_version_connection_without_requests_is_closed() {
    let short = Duration::from_millis(200);
    let (server, certificate) =
        encrypted(&Settings { first_byte: short, idle: short, ..Settings::default() });
    let mut silent = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    silent.send("PRI * HT").await;
    silent.closed().await;

    let (server, certificate) = encrypted(&Settings { idle: short, ..Settings::default() });
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, connection) = second(stream).await;
    assert_eq!(ask(&mut sender, request("/a").body(String::new()).unwrap()).await.1, "GET /a");
    let closed = tokio::time::timeout(Duration::from_secs(10), connection).await;
    closed.expect("D-04: closed when idle").unwrap();
}

#[tokio::test]
async fn a_second_version_client_that_opens_no_window_is_cut() {
    let short = Duration::from_millis(200);
    let (server, certificate) = encrypted(&Settings { write_stall: short, ..Settings::default() });
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, _connection) = second(stream).await;
    // The answer is never read, so its window stays closed.
    let answer = sender.send_request(request("/endless").body(String::new()).unwrap()).await.unwrap();
    let given_up = server.stage.given_up.acquire();
    tokio::time::timeout(Duration::from_secs(10), given_up).await.expect("D-09").unwrap().forget();
    drop(answer);
}
