//! Behind real proxies: who asked is on record by their own address, and claiming another changes nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::http::{Http, Response, dial, parse, read_all};
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::Portcullis;
use crate::support::process::{Running, bare};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::wait::{PATIENCE, until};
use crate::support::who::{IAMAPIKEY, Who};

/// Where the proxies connect from: the only address that is trusted.
const PROXY: &str = "127.0.0.7";
/// A client of theirs.
const CLIENT: &str = "127.0.0.9";
/// Whom it would like to be.
const CLAIMED: &str = "10.0.0.1";

/// Portcullis before a registry, with one more listener for proxies; and a robot that may push.
struct Behind {
    at: Portcullis,
    robot: Robot,
    inner: SocketAddr,
    folder: TempDir,
    _registry: Registry,
}

impl Behind {
    fn new(proxy_protocol: bool) -> Self {
        let registry = Registry::start();
        let listener = format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n\
             tls = {{ certificate = \"tls.crt\", key = \"tls.key\" }}\n\
             proxy_protocol = {proxy_protocol}\ntrusted_proxies = [\"{PROXY}\"]\n"
        );
        let at = Portcullis::with(&registry.url(), &[], &listener);
        let robot = Robot::with_role(&at.administrator(), "robot", "Manager", "team");
        let log = at.log();
        let line = log.lines().find(|line| line.contains("(private; surfaces registry)")).unwrap();
        let inner = line.split(' ').nth(2).unwrap().parse().unwrap();
        Self { at, robot, inner, folder: tempfile::tempdir().unwrap(), _registry: registry }
    }

    /// HAProxy passing connections on with a PROXY header, `send-proxy` or `send-proxy-v2`.
    fn haproxy(&self, option: &str) -> Proxy {
        let text = |port: u16| {
            format!(
                "defaults\n mode tcp\n timeout connect 10s\n timeout client 60s\n timeout server 60s\n\
                 listen front\n bind 127.0.0.1:{port}\n source {PROXY}\n server behind {} {option}\n",
                self.inner
            )
        };
        Proxy::start(&self.folder, "haproxy", &["-db", "-f"], &text)
    }

    /// nginx terminating TLS and adding `X-Forwarded-For`, on connections that it keeps.
    fn nginx(&self) -> Proxy {
        let (d, certificate) = (self.folder.path().display(), self.at.certificate());
        let (chain, key) = (certificate.chain.display(), certificate.key.display());
        let text = |port: u16| {
            format!(
                "user root; daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/nginx.log warn;\n\
                 events {{ worker_connections 64; }}\n\
                 http {{ access_log off; client_max_body_size 0; proxy_request_buffering off;\n\
                 client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;\n\
                 uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n\
                 upstream behind {{ server {}; keepalive 1; }}\n\
                 server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};\n\
                 location / {{ proxy_pass https://behind; proxy_http_version 1.1; proxy_bind {PROXY};\n\
                 proxy_set_header Connection \"\"; proxy_set_header Host $http_host; proxy_buffering off;\n\
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n",
                self.inner
            )
        };
        Proxy::start(&self.folder, "nginx", &["-p", &d.to_string(), "-c"], &text)
    }

    /// Asks for the manifest `team/app:v1` from an address, through whatever listens there; with more header lines.
    fn ask(&self, from: &str, to: SocketAddr, lines: &str) -> Response {
        let client = self.robot.over(Http::tls(to, &self.at.certificate().ca).from(from));
        let mut connection = client.connect();
        let lines = format!("Accept: {MANIFEST}\r\n{lines}\r\n");
        let head =
            client.head("GET", "/v2/team/app/manifests/v1", &[], 0).replace("\r\n\r\n", "\r\n") + &lines;
        connection.write_all(head.as_bytes()).unwrap();
        parse(&read_all(&mut *connection), "GET").unwrap()
    }

    /// What the audit log says of where a request came from.
    fn host_of(&self, answer: &Response) -> Value {
        let id = answer.header("x-request-id").unwrap().to_owned();
        let event = self.at.await_audit("the record", |event| event["requestId"] == id.as_str());
        event["initiator"]["host"].clone()
    }

    /// A real client pushes and pulls through the proxy, and is on record by its own address.
    fn a_client_works_through(&self, proxy: &Proxy, source: &str) {
        let host = format!("localhost:{}", proxy.address.port());
        let reference = format!("{host}/team/app:v1");
        let skopeo = self.robot.skopeo(&self.at);
        skopeo.login(&host, IAMAPIKEY, self.robot.key().unwrap()).must_succeed();
        skopeo.push(&Image::tiny(), &reference).must_succeed();
        skopeo.pull(&reference).must_succeed();
        let pulled = self.at.await_audit("the pull", |event| {
            event["operation"] == "manifest_read" && event["outcome"] == "success"
        });
        let host = &pulled["initiator"]["host"];
        assert_eq!(
            (&host["address"], &host["addressSource"], &host["endpoint"]),
            (&json!("127.0.0.1"), &json!(source), &json!("private")),
            "{pulled:#}"
        );
    }

    fn never_believed(&self) {
        let audit = fs::read_to_string(self.at.folder().join("audit.jsonl")).unwrap();
        assert!(!audit.contains(CLAIMED) && !self.at.log().contains(CLAIMED));
    }
}

/// A proxy in a process of its own.
struct Proxy {
    address: SocketAddr,
    _running: Running,
}

impl Proxy {
    /// Starts it with a settings file for a free port.
    fn start(folder: &TempDir, program: &str, arguments: &[&str], text: &dyn Fn(u16) -> String) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = folder.path().join(format!("{program}.conf"));
        fs::write(&settings, text(address.port())).unwrap();
        let running = Running::start(bare(program).args(arguments).arg(&settings));
        until(program, PATIENCE, || TcpStream::connect(address).ok());
        Self { address, _running: running }
    }
}

