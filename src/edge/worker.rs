//! One thread, one event loop: accepts on all listeners and serves what it accepted to its end.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::admission::{Admission, Share};
use super::application::Application;
use super::connection::Connection;
use super::drain::Drain;
use super::exchanges::Exchanges;
use super::listen;
use super::local::contained;
use super::serve_connection::Server;
use super::settings::Settings;
use super::socket::Socket;
use super::tls::CertificateStore;
use super::trust::Trust;
use crate::client::address::{ClientAddr, Provenance};
use crate::network::endpoint::Endpoint;
use crate::record::metrics::TurnedAway;

/// One listening socket of one worker.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) socket: std::net::TcpListener,
    pub(super) door: Door,
}

/// What is the same for all connections of a listener.
#[derive(Debug)]
pub(super) struct Door {
    /// The listener's position in the configuration.
    pub(super) listener: usize,
    pub(super) endpoint: Endpoint,
    pub(super) tls: Option<Arc<CertificateStore>>,
    /// Whose word on the client's address is believed.
    pub(super) trust: Trust,
    /// Who may still connect to this listener, on any worker.
    pub(super) admission: Admission,
}

impl Door {
    /// The share of `client` in the connections of this listener. A trusted proxy has none of its own: it comes for many.
    pub(super) fn share(&self, client: ClientAddr) -> Result<Option<Share>, TurnedAway> {
        let vouched = self.trust.vouches(client.ip());
        if self.trust.proxy_protocol && client.provenance() == Provenance::Socket && !vouched {
            return Err(TurnedAway::ProxyUntrusted);
        }
        if vouched {
            Ok(None)
        } else {
            self.admission.share(client.ip()).map_err(|_| TurnedAway::AddressFull)
        }
    }
}

/// How many of a worker's calls may wait for a disk or a name server at once.
const BLOCKING: usize = 32;

/// Serves until told to stop, and then until every connection is done or cut. Says so once nothing can fail any more.
///
/// # Errors
/// When the event loop cannot be set up; never after that.
pub(super) fn run<A: Application>(
    listening: Vec<Listening>,
    settings: Settings,
    drain: Drain,
    make_app: impl FnOnce() -> A,
    say_ready: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // They read and write files of layers; more at once would not make a disk faster.
        .max_blocking_threads(BLOCKING)
        .build_local(tokio::runtime::LocalOptions::default())?;
    runtime.block_on(async {
        let server = Server { app: make_app(), settings: Rc::new(settings), drain: drain.clone() };
        let connections = TaskTracker::new();
        let accepting = TaskTracker::new();
        for one in listening {
            let Listening { socket, door } = one;
            let (server, connections) = (server.clone(), connections.clone());
            let acceptor = Acceptor { door: Rc::new(door), server, connections };
            accepting.spawn_local(contained(acceptor.run(TcpListener::from_std(socket)?)));
        }
        accepting.close();
        say_ready();
        tokio::select! {
            () = async { accepting.wait().await; connections.close(); connections.wait().await } => {}
            () = drain.was_cut() => {}
        }
        Ok(())
    })
}

struct Acceptor<A> {
    door: Rc<Door>,
    server: Server<A>,
    connections: TaskTracker,
}

impl<A: Application> Acceptor<A> {
    async fn run(self, socket: TcpListener) {
        self.accept_until_stopped(&socket).await;
        if let Ok(socket) = socket.into_std() {
            self.accept_the_last(&socket).await;
        }
    }

