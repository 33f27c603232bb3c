//! Behind proxies that are trusted, and behind others.

use std::time::Duration;

use super::super::settings::Settings;
use super::super::trust::Trust;
use super::application::{Server, encrypted_trusting, plain, trusting};
use super::clients::Raw;
use crate::network::block::Block;
use crate::network::set::AddressSet;
use crate::record::metrics::TurnedAway;

const ASK: &str = "GET /client HTTP/1.1\r\nHost: cr.test\r\n";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const SECOND: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x7f\0\0\x01\x30\x39\x01\xbb";

fn trust(proxy_protocol: bool, proxies: &[&str]) -> Trust {
    let blocks: Vec<Block> = proxies.iter().map(|text| text.parse().unwrap()).collect();
    Trust { proxy_protocol, proxies: AddressSet::of(&blocks) }
}

async fn turned_away(server: &Server, times: u32) -> Vec<TurnedAway> {
    let all = server.stage.turned.acquire_many(times);
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("it is noted").unwrap().forget();
    std::mem::take(&mut server.stage.turned_away.lock().unwrap())
}

/// One connection, many clients; what they claim goes no further.
#[tokio::test]
async fn each_request_behind_a_trusted_proxy_has_its_own_client() {
    let server = trusting(&Settings::default(), trust(false, &["127.0.0.0/8", "10.0.0.0/8"]));
    let mut proxy = Raw::connect(server.address).await;
    for (lines, expected) in [
        ("X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9 by forwarded with host."),
        ("x-forwarded-for: 1.1.1.1, 203.0.113.8, 10.1.1.1\r\n", "203.0.113.8 by forwarded with host."),
        ("", "127.0.0.1 by socket with host."),
        ("Forwarded: for=\"[2001:db8::1]:1\";host=evil\r\n", "2001:db8::1 by forwarded with host."),
        ("X-Real-IP: 1.1.1.1\r\nX-Forwarded-Host: evil\r\n", "127.0.0.1 by socket with host."),
    ] {
        proxy.send(format!("{ASK}{lines}\r\n")).await;
        proxy.until(expected).await;
    }
    assert!(server.stage.turned_away.lock().unwrap().is_empty());
    proxy.send(format!("{ASK}X-Forwarded-For: garbage\r\n\r\n")).await;
    assert!(proxy.rest().await.starts_with("HTTP/1.1 400 "), "H-13");
}

/// H-12
#[tokio::test]
async fn what_anybody_else_claims_is_taken_out_and_counted() {
    for server in [plain(&Settings::default()), trusting(&Settings::default(), trust(false, &["10.0.0.0/8"]))]
    {
        let mut client = Raw::connect(server.address).await;
        for claim in ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=\"", "X-Real-IP: 10.0.0.1"] {
            client.send(format!("{ASK}{claim}\r\n\r\n")).await;
            client.until("127.0.0.1 by socket with host.").await;
        }
        assert_eq!(turned_away(&server, 3).await, [TurnedAway::ClaimIgnored; 3]);
    }
}

