//! The orderly end.

use std::time::Duration;

use super::super::settings::Settings;
use super::application::{encrypted, plain};
use super::clients::{Raw, tls};
use super::encrypted::second;

const HEAD: &str = " HTTP/1.1\r\nHost: cr.test\r\n";
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn draining_finishes_a_running_transfer_and_closes_idle_connections() {
    let server = plain(&Settings::default());
    let mut idle = Raw::connect(server.address).await;
    idle.send(format!("GET /a{HEAD}\r\n")).await;
    idle.until("GET /a").await;
    let mut busy = Raw::connect(server.address).await;
    busy.send(format!("GET /gate{HEAD}\r\n")).await;
    busy.until("first ").await;

    let drained = tokio::spawn(server.running.drain(LONG));
    assert_eq!(idle.rest().await, "");
    server.stage.gate.add_permits(1);
    assert_eq!(busy.rest().await, "second");
    assert_eq!(drained.await.unwrap(), 0, "none was cut");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn draining_lets_a_second_version_stream_finish() {
    let (server, certificate) = encrypted(&Settings::default());
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let (mut sender, connection) = second(stream).await;
    let request = http::Request::get("https://cr.test/gate").body(String::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let drained = tokio::spawn(server.running.drain(LONG));
    server.stage.gate.add_permits(1);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "first second");
    assert_eq!(drained.await.unwrap(), 0);
    connection.await.unwrap();
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_and_counted() {
    let server = plain(&Settings::default());
    let mut busy = Raw::connect(server.address).await;
    busy.send(format!("GET /gate{HEAD}\r\n")).await;
    busy.until("first ").await;
    assert_eq!(server.running.drain(Duration::from_millis(50)).await, 1);
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn a_client_that_had_connected_before_the_end_still_gets_its_answer() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    let drained = tokio::spawn(server.running.drain(LONG));
    // The end has begun when the drain has been polled, which on this one thread it is here.
    tokio::task::yield_now().await;
    client.send(format!("GET /a{HEAD}\r\n")).await;
    let answer = client.rest().await;
    assert!(answer.contains("connection: close") && answer.ends_with("GET /a"), "{answer}");
    assert_eq!(drained.await.unwrap(), 0);
}
