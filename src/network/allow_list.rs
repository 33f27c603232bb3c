//! Allowlists as IBM Cloud writes them in `allowed_ip_addresses`: addresses, ranges, subnets and, for an account, zones by
//! name, between commas.
//!
//! No list at all restricts nothing. A list restricts whatever becomes of what it names: a zone that is gone holds nobody.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::block::{Block, Wrong};
use super::set::AddressSet;
use super::zone::{ZoneName, Zones};

/// A list that names at least one thing. What is printed is read again as the same list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AllowList(Vec<Entry>);

/// One thing that a list names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Addresses.
    Block(Block),
    /// Those of a zone, whatever they are when it is asked.
    Zone(ZoneName),
}

/// Whether a list may name zones: that of an account may, that of a user may not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Naming {
    /// Addresses only.
    Addresses,
    /// Zones too.
    Zones,
}

/// What is wrong with a list, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("at character {position}: {because}")]
pub struct Mistake {
    /// Where the entry begins, in characters from 1.
    pub position: usize,
    /// What is wrong with it.
    pub because: Because,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Because {
    /// There is nothing between two commas.
    #[error("there is nothing here; take out a comma")]
    Nothing,
    /// It is no block of addresses.
    #[error(transparent)]
    Block(#[from] Wrong),
    /// It would be a zone's name, which this list may not name.
    #[error("`{0}` is no IP address, and only the list of an account may name network zones")]
    Zone(String),
}

impl AllowList {
    /// Reads a list; `None` for an empty text, which stands for no restriction.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn parse(text: &str, naming: Naming) -> Result<Option<Self>, Mistake> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let (mut entries, mut position) = (Vec::new(), 1);
        for part in text.split(',') {
            let indent = part.chars().take_while(|c| c.is_whitespace()).count();
            let entry = entry(part.trim(), naming);
            entries.push(entry.map_err(|because| Mistake { position: position + indent, because })?);
            position += part.chars().count() + 1;
        }
        Ok(Some(Self(entries)))
    }

    /// What it names.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The first zone that it names and that is none.
    #[must_use]
    pub fn unknown_zone(&self, zones: &Zones) -> Option<&ZoneName> {
        self.0.iter().find_map(|entry| match entry {
            Entry::Zone(name) => zones.named(name).is_none().then_some(name),
            Entry::Block(_) => None,
        })
    }

    /// Makes it ready to be asked, with the zones as they are now.
    #[must_use]
    pub fn compile(&self, zones: &Zones) -> Allowed {
        let blocks = self.0.iter().filter_map(|entry| match entry {
            Entry::Block(block) => Some(block),
            Entry::Zone(_) => None,
        });
        let named = self.0.iter().filter_map(|entry| match entry {
            Entry::Zone(name) => zones.named(name),
            Entry::Block(_) => None,
        });
        Allowed { own: AddressSet::of(blocks), zones: named.collect() }
    }
}

fn entry(text: &str, naming: Naming) -> Result<Entry, Because> {
    if text.is_empty() {
        return Err(Because::Nothing);
    }
    match (Block::parse_loosely(text), ZoneName::parse(text), naming) {
        (Ok(block), _, _) => Ok(Entry::Block(block)),
        (Err(_), Ok(name), Naming::Zones) => Ok(Entry::Zone(name)),
        (Err(_), Ok(name), Naming::Addresses) => Err(Because::Zone(name.to_string())),
        (Err(wrong), Err(_), _) => Err(wrong.into()),
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match entry {
                Entry::Block(block) => write!(f, "{comma}{block}")?,
                Entry::Zone(name) => write!(f, "{comma}{name}")?,
            }
        }
        Ok(())
    }
}

/// A list that is ready to be asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Allowed {
    own: AddressSet,
    zones: Vec<Arc<AddressSet>>,
}

impl Allowed {
    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.own.contains(ip) || self.zones.iter().any(|zone| zone.contains(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowList, Naming};
    use crate::network::zone::{Member, Zone, ZoneName, Zones};

    fn parse(text: &str) -> Result<Option<AllowList>, String> {
        AllowList::parse(text, Naming::Zones).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn lists_of_the_documentation_are_read_and_written_back() {
        for (text, written) in [
            ("17.5.7.8", "17.5.7.8"),
            ("17.5.7.8, 17.5.7.8 - 17.5.9.5, 17.5.7.0/16", "17.5.7.8, 17.5.7.8 - 17.5.9.5, 17.5.0.0/16"),
            (" 17.5.7.8 ,2001:db8::/32,office east ", "17.5.7.8, 2001:db8::/32, office east"),
            ("10.0.0.1-10.0.0.9", "10.0.0.1 - 10.0.0.9"),
        ] {
            let list = parse(text).unwrap().unwrap();
            assert_eq!(list.to_string(), written);
            assert_eq!(parse(written), Ok(Some(list)));
        }
        for none in ["", " ", "\t"] {
            assert_eq!(parse(none), Ok(None), "H-27: an empty list is no list");
        }
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let prefix = "at character ";
        for (text, expected) in [
            ("17.5.7.8, 17.5.7.8.0/16", "11: `17.5.7.8.0` is no IP address"),
            ("é,x", "1: `é` is no IP address"),
            ("a, ,b", "4: there is nothing here"),
            ("a,", "3: there is nothing here"),
            (",", "1: there is nothing here"),
            ("10.0.0.1,010.0.0.1", "10: `010.0.0.1` is no IP address"),
            ("10.0.0.9 - 10.0.0.1", "1: 10.0.0.9 comes after 10.0.0.1"),
            ("10.0.0.0/33", "1: `/33` is no prefix length; write 0 to 32"),
            ("[::1]", "1: `[::1]` is no IP address"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.starts_with(&format!("{prefix}{expected}")), "{text}: {said}");
        }
        let said = AllowList::parse("10.0.0.1, office", Naming::Addresses).unwrap_err().to_string();
        assert!(said.starts_with("at character 11: `office` is no IP address, and only"), "{said}");
    }

    /// H-27
    #[test]
    fn a_list_whose_zone_is_gone_still_restricts() {
        let list = parse("office, 192.0.2.1").unwrap().unwrap();
        let zone = Zone {
            id: "65810ac762004f22ac19f8f8edf70a34".parse().unwrap(),
            name: ZoneName::parse("office").unwrap(),
            members: vec![Member::Block("10.0.0.0/8".parse().unwrap())],
            excluded: Vec::new(),
        };
        let (with, without) = (Zones::of([&zone]), Zones::default());
        let holds = |zones: &Zones, ip: &str| list.compile(zones).contains(ip.parse().unwrap());
        assert!(holds(&with, "10.0.0.1") && holds(&with, "192.0.2.1") && !holds(&with, "11.0.0.1"));
        assert!(!holds(&without, "10.0.0.1") && holds(&without, "192.0.2.1"));
        assert_eq!((list.unknown_zone(&with), list.unknown_zone(&without)), (None, Some(&zone.name)));
        let only = parse("office").unwrap().unwrap();
        assert!(!only.compile(&without).contains("11.0.0.1".parse().unwrap()));
    }
}
