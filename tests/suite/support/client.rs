//! The real clients: docker with a daemon of its own, podman and skopeo.
//!
//! Each lives in a temporary folder: credentials, images and sockets are nobody else's and leave with the value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::hosts::Inside;
use super::image::{Image, sha256};
use super::process::{Finished, Running, bare, run};
use super::wait::{PATIENCE, until};

/// Whether a client meets the registry over TLS, and whom it believes there.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// No TLS.
    Plain,
    /// TLS, with certificates from the authority in this PEM file.
    Authority(PathBuf),
}

/// A command, on this machine or inside another one.
fn program(at: Option<&Inside>, name: &str) -> Command {
    at.map_or_else(|| bare(name), |inside| inside.command(name))
}

/// What every client can do. References are written `HOST:PORT/name:tag`.
pub(crate) trait Client: Sync {
    /// Logs in, with the password on the standard input.
    fn login(&self, host: &str, user: &str, password: &str) -> Finished;
    /// Forgets the login.
    fn logout(&self, host: &str) -> Finished;
    /// Takes an image in, under the name that it will be pushed to.
    fn load(&self, image: &Image, to: &str);
    /// Pushes an image that it has taken in.
    fn push_loaded(&self, image: &Image, to: &str) -> Finished;
    /// Takes an image in and pushes it.
    fn push(&self, image: &Image, to: &str) -> Finished {
        self.load(image, to);
        self.push_loaded(image, to)
    }
    /// Pulls an image.
    fn pull(&self, from: &str) -> Finished;
    /// The ID of an image that was pulled: the digest of its config.
    fn id_of(&self, pulled: &str) -> String;
}

/// docker, with a dockerd that has no network bridge and no rules in the firewall.
pub(crate) struct Docker {
    folder: TempDir,
    daemon: Running,
}

impl Docker {
    pub(crate) fn start(trust: &Trust) -> Self {
        Self::start_at(None, trust)
    }

    /// On a machine.
    pub(crate) fn start_at(at: Option<Inside>, trust: &Trust) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut command = program(at.as_ref(), "dockerd");
        command.arg("--host").arg(socket(folder.path()));
        command.arg("--data-root").arg(path("data")).arg("--exec-root").arg(path("exec"));
        command.arg("--pidfile").arg(path("dockerd.pid")).arg("--config-file").arg(path("daemon.json"));
        command.args(["--storage-driver=vfs", "--bridge=none", "--iptables=false", "--ip6tables=false"]);
        command.args(["--ip-forward=false", "--max-download-attempts=1"]).env("HOME", folder.path());
        // It takes 127.0.0.0/8 and localhost unverified; any other name is checked against this.
        if let Trust::Authority(ca) = trust {
            command.env("SSL_CERT_FILE", ca);
        }
        fs::write(path("daemon.json"), "{}").unwrap();
        let mut daemon = Running::start(&mut command);
        daemon.await_log("the API", |log| log.contains("API listen on").then_some(()));
        let docker = Self { folder, daemon };
        until("an answer of dockerd", PATIENCE, || {
            (run(&mut docker.command(&["info"]), "").code == Some(0)).then_some(())
        });
        docker
    }

    /// What a docker that somebody else starts must find in its environment to be this one.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let config = self.folder.path().join("config");
        [("DOCKER_HOST", socket(self.folder.path())), ("DOCKER_CONFIG", config.display().to_string())]
    }

    /// A line for the shell, as somebody would paste it.
    pub(crate) fn shell(&self, line: &str) -> Finished {
        let mut command = bare("sh");
        command.args(["-c", line]).env("HOME", self.folder.path()).envs(self.environment());
        run(&mut command, "")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare("docker");
        command.arg("--host").arg(socket(self.folder.path())).args(arguments);
        command.env("HOME", self.folder.path()).env("DOCKER_CONFIG", self.folder.path().join("config"));
        command
    }
}

impl Drop for Docker {
    /// In good order, so that its containerd goes with it.
    fn drop(&mut self) {
        self.daemon.end();
    }
}

fn socket(folder: &Path) -> String {
    format!("unix://{}", folder.join("docker.sock").display())
}

impl Client for Docker {
    fn login(&self, host: &str, user: &str, password: &str) -> Finished {
        run(&mut self.command(&["login", "-u", user, "--password-stdin", host]), password)
    }

    fn logout(&self, host: &str) -> Finished {
        run(&mut self.command(&["logout", host]), "")
    }

    fn load(&self, image: &Image, to: &str) {
        let archive = self.folder.path().join(image.id().replace("sha256:", "") + ".tar");
        image.docker_archive(&archive);
        run(self.command(&["load", "-i"]).arg(&archive), "").must_succeed();
        run(&mut self.command(&["tag", image.id(), to]), "").must_succeed();
    }

    fn push_loaded(&self, _: &Image, to: &str) -> Finished {
        run(&mut self.command(&["push", to]), "")
    }

    fn pull(&self, from: &str) -> Finished {
        run(&mut self.command(&["pull", from]), "")
    }

    fn id_of(&self, pulled: &str) -> String {
        let shown =
            run(&mut self.command(&["image", "inspect", "--format", "{{.Id}}", pulled]), "").must_succeed();
        shown.stdout.trim().to_owned()
    }
}

/// podman with storage of its own.
pub(crate) struct Podman {
    at: Option<Inside>,
    folder: TempDir,
    trust: Vec<String>,
}

impl Podman {
    pub(crate) fn new(trust: &Trust) -> Self {
        Self::new_at(None, trust)
    }