/// What a server says to bytes that are no TLS: nothing at all, and goodbye.
fn says_nothing(from: &str, to: SocketAddr, bytes: &[u8]) {
    let mut stream = dial(from.parse().unwrap(), to).unwrap();
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    // A TLS alert, at most.
    assert!(!said.starts_with(b"HTTP"), "{}", said.escape_ascii());
}

/// H-12, H-18, H-22 behind HAProxy
#[test]
fn clients_of_haproxy_are_on_record_by_their_own_addresses() {
    let behind = Behind::new(true);
    for option in ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"] {
        let proxy = behind.haproxy(option);
        behind.a_client_works_through(&proxy, "proxy_protocol");
        let claims = [
            String::new(),
            format!("X-Forwarded-For: {CLAIMED}\r\n"),
            format!("Forwarded: for={CLAIMED}\r\nX-Real-IP: {CLAIMED}\r\n"),
        ];
        for claim in claims {
            let answer = behind.ask(CLIENT, proxy.address, &claim);
            assert_eq!(answer.status, 200, "{option} {claim}: {}", answer.text());
            let host = behind.host_of(&answer);
            assert_eq!(
                (&host["address"], &host["addressSource"]),
                (&json!(CLIENT), &json!("proxy_protocol")),
                "{option} {claim}"
            );
        }
        // A second header, from the client itself.
        let header = format!("PROXY TCP4 {CLAIMED} 127.0.0.1 1 2\r\n");
        says_nothing(CLIENT, proxy.address, header.as_bytes());
        // Past the proxy, with a header of one's own.
        says_nothing(CLIENT, behind.inner, header.as_bytes());
    }
    // As the proxy, without a header.
    says_nothing(PROXY, behind.inner, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03");
    let counted =
        |reason: &str| behind.at.metric(&format!("portcullis_turned_away_total{{reason=\"{reason}\"}}"));
    assert_eq!(counted("claim_ignored"), 6.0);
    assert_eq!(counted("proxy_untrusted"), 3.0);
    assert_eq!(counted("proxy_malformed"), 1.0);
    behind.never_believed();
}

/// H-12, H-13, H-14 behind nginx
#[test]
fn clients_of_nginx_are_on_record_by_their_own_addresses() {
    let behind = Behind::new(false);
    let proxy = behind.nginx();
    behind.a_client_works_through(&proxy, "forwarded");
    let spoof = format!("X-Forwarded-For: {CLAIMED}\r\n");
    // nginx keeps one connection: what one client is called must not stick to it.
    for (from, lines) in [(CLIENT, ""), ("127.0.0.10", ""), (CLIENT, &*spoof), ("127.0.0.10", &*spoof)] {
        let answer = behind.ask(from, proxy.address, lines);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let host = behind.host_of(&answer);
        assert_eq!(
            (&host["address"], &host["addressSource"]),
            (&json!(from), &json!("forwarded")),
            "{from} {lines}"
        );
    }
    // nginx passes this on as it came: it contradicts what nginx says itself.
    let answer = behind.ask(CLIENT, proxy.address, &format!("Forwarded: for={CLAIMED}\r\n"));
    assert_eq!(answer.status, 400, "{}", answer.text());
    // Past the proxy.
    let answer = behind.ask(CLIENT, behind.inner, &spoof);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let host = behind.host_of(&answer);
    assert_eq!((&host["address"], &host["addressSource"]), (&json!(CLIENT), &json!("socket")));
    assert_eq!(behind.at.metric("portcullis_turned_away_total{reason=\"claim_ignored\"}"), 1.0);
    behind.never_believed();
}
