//! Our parser against the router of a real registry: whatever we parse, it must read the same way, and the reverse.
//!
//! The registry's own log says how it read a path (`vars.name`, `vars.reference`, …). Without `docker-registry` on the
//! PATH there is nothing to compare with, and the test says so.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use http::{HeaderMap, Method};
use portcullis::clock::Entropy;
use portcullis::clock::SequenceEntropy;
use portcullis::registry::operation::{Operation, OperationKind};
use portcullis::registry::parse::{Unparsed, parse};

const PATHS: usize = 6000;
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(20);

/// What a router made of a path: the repository, the last part if it is a variable, and the kind of route.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Reading {
    Blob(String, String),
    Manifest(String, String),
    Tags(String),
    Upload(String, String),
    Uploads(String),
}

/// A registry that ends with the test.
struct Registry {
    child: Child,
    address: String,
    log: Receiver<String>,
    _data: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    /// Starts a registry on a free loopback port; `None` when there is no such program.
    fn start() -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("config.yml");
        let root = data.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {root:?}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: '127.0.0.1:0'}}\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        // Every inherited REGISTRY_* variable would change its configuration.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REGISTRY_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let (lines, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        let mut registry = Self { child, address: String::new(), log, _data: data };
        while registry.address.is_empty() {
            let line = registry.log.recv_timeout(PATIENCE).expect("the registry should say where it listens");
            let said = line.split_once("listening on ").and_then(|(_, rest)| rest.split_once('"'));
            registry.address = said.map_or_else(String::new, |(address, _)| address.to_owned());
        }
        Some(registry)
    }

    /// How the registry read each path so far. Each request is logged before its connection serves the next, so a last
    /// request marks the end.
    fn readings(&self) -> BTreeMap<String, Reading> {
        let mut readings = BTreeMap::new();
        loop {
            let line = self.log.recv_timeout(PATIENCE).expect("the registry should log the last request");
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
            let field = |name: &str| entry.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            let Some(uri) = field("http.request.uri") else { continue };
            if uri == "/v2/?end" {
                return readings;
            }
            let Some(name) = field("vars.name") else { continue };
            let parts = (field("vars.reference"), field("vars.digest"), field("vars.uuid"));
            let reading = match parts {
                (Some(reference), None, None) => Reading::Manifest(name, reference),
                (None, Some(digest), None) => Reading::Blob(name, digest),
                (None, None, Some(uuid)) => Reading::Upload(name, uuid),
                (None, None, None) if uri.ends_with("/blobs/uploads/") => Reading::Uploads(name),
                (None, None, None) => Reading::Tags(name),
                other => panic!("{uri} is read as {other:?}"),
            };
            readings.insert(uri, reading);
        }
    }
}

/// Sends one request on a connection that stays open and returns status and body.
fn exchange(stream: &mut BufReader<TcpStream>, target: &str) -> (u16, String) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: registry.test\r\nContent-Length: 0\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

/// Different paths over the words that make routes ambiguous.
fn paths() -> BTreeSet<String> {
    let words = [
        "a",
        "b",
        "manifests",
        "blobs",
        "uploads",
        "tags",
        "list",
        "referrers",
        "_catalog",
        DIGEST,
        "latest",
    ];
    let entropy = SequenceEntropy::seeded(27);
    let dice = |sides: usize| {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes);
        usize::from(u16::from_le_bytes(bytes)) % sides
    };
    let mut paths = BTreeSet::new();
    while paths.len() < PATHS {
        let mut path = "/v2".to_owned();
        for _ in 0..dice(7) + 1 {
            let known = if dice(8) == 0 { words.len() } else { 8 };
            path = format!("{path}/{}", words[dice(known)]);
        }
        match dice(10) {
            0 => path.push_str("/blobs/uploads/"),
            1 => path.push_str("/tags/list"),
            2 => path.push('/'),
            3 => path.push_str("/manifests/latest"),
            4 => path.push_str(&format!("/blobs/{DIGEST}")),
            5 => path.push_str("/blobs/uploads/latest"),
            _ => {}
        }
        paths.insert(path);
    }
    paths
}

/// How we read a path. The registry finds its routes without regard to the method, so it is asked with `GET` even where
/// only `POST` means something.
fn ours(path: &str) -> Option<Operation> {
    let read = |method: &Method| parse(method, path, None, &HeaderMap::new());
    match read(&Method::GET) {
        Err(Unparsed::MethodNotAllowed { allow: "POST" }) => read(&Method::POST).ok(),
        other => other.ok(),
    }
}

fn reading(operation: &Operation) -> Option<Reading> {
    let name = operation.repository()?.to_string();
    match operation {
        Operation::BlobRead { digest, .. } => Some(Reading::Blob(name, digest.to_string())),
        Operation::ManifestRead { reference, .. } => {
            Some(Reading::Manifest(name, reference.as_str().to_owned()))
        }
        Operation::TagList { .. } => Some(Reading::Tags(name)),
        Operation::UploadStart { .. } => Some(Reading::Uploads(name)),
        Operation::UploadStatus(session) => Some(Reading::Upload(name, session.id.as_str().to_owned())),
        // The registry under test has no such route.
        Operation::Referrers { .. } => None,
        other => panic!("{other:?}"),
    }
}

/// What the answer alone must look like for an operation on an empty registry.
fn fits(operation: &Operation, status: u16, body: &str) -> bool {
    let name = operation.repository().map(ToString::to_string).unwrap_or_default();
    match operation.kind() {
        OperationKind::BlobRead => status == 404 && body.contains("BLOB_UNKNOWN"),
        OperationKind::Catalog => status == 200 && body.contains("repositories"),
        OperationKind::ManifestRead => status == 404 && body.contains("MANIFEST_UNKNOWN"),
        OperationKind::Ping => status == 200,
        OperationKind::Referrers => status == 404 && body.contains("page not found"),
        OperationKind::TagList => status == 404 && body.contains(&format!("{{\"name\":\"{name}\"}}")),
        OperationKind::UploadStart => status == 404 && body.contains("BLOB_UPLOAD_UNKNOWN"),
        OperationKind::UploadStatus => status == 404 && body.contains("BLOB_UPLOAD_INVALID"),
        other => panic!("{other:?} was not asked for"),
    }
}

#[test]
fn a_real_registry_reads_every_path_as_we_do() {
    let Some(registry) = Registry::start() else {
        eprintln!("skipped: `docker-registry` is not on the PATH; install it to compare routers");
        return;
    };
    let stream = TcpStream::connect(&registry.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    let mut expected = BTreeMap::new();
    let (mut parsed, mut kinds) = (0, BTreeSet::new());
    for path in paths() {
        let (status, body) = exchange(&mut stream, &path);
        if let Some(operation) = ours(&path) {
            assert!(fits(&operation, status, &body), "{path} as {operation:?}: {status} {body}");
            parsed += 1;
            kinds.insert(operation.kind().label());
            if let Some(reading) = reading(&operation) {
                expected.insert(path, reading);
            }
        }
    }
    exchange(&mut stream, "/v2/?end");
    let readings = registry.readings();
    for (path, reading) in &expected {
        assert_eq!(readings.get(path), Some(reading), "{path}: the registry reads it otherwise");
    }
    for (path, reading) in &readings {
        assert_eq!(expected.get(path), Some(reading), "{path}: only the registry reads it so");
    }
    assert!(parsed > PATHS / 4 && kinds.len() >= 6, "too few paths were routes: {parsed} of {kinds:?}");
}
