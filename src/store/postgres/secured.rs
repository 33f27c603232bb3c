//! Connections over TLS to a real server, with authorities made here.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::address::Server;
use super::open;
use super::proxy::Proxy;
use super::server::PostgresServer;
use crate::clock::SystemClock;
use crate::store::contract::samples::{ALL, user};
use crate::store::identity::Identities;

const PASSWORD: &str = "hunter2-is-not-to-be-seen";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A server whose certificate is for `name`, and its port.
fn secured(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Option<(PostgresServer, u16)> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (certificate, key, number) = (certificate.pem(), key.serialize_pem(), port.to_string());
    let environment =
        [("PG_TLS_CERTIFICATE", certificate.as_str()), ("PG_TLS_KEY", &key), ("PG_TLS_PORT", &number)];
    let server = PostgresServer::start_with(&environment);
    let server = server.inspect_err(|reason| println!("skipped: {reason}")).ok()?;
    Some((server, port))
}

async fn tried(port: u16, password: &str, query: &str) -> Result<u32, String> {
    let url = format!("postgres://portcullis:{password}@localhost:{port}/postgres?{query}");
    let server = Server::parse(&url).unwrap();
    let store = open(&server, Arc::new(SystemClock)).await.map_err(|error| error.to_string())?;
    let total = store.users(ALL).await.unwrap().total;
    store.insert_user(&user(total.into())).await.unwrap();
    Ok(total + 1)
}

fn trusting(authority: &CertifiedIssuer<'static, KeyPair>, at: &Path) -> String {
    std::fs::write(at, authority.pem()).unwrap();
    format!("sslrootcert={}", at.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_must_prove_who_it_is_and_no_error_tells_the_password() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, other) = (authority(), authority());
    let Some((server, port)) = secured(&ours, "localhost") else { return };
    let set = format!("alter role portcullis password '{PASSWORD}'");
    server.sql_at(port, &set);
    let right = trusting(&ours, &directory.path().join("right.pem"));
    let wrong = trusting(&other, &directory.path().join("wrong.pem"));
    let full = |authority: &str| format!("sslmode=verify-full&{authority}");
    assert_eq!(tried(port, PASSWORD, &full(&right)).await, Ok(1));
    assert_eq!(tried(port, PASSWORD, "sslmode=require").await, Ok(2), "nobody has to be believed");
    for (password, query) in [
        (PASSWORD, full(&wrong)),
        (PASSWORD, full("").trim_end_matches('&').to_owned()),
        (PASSWORD, format!("sslmode=verify-ca&{wrong}")),
        ("another-hunter2", full(&right)),
        (PASSWORD, "sslmode=verify-full&sslrootcert=/no/such/file".to_owned()),
    ] {
        let refused = tried(port, password, &query).await.expect_err(&query);
        assert!(!refused.contains("hunter2"), "{refused}");
        assert!(refused.contains("cannot connect to postgres://portcullis@localhost"), "{refused}");
    }
    let Some((server, port)) = secured(&ours, "db.example.com") else { return };
    server.sql_at(port, &set);
    assert!(tried(port, PASSWORD, &full(&right)).await.is_err(), "a certificate of somebody else");
    assert_eq!(tried(port, PASSWORD, &format!("sslmode=verify-ca&{right}")).await, Ok(1));
    let Some(plain) = super::tests::database().await else { return };
    let port = Proxy::before(&plain).await.server.port;
    let plain = tried(port, PASSWORD, "sslmode=require").await;
    assert!(plain.is_err_and(|refused| !refused.contains("hunter2")), "a server without TLS is refused");
    assert_eq!(tried(port, PASSWORD, "sslmode=disable").await, Ok(1), "and it is there");
}
