//! Clients that take their time.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::super::settings::Settings;
use super::application::{Server, encrypted, plain};
use super::clients::{Raw, tls};

const SHORT: Duration = Duration::from_millis(200);
const HEAD: &str = " HTTP/1.1\r\nHost: cr.test\r\n";

#[tokio::test]
async fn a_silent_client_is_sent_away() {
    let server = plain(&Settings { first_byte: SHORT, ..Settings::default() });
    assert_eq!(Raw::connect(server.address).await.rest().await, "", "D-01");
}

#[tokio::test]
async fn a_handshake_that_does_not_proceed_is_cut() {
    let (server, _) = encrypted(&Settings { handshake: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send([0x16, 0x03, 0x01]).await;
    assert_eq!(client.rest().await, "", "D-01");
}

#[tokio::test]
async fn a_head_that_drips_is_cut() {
    let server = plain(&Settings { header: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send("GET / HTTP/1.1\r\nHost").await;
    assert_eq!(client.rest().await, "", "D-06");
}

#[tokio::test]
async fn an_idle_connection_is_closed_but_a_slow_answer_is_waited_for() {
    let server = plain(&Settings { idle: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send(format!("GET /gate{HEAD}\r\n")).await;
    client.until("first ").await;
    // What is slow here is the application, so nothing may happen while the limit passes for others, again and again.
    for _ in 0..3 {
        let mut other = Raw::connect(server.address).await;
        other.send(format!("GET /other{HEAD}\r\n")).await;
        assert!(other.rest().await.ends_with("GET /other"), "it was idle, and is closed");
    }
    server.stage.gate.add_permits(1);
    client.until("second").await;
    assert_eq!(client.rest().await, "");
}

/// Waits until the only connection is parked.
async fn is_parked(server: &Server) {
    let mut parked = server.running.parked();
    let waited = tokio::time::timeout(Duration::from_secs(10), parked.wait_for(|count| *count == 1)).await;
    waited.expect("it is parked in time").unwrap();
}

/// Before some of these requests the connection has been parked, before others it may be at any moment, and what comes
/// next may come in pieces: the client must never notice.
#[tokio::test]
async fn a_parked_connection_serves_as_if_it_had_not_rested() {
    let server = plain(&Settings { park: Duration::from_millis(1), ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    for round in 0..100 {
        let request = format!("POST /echo{HEAD}Content-Length: 9\r\n\r\nround {round:03}");
        // Every third comes in pieces; a client's kernel holds the second back until the first has arrived (Nagle).
        let (first, second) = request.split_at(if round % 3 == 0 { 10 } else { request.len() });
        client.send(first).await;
        client.send(second).await;
        assert!(client.until(&format!("round {round:03}")).await.starts_with("HTTP/1.1 200 "), "{round}");
        if round % 2 == 0 {
            is_parked(&server).await;
        }
    }
}

#[tokio::test]
async fn a_parked_connection_is_still_closed_when_its_time_is_over() {
    let server = plain(&Settings { park: SHORT / 10, idle: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send(format!("POST /echo{HEAD}Content-Length: 2\r\n\r\nhi")).await;
    client.until("hi").await;
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_head_that_drips_into_a_parked_connection_is_cut() {
    let server = plain(&Settings { park: SHORT / 10, header: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send(format!("POST /echo{HEAD}Content-Length: 2\r\n\r\nhi")).await;
    client.until("hi").await;
    is_parked(&server).await;
    client.send("GET / HTTP/1.1\r\nHost").await;
    assert_eq!(client.rest().await, "", "D-06");
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let server = plain(&Settings { body_stall: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send(format!("POST /echo{HEAD}Content-Length: 10\r\n\r\nabc")).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 408 "), "D-07");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let server = plain(&Settings { write_stall: SHORT, ..Settings::default() });
    let mut client = Raw::connect(server.address).await;
    client.send(format!("GET /endless{HEAD}\r\n")).await;
    let given_up = server.stage.given_up.acquire();
    tokio::time::timeout(Duration::from_secs(10), given_up)
        .await
        .expect("D-09: the answer is dropped")
        .unwrap()
        .forget();
    drop(client);
}

/// Its pings are answered all the while, which must not count as taking anything.
#[tokio::test]
async fn a_client_that_makes_no_room_for_its_answer_is_cut() {
    let (server, certificate) = encrypted(&Settings { write_stall: SHORT, ..Settings::default() });
    let stream = tls(server.address, &certificate, "cr.test", &["h2"]).await.unwrap();
    let made = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(0)
        .keep_alive_interval(SHORT / 8)
        .handshake::<_, String>(TokioIo::new(stream.0));
    let (mut sender, connection) = made.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("https://cr.test/endless").body(String::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let given_up = server.stage.given_up.acquire();
    tokio::time::timeout(Duration::from_secs(10), given_up)
        .await
        .expect("D-09: the answer is dropped")
        .unwrap()
        .forget();
    drop(answer);
    connection.abort();
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_answer() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send(format!("GET /endless{HEAD}Connection: close\r\n\r\n")).await;
    client.until("200 OK").await;
    drop(client);
    let given_up = server.stage.given_up.acquire();
    tokio::time::timeout(Duration::from_secs(10), given_up)
        .await
        .expect("the answer is dropped")
        .unwrap()
        .forget();
}

#[tokio::test]
async fn one_address_can_hold_only_its_share() {
    let server = plain(&Settings { max_connections_per_address: Some(1), ..Settings::default() });
    let mut first = Raw::connect(server.address).await;
    first.send(format!("GET /a{HEAD}\r\n")).await;
    first.until("GET /a").await;
    assert_eq!(Raw::connect(server.address).await.rest().await, "", "D-26");
    first.send(format!("GET /b{HEAD}\r\n")).await;
    first.until("GET /b").await;
}

#[tokio::test]
async fn a_full_listener_leaves_the_others_open() {
    let server = plain(&Settings { max_connections: 1, ..Settings::default() });
    let mut first = Raw::connect(server.address).await;
    first.send(format!("GET /a{HEAD}\r\n")).await;
    first.until("GET /a").await;
    let mut waiting = Raw::connect(server.address).await;
    waiting.send(format!("GET /b{HEAD}\r\n")).await;
    let mut other = Raw::connect(server.running.addresses[1]).await;
    other.send(format!("GET /c{HEAD}\r\n")).await;
    other.until("GET /c").await;
    assert_eq!(server.stage.seen(), ["GET /a", "GET /c"], "D-26");
}
