//! Clients that send exactly what they are told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than any limit under test, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(10);

/// A raw byte stream to the server.
pub(super) struct Raw<Io = TcpStream>(pub(super) Io);

impl Raw {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Raw<Io> {
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        tokio::time::timeout(PATIENCE, self.0.write_all(bytes.as_ref())).await.expect("in time").unwrap();
        self.0.flush().await.unwrap();
    }

    /// Reads until the server closes. A reset is an error.
    pub(super) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes));
        match read.await.expect("the server closes in time") {
            Ok(_) => {}
            // TLS peers may end without a farewell when they are cut.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8(bytes).unwrap()
    }

    /// Reads until the server is gone, however it goes.
    pub(super) async fn closed(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        drop(read.expect("the server closes in time"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads until `end` has come.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.contains(end) {
            let byte = tokio::time::timeout(PATIENCE, self.0.read_u8()).await;
            let byte = byte.unwrap_or_else(|_| panic!("`{end}` did not come after `{text}`"));
            text.push(byte.unwrap_or_else(|error| panic!("{error} after `{text}`")).into());
        }
        text
    }
}

/// Connects with TLS, offering `alpn`.
pub(super) async fn tls(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    name: &str,
    alpn: &[&str],
) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
    tls_of(rustls::DEFAULT_VERSIONS, address, certificate, name, alpn).await
}

/// The same, on a connection on which something was said before.
pub(super) async fn tls_over(
    stream: TcpStream,
    certificate: &CertificateDer<'static>,
    name: &str,
    alpn: &[&str],
) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
    shake_hands(rustls::DEFAULT_VERSIONS, stream, certificate, name, alpn).await
}

/// The same, with these versions of TLS only.
pub(super) async fn tls_of(
    versions: &[&'static rustls::SupportedProtocolVersion],
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    name: &str,
    alpn: &[&str],
) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
    let stream = TcpStream::connect(address).await?;
    shake_hands(versions, stream, certificate, name, alpn).await
}

async fn shake_hands(
    versions: &[&'static rustls::SupportedProtocolVersion],
    stream: TcpStream,
    certificate: &CertificateDer<'static>,
    name: &str,
    alpn: &[&str],
) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    Ok(Raw(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}
