//! Single images: their digests, what they say of themselves, and what callers may do to them.
//!
//! What is hidden is not there. Reading needs a permit for the repository, and what is not permitted reads the same
//! whether or not it is there.

use std::collections::HashSet;
use std::sync::Arc;

use super::inventory::Held;
use super::problem::{Noun, Problem};
use super::stock::Manifest;
use super::trash::Revived;
use super::{Desk, Done, survey};
use crate::admit::caller::Caller;
use crate::admit::context::tag_exists_key;
use crate::admit::control::ImageCall;
use crate::admit::findings::is_of_findings;
use crate::admit::held::HeldTag;
use crate::admit::permit::{Control, Permit};
use crate::ids::region::Region;
use crate::policy::engine::context::Key;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::policy::words::{Words, for_action};
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, ReadMode};
use crate::registry::reference::{Digest, Reference, Tag};
use crate::store::StoreError;
use crate::view::hidden::Hidden;

/// One image, as callers name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageName {
    /// In which repository.
    pub repository: RepositoryName,
    /// By tag or digest.
    pub reference: Reference,
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let joint = match self.reference {
            Reference::Digest(_) => '@',
            Reference::Tag(_) => ':',
        };
        write!(f, "{}{joint}{}", self.repository, self.reference.as_str())
    }
}

/// What is done to an image.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed<'a> {
    /// It is deleted, or its tag is.
    Delete,
    /// What it says of itself is read.
    Inspect,
    /// It is read whole, to be put elsewhere; the manifest, where that is known.
    Pull(Option<&'a Manifest>),
    /// It gets its name; the manifest, where that is known.
    Push(Option<&'a Manifest>),
}

impl Deed<'_> {
    const fn action(self) -> Action {
        match self {
            Self::Delete => Action::ImageDelete,
            Self::Inspect => Action::ImageInspect,
            Self::Pull(_) => Action::ImagePull,
            Self::Push(_) => Action::ImagePush,
        }
    }

    fn operation(self, image: &ImageName) -> Operation {
        let (repository, reference) = (image.repository.clone(), image.reference.clone());
        match self {
            Self::Delete => Operation::ManifestDelete { repository, reference },
            Self::Inspect | Self::Pull(_) => {
                Operation::ManifestRead { repository, reference, mode: ReadMode::Get }
            }
            Self::Push(_) => Operation::ManifestWrite { repository, reference },
        }
    }

    /// The call of the registry that does the same.
    fn call(self, image: &ImageName, tag_exists: Option<bool>) -> ImageCall {
        let call = ImageCall::new(self.operation(image), tag_exists);
        match self {
            Self::Push(Some(manifest)) => call.of_manifest(&manifest.media_type, manifest.content.len()),
            Self::Delete | Self::Inspect | Self::Pull(_) | Self::Push(None) => call,
        }
    }
}

/// How many manifests and layers one image may bring along, and how deep its indexes may stand in each other: who can push
/// can make an index of two that are both another such index, and so on.
const PARTS_MAX: usize = 10_000;
const NESTED_MAX: usize = 8;

/// Where an image is copied from, and where to.
#[derive(Clone, Copy)]
struct Route<'a> {
    permit: &'a Permit<Control>,
    region: &'a Region,
    from: &'a RepositoryName,
    to: &'a RepositoryName,
    /// What is not there any more.
    hidden: &'a Hidden,
}

/// Which manifests to list.
#[derive(Clone, Debug, Default)]
pub struct DigestFilter {
    /// Only of these repositories; of all, if there are none.
    pub repositories: Vec<String>,
    /// Only those without tags.
    pub untagged_only: bool,
}

/// An image, and its configuration.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The manifest.
    pub manifest: Manifest,
    /// What it says.
    pub said: serde_json::Value,
    /// Its configuration; null for an index.
    pub configuration: serde_json::Value,
}

