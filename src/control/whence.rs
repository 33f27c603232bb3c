//! Whether a call may come from where an explanation is about, whatever policies say of it.

use std::net::{IpAddr, SocketAddr};

use super::Desk;
use super::explain::What;
use super::problem::Problem;
use crate::admit::caller::Caller;
use crate::admit::network::{Verdict, Want};
use crate::client::address::ClientAddr;
use crate::network::endpoint::Endpoint;
use crate::registry::name::Namespace;
use crate::view::network::AccountNetwork;

impl Desk {
    /// What the network says: from where and by which network the question says, or else where it was asked.
    pub(super) async fn network_verdict(&self, asker: &Caller, what: &What) -> Result<Verdict, Problem> {
        let network = AccountNetwork::of(self.store.network().await?);
        let mut there = asker.clone();
        if let Some(ip) = told(what, "aws:SourceIp").and_then(|text| text.parse::<IpAddr>().ok()) {
            there.from = ClientAddr::from_socket(SocketAddr::new(ip, 0));
        }
        match told(what, "registry:endpoint") {
            Some("private") => there.endpoint = Endpoint::Private,
            Some("public") => there.endpoint = Endpoint::Public,
            Some(_) | None => {}
        }
        let resource = &what.target.resource;
        let namespace = resource.namespace.as_deref().and_then(|name| Namespace::parse(name).ok());
        let mut asked = what.asked.wordings().iter().filter_map(|wording| wording.ibm);
        let images = asked.any(|action| action.name().starts_with("container-registry.image."));
        let want = match resource.region.as_ref() {
            Some(region) if images => Want::Images(region, namespace.as_ref()),
            Some(region) => Want::Management(region, namespace.as_ref()),
            None => Want::Identity,
        };
        let private_only = match want {
            Want::Images(region, _) => self.settings_of(region).await?.private_only,
            Want::Management(..) | Want::Identity => false,
        };
        Ok(self.premises.verdict(&network, &there, want, private_only)?)
    }
}

/// What the question says of a condition key.
fn told<'w>(what: &'w What, name: &str) -> Option<&'w str> {
    let first = |(key, values): &'w (String, Vec<String>)| {
        key.eq_ignore_ascii_case(name).then(|| values.first().map(String::as_str)).flatten()
    };
    what.context.iter().find_map(first)
}
