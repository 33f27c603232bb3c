//! What a registry call and a control action are called in each cloud: the one place where the two languages meet.
//!
//! A right may have several wordings, of which one must be allowed. All of a wording's AWS actions are needed
//!.

use std::sync::LazyLock;

use super::engine::bundle::Bundle;
use super::table::{Action, ActionId, EcrAction as E};
use crate::registry::needs::Right;

/// One wording of what is asked.
#[derive(Clone, Debug)]
pub struct Words {
    /// AWS's actions, all of which are needed. None for what AWS has no name for.
    pub aws: Box<[ActionId]>,
    /// IBM's action.
    pub ibm: Action,
}

impl Words {
    fn new(ibm: Action, aws: &[E]) -> Self {
        Self { aws: aws.iter().map(|action| action.id()).collect(), ibm }
    }

    /// Whether some statement of the bundle's own allows it on something.
    #[must_use]
    pub fn are_allowed_somewhere(&self, rights: &Bundle) -> bool {
        let mut all = self.aws.iter().copied().chain([self.ibm.id()]);
        all.any(|action| rights.allows_somewhere(action))
    }

    /// What AWS documents are asked: without an AWS name, IBM's.
    pub fn actions(&self) -> impl Iterator<Item = ActionId> {
        let own = self.aws.is_empty().then(|| self.ibm.id());
        self.aws.iter().copied().chain(own)
    }
}

/// What AWS calls IBM's actions on images and namespaces. The others have no AWS name.
const NAMES: &[(Action, &[E])] = &[
    (Action::ImageDelete, &[E::BatchDeleteImage]),
    (Action::ImageInspect, &[E::DescribeImages]),
    (Action::ImageList, &[E::DescribeImages]),
    (Action::ImagePull, &[E::BatchGetImage, E::GetDownloadUrlForLayer]),
    (Action::ImagePush, &[E::InitiateLayerUpload, E::UploadLayerPart, E::CompleteLayerUpload, E::PutImage]),
    (Action::ImageVulnerabilities, &[E::DescribeImageScanFindings]),
    (Action::NamespaceCreate, &[E::CreateRepository]),
    (Action::NamespaceDelete, &[E::DeleteRepository]),
    (Action::NamespaceList, &[E::DescribeRepositories]),
];

/// What only IBM's roles of that very name give: not even AWS's `*` does.
const BY_NAMED_ROLE: [Action; 2] = [Action::ApiKeyCreateRestricted, Action::ServiceIdCreateRestricted];

/// The wordings of a right; the first is what a denial names.
///
/// `CheckBlob` accepts pushing too, because every client looks for a blob before it uploads it; `ListTags` accepts
/// pulling, because Docker's token scopes know no listing.
#[must_use]
pub fn for_right(right: Right) -> &'static [Words] {
    static WORDS: LazyLock<Box<[Box<[Words]>]>> =
        LazyLock::new(|| Right::ALL.iter().map(|right| wordings(*right).into()).collect());
    WORDS.get(right as usize).map(|words| &**words).unwrap_or_default()
}

/// The wording of an action that a control call needs, or that an explanation is about.
#[must_use]
pub fn for_action(action: Action) -> Option<&'static Words> {
    static WORDS: LazyLock<Box<[Words]>> = LazyLock::new(|| {
        let names = |action: &Action| NAMES.iter().find(|(known, _)| known == action).map(|(_, aws)| *aws);
        let words = |action: &Action| match action {
            named if BY_NAMED_ROLE.contains(named) => Words { aws: [ActionId::NONE].into(), ibm: *named },
            other => Words::new(*other, names(other).unwrap_or_default()),
        };
        Action::ALL.iter().map(words).collect()
    });
    WORDS.iter().find(|words| words.ibm == action)
}

/// What lets a caller know that a repository exists: listing it, or pulling from it.
#[must_use]
pub fn for_seeing() -> &'static [Words; 2] {
    static WORDS: LazyLock<[Words; 2]> = LazyLock::new(|| {
        [
            Words::new(Action::ImageList, &[E::DescribeRepositories]),
            Words::new(Action::ImagePull, &[E::BatchGetImage]),
        ]
    });
    &WORDS
}

fn wordings(right: Right) -> Vec<Words> {
    let push = |aws: &[E]| vec![Words::new(Action::ImagePush, aws)];
    let pull = |aws: &[E]| vec![Words::new(Action::ImagePull, aws)];
    match right {
        Right::CheckBlob => [Action::ImagePull, Action::ImagePush]
            .map(|ibm| Words::new(ibm, &[E::BatchCheckLayerAvailability]))
            .to_vec(),
        Right::ContinueUpload => push(&[E::UploadLayerPart]),
        Right::Delete => vec![Words::new(Action::ImageDelete, &[E::BatchDeleteImage])],
        // The request may carry the last part, and is decided before anyone has seen its body.
        Right::FinishUpload => push(&[E::CompleteLayerUpload, E::UploadLayerPart]),
        Right::ListTags => {
            [Action::ImageList, Action::ImagePull].map(|ibm| Words::new(ibm, &[E::ListImages])).to_vec()
        }
        Right::ReadBlob => pull(&[E::GetDownloadUrlForLayer]),
        Right::ReadManifest => pull(&[E::BatchGetImage]),
        Right::StartUpload => push(&[E::InitiateLayerUpload]),
        Right::WriteBlob => push(&[E::InitiateLayerUpload, E::UploadLayerPart, E::CompleteLayerUpload]),
        Right::WriteManifest => push(&[E::PutImage]),
    }
}

#[cfg(test)]
mod tests {
    use super::for_right;
    use crate::registry::needs::Right;

    #[test]
    fn every_right_has_its_own_words() {
        for (place, right) in Right::ALL.iter().enumerate() {
            assert_eq!(*right as usize, place, "the list of rights is in their order");
            assert!(for_right(*right).iter().all(|words| !words.aws.is_empty()));
            assert!(!for_right(*right).is_empty());
        }
    }
}
