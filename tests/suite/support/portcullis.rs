//! Portcullis itself, as a child process, and its command line.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use tempfile::TempDir;

use super::certificate::{self, Certificate};
use super::client::Trust;
use super::http::Http;
use super::process::{Finished, Running, bare, run};
use super::wait::{PATIENCE, until};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// The account of the tests.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The administrator's access key in the tests. Not secret and not random: a test may print it.
pub(crate) const ADMIN_ACCESS_KEY_ID: &str = "AKIASUITEADMIN234567";
pub(crate) const ADMIN_SECRET_ACCESS_KEY: &str = "suite/administrator/0123456789+abcdefghi";

/// A running server with a fresh store; it stops with this value.
pub(crate) struct Portcullis {
    folder: TempDir,
    certificate: Certificate,
    admin_key: String,
    environment: Vec<(String, String)>,
    running: Running,
    public: SocketAddr,
    metrics: SocketAddr,
}

impl Portcullis {
    /// In front of the registry at that URL, enforcing policies.
    pub(crate) fn before(upstream: &str) -> Self {
        Self::with(upstream, &[], "")
    }

    /// With settings that are given by environment variables: `("AUDIT__ON_FAILURE", "continue")`.
    pub(crate) fn set(upstream: &str, variables: &[(&str, &str)]) -> Self {
        Self::with_all(upstream, &[], "", variables)
    }

    /// With further arguments for `init` and further lines at the end of the settings file.
    pub(crate) fn with(upstream: &str, init: &[&str], settings: &str) -> Self {
        Self::with_all(upstream, init, settings, &[])
    }

    fn with_all(upstream: &str, init: &[&str], settings: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certificate::make(folder.path());
        fs::write(
            folder.path().join("portcullis.toml"),
            settings_text(folder.path(), &certificate, upstream, settings),
        )
        .unwrap();
        // Not secret and not random: a test may print it.
        let admin_key = "suite-administrator-0123456789abcdefghijklmnopqrstuvwxyz".to_owned();
        let variable = |(name, value): &(&str, &str)| (format!("PORTCULLIS__{name}"), (*value).to_owned());
        // Whoever is told of alerts in the tests is on this machine too.
        let ours = ("PORTCULLIS__ALERTS__LOOPBACK".to_owned(), "true".to_owned());
        let environment: Vec<_> = variables.iter().map(variable).chain([ours]).collect();
        let mut command = server(&folder, &admin_key, "init");
        run(command.args(init).envs(environment.clone()), "").must_succeed();
        let (running, public, metrics) = launch(&folder, &admin_key, &environment);
        Self { folder, certificate, admin_key, environment, running, public, metrics }
    }

    /// `localhost:PORT`: what clients call the registry.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.public.port())
    }

    /// `localhost:PORT/name:tag`.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// The administrator's API key.
    pub(crate) fn admin_key(&self) -> &str {
        &self.admin_key
    }

    /// The authority that clients must believe.
    pub(crate) fn trust(&self) -> Trust {
        Trust::Authority(self.certificate.ca.clone())
    }

    /// Raw HTTPS to the public listener, as nobody.
    pub(crate) fn http(&self) -> Http {
        Http::tls(self.public, &self.certificate.ca)
    }

    /// The address of the public listener.
    pub(crate) fn public(&self) -> SocketAddr {
        self.public
    }

    /// The address of the listener with metrics and health.
    pub(crate) fn metrics(&self) -> SocketAddr {
        self.metrics
    }

    /// The files that it shows its certificate from.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The administrator, over raw HTTPS.
    pub(crate) fn administrator(&self) -> Http {
        self.http().basic("iamapikey", &self.admin_key)
    }

    /// The audit log so far.
    pub(crate) fn audit(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.folder.path().join("audit.jsonl")).unwrap();
        // The last line may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for an audit event; those of requests are in the file a moment after their answers.
    pub(crate) fn await_audit(
        &self,
        what: &str,
        is_it: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        until(what, PATIENCE, || self.audit().into_iter().find(&is_it))
    }

    /// Waits until the log says something.
    pub(crate) fn await_log(&mut self, text: &str) {
        self.running.await_log(text, |log| log.contains(text).then_some(()));
    }

    /// The value of a metric, labels included in its name; 0 while it is not shown.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.observer().get("/metrics").text();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0.0)
    }

    /// The sum of a counter over all of its labels.
    pub(crate) fn metric_sum(&self, name: &str) -> f64 {
        let page = self.observer().get("/metrics").text();
        let series =
            page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once(' '));
        series.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
    }

    /// Raw HTTPS to the public listener by somebody who believes another authority.
    pub(crate) fn http_believing(&self, ca: &Path) -> Http {
        Http::tls(self.public, ca)
    }

    /// Raw HTTP to the listener with metrics and health.
    pub(crate) fn observer(&self) -> Http {
        Http::plain(self.metrics)
    }

    /// What it has printed so far.
    pub(crate) fn log(&self) -> String {
        self.running.log()
    }

    /// Where its files lie: settings, store, keys, audit log.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Lets it open only `more` files than it has open now.
    pub(crate) fn allow_files(&self, more: usize) {
        let pid = self.running.pid();
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        let limit = format!("--nofile={0}:{0}", open + more);
        run(bare("prlimit").args(["--pid", &pid.to_string(), &limit]), "").must_succeed();
    }

    /// How much memory it takes, in bytes: `VmRSS` now, `VmHWM` at most so far.
    pub(crate) fn memory(&self, which: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.pid())).unwrap();
        let kilobytes = field(&status, which).unwrap().trim_end_matches(" kB").parse::<usize>().unwrap();
        kilobytes * 1024
    }

    /// Sends a signal by its short name.
    pub(crate) fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.running.stop()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn await_end(&mut self) -> ExitStatus {
        self.running.wait(PATIENCE)
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }

    /// Starts it again on the same store; the ports are new ones.
    pub(crate) fn restart(&mut self) {
        self.running.kill();
        (self.running, self.public, self.metrics) = launch(&self.folder, &self.admin_key, &self.environment);
    }

    /// Ends it at once and starts it again on the same ports.
    pub(crate) fn restart_in_place(&mut self) {
        self.running.kill();
        let mut environment = self.environment.clone();
        for (number, address) in [self.public, self.metrics].iter().enumerate() {
            environment.push((format!("PORTCULLIS__LISTENER__{number}__ADDRESS"), address.to_string()));
        }
        let before = (self.public, self.metrics);
        (self.running, self.public, self.metrics) = launch(&self.folder, &self.admin_key, &environment);
        assert_eq!((self.public, self.metrics), before);
    }

    /// A command line that is logged in as the administrator.
    pub(crate) fn administration(&self) -> Cli {
        let cli = Cli::new();
        cli.login(self, &self.admin_key).must_succeed();
        cli
    }
}

