//! Child processes: commands that end, and servers that run until they are told to stop.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::wait::{PATIENCE, until, within};

/// How much of a server's log a failed test shows.
const LAST_LINES: usize = 20;

/// How long a server gets to stop in good order when its test is over.
const GRACE: Duration = Duration::from_secs(5);

/// A command that knows nothing of the caller's environment but where programs are.
pub(crate) fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).collect::<Vec<_>>();
    places.extend(["/usr/sbin".into(), "/sbin".into()]);
    command.env_clear().env("PATH", std::env::join_paths(places).unwrap()).env("LC_ALL", "C.UTF-8");
    command
}

/// Whether a program is on the PATH.
pub(crate) fn is_installed(program: &str) -> bool {
    let look = bare("sh").args(["-c", "command -v -- \"$0\" >/dev/null", program]).status();
    look.is_ok_and(|status| status.success())
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Both outputs, as a person sees them.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Stops the test unless the command did its work.
    #[track_caller]
    pub(crate) fn must_succeed(self) -> Self {
        assert!(
            self.code == Some(0),
            "should have worked, and left with {:?}: {}\n{}",
            self.code,
            self.command,
            self.said()
        );
        self
    }

    /// Stops the test unless the command failed and said that, or one of several wordings of it.
    #[track_caller]
    pub(crate) fn must_fail_saying(self, any_of: &[&str]) -> Self {
        assert!(self.code != Some(0), "should have failed: {}\n{}", self.command, self.said());
        let said = self.said();
        let heard = any_of.iter().any(|text| said.contains(text));
        assert!(heard, "should have said one of {any_of:?}: {}\n{said}", self.command);
        self
    }
}

/// Runs a command to its end, with that on its standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Finished {
    let name = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    // A command that reads nothing closes its end; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Finished { command: name, code: output.status.code(), stdout, stderr }
}

/// A server in its own process; it dies with this value.
pub(crate) struct Running {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Running {
    /// Starts it; what it prints is kept, and shown when a test fails on it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let log = Arc::new(Mutex::new(String::new()));
        keep_lines(child.stdout.take().unwrap(), &log);
        keep_lines(child.stderr.take().unwrap(), &log);
        Self { name, child, log }
    }

    /// All that it has printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until something is true of what it printed; stops the test if it ends before that.
    pub(crate) fn await_log<T>(&mut self, what: &str, mut read: impl FnMut(&str) -> Option<T>) -> T {
        until(&format!("{what} of {}", self.name), PATIENCE, || {
            let ended = self.child.try_wait().unwrap();
            let answer = read(&self.log());
            assert!(
                answer.is_some() || ended.is_none(),
                "{} ended early with {ended:?}:\n{}",
                self.name,
                self.log()
            );
            answer
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its short name: `TERM`, `INT`, `HUP`, `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        run(bare("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.child.id().to_string()]), "")
            .must_succeed();
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        if self.child.try_wait().unwrap().is_none() {
            self.signal("TERM");
        }
        self.wait(PATIENCE)
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop, and ends it if it does not; never stops the test, so it may be called while one fails.
    pub(crate) fn end(&mut self) {
        let _ = signal(&self.child, "TERM");
        let ended = within(GRACE, || self.child.try_wait().transpose());
        if ended.is_none() {
            self.kill();
        }
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        until(&format!("the end of {}", self.name), limit, || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
            eprintln!("--- {} said last:\n{}", self.name, last.join("\n"));
        }
    }
}

fn signal(child: &Child, name: &str) -> Finished {
    run(bare("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &child.id().to_string()]), "")
}

fn keep_lines(output: impl Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&String::from_utf8_lossy(&line));
            log.push('\n');
        }
    });
}
