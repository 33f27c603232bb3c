//! A way to a PostgreSQL server that can be cut at the worst moment, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::address::{Host, Server};

/// Where the way is cut, once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Cut {
    Nowhere,
    /// The server never hears of the commit.
    BeforeCommit,
    /// The server has committed, and its answer is lost.
    AfterCommit,
}

/// The way; it ends with the test's runtime.
pub(super) struct Proxy {
    pub(super) server: Server,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    pub(super) async fn before(server: &Server) -> Self {
        let Host::Socket(directory) = &server.host else { panic!("no socket") };
        let socket = directory.join(format!(".s.PGSQL.{}", server.port));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicU8::new(Cut::Nowhere as u8));
        let mut way = server.clone();
        (way.host, way.port) = (Host::Name("127.0.0.1".to_owned()), port);
        let armed = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = UnixStream::connect(&socket).await else { continue };
                tokio::spawn(carry(near, far, Arc::clone(&armed)));
            }
        });
        Self { server: way, cut }
    }

    /// The next commit is where it is cut.
    pub(super) fn cut(&self, where_: Cut) {
        self.cut.store(where_ as u8, Ordering::SeqCst);
    }
}

async fn carry(mut near: TcpStream, mut far: UnixStream, armed: Arc<AtomicU8>) {
    let (mut there, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut is_lost = false;
    loop {
        tokio::select! {
            read = near.read(&mut there) => {
                let Ok(length @ 1..) = read else { return };
                if there[..length].windows(7).any(|word| word.eq_ignore_ascii_case(b"commit\0")) {
                    let cut = armed.swap(Cut::Nowhere as u8, Ordering::SeqCst);
                    if cut == Cut::BeforeCommit as u8 {
                        return;
                    }
                    is_lost = cut == Cut::AfterCommit as u8;
                }
                far.write_all(&there[..length]).await.unwrap();
            }
            read = far.read(&mut back) => {
                let Ok(length @ 1..) = read else { return };
                if is_lost || near.write_all(&back[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
