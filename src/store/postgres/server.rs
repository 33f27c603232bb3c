//! A PostgreSQL server of the tests' own (`scripts/postgres.sh`), for as long as the tests run.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running server.
pub(super) struct PostgresServer {
    keeper: Child,
    said: BufReader<ChildStdout>,
    pid: i32,
    directory: PathBuf,
}

impl PostgresServer {
    /// Starts one; fails with why there is none here.
    pub(super) fn start() -> Result<Self, String> {
        Self::start_with(&[])
    }

    /// Starts one, with more in the script's environment.
    pub(super) fn start_with(environment: &[(&str, &str)]) -> Result<Self, String> {
        let mut keeper = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres.sh"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let said = BufReader::new(keeper.stdout.take().unwrap());
        let mut server = Self { keeper, said, pid: 0, directory: PathBuf::new() };
        if server.answers() {
            return Ok(server);
        }
        let status = server.keeper.wait().unwrap();
        assert_eq!(status.code(), Some(3), "PostgreSQL is installed, and does not start");
        Err("no PostgreSQL is installed (make deps installs it)".to_owned())
    }

    fn answers(&mut self) -> bool {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        let Some((pid, directory)) = line.trim().split_once(' ') else { return false };
        (self.pid, self.directory) = (pid.parse().unwrap(), directory.into());
        true
    }

    /// The URL of the database `name`.
    pub(super) fn url(&self, name: &str) -> String {
        format!("postgres://portcullis@/{name}?host={}", self.directory.display())
    }

    /// Carries out a statement, and gives back what `psql` prints.
    pub(super) fn sql(&self, database: &str, statement: &str) -> String {
        self.psql(5432, database, statement)
    }

    /// The same, in the first database of a server that has another port.
    pub(super) fn sql_at(&self, port: u16, statement: &str) -> String {
        self.psql(port, "postgres", statement)
    }

    fn psql(&self, port: u16, database: &str, statement: &str) -> String {
        let psql = Command::new("psql")
            .args(["-p", &port.to_string()])
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "portcullis", "-d", database])
            .arg("-h")
            .arg(&self.directory)
            .args(["-c", statement])
            .output()
            .unwrap();
        assert!(psql.status.success(), "{statement}: {}", String::from_utf8_lossy(&psql.stderr));
        String::from_utf8(psql.stdout).unwrap().trim().to_owned()
    }

    /// Kills the server's process at once.
    pub(super) fn kill(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }

    /// Starts it again after it was killed.
    pub(super) fn start_again(&mut self) {
        self.keeper.stdin.as_mut().unwrap().write_all(b"start\n").unwrap();
        assert!(self.answers());
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
