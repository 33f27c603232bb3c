//! What a channel wants to be told of.

use serde::{Deserialize, Serialize};

use super::Reported;
use super::topic::{Provider, Topic};
use crate::findings::insight::InsightName;

/// Stands for every type of finding, as for every provider.
const EVERY: &str = "ALL";

/// Who finds what a channel wants to be told of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Finder {
    /// This server.
    Own(Provider),
    /// Somebody who reports it, as the provider of that name.
    Other(InsightName),
}

impl Finder {
    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let own = Provider::ALL.into_iter().find(|one| one.label() == text).map(Self::Own);
        own.or_else(|| InsightName::parse(text).filter(|name| !name.is_own()).map(Self::Other))
    }
}

/// What a channel wants to be told of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSource {
    /// Who finds it.
    pub provider_name: Finder,
    /// Which types of finding; all, if there are none.
    #[serde(default)]
    pub finding_types: Vec<String>,
}

impl AlertSource {
    /// Everything.
    #[must_use]
    pub fn every() -> Self {
        Self { provider_name: Finder::Own(Provider::All), finding_types: vec![EVERY.to_owned()] }
    }

    /// Whether it is everybody's.
    #[must_use]
    pub fn is_everybodys(&self) -> bool {
        self.provider_name == Finder::Own(Provider::All)
    }

    /// Whether it is about that, of which somebody else may have reported.
    #[must_use]
    pub fn wants(&self, topic: Topic, reported: Option<&Reported>) -> bool {
        let provided = match &self.provider_name {
            Finder::Own(Provider::All) => true,
            Finder::Own(own) => Some(*own) == topic.provider(),
            Finder::Other(name) => reported.is_some_and(|reported| reported.provider == *name),
        };
        let kind = reported.map_or(topic.label(), |reported| reported.note.as_str());
        let named = |one: &String| one == EVERY || one == kind;
        provided && (self.finding_types.is_empty() || self.finding_types.iter().any(named))
    }

    /// Checks which types it names.
    ///
    /// # Errors
    /// Which there are.
    pub fn check(&self) -> Result<(), String> {
        let own = match &self.provider_name {
            Finder::Own(own) => *own,
            // Its notes may be made later.
            Finder::Other(_) if self.finding_types.iter().all(|one| InsightName::parse(one).is_some()) => {
                return Ok(());
            }
            Finder::Other(name) => {
                return Err(format!("`finding_types` of {name} are `ALL` or ids of its notes"));
            }
        };
        let of_it = |topic: &Topic| own == Provider::All || topic.provider() == Some(own);
        let known: Vec<&str> = Topic::ALL
            .iter()
            .filter(|topic| topic.provider().is_some() && of_it(topic))
            .map(|topic| topic.label())
            .collect();
        let strange = self.finding_types.iter().find(|one| *one != EVERY && !known.contains(&one.as_str()));
        match strange {
            Some(_) => {
                Err(format!("`finding_types` of {} are `ALL` or any of {}", own.label(), known.join(", ")))
            }
            None => Ok(()),
        }
    }
}
