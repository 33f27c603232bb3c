//! A PostgreSQL server of the suite's own (`scripts/postgres.sh`), for as long as a story lasts.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::process::{bare, run};

/// A running server.
pub(crate) struct Postgres {
    keeper: Child,
    said: BufReader<ChildStdout>,
    /// `PID DIRECTORY`, as the script says it.
    line: String,
}

impl Postgres {
    /// Starts one; `None`, and says so, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres.sh"));
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(keeper.stdout.take().unwrap());
        let mut server = Self { keeper, said, line: String::new() };
        server.said.read_line(&mut server.line).unwrap();
        if server.line.is_empty() {
            assert_eq!(server.keeper.wait().unwrap().code(), Some(3), "PostgreSQL does not start");
            println!("skipped: no PostgreSQL is installed (make deps installs it)");
            return None;
        }
        Some(server)
    }

    /// What `store.url` says of it.
    pub(crate) fn url(&self) -> String {
        let directory = self.line.trim().split_once(' ').unwrap().1;
        format!("postgres://portcullis@/postgres?host={directory}")
    }

    /// Kills its process at once.
    pub(crate) fn kill(&self) {
        let pid = self.line.split_once(' ').unwrap().0;
        run(bare("kill").args(["-KILL", pid]), "").must_succeed();
    }

    /// Starts it again after it was killed.
    pub(crate) fn restart(&mut self) {
        self.keeper.stdin.as_mut().unwrap().write_all(b"start\n").unwrap();
        self.line.clear();
        self.said.read_line(&mut self.line).unwrap();
        assert!(!self.line.is_empty(), "PostgreSQL does not start again");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
