//! Who takes part: servers, each on the contenders' processor, asked over TLS with one and the same certificate.

pub(crate) mod haproxy;
pub(crate) mod nginx;
pub(crate) mod portcullis;
pub(crate) mod registry;

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::processor;

/// One server; it is stopped with this value.
pub(crate) struct Contender {
    /// What it is called in the results.
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    /// The token that requests carry, if it asks for one.
    pub(crate) token: Option<String>,
    child: Child,
    /// Its files.
    pub(crate) folder: TempDir,
}

impl Contender {
    fn start(
        name: &'static str,
        address: SocketAddr,
        token: Option<&str>,
        folder: TempDir,
        command: &mut Command,
    ) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        let contender = Self { name, address, token: token.map(str::to_owned), child, folder };
        contender.await_port();
        contender
    }

    fn await_port(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(self.address).is_err() {
            assert!(Instant::now() < until, "{} does not listen", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Its processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let main = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
        std::iter::once(main).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A program that is to run on the contenders' processor alone.
fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", processor::CONTENDER, program]);
    command
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Where files are kept that must not wait for a disk.
fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
