//! The program `portcullis`: reads the command line, runs it, and maps the outcome to an exit code.

use std::process::ExitCode;

use portcullis::cli;
use portcullis::cli::terminal::Io;
use portcullis::run;
use portcullis::run::sources::Sources;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Refused, or it did not work.
const FAILED: u8 = 1;
/// The command line was wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // The input and output are given back before a server starts.
    let outcome = cli::run(std::env::args_os(), &mut Io::of_the_process());
    match outcome {
        cli::Outcome::Done => ExitCode::SUCCESS,
        cli::Outcome::Failed => ExitCode::from(FAILED),
        cli::Outcome::Usage => ExitCode::from(USAGE),
        cli::Outcome::Server(command) => {
            let environment: Vec<_> = std::env::vars().collect();
            let program = std::env::args().next().filter(|name| name.contains('/'));
            let program = program.as_deref().unwrap_or("portcullis");
            match run::commands::run(command, &environment, program, &Sources::system()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => {
                    eprintln!("FAILED\n{failure}");
                    ExitCode::from(FAILED)
                }
            }
        }
    }
}
