//! One accepted connection, from its first byte to its last.
//!
//! It decides how long each phase may take and which HTTP version is spoken; what is answered is the application's.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::application::Application;
use super::body::{Leftover, RequestBody};
use super::clear_text;
use super::connection::Connection;
use super::drain::Drain;
use super::exchanges::{Answer, Exchanges, InFlight, Patience};
use super::framing::StrictHttp1;
use super::head;
use super::local::LocalExecutor;
use super::parked::{Parked, Woken};
use super::settings::Settings;
use super::socket::Socket;
use super::tls::CertificateStore;
use crate::ids::host::HostName;

const HEAD_BYTES: u32 = 32 * 1024;
const READ_BUFFER: usize = 64 * 1024;
const TLS_BUFFER: usize = 256 * 1024;
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// How long a connection that was told to close may take to do so.
const CLOSING: Duration = Duration::from_secs(10);
/// How long a connection that has not asked anything yet may still do so after the server was told to stop.
const LAST_CALL: Duration = Duration::from_secs(1);

/// What every connection of a worker is served with.
#[derive(Clone)]
pub(super) struct Server<A> {
    pub(super) app: A,
    pub(super) settings: Rc<Settings>,
    pub(super) drain: Drain,
}

/// How driving a connection ended.
enum Driven<T> {
    /// It is over.
    Ended(T),
    /// Nothing has gone on for a while.
    Resting,
}

/// Why a connection ended other than by agreement; for the log at debug level, as most of it is anybody's doing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("the client did not speak TLS")]
    ClearText,
    #[error("the client let a time limit pass")]
    Timeout,
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl<A: Application> Server<A> {
    /// Serves `socket` until it is closed.
    pub(super) async fn serve(
        self,
        socket: Socket,
        exchanges: Rc<Exchanges>,
        mut connection: Connection,
        tls: Option<&CertificateStore>,
    ) -> Result<(), Ended> {
        let Some(store) = tls else { return self.http1(socket, exchanges, connection).await };
        let end = Instant::now() + self.settings.handshake;
        match Box::pin(timeout_at(end, clear_text::is_spoken(&socket))).await {
            Err(_) => return Err(Ended::HandshakeTimeout),
            Ok(Err(error)) => return Err(Ended::Handshake(error)),
            Ok(Ok(true)) => {
                Box::pin(clear_text::refuse(socket, self.settings.drain_time)).await;
                return Err(Ended::ClearText);
            }
            Ok(Ok(false)) => {}
        }
        let acceptor = TlsAcceptor::from(store.current());
        let handshake = acceptor.accept_with(socket, |tls| tls.set_buffer_limit(Some(TLS_BUFFER)));
        // Boxed, and so is the session: a future is as large as the sum of what moves through it, for the connection's
        // whole life, and a TLS session has some 2 KiB.
        let stream = match Box::pin(timeout_at(end, handshake)).await {
            Err(_) => return Err(Ended::HandshakeTimeout),
            Ok(Err(error)) => return Err(Ended::Handshake(error)),
            Ok(Ok(stream)) => Box::new(stream),
        };
        let session = stream.get_ref().1;
        connection.server_name = session.server_name().and_then(|name| HostName::parse(name).ok());
        connection.encrypted = true;
        // The protocol is what was agreed on, never what the first bytes look like (security.md S-40).
        if session.alpn_protocol() == Some(b"h2") {
            Box::pin(self.http2(stream, exchanges, connection)).await
        } else {
            Box::pin(self.http1(stream, exchanges, connection)).await
        }
    }

    async fn http1<Io>(self, io: Io, exchanges: Rc<Exchanges>, connection: Connection) -> Result<(), Ended>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let mut strict = StrictHttp1::new(io, Rc::clone(&exchanges), self.settings.drain_time);
        let service = Service::new(&self, connection);
        loop {
            let busy = Box::pin(self.http1_until_idle(strict, &service, &exchanges));
            let Some(resting) = busy.await? else { return Ok(()) };
            let mut parked = Parked::new(resting);
            let woken = self.drive(Pin::new(&mut parked), Parked::close, &exchanges, None).await?;
            strict = parked.into_stream();
            match woken {
                Driven::Ended(Ok(Woken::Request)) => {}
                Driven::Ended(Ok(Woken::Close)) | Driven::Resting => {
                    // The client may have gone already: that is no news.
                    let _ = strict.shutdown().await;
                    return Ok(());
                }
                Driven::Ended(Err(_)) => return Ok(()),
            }
        }
    }

    /// Serves requests until the connection ends, or rests: then its stream is given back.
    async fn http1_until_idle<Io>(
        &self,
        strict: StrictHttp1<Io>,
        service: &Rc<Service<A>>,
        exchanges: &Rc<Exchanges>,
    ) -> Result<Option<StrictHttp1<Io>>, Ended>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (service, flights) = (Rc::clone(service), Rc::clone(exchanges));
        let mut conn = http1::Builder::new()
            .header_read_timeout(None)
            .max_headers(100)
            .max_buf_size(READ_BUFFER)
            .serve_connection(
                TokioIo::new(strict),
                service_fn(move |request| Rc::clone(&service).answer_http1(request, flights.begin())),
            );
        let close = http1::Connection::graceful_shutdown;
        match self.drive(Pin::new(&mut conn), close, exchanges, Some(self.settings.park)).await? {
            Driven::Ended(result) => result.map(|()| None).map_err(Ended::Http),
            Driven::Resting => {
                let parts = conn.into_parts();
                let mut strict = parts.io.into_inner();
                strict.put_back(&parts.read_buf);
                Ok(Some(strict))
            }
        }
    }

    async fn http2<Io>(self, io: Io, exchanges: Rc<Exchanges>, connection: Connection) -> Result<(), Ended>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = Service::new(&self, connection);
        let flights = Rc::clone(&exchanges);
        let mut conn = http2::Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER)
            .max_concurrent_streams(self.settings.max_streams)
            .max_header_list_size(HEAD_BYTES)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .serve_connection(
                TokioIo::new(io),
                service_fn(move |request| Rc::clone(&service).answer_http2(request, flights.begin())),
            );
        match self.drive(Pin::new(&mut conn), http2::Connection::graceful_shutdown, &exchanges, None).await? {
            Driven::Ended(result) => Ok(result?),
            Driven::Resting => Ok(()),
        }
    }

    /// Polls a connection to its end, watches its time limits, and passes on the call to stop. With `rest`, it also comes
    /// back when nothing has gone on for that long.
    async fn drive<C: Future>(
        &self,
        mut conn: Pin<&mut C>,
        close: impl Fn(Pin<&mut C>),
        exchanges: &Exchanges,
        rest: Option<Duration>,
    ) -> Result<Driven<C::Output>, Ended> {
        let mut closing: Option<Instant> = None;
        let mut stopping = false;
        let alarm = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(alarm);
        loop {
            let told_to_stop = async {
                if stopping || closing.is_some() {
                    std::future::pending().await
                } else {
                    self.drain.stopped().await
                }
            };
            tokio::select! {
                biased;
                result = conn.as_mut() => return Ok(Driven::Ended(result)),
                () = told_to_stop => {
                    stopping = true;
                    if !exchanges.is_untouched() {
                        close(conn.as_mut());
                        continue;
                    }
                    alarm.as_mut().reset(Instant::now() + LAST_CALL);
                }
                () = alarm.as_mut() => {
                    let now = Instant::now();
                    if stopping {
                        close(conn.as_mut());
                    }
                    let rested = rest.zip(exchanges.resting_since()).is_some_and(|(rest, since)| since + rest <= now);
                    if rested && !stopping && closing.is_none() {
                        return Ok(Driven::Resting);
                    }
                    let next = match (closing, exchanges.patience(&self.settings)) {
                        (Some(end), _) | (None, Patience::CutAt(end)) if end <= now => return Err(Ended::Timeout),
                        (None, Patience::CloseAt(end)) if end <= now => {
                            close(conn.as_mut());
                            *closing.insert(now + CLOSING)
                        }
                        (Some(end), _) | (None, Patience::CutAt(end) | Patience::CloseAt(end)) => end,
                        (None, Patience::Endless) => now + self.settings.idle,
                    };
                    let look_again = self.longest_sleep().min(rest.unwrap_or(Duration::MAX));
                    alarm.as_mut().reset(next.min(now + look_again));
                }
            }
        }
    }

    /// Limits that begin while the alarm sleeps are noticed at most this much late.
    fn longest_sleep(&self) -> Duration {
        let settings = &self.settings;
        settings.first_byte.min(settings.header).min(settings.idle).min(settings.write_stall) / 2
    }
}

