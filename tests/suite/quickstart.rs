//! `portcullis quickstart`: the lines that it prints are pasted into a shell, and do what they say.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

use tempfile::TempDir;

use crate::support::client::{Docker, Podman, Trust};
use crate::support::http::Http;
use crate::support::portcullis::{BINARY, listener};
use crate::support::process::{Running, bare, run};
use crate::support::registry::Registry;
use crate::support::wait::PATIENCE;
use crate::support::who::IAMAPIKEY;

const HELLO: &str = "/v2/my_namespace/hello-world/manifests/3.6";

/// A running quickstart. It ends in good order, because its registry would outlive it otherwise.
struct Quickstart {
    running: Running,
    printed: String,
}

impl Quickstart {
    fn start(directory: &Path, more: &[&str]) -> Self {
        let mut command = bare(BINARY);
        command.args(["quickstart", "--port", "0", "--data-dir"]).arg(directory).args(more);
        let mut running = Running::start(&mut command);
        let printed = running
            .await_log("the end of the block", |log| log.contains("Ctrl-C ends it.").then(|| log.to_owned()));
        Self { running, printed }
    }

    /// The lines to paste, with one of these programs in front.
    fn lines(&self, programs: &[&str]) -> Vec<&str> {
        let pasted = self.printed.lines().filter_map(|line| line.strip_prefix("  "));
        let lines: Vec<&str> = pasted
            .filter(|line| line.split(' ').next().is_some_and(|word| programs.contains(&word)))
            .collect();
        assert!(!lines.is_empty(), "{programs:?}: {}", self.printed);
        lines
    }

    /// The administrator, with the key that lies in the directory.
    fn administrator(&self, directory: &Path) -> Http {
        let key = fs::read_to_string(directory.join("admin.key")).unwrap();
        self.http(directory).basic(IAMAPIKEY, key.trim())
    }

    fn http(&self, directory: &Path) -> Http {
        Http::tls(listener(&self.printed, "registry"), &directory.join("ca.crt"))
    }

    /// Ctrl-C, which is a clean end.
    fn interrupt(&mut self) {
        self.running.signal("INT");
        assert_eq!(self.running.wait(PATIENCE).code(), Some(0), "{}", self.running.log());
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        self.running.end();
    }
}

fn place() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    (folder, directory)
}

#[test]
fn the_lines_that_quickstart_prints_work_as_printed_and_a_second_run_goes_on_from_the_first() {
    let (folder, directory) = place();
    let mut first = Quickstart::start(&directory, &[]);
    let docker = Docker::start(&Trust::Plain);
    let lines = first.lines(&["docker", "tar"]);
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        let done = docker.shell(line).must_succeed();
        assert!(!line.contains("login") || done.stdout.contains("Login Succeeded"), "{done:?}");
    }
    // The authority that the block names: no line turns verification off.
    let podman = Podman::new(&Trust::Authority(directory.join("ca.crt")));
    for line in first.lines(&["podman"]) {
        podman.shell(line).must_succeed();
    }
    for line in first.lines(&[BINARY]) {
        let mut shell = bare("sh");
        run(shell.args(["-c", line]).env("HOME", folder.path()), "").must_succeed();
    }

    let key = fs::read_to_string(directory.join("admin.key")).unwrap();
    assert!(first.printed.contains(key.trim()), "the key is shown once");
    assert_eq!(first.administrator(&directory).get(HELLO).status, 200);
    assert_eq!(first.http(&directory).get(HELLO).status, 401);
    let socket = directory.join("registry.sock");
    UnixStream::connect(&socket).unwrap();
    first.interrupt();
    assert!(UnixStream::connect(&socket).is_err(), "the registry outlives its quickstart");

    let mut second = Quickstart::start(&directory, &[]);
    assert_eq!(fs::read_to_string(directory.join("admin.key")).unwrap(), key);
    assert!(!second.printed.contains(key.trim()), "the key is shown again");
    docker.shell(second.lines(&["docker"])[0]).must_succeed();
    assert_eq!(second.administrator(&directory).get(HELLO).status, 200);
    second.interrupt();
}

#[test]
fn quickstart_shows_an_ecdsa_certificate_that_its_authority_signed() {
    let (folder, directory) = place();
    // Somebody else's registry: none is started.
    let registry = Registry::start();
    let mut quickstart = Quickstart::start(&directory, &["--upstream", &registry.url()]);
    let shown = folder.path().join("shown.der");
    fs::write(&shown, quickstart.http(&directory).certificate()).unwrap();
    let mut openssl = bare("openssl");
    openssl.args(["x509", "-inform", "DER", "-noout", "-text", "-in"]).arg(&shown);
    let text = run(&mut openssl, "").must_succeed().stdout;
    for expected in
        ["id-ecPublicKey", "prime256v1", "ecdsa-with-SHA256", "DNS:localhost", "IP Address:127.0.0.1"]
    {
        assert!(text.contains(expected), "`{expected}` is missing in\n{text}");
    }

    let administrator = quickstart.administrator(&directory);
    let image = crate::support::image::Image::tiny();
    assert_eq!(administrator.push(&image, "my_namespace/app", "1").status, 201);
    let direct = Http::plain(registry.address().parse().unwrap()).get("/v2/my_namespace/app/tags/list");
    assert_eq!((direct.status, &direct.json()["tags"][0]), (200, &"1".into()));
    assert!(!directory.join("registry.sock").exists() && !directory.join("registry").exists());
    quickstart.interrupt();
}
