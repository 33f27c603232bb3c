//! Which of the server's registries commands are about.

use http::header::HeaderName;
use http::{Method, header};
use serde_json::{Value, json};

use crate::cli::args::cr::RegionSet;
use crate::cli::display::{self, Display, Table, pairs};
use crate::cli::endpoint::Endpoint;
use crate::cli::failure::Failure;
use crate::cli::http::{Reply, Request};
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire::{self, Registry};
use crate::ids::host::HostName;

/// Names that the plug-in had for regions before they had their present ones.
const FORMER: [(&str, &str); 4] =
    [("ap-north", "jp-tok"), ("ap-south", "au-syd"), ("eu-central", "eu-de"), ("uk-south", "eu-gb")];

/// The targeted registry.
#[derive(Debug)]
pub(in crate::cli) struct Targeted {
    /// Its region.
    pub(in crate::cli) region: String,
    /// Where its API is, and where images are pushed to.
    pub(in crate::cli) endpoint: Endpoint,
}

impl Targeted {
    /// What image names begin with: the host, and the port unless it is 443.
    pub(in crate::cli) fn host(&self) -> String {
        self.endpoint.authority()
    }

    /// Calls the registry's API for the session's account.
    pub(super) async fn call(&self, session: &mut Session, request: Request) -> Result<Reply, Failure> {
        let account = session.account();
        let request = request.header(HeaderName::from_static("account"), &account);
        session.call_at(self.endpoint.clone(), request).await
    }

    /// Gets JSON from the registry's API.
    pub(super) async fn read(&self, session: &mut Session, target: &str) -> Result<Value, Failure> {
        let request = Request::new(Method::GET, target).header(header::ACCEPT_LANGUAGE, "en");
        self.call(session, request).await?.json()
    }
}

/// The targeted registry; targets another region first if one is given.
pub(in crate::cli) async fn target(session: &mut Session, region: Option<&str>) -> Result<Targeted, Failure> {
    let registries = registries(session).await?;
    let targeted = match region.or(session.region()) {
        Some(region) => named(&registries, region)?,
        None => obvious(&registries, &session.endpoint)?,
    };
    if region.is_some() {
        session.set_region(&targeted.region)?;
    }
    let endpoint = address(targeted, registries.len(), &session.endpoint)?;
    Ok(Targeted { region: targeted.region.clone(), endpoint })
}

/// `cr region`.
pub(super) async fn show(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let targeted = target(session, None).await?;
    if display.is_json() {
        io.line(display::json(&json!({ "region": targeted.region, "registry": targeted.host() })));
        return Ok(());
    }
    io.line(format!(
        "You are targeting region '{}', the registry is '{}'.\n",
        targeted.region,
        targeted.host()
    ));
    io.ok(display);
    Ok(())
}

/// `cr region-set`.
pub(super) async fn set(io: &mut Io, session: &mut Session, set: RegionSet) -> Result<(), Failure> {
    let display = set.formatted.display();
    let region = match set.region {
        Some(region) => region,
        None => {
            let registries = registries(session).await?;
            if display.is_json() {
                let rows = registries.iter().map(|one| json!({ "region": one.region, "registry": one.name }));
                io.line(display::json(&rows.collect()));
                return Ok(());
            }
            io.line("Choose a region\n");
            let mut table = Table::new(&["Region", "Registry"]);
            for registry in &registries {
                table.row([&registry.region, &registry.name]);
            }
            io.line(table.render());
            if !io.interactive {
                io.line("\nRun `portcullis cr region-set REGION` with one of them.");
                return Ok(());
            }
            io.ask("Region> ")?
        }
    };
    let targeted = target(session, Some(&region)).await?;
    if display.is_json() {
        io.line(display::json(&json!({ "region": targeted.region, "registry": targeted.host() })));
        return Ok(());
    }
    io.line(format!("The region is set to '{}', the registry is '{}'.\n", targeted.region, targeted.host()));
    io.ok(display);
    Ok(())
}

/// `cr info`.
pub(super) async fn info(io: &mut Io, session: &mut Session, display: Display) -> Result<(), Failure> {
    let targeted = target(session, None).await?;
    let (host, api) = (targeted.host(), format!("{}/api", targeted.endpoint));
    if display.is_json() {
        io.line(display::json(&json!({
            "registry": host, "registry_api": api, "api_endpoint": session.endpoint.to_string(),
            "account": { "id": session.account(), "name": session.account_name() },
        })));
        return Ok(());
    }
    io.line(pairs([
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Container Registry", host),
        ("Container Registry API endpoint", api),
        ("IAM API endpoint", session.endpoint.to_string()),
        ("Account details", format!("{} ({})", session.account_name(), session.account())),
    ]));
    io.line("");
    io.ok(display);
    Ok(())
}

