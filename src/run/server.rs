//! A running server: everything built in order, and ended in the opposite one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::failure::{Doing, Failure};
use super::fleet::Fleet;
use super::init::Installation;
use super::scanner::CommandScanner;
use super::sources::Sources;
use super::{
    alerts, census, compliance, descriptors, housekeeping, jobs, plan, renewal, standing, tasks, telemetry,
};
use crate::acme::place;
use crate::acme::proof::Stage;
use crate::admit::authenticate::Authenticator;
use crate::admit::gate::Gate;
use crate::admit::network::Premises;
use crate::admit::profile::ComputeTokens;
use crate::api::{Api, RegistrySite};
use crate::clock::{Clock, Entropy};
use crate::config::settings::{Listener, Settings, StorePlace};
use crate::control::Desk;
use crate::control::activity::Activity;
use crate::control::census::Ledger;
use crate::control::hold::StoredHolds;
use crate::control::image::Images;
use crate::control::inventory::Inventory;
use crate::control::scans::{Scanner, Scans};
use crate::control::shelf::Shelf;
use crate::control::trash::Bin;
use crate::control::usage::Usage;
use crate::credential::api_key::Pepper;
use crate::credential::lease::LeaseKey;
use crate::credential::seal::MasterKey;
use crate::credential::session::Sealer;
use crate::edge::tls::CertificateStore;
use crate::edge::{Edge, Running};
use crate::forward::Forwarder;
use crate::forward::cache::ContentCache;
use crate::forward::settings::UpstreamSettings;
use crate::ids::region::Region;
use crate::record::audit::AuditLog;
use crate::record::recorder::Recorder;
use crate::serve::aws::LARGE_BODIES;
use crate::serve::control::GateAuthority;
use crate::serve::images::{ImageReader, Route};
use crate::serve::limits::Limits;
use crate::serve::probe::{Readiness, Scrape};
use crate::serve::pushed::Told;
use crate::serve::sightings::Sightings;
use crate::serve::visit::RequestIds;
use crate::serve::{App, Shared};
use crate::token::federation::Federation;
use crate::token::foreign::Foreign;
use crate::token::mint::{Lifetimes, Mint};
use crate::view::{Settings as ViewSettings, View};

/// What leases are sealed under, of everything that the master key is good for.
const LEASES: &str = "upload-leases";

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where each listener listens, in the order of the settings.
    pub addresses: Vec<SocketAddr>,
    running: Running,
    shared: Arc<Shared>,
    /// Those of each listener; `None` for clear text.
    certificates: Vec<Option<Arc<CertificateStore>>>,
    grace: Duration,
}

impl Server {
    /// Builds and starts everything. The control plane runs on `control`; time and randomness come from `sources`.
    ///
    /// # Errors
    /// [`Failure`] with what cannot be opened, bound or started; then nothing is left running.
    pub fn start(
        settings: &Settings,
        installation: Installation,
        control: Handle,
        sources: &Sources,
    ) -> Result<Self, Failure> {
        descriptors::raise(settings.limits.max_connections);
        let acme = plan::acme(settings);
        if let Some(acme) = &acme {
            place::prepare(&acme.folder, &acme.names).doing("preparing acme.cache_dir")?;
        }
        let listeners = plan::listeners(settings)?;
        let certificates: Vec<_> = listeners.iter().map(|listener| listener.tls.clone()).collect();
        let content = plan::content(settings)?;
        let upstreams = plan::upstreams(settings, content.as_ref())?;
        for upstream in &upstreams {
            Forwarder::new(upstream.clone()).map_err(|error| Failure::plain(error.to_string()))?;
        }
        let (sightings, seen) = Sightings::channel(1024, settings.trash.keep.is_some());
        control.spawn(tasks::keep_sightings(
            Arc::clone(&installation.store),
            Arc::clone(&sources.clock),
            seen,
        ));
        let fleet =
            Fleet::new(Arc::clone(&installation.store), Arc::clone(&sources.clock), &*sources.entropy);
        let shared =
            shared(settings, installation, control, (&upstreams, content), sightings, (sources, &fleet))?;
        let shared = Arc::new(shared);
        let sites = shared.sites.all().to_vec();
        work(&shared, &fleet);
        let (made, entropy) = (Arc::clone(&shared), Arc::clone(&sources.entropy));
        let make_app = move |worker: usize| {
            // They have all been made once before the first worker started.
            let forwarders: Vec<Forwarder> =
                upstreams.iter().filter_map(|upstream| Forwarder::new(upstream.clone()).ok()).collect();
            if worker == 0 {
                tasks::watch_upstreams(&upstreams, &sites, &made);
            }
            App::new(Arc::clone(&made), forwarders, RequestIds::fresh(&*entropy))
        };
        let running = Edge::start(plan::edge(settings), listeners, settings.workers, make_app);
        let running = running.map_err(|error| Failure::plain(error.to_string()))?;
        shared.scrape.connections(running.connections());
        if let Some(acme) = acme {
            // Only now can the authority find us.
            let used = settings.listeners.iter().zip(&certificates).filter(|(listener, _)| listener.acme);
            let stores = used.filter_map(|(_, store)| store.clone()).collect();
            let stage = Stage { pages: Arc::clone(&shared.proofs), stores };
            shared.control.spawn(renewal::keep(acme, stage, Arc::clone(&sources.clock)));
        }
        let grace = settings.limits.drain_grace;
        Ok(Self { addresses: running.addresses.clone(), running, shared, certificates, grace })
    }

