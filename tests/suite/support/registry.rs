//! A real registry, Debian's docker-registry, on a loopback port of its own with storage of its own.

use std::fs;
use std::net::TcpStream;

use tempfile::TempDir;

use super::process::{Running, bare};
use super::wait::{PATIENCE, until};

/// A registry that anyone may use. It goes away with this value, images included.
pub(crate) struct Registry {
    folder: TempDir,
    port: u16,
    running: Running,
}

impl Registry {
    /// Starts an empty one on a free port.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, port) = launch(&folder, 0);
        Self { folder, port, running }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Stops it in good order.
    pub(crate) fn stop(&mut self) {
        self.running.stop();
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }

    /// Starts it again on the same port with the same images.
    pub(crate) fn restart(&mut self) {
        self.running.kill();
        (self.running, self.port) = launch(&self.folder, self.port);
    }
}

fn launch(folder: &TempDir, port: u16) -> (Running, u16) {
    let settings = folder.path().join("registry.yml");
    fs::write(&settings, settings_text(folder, port)).unwrap();
    // No inherited environment: it reads every variable that begins with REGISTRY_ as a setting.
    let mut command = bare("docker-registry");
    command.arg("serve").arg(&settings).env("HOME", folder.path()).env("OTEL_TRACES_EXPORTER", "none");
    let mut running = Running::start(&mut command);
    let port = running.await_log("the port", port_in);
    until("the registry's socket", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
    (running, port)
}

/// `… msg="listening on 127.0.0.1:41234" …`
fn port_in(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("listening on 127.0.0.1:")?;
    let (port, _) = rest.split_once('"')?;
    port.parse().ok()
}

fn settings_text(folder: &TempDir, port: u16) -> String {
    let root = folder.path().join("images");
    format!(
        r"version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: '127.0.0.1:{port}', secret: one-for-all-restarts}}
",
        root.display()
    )
}
