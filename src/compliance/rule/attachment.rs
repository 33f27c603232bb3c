//! Attachments of a rule: which registries it is for. A rule without any is for all that its target fits.
//!
//! IBM's scopes are accounts and what is above and in them. Settings of registries belong to an account as a whole, so of those
//! only the account itself reaches any; regions and registries are our own.

use serde::{Deserialize, Serialize};

use super::Mistake;
use super::evaluate::ibms_host;
use super::operator::shown;
use crate::compliance::facts::Registry;
use crate::ids::region::Region;

/// The most scopes that one attachment excludes.
const EXCLUDED_MAX: usize = 8;
/// The longest note.
const NOTE_MAX: usize = 256;

/// An attachment, as the API writes it and the store keeps it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentDocument {
    /// Whose it is; the caller's account, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// What the rule is for.
    pub included_scope: ScopeDocument,
    /// What of that it is not for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_scopes: Vec<ScopeDocument>,
}

/// A scope, as the API writes it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeDocument {
    /// Any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The id of the account, the region, or any name of the registry.
    pub scope_id: String,
    /// `account`, `account.region` or `account.registry`.
    pub scope_type: String,
}

/// Some of the registries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those of this account: all.
    Account(String),
    /// The one of this region.
    Region(String),
    /// The one of this name, which is in lower case.
    Registry(String),
}

impl Scope {
    fn read(document: &ScopeDocument) -> Result<Self, Mistake> {
        let ScopeDocument { note, scope_id, scope_type } = document;
        if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_MAX) {
            return Err(Mistake(format!("a `note` has at most {NOTE_MAX} characters")));
        }
        match scope_type.as_str() {
            "account" => Ok(Self::Account(scope_id.clone())),
            "account.region" => Ok(Self::Region(scope_id.clone())),
            "account.registry" => Ok(Self::Registry(scope_id.to_ascii_lowercase())),
            "account.resource_group" => {
                let text = "the settings of registries belong to no resource group: use the `scope_type` account, \
                            account.region or account.registry";
                Err(Mistake(text.to_owned()))
            }
            "enterprise" | "enterprise.account" | "enterprise.account_group" => {
                let text = "there is no enterprise here: use the `scope_type` account, account.region or account.registry";
                Err(Mistake(text.to_owned()))
            }
            other => {
                let other = shown(other);
                let text =
                    format!("`{other}` is no `scope_type`: use account, account.region or account.registry");
                Err(Mistake(text))
            }
        }
    }

    fn reaches(&self, region: &Region, names: &[String]) -> bool {
        match self {
            Self::Account(_) => true,
            Self::Region(wanted) => wanted == region.as_str(),
            Self::Registry(wanted) => {
                ibms_host(region) == Some(wanted)
                    || names.iter().any(|name| name.eq_ignore_ascii_case(wanted))
            }
        }
    }
}

/// An attachment that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attachment {
    included: Scope,
    excluded: Vec<Scope>,
}

impl Attachment {
    /// Whether the rule is for this registry by it.
    #[must_use]
    pub fn is_for(&self, registry: &Registry) -> bool {
        self.reaches(&registry.region, &registry.names)
    }

    fn reaches(&self, region: &Region, names: &[String]) -> bool {
        self.included.reaches(region, names) && !self.excluded.iter().any(|one| one.reaches(region, names))
    }
}

impl AttachmentDocument {
    /// The attachment that it describes.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn attachment(&self) -> Result<Attachment, Mistake> {
        if self.excluded_scopes.len() > EXCLUDED_MAX {
            return Err(Mistake(format!("an attachment excludes at most {EXCLUDED_MAX} scopes")));
        }
        let excluded = self.excluded_scopes.iter().map(Scope::read).collect::<Result<_, _>>()?;
        Ok(Attachment { included: Scope::read(&self.included_scope)?, excluded })
    }

    /// Checks it against what there is: a slip in a name must not make a rule one that nothing has to keep.
    ///
    /// # Errors
    /// [`Mistake`], the first one.
    pub fn check(&self, account: &str, registries: &[(Region, Vec<String>)]) -> Result<(), Mistake> {
        let attachment = self.attachment()?;
        let other = |scope: &&Scope| matches!(scope, Scope::Account(id) if id != account);
        let own = self.account_id.as_deref().is_none_or(|id| id == account);
        if !own || std::iter::once(&attachment.included).chain(&attachment.excluded).any(|one| other(&one)) {
            return Err(Mistake("the account is not your account".to_owned()));
        }
        let included = |scope: &Scope| {
            registries.iter().any(|(region, names)| {
                scope.reaches(region, names) && attachment.included.reaches(region, names)
            })
        };
        let documents = std::iter::once(&self.included_scope).chain(&self.excluded_scopes);
        let scopes = std::iter::once(&attachment.included).chain(&attachment.excluded);
        if let Some((document, _)) = documents.zip(scopes).find(|(_, scope)| !included(scope)) {
            let (kind, id) = (&document.scope_type, shown(&document.scope_id));
            return Err(Mistake(format!("`{id}` ({kind}) is no registry that this attachment is for")));
        }
        match registries.iter().any(|(region, names)| attachment.reaches(region, names)) {
            true => Ok(()),
            false => Err(Mistake("everything that it includes is excluded".to_owned())),
        }
    }
}
