//! docker-registry itself, asked without a proxy: over TLS, and over TLS with tokens that it verifies.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Contender, folder, free, pinned};
use crate::signed::{AUDIENCE, ISSUER, Papers};

/// Over TLS, for everybody.
pub(crate) fn open(papers: &Papers) -> Contender {
    let files = folder();
    let data = files.path().join("data");
    start("docker-registry", &data, "", None, files, papers)
}

/// Over TLS, for bearers of tokens, over what another one keeps.
pub(crate) fn guarded(other: &Contender, papers: &Papers) -> Contender {
    let bundle = papers.path("signer.crt");
    let asks = format!(
        "auth:\n  token:\n    realm: https://localhost/token\n    service: {AUDIENCE}\n    issuer: {ISSUER}\n    rootcertbundle: {bundle}\n"
    );
    let data = other.folder.path().join("data");
    start("docker-registry, token auth", &data, &asks, Some(&papers.token), folder(), papers)
}

fn start(
    name: &'static str,
    data: &Path,
    asks: &str,
    token: Option<&str>,
    files: tempfile::TempDir,
    papers: &Papers,
) -> Contender {
    let address = free();
    let tls =
        format!("  tls:\n    certificate: {}\n    key: {}\n", papers.path("tls.crt"), papers.path("tls.key"));
    let config = files.path().join("registry.yml");
    fs::write(&config, text(data, &address.to_string(), &tls, asks)).expect("a writable folder");
    let mut command = pinned("docker-registry");
    command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).env("GOMAXPROCS", "1");
    Contender::start(name, address, token, files, &mut command)
}

fn text(data: &Path, address: &str, tls: &str, asks: &str) -> String {
    let data = data.display();
    format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {data}\n  \
         redirect:\n    disable: true\nhttp:\n  addr: {address}\n{tls}{asks}"
    )
}

/// docker-registry as what is behind a proxy: plain HTTP, on the other processors.
pub(crate) struct Behind {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Behind {
    /// Its files are on a disk, for what is too large for memory.
    pub(crate) fn start() -> Self {
        let (address, files) = (free(), tempfile::tempdir().expect("a folder"));
        let config = files.path().join("registry.yml");
        let written = fs::write(&config, text(&files.path().join("data"), &address.to_string(), "", ""));
        written.expect("a writable folder");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("docker-registry is installed");
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self { address, child, _folder: files }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
