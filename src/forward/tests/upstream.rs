//! Upstreams for tests: one that plays raw bytes, and a real registry.

use std::cell::Cell;
use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A hand-written upstream, and how many connections it has taken.
pub(super) struct Raw {
    pub(super) url: String,
    pub(super) connections: Rc<Cell<usize>>,
}

/// Serves every connection with `play`, which gets its number, from 1.
pub(super) async fn raw<P, F>(play: P) -> Raw
where
    P: Fn(TcpStream, usize) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.set(count.get() + 1);
            tokio::task::spawn_local(play(stream, count.get()));
        }
    });
    Raw { url, connections }
}

/// Answers every request on every connection with the same bytes.
pub(super) async fn always(answer: impl Into<Vec<u8>>) -> Raw {
    let answer: Rc<Vec<u8>> = Rc::new(answer.into());
    raw(move |mut stream, _| {
        let answer = Rc::clone(&answer);
        async move {
            while !head(&mut stream).await.is_empty() {
                stream.write_all(&answer).await.ok();
            }
        }
    })
    .await
}

/// Reads one request head, byte by byte so that no body is swallowed; empty when the connection ends.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(read).unwrap()
}

/// A real registry with its storage in a directory of its own, killed when dropped.
pub(super) struct Registry {
    child: Child,
    pub(super) url: String,
    _directory: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts `docker-registry` or `registry`, on a unix socket or a free port.
pub(super) async fn registry(unix: bool) -> Registry {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap().to_owned();
    let (net, address, url) = if unix {
        ("unix", format!("{path}/r.sock"), format!("unix:{path}/r.sock"))
    } else {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        ("tcp", free.to_string(), format!("http://{free}"))
    };
    let config = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {path}/data}}\n  \
         delete: {{enabled: true}}\nhttp: {{net: {net}, addr: '{address}', secret: test}}\n"
    );
    std::fs::write(format!("{path}/config.yml"), config).unwrap();
    let inherited = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REGISTRY_"));
    let inherited: Vec<_> = inherited.map(|(name, _)| name).collect();
    let start = |program: &str| {
        let mut command = Command::new(program);
        inherited.iter().for_each(|name| {
            command.env_remove(name);
        });
        command
            .args(["serve", &format!("{path}/config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    };
    let child = start("docker-registry").or_else(|_| start("registry"));
    let child = child.expect("install a registry: apt-get install docker-registry");
    let registry = Registry { child, url, _directory: directory };
    let forwarder = super::Forwarder::new(super::settings(&registry.url)).unwrap();
    // Nothing announces that the registry listens; asking is the only way to know.
    while forwarder.probe().await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    registry
}
