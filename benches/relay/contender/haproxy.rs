//! HAProxy, which asks nobody, or verifies an ES256 token and looks at its issuer, audience, time and repository.

use std::fs;
use std::net::SocketAddr;

use super::{Contender, folder, free, pinned};
use crate::image::REPOSITORY;
use crate::signed::{AUDIENCE, ISSUER, Papers};

/// It passes everything on.
pub(crate) fn bare(origin: SocketAddr, papers: &Papers) -> Contender {
    start("HAProxy", "", None, origin, papers)
}

/// It verifies tokens.
pub(crate) fn verifying(origin: SocketAddr, papers: &Papers) -> Contender {
    let key = papers.path("signer.pub");
    let asks = format!(
        "  http-request set-var(txn.bearer) http_auth_bearer\n\
         \x20 http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.alg) -m str ES256 }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,\"{key}\") 1 }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_payload_query('$.iss') -m str {ISSUER} }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_payload_query('$.aud') -m str {AUDIENCE} }}\n\
         \x20 http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')\n\
         \x20 http-request set-var(txn.now) date()\n\
         \x20 http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}\n\
         \x20 http-request deny deny_status 403 unless {{ var(txn.bearer),jwt_payload_query('$.access[0].name') -m str {REPOSITORY} }}\n"
    );
    start("HAProxy, jwt_verify ES256", &asks, Some(&papers.token), origin, papers)
}

fn start(
    name: &'static str,
    asks: &str,
    token: Option<&str>,
    origin: SocketAddr,
    papers: &Papers,
) -> Contender {
    let (address, files, pair) = (free(), folder(), papers.path("tls.pem"));
    let text = format!(
        "global\n  nbthread 1\n  maxconn 4000\n  tune.ssl.cachesize 0\n  ssl-default-bind-options no-tls-tickets ssl-min-ver TLSv1.3\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n  http-reuse always\n\
         frontend front\n  bind {address} ssl crt {pair} alpn http/1.1\n{asks}  default_backend back\n\
         backend back\n  server origin {origin}\n"
    );
    let config = files.path().join("haproxy.cfg");
    fs::write(&config, text).expect("a writable folder");
    let mut command = pinned("haproxy");
    command.arg("-db").arg("-q").arg("-f").arg(&config);
    Contender::start(name, address, token, files, &mut command)
}
