//! Network zones: addresses under a name, for allowlists and context-based restrictions to refer to.
//!
//! What a zone names besides addresses (a VPC, a service of IBM Cloud) is kept and shown, and stands for no address here.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::block::Block;
use super::set::AddressSet;
use crate::ids::cbr::ZoneId;

/// The most characters of a zone's name.
const NAME_MAX: usize = 128;

/// What a zone is called: letters, digits, spaces, `-` and `_`, a letter first.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ZoneName(Box<str>);

/// A text that cannot be a zone's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a zone is called by letters, digits, spaces, - and _, a letter first, at most 128 of them")]
pub struct NoZoneName;

impl ZoneName {
    /// Parses a name. It begins with a letter, so that no mistyped IPv4 address is one.
    ///
    /// # Errors
    /// [`NoZoneName`].
    pub fn parse(text: &str) -> Result<Self, NoZoneName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let sound = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(legal);
        let trimmed = text.trim_end() == text && text.len() <= NAME_MAX;
        if sound && trimmed { Ok(Self(text.into())) } else { Err(NoZoneName) }
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that a zone names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Member {
    /// Addresses.
    Block(Block),
    /// A service of IBM Cloud: nobody here.
    ServiceRef {
        /// The account that it belongs to.
        account: String,
        /// What it is called.
        service: Option<String>,
        /// Which instance of it.
        instance: Option<String>,
        /// Where.
        location: Option<String>,
    },
    /// A virtual private cloud, by its CRN: nobody here.
    Vpc(String),
}

/// Addresses under a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    /// Its id.
    pub id: ZoneId,
    /// What people call it.
    pub name: ZoneName,
    /// What is in it.
    pub members: Vec<Member>,
    /// What is not, even if a member holds it.
    pub excluded: Vec<Block>,
}

impl Zone {
    /// Its addresses.
    #[must_use]
    pub fn addresses(&self) -> AddressSet {
        let blocks = self.members.iter().filter_map(|member| match member {
            Member::Block(block) => Some(block),
            Member::ServiceRef { .. } | Member::Vpc(_) => None,
        });
        AddressSet::except(blocks, &self.excluded)
    }
}

/// All zones of an account, compiled. Ids and names are unique among them.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    by_id: HashMap<ZoneId, Arc<AddressSet>>,
    by_name: HashMap<ZoneName, Arc<AddressSet>>,
}

impl Zones {
    /// Compiles them.
    #[must_use]
    pub fn of<'a>(zones: impl IntoIterator<Item = &'a Zone>) -> Self {
        let mut all = Self::default();
        for zone in zones {
            let set = Arc::new(zone.addresses());
            all.by_id.insert(zone.id.clone(), Arc::clone(&set));
            all.by_name.insert(zone.name.clone(), set);
        }
        all
    }

    /// The addresses of a zone; `None` if there is none.
    #[must_use]
    pub fn get(&self, id: &ZoneId) -> Option<&AddressSet> {
        self.by_id.get(id).map(|set| &**set)
    }

    pub(super) fn named(&self, name: &ZoneName) -> Option<Arc<AddressSet>> {
        self.by_name.get(name).map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, Zone, ZoneName, Zones};

    #[test]
    fn a_zone_is_its_addresses_without_those_excluded() {
        let members = ["10.0.0.0/8", "2001:db8::/32"].map(|text| Member::Block(text.parse().unwrap()));
        let id: crate::ids::cbr::ZoneId = "65810ac762004f22ac19f8f8edf70a34".parse().unwrap();
        let mut zone = Zone {
            id: id.clone(),
            name: ZoneName::parse("office east").unwrap(),
            members: members.to_vec(),
            excluded: vec!["10.1.0.0 - 10.1.0.9".parse().unwrap(), "192.0.2.0/24".parse().unwrap()],
        };
        zone.members.push(Member::Vpc("crn:v1:bluemix:public:is:us-south:a/1::vpc:x".to_owned()));
        let zones = Zones::of([&zone]);
        let set = zones.get(&id).unwrap();
        for (ip, expected) in
            [("10.0.0.1", true), ("10.1.0.9", false), ("10.1.0.10", true), ("192.0.2.1", false)]
        {
            assert_eq!(set.contains(ip.parse().unwrap()), expected, "{ip}");
        }
        assert!(zones.named(&zone.name).is_some());
        zone.members = vec![Member::Vpc("crn".to_owned())];
        assert!(zone.addresses().is_empty(), "whom nobody here can be holds nobody");
    }

    #[test]
    fn a_mistyped_address_is_no_name() {
        for name in ["office", "a", "Office-1_b c", "fe80"] {
            assert_eq!(ZoneName::parse(name).unwrap().to_string(), name);
        }
        for wrong in
            ["", "10", "10-1", "10.0.0.1", "fe80::1", "a/8", " a", "a ", "a,b", "-a", &"a".repeat(129)]
        {
            assert!(ZoneName::parse(wrong).is_err(), "{wrong}");
        }
    }
}
