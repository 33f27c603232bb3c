//! Which actions grant a right on a repository: any one of them is enough.

use super::action::{Action, ActionSet};
use crate::registry::needs::Right;

/// The actions of which one must be allowed.
///
/// `CheckBlob` accepts pushing too, because every client looks for a blob before it uploads it; `ListTags` accepts
/// pulling, because Docker's token scopes know no listing.
#[must_use]
pub const fn actions_for(right: Right) -> ActionSet {
    match right {
        Right::CheckBlob => ActionSet::of(&[Action::ImagePull, Action::ImagePush]),
        Right::Delete => ActionSet::of(&[Action::ImageDelete]),
        Right::ListTags => ActionSet::of(&[Action::ImageList, Action::ImagePull]),
        Right::ReadBlob | Right::ReadManifest => ActionSet::of(&[Action::ImagePull]),
        Right::StartUpload | Right::WriteManifest | Right::WriteUpload => ActionSet::of(&[Action::ImagePush]),
    }
}

/// The action that a denial names.
#[must_use]
pub const fn principal_action(right: Right) -> Action {
    match right {
        Right::CheckBlob | Right::ReadBlob | Right::ReadManifest => Action::ImagePull,
        Right::Delete => Action::ImageDelete,
        Right::ListTags => Action::ImageList,
        Right::StartUpload | Right::WriteManifest | Right::WriteUpload => Action::ImagePush,
    }
}
