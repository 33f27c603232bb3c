//! Machines with addresses of their own: each is on record by its own, whatever stands between and whatever it claims.

use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::json;
use tempfile::TempDir;

use crate::support::client::{Client, Docker, Podman, Skopeo};
use crate::support::hosts::{Machine, SERVER};
use crate::support::image::Image;
use crate::support::portcullis::Portcullis;
use crate::support::process::{Running, bare, run};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{IAMAPIKEY, Who};

/// Whom a machine would like to be.
const CLAIMED: &str = "10.0.0.1";

/// Portcullis before a registry, and the three roads that lead to it.
struct Site {
    at: Portcullis,
    robot: Robot,
    /// The port of each road, and by what right the address of its clients is believed.
    roads: Vec<(u16, &'static str)>,
    _proxies: [Running; 2],
    _folder: TempDir,
    registry: Registry,
}

impl Site {
    fn new() -> Self {
        let registry = Registry::start();
        let listener = |address: &str, more: &str| {
            format!(
                "[[listener]]\naddress = \"{address}:0\"\nsurfaces = [\"registry\"]\n\
                 tls = {{ certificate = \"tls.crt\", key = \"tls.key\" }}\n{more}\n"
            )
        };
        let trusted = "trusted_proxies = [\"127.0.0.1\"]\n";
        let settings = listener("0.0.0.0", "")
            + &listener("127.0.0.1", &format!("{trusted}proxy_protocol = true"))
            + &listener("127.0.0.1", trusted);
        let at = Portcullis::with(&registry.url(), &[], &settings);
        let robot = Robot::with_role(&at.administrator(), "robot", "Manager", "team");
        let log = at.log();
        let lines = log.lines().filter(|line| line.contains("(public; surfaces registry)"));
        let listening: Vec<SocketAddr> =
            lines.map(|line| line.split(' ').nth(2).unwrap().parse().unwrap()).collect();
        let folder = tempfile::tempdir().unwrap();
        let (haproxy, first) = start(&folder, "haproxy", &["-db", "-f"], &|port| {
            format!(
                "defaults\n mode tcp\n timeout connect 10s\n timeout client 60s\n timeout server 60s\n\
                 listen front\n bind 0.0.0.0:{port}\n server behind {} send-proxy-v2\n",
                listening[1]
            )
        });
        let d = folder.path().display().to_string();
        let (chain, key) = (at.certificate().chain.display(), at.certificate().key.display());
        let (nginx, second) = start(&folder, "nginx", &["-p", &d, "-c"], &|port| {
            format!(
                "user root; daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/nginx.log warn;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p;\n\
                 fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n\
                 server {{ listen 0.0.0.0:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};\n\
                 location / {{ proxy_pass https://{}; proxy_http_version 1.1; proxy_set_header Host $http_host;\n\
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n",
                listening[2]
            )
        });
        let roads = vec![(listening[0].port(), "socket"), (first, "proxy_protocol"), (second, "forwarded")];
        Self { at, robot, roads, _proxies: [haproxy, nginx], _folder: folder, registry }
    }

    /// A machine pulls with skopeo, and is on record by its own address.
    fn pulls(&self, machine: &Machine, port: u16, source: &str) {
        let (image, key) = (format!("docker://{SERVER}:{port}/team/app:v1"), self.robot.key().unwrap());
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(&self.at.certificate().ca, folder.path().join("ca.crt")).unwrap();
        let mut skopeo = machine.command("skopeo");
        skopeo.args(["copy", "--src-creds", &format!("{IAMAPIKEY}:{key}"), "--src-cert-dir"]);
        skopeo.arg(folder.path()).arg(&image).arg(format!("dir:{}", folder.path().join("pulled").display()));
        run(&mut skopeo, "").must_succeed();
        self.at.await_audit(&format!("a pull by {} ({source})", machine.address), |event| {
            let host = &event["initiator"]["host"];
            event["operation"] == "manifest_read"
                && event["outcome"] == "success"
                && host["address"] == machine.address.to_string()
                && host["addressSource"] == source
        });
    }

    /// A machine claims to be another, and stays who it is.
    fn claims(&self, machine: &Machine, port: u16, source: &str) {
        let url = format!("https://{SERVER}:{port}/v2/team/app/manifests/v1");
        let (ca, key) = (self.at.certificate().ca.display().to_string(), self.robot.key().unwrap());
        let mut curl = machine.command("curl");
        curl.args([
            "-sS",
            "-o",
            "/dev/null",
            "-D",
            "-",
            "--cacert",
            &ca,
            "-u",
            &format!("{IAMAPIKEY}:{key}"),
        ]);
        for claim in ["X-Forwarded-For", "X-Real-IP", "True-Client-IP"] {
            curl.args(["-H", &format!("{claim}: {CLAIMED}")]);
        }
        let said = run(curl.arg(&url), "").must_succeed().stdout;
        let line = said.lines().find_map(|line| {
            line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("x-request-id"))
        });
        let id = line.unwrap_or_else(|| panic!("{said}")).1.trim();
        let event = self.at.await_audit("the record", |event| event["requestId"] == id);
        let host = &event["initiator"]["host"];
        assert_eq!(host["address"], machine.address.to_string(), "{event:#}");
        assert_eq!(host["addressSource"], source, "{event:#}");
    }
}

