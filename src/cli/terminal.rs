//! The world around a command: what it prints to, reads from, and finds in the environment. Decides nothing about IAM.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::display::Display;
use super::failure::Failure;
use super::progress::Progress;
use crate::clock::{Clock, SystemClock};
use crate::secret::Secret;

/// Reads the keystrokes of one line without echoing them, and restores the echo even when interrupted.
const READ_HIDDEN: &str = "trap 'stty echo' EXIT HUP INT TERM; stty -echo; IFS= read -r line; \
                           stty echo; printf '\\n' >&2; printf %s \"$line\"";

/// What the environment says. Flags override it; it overrides the saved profile.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PORTCULLIS_ENDPOINT`.
    pub endpoint: Option<String>,
    /// `PORTCULLIS_API_KEY`: used for every command, whoever is logged in.
    pub api_key: Option<Secret<String>>,
    /// `IBMCLOUD_API_KEY`: used to log in, and while nobody is logged in.
    pub ibm_api_key: Option<Secret<String>>,
    /// `PORTCULLIS_CA_FILE`.
    pub ca_file: Option<PathBuf>,
    /// Where the profile is kept: `PORTCULLIS_HOME`, else below `XDG_CONFIG_HOME`, else below `~/.config`.
    pub directory: Option<PathBuf>,
    /// Where programs are looked for: `PATH`.
    pub path: Option<std::ffi::OsString>,
}

impl Environment {
    /// Reads the process's environment; an empty variable counts as absent.
    #[must_use]
    pub fn of_the_process() -> Self {
        let os = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| os(name).and_then(|value| value.into_string().ok());
        let configuration = || os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || os("HOME").map(|home| PathBuf::from(home).join(".config"));
        Self {
            endpoint: text("PORTCULLIS_ENDPOINT"),
            api_key: text("PORTCULLIS_API_KEY").map(Secret::new),
            ibm_api_key: text("IBMCLOUD_API_KEY").map(Secret::new),
            ca_file: os("PORTCULLIS_CA_FILE").map(PathBuf::from),
            directory: os("PORTCULLIS_HOME")
                .map(PathBuf::from)
                .or_else(|| configuration().or_else(home).map(|directory| directory.join("portcullis"))),
            path: os("PATH"),
        }
    }
}

/// Input, output, environment and time of one run of the program.
pub struct Io {
    /// The standard output.
    pub out: Box<dyn Write>,
    /// The standard error.
    pub err: Box<dyn Write>,
    /// The standard input.
    pub input: Box<dyn BufRead>,
    /// Whether there is somebody to ask: the standard input and error are a terminal.
    pub interactive: bool,
    /// The environment.
    pub environment: Environment,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is shown while something takes long.
    pub(super) progress: Progress,
    /// The first error of the standard output, told at the end.
    lost: Option<std::io::Error>,
}

impl std::fmt::Debug for Io {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io").field("interactive", &self.interactive).finish_non_exhaustive()
    }
}

impl Io {
    /// The process's own.
    #[must_use]
    pub fn of_the_process() -> Self {
        let seen = std::io::stderr().is_terminal();
        let mut io = Self::new(
            Box::new(std::io::stdout()),
            Box::new(std::io::stderr()),
            Box::new(std::io::stdin().lock()),
            std::io::stdin().is_terminal() && seen,
            Environment::of_the_process(),
        );
        // What reads the output through a pipe, such as a pager, has the terminal to itself.
        if seen && std::io::stdout().is_terminal() {
            io.progress = Progress::on(Box::new(std::io::stderr()));
        }
        io
    }

    /// From parts, with the machine's clock.
    #[must_use]
    pub fn new(
        out: Box<dyn Write>,
        err: Box<dyn Write>,
        input: Box<dyn BufRead>,
        interactive: bool,
        environment: Environment,
    ) -> Self {
        let (clock, progress) = (Arc::new(SystemClock), Progress::default());
        Self { out, err, input, interactive, environment, clock, progress, lost: None }
    }

    /// Prints a line of the result.
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.progress.clear();
        if let Err(error) = writeln!(self.out, "{}", text.as_ref()) {
            self.lost.get_or_insert(error);
        }
    }

    /// Says what is about to happen, unless only the result is wanted.
    pub(super) fn announce(&mut self, display: Display, text: impl AsRef<str>) {
        if !display.quiet && !display.is_json() {
            self.line(text);
        }
    }

    /// Says that it worked.
    pub(super) fn ok(&mut self, display: Display) {
        self.announce(display, "OK");
    }

    /// Prints a line for the person, not for the next program.
    pub(super) fn note(&mut self, text: impl AsRef<str>) {
        self.progress.clear();
        // Nothing can be done about a standard error that does not take text.
        let _ = writeln!(self.err, "{}", text.as_ref());
    }

    /// Reads a file; `-` is what comes in.
    pub(super) fn file(&mut self, path: &std::path::Path) -> Result<Vec<u8>, Failure> {
        let read = if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            self.input.read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(path)
        };
        let wrong =
            |error| Failure::new(format!("{} cannot be read: {error}.", path.display()), "Name a file.");
        read.map_err(wrong)
    }

    /// Prints what went wrong and what to do.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.note(format!("FAILED\n{}\n{}", failure.what, failure.next));
    }

    /// Flushes the standard output; the error, if it lost anything. A reader that went away early is none.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.progress.clear();
        let flushed = self.out.flush();
        let lost = self.lost.take().map_or(flushed, Err);
        match lost {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
                format!("The output could not be written: {error}."),
                "Make room where it goes, and run the command again.",
            )),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Asks for a line of text.
    pub(super) fn ask(&mut self, prompt: &str) -> Result<String, Failure> {
        self.progress.clear();
        let _ = write!(self.err, "{prompt}");
        let _ = self.err.flush();
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(|error| unreadable(&error))?;
        Ok(line.trim().to_owned())
    }

    /// Asks for a line of text without showing it.
    pub(super) fn ask_secret(&mut self, prompt: &str) -> Result<Secret<String>, Failure> {
        self.progress.clear();
        let _ = write!(self.err, "{prompt}");
        let _ = self.err.flush();
        let mut shell = Command::new("sh");
        shell.args(["-c", READ_HIDDEN]).stdin(Stdio::inherit()).stderr(Stdio::inherit());
        let output = shell.output().map_err(|error| unreadable(&error))?;
        let text = String::from_utf8(output.stdout).map_err(|_| unreadable(&"it is not UTF-8"))?;
        Ok(Secret::new(text.trim().to_owned()))
    }

    /// Asks whether to go on with something that cannot be undone; `force` is a yes in advance.
    ///
    /// # Errors
    /// Wrong usage when there is nobody to ask.
    pub(super) fn confirm(&mut self, question: &str, force: bool) -> Result<bool, Failure> {
        if force {
            return Ok(true);
        }
        if !self.interactive {
            return Err(Failure::usage(
                "This needs a confirmation, and there is no terminal to ask on.",
                "Give `--force` to do it without asking.",
            ));
        }
        let answer = self.ask(&format!("{question} [y/N]> "))?.to_ascii_lowercase();
        let yes = answer == "y" || answer == "yes";
        if !yes {
            self.note("Nothing was changed.");
        }
        Ok(yes)
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("The input could not be read: {error}."), "Give it as a flag; `--help` lists them.")
}
