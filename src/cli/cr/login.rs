//! `cr login`: hands docker or podman a way in. The secret goes through a pipe, never onto a command line.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::region;
use crate::cli::args::ContainerClient;
use crate::cli::display::Display;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::terminal::Io;

/// Logs the client in to the targeted registry: with the API key from the environment if there is one, else with a
/// fresh token, which ends when it ends.
pub(super) async fn run(
    io: &mut Io,
    session: &mut Session,
    client: Option<ContainerClient>,
) -> Result<(), Failure> {
    let targeted = region::target(session, None).await?;
    let (program, name) = program(io.environment.path.as_deref(), client)?;
    let registry = targeted.host();
    let (user, password) = match &io.environment.api_key {
        Some(key) => ("iamapikey", key.clone()),
        None => ("iambearer", session.fresh_token().await?),
    };
    io.line(format!("Logging '{name}' in to '{registry}'..."));
    let mut child = Command::new(program)
        .args(["login", "--username", user, "--password-stdin", &registry])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Failure::new(
                format!("{name} does not start: {error}."),
                "Install it, or give the other one with `--client`.",
            )
        })?;
    if let Some(mut pipe) = child.stdin.take() {
        // A client that stops reading says why on its standard error.
        let _ = pipe.write_all(password.expose().as_bytes());
    }
    let done = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = io.progress.wait(name, async { done.await.map_err(std::io::Error::other)? }).await;
    let output = output.map_err(|error| Failure::new(format!("{name} got lost: {error}."), "Try again."))?;
    if !output.status.success() {
        return Err(refused(name, &registry, &String::from_utf8_lossy(&output.stderr)));
    }
    io.line(format!("Logged in to '{registry}'."));
    if user == "iambearer" {
        let end = session.login.tokens.expires_at.ibm();
        io.note(format!(
            "This login ends at {end}; for a lasting one, set PORTCULLIS_API_KEY and run it again."
        ));
    }
    io.line("");
    io.ok(Display::default());
    Ok(())
}

fn program(
    path: Option<&OsStr>,
    client: Option<ContainerClient>,
) -> Result<(PathBuf, &'static str), Failure> {
    let names: &[&'static str] = match client {
        Some(ContainerClient::Docker) => &["docker"],
        Some(ContainerClient::Podman) => &["podman"],
        None => &["docker", "podman"],
    };
    let directories: Vec<PathBuf> =
        path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let installed = |name: &&'static str| {
        let found = directories.iter().map(|directory| directory.join(name)).find(|file| file.is_file())?;
        Some((found, *name))
    };
    names.iter().find_map(installed).ok_or_else(|| {
        let what = format!("There is no {} on the PATH.", names.join(" and no "));
        Failure::new(
            what,
            "Install docker or podman, or give the one that you have with `--client docker|podman`.",
        )
    })
}

fn refused(name: &str, registry: &str, message: &str) -> Failure {
    let message: Vec<String> = message.lines().map(crate::cli::display::tame).collect();
    let message = message.join("\n");
    let next = if message.contains("x509") || message.contains("certificate") {
        let directory = if name == "docker" { "/etc/docker" } else { "/etc/containers" };
        format!(
            "Copy the server's certificate authority to {directory}/certs.d/{registry}/ca.crt, and try again."
        )
    } else if message.contains("daemon") {
        "Start docker, or use `--client podman`, which needs no daemon.".to_owned()
    } else {
        "Log in again with `portcullis login`, and try again.".to_owned()
    };
    Failure::new(format!("{name} did not log in to '{registry}':\n{}", message.trim()), next)
}