    async fn accept_until_stopped(&self, socket: &TcpListener) {
        let mut pause = Pause::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.server.drain.stopped() => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = Pause::default();
                    self.admit(stream, peer).await;
                }
                Err(error) if concerns_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, listener = self.door.listener, "cannot accept connections; trying again");
                    tokio::time::sleep(pause.next()).await;
                }
            }
        }
    }

    /// Whoever the kernel has connected already would see a reset when the socket closes; they are served like the
    /// others. The event loop may not know of them yet, so the kernel is asked.
    async fn accept_the_last(&self, socket: &std::net::TcpListener) {
        for _ in 0..listen::BACKLOG {
            let Ok((stream, peer)) = socket.accept() else { return };
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.admit(stream, peer).await;
            }
        }
    }

    async fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        let client = ClientAddr::from_socket(peer);
        let share = match self.door.share(client) {
            Ok(share) => share,
            Err(refused) => return self.server.app.turned_away(refused),
        };
        let Some(room) = self.door.admission.room().await else { return };
        let connection = Connection {
            listener: self.door.listener,
            endpoint: self.door.endpoint,
            client,
            local,
            server_name: None,
            certificate: None,
            encrypted: false,
        };
        let held = (room, share, self.server.drain.count());
        self.connections.spawn_local(self.serve(stream, connection, held));
    }

    /// A connection from its first byte to its last; `held` is given back with it.
    fn serve<H>(
        &self,
        stream: TcpStream,
        connection: Connection,
        held: H,
    ) -> impl Future<Output = ()> + use<A, H> {
        let (server, door) = (self.server.clone(), Rc::clone(&self.door));
        contained(async move {
            let _held = held;
            let (exchanges, from) = (Exchanges::new(), connection.client.ip());
            let socket = Socket::new(stream, Rc::clone(&exchanges));
            if let Err(reason) = server.serve(socket, exchanges, connection, &door).await {
                tracing::debug!(%from, %reason, "connection ended");
            }
        })
    }
}

/// Errors of a connection that was gone before it was accepted (accept(2)).
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Out of file descriptors or memory: waiting is all that helps, and trying at once would only burn the processor.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(10))
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Duration::from_millis(100));
        now
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::task::TaskTracker;

    use super::{
        Acceptor, Admission, Application, Connection, Door, Drain, Endpoint, Pause, Server, Settings,
    };
    use super::{ClientAddr, Trust, TurnedAway};
    use crate::edge::body::RequestBody;
    use crate::edge::head::Authority;
    use crate::edge::rejection::Rejection;

    /// The most bytes of a connection's task, which it takes as long as the connection lasts, idle or not.
    const TASK: usize = 1024;

    #[derive(Clone)]
    struct Mute;

    impl Application for Mute {
        type Body = Full<Bytes>;

        async fn respond(
            &self,
            _: &Rc<Connection>,
            _: Request<RequestBody>,
            _: Authority,
        ) -> Response<Self::Body> {
            Response::default()
        }

        fn turned_away(&self, _: TurnedAway) {}

        fn reject(&self, _: &Rc<Connection>, _: Rejection) -> Response<Self::Body> {
            Response::default()
        }
    }

    #[tokio::test]
    async fn a_connection_is_a_small_task() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = listener.local_addr().unwrap();
        let stream = TcpStream::connect(local).await.unwrap();
        let client = ClientAddr::from_socket(stream.local_addr().unwrap());
        let (admission, trust) = (Admission::new(1, None), Trust::default());
        let door = Door { listener: 0, endpoint: Endpoint::Public, tls: None, trust, admission };
        let server = Server { app: Mute, settings: Rc::new(Settings::default()), drain: Drain::default() };
        let acceptor = Acceptor { door: Rc::new(door), server, connections: TaskTracker::new() };
        let connection = Connection {
            listener: 0,
            endpoint: Endpoint::Public,
            client,
            local,
            server_name: None,
            certificate: None,
            encrypted: false,
        };
        let room = acceptor.door.admission.room().await.unwrap();
        let share = acceptor.door.share(client).unwrap();
        let held = (room, share, acceptor.server.drain.count());
        let size = size_of_val(&acceptor.serve(stream, connection, held));
        assert!(size <= TASK, "{size}");
    }

    #[test]
    fn pauses_grow_from_10_to_100_milliseconds() {
        let mut pause = Pause::default();
        let pauses: Vec<u128> = (0..6).map(|_| pause.next().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 100, 100]);
    }
}
