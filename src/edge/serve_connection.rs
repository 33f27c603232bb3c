//! One accepted connection, from its first byte to its last.
//!
//! It decides how long each phase may take and which HTTP version is spoken; what is answered is the application's.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::admission::Share;
use super::application::Application;
use super::budget::Budgeted;
use super::clear_text;
use super::connection::Connection;
use super::drain::Drain;
use super::exchanges::{Exchanges, Patience};
use super::framing::StrictHttp1;
use super::local::LocalExecutor;
use super::parked::{Parked, Woken};
use super::proxy_header::{self, Unread};
use super::service::Service;
use super::settings::Settings;
use super::socket::Socket;
use super::tls::ACME;
use super::worker::Door;
use crate::client::address::ClientAddr;
use crate::client::certificate::{self, ClientCertificate};
use crate::client::proxy::Source;
use crate::ids::host::HostName;
use crate::record::metrics::TurnedAway;

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
    #[error("the client has as many connections as it may")]
    Full,
    #[error("the PROXY header took too long")]
    ProxyTimeout,
    #[error(transparent)]
    Proxy(#[from] Unread),
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error(transparent)]
    Certificate(#[from] certificate::Unreadable),
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
        mut socket: Socket,
        exchanges: Rc<Exchanges>,
        mut connection: Connection,
        door: &Rc<Door>,
    ) -> Result<(), Ended> {
        let end = Instant::now() + self.settings.handshake;
        let _share = if door.trust.proxy_protocol {
            Box::pin(self.introduced(&mut socket, &mut connection, door, end)).await?
        } else {
            None
        };
        let Some(store) = &door.tls else {
            let service = Service::new(&self, connection, door);
            return Box::pin(self.http1(socket, exchanges, service)).await;
        };
        match Box::pin(timeout_at(end, clear_text::is_spoken(&socket))).await {
            Err(_) => return Err(Ended::HandshakeTimeout),
            Ok(Err(error)) => return Err(Ended::Handshake(error)),
            Ok(Ok(true)) => {
                Box::pin(clear_text::refuse(socket, self.settings.drain_time)).await;
                return Err(Ended::ClearText);
            }
            Ok(Ok(false)) => {}
        }
        let terms = store.current();
        let acceptor = TlsAcceptor::from(terms.config);
        let handshake = acceptor.accept_with(socket, |tls| tls.set_buffer_limit(Some(TLS_BUFFER)));
        // Boxed, and so is the session: a future is as large as the sum of what moves through it, for the connection's
        // whole life, and a TLS session has some 2 KiB.
        let stream = match Box::pin(timeout_at(end, handshake)).await {
            Err(_) => return Err(Ended::HandshakeTimeout),
            Ok(Err(error)) => return Err(Ended::Handshake(error)),
            Ok(Ok(stream)) => Box::new(stream),
        };
        let session = stream.get_ref().1;
        if session.alpn_protocol() == Some(ACME) {
            // Who looks for a proof has seen it in the handshake, and asks for nothing else (RFC 8737 §4).
            return Ok(());
        }
        connection.server_name = session.server_name().and_then(|name| HostName::parse(name).ok());
        connection.encrypted = true;
        // The handshake has failed already for a certificate that is not to be believed.
        if let Some(shown) = session.peer_certificates().and_then(<[_]>::first) {
            connection.certificate = Some(Arc::new(ClientCertificate::read(shown, terms.naming)?));
        }
        // The protocol is what was agreed on, never what the first bytes look like (S-40).
        let second = session.alpn_protocol() == Some(b"h2");
        let service = Service::new(&self, connection, door);
        if second {
            Box::pin(self.http2(stream, exchanges, service)).await
        } else {
            Box::pin(self.http1(stream, exchanges, service)).await
        }
    }

    /// Hears from a trusted proxy who the client is, and gives that client its share of the connections.
    async fn introduced(
        &self,
        socket: &mut Socket,
        connection: &mut Connection,
        door: &Door,
        end: Instant,
    ) -> Result<Option<Share>, Ended> {
        let turned_away = |because, ended| {
            self.app.turned_away(because);
            Err(ended)
        };
        match timeout_at(end, proxy_header::take(socket)).await {
            Err(_) => return turned_away(TurnedAway::ProxyTimeout, Ended::ProxyTimeout),
            Ok(Err(unread)) => return turned_away(TurnedAway::ProxyMalformed, Ended::Proxy(unread)),
            Ok(Ok(Source::Peer)) => {}
            Ok(Ok(Source::Stated(ip))) => connection.client = ClientAddr::from_proxy_header(ip),
        }
        door.share(connection.client).or_else(|because| turned_away(because, Ended::Full))
    }

    async fn http1<Io>(self, io: Io, exchanges: Rc<Exchanges>, service: Rc<Service<A>>) -> Result<(), Ended>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let mut strict = StrictHttp1::new(io, Rc::clone(&exchanges), self.settings.drain_time);
        loop {
            let busy = Box::pin(self.http1_until_idle(strict, &service, &exchanges));
            let Some(resting) = busy.await? else { return Ok(()) };
            let mut parked = Parked::new(resting);
            let counted = self.drain.count_parked();
            let woken = self.drive(Pin::new(&mut parked), Parked::close, &exchanges, None).await?;
            drop(counted);
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

    async fn http2<Io>(self, io: Io, exchanges: Rc<Exchanges>, service: Rc<Service<A>>) -> Result<(), Ended>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
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
                TokioIo::new(Budgeted::new(io)),
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
