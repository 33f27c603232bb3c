//! A registry client that does no more than it must, over TLS 1.3 with AES-128-GCM and X25519.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest;
use data_encoding::{BASE64, HEXLOWER};
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::any_certificate::AnyCertificate;
use crate::contender::Contender;

/// One contender, as one caller.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    token: Option<String>,
    tls: TlsConnector,
}

pub(crate) type Stream = TlsStream<TcpStream>;

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) length: u64,
    location: String,
}

impl Client {
    pub(crate) fn of(contender: &Contender) -> Self {
        let pinned = CryptoProvider {
            cipher_suites: vec![provider::cipher_suite::TLS13_AES_128_GCM_SHA256],
            kx_groups: vec![provider::kx_group::X25519],
            ..provider::default_provider()
        };
        let pinned = Arc::new(pinned);
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&pinned))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("a suite for it")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(pinned)))
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let tls = TlsConnector::from(Arc::new(config));
        Self { address: contender.address, token: contender.token.clone(), tls }
    }

    /// The same as nobody.
    pub(crate) fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same with another token.
    pub(crate) fn bearing(&self, token: String) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Opens a connection, with a whole handshake. Closing it leaves no trace in the kernel, or there would soon be no more ports.
    pub(crate) async fn connect(&self) -> Stream {
        let tcp = TcpStream::connect(self.address).await.expect("it listens");
        tcp.set_nodelay(true).expect("a socket");
        tcp.set_zero_linger().expect("a socket");
        self.tls.connect("localhost".try_into().expect("a name"), tcp).await.expect("a handshake")
    }

    /// The head of a request.
    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let (token, port) = (token.unwrap_or_default(), self.address.port());
        let accept = format!("accept: {}, {}\r\n", crate::image::MANIFEST, crate::image::INDEX);
        format!("{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\n{token}{accept}{more}\r\n")
    }

    /// Reads a body to its end on a connection, and returns its length.
    pub(crate) async fn read(&self, stream: &mut Stream, path: &str) -> u64 {
        send(stream, &self.head("GET", path, "")).await;
        let head = read_head(stream).await;
        assert_eq!(head.status, 200, "GET {path}");
        skip(stream, head.length).await
    }

    /// Status and body of one request on a connection of its own.
    pub(crate) async fn fetch(&self, path: &str) -> (u16, Vec<u8>) {
        let mut stream = self.connect().await;
        send(&mut stream, &self.head("GET", path, "")).await;
        let head = read_head(&mut stream).await;
        let mut body = vec![0; usize::try_from(head.length).expect("a short body")];
        stream.read_exact(&mut body).await.expect("a whole body");
        (head.status, body)
    }

    /// Exchanges an API key for a token that may do everything here.
    pub(crate) async fn login(&self, key: &str) -> String {
        let mut stream = self.connect().await;
        self.login_on(&mut stream, key).await
    }

    /// The same on a connection.
    pub(crate) async fn login_on(&self, stream: &mut Stream, key: &str) -> String {
        let more = format!("authorization: {}\r\n", basic(key));
        send(stream, &self.head("GET", &grant_path(), &more)).await;
        let head = read_head(stream).await;
        let body = body(stream, head.length).await;
        assert_eq!(head.status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        body["token"].as_str().expect("a token").to_owned()
    }

    async fn call(&self, stream: &mut Stream, method: &str, path: &str, more: &str, sent: &[u8]) -> Head {
        let head = self.head(method, path, &format!("{more}content-length: {}\r\n", sent.len()));
        stream.write_all(head.as_bytes()).await.expect("it takes requests");
        stream.write_all(sent).await.expect("it takes bodies");
        stream.flush().await.expect("it takes bodies");
        let head = read_head(stream).await;
        let said = body(stream, head.length).await;
        assert!(head.status < 300, "{method} {path}: {} {said}", head.status);
        head
    }

    /// Opens an upload and returns where it goes on.
    pub(crate) async fn begin(&self, stream: &mut Stream, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        path_of(&self.call(stream, "POST", &path, "", b"").await.location)
    }

    /// Sends that much in one chunked `PATCH`, as docker does; returns its digest and where the upload goes on.
    pub(crate) async fn patch(
        &self,
        stream: &mut Stream,
        path: &str,
        block: &[u8],
        blocks: u64,
        hash: bool,
    ) -> (String, String) {
        let head = self.head(
            "PATCH",
            path,
            "transfer-encoding: chunked\r\ncontent-type: application/octet-stream\r\n",
        );
        stream.write_all(head.as_bytes()).await.expect("it takes requests");
        let mut context = digest::Context::new(&digest::SHA256);
        for _ in 0..blocks {
            if hash {
                context.update(block);
            }
            stream.write_all(format!("{:x}\r\n", block.len()).as_bytes()).await.expect("it takes bodies");
            stream.write_all(block).await.expect("it takes bodies");
            stream.write_all(b"\r\n").await.expect("it takes bodies");
        }
        stream.write_all(b"0\r\n\r\n").await.expect("it takes bodies");
        stream.flush().await.expect("it takes bodies");
        let head = read_head(stream).await;
        let said = body(stream, head.length).await;
        assert_eq!(head.status, 202, "{said}");
        (format!("sha256:{}", HEXLOWER.encode(context.finish().as_ref())), path_of(&head.location))
    }

    /// Pushes a blob of so many blocks and returns its digest.
    pub(crate) async fn push(&self, repository: &str, block: &[u8], blocks: u64) -> String {
        let mut stream = self.connect().await;
        let begun = self.begin(&mut stream, repository).await;
        let (digest, location) = self.patch(&mut stream, &begun, block, blocks, true).await;
        let separator = if location.contains('?') { '&' } else { '?' };
        self.call(&mut stream, "PUT", &format!("{location}{separator}digest={digest}"), "", b"").await;
        digest
    }

    /// Pushes a manifest.
    pub(crate) async fn put_manifest(&self, repository: &str, tag: &str, kind: &str, manifest: &[u8]) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let mut stream = self.connect().await;
        self.call(&mut stream, "PUT", &path, &format!("content-type: {kind}\r\n"), manifest).await;
    }
}

