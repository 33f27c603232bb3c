//! The managed policies that every account has from the beginning. They are data: a file each, beside this one.
//!
//! The texts are AWS's, but for `ViewOwnUserInfo`, which AWS's manual gives as an example to copy. Actions of
//! services that are not here stay in them and match nothing.

use super::document::Document;
use super::kind::Kind;
use super::message::Invalid;
use super::validate;

/// Names and texts, one row for each policy.
macro_rules! managed {
    ($($name:literal,)*) => {
        /// All of them, alphabetically.
        pub const MANAGED: &[ManagedPolicy] =
            &[$(ManagedPolicy { name: $name, text: include_str!(concat!($name, ".json")) },)*];
    };
}

managed! {
    "AdministratorAccess",
    "AmazonEC2ContainerRegistryFullAccess",
    "AmazonEC2ContainerRegistryPowerUser",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "ViewOwnUserInfo",
}

/// A policy that nobody can change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ManagedPolicy {
    /// Its name.
    pub name: &'static str,
    /// Its document.
    pub text: &'static str,
}

impl ManagedPolicy {
    /// The one of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        MANAGED.iter().copied().find(|policy| policy.name == name)
    }

    /// `arn:aws:iam::aws:policy/…`: the account is AWS's own, written `aws`.
    #[must_use]
    pub fn arn(self) -> String {
        format!("arn:aws:iam::aws:policy/{}", self.name)
    }

    /// Reads its document, by the rules for every managed policy.
    ///
    /// # Errors
    /// [`Invalid`]; a test proves that there is none.
    pub fn document(self) -> Result<Document, Invalid> {
        validate::read(self.text, Kind::Managed)
    }
}

#[cfg(test)]
mod tests {
    use super::{MANAGED, ManagedPolicy};
    use crate::policy::engine::compiled::{Place, compile_aws};
    use crate::policy::lint::{Level, lint};
    use crate::policy::table::product;

    #[test]
    fn every_policy_is_valid_compiles_and_does_what_it_says() {
        for policy in MANAGED {
            let document = policy.document().unwrap_or_else(|error| panic!("{}: {error}", policy.name));
            let compiled = compile_aws(&policy.arn(), &document, Place::Identity, product());
            assert_eq!(compiled.id(), format!("arn:aws:iam::aws:policy/{}", policy.name));
            assert!(compiled.source(document.statements.len() - 1).is_some(), "{}", policy.name);
            let errors = lint(&document, product());
            let errors: Vec<_> =
                errors.iter().filter(|finding| finding.problem.level() == Level::Error).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", policy.name);
        }
    }

    #[test]
    fn they_are_found_by_their_exact_names_and_stand_in_order() {
        assert!(MANAGED.is_sorted_by_key(|policy| policy.name));
        assert_eq!(ManagedPolicy::find("AdministratorAccess"), MANAGED.first().copied());
        assert_eq!(ManagedPolicy::find("administratoraccess"), None);
    }
}
