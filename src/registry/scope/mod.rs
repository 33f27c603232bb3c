//! Docker scope strings: what a token is asked for, what it carries, and whether that covers a call.
//!
//! It decides what a scope *says*. A scope is only a ceiling: it never grants anything, and policy is asked on every
//! request besides. Whatever it does not understand asks for nothing and is never an error, as the token
//! specification has it.

use std::collections::{BTreeMap, BTreeSet};

use super::name::RepositoryName;
use super::operation::{Operation, ReadMode};

/// The most repositories that one token can be asked for.
pub const ENTRIES_MAX: usize = 64;

/// What a token may allow on a repository at most.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ScopeAction {
    /// Read manifests, blobs, tags and referrers.
    Pull,
    /// Upload blobs and put manifests in place.
    Push,
    /// Delete manifests, tags and blobs.
    Delete,
}

impl ScopeAction {
    /// All actions, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// The word in a scope string.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

/// One entry of a scope, and of the `access` claim: `{"type","name","actions"}`.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "Claim", into = "Claim")]
pub enum ScopeEntry {
    /// `registry:catalog:*`, the list of repositories.
    Catalog,
    /// `repository:<name>:<actions>`.
    Repository {
        /// Exactly this repository, never a pattern.
        name: RepositoryName,
        /// What may be done there; never empty in a parsed scope.
        actions: BTreeSet<ScopeAction>,
    },
}

impl ScopeEntry {
    /// What of the entry `may` lets through; `None` when nothing is left. The catalog is for everyone, because it shows
    /// each caller only what it may see.
    #[must_use]
    pub fn narrowed(self, may: impl Fn(&RepositoryName, ScopeAction) -> bool) -> Option<Self> {
        match self {
            Self::Catalog => Some(Self::Catalog),
            Self::Repository { name, actions } => {
                let actions: BTreeSet<_> = actions.into_iter().filter(|action| may(&name, *action)).collect();
                (!actions.is_empty()).then_some(Self::Repository { name, actions })
            }
        }
    }
}

impl std::fmt::Display for ScopeEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Catalog => f.write_str("registry:catalog:*"),
            Self::Repository { name, actions } => {
                let words: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
                write!(f, "repository:{name}:{}", words.join(","))
            }
        }
    }
}

/// What a token is asked for: one entry per repository, in the order of their names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scope {
    catalog: bool,
    repositories: BTreeMap<RepositoryName, BTreeSet<ScopeAction>>,
}

impl Scope {
    /// Parses all `scope` parameters of a request, each of them a list separated by spaces.
    ///
    /// Entries for the same repository are merged. Past [`ENTRIES_MAX`] repositories the last ones by name are dropped,
    /// so that the order of the parameters never matters.
    #[must_use]
    pub fn parse<'a>(parameters: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scope = Self::default();
        for entry in parameters.into_iter().flat_map(|text| text.split(' ')).filter_map(entry) {
            match entry {
                ScopeEntry::Catalog => scope.catalog = true,
                ScopeEntry::Repository { name, actions } => {
                    scope.repositories.entry(name).or_default().extend(actions);
                }
            }
            if scope.repositories.len() > ENTRIES_MAX {
                scope.repositories.pop_last();
            }
        }
        scope
    }

    /// Whether nothing is asked for, as in a login.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.catalog && self.repositories.is_empty()
    }

    /// The entries, the catalog first.
    #[must_use]
    pub fn into_entries(self) -> Vec<ScopeEntry> {
        let catalog = self.catalog.then_some(ScopeEntry::Catalog);
        let each = |(name, actions)| ScopeEntry::Repository { name, actions };
        catalog.into_iter().chain(self.repositories.into_iter().map(each)).collect()
    }
}

/// Parses `type[(class)]:name:action,…`; `None` for whatever asks for nothing that exists.
fn entry(text: &str) -> Option<ScopeEntry> {
    let (kind, rest) = text.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    match (kind_without_class(kind)?, name) {
        ("registry", "catalog") => (actions == "*").then_some(ScopeEntry::Catalog),
        ("repository", name) => {
            let name = RepositoryName::parse(name).ok()?;
            let actions: BTreeSet<_> = actions.split(',').flat_map(named_actions).copied().collect();
            (!actions.is_empty()).then_some(ScopeEntry::Repository { name, actions })
        }
        _ => None,
    }
}

/// `repository(plugin)` is `repository`: the class is deprecated and never skips a check.
fn kind_without_class(kind: &str) -> Option<&str> {
    let Some((kind, class)) = kind.split_once('(') else { return Some(kind) };
    let class = class.strip_suffix(')')?;
    let plain = !class.is_empty() && class.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    plain.then_some(kind)
}