    /// Prints where it listens, one line per listener.
    pub fn announce(&self, listeners: &[Listener], out: &mut dyn std::io::Write) -> std::io::Result<()> {
        for (address, listener) in self.addresses.iter().zip(listeners) {
            let surfaces: Vec<&str> = listener.surfaces.iter().map(|surface| surface.label()).collect();
            let endpoint = listener.endpoint.label();
            writeln!(out, "listening on {address} ({endpoint}; surfaces {})", surfaces.join(", "))?;
        }
        writeln!(out, "ready")?;
        out.flush()
    }

    /// Opens the audit log again, after it was moved away.
    pub fn reopen_audit(&self) {
        self.shared.recorder.audit().reopen();
    }

    /// Counts a reload of the configuration.
    pub fn count_reload(&self, worked: bool) {
        self.shared.recorder.metrics().config_reloaded(worked);
    }

    /// The certificates of each listener, in the order of the settings; `None` for clear text.
    #[must_use]
    pub fn certificates(&self) -> &[Option<Arc<CertificateStore>>] {
        &self.certificates
    }

    /// Waits until a worker ends, which it should never do by itself.
    pub async fn worker_ended(&self) {
        self.running.worker_ended().await;
    }

    /// Lets running requests finish, then ends. Returns how many connections were cut.
    pub async fn drain(self) -> usize {
        self.shared.readiness.drain();
        let cut = self.running.drain(self.grace).await;
        if !self.shared.recorder.audit().close().await {
            tracing::error!("the last audit events could not be written");
        }
        cut
    }
}

/// What is done on a clock beside requests: by every replica, and for all of them by the one that leads.
fn work(shared: &Shared, fleet: &Arc<Fleet>) {
    let (api, regions) = (Arc::clone(&shared.api), shared.sites.all().iter().map(|site| site.region.clone()));
    let regions: Vec<Region> = regions.collect();
    shared.control.spawn(housekeeping::tell(Arc::clone(&api)));
    shared.control.spawn(standing::show(Arc::clone(&api), Arc::clone(fleet)));
    shared.control.spawn(Arc::clone(fleet).keep(move |fleet, set| jobs::start(&api, &regions, fleet, set)));
}