/// The command line, on a machine of its own: logins live in a temporary home.
pub(crate) struct Cli {
    home: TempDir,
}

impl Cli {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    /// `portcullis login` with an API key.
    pub(crate) fn login(&self, to: &Portcullis, key: &str) -> Finished {
        let url = format!("https://{}", to.host());
        let mut command = self.command(&["login", "-a", &url, "--apikey", key, "--ca-file"]);
        run(command.arg(&to.certificate.ca), "")
    }

    /// Any command, given as it would be typed after `portcullis`; nothing in it holds a space.
    pub(crate) fn run(&self, line: &str) -> Finished {
        let words: Vec<&str> = line.split(' ').collect();
        run(&mut self.command(&words), "")
    }

    /// Any command, with more in its environment.
    pub(crate) fn run_in(&self, environment: &[(&str, String)], line: &str) -> Finished {
        let words: Vec<&str> = line.split(' ').collect();
        run(self.command(&words).envs(environment.iter().map(|(name, value)| (name, value))), "")
    }

    /// Any command with its arguments one by one.
    pub(crate) fn run_with(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments), "")
    }

    /// Any command, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(BINARY);
        command
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"));
        command
    }
}

/// The value on the line of an output that begins with that label: `API Key       p8Vb…`.
pub(crate) fn field<'a>(output: &'a str, label: &str) -> Option<&'a str> {
    let values = output
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(label)?.strip_prefix([' ', ':', '\t']));
    values.map(|value| value.trim_start_matches([' ', ':', '\t']).trim_end()).find(|value| !value.is_empty())
}

fn server(folder: &TempDir, admin_key: &str, verb: &str) -> Command {
    let mut command = bare(BINARY);
    command.args([verb, "--config"]).arg(folder.path().join("portcullis.toml"));
    command
        .env("HOME", folder.path())
        .env("PORTCULLIS_BOOTSTRAP_API_KEY", admin_key)
        .env("PORTCULLIS_BOOTSTRAP_ACCESS_KEY_ID", ADMIN_ACCESS_KEY_ID)
        .env("PORTCULLIS_BOOTSTRAP_SECRET_ACCESS_KEY", ADMIN_SECRET_ACCESS_KEY)
        .current_dir(folder.path());
    command
}

fn launch(
    folder: &TempDir,
    admin_key: &str,
    environment: &[(String, String)],
) -> (Running, SocketAddr, SocketAddr) {
    let mut running =
        Running::start(server(folder, admin_key, "serve").envs(environment.iter().map(|(n, v)| (n, v))));
    running.await_log("`ready`", |log| log.lines().any(|line| line.trim() == "ready").then_some(()));
    let log = running.log();
    (running, listener(&log, "registry"), listener(&log, "metrics"))
}

/// The address in `listening on ADDRESS (public; surfaces …)` of the first listener that shows a surface.
pub(crate) fn listener(log: &str, surface: &str) -> SocketAddr {
    let announced = log.lines().filter_map(|line| line.split_once("listening on ")?.1.split_once(' '));
    let mut matching = announced.filter(|(_, rest)| rest.contains(surface));
    let (address, _) = matching.next().unwrap_or_else(|| panic!("no listener shows `{surface}`:\n{log}"));
    address.parse().unwrap()
}

/// A whole settings file, with that at its end.
pub(crate) fn settings_text(folder: &Path, certificate: &Certificate, upstream: &str, more: &str) -> String {
    let data = folder.display();
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    format!(
        r#"[account]
id = "{ACCOUNT}"
name = "example"

[store]
url = "sqlite:{data}/portcullis.db"
master_key_file = "{data}/master.key"

[audit]
path = "{data}/audit.jsonl"

[[registry]]
name = "us.registry.test"
aliases = ["localhost"]
private_name = "private.us.registry.test"
region = "us-south"
upstream = "{upstream}"

[[listener]]
address = "127.0.0.1:0"
endpoint = "public"
surfaces = ["registry", "control", "health"]
tls = {{ certificate = "{chain}", key = "{key}" }}

[[listener]]
address = "127.0.0.1:0"
endpoint = "private"
surfaces = ["metrics", "health"]

{more}
"#
    )
}

#[test]
fn fields_of_an_output_are_found_by_their_label() {
    let output = "Please preserve the API key! It cannot be retrieved.\nName          k\nAPI Key       pX-1_z\nPolicy ID:   4364\n";
    assert_eq!(field(output, "API Key"), Some("pX-1_z"));
    assert_eq!(field(output, "Policy ID"), Some("4364"));
    assert_eq!(field(output, "Locked"), None);
}
