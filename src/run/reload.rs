//! Changes of the configuration while serving: what can change, changes; what cannot is named.
//!
//! A reload takes effect as a whole or not at all: with one mistake in the file, or one certificate that cannot be used,
//! everything stays as it was.

use std::path::PathBuf;
use std::sync::Arc;

use super::commands::Environment;
use super::plan;
use super::server::Server;
use crate::config::settings::Settings;
use crate::config::{self, mistake::Mistakes};
use crate::edge::tls::{CertificateError, CertificateStore, Loaded};
use crate::record::log::LevelControl;

/// Reads the configuration again when asked, and certificates when they change.
#[derive(Debug)]
pub struct Reloader {
    file: PathBuf,
    environment: Vec<(String, String)>,
    level: LevelControl,
    /// What is in force.
    current: Settings,
    /// What was wrong with certificates when they were last looked at, so that it is said once.
    problem: Option<String>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("{0}")]
    Mistakes(Mistakes),
    #[error("listener {0}: {1}")]
    Certificates(std::net::SocketAddr, CertificateError),
}

/// Certificates that are ready to take effect, and where.
type Ready = Vec<(Arc<CertificateStore>, Loaded)>;

impl Reloader {
    /// For a server that runs with these settings, read from `file` and `environment`.
    #[must_use]
    pub fn new(file: PathBuf, environment: &Environment, level: LevelControl, current: Settings) -> Self {
        Self { file, environment: environment.to_vec(), level, current, problem: None }
    }

    /// Reads everything again, and opens the audit log again, which may have been moved away.
    pub fn reload(&mut self, server: &Server) {
        server.reopen_audit();
        let outcome = self.read(server);
        let done = outcome.is_ok();
        let file = self.file.display();
        match outcome {
            Ok((settings, certificates)) => self.apply(settings, certificates),
            Err(Unusable::Mistakes(mistakes)) => {
                for mistake in mistakes.sentences() {
                    tracing::error!("{mistake}");
                }
                tracing::error!(%file, "not reloaded: the old settings stay in force; correct the file and send SIGHUP again");
            }
            Err(error @ Unusable::Certificates(..)) => {
                tracing::error!(%file, %error, "not reloaded: the old settings stay in force");
            }
        }
        // The last, so that whoever sees the count finds in force what was reloaded.
        server.count_reload(done);
    }

    fn read(&self, server: &Server) -> Result<(Settings, Ready), Unusable> {
        let loaded =
            config::load(&self.file, self.environment.iter().cloned()).map_err(Unusable::Mistakes)?;
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let mut ready = Vec::new();
        for (listener, store) in loaded.settings.listeners.iter().zip(server.certificates()) {
            if let (Some(store), false) = (store, listener.tls.is_empty()) {
                let certificates = store
                    .prepare(plan::certificates(listener))
                    .map_err(|error| Unusable::Certificates(listener.address, error))?;
                ready.push((Arc::clone(store), certificates));
            }
        }
        Ok((loaded.settings, ready))
    }

    fn apply(&mut self, new: Settings, certificates: Ready) {
        for key in needs_restart(&self.current, &new) {
            tracing::warn!("{key} changed in the file: restart to put that in force");
        }
        self.level.set(new.log.level);
        self.current.log.level = new.log.level;
        for (old, new) in self.current.listeners.iter_mut().zip(new.listeners) {
            if !old.tls.is_empty() && !new.tls.is_empty() {
                old.tls = new.tls;
                old.client_certificates = new.client_certificates;
            }
        }
        for (store, loaded) in certificates {
            store.install(loaded);
        }
        self.problem = None;
        tracing::info!(file = %self.file.display(), "reloaded: the level of the log and the certificates");
    }

    /// Puts certificates in force whose files changed.
    pub fn look_at_certificates(&mut self, server: &Server) {
        let mut problem = None;
        for store in server.certificates().iter().flatten() {
            match store.reload_if_changed() {
                Ok(true) => tracing::info!("certificates reloaded, because their files changed"),
                Ok(false) => {}
                Err(error) => problem = Some(error.to_string()),
            }
        }
        if let Some(problem) = problem.as_ref().filter(|_| problem != self.problem) {
            tracing::error!("certificates not reloaded, the old ones stay in force: {problem}");
        }
        self.problem = problem;
    }
}

/// The keys that differ and cannot change while serving.
fn needs_restart(old: &Settings, new: &Settings) -> Vec<String> {
    let sections = [
        ("account", old.account == new.account),
        ("acme", old.acme == new.acme),
        ("store", old.store == new.store),
        ("token", old.token == new.token),
        ("allowlist", old.allowlist == new.allowlist),
        ("federation", old.federation == new.federation),
        ("alerts", old.alerts == new.alerts),
        ("audit", old.audit == new.audit),
        ("telemetry", old.telemetry == new.telemetry),
        ("cache", old.cache == new.cache),
        ("findings", old.findings == new.findings),
        ("limits", old.limits == new.limits),
        ("log.format", old.log.format == new.log.format),
        ("workers", old.workers == new.workers),
    ];
    let sections = sections.into_iter().filter(|(_, same)| !same).map(|(key, _)| key.to_owned());
    let registries = different("registry", &old.registries, &new.registries, |a, b| a == b);
    let listeners = different("listener", &old.listeners, &new.listeners, |a, b| {
        // Certificates can be replaced, but TLS cannot be switched on or off.
        let (address, endpoint) = (a.address == b.address, a.endpoint == b.endpoint);
        let proxies = a.proxy_protocol == b.proxy_protocol && a.trusted_proxies == b.trusted_proxies;
        address
            && endpoint
            && proxies
            && a.acme == b.acme
            && a.surfaces == b.surfaces
            && a.tls.is_empty() == b.tls.is_empty()
    });
    sections.chain(registries).chain(listeners).collect()
}

/// The places of a list whose entries are not the same, or are not in both.
fn different<'a, T>(
    key: &'a str,
    old: &'a [T],
    new: &'a [T],
    same: impl Fn(&T, &T) -> bool + 'a,
) -> impl Iterator<Item = String> + 'a {
    let changed = move |at: &usize| match (old.get(*at), new.get(*at)) {
        (Some(old), Some(new)) => !same(old, new),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    };
    (0..old.len().max(new.len())).filter(changed).map(move |at| format!("{key}[{at}]"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::needs_restart;
    use crate::config::settings::Settings;

    const BEFORE: &str = r#"
[account]
id = "123456789012"
[[registry]]
name = "us.registry.test"
region = "us-south"
upstream = "http://127.0.0.1:5000"
[[listener]]
address = "127.0.0.1:8443"
surfaces = ["registry"]
"#;

    fn settings(text: &str) -> Settings {
        crate::config::parse(Path::new("test.toml"), text, []).unwrap().settings
    }

    #[test]
    fn what_cannot_change_while_serving_is_named() {
        let old = settings(BEFORE);
        assert!(needs_restart(&old, &settings(&format!("{BEFORE}[log]\nlevel = \"debug\"\n"))).is_empty());
        let after = BEFORE.replace(":5000", ":5001").replace("8443", "8444");
        let more = "[[listener]]\naddress = \"127.0.0.1:9464\"\nsurfaces = [\"metrics\"]\n\
            [limits]\nmax_connections = 7\n[log]\nformat = \"json\"\n[token]\nlifetime = \"2m\"\n";
        assert_eq!(
            needs_restart(&old, &settings(&format!("{after}{more}"))),
            ["token", "limits", "log.format", "registry[0]", "listener[0]", "listener[1]"]
        );
    }
}
