//! One HTTPS request and its answer. Decides which certificates are believed and how long to wait; knows no API.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::endpoint::Endpoint;
use super::failure::Failure;
use super::progress::Progress;

/// How long a request may take, from connecting to the last byte.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 32 << 20;
/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes one path segment, query value or form value.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A query string or form body from names and values.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// A request: a method, a path with its query, headers, a body.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// A request without a body.
    pub(super) fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Adds a header; a value that cannot be one is left out, and the server will say what it misses.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a header whose value no log may show.
    pub(super) fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets a JSON body.
    pub(super) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// Sets a body that is JSON already.
    pub(super) fn document(mut self, text: Vec<u8>) -> Self {
        self.body = Bytes::from(text);
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// Sets a form body.
    pub(super) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = Bytes::from(form(fields));
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    fn built(&self, endpoint: &Endpoint) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let mut request = http::Request::builder()
            .method(&self.method)
            .uri(&self.target)
            .body(Full::new(self.body.clone()))?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(header::HOST, HeaderValue::try_from(endpoint.authority())?);
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let agent = HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(header::USER_AGENT, agent);
        Ok(request)
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status.
    pub(super) status: StatusCode,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The whole body.
    pub(super) body: Bytes,
}

impl Reply {
    /// The text of a header, if there is one.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<serde_json::Value, Failure> {
        serde_json::from_slice(&self.body).map_err(Failure::misunderstood)
    }

    /// Itself if it is a success.
    pub(super) fn checked(self) -> Result<Self, Failure> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(Failure::refused(
            self.status,
            &self.body,
            self.header("x-request-id").or_else(|| self.header("transaction-id")),
        ))
    }
}

/// Connects to servers.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tls: Arc<ClientConfig>,
    /// What is shown while an answer is waited for.
    pub(super) progress: Progress,
}

impl Connector {
    /// Believes the certificates in `ca_file`, or those of the operating system.
    pub(super) fn new(ca_file: Option<&Path>, progress: Progress) -> Result<Self, Failure> {
        let roots = ca_file.map_or_else(|| Ok(system_roots()), roots_of)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| {
            Failure::new(format!("TLS cannot be used: {error}."), "Install another build.")
        })?;
        let tls = Arc::new(versions.with_root_certificates(roots).with_no_client_auth());
        Ok(Self { tls, progress })
    }

    /// Sends one request over a connection of its own.
    pub(super) async fn send(&self, endpoint: &Endpoint, request: &Request) -> Result<Reply, Failure> {
        let work = tokio::time::timeout(LIMIT, self.exchange(endpoint, request));
        self.progress.wait(&endpoint.authority(), work).await.unwrap_or_else(|_| {
            let what = format!("{endpoint} did not answer within {} seconds.", LIMIT.as_secs());
            Err(Failure::new(what, "Try again; if it goes on, look into the server's log."))
        })
    }

    async fn exchange(&self, endpoint: &Endpoint, request: &Request) -> Result<Reply, Failure> {
        let tcp = TcpStream::connect((endpoint.bare_host(), endpoint.port));
        let tcp = tcp.await.map_err(|error| unreachable(endpoint, &error))?;
        if !endpoint.secure {
            return converse(tcp, endpoint, request).await;
        }
        let name = ServerName::try_from(endpoint.bare_host().to_owned())
            .map_err(|error| unreachable(endpoint, &error))?;
        let tls = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await;
        converse(tls.map_err(|error| untrusted(endpoint, &error))?, endpoint, request).await
    }
}

async fn converse<S>(stream: S, endpoint: &Endpoint, request: &Request) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(
            format!("The connection to {endpoint} broke: {error}."),
            "Try again; if it goes on, look into the server's log.",
        )
    };
    let request = request.built(endpoint).map_err(|error| broken(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|error| broken(&error))?.to_bytes();
    driver.abort();
    Ok(Reply { status: parts.status, headers: parts.headers, body })
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn roots_of(path: &Path) -> Result<RootCertStore, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(
            format!("The certificate authority {} cannot be used: {why}.", path.display()),
            "Give a PEM file with `--ca-file`, or set PORTCULLIS_CA_FILE.",
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(roots) }
}

fn unreachable(endpoint: &Endpoint, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        format!("Cannot reach {endpoint}: {error}."),
        "Check the address with `portcullis target`, that the server runs, and that no firewall is in between.",
    )
}

fn untrusted(endpoint: &Endpoint, error: &std::io::Error) -> Failure {
    use rustls::{CertificateError as Flaw, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let next = match inner {
        Some(Error::InvalidCertificate(Flaw::UnknownIssuer)) => {
            "If the server has a certificate authority of its own, give it with `portcullis login --ca-file CA.pem`, or set \
             PORTCULLIS_CA_FILE."
        }
        Some(Error::InvalidCertificate(Flaw::NotValidForName | Flaw::NotValidForNameContext { .. })) => {
            "Log in with a host name that the certificate is for: `portcullis login -a https://HOST`."
        }
        Some(Error::InvalidCertificate(Flaw::Expired | Flaw::ExpiredContext { .. })) => {
            "Ask the administrator of the server to renew the certificate; check this machine's clock."
        }
        Some(Error::InvalidMessage(_)) => "Check the port: what answers there does not speak TLS.",
        Some(_) | None => "Check the address with `portcullis target`, and look into the server's log.",
    };
    Failure::new(format!("No secure connection to {endpoint}: {error}."), next)
}