impl Desk {
    /// Every manifest of the repositories that the caller may list.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn digests(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        filter: &DigestFilter,
    ) -> Result<Done<Vec<(RepositoryName, Held)>>, Problem> {
        let permit = self.proven(caller, Action::ImageList, Resource::registry(region));
        let mut names = self.images.repositories(region).await?;
        let wanted = &filter.repositories;
        names.retain(|name| wanted.is_empty() || wanted.iter().any(|one| one == name.as_str()));
        let names = self.authority.listed(caller, Action::ImageList, region, names).await?;
        let mut all = Vec::new();
        for name in names {
            let shown = survey::shown(&self.bin, region, &name).await?;
            let wanted = shown.into_iter().filter(|one| !filter.untagged_only || one.tags.is_empty());
            all.extend(wanted.map(|one| (name.clone(), one)));
        }
        Ok(Done::new(all, permit))
    }

    /// One manifest, as it is stored.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn image_manifest(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<Manifest>, Problem> {
        let permit = self.permit_image(caller, Deed::Inspect, region, image).await?;
        Ok(Done::new(self.shown_manifest(region, image).await?, permit))
    }

    /// One image, and what it was built with.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn inspect_image(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<Inspected>, Problem> {
        let Done { value: manifest, permit } = self.image_manifest(caller, region, image).await?;
        let said: serde_json::Value = serde_json::from_slice(&manifest.content).unwrap_or_default();
        let digest = said.pointer("/config/digest").and_then(serde_json::Value::as_str);
        let text = match digest.and_then(|text| Digest::parse(text).ok()) {
            Some(digest) => self.bin.inventory.document(region, &image.repository, &digest).await?,
            None => None,
        };
        let configuration = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Ok(Done::new(Inspected { manifest, said, configuration }, permit))
    }

    /// Deletes an image with all its tags: those, and its digest.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_image(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<(Digest, Vec<Tag>)>, Problem> {
        let permit = self.permit_image(caller, Deed::Delete, region, image).await?;
        let digest = match &image.reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(tag) => self.bin.shown(region, &image.repository, tag).await?,
        };
        let digest = digest.ok_or_else(|| missing(image))?;
        let tags = self.bin.discard(&permit, region, &image.repository, &digest).await?;
        Ok(Done::new((digest, tags.ok_or_else(|| missing(image))?), permit))
    }

    /// Takes a tag off an image, which stays, as do its other tags.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn delete_tag(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Done<()>, Problem> {
        let permit = self.permit_image(caller, Deed::Delete, region, image).await?;
        let Reference::Tag(tag) = &image.reference else {
            return Err(Problem::Invalid(format!("`{image}` names no tag: write REPOSITORY:TAG")));
        };
        let done = self.bin.untag(&permit, region, &image.repository, tag).await?;
        done.map(|_| Done::new((), permit)).ok_or_else(|| missing(image))
    }

    /// Gives an image another name, in the same registry.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn tag_image(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        from: &ImageName,
        to: &ImageName,
    ) -> Result<Done<()>, Problem> {
        // What is decided on is what is copied, and nobody is told of it who may not have it.
        let manifest = self.shown_manifest(region, from).await;
        self.permit_image(caller, Deed::Pull(manifest.as_ref().ok()), region, from).await?;
        let Reference::Tag(tag) = &to.reference else {
            return Err(Problem::Invalid(format!("`{to}` names no tag: write REPOSITORY:TAG")));
        };
        let push = Deed::Push(manifest.as_ref().ok());
        let permit = self.permit_image(caller, push, region, to).await?;
        let manifest = manifest?;
        let namespace = crate::registry::name::Namespace::of(&to.repository);
        self.existing_namespace(region, &namespace).await?;
        let _held = self.writable(region, to, tag).await?;
        if from.repository != to.repository {
            let (from, to) = (&from.repository, &to.repository);
            let hidden = self.bin.hidden(region, from).await?;
            let route = Route { permit: &permit, region, from, to, hidden: &hidden };
            self.copy_parts(route, &manifest, &mut HashSet::new(), NESTED_MAX).await?;
        }
        self.revive(&permit, region, &to.repository, &manifest.digest).await?;
        self.bin.inventory.put(region, &to.repository, &to.reference, &manifest).await?;
        self.bin.retag(&permit, region, &to.repository, tag).await?;
        Ok(Done::new((), permit))
    }

    /// Holds the tag of a repository where tags are written once, if it is not there.
    async fn writable(&self, region: &Region, to: &ImageName, tag: &Tag) -> Result<Option<HeldTag>, Problem> {
        let name = &to.repository;
        let keeps = self.store.repository(region, name).await?.is_some_and(|row| row.keeps(tag));
        if !keeps {
            return Ok(None);
        }
        let written = || {
            let text = format!(
                "`{to}` is there, and the tags of this repository are written once: choose another tag"
            );
            Problem::Conflict(text)
        };
        let held = self.authority.hold_tag(region, name, tag).await?.ok_or_else(written)?;
        match self.bin.shown(region, name, tag).await? {
            Some(_) => Err(written()),
            None => Ok(Some(held)),
        }
    }

    /// Brings back what is about to be put.
    async fn revive(
        &self,
        permit: &Permit<Control>,
        region: &Region,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), Problem> {
        match self.bin.revive(permit, region, name, digest).await? {
            Revived::Done => Ok(()),
            Revived::TooLate => {
                let text = format!("`{name}@{digest}` is being deleted for good at this moment: try again");
                Err(Problem::Conflict(text))
            }
        }
    }

    /// Copies what a manifest needs into another repository, each part once: layers, and the manifests of an index. What is
    /// hidden is not there to be copied.
    async fn copy_parts(
        &self,
        route: Route<'_>,
        manifest: &Manifest,
        copied: &mut HashSet<Digest>,
        depth: usize,
    ) -> Result<(), Problem> {
        let (inventory, Route { permit, region, from, to, hidden }) = (&self.bin.inventory, route);
        let said: serde_json::Value = serde_json::from_slice(&manifest.content).unwrap_or_default();
        let list =
            |name: &str| said.get(name).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let digest = |one: &serde_json::Value| {
            one.get("digest").and_then(serde_json::Value::as_str).and_then(|text| Digest::parse(text).ok())
        };
        for child in list("manifests").iter().filter_map(digest) {
            if !is_next(copied, &child, depth)? {
                continue;
            }
            let gone = || {
                let text = "CRI0304E The manifest list or OCI index that you are tagging references an image that doesn't exist";
                Problem::Conflict(text.to_owned())
            };
            let reference = Reference::Digest(child);
            let part = inventory.manifest(region, from, &reference).await?;
            let part = part.filter(|part| !hidden.has_image(&part.digest)).ok_or_else(gone)?;
            Box::pin(self.copy_parts(route, &part, copied, depth - 1)).await?;
            self.revive(permit, region, to, &part.digest).await?;
            inventory.put(region, to, &reference, &part).await?;
        }
        for blob in said.get("config").into_iter().chain(&list("layers")).filter_map(digest) {
            if !is_next(copied, &blob, NESTED_MAX)? {
                continue;
            }
            if hidden.has_image(&blob) || !inventory.mount(region, to, from, &blob).await? {
                let text = "CRI0302E The manifest type for this image is not supported for tagging.";
                return Err(Problem::Conflict(text.to_owned()));
            }
        }
        Ok(())
    }

    pub(super) async fn shown_manifest(
        &self,
        region: &Region,
        image: &ImageName,
    ) -> Result<Manifest, Problem> {
        let hidden = self.bin.hidden(region, &image.repository).await?;
        let found = self.bin.inventory.manifest(region, &image.repository, &image.reference).await?;
        let shown = found.filter(|found| match &image.reference {
            Reference::Digest(digest) => !hidden.has_image(digest),
            Reference::Tag(tag) => !hidden.has_tag(tag, Some(&found.digest)),
        });
        shown.ok_or_else(|| missing(image))
    }

    /// A permit for what is done to an image, of which policies may read as much as of the same call of the registry.
    pub(super) async fn permit_image(
        &self,
        caller: &Arc<Caller>,
        deed: Deed<'_>,
        region: &Region,
        image: &ImageName,
    ) -> Result<Permit<Control>, Problem> {
        let tag_exists = match &image.reference {
            Reference::Tag(tag) if self.asks_for_tags(caller, deed.action(), region).await? => {
                Some(self.bin.shown(region, &image.repository, tag).await?.is_some())
            }
            Reference::Digest(_) | Reference::Tag(_) => None,
        };
        let seen = match deed {
            Deed::Pull(Some(manifest)) if self.asks_for_findings(caller, deed.action(), region).await? => {
                let whole = (&manifest.digest, &*manifest.content);
                Some(self.seen(region, &image.repository, &image.reference, whole).await?)
            }
            Deed::Delete | Deed::Inspect | Deed::Pull(_) | Deed::Push(_) => None,
        };
        let call = deed.call(image, tag_exists).reading(seen);
        let resource = Resource::repository(region, &image.repository);
        self.authority.permit_image(caller, deed.action(), resource, &call).await
    }

    /// Whether it may matter to some policy if a tag is there. Nobody asks the upstream for nothing.
    pub(super) async fn asks_for_tags(
        &self,
        caller: &Caller,
        action: Action,
        region: &Region,
    ) -> Result<bool, StoreError> {
        self.asks_for(caller, action, region, |key| key == tag_exists_key()).await
    }

    /// The same of what is found in an image.
    pub(super) async fn asks_for_findings(
        &self,
        caller: &Caller,
        action: Action,
        region: &Region,
    ) -> Result<bool, StoreError> {
        self.asks_for(caller, action, region, is_of_findings).await
    }

    async fn asks_for(
        &self,
        caller: &Caller,
        action: Action,
        region: &Region,
        is_it: impl Fn(&Key) -> bool,
    ) -> Result<bool, StoreError> {
        let rights = &caller.bundle.rights;
        let mut keys =
            for_action(action).into_iter().flat_map(Words::actions).flat_map(|one| rights.keys(one));
        Ok(keys.any(is_it)
            || self.store.registry(region).await?.is_some_and(|facts| facts.repository_policies))
    }
}

/// Whether a part is not copied yet; a refusal of one that stands too deep, or is one too many.
fn is_next(copied: &mut HashSet<Digest>, part: &Digest, depth: usize) -> Result<bool, Problem> {
    if depth == 0 || copied.len() >= PARTS_MAX {
        let text = "CRI0302E The image has too many parts, or its indexes stand too deep in each other.";
        return Err(Problem::Conflict(text.to_owned()));
    }
    Ok(copied.insert(part.clone()))
}

pub(super) fn missing(image: &ImageName) -> Problem {
    Problem::NotFound(Noun::Image, image.to_string())
}
