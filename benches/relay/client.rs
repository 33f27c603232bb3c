//! A registry client that does no more than it must.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest;
use data_encoding::{BASE64, HEXLOWER};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// One proxy, as one caller.
pub(crate) struct Client {
    address: SocketAddr,
    token: Option<String>,
    tls: TlsConnector,
}

/// Whether the large transfer is over; the memory sampler asks.
pub(crate) struct Upload;

static OVER: AtomicBool = AtomicBool::new(false);

impl Upload {
    pub(crate) fn is_over() -> bool {
        OVER.load(Ordering::Relaxed)
    }

    pub(crate) fn over() {
        OVER.store(true, Ordering::Relaxed);
    }
}

type Stream = TlsStream<TcpStream>;

impl Client {
    pub(crate) fn new(address: SocketAddr, token: Option<String>) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Self { address, token, tls: TlsConnector::from(Arc::new(config)) }
    }

    async fn connect(&self) -> Stream {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        self.tls.connect("localhost".try_into().unwrap(), tcp).await.unwrap()
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let token =
            self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let accept = "accept: application/vnd.oci.image.manifest.v1+json\r\n";
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\n{token}{accept}{more}\r\n",
            self.address.port()
        )
    }

    /// Opens a connection, reads one answer, and hands the connection over to be held.
    pub(crate) async fn connect_and_ask(&self, path: &str) -> Stream {
        let mut stream = self.connect().await;
        stream.write_all(self.head("GET", path, "").as_bytes()).await.unwrap();
        let (status, length, _) = read_head(&mut stream).await;
        assert_eq!(status, 200);
        skip(&mut stream, length).await;
        stream
    }

    /// Reads a body to its end and returns its length.
    pub(crate) async fn read(&self, path: &str) -> u64 {
        let mut stream = self.connect().await;
        stream.write_all(self.head("GET", path, "").as_bytes()).await.unwrap();
        let (status, length, _) = read_head(&mut stream).await;
        assert_eq!(status, 200, "GET {path}");
        skip(&mut stream, length).await
    }

    /// Exchanges an API key for a token that may do everything here.
    pub(crate) async fn login(&self, key: &str) -> String {
        let basic = BASE64.encode(format!("iamapikey:{key}").as_bytes());
        let path = "/oauth/token?service=registry&scope=repository:bench/app:pull,push&scope=repository:bench/large:pull,push";
        let (status, body, _) =
            self.call("GET", path, &format!("authorization: Basic {basic}\r\n"), b"").await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
    }

    async fn call(&self, method: &str, path: &str, more: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = self.connect().await;
        let head = self.head(method, path, &format!("{more}content-length: {}\r\n", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let (status, length, location) = read_head(&mut stream).await;
        let mut answer = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut answer).await.unwrap();
        (status, String::from_utf8(answer).unwrap(), location)
    }

    /// Pushes `length` bytes in one chunked `PATCH`, as docker does, and returns the digest.
    pub(crate) async fn push_blob(&self, repository: &str, length: u64) -> String {
        let (status, body, location) =
            self.call("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"").await;
        assert_eq!(status, 202, "{body}");
        let mut stream = self.connect().await;
        let head = self.head("PATCH", &path_of(&location), "transfer-encoding: chunked\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut context = digest::Context::new(&digest::SHA256);
        let block: Vec<u8> =
            (0..256 * 1024u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        for _ in 0..length / block.len() as u64 {
            context.update(&block);
            stream.write_all(format!("{:x}\r\n", block.len()).as_bytes()).await.unwrap();
            stream.write_all(&block).await.unwrap();
            stream.write_all(b"\r\n").await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let (status, _, location) = read_head(&mut stream).await;
        assert_eq!(status, 202);
        let digest = format!("sha256:{}", HEXLOWER.encode(context.finish().as_ref()));
        let separator = if location.contains('?') { '&' } else { '?' };
        let (status, body, _) =
            self.call("PUT", &format!("{}{separator}digest={digest}", path_of(&location)), "", b"").await;
        assert_eq!(status, 201, "{body}");
        digest
    }

    /// Pushes a small manifest over two small blobs.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str) {
        let layer = self.push_blob(repository, 256 * 1024).await;
        let config = b"{}";
        let digest = format!("sha256:{}", HEXLOWER.encode(digest::digest(&digest::SHA256, config).as_ref()));
        let (_, _, location) = self.call("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"").await;
        let separator = if location.contains('?') { '&' } else { '?' };
        let target = format!("{}{separator}digest={digest}", path_of(&location));
        let (status, body, _) =
            self.call("PUT", &target, "content-type: application/octet-stream\r\n", config).await;
        assert_eq!(status, 201, "{body}");
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 256 * 1024}],
        });
        let kind = "content-type: application/vnd.oci.image.manifest.v1+json\r\n";
        let path = format!("/v2/{repository}/manifests/{tag}");
        let (status, body, _) = self.call("PUT", &path, kind, manifest.to_string().as_bytes()).await;
        assert_eq!(status, 201, "{body}");
    }
}

fn path_of(location: &str) -> String {
    match location.strip_prefix("https://") {
        Some(rest) => rest.split_at(rest.find('/').unwrap()).1.to_owned(),
        None => location.to_owned(),
    }
}

/// Status, content length and location.
async fn read_head(stream: &mut Stream) -> (u16, u64, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8(head).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    (status, length, field("location").unwrap_or_default())
}

async fn skip(stream: &mut Stream, length: u64) -> u64 {
    let mut buffer = vec![0; 256 * 1024];
    let mut left = length;
    while left > 0 {
        let want = usize::try_from(left.min(buffer.len() as u64)).unwrap();
        let read = stream.read(&mut buffer[..want]).await.unwrap();
        if read == 0 {
            break;
        }
        left -= read as u64;
    }
    length - left
}

/// The benchmark talks to servers that it started itself.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
