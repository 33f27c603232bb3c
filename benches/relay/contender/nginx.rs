//! nginx, which asks nobody, or asks by `auth_request`, or keeps what it has read besides.

use std::fs;
use std::net::SocketAddr;

use super::{Contender, folder, free, pinned};
use crate::signed::Papers;

/// What it does before it passes a request on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// Nothing; bodies go through its buffers.
    Bare,
    /// Nothing; bodies are passed on as they come.
    Unbuffered,
    /// It asks the registry behind whether that is allowed, which is the least that such a check costs.
    AuthRequest,
    /// The same, and manifests are kept for ten minutes.
    AuthRequestAndCache,
}

pub(crate) fn start(way: Way, origin: SocketAddr, papers: &Papers) -> Contender {
    let (name, address, files) = (name(way), free(), folder());
    let d = files.path().display();
    let asks = match way {
        Way::Bare | Way::Unbuffered => "",
        Way::AuthRequest | Way::AuthRequestAndCache => "auth_request /_auth;",
    };
    let keeps = if way == Way::AuthRequestAndCache {
        "proxy_cache kept; proxy_cache_valid 200 10m; proxy_cache_key $request_method$uri;"
    } else {
        ""
    };
    let buffers = if way == Way::Unbuffered { "off" } else { "on" };
    let passes = "proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host localhost;";
    let (chain, key) = (papers.path("tls.crt"), papers.path("tls.key"));
    let text = format!(
        "user root; daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
           access_log off; client_max_body_size 0; proxy_request_buffering off; proxy_buffering {buffers};\n\
           proxy_buffers 8 16k; proxy_buffer_size 16k; proxy_max_temp_file_size 0; ssl_buffer_size 16k;\n\
           keepalive_requests 1000000; keepalive_timeout 600s; ssl_session_tickets off; ssl_session_cache off;\n\
           client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n\
           proxy_cache_path {d}/kept keys_zone=kept:10m;\n\
           upstream origin {{ server {origin}; keepalive 64; keepalive_requests 1000000; }}\n\
           server {{\n\
             listen {address} ssl reuseport backlog=4096; ssl_protocols TLSv1.3; ssl_certificate {chain}; ssl_certificate_key {key};\n\
             location = /_auth {{ internal; proxy_pass_request_body off; proxy_set_header Content-Length \"\"; {passes} }}\n\
             location / {{ {asks} {keeps} {passes} }}\n\
           }}\n\
         }}\n"
    );
    let config = files.path().join("nginx.conf");
    fs::write(&config, text).expect("a writable folder");
    let mut command = pinned("nginx");
    command.arg("-c").arg(&config).arg("-p").arg(files.path());
    Contender::start(name, address, None, files, &mut command)
}

fn name(way: Way) -> &'static str {
    match way {
        Way::Bare => "nginx",
        Way::Unbuffered => "nginx, unbuffered",
        Way::AuthRequest => "nginx, auth_request",
        Way::AuthRequestAndCache => "nginx, auth_request, proxy_cache",
    }
}
