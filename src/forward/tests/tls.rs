//! Upstreams behind TLS: which are believed, and how the proxy proves itself to them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{ask, content, manifest, settings};
use crate::admit::fault::Fault;
use crate::forward::Forwarder;
use crate::forward::connect::Dialer;
use crate::forward::settings::{TlsFiles, UpstreamUrl};

/// An authority of its own, with the certificates it has issued.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), certificate, directory }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// The files of a client that trusts this authority and has a certificate of it.
    fn files(&self, with_certificate: bool) -> TlsFiles {
        let path = |name: &str| self.directory.path().join(name);
        let (certificate, key) = self.issue("proxy");
        std::fs::write(path("client.pem"), certificate.pem()).unwrap();
        std::fs::write(path("client.key"), key.serialize_pem()).unwrap();
        let own = |name: &str| with_certificate.then(|| path(name));
        TlsFiles { ca: Some(path("ca.pem")), certificate: own("client.pem"), key: own("client.key") }
    }
}

/// An upstream at 127.0.0.1 that asks for a client certificate and answers `hello`.
async fn upstream(authority: &Authority) -> String {
    let (certificate, key) = authority.issue("127.0.0.1");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(authority.certificate.der().to_vec())).unwrap();
    let clients =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
                stream.write_all(answer).await.ok();
                stream.shutdown().await.ok();
            }
        }
    });
    url
}

#[test]
fn only_a_certificate_of_the_given_authority_is_believed_and_ours_is_shown() {
    super::local(async {
        let (ours, theirs) = (Authority::new(), Authority::new());
        let url = upstream(&ours).await;
        let forwarder = |tls| {
            let mut settings = settings(&url);
            settings.tls = tls;
            Forwarder::new(settings).unwrap()
        };
        let answer = ask(&forwarder(ours.files(true)), manifest("a/b", "latest")).await.unwrap();
        assert_eq!(content(answer).await.unwrap(), "hello");
        assert!(ask(&forwarder(ours.files(false)), manifest("a/b", "latest")).await.is_err());
        let distrusted = ask(&forwarder(theirs.files(true)), manifest("a/b", "latest")).await.err();
        assert!(
            matches!(distrusted, Some(super::Failure::Fault(Fault::UpstreamUnreachable(_)))),
            "{distrusted:?}"
        );
        // The name counts, not only the authority.
        let elsewhere = settings(&url.replace("127.0.0.1", "localhost"));
        let mut elsewhere = elsewhere;
        elsewhere.tls = ours.files(true);
        assert!(ask(&Forwarder::new(elsewhere).unwrap(), manifest("a/b", "latest")).await.is_err());
    });
}

#[test]
fn a_connection_can_be_dialled_for_other_uses() {
    super::local(async {
        let ours = Authority::new();
        let url = UpstreamUrl::parse(&upstream(&ours).await).unwrap();
        let dialer = Dialer::new(&url, &ours.files(true), Duration::from_secs(5)).unwrap();
        let (mut sender, connection) = dialer.dial::<Empty<Bytes>>().await.unwrap();
        fn is_send<T: Send>(value: T) -> T {
            value
        }
        tokio::task::spawn_local(is_send(connection));
        let request = http::Request::get("/").header("host", url.authority()).body(Empty::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    });
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let ours = Authority::new();
    let url = UpstreamUrl::parse("https://x").unwrap();
    let error = |files: &TlsFiles| Dialer::new(&url, files, Duration::from_secs(1)).unwrap_err().to_string();
    let good = ours.files(true);
    let missing = TlsFiles { ca: Some("/nowhere/ca.pem".into()), ..TlsFiles::default() };
    assert!(error(&missing).starts_with("/nowhere/ca.pem: "));
    let swapped = TlsFiles { ca: good.key.clone(), ..TlsFiles::default() };
    assert!(error(&swapped).contains("there is none"));
    let half = TlsFiles { key: None, ..good };
    assert!(error(&half).contains("both"));
}