fn shared(
    settings: &Settings,
    installation: Installation,
    control: Handle,
    (upstreams, content): (&[UpstreamSettings], Option<Arc<ContentCache>>),
    seen: Sightings,
    (sources, fleet): (&Sources, &Arc<Fleet>),
) -> Result<Shared, Failure> {
    let Installation { store, master, pepper } = installation;
    let Sources { clock, entropy } = sources.clone();
    let sources = (&clock, &entropy);
    let (recorder, view) = (recorder(settings, sources, &control)?, view(settings, &store, &control));
    let (federation, foreign) = federation(settings, &clock);
    let (issuer, pepper) = (issuer(settings), Arc::new(pepper));
    let gate = gate(&view, settings, &issuer, &pepper, &master, sources, &foreign);
    let gate = among(gate, settings, &store, sources, &control);
    let (reader, bin) = eyes(settings, upstreams, &store, sources)?;
    let activity = keep_house(&control, (&bin, &reader), settings, fleet);
    let desk = Desk {
        account: settings.account.id.clone(),
        activity,
        compliance: compliance::judging(settings, &recorder),
        dispatch: alerts::dispatch(settings, &master),
        authority: Arc::new(GateAuthority(Arc::clone(&gate))),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        federation,
        bin: Arc::clone(&bin),
        images: reader.clone(),
        master: Arc::clone(&master),
        pepper,
        premises: premises(settings),
        sealer: Sealer::new(Arc::clone(&master)),
        scans: scans(settings),
        stock: Arc::new(Shelf { stock: reader, bin: Arc::clone(&bin) }),
        store,
    };
    let pushed = pushed(settings, &control, (&bin, &desk.scans), fleet);
    Ok(Shared {
        gate,
        mint: Mint::new(view, master, issuer, lifetimes(settings), Arc::clone(&clock), entropy),
        foreign,
        recorder,
        api: Arc::new(Api::new(desk, registry_sites(settings))),
        control,
        sites: plan::sites(settings),
        clock,
        large_bodies: Arc::new(tokio::sync::Semaphore::new(LARGE_BODIES)),
        upload_lease: settings.limits.upload_lease,
        limits: Limits::new(plan::rates(settings)),
        proofs: Arc::default(),
        bin,
        pushed,
        content,
        shapes: Default::default(),
        sightings: seen,
        readiness: Readiness::default(),
        scrape: Scrape::default(),
    })
}

/// A gate that holds tags among replicas, where there may be others.
fn among(
    gate: Gate,
    settings: &Settings,
    store: &Arc<dyn crate::store::Store>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    control: &Handle,
) -> Arc<Gate> {
    Arc::new(match &settings.store.place {
        StorePlace::Sqlite(_) => gate,
        StorePlace::Postgres(..) => {
            let times = (Arc::clone(clock), Arc::clone(entropy));
            gate.holding_among(Arc::new(StoredHolds::new(Arc::clone(store), times, control.clone())))
        }
    })
}

