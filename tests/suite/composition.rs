//! What docker-compose.yml composes, from the very files that it mounts, as processes of this machine: two replicas on PostgreSQL behind HAProxy.
//! And the image that it builds.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::client::{Client, Docker, Skopeo, Trust};
use crate::support::http::Http;
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::{BINARY, listener};
use crate::support::postgres::Postgres;
use crate::support::process::{Running, bare, run};
use crate::support::registry::Registry;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::IAMAPIKEY;

const KEY: &str = "composition-administrator-0123456789abcdefghijkl";
/// A client that is somewhere else than HAProxy.
const CLIENT: &str = "127.0.0.9";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project with what is different on this machine; each must be in it.
fn changed(file: &str, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(root().join(file)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "no `{from}` in {file}");
        text = text.replace(from, to);
    }
    text
}

/// One replica.
struct Replica {
    running: Running,
    public: SocketAddr,
    health: SocketAddr,
}

impl Replica {
    fn start(folder: &Path) -> Self {
        let mut running = Running::start(&mut portcullis(folder, "serve"));
        running.await_log("`ready`", |log| log.lines().any(|line| line.trim() == "ready").then_some(()));
        let log = running.log();
        Self { public: listener(&log, "registry"), health: listener(&log, "metrics"), running }
    }

    /// Its audit events, which go where its log goes.
    fn events(&self) -> Vec<Value> {
        let log = self.running.log();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn portcullis(folder: &Path, verb: &str) -> Command {
    let mut command = bare(BINARY);
    command.args([verb, "--config"]).arg(folder.join("portcullis.toml"));
    command.env("PORTCULLIS_BOOTSTRAP_API_KEY", KEY).current_dir(folder);
    command
}

/// Everything but Prometheus and Grafana.
struct Composition {
    folder: TempDir,
    replicas: [Replica; 2],
    haproxy: Running,
    front: SocketAddr,
    _database: Postgres,
    _registry: Registry,
}

impl Composition {
    fn start() -> Option<Self> {
        let (database, registry) = (Postgres::start()?, Registry::start());
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        run(bare("sh").arg(root().join("deploy/make-secrets.sh")).arg(folder.path()), "").must_succeed();
        let settings = changed(
            "deploy/fleet/portcullis.toml",
            &[
                ("postgres://portcullis@postgres:5432/portcullis?sslmode=disable", &database.url()),
                ("/secrets", &place),
                ("http://registry:5000", &registry.url()),
                ("0.0.0.0:8443", "127.0.0.1:0"),
                ("0.0.0.0:9464", "127.0.0.1:0"),
                ("172.30.0.10", "127.0.0.1"),
            ],
        );
        fs::write(folder.path().join("portcullis.toml"), settings).unwrap();
        run(&mut portcullis(folder.path(), "init"), "").must_succeed();
        let replicas = [Replica::start(folder.path()), Replica::start(folder.path())];
        let (haproxy, front) = balance(folder.path(), &replicas);
        Some(Self { folder, replicas, haproxy, front, _database: database, _registry: registry })
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.front.port())
    }

    fn trust(&self) -> Trust {
        Trust::Authority(self.certificate())
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    /// The administrator, from an address of their own.
    fn administrator(&self) -> Http {
        Http::tls(self.front, &self.certificate()).from(CLIENT).basic(IAMAPIKEY, KEY)
    }
}

fn balance(folder: &Path, [one, two]: &[Replica; 2]) -> (Running, SocketAddr) {
    let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = |replica: &Replica| format!("{} check port {}", replica.public, replica.health.port());
    let settings = changed(
        "deploy/fleet/haproxy.cfg",
        &[
            ("maxconn 20000", "maxconn 500"),
            ("bind :8443", &format!("bind {front}")),
            ("portcullis-1:8443 check port 9464", &server(one)),
            ("portcullis-2:8443 check port 9464", &server(two)),
        ],
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, settings).unwrap();
    let running = Running::start(bare("haproxy").args(["-db", "-f"]).arg(&file));
    until("HAProxy", PATIENCE, || TcpStream::connect(front).ok());
    (running, front)
}

#[test]
fn two_replicas_behind_haproxy_serve_as_one_and_one_of_them_serves_on() {
    let Some(mut composed) = Composition::start() else { return };
    let (host, skopeo) = (composed.host(), Skopeo::new(&composed.trust()));
    let image = format!("{host}/team/app:v1");
    skopeo.login(&host, IAMAPIKEY, KEY).must_succeed();
    skopeo.push(&Image::tiny(), &image).must_succeed();
    skopeo.pull(&image).must_succeed();
    // Both are asked in turn, and each knows who asks it.
    let pull = |who: &Http| {
        let answer = who.send("GET", "/v2/team/app/manifests/v1", &[("Accept", MANIFEST)], b"");
        (answer.status, answer.header("x-request-id").map(str::to_owned))
    };
    let administrator = composed.administrator();
    for replica in &composed.replicas {
        let event = until("a pull on each", PATIENCE, || {
            let (status, id) = pull(&administrator);
            assert_eq!(status, 200);
            let events = replica.events();
            events.into_iter().find(|event| event["requestId"].as_str() == id.as_deref())
        });
        let host = &event["initiator"]["host"];
        assert_eq!(
            (&host["address"], &host["addressSource"]),
            (&CLIENT.into(), &"proxy_protocol".into()),
            "{event:#}"
        );
    }
    // Past HAProxy nobody gets in.
    let past =
        Http::tls(composed.replicas[0].public, &composed.certificate()).from(CLIENT).basic(IAMAPIKEY, KEY);
    assert!(
        past.try_send("GET", "/v2/", &[], b"").is_none(),
        "a connection without a PROXY header is closed"
    );
    // One of them ends at once: the other serves on, and no request is refused for want of a right.
    composed.replicas[0].running.kill();
    until("the other alone", PATIENCE, || {
        let answer = administrator.try_send("GET", "/v2/team/app/tags/list", &[], b"");
        answer.filter(|answer| answer.status == 200)
    });
    skopeo.pull(&image).must_succeed();
    skopeo.push(&Image::tiny(), &format!("{host}/team/app:v2")).must_succeed();
    assert_eq!(pull(&administrator).0, 200);
    composed.haproxy.kill();
}

/// What the image holds is enough to run in: no shell, not root, nothing that can be written.
#[test]
fn the_image_runs_on_nothing_but_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    run(bare("bash").arg(root().join("scripts/image-root.sh")).arg(BINARY).arg(&image), "").must_succeed();
    for shell in ["bin/sh", "bin/bash", "usr/bin/env"] {
        assert!(!image.join(shell).exists(), "{shell}");
    }
    let mode = fs::metadata(image.join("var/lib/portcullis")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o750);
    let docker = Docker::start(&Trust::Plain);
    let text = fs::read_to_string(root().join("Dockerfile")).unwrap();
    // The second stage as it stands, on the files that the first would have laid out.
    let stage = text.split_once("\nFROM scratch\n").unwrap().1;
    let stage = format!("FROM scratch\n{}", stage.replace("COPY --from=build /image/ /", "COPY image/ /"));
    fs::write(folder.path().join("Dockerfile"), stage).unwrap();
    let built = docker
        .shell(&format!("DOCKER_BUILDKIT=0 docker build -q -t portcullis:test {}", folder.path().display()));
    built.must_succeed();
    let inspected = docker.shell("docker image inspect portcullis:test").must_succeed();
    let found: Value = serde_json::from_str(&inspected.stdout).unwrap();
    let config = &found[0]["Config"];
    assert_eq!(config["User"], "10001:10001");
    assert_eq!(
        config["Healthcheck"]["Test"],
        serde_json::json!(["CMD", "/usr/local/bin/portcullis", "health"])
    );
    let bill = config["Labels"]["portcullis.sbom"].as_str().unwrap();
    assert!(
        fs::read_to_string(image.join(bill.trim_start_matches('/'))).unwrap().contains("name = \"rustls\"")
    );
    // Where containers cannot be started, a root of its own shows the same: no library is missing.
    let version = run(
        bare("chroot")
            .arg("--userspec=10001:10001")
            .arg(&image)
            .args(["/usr/local/bin/portcullis", "--version"]),
        "",
    );
    assert!(version.must_succeed().stdout.starts_with("portcullis "));
}
