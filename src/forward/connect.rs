//! From an address to an HTTP/1.1 connection: lookup, TCP or unix socket, TLS, handshake.
//!
//! It decides which certificates are believed. It never retries and never keeps a connection.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::settings::{Place, TlsFiles, UpstreamUrl};
use super::wire::Wire;
use crate::admit::fault::Fault;
use crate::network::public::is_public;

/// How much of an answer is read in one go: large reads are what makes blobs fast.
const READ_BUFFER: usize = 256 * 1024;

/// Why TLS cannot be set up. The text tells the operator which file to look at.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// The two halves of a fresh connection: one to send on, and one that somebody must drive.
pub type Fresh<B> = (http1::SendRequest<B>, http1::Connection<TokioIo<Wire>, B>);

/// Dials one upstream.
#[derive(Clone, Debug)]
pub struct Dialer {
    url: UpstreamUrl,
    tls: Option<Arc<rustls::ClientConfig>>,
    timeout: Duration,
    reach: Reach,
}

/// Which addresses are connected to, whatever a name resolves to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Any: the operator named the place.
    Anywhere,
    /// Those of the public Internet alone: somebody else did.
    Public,
}

impl Reach {
    fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public => is_public(address),
        }
    }
}

impl Dialer {
    /// Reads the certificates that `url` needs; `timeout` limits each [`Dialer::dial`] as a whole.
    ///
    /// # Errors
    /// [`TlsError`] when a file cannot be read or does not hold what it should.
    pub fn new(url: &UpstreamUrl, files: &TlsFiles, timeout: Duration) -> Result<Self, TlsError> {
        let wanted = matches!(url.place(), Place::Tcp { tls: true, .. });
        let tls = if wanted { Some(Arc::new(client_config(files)?)) } else { None };
        Ok(Self { url: url.clone(), tls, timeout, reach: Reach::Anywhere })
    }

    /// The same, but only to such addresses.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Opens a connection. Nothing happens on it until its second half is polled.
    ///
    /// # Errors
    /// [`Fault::UpstreamUnreachable`] or [`Fault::UpstreamTimeout`]: nothing has been sent.
    pub async fn dial<B>(&self) -> Result<Fresh<B>, Fault>
    where
        B: http_body::Body<Data = bytes::Bytes> + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let deadline = Instant::now() + self.timeout;
        let wire = timeout_at(deadline, self.wire(deadline))
            .await
            .map_err(|_| Fault::UpstreamTimeout(format!("{}: connecting took too long", self.url)))??;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(READ_BUFFER);
        builder.handshake(TokioIo::new(wire)).await.map_err(|error| self.unreachable(&error))
    }

    /// Asks one thing on a connection of its own, which ends with the answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask<B>(&self, request: http::Request<B>) -> Result<http::Response<Incoming>, String>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut sender, connection) = self.dial().await.map_err(|fault| fault.to_string())?;
        // Ends with the connection, which ends with its one request.
        tokio::spawn(async move { connection.await.ok() });
        sender.send_request(request).await.map_err(|error| error.to_string())
    }

    async fn wire(&self, deadline: Instant) -> Result<Wire, Fault> {
        let (host, port) = match self.url.place() {
            Place::Tcp { host, port, .. } => (host.as_str(), *port),
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| self.unreachable(&error))?;
                return Ok(Wire::from(stream));
            }
        };
        let stream = self.tcp(host, port, deadline).await?;
        let Some(config) = &self.tls else { return Ok(Wire::from(stream)) };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| self.unreachable(&error))?;
        let connector = TlsConnector::from(Arc::clone(config));
        let encrypted = connector.connect_with(name, stream, |connection| {
            connection.set_buffer_limit(Some(READ_BUFFER));
        });
        let stream = encrypted.await.map_err(|error| self.unreachable(&error))?;
        Ok(Wire::from(stream))
    }

    /// Tries every address in turn, each with its share of the time that is left, so that one dead address among
    /// several costs a delay and not the request.
    async fn tcp(&self, host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Fault> {
        let found = lookup_host((host, port)).await.map_err(|error| self.unreachable(&error))?;
        let addresses: Vec<_> = found.filter(|address| self.reach.admits(address.ip())).collect();
        let mut last = self.unreachable(&match self.reach {
            Reach::Anywhere => "the name has no address",
            Reach::Public => "the name has no address on the public Internet",
        });
        for (tried, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let share = now + deadline.saturating_duration_since(now) / left;
            last = match timeout_at(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(|error| self.unreachable(&error))?;
                    return Ok(stream);
                }
                Ok(Err(error)) => self.unreachable(&format_args!("{address}: {error}")),
                Err(_) => Fault::UpstreamTimeout(format!("{}: {address} does not answer", self.url)),
            };
        }
        Err(last)
    }

    fn unreachable(&self, why: &dyn Display) -> Fault {
        Fault::UpstreamUnreachable(format!("{}: {why}", self.url))
    }
}

fn client_config(files: &TlsFiles) -> Result<rustls::ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_root_certificates(roots(files.ca.as_deref())?);
    let mut config = match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| TlsError(format!("{}: {error}", certificate.display())))?,
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) | (None, Some(_)) => {
            return Err(TlsError(
                "a client certificate needs both its certificate file and its key file".into(),
            ));
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(ca: Option<&Path>) -> Result<rustls::RootCertStore, TlsError> {
    let mut store = rustls::RootCertStore::empty();
    let Some(path) = ca else {
        let found = rustls_native_certs::load_native_certs();
        if store.add_parsable_certificates(found.certs).0 == 0 {
            let hint =
                "this system has no certificate authorities: install ca-certificates, or name a CA file";
            return Err(TlsError(hint.into()));
        }
        return Ok(store);
    };
    for certificate in certificates(path)? {
        store.add(certificate).map_err(|error| TlsError(format!("{}: {error}", path.display())))?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong =
        |error: &dyn Display| TlsError(format!("{}: cannot read certificates: {error}", path.display()));
    let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if certificates.is_empty() { Err(wrong(&"there is none in this file")) } else { Ok(certificates) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| TlsError(format!("{}: cannot read a private key: {error}", path.display())))
}