/// What is sent in large pushes.
pub(crate) fn block() -> Vec<u8> {
    (0..256 * 1024_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

/// The header of an API key.
pub(crate) fn basic(key: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("iamapikey:{key}").as_bytes()))
}

/// Where tokens for everything here are granted.
pub(crate) fn grant_path() -> String {
    let repository = crate::image::REPOSITORY;
    format!(
        "/oauth/token?service=registry&scope=repository:{repository}:pull,push&scope=repository:bench/large:pull,push"
    )
}

fn path_of(location: &str) -> String {
    match location.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, path)) => format!("/{path}"),
        None => location.to_owned(),
    }
}

/// Sends a request without a body, to its last byte: what TLS holds back would never be answered.
pub(crate) async fn send(stream: &mut Stream, request: &str) {
    stream.write_all(request.as_bytes()).await.expect("it takes requests");
    stream.flush().await.expect("it takes requests");
}

/// Status, content length and location.
pub(crate) async fn read_head(stream: &mut Stream) -> Head {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let text = String::from_utf8(head).expect("text");
    let status = text.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    Head { status, length, location: field("location").unwrap_or_default() }
}

async fn body(stream: &mut Stream, length: u64) -> String {
    let mut body = vec![0; usize::try_from(length).expect("a short body")];
    stream.read_exact(&mut body).await.expect("a whole body");
    String::from_utf8_lossy(&body).into_owned()
}

/// Reads so much and forgets it; returns how much came.
pub(crate) async fn skip(stream: &mut Stream, length: u64) -> u64 {
    let mut buffer = vec![0; 256 * 1024];
    let mut left = length;
    while left > 0 {
        let want = usize::try_from(left.min(buffer.len() as u64)).expect("no more than the buffer");
        let read = stream.read(&mut buffer[..want]).await.expect("it answers to the end");
        if read == 0 {
            break;
        }
        left -= read as u64;
    }
    length - left
}
