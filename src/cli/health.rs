//! `health`: asks a server's health listener once whether it can serve. For images that hold no other program to ask with.

use http::{Method, StatusCode};

use super::args::Health;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::http::{Connector, Request};
use super::terminal::Io;

/// Prints what the server says of itself; anything but readiness is a failure.
pub(super) async fn run(io: &mut Io, wanted: Health) -> Result<(), Failure> {
    let endpoint = Endpoint::parse(&wanted.url)?;
    let ca_file = wanted.ca_file.or_else(|| io.environment.ca_file.clone());
    let connector = Connector::new(ca_file.as_deref(), io.progress.clone())?;
    let reply = connector.send(&endpoint, &Request::new(Method::GET, "/readyz")).await?;
    let said = super::display::tame(String::from_utf8_lossy(&reply.body).trim());
    if reply.status == StatusCode::OK {
        io.line(said);
        return Ok(());
    }
    let what = format!("{endpoint} is not ready ({}): {said}", reply.status.as_u16());
    Err(Failure::new(what, "Look into the server's log."))
}