fn named_actions(word: &str) -> &'static [ScopeAction] {
    match word {
        "*" => &ScopeAction::ALL,
        "delete" => &[ScopeAction::Delete],
        "pull" => &[ScopeAction::Pull],
        "push" => &[ScopeAction::Push],
        _ => &[],
    }
}

/// What a call needs of a token's scope.
enum Ceiling<'a> {
    /// Nothing: any valid token will do.
    Anything,
    /// The catalog entry.
    Catalog,
    /// One of `any` on the repository; `ask` is what a challenge asks for.
    Repository { name: &'a RepositoryName, any: &'static [ScopeAction], ask: &'static str },
}

/// The source of a mount is left to policy: clients do not always ask for it, and without the right there the mount
/// becomes a plain upload.
fn ceiling(operation: &Operation) -> Ceiling<'_> {
    use ScopeAction::{Delete, Pull, Push};
    let on = |name, any, ask| Ceiling::Repository { name, any, ask };
    match operation {
        Operation::Catalog { .. } => Ceiling::Catalog,
        Operation::Ping => Ceiling::Anything,
        Operation::BlobRead { repository, mode: ReadMode::Head, .. } => on(repository, &[Pull, Push], "pull"),
        Operation::BlobRead { repository, mode: ReadMode::Get, .. }
        | Operation::ManifestRead { repository, .. }
        | Operation::Referrers { repository, .. }
        | Operation::TagList { repository, .. } => on(repository, &[Pull], "pull"),
        Operation::BlobDelete { repository, .. } | Operation::ManifestDelete { repository, .. } => {
            on(repository, &[Delete], "delete")
        }
        Operation::ManifestWrite { repository, .. } | Operation::UploadStart { repository, .. } => {
            on(repository, &[Push], "pull,push")
        }
        // A vanilla registry asks for `delete` here, which pushing clients hardly ever have.
        Operation::UploadCancel(session) => on(&session.repository, &[Push, Delete], "pull,push"),
        Operation::UploadChunk { session, .. }
        | Operation::UploadFinish { session, .. }
        | Operation::UploadStatus(session) => on(&session.repository, &[Push], "pull,push"),
    }
}

/// The scope that a challenge names for `operation`, spelt as clients compare it; `None` for [`Operation::Ping`].
#[must_use]
pub fn scope_for(operation: &Operation) -> Option<String> {
    match ceiling(operation) {
        Ceiling::Anything => None,
        Ceiling::Catalog => Some(ScopeEntry::Catalog.to_string()),
        Ceiling::Repository { name, ask, .. } => Some(format!("repository:{name}:{ask}")),
    }
}

/// Whether a token with the entries `granted` may be used for `operation` at all.
#[must_use]
pub fn covers(granted: &[ScopeEntry], operation: &Operation) -> bool {
    match ceiling(operation) {
        Ceiling::Anything => true,
        Ceiling::Catalog => granted.contains(&ScopeEntry::Catalog),
        Ceiling::Repository { name: wanted, any, .. } => granted.iter().any(|entry| match entry {
            ScopeEntry::Catalog => false,
            ScopeEntry::Repository { name, actions } => {
                name == wanted && any.iter().any(|action| actions.contains(action))
            }
        }),
    }
}

/// The entry as it stands in the `access` claim.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl From<ScopeEntry> for Claim {
    fn from(entry: ScopeEntry) -> Self {
        let (kind, name, actions) = match entry {
            ScopeEntry::Catalog => ("registry", "catalog".to_owned(), vec!["*".to_owned()]),
            ScopeEntry::Repository { name, actions } => {
                let words = actions.into_iter().map(|action| action.as_str().to_owned());
                ("repository", name.to_string(), words.collect())
            }
        };
        Self { kind: kind.to_owned(), name, actions }
    }
}

impl TryFrom<Claim> for ScopeEntry {
    type Error = &'static str;

    /// Reads a claim that we wrote ourselves; unlike a scope, one that we do not understand is an error.
    fn try_from(claim: Claim) -> Result<Self, Self::Error> {
        let Claim { kind, name, actions } = claim;
        match (kind.as_str(), name.as_str(), actions.as_slice()) {
            ("registry", "catalog", [star]) if star == "*" => Ok(Self::Catalog),
            ("repository", _, words) => {
                let name = RepositoryName::parse(&name).map_err(|_| "an access entry has an invalid name")?;
                let action =
                    |word: &String| ScopeAction::ALL.into_iter().find(|action| action.as_str() == word);
                let actions = words.iter().map(action).collect::<Option<_>>();
                actions
                    .map(|actions| Self::Repository { name, actions })
                    .ok_or("an access entry has an unknown action")
            }
            _ => Err("an access entry has an unknown type"),
        }
    }
}

#[cfg(test)]
mod tests;
