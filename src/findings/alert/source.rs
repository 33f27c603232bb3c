//! What a channel wants to be told of.

use serde::{Deserialize, Serialize};

use super::topic::{Provider, Topic};

/// Stands for every type of finding, as for every provider.
const EVERY: &str = "ALL";

/// What a channel wants to be told of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSource {
    /// Who finds it.
    pub provider_name: Provider,
    /// Which types of finding; all, if there are none.
    #[serde(default)]
    pub finding_types: Vec<String>,
}

impl AlertSource {
    /// Everything.
    #[must_use]
    pub fn every() -> Self {
        Self { provider_name: Provider::All, finding_types: vec![EVERY.to_owned()] }
    }

    /// Whether it is about that.
    #[must_use]
    pub fn wants(&self, topic: Topic) -> bool {
        let provided = self.provider_name == Provider::All || Some(self.provider_name) == topic.provider();
        let named = |one: &String| one == EVERY || one == topic.label();
        provided && (self.finding_types.is_empty() || self.finding_types.iter().any(named))
    }

    /// Checks which types it names.
    ///
    /// # Errors
    /// Which there are.
    pub fn check(&self) -> Result<(), String> {
        let name = self.provider_name.label();
        let of_it = |topic: &Topic| {
            self.provider_name == Provider::All || topic.provider() == Some(self.provider_name)
        };
        let known: Vec<&str> = Topic::ALL
            .iter()
            .filter(|topic| topic.provider().is_some() && of_it(topic))
            .map(|topic| topic.label())
            .collect();
        let strange = self.finding_types.iter().find(|one| *one != EVERY && !known.contains(&one.as_str()));
        match strange {
            Some(_) => Err(format!("`finding_types` of {name} are `ALL` or any of {}", known.join(", "))),
            None => Ok(()),
        }
    }
}
