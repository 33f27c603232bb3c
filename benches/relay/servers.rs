//! The two proxies, and the registry behind both.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use crate::client::Client;

/// Everything that was started; ends when stopped.
pub(crate) struct Servers {
    pub(crate) portcullis: SocketAddr,
    pub(crate) nginx: SocketAddr,
    data: tempfile::TempDir,
    key: String,
    children: Mutex<Vec<Child>>,
    token: Mutex<Option<String>>,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("d");
        let mut portcullis = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["quickstart", "--port", "0", "--data-dir"])
            .arg(&directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut address, mut key) = (None, None);
        let mut lines = BufReader::new(portcullis.stdout.take().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            if let Some(rest) = line.strip_prefix("listening on ").filter(|rest| rest.contains("registry")) {
                address = rest.split(' ').next().and_then(|text| text.parse().ok());
            }
            if let Some(rest) = line.strip_prefix("Administrator API key: ") {
                key = Some(rest.trim().to_owned());
            }
            if address.is_some() && key.is_some() {
                break;
            }
        }
        // Keep reading, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let (nginx, nginx_address) = start_nginx(&directory);
        Self {
            portcullis: address.expect("quickstart says where it listens"),
            nginx: nginx_address,
            key: key.expect("quickstart prints the administrator's key"),
            data,
            children: Mutex::new(vec![portcullis, nginx]),
            token: Mutex::new(None),
        }
    }

    /// Logs in and remembers the token.
    pub(crate) async fn login(&self) -> String {
        let token = Client::new(self.portcullis, None).login(&self.key).await;
        *self.token.lock().unwrap() = Some(token.clone());
        token
    }

    pub(crate) fn token(&self) -> Option<String> {
        self.token.lock().unwrap().clone()
    }

    /// Requests per second that `wrk` reaches; no error is tolerated.
    pub(crate) fn wrk(&self, address: SocketAddr, token: Option<String>, seconds: u64) -> f64 {
        let url = format!("https://localhost:{}/v2/bench/app/manifests/v1", address.port());
        let mut command = Command::new("wrk");
        command.args([
            "-t1",
            "-c32",
            &format!("-d{seconds}s"),
            "-H",
            "Accept: application/vnd.oci.image.manifest.v1+json",
        ]);
        if let Some(token) = token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.arg(url).output().expect("wrk is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{text}");
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        rate.and_then(|text| text.trim().parse().ok())
            .unwrap_or_else(|| panic!("wrk printed no rate: {text}"))
    }

    pub(crate) fn portcullis_pids(&self) -> Vec<u32> {
        self.children.lock().unwrap().first().map(Child::id).into_iter().collect()
    }

    pub(crate) fn nginx_pids(&self) -> Vec<u32> {
        let master = self.children.lock().unwrap().last().map(Child::id).unwrap_or_default();
        let path = format!("/proc/{master}/task/{master}/children");
        let workers = std::fs::read_to_string(path).unwrap_or_default();
        std::iter::once(master).chain(workers.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }

    /// What was compared with what, on what.
    pub(crate) fn versions(&self) -> String {
        let first_line = |program: &str, argument: &str| {
            let output = Command::new(program).arg(argument).output().ok();
            let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
            String::from_utf8_lossy(&text).lines().next().unwrap_or("?").trim().to_owned()
        };
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("?")
            .trim_start_matches([' ', '\t', ':']);
        format!(
            "{} · {} · {} · {} cores of {model}. Both proxies: TLS 1.3, one ECDSA P-256 certificate, two workers, the same registry on \
             the same unix socket. nginx asks nobody; Portcullis verifies the token, decides by policy, and records.",
            first_line(env!("CARGO_BIN_EXE_portcullis"), "--version"),
            first_line("nginx", "-v"),
            first_line("docker-registry", "--version"),
            std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        )
    }

    pub(crate) fn stop(self) {
        for child in self.children.lock().unwrap().iter_mut() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
        drop(self.data);
    }
}

fn start_nginx(directory: &std::path::Path) -> (Child, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = directory.join("nginx.conf");
    let d = directory.display();
    let text = format!(
        "daemon off; worker_processes 2; pid {d}/nginx.pid; error_log {d}/nginx.log warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
           access_log off; client_max_body_size 0; proxy_request_buffering off; keepalive_requests 1000000;\n\
           client_body_temp_path {d}/nginx-body; proxy_temp_path {d}/nginx-proxy;\n\
           fastcgi_temp_path {d}/nginx-f; uwsgi_temp_path {d}/nginx-u; scgi_temp_path {d}/nginx-s;\n\
           upstream registry {{ server unix:{d}/registry.sock; keepalive 64; }}\n\
           server {{\n\
             listen {address} ssl reuseport; ssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_certificate {d}/tls.crt; ssl_certificate_key {d}/tls.key;\n\
             location / {{ proxy_pass http://registry; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
               proxy_set_header Host localhost; proxy_max_temp_file_size 0; }}\n\
           }}\n\
         }}\n"
    );
    std::fs::File::create(&config).unwrap().write_all(text.as_bytes()).unwrap();
    let child = Command::new("nginx")
        .arg("-c")
        .arg(&config)
        .arg("-p")
        .arg(directory)
        .spawn()
        .expect("nginx is installed");
    while std::net::TcpStream::connect(address).is_err() {
        std::thread::yield_now();
    }
    (child, address)
}

/// Proportional memory of some processes, in KiB: what they share is counted once.
pub(crate) fn memory_kib(pids: &[u32]) -> u64 {
    let pss = |pid: &u32| {
        let path = PathBuf::from(format!("/proc/{pid}/smaps_rollup"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line =
            text.lines().find_map(|line| line.strip_prefix("Pss:").map(str::to_owned)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default()
    };
    pids.iter().map(pss).sum()
}