/// The application, bound to one connection.
struct Service<A> {
    app: A,
    connection: Rc<Connection>,
    settings: Rc<Settings>,
    drain: Drain,
}

impl<A: Application> Service<A> {
    fn new(server: &Server<A>, connection: Connection) -> Rc<Self> {
        Rc::new(Self {
            app: server.app.clone(),
            connection: Rc::new(connection),
            settings: Rc::clone(&server.settings),
            drain: server.drain.clone(),
        })
    }

    async fn answer_http2(
        self: Rc<Self>,
        request: Request<Incoming>,
        flight: InFlight,
    ) -> Result<Response<Answer<A::Body>>, Infallible> {
        let (parts, incoming) = request.into_parts();
        let has_body = !incoming.is_end_stream();
        let response = match head::check(&parts, self.connection.encrypted, has_body) {
            Ok(authority) => {
                let body = RequestBody::from_client(incoming, self.settings.body_stall);
                self.app.respond(&self.connection, Request::from_parts(parts, body), authority).await
            }
            Err(rejection) => self.app.reject(&self.connection, rejection),
        };
        Ok(response.map(|body| Answer::new(body, flight)))
    }

    async fn answer_http1(
        self: Rc<Self>,
        request: Request<Incoming>,
        flight: InFlight,
    ) -> Result<Response<Answer<A::Body>>, Infallible> {
        let (parts, incoming) = request.into_parts();
        let mut body = RequestBody::from_client(incoming, self.settings.body_stall);
        let has_body = !body.is_end_stream();
        let leftover = if has_body { Some(body.keep_leftover()) } else { None };
        let (old, expects) = (parts.version == Version::HTTP_10, parts.headers.contains_key(EXPECT));
        let refused = flight.rejection().map_or(Ok(()), Err);
        let checked = refused.and_then(|()| head::check(&parts, self.connection.encrypted, has_body));
        let sound = checked.is_ok();
        let response = match checked {
            Ok(authority) => {
                self.app.respond(&self.connection, Request::from_parts(parts, body), authority).await
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

    /// Reads away what the application left of a request body, before the answer: some clients never look at an
    /// answer while they still send (protocol.md fact 8). Returns whether nothing is left.
    async fn clear(&self, leftover: Option<Leftover>, expects: bool) -> bool {
        let Some(body) = leftover.and_then(|leftover| leftover.take()) else { return true };
        if expects && !body.was_asked() {
            // The client still waits to be told to send. It is told the answer instead (security.md S-15).
            return false;
        }
        body.drain(self.settings.drain_bytes, self.settings.drain_time).await
    }
}
