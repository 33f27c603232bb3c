//! Which issuers the operator believes about whom: clusters about their service accounts, identity providers about people.
//!
//! What one of them says counts for as long as it is believed, so a voucher is held against this on every use.

use super::voucher::{ComputeKind, Voucher};
use crate::ids::issuer::Issuer;

/// A cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cluster {
    /// Who signs the tokens of its service accounts.
    pub issuer: Issuer,
    /// Its CRN, by which profiles link to it.
    pub crn: String,
    /// Of which kind its service accounts are.
    pub kind: ComputeKind,
    /// Whom its tokens must be for.
    pub audiences: Vec<String>,
}

/// An identity provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Realm {
    /// Who signs its tokens.
    pub issuer: Issuer,
    /// What rules call it.
    pub name: String,
    /// Whom its tokens must be for.
    pub audiences: Vec<String>,
    /// The claim that holds the name of a user of the account; `None` if its people are no users.
    pub user_claim: Option<String>,
}

/// All who are believed. Issuers and names are unique.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Believed {
    /// About service accounts.
    pub clusters: Vec<Cluster>,
    /// About people.
    pub realms: Vec<Realm>,
}

impl Believed {
    /// Whether what was vouched for is still believed of whoever said it.
    #[must_use]
    pub fn stands(&self, by: &Voucher) -> bool {
        match by {
            Voucher::Compute(issuer, compute) => {
                let same = |cluster: &Cluster| {
                    cluster.issuer.as_str() == issuer
                        && cluster.crn == compute.crn
                        && cluster.kind == compute.kind
                };
                self.clusters.iter().any(same)
            }
            Voucher::Key(..) => true,
            Voucher::Realm(name, _) => self.realms.iter().any(|realm| realm.name == *name),
        }
    }
}