/// The registries that the server stands in front of.
pub(in crate::cli) async fn registries(session: &mut Session) -> Result<Vec<Registry>, Failure> {
    wire::rows(&session.list("/api/native/registries", "registries").await?)
}

/// Whether `text`, the part of an image name before the first slash, is a registry's host.
pub(in crate::cli) fn is_host(registries: &[Registry], text: &str) -> bool {
    text.contains(['.', ':']) || by_host(registries, text).is_some()
}

fn by_host<'a>(registries: &'a [Registry], text: &str) -> Option<&'a Registry> {
    let (host, _) = HostName::parse_with_port(text).ok()?;
    registries.iter().find(|registry| answers_to(registry, &host))
}

/// The registry of this region, by its present or former name, or with this host.
pub(in crate::cli) fn named<'a>(registries: &'a [Registry], wanted: &str) -> Result<&'a Registry, Failure> {
    let wanted = FORMER.iter().find(|(former, _)| *former == wanted).map_or(wanted, |(_, present)| present);
    let found = registries.iter().find(|registry| registry.region == wanted);
    found.or_else(|| by_host(registries, wanted)).ok_or_else(|| {
        let regions: Vec<&str> = registries.iter().map(|registry| registry.region.as_str()).collect();
        Failure::new(
            format!("There is no registry in region '{}' here.", display::tame(wanted)),
            format!("Target one of these with `portcullis cr region-set REGION`: {}.", regions.join(", ")),
        )
    })
}

/// The registry with this host.
pub(in crate::cli) fn at_host<'a>(registries: &'a [Registry], host: &str) -> Result<&'a Registry, Failure> {
    by_host(registries, host).ok_or_else(|| {
        let names: Vec<&str> = registries.iter().map(|registry| registry.name.as_str()).collect();
        Failure::new(
            format!("There is no registry '{}' here.", display::tame(host)),
            format!("Name one of these, or leave the host out: {}.", names.join(", ")),
        )
    })
}

fn obvious<'a>(registries: &'a [Registry], endpoint: &Endpoint) -> Result<&'a Registry, Failure> {
    let reached = registries.iter().find(|registry| answers_to(registry, &endpoint.host));
    let only = if let [only] = registries { Some(only) } else { None };
    reached.or(only).ok_or_else(|| {
        Failure::new("No region is targeted.", "`portcullis cr region-set` lists the regions; target one with `portcullis cr region-set REGION`.")
    })
}

/// A registry is reached by the address that the user logged in with if that is one of its names, or if it is the only
/// registry; otherwise by its own name, on the same port.
fn address(registry: &Registry, count: usize, endpoint: &Endpoint) -> Result<Endpoint, Failure> {
    if count == 1 || answers_to(registry, &endpoint.host) {
        return Ok(endpoint.clone());
    }
    let host = HostName::parse(&registry.name).map_err(Failure::misunderstood)?;
    Ok(Endpoint { host, ..endpoint.clone() })
}

fn answers_to(registry: &Registry, host: &HostName) -> bool {
    let names = std::iter::once(&registry.name).chain(&registry.aliases).chain(&registry.private_name);
    names.into_iter().any(|name| name.eq_ignore_ascii_case(host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{address, named, obvious};
    use crate::cli::endpoint::Endpoint;
    use crate::cli::wire::Registry;

    fn registry(name: &str, region: &str) -> Registry {
        Registry { name: name.into(), region: region.into(), ..Registry::default() }
    }

    #[test]
    fn a_registry_is_reached_by_the_name_that_it_answers_to() {
        let both = [registry("us.test", "us-south"), registry("de.test", "eu-de")];
        let endpoint = Endpoint::parse("https://us.test:8443").unwrap();
        assert_eq!(obvious(&both, &endpoint).unwrap().region, "us-south");
        assert_eq!(address(&both[0], 2, &endpoint).unwrap().to_string(), "https://us.test:8443");
        assert_eq!(address(&both[1], 2, &endpoint).unwrap().to_string(), "https://de.test:8443");
        let elsewhere = Endpoint::parse("https://control.test").unwrap();
        assert!(obvious(&both, &elsewhere).is_err(), "which one is not clear");
        assert_eq!(address(&both[0], 1, &elsewhere).unwrap(), elsewhere);
    }

    #[test]
    fn regions_are_known_by_their_former_names_too() {
        let both = [registry("us.test", "us-south"), registry("de.test", "eu-de")];
        assert_eq!(named(&both, "eu-central").unwrap().name, "de.test");
        let failure = named(&both, "mars").unwrap_err();
        assert!(failure.next.contains("us-south, eu-de"), "{failure:?}");
    }
}
