//! HTTP/1.1 in clear text.

use std::sync::atomic::Ordering;

use super::super::settings::Settings;
use super::application::{plain, several};
use super::clients::Raw;

const HEAD: &str = " HTTP/1.1\r\nHost: cr.test\r\n";

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    let mut all = String::new();
    for number in 0..100 {
        all += &format!("GET /{number}{HEAD}\r\n");
        all += &format!("POST /echo{HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX: y\r\n\r\n");
    }
    all += &format!("GET /last{HEAD}Connection: close\r\n\r\nGET /never{HEAD}\r\n");
    client.send(all).await;
    let answers = client.rest().await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 201);
    let places: Vec<_> =
        (0..100).map(|number| answers.find(&format!("GET /{number}HTTP")).unwrap()).collect();
    assert!(places.is_sorted());
    assert!(answers.ends_with("GET /last"));
}

#[tokio::test]
async fn a_request_that_might_be_read_otherwise_is_answered_and_never_seen() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (case, status, bytes) in [
        (
            "S-01",
            400,
            format!("POST /{HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("S-03", 400, format!("POST /{HEAD}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n")),
        ("S-04", 501, format!("POST /{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        ("S-16", 400, format!("POST /{HEAD}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx")),
        ("S-29", 400, "GET / HTTP/1.1\nHost: x\n\n".to_owned()),
        ("S-40", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("S-54", 400, format!("GET /{HEAD}Authorization: Bearer a\r\nAuthorization: Bearer a\r\n\r\n")),
        ("M-05", 405, format!("CONNECT cr.test:443{HEAD}\r\n")),
        ("H-01", 400, format!("GET /{HEAD}Host: cr.test\r\n\r\n")),
        ("H-17", 400, format!("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /{HEAD}\r\n")),
        ("P-31", 400, format!("GET http://evil.example/{HEAD}\r\n")),
    ] {
        let server = plain(&Settings::default());
        let mut client = Raw::connect(server.address).await;
        client.send(format!("GET /good{HEAD}\r\n{bytes}{smuggled}")).await;
        let answers = client.rest().await;
        assert!(answers.starts_with("HTTP/1.1 200 OK"), "{case}: {answers}");
        let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.get(..4)).collect();
        assert_eq!(statuses, [Some("200 "), Some(format!("{status} ").as_str())], "{case}: {answers}");
        assert!(answers.contains("connection: close"), "{case}: {answers}");
        assert_eq!(server.stage.seen(), ["GET /good"], "{case}");
    }
}

#[tokio::test]
async fn a_path_that_looks_like_a_refusal_is_an_ordinary_one() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send(format!("GET /.malformed{HEAD}\r\nBAD\r\n\r\n")).await;
    let answers = client.rest().await;
    assert!(answers.contains("200 OK") && answers.contains("400 Bad Request"), "{answers}");
    assert_eq!(server.stage.seen(), ["GET /.malformed"]);
}

#[tokio::test]
async fn a_garbled_body_is_told_to_the_application_and_ends_the_connection() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    let smuggled = format!("GET /smuggled{HEAD}\r\n");
    client
        .send(format!("POST /echo{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n{smuggled}"))
        .await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("malformed"), "S-22, S-26: {answer}");
    assert_eq!(server.stage.seen(), ["POST /echo"]);
}

#[tokio::test]
async fn an_early_answer_does_not_make_the_unread_body_a_request() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    let body = format!("GET /smuggled{HEAD}\r\n").repeat(100);
    client.send(format!("POST /refuse{HEAD}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    assert!(client.until("refused").await.starts_with("HTTP/1.1 403 "), "S-13");
    // What was left is short enough to be read away, so the connection goes on.
    client.send(format!("GET /next{HEAD}Connection: close\r\n\r\n")).await;
    assert!(client.rest().await.ends_with("GET /next"));
    assert_eq!(server.stage.seen(), ["POST /refuse", "GET /next"]);
}

#[tokio::test]
async fn an_early_answer_to_a_long_body_arrives_and_closes() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send(format!("PUT /refuse{HEAD}Content-Length: 100000000\r\n\r\n")).await;
    client.send(vec![b'x'; 1 << 20]).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_client_is_told_to_continue_only_when_its_body_is_wanted() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send(format!("POST /echo{HEAD}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")).await;
    assert!(client.until("\r\n\r\n").await.starts_with("HTTP/1.1 100 "));
    client.send("body").await;
    assert!(client.until("body").await.starts_with("HTTP/1.1 200 "));
    client.send(format!("POST /refuse{HEAD}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("100 Continue"), "S-15: {answer}");
}

#[tokio::test]
async fn an_old_client_gets_one_answer() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send("GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n").await;
    assert!(client.rest().await.ends_with("GET /a"));
    assert_eq!(server.stage.seen(), ["GET /a"]);
}

#[tokio::test]
async fn bodies_stream_through_both_ways() {
    let server = plain(&Settings::default());
    let mut client = Raw::connect(server.address).await;
    client.send(format!("POST /stream{HEAD}Transfer-Encoding: chunked\r\n\r\n")).await;
    client.send("4\r\nping\r\n").await;
    assert!(client.until("ping\r\n").await.contains("200 OK"), "answered before the request has ended");
    client.send("4\r\npong\r\n0\r\n\r\n").await;
    assert!(client.until("0\r\n\r\n").await.contains("pong"));
}

#[tokio::test]
async fn a_panic_ends_only_its_own_connection() {
    let server = plain(&Settings::default());
    let mut other = Raw::connect(server.address).await;
    other.send(format!("GET /gate{HEAD}\r\n")).await;
    other.until("first ").await;
    let mut client = Raw::connect(server.address).await;
    client.send(format!("GET /panic{HEAD}\r\n")).await;
    assert_eq!(client.rest().await, "", "D-32");
    server.stage.gate.add_permits(1);
    other.until("second").await;
    assert_eq!(server.running.connections().load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn every_worker_serves_the_same_port() {
    let server = several(3);
    for _ in 0..20 {
        let mut client = Raw::connect(server.address).await;
        client.send(format!("GET /connection{HEAD}Connection: close\r\n\r\n")).await;
        assert!(client.rest().await.ends_with("(\"\", false, \"private\") cr.test"));
    }
}
