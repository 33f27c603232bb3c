//! Portcullis inside the test's own process, on a clock that the test moves.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portcullis::clock::{Clock, ManualClock, SystemClock, SystemEntropy, UnixTime};
use portcullis::config;
use portcullis::run::init::{self, Given};
use portcullis::run::server::Server;
use portcullis::run::sources::Sources;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::certificate::{self, Certificate};
use super::client::Trust;
use super::http::Http;
use super::portcullis::settings_text;
use super::portcullis::{ADMIN_ACCESS_KEY_ID, ADMIN_SECRET_ACCESS_KEY};
use super::who::IAMAPIKEY;

const ADMINISTRATOR: &str = "suite-administrator-on-a-manual-clock-0123456789";

/// A server whose wall clock stands still until it is moved. It ends with this value.
pub(crate) struct InProcess {
    clock: Arc<ManualClock>,
    certificate: Certificate,
    address: SocketAddr,
    server: Option<Server>,
    runtime: Runtime,
    _folder: TempDir,
}

impl InProcess {
    /// In front of the registry at that URL, with further lines at the end of the settings.
    pub(crate) fn before(upstream: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certificate::make(folder.path());
        let file = folder.path().join("portcullis.toml");
        fs::write(&file, settings_text(folder.path(), &certificate, upstream, settings)).unwrap();
        let settings = config::load(&file, std::iter::empty()).unwrap().settings;
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let sources = Sources { clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let installation = init::open(&settings, &sources).await.unwrap();
            let given = Given {
                api_key: Some(ADMINISTRATOR),
                access_key_id: Some(ADMIN_ACCESS_KEY_ID),
                secret_access_key: Some(ADMIN_SECRET_ACCESS_KEY),
            };
            init::ensure(&installation, &settings, false, given, &sources, None).await.unwrap();
            let control = tokio::runtime::Handle::current();
            Server::start(&settings, installation, control, &sources).unwrap()
        });
        let address = server.addresses[0];
        Self { clock, certificate, address, server: Some(server), runtime, _folder: folder }
    }

    /// Moves the clock forward.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// `localhost:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// The authority that clients must believe.
    pub(crate) fn trust(&self) -> Trust {
        Trust::Authority(self.certificate.ca.clone())
    }

    /// Raw HTTPS, as nobody.
    pub(crate) fn http(&self) -> Http {
        Http::tls(self.address, &self.certificate.ca)
    }

    /// Raw HTTPS, as the administrator.
    pub(crate) fn administrator(&self) -> Http {
        self.http().basic(IAMAPIKEY, ADMINISTRATOR)
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            let _ = self.runtime.block_on(server.drain());
        }
    }
}
