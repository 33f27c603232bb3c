//! One request of a connection: judged, handed to the application with who asks, and cleared away.
//!
//! It decides whose word on the client's address counts for this request, and nothing else about who asks.

use std::convert::Infallible;
use std::rc::Rc;

use http::header::{CONNECTION, EXPECT, HeaderMap};
use http::request::Parts;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body, Incoming};

use super::application::Application;
use super::body::{Leftover, RequestBody};
use super::connection::Connection;
use super::drain::Drain;
use super::exchanges::{Answer, InFlight};
use super::head;
use super::rejection::Rejection;
use super::serve_connection::Server;
use super::settings::Settings;
use super::worker::Door;
use crate::client::forwarded;
use crate::record::metrics::TurnedAway;

/// Not the client's doing, as a rule: whoever runs the proxy must read it.
const GARBLED: Rejection = Rejection::malformed(
    "X-Forwarded-For or Forwarded, from a trusted proxy, cannot be read or do not agree",
);

/// The application, bound to one connection.
pub(super) struct Service<A> {
    app: A,
    connection: Rc<Connection>,
    door: Rc<Door>,
    settings: Rc<Settings>,
    drain: Drain,
}

impl<A: Application> Service<A> {
    pub(super) fn new(server: &Server<A>, connection: Connection, door: &Rc<Door>) -> Rc<Self> {
        Rc::new(Self {
            app: server.app.clone(),
            connection: Rc::new(connection),
            door: Rc::clone(door),
            settings: Rc::clone(&server.settings),
            drain: server.drain.clone(),
        })
    }

    pub(super) async fn answer_http2(
        self: Rc<Self>,
        request: Request<Incoming>,
        flight: InFlight,
    ) -> Result<Response<Answer<A::Body>>, Infallible> {
        let (mut parts, incoming) = request.into_parts();
        let has_body = !incoming.is_end_stream();
        let response = match self.check(&mut parts, has_body) {
            Ok((connection, authority)) => {
                let body = RequestBody::from_client(incoming, self.settings.body_stall);
                self.app.respond(&connection, Request::from_parts(parts, body), authority).await
            }
            Err(rejection) => self.app.reject(&self.connection, rejection),
        };
        Ok(response.map(|body| Answer::new(body, flight)))
    }

    pub(super) async fn answer_http1(
        self: Rc<Self>,
        request: Request<Incoming>,
        flight: InFlight,
    ) -> Result<Response<Answer<A::Body>>, Infallible> {
        let (mut parts, incoming) = request.into_parts();
        let mut body = RequestBody::from_client(incoming, self.settings.body_stall);
        let has_body = !body.is_end_stream();
        let leftover = if has_body { Some(body.keep_leftover()) } else { None };
        let (old, expects) = (parts.version == Version::HTTP_10, parts.headers.contains_key(EXPECT));
        let refused = flight.rejection().map_or(Ok(()), Err);
        let checked = refused.and_then(|()| self.check(&mut parts, has_body));
        let sound = checked.is_ok();
        let response = match checked {
            Ok((connection, authority)) => {
                self.app.respond(&connection, Request::from_parts(parts, body), authority).await
            }
            Err(rejection) => {
                drop(body);
                self.app.reject(&self.connection, rejection)
            }
        };
        let cleared = self.clear(leftover, expects).await;
        let mut response = response.map(|body| Answer::new(body, flight));
        if !sound || !cleared || old || self.drain.is_stopping() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    /// Judges a head, and finds out who asks.
    fn check(
        &self,
        parts: &mut Parts,
        has_body: bool,
    ) -> Result<(Rc<Connection>, head::Authority), Rejection> {
        let authority = head::check(parts, self.connection.encrypted, has_body)?;
        Ok((self.as_asked(&mut parts.headers)?, authority))
    }

    /// The connection as a request with these headers sees it. No claim stays in the headers.
    fn as_asked(&self, headers: &mut HeaderMap) -> Result<Rc<Connection>, Rejection> {
        let client = self.connection.client;
        if !forwarded::is_claimed(headers) {
            return Ok(Rc::clone(&self.connection));
        }
        let trust = &self.door.trust;
        let asking = if trust.believes_headers(client) {
            forwarded::client(client, headers, |ip| trust.vouches(ip)).map_err(|_| GARBLED)?
        } else {
            self.app.turned_away(TurnedAway::ClaimIgnored);
            client
        };
        forwarded::strip(headers);
        if asking == client {
            return Ok(Rc::clone(&self.connection));
        }
        Ok(Rc::new(Connection { client: asking, ..(*self.connection).clone() }))
    }

    /// Reads away what the application left of a request body, before the answer: some clients never look at an
    /// answer while they still send. Returns whether nothing is left.
    async fn clear(&self, leftover: Option<Leftover>, expects: bool) -> bool {
        let Some(body) = leftover.and_then(|leftover| leftover.take()) else { return true };
        if expects && !body.was_asked() {
            // The client still waits to be told to send. It is told the answer instead (S-15).
            return false;
        }
        body.drain(self.settings.drain_bytes, self.settings.drain_time).await
    }
}