/// The control plane's eyes on the upstreams, and what it has taken out of sight there.
fn eyes(
    settings: &Settings,
    upstreams: &[UpstreamSettings],
    store: &Arc<dyn crate::store::Store>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<(Arc<ImageReader>, Arc<Bin>), Failure> {
    let census = Arc::new(Ledger::new(Arc::new(plan::signers(settings))));
    let reader = ImageReader::start(routes(settings, upstreams), Arc::clone(entropy), Arc::clone(&census));
    let reader = Arc::new(reader.doing("starting the image reader")?);
    let bin = bin(settings, Arc::clone(&reader) as Arc<dyn Inventory>, store, clock, census);
    Ok((reader, Arc::new(bin)))
}

/// Where everything is put on record.
fn recorder(
    settings: &Settings,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    control: &Handle,
) -> Result<Recorder, Failure> {
    let (destination, on_failure) = (settings.audit.destination.clone(), settings.audit.on_failure);
    let audit = AuditLog::open(destination, on_failure, Arc::clone(clock)).doing("opening the audit log")?;
    let recorder = Recorder::new(audit).doing("making the metrics")?;
    telemetry::traced(recorder.alarmed_at(settings.alerts.denied_access), settings, entropy, control)
}

/// Verifies tokens of other issuers: one cache of their keys, for both planes.
fn federation(settings: &Settings, clock: &Arc<dyn Clock>) -> (Arc<Federation>, Arc<Foreign>) {
    let federation = Arc::new(Federation::new(Arc::new(plan::issuers(settings)), Arc::clone(clock)));
    let believed = Arc::new(settings.federation.believed.clone());
    let foreign = Arc::new(Foreign::new(believed, Arc::clone(&federation)));
    (federation, foreign)
}

fn lifetimes(settings: &Settings) -> Lifetimes {
    Lifetimes { registry: settings.token.lifetime, ..Lifetimes::default() }
}

fn view(settings: &Settings, store: &Arc<dyn crate::store::Store>, control: &Handle) -> Arc<View> {
    let account = settings.account.id.clone();
    let settings = ViewSettings { max_staleness: settings.store.max_staleness, ..ViewSettings::default() };
    Arc::new(View::new(Arc::clone(store), control.clone(), account, settings))
}

/// What is done on a clock; the activity that is written down then.
fn keep_house(
    control: &Handle,
    (bin, reader): (&Arc<Bin>, &Arc<ImageReader>),
    settings: &Settings,
    fleet: &Arc<Fleet>,
) -> Arc<Activity> {
    let images: Arc<dyn Images> = reader.clone();
    control.spawn(housekeeping::write_usage(Arc::clone(bin)));
    let surveyor = housekeeping::survey_now_and_then(Arc::clone(bin), Arc::clone(&images), Arc::clone(fleet));
    control.spawn(surveyor);
    let regions = regions(settings).collect();
    control.spawn(census::keep(Arc::clone(bin), images, regions, Arc::clone(fleet)));
    let activity = Arc::default();
    control.spawn(housekeeping::write_activity(Arc::clone(&activity), Arc::clone(&bin.store)));
    activity
}

/// Where the workers tell of what is pushed.
fn pushed(
    settings: &Settings,
    control: &Handle,
    (bin, scans): (&Arc<Bin>, &Arc<Scans>),
    fleet: &Arc<Fleet>,
) -> Told {
    let (by, told) = tokio::sync::mpsc::channel(1024);
    control.spawn(tasks::look_at_pushed(Arc::clone(bin), Arc::clone(scans), told, Arc::clone(fleet)));
    let regions = regions(settings).collect();
    control.spawn(tasks::count_findings(Arc::clone(bin), Arc::clone(scans), regions));
    Told { by }
}

fn regions(settings: &Settings) -> impl Iterator<Item = Region> {
    settings.registries.iter().map(|registry| registry.region.clone())
}

/// The operator's scanner, if there is one.
fn scans(settings: &Settings) -> Arc<Scans> {
    let findings = &settings.findings;
    let scanner = CommandScanner::new(&findings.scanner, findings.scanner_timeout, &settings.registries);
    let scanner = scanner.map(|scanner| Arc::new(scanner) as Arc<dyn Scanner>);
    Arc::new(Scans::new(scanner, findings.scan_on_push))
}

/// The trash and the meters.
fn bin(
    settings: &Settings,
    inventory: Arc<dyn Inventory>,
    store: &Arc<dyn crate::store::Store>,
    clock: &Arc<dyn Clock>,
    census: Arc<Ledger>,
) -> Bin {
    Bin {
        store: Arc::clone(store),
        inventory,
        clock: Arc::clone(clock),
        keep: settings.trash.keep,
        usage: Arc::new(Usage::of(regions(settings))),
        census,
        reads_reports: settings.findings.referrers,
    }
}

fn gate(
    view: &Arc<View>,
    settings: &Settings,
    issuer: &str,
    pepper: &Arc<Pepper>,
    master: &Arc<MasterKey>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    foreign: &Arc<Foreign>,
) -> Gate {
    let account = settings.account.id.clone();
    let authenticator = Authenticator::new(
        Arc::clone(view),
        account,
        issuer.to_owned(),
        (Arc::clone(pepper), Sealer::new(Arc::clone(master))),
        (Arc::clone(clock), Arc::clone(entropy)),
    )
    .believing(Arc::new(settings.federation.believed.clone()), Arc::clone(foreign) as Arc<dyn ComputeTokens>);
    Gate::new(
        authenticator,
        Arc::clone(view),
        LeaseKey::new(master.derive(LEASES).expose()),
        premises(settings),
        Arc::clone(clock),
    )
    .reporting_findings(settings.findings.only_reported)
}

fn premises(settings: &Settings) -> Premises {
    let named =
        |registry: &crate::config::settings::Registry| (registry.region.clone(), registry.name.clone());
    Premises {
        private_source: settings.allowlist.private_source,
        registries: settings.registries.iter().map(named).collect(),
    }
}

/// Who signs: the same on every replica, because it is made of the account and the first registry.
fn issuer(settings: &Settings) -> String {
    let name = settings.registries.first().map_or("portcullis", |registry| registry.name.as_str());
    format!("https://{name}/identity/{}", settings.account.id)
}

fn routes(settings: &Settings, upstreams: &[UpstreamSettings]) -> Vec<Route> {
    let sites = settings.registries.iter().enumerate().map(|(index, registry)| plan::site(index, registry));
    let route = |(site, upstream): (_, &UpstreamSettings)| -> Route {
        let upstream = upstream.clone();
        (site, Box::new(move || Forwarder::new(upstream.clone())))
    };
    sites.zip(upstreams).map(route).collect()
}

fn registry_sites(settings: &Settings) -> Vec<RegistrySite> {
    let site = |registry: &crate::config::settings::Registry| RegistrySite {
        name: registry.name.clone(),
        aliases: registry.aliases.clone(),
        private_name: registry.private_name.clone(),
        region: registry.region.clone(),
    };
    settings.registries.iter().map(site).collect()
}
