//! Starts a real registry for `quickstart`, reachable by nobody but us.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::files::{private_directory, write_private};

/// A registry that we started; it ends with us.
#[derive(Debug)]
pub struct StartedRegistry {
    /// How to reach it, as a config would say.
    pub url: String,
    child: Child,
}

/// Why no registry could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error(
        "no `registry` or `docker-registry` on the PATH: install one (Debian: docker-registry), or name one with --upstream"
    )]
    NotInstalled,
    /// Its directory cannot be prepared, or it cannot be run.
    #[error("starting the registry: {0}")]
    Io(#[from] std::io::Error),
    /// The data directory's path is too long for a socket.
    #[error("the data directory's path is too long for a unix socket: choose a shorter one with --data-dir")]
    PathTooLong,
    /// It ended at once.
    #[error("the registry ended at once: run `{0}` to see why")]
    Ended(String),
}

/// Starts `registry` or `docker-registry` on a unix socket in `directory`, and waits until it accepts connections.
///
/// # Errors
/// [`StartError`].
pub async fn start(directory: &Path, path_variable: &str) -> Result<StartedRegistry, StartError> {
    let program = find(path_variable).ok_or(StartError::NotInstalled)?;
    let storage = directory.join("registry");
    private_directory(&storage)?;
    let socket = directory.join("registry.sock");
    // `sun_path` has 108 bytes, one of them for the end.
    if socket.as_os_str().len() > 107 {
        return Err(StartError::PathTooLong);
    }
    if socket.exists() {
        std::fs::remove_file(&socket)?;
    }
    let config = directory.join("registry.yml");
    write_private(&config, configuration(&storage, &socket).as_bytes())?;
    let mut command = Command::new(&program);
    // An inherited REGISTRY_* variable would be read as configuration.
    command.arg("serve").arg(&config).env_clear().env("PATH", path_variable);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    command.stderr(std::fs::File::create(directory.join("registry.log"))?);
    // Its own group: Ctrl-C in our terminal must not reach it before we have drained.
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    while UnixStream::connect(&socket).await.is_err() {
        if child.try_wait()?.is_some() {
            return Err(StartError::Ended(format!("{} serve {}", program.display(), config.display())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(StartedRegistry { url: format!("unix:{}", socket.display()), child })
}

impl StartedRegistry {
    /// Ends the registry.
    pub async fn stop(mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill().await;
    }
}

fn find(path_variable: &str) -> Option<PathBuf> {
    let directories: Vec<PathBuf> = std::env::split_paths(path_variable).collect();
    let named = |name: &str| directories.iter().map(|dir| dir.join(name)).find(|file| file.is_file());
    named("docker-registry").or_else(|| named("registry"))
}

fn configuration(storage: &Path, socket: &Path) -> String {
    let quoted = |path: &Path| serde_json::Value::from(path.display().to_string()).to_string();
    format!(
        "version: 0.1\nlog:\n  level: warn\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\n  \
         delete:\n    enabled: true\n  redirect:\n    disable: true\nhttp:\n  net: unix\n  addr: {}\n  relativeurls: true\n",
        quoted(storage),
        quoted(socket),
    )
}