/// H-20, H-21
#[tokio::test]
async fn a_trusted_peer_names_the_client_of_a_connection() {
    let server = trusting(&Settings::default(), trust(true, &["127.0.0.1"]));
    let named = "203.0.113.9 by proxy_protocol with host.";
    for (header, expected) in [
        (&b"PROXY TCP4 203.0.113.9 127.0.0.1 12345 443\r\n"[..], named),
        (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 12345 443\r\n", named),
        (SECOND, named),
        (LOCAL, "127.0.0.1 by socket with host."),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1 by socket with host."),
    ] {
        // Whatever the network makes of it: byte by byte, and all at once.
        let mut proxy = Raw::connect(server.address).await;
        for byte in header {
            proxy.send([*byte]).await;
        }
        let claim = "X-Forwarded-For: 10.0.0.1\r\n\r\n";
        proxy.send(format!("{ASK}{claim}")).await;
        proxy.until(expected).await;
        let mut proxy = Raw::connect(server.address).await;
        proxy.send([header, ASK.as_bytes(), claim.as_bytes(), ASK.as_bytes(), b"\r\n"].concat()).await;
        proxy.until(expected).await;
        proxy.until(expected).await;
        assert_eq!(turned_away(&server, 2).await, [TurnedAway::ClaimIgnored; 2]);
    }
}

/// H-17, H-19
#[tokio::test]
async fn a_connection_without_the_header_that_must_be_there_is_closed() {
    let settings = Settings { handshake: Duration::from_millis(300), ..Settings::default() };
    let server = trusting(&settings, trust(true, &["127.0.0.1"]));
    let too_long = [&SECOND[..13], b"\x11\xff\xff", &[0; 600]].concat();
    for bytes in [format!("{ASK}\r\n").as_bytes(), b"\x16\x03\x01\x02\0", &too_long, b"PROXY TCP4 x\r\n"] {
        let mut client = Raw::connect(server.address).await;
        client.send(bytes).await;
        assert_eq!(client.closed().await, "", "{}", bytes.escape_ascii());
        assert_eq!(turned_away(&server, 1).await, [TurnedAway::ProxyMalformed]);
    }
    for bytes in [&b""[..], b"PRO", &SECOND[..20]] {
        let mut client = Raw::connect(server.address).await;
        client.send(bytes).await;
        assert_eq!(client.closed().await, "", "{}", bytes.escape_ascii());
        assert_eq!(turned_away(&server, 1).await, [TurnedAway::ProxyTimeout]);
    }
    assert!(server.stage.seen().is_empty());
}

/// H-18
#[tokio::test]
async fn a_header_of_an_untrusted_peer_ends_the_connection() {
    let server = trusting(&Settings::default(), trust(true, &["10.0.0.0/8"]));
    let mut client = Raw::connect(server.address).await;
    // It may be closed already.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, SECOND).await;
    assert_eq!(client.closed().await, "");
    assert_eq!(turned_away(&server, 1).await, [TurnedAway::ProxyUntrusted]);
}

#[tokio::test]
async fn the_header_comes_before_the_handshake_and_names_the_client_of_every_request() {
    let (server, certificate) = encrypted_trusting(&Settings::default(), trust(true, &["127.0.0.1"]));
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, SECOND).await.unwrap();
    let mut client = super::clients::tls_over(stream, &certificate, "cr.test", &["http/1.1"]).await.unwrap();
    for _ in 0..2 {
        client.send(format!("{ASK}\r\n")).await;
        client.until("203.0.113.9 by proxy_protocol with host.").await;
    }
    // H-22: a second header is no request.
    client.send(SECOND).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400 "));
}

/// D-26: the client has a share, its proxy has none of its own
#[tokio::test]
async fn connections_are_counted_by_client_and_not_by_proxy() {
    let settings = Settings { max_connections_per_address: Some(1), ..Settings::default() };
    let server = trusting(&settings, trust(true, &["127.0.0.1"]));
    let open = async |header: &[u8]| {
        let mut proxy = Raw::connect(server.address).await;
        proxy.send([header, ASK.as_bytes(), b"\r\n"].concat()).await;
        proxy
    };
    let mut first = open(SECOND).await;
    first.until("by proxy_protocol with host.").await;
    let mut other = open(b"PROXY TCP4 203.0.113.10 127.0.0.1 1 2\r\n").await;
    other.until("203.0.113.10 by").await;
    assert_eq!(open(SECOND).await.closed().await, "");
    assert_eq!(turned_away(&server, 1).await, [TurnedAway::AddressFull]);
    for _ in 0..2 {
        open(LOCAL).await.until("127.0.0.1 by socket with host.").await;
    }
    let plain = trusting(&settings, trust(false, &["127.0.0.1"]));
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut proxy = Raw::connect(plain.address).await;
        proxy.send(format!("{ASK}\r\n")).await;
        proxy.until("by socket with host.").await;
        kept.push(proxy);
    }
}
