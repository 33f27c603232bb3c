//! wrk: many requests over kept-alive TLS connections, as fast as they are answered.

use std::fs;
use std::process::Command;

use crate::contender::Contender;
use crate::round::{Meter, Round};

/// What is asked, and how.
pub(crate) struct Wrk<'a> {
    pub(crate) path: &'a str,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    /// In place of the contender's token.
    pub(crate) authorization: Option<String>,
    /// Whether answers other than 2xx are what is wanted.
    pub(crate) refused: bool,
}

impl<'a> Wrk<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self { path, connections: 64, seconds: 4, authorization: None, refused: false }
    }

    /// One round; no error is tolerated.
    pub(crate) fn run(&self, contender: &Contender) -> Round {
        let mut command = Command::new("wrk");
        command.env("OPENSSL_CONF", openssl(contender));
        command.args(["-t1", &format!("-c{}", self.connections), &format!("-d{}s", self.seconds)]);
        command.args(["-H", &format!("Accept: {}, {}", crate::image::MANIFEST, crate::image::INDEX)]);
        let bearer = contender.token.as_ref().map(|token| format!("Bearer {token}"));
        if let Some(value) = self.authorization.clone().or(bearer) {
            command.args(["-H", &format!("Authorization: {value}")]);
        }
        command.arg(format!("https://localhost:{}{}", contender.address.port(), self.path));
        let meter = Meter::start(contender);
        let done = command.output().expect("wrk is installed");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let count =
            requests(&text).unwrap_or_else(|| panic!("wrk counted nothing for {}: {text}", contender.name));
        let refused = refusals(&text);
        let right = if self.refused { refused == count } else { refused == 0.0 };
        assert!(right && !text.contains("Socket errors"), "{}: {text}", contender.name);
        meter.stop(count)
    }
}

/// `12345 requests in 4.00s, …`
fn requests(text: &str) -> Option<f64> {
    text.lines().find_map(|line| line.split_once(" requests in ")?.0.trim().parse().ok())
}

/// `Non-2xx or 3xx responses: 12`
fn refusals(text: &str) -> f64 {
    text.lines()
        .find_map(|line| line.split_once("Non-2xx or 3xx responses: ")?.1.trim().parse().ok())
        .unwrap_or(0.0)
}

/// The same cipher and group for everybody.
fn openssl(contender: &Contender) -> std::path::PathBuf {
    let path = contender.folder.path().join("openssl.cnf");
    let text = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n\
                Ciphersuites = TLS_AES_128_GCM_SHA256\nGroups = X25519\n";
    fs::write(&path, text).expect("a writable folder");
    path
}