/// Starts a proxy with a settings file for a free port.
fn start(
    folder: &TempDir,
    program: &str,
    arguments: &[&str],
    text: &dyn Fn(u16) -> String,
) -> (Running, u16) {
    let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    let settings = folder.path().join(format!("{program}.conf"));
    std::fs::write(&settings, text(port)).unwrap();
    let running = Running::start(bare(program).args(arguments).arg(&settings));
    until(program, PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
    (running, port)
}

/// Two machines, or why there are none.
fn machines(first: u32) -> Option<[Machine; 2]> {
    match (Machine::new(first), Machine::new(first + 1)) {
        (Ok(one), Ok(other)) => Some([one, other]),
        (Err(reason), _) | (_, Err(reason)) => {
            println!(
                "skipped: no machines can be made here, which takes root and network namespaces: {reason}"
            );
            None
        }
    }
}

/// The three clients of a machine, logged in on every road.
fn clients(site: &Site, machine: &Machine) -> [(&'static str, Box<dyn Client>); 3] {
    let (inside, trust) = (|| Some(machine.inside()), site.at.trust());
    let clients: [(_, Box<dyn Client>); 3] = [
        ("docker", Box::new(Docker::start_at(inside(), &trust))),
        ("podman", Box::new(Podman::new_at(inside(), &trust))),
        ("skopeo", Box::new(Skopeo::new_at(inside(), &trust))),
    ];
    for (port, _) in &site.roads {
        for (_, client) in &clients {
            client.login(&format!("{SERVER}:{port}"), IAMAPIKEY, site.robot.key().unwrap()).must_succeed();
        }
    }
    clients
}

/// H-12, H-13, H-18, R-21, with real clients behind real proxies
#[test]
fn a_machine_in_the_list_pulls_and_any_other_is_refused_before_the_upstream_is_asked() {
    let Some([inside, outside]) = machines(2) else { return };
    let mut site = Site::new();
    let (skopeo, pushed) = (site.robot.skopeo(&site.at), Image::tiny());
    skopeo.push(&pushed, &site.at.image("team/app:v1")).must_succeed();
    let (within, without) = (clients(&site, &inside), clients(&site, &outside));
    let list = json!({"allowed_ip_addresses": inside.address.to_string()});
    let path = format!("/api/native/allowlists/{}", site.robot.iam_id);
    assert_eq!(site.at.administrator().call("PUT", &path, &list).status, 200);
    let image = |port: u16| format!("{SERVER}:{port}/team/app:v1");
    for (port, source) in &site.roads {
        for (name, client) in &within {
            println!("{name} within, by {source}");
            client.pull(&image(*port)).must_succeed();
            assert_eq!(client.id_of(&image(*port)), pushed.id());
        }
    }
    // Whoever would ask the upstream now would be told of its absence.
    site.registry.kill();
    for (port, source) in site.roads.clone() {
        for (name, client) in &without {
            println!("{name} outside, by {source}");
            client.pull(&image(port)).must_fail_saying(&[
                "unauthorized",
                "denied",
                "invalid username/password",
            ]);
            let host = format!("{SERVER}:{port}");
            let login = client.login(&host, IAMAPIKEY, site.robot.key().unwrap());
            login.must_fail_saying(&["unauthorized", "denied", "invalid username/password"]);
        }
        site.at.await_audit(&format!("a refusal of {} ({source})", outside.address), |event| {
            let host = &event["initiator"]["host"];
            event["reason"]["policies"]
                .as_array()
                .is_some_and(|by| by.contains(&json!("allowlist:principal")))
                && host["address"] == outside.address.to_string()
                && host["addressSource"] == source
        });
    }
    for event in site.at.audit() {
        let from_outside = event["initiator"]["host"]["address"] == outside.address.to_string();
        let pulled = event["operation"] == "manifest_read" && event["outcome"] == "success";
        assert!(!(from_outside && pulled), "{event:#}");
    }
}

#[test]
fn machines_are_on_record_by_their_own_addresses_on_every_road() {
    let Some(machines) = machines(0) else { return };
    let site = Site::new();
    let skopeo = site.robot.skopeo(&site.at);
    skopeo.login(&site.at.host(), IAMAPIKEY, site.robot.key().unwrap()).must_succeed();
    skopeo.push(&Image::tiny(), &site.at.image("team/app:v1")).must_succeed();
    for machine in &machines {
        for (port, source) in &site.roads {
            site.pulls(machine, *port, source);
            site.claims(machine, *port, source);
        }
    }
    let audit = std::fs::read_to_string(site.at.folder().join("audit.jsonl")).unwrap();
    assert!(!audit.contains(CLAIMED) && !site.at.log().contains(CLAIMED));
}
