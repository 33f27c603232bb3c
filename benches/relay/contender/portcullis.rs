//! Portcullis, with everything on: its caller is a service ID that a policy makes a Writer of the namespace; every request is
//! verified, decided on, metered and written to the audit log.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Contender, folder, pinned};
use crate::client::Client;
use crate::signed::Papers;

/// Not random: it guards nothing but a benchmark.
const ADMIN: &str = "bench-administrator-0123456789abcdefghijkl";

/// How it is set up.
pub(crate) struct Setup<'a> {
    pub(crate) name: &'static str,
    /// Whether content is kept in memory.
    pub(crate) cache: bool,
    pub(crate) upstream: SocketAddr,
    /// SQL that is run on the store before it is served.
    pub(crate) rows: Option<&'a str>,
    /// Where callgrind writes what it counts; without it, the server runs by itself.
    pub(crate) counted: Option<&'a Path>,
}

/// The server, and the key of its caller.
pub(crate) struct Guarded {
    pub(crate) contender: Contender,
    pub(crate) key: String,
}

/// The program that is measured: the one that was built along, or another one that is named.
pub(crate) fn program() -> String {
    std::env::var("PORTCULLIS").unwrap_or_else(|_| env!("CARGO_BIN_EXE_portcullis").to_owned())
}

pub(crate) async fn start(setup: &Setup<'_>, papers: &Papers) -> Guarded {
    let files = folder();
    let config = files.path().join("portcullis.toml");
    fs::write(&config, settings(setup, files.path(), papers)).expect("a writable folder");
    let mut init = Command::new(program());
    init.arg("init").arg("--config").arg(&config).env("PORTCULLIS_BOOTSTRAP_API_KEY", ADMIN);
    run(&mut init);
    if let Some(rows) = setup.rows {
        run(Command::new("sqlite3").arg(files.path().join("store.db")).arg(rows));
    }
    let log = files.path().join("log");
    let mut command = setup.counted.map_or_else(|| pinned(&program()), counting);
    let output = File::create(&log).expect("a writable folder");
    command.arg("serve").arg("--config").arg(&config);
    command.stderr(output.try_clone().expect("a file")).stdout(Stdio::from(output));
    let child = command.spawn().expect("it can be started");
    let address = address(&log);
    let mut contender = Contender { name: setup.name, address, token: None, child, folder: files };
    let key = introduce(&contender, papers);
    contender.token = Some(Client::of(&contender).login(&key).await);
    Guarded { contender, key }
}

/// The server under callgrind, which counts nothing until it is told to.
fn counting(output: &Path) -> Command {
    let mut command = pinned("valgrind");
    let file = format!("--callgrind-out-file={}", output.display());
    command.args(["--tool=callgrind", "--instr-atstart=no", "--quiet", &file]).arg(program());
    command
}

fn settings(setup: &Setup<'_>, folder: &Path, papers: &Papers) -> String {
    let (d, chain, key) = (folder.display(), papers.path("tls.crt"), papers.path("tls.key"));
    let (upstream, cache) = (setup.upstream, setup.cache);
    let disk = if cache { format!("disk = \"{d}/layers\"\n") } else { String::new() };
    format!(
        "workers = 1\n[account]\nid = \"123456789012\"\n[store]\nurl = \"sqlite:{d}/store.db\"\nmaster_key_file = \"{d}/master.key\"\n\
         [[registry]]\nname = \"localhost\"\nregion = \"us-south\"\nupstream = \"http://{upstream}\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nsurfaces = [\"registry\", \"control\", \"health\"]\n\
         tls = {{ certificate = \"{chain}\", key = \"{key}\" }}\n\
         [token]\nlifetime = \"12h\"\n[audit]\npath = \"{d}/audit.jsonl\"\n[log]\nlevel = \"warn\"\n\
         [cache]\ncontent = {cache}\n{disk}[limits]\nidle_timeout = \"10m\"\n"
    )
}

/// Where it says that it listens.
fn address(log: &Path) -> SocketAddr {
    let until = Instant::now() + Duration::from_secs(300);
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        if text.lines().any(|line| line.trim() == "ready") {
            let found = text
                .lines()
                .find_map(|line| line.split_once("listening on ")?.1.split(' ').next()?.parse().ok());
            return found.expect("it says where it listens");
        }
        assert!(Instant::now() < until, "Portcullis does not start:\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Makes the service ID, as an administrator would, and returns its key.
fn introduce(contender: &Contender, papers: &Papers) -> String {
    let home = contender.folder.path();
    let cli = |line: &str| {
        let mut command = Command::new(program());
        command.args(line.split(' ')).env("HOME", home);
        run(&mut command)
    };
    let (port, ca) = (contender.address.port(), papers.path("ca.crt"));
    cli(&format!("login -a https://localhost:{port} --apikey {ADMIN} --ca-file {ca}"));
    cli("cr namespace-add bench");
    cli("iam service-id-create bench");
    let made = cli("iam service-api-key-create bench-key bench --output json");
    cli(
        "iam service-policy-create bench --roles Writer --service-name container-registry --region us-south --resource-type namespace --resource bench",
    );
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON was asked for");
    made["apikey"].as_str().expect("the key is shown").to_owned()
}

fn run(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
