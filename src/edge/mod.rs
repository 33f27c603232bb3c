//! Sockets to requests, and answers back: listening, TLS, HTTP, limits, draining.
//!
//! It decides only what any stranger's bytes must satisfy. Who may do what is decided behind it.

mod admission;
pub mod application;
pub mod body;
mod budget;
mod clear_text;
pub mod connection;
mod drain;
mod exchanges;
mod framing;
pub mod head;
pub mod listen;
mod local;
mod parked;
mod proxy_header;
pub mod rejection;
pub mod respond;
mod serve_connection;
mod service;
pub mod settings;
mod socket;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod trust;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::network::endpoint::Endpoint;
use admission::Admission;
use application::Application;
use drain::Drain;
use settings::Settings;
use tls::CertificateStore;
use trust::Trust;
use worker::{Door, Listening};

/// Where to listen, and as what.
#[derive(Clone, Debug)]
pub struct ListenerSpec {
    /// The address; port 0 picks a free port.
    pub address: SocketAddr,
    /// Which network connections to it come by.
    pub endpoint: Endpoint,
    /// The certificates; `None` serves HTTP/1.1 in clear text.
    pub tls: Option<Arc<CertificateStore>>,
    /// Whose word on the client's address is believed.
    pub trust: Trust,
}

/// The server. It has no state of its own: [`Edge::start`] is all there is.
#[derive(Clone, Copy, Debug)]
pub struct Edge;

/// A server that runs. Dropping it cuts all connections; [`Running::drain`] ends it in good order.
#[derive(Debug)]
pub struct Running {
    /// The address of every listener, in the order given, with the port that was chosen.
    pub addresses: Vec<SocketAddr>,
    drain: Drain,
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    ended: CancellationToken,
    thread: JoinHandle<()>,
}

impl Edge {
    /// Binds every listener, starts `workers` threads (at least one) and serves. Each thread makes its own
    /// application by calling `make_app` with its number, from 0, so that an application can be thread-local.
    ///
    /// # Errors
    /// When an address cannot be bound, a thread cannot be started or its event loop cannot be set up; then nothing is
    /// left running.
    pub fn start<A, F>(
        settings: Settings,
        listeners: Vec<ListenerSpec>,
        workers: usize,
        make_app: F,
    ) -> io::Result<Running>
    where
        A: Application,
        F: Fn(usize) -> A + Send + Clone + 'static,
    {
        let count = workers.max(1);
        let mut running =
            Running { addresses: Vec::new(), drain: Drain::default(), workers: Vec::with_capacity(count) };
        let mut shares: Vec<Vec<Listening>> = (0..count).map(|_| Vec::new()).collect();
        for (listener, spec) in listeners.into_iter().enumerate() {
            let sockets = listen::bind(spec.address, count)?;
            // Each has its own count: whoever fills the one for clients must not silence the one for health checks.
            let admission = Admission::new(settings.max_connections, settings.max_connections_per_address);
            running
                .addresses
                .push(sockets.first().map_or(Ok(spec.address), std::net::TcpListener::local_addr)?);
            for (share, socket) in shares.iter_mut().zip(sockets) {
                let door = Door {
                    listener,
                    endpoint: spec.endpoint,
                    tls: spec.tls.clone(),
                    trust: spec.trust.clone(),
                    admission: admission.clone(),
                };
                share.push(Listening { socket, door });
            }
        }
        let mut prepared = Vec::with_capacity(count);
        for (number, share) in shares.into_iter().enumerate() {
            let (settings, drain) = (settings.clone(), running.drain.clone());
            let make_app = make_app.clone();
            let (ready, is_ready) = mpsc::sync_channel(1);
            let say_ready = move || {
                let _ = ready.send(());
            };
            let work = move || worker::run(share, settings, drain, || make_app(number), say_ready);
            running.workers.push(Worker::spawn(number, work)?);
            prepared.push(is_ready);
        }
        // Whoever is told "ready" finds every event loop there, and no step left that could fail.
        for (number, is_ready) in prepared.into_iter().enumerate() {
            is_ready.recv().map_err(|_| io::Error::other(format!("worker {number} could not be set up")))?;
        }
        Ok(running)
    }
}

impl Worker {
    fn spawn(number: usize, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let ended = CancellationToken::new();
        // Cancelled however the thread ends, by a panic too.
        let guard = ended.clone().drop_guard();
        let thread = std::thread::Builder::new().name(format!("edge-{number}")).spawn(move || {
            let _guard = guard;
            if let Err(error) = work() {
                tracing::error!(%error, worker = number, "a worker cannot serve");
            }
        })?;
        Ok(Self { ended, thread })
    }
}

impl Running {
    /// How many connections are open, now and later.
    #[must_use]
    pub fn connections(&self) -> Arc<AtomicUsize> {
        self.drain.live()
    }

    /// How many connections are parked between two requests, now and later.
    #[must_use]
    pub fn parked(&self) -> watch::Receiver<usize> {
        self.drain.parked()
    }

    /// Waits until a worker ends. While nobody drains, that is a failure that the process should not outlive.
    pub async fn worker_ended(&self) {
        let waits = self.workers.iter().map(|worker| Box::pin(worker.ended.cancelled()));
        futures_util::future::select_all(waits).await;
    }

    /// Stops accepting, lets every connection finish its exchange and close, and cuts what is left after `grace`.
    /// Returns how many were cut.
    pub async fn drain(mut self, grace: Duration) -> usize {
        self.drain.stop();
        let all = async {
            for worker in &self.workers {
                worker.ended.cancelled().await;
            }
        };
        let finished = tokio::time::timeout(grace, all).await.is_ok();
        let cut = if finished { 0 } else { self.drain.cut() };
        for worker in std::mem::take(&mut self.workers) {
            worker.ended.cancelled().await;
            if worker.thread.join().is_err() {
                tracing::error!("a worker ended in a panic");
            }
        }
        cut
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.cut();
    }
}