    /// On a machine.
    pub(crate) fn new_at(at: Option<Inside>, trust: &Trust) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It refuses to start when the file that it is pointed to is missing.
        fs::write(folder.path().join("auth.json"), "{}").unwrap();
        let trust = flags(trust, "", folder.path());
        Self { at, folder, trust }
    }

    /// A line for the shell, as somebody would paste it: `podman` in it is this one.
    pub(crate) fn shell(&self, line: &str) -> Finished {
        let own = self.command(&[]);
        let flags: Vec<_> = own.get_args().map(|word| word.to_string_lossy()).collect();
        let line = format!("podman() {{ command podman {} \"$@\"; }}; {line}", flags.join(" "));
        let mut command = bare("sh");
        command.args(["-c", &line]).envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        run(&mut command, "")
    }

    /// Where it looks for certificates: the authority, and its own if it has one.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.path().join(CERTIFICATES)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = program(self.at.as_ref(), "podman");
        command
            .arg("--root")
            .arg(path("storage"))
            .arg("--runroot")
            .arg(path("run"))
            .arg("--tmpdir")
            .arg(path("tmp"));
        command
            .args(["--storage-driver=vfs", "--events-backend=none", "--cgroup-manager=cgroupfs"])
            .args(arguments);
        command.env("HOME", self.folder.path()).env("TMPDIR", self.folder.path());
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("REGISTRY_AUTH_FILE", path("auth.json"));
        command
    }
}

impl Client for Podman {
    fn login(&self, host: &str, user: &str, password: &str) -> Finished {
        run(self.command(&["login", "-u", user, "--password-stdin"]).args(&self.trust).arg(host), password)
    }

    fn logout(&self, host: &str) -> Finished {
        run(&mut self.command(&["logout", host]), "")
    }

    fn load(&self, image: &Image, _: &str) {
        let archive = self.folder.path().join(image.id().replace("sha256:", "") + ".tar");
        image.docker_archive(&archive);
        run(self.command(&["load", "-i"]).arg(&archive), "").must_succeed();
    }

    fn push_loaded(&self, image: &Image, to: &str) -> Finished {
        let id = image.id().replace("sha256:", "");
        run(self.command(&["push"]).args(&self.trust).args([id, format!("docker://{to}")]), "")
    }

    fn pull(&self, from: &str) -> Finished {
        run(self.command(&["pull"]).args(&self.trust).arg(from), "")
    }

    fn id_of(&self, pulled: &str) -> String {
        let shown =
            run(&mut self.command(&["image", "inspect", "--format", "{{.Id}}", pulled]), "").must_succeed();
        format!("sha256:{}", shown.stdout.trim())
    }
}

/// skopeo, which keeps pulled images as folders.
pub(crate) struct Skopeo {
    at: Option<Inside>,
    folder: TempDir,
    login: Vec<String>,
    from: Vec<String>,
    to: Vec<String>,
}

impl Skopeo {
    pub(crate) fn new(trust: &Trust) -> Self {
        Self::new_at(None, trust)
    }

    /// On a machine.
    pub(crate) fn new_at(at: Option<Inside>, trust: &Trust) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = |prefix| flags(trust, prefix, folder.path());
        let (login, from, to) = (flags(""), flags("src-"), flags("dest-"));
        Self { at, folder, login, from, to }
    }

    /// Where it looks for certificates: the authority, and its own if it has one.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.path().join(CERTIFICATES)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = program(self.at.as_ref(), "skopeo");
        command.arg("--tmpdir").arg(self.folder.path()).args(arguments);
        command.env("HOME", self.folder.path()).env("TMPDIR", self.folder.path());
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("REGISTRY_AUTH_FILE", path("auth.json"));
        command
    }

    /// Where a pulled image lies.
    fn pulled(&self, reference: &str) -> PathBuf {
        self.folder.path().join(sha256(reference.as_bytes()).replace(':', "-"))
    }
}

impl Client for Skopeo {
    fn login(&self, host: &str, user: &str, password: &str) -> Finished {
        run(self.command(&["login", "-u", user, "--password-stdin"]).args(&self.login).arg(host), password)
    }

    fn logout(&self, host: &str) -> Finished {
        run(&mut self.command(&["logout", host]), "")
    }

    /// It reads images where they lie.
    fn load(&self, _: &Image, _: &str) {}

    fn push_loaded(&self, image: &Image, to: &str) -> Finished {
        let layout = format!("oci:{}:latest", image.layout().display());
        run(self.command(&["copy"]).args(&self.to).args([layout, format!("docker://{to}")]), "")
    }

    fn pull(&self, from: &str) -> Finished {
        let target = format!("dir:{}", self.pulled(from).display());
        run(self.command(&["copy"]).args(&self.from).args([format!("docker://{from}"), target]), "")
    }

    fn id_of(&self, pulled: &str) -> String {
        let manifest = fs::read(self.pulled(pulled).join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let id = manifest["config"]["digest"].as_str().unwrap().to_owned();
        let config = fs::read(self.pulled(pulled).join(id.replace("sha256:", ""))).unwrap();
        assert_eq!(sha256(&config), id, "the config that was pulled is not what the manifest says");
        id
    }
}

/// The folder in which podman and skopeo find certificates.
const CERTIFICATES: &str = "certificates";

/// The TLS options of podman and skopeo: a folder with `ca.crt`, or none at all.
fn flags(trust: &Trust, prefix: &str, folder: &Path) -> Vec<String> {
    match trust {
        Trust::Plain => vec![format!("--{prefix}tls-verify=false")],
        Trust::Authority(ca) => {
            let certificates = folder.join(CERTIFICATES);
            fs::create_dir_all(&certificates).unwrap();
            fs::copy(ca, certificates.join("ca.crt")).unwrap();
            vec![format!("--{prefix}cert-dir={}", certificates.display())]
        }
    }
}
