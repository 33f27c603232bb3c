//! `kube …`: what a Kubernetes cluster needs to pull images: a secret for an API key, or logins that nobody stores.

use super::args::kube::Command;
use super::failure::Failure;
use super::terminal::Io;

mod credential_provider;
mod exec;
mod pull_secret;

/// Runs one command.
pub(super) async fn run(io: &mut Io, command: Command) -> Result<(), Failure> {
    match command {
        Command::CredentialProvider(wanted) => credential_provider::run(io, wanted).await,
        Command::PullSecret(wanted) => pull_secret::run(io, wanted),
    }
}
