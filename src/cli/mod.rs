//! The command line. It is an ordinary API client: every command but those that run a server talks HTTPS to one, in the
//! IBM APIs' shapes, and knows nothing that another client could not know. `policy lint` and `kube pull-secret` ask nobody.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Results go to the standard output; whatever goes wrong goes to
//! the standard error and ends in what to do next.

use std::ffi::OsString;

use clap::CommandFactory;

use args::{Arguments, ClientCommand, Command, ServerCommand};
use failure::Failure;
use terminal::Io;

pub mod args;
pub mod terminal;

mod cbr;
mod compliance;
mod cr;
mod display;
mod endpoint;
mod entity;
mod explain;
mod failure;
mod fleet;
mod health;
mod http;
mod iam;
mod kube;
mod login;
mod lookup;
mod policy;
mod profile;
mod progress;
mod resource;
mod session;
mod template;
mod thing;
mod wire;

#[cfg(test)]
mod tests;

/// How a run of the program ended, or what is left to do.
#[derive(Debug)]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused, or it did not work; the reason has been printed.
    Failed,
    /// The command line was wrong; the reason has been printed.
    Usage,
    /// A command that runs a server: left to the caller.
    Server(ServerCommand),
}

/// Reads the command line, name of the program first, and does what it says.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io) -> Outcome {
    let command = match args::parse(arguments) {
        Ok(Command::Server(command)) => return Outcome::Server(command),
        Ok(Command::Client(command)) => command,
        Err(error) => return explained(&error, io),
    };
    let done = execute(io, command);
    match done.and_then(|()| io.finish()) {
        Ok(()) => Outcome::Done,
        Err(failure) => {
            // What was printed so far comes before why there is no more.
            let _ = io.finish();
            io.failed(&failure);
            if failure.usage { Outcome::Usage } else { Outcome::Failed }
        }
    }
}

/// Prints what the parser has to say: help and version are answers, anything else is wrong usage.
fn explained(error: &clap::Error, io: &mut Io) -> Outcome {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            io.line(error.render().to_string().trim_end());
            if io.finish().is_ok() { Outcome::Done } else { Outcome::Failed }
        }
        _ => {
            io.note(error.render().to_string().trim_end());
            Outcome::Usage
        }
    }
}

fn execute(io: &mut Io, command: ClientCommand) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(
            format!("The program cannot start: {error}."),
            "Raise the limit on open files, and try again.",
        )
    })?;
    runtime.block_on(dispatch(io, command))
}

async fn dispatch(io: &mut Io, command: ClientCommand) -> Result<(), Failure> {
    match command {
        ClientCommand::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "portcullis", &mut script);
            io.line(String::from_utf8_lossy(&script).trim_end());
            Ok(())
        }
        ClientCommand::Cbr(command) => cbr::run(io, command).await,
        ClientCommand::Compliance(command) => compliance::run(io, command).await,
        ClientCommand::Cr(command) => cr::run(io, command).await,
        ClientCommand::Explain(explain) => explain::run(io, explain).await,
        ClientCommand::Health(wanted) => health::run(io, wanted).await,
        ClientCommand::Iam(command) => iam::run(io, command).await,
        ClientCommand::Jobs(formatted) => fleet::jobs(io, formatted.display()).await,
        ClientCommand::Keys(command) => fleet::keys(io, command).await,
        ClientCommand::Kube(command) => kube::run(io, command).await,
        ClientCommand::Login(login) => login::login(io, login).await,
        ClientCommand::Logout => login::logout(io),
        ClientCommand::Policy(args::policy::Command::Lint(lint)) => policy::lint(io, &lint),
        ClientCommand::Resource(command) => resource::run(io, command).await,
        ClientCommand::Target(target) => login::target(io, target).await,
        ClientCommand::WhoCan(who) => explain::who_can(io, who).await,
    }
}
