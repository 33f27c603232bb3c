//! Referrers: what says of itself that it is about an image, such as a signature, an attestation or a list of contents.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::image::{ImageId, cut, no_image};
use super::repository::{Paged, Paging};
use super::{Asker, Doing, invalid};
use crate::control::Desk;
use crate::control::aws::AwsDone;
use crate::control::aws::problem::AwsProblem;
use crate::control::stock::Described;
use crate::policy::table::Action;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference};

/// A manifest that is about another.
#[derive(Clone, Debug)]
pub struct Referrer {
    /// What is known of it.
    pub described: Described,
    /// The bytes of the manifest itself.
    pub size: usize,
    /// What it says of itself.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Annotated {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Desk {
    /// A page of the manifests that are about an image; only those of these types, if any are named.
    ///
    /// # Errors
    /// [`AwsProblem`]
    pub async fn ecr_list_image_referrers(
        &self,
        asker: Asker<'_>,
        name: &RepositoryName,
        (subject, types): (&str, &[String]),
        paging: &Paging,
    ) -> Result<AwsDone<Paged<Referrer>>, AwsProblem> {
        let doing = Doing("ecr:ListImageReferrers", Some(Action::ImageList));
        let permit = self.may_on(asker, doing, name, Vec::new()).await?;
        let wrong = |_| invalid("subjectId.imageDigest", "must be a digest");
        let subject = Digest::parse(subject).map_err(wrong)?;
        self.existing(asker.region, name).await?;
        let present = self.present(asker.region, name).await?;
        if !present.iter().any(|(held, _)| held.digest == subject) {
            let id = ImageId { digest: Some(subject.to_string()), tag: None };
            return Err(no_image(&id, name, self.account.as_str()));
        }
        let about = |described: &Described| {
            let wanted = |kind: &String| described.artifact_type.as_ref() == Some(kind);
            described.subject.as_ref() == Some(&subject) && (types.is_empty() || types.iter().any(wanted))
        };
        let found = present.into_iter().map(|(_, described)| described).filter(about).collect();
        let page = cut(found, paging, |one: &Described| one.digest.to_string());
        let mut items = Vec::new();
        for described in page.items {
            let reference = Reference::Digest(described.digest.clone());
            // One that has gone meanwhile is left out.
            if let Some(whole) = self.stock.manifest(asker.region, name, &reference).await? {
                let Annotated { annotations } = serde_json::from_slice(&whole.content).unwrap_or_default();
                items.push(Referrer { described, size: whole.content.len(), annotations });
            }
        }
        Ok(AwsDone::new(Paged { items, next: page.next }, permit))
    }
}
