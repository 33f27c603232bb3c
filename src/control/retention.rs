//! Retention policies: of each repository of a namespace, the newest images are kept, and the others go every day.
//!
//! Which go is one function, so that a dry run says what then happens.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::image::Images;
use super::inventory::Held;
use super::problem::{Noun, Problem};
use super::trash::{Bin, stored};
use super::{Desk, Done, survey};
use crate::admit::caller::Caller;
use crate::admit::fault::Fault;
use crate::clock::UnixTime;
use crate::ids::region::Region;
use crate::policy::resource::Resource;
use crate::policy::table::Action;
use crate::registry::name::{Namespace, RepositoryName};
use crate::registry::reference::Digest;
use crate::store::retention::RetentionPolicy;

/// How often a policy is carried out.
const DAILY: Duration = Duration::from_secs(24 * 3600);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a caller sets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Of which namespace.
    pub namespace: Namespace,
    /// How many images of each repository are kept; `None` is all.
    pub images: Option<u32>,
    /// Whether images without tags are kept, and not counted.
    pub retain_untagged: bool,
    /// Images that are not older than this many days are kept as well.
    pub threshold_days: Option<u32>,
}

/// The images that go, by repository.
pub type Leaving = Vec<(RepositoryName, Vec<Digest>)>;

/// Which of a repository's images go. Parts of an index that stays, stay; what refers to an image that stays does too.
#[must_use]
pub fn leaving(held: &[Held], policy: &RetentionPolicy, now: UnixTime) -> Vec<Digest> {
    let parts: HashSet<&Digest> = held.iter().flat_map(|one| &one.children).collect();
    let built = |one: &Held| {
        let own = one.created;
        let of_parts =
            held.iter().filter(|part| one.children.contains(&part.digest)).filter_map(|part| part.created);
        own.into_iter().chain(of_parts).max()
    };
    let counts = |one: &&Held| {
        let whole = !parts.contains(&one.digest) || !one.tags.is_empty();
        whole && one.subject.is_none() && (!policy.retain_untagged || !one.tags.is_empty())
    };
    let mut counted: Vec<(Option<UnixTime>, &Held)> =
        held.iter().filter(counts).map(|one| (built(one), one)).collect();
    // The newest first; of two of one age, always the same one.
    counted.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.digest.cmp(&other.digest)));
    let keep = policy.images.map_or(usize::MAX, |images| usize::try_from(images).unwrap_or(usize::MAX));
    let days = policy.threshold_days.map(|days| DAY * days);
    let young = |built: Option<UnixTime>| match (built, days) {
        (Some(built), Some(days)) => now < built.plus(days),
        (Some(_) | None, None) | (None, Some(_)) => false,
    };
    let tagged = counted.iter().filter(|(_, one)| !one.tags.is_empty());
    let kept: HashSet<&Digest> = tagged.take(keep).map(|(_, one)| &one.digest).collect();
    let goes = |(built, one): &(Option<UnixTime>, &Held)| match one.tags.is_empty() {
        true => !young(*built),
        false => !kept.contains(&one.digest) && !young(*built),
    };
    counted.into_iter().filter(goes).map(|(_, one)| one.digest.clone()).collect()
}

/// What would go now from all repositories of the policy's namespace.
async fn dry_run(bin: &Bin, images: &dyn Images, policy: &RetentionPolicy) -> Result<Leaving, Fault> {
    let mut all = Vec::new();
    for name in images.repositories(&policy.region).await? {
        if name.namespace() != policy.namespace.as_str() {
            continue;
        }
        let held = survey::shown(bin, &policy.region, &name).await?;
        let going = leaving(&held, policy, bin.clock.now());
        if !going.is_empty() {
            all.push((name, going));
        }
    }
    Ok(all)
}

async fn carry_out(bin: &Bin, images: &dyn Images, policy: &RetentionPolicy) -> Result<Leaving, Fault> {
    let going = dry_run(bin, images, policy).await?;
    remove(bin, policy, &going).await?;
    Ok(going)
}

/// The same of one that is stored, as long as it is: that takes a while, and somebody may change their mind.
async fn carry_out_stored(bin: &Bin, images: &dyn Images, policy: &RetentionPolicy) -> Result<(), Fault> {
    for one in dry_run(bin, images, policy).await? {
        let in_force = bin.store.retentions(&policy.region).await.map_err(stored)?;
        if !in_force.contains(policy) {
            return Ok(());
        }
        remove(bin, policy, &[one]).await?;
    }
    Ok(())
}

async fn remove(
    bin: &Bin,
    policy: &RetentionPolicy,
    going: &[(RepositoryName, Vec<Digest>)],
) -> Result<(), Fault> {
    for (name, digests) in going {
        for digest in digests {
            bin.remove(&policy.region, name, digest).await?;
            tracing::info!(region = %policy.region, repository = %name, %digest, "deleted by the retention policy");
        }
    }
    Ok(())
}

/// Carries out the policies that were not within the last day.
///
/// # Errors
/// [`Fault`] of the store; what cannot be carried out is logged, and tried again.
pub async fn run_due(bin: &Bin, images: &dyn Images) -> Result<(), Fault> {
    let now = bin.clock.now();
    let before = UnixTime::from_millis(
        now.millis().saturating_sub(i64::try_from(DAILY.as_millis()).unwrap_or(i64::MAX)),
    );
    for policy in bin.store.retentions_due(before).await.map_err(stored)? {
        if let Err(fault) = carry_out_stored(bin, images, &policy).await {
            tracing::warn!(region = %policy.region, namespace = %policy.namespace, %fault, "a retention policy is not carried out");
            continue;
        }
        bin.store.retention_ran(&policy, now).await.map_err(stored)?;
    }
    Ok(())
}

impl Desk {
    /// The policies of the namespaces that the caller may see them of.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn retentions(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
    ) -> Result<Done<Vec<RetentionPolicy>>, Problem> {
        let mut rows = self.store.retentions(region).await?;
        rows.retain(|row| {
            let resource = Resource::namespace(region, row.namespace.as_str());
            self.authority.may(caller, Action::RetentionList, &resource)
        });
        Ok(Done::new(rows, self.proven(caller, Action::RetentionList, Resource::registry(region))))
    }

    /// The policy of one namespace; one that none was set for keeps everything.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn retention(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        namespace: &Namespace,
    ) -> Result<Done<RetentionPolicy>, Problem> {
        let resource = Resource::namespace(region, namespace.as_str());
        let permit = self.authority.permit(caller, Action::RetentionGet, resource).await?;
        self.existing_namespace(region, namespace).await?;
        let rows = self.store.retentions(region).await?;
        let none = || RetentionPolicy {
            region: region.clone(),
            namespace: namespace.clone(),
            images: None,
            retain_untagged: true,
            threshold_days: None,
            ran_at: UnixTime::from_millis(0),
        };
        let found = rows.into_iter().find(|row| row.namespace == *namespace);
        Ok(Done::new(found.unwrap_or_else(none), permit))
    }

    /// Sets a policy, and carries it out: what it has deleted.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn set_retention(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        wanted: &Retention,
    ) -> Result<Done<Leaving>, Problem> {
        let resource = Resource::namespace(region, wanted.namespace.as_str());
        // What it deletes every day from now on, the caller must be one who may delete.
        self.authority.permit(caller, Action::ImageDelete, resource.clone()).await?;
        let permit = self.authority.permit(caller, Action::RetentionSet, resource).await?;
        self.existing_namespace(region, &wanted.namespace).await?;
        for name in self.images.repositories(region).await? {
            // A policy may deny of one repository what another allows of the namespace.
            if name.namespace() == wanted.namespace.as_str() {
                let repository = Resource::repository(region, &name);
                self.authority.permit(caller, Action::ImageDelete, repository).await?;
            }
        }
        let policy = self.wanted_policy(region, wanted);
        if policy.images.is_none() && policy.retain_untagged {
            self.store.delete_retention(region, &policy.namespace).await?;
            return Ok(Done::new(Vec::new(), permit));
        }
        let gone = carry_out(&self.bin, &*self.images, &policy).await?;
        self.store.put_retention(&policy).await?;
        Ok(Done::new(gone, permit))
    }

    /// What a policy would delete now.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn analyze_retention(
        &self,
        caller: &Arc<Caller>,
        region: &Region,
        wanted: &Retention,
    ) -> Result<Done<Leaving>, Problem> {
        let resource = Resource::namespace(region, wanted.namespace.as_str());
        let permit = self.authority.permit(caller, Action::RetentionAnalyze, resource).await?;
        self.existing_namespace(region, &wanted.namespace).await?;
        let policy = self.wanted_policy(region, wanted);
        Ok(Done::new(dry_run(&self.bin, &*self.images, &policy).await?, permit))
    }

    fn wanted_policy(&self, region: &Region, wanted: &Retention) -> RetentionPolicy {
        RetentionPolicy {
            region: region.clone(),
            namespace: wanted.namespace.clone(),
            images: wanted.images,
            retain_untagged: wanted.retain_untagged,
            threshold_days: wanted.threshold_days,
            ran_at: self.clock.now(),
        }
    }

    /// Refuses a namespace that is not there.
    pub(super) async fn existing_namespace(
        &self,
        region: &Region,
        namespace: &Namespace,
    ) -> Result<(), Problem> {
        match self.store.namespaces(region).await?.iter().any(|row| row.name == *namespace) {
            true => Ok(()),
            false => Err(Problem::NotFound(Noun::Namespace, namespace.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::leaving;
    use crate::clock::UnixTime;
    use crate::control::inventory::Held;
    use crate::ids::region::Region;
    use crate::registry::name::Namespace;
    use crate::registry::reference::{Digest, Tag};
    use crate::store::retention::RetentionPolicy;

    const DAY: i64 = 86_400_000;

    fn digest(n: i64) -> Digest {
        Digest::parse(&format!("sha256:{n:064x}")).unwrap()
    }

    /// Image `n`, built on day `n`.
    fn image(n: i64, tags: &[&str]) -> Held {
        Held {
            digest: digest(n),
            media_type: String::new(),
            tags: tags.iter().map(|text| Tag::parse(text).unwrap()).collect(),
            created: Some(UnixTime::from_millis(n * DAY)),
            labels: Vec::new(),
            blobs: Vec::new(),
            children: Vec::new(),
            subject: None,
        }
    }

    fn keeping(images: Option<u32>) -> RetentionPolicy {
        RetentionPolicy {
            region: Region::parse("us-south").unwrap(),
            namespace: Namespace::parse("birds").unwrap(),
            images,
            retain_untagged: false,
            threshold_days: None,
            ran_at: UnixTime::from_millis(0),
        }
    }

    /// The numbers of the images that go on day 100.
    fn going(held: &[Held], policy: &RetentionPolicy) -> Vec<i64> {
        let gone = leaving(held, policy, UnixTime::from_millis(100 * DAY));
        let mut numbers: Vec<i64> = (0..1000).filter(|n| gone.contains(&digest(*n))).collect();
        assert_eq!(numbers.len(), gone.len(), "each goes once");
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn the_newest_stay_by_when_they_were_built_and_one_with_many_tags_counts_once() {
        let held = [image(1, &["z"]), image(3, &["a", "b", "c"]), image(2, &["m"])];
        assert_eq!(going(&held, &keeping(Some(2))), [1]);
        assert_eq!(going(&held, &keeping(Some(1))), [1, 2]);
        assert_eq!(going(&held, &keeping(Some(9))), Vec::<i64>::new());
        assert_eq!(going(&held, &keeping(None)), Vec::<i64>::new());
        let undated = [image(1, &["a"]), Held { created: None, ..image(2, &["b"]) }];
        assert_eq!(going(&undated, &keeping(Some(1))), [2], "what does not say when counts as the oldest");
    }

    #[test]
    fn untagged_images_go_unless_they_are_retained_and_are_never_counted_among_the_newest() {
        let held = [image(1, &["a"]), image(2, &["b"]), image(3, &[]), image(4, &[])];
        assert_eq!(going(&held, &keeping(Some(2))), [3, 4]);
        assert_eq!(going(&held, &keeping(None)), [3, 4]);
        let retained = RetentionPolicy { retain_untagged: true, ..keeping(Some(1)) };
        assert_eq!(going(&held, &retained), [1]);
    }

    #[test]
    fn young_images_stay_whatever_their_number() {
        let held = [image(90, &["a"]), image(95, &["b"]), image(96, &[]), image(97, &["c"])];
        let policy = RetentionPolicy { threshold_days: Some(7), ..keeping(Some(1)) };
        assert_eq!(going(&held, &policy), [90]);
        let policy = RetentionPolicy { threshold_days: Some(3), ..keeping(Some(1)) };
        assert_eq!(going(&held, &policy), [90, 95, 96], "an image of exactly that age is not young");
    }

    #[test]
    fn parts_of_an_index_are_no_images_of_their_own_and_signatures_stay_with_what_they_sign() {
        let index = |n: i64, tags: &[&str], parts: &[i64]| Held {
            created: None,
            children: parts.iter().map(|part| digest(*part)).collect(),
            ..image(n, tags)
        };
        // The index is as old as its youngest part.
        let held = [index(500, &["multi"], &[1, 50]), image(1, &[]), image(50, &[]), image(40, &["old"])];
        assert_eq!(going(&held, &keeping(Some(1))), [40]);
        // A part with a tag of its own counts.
        let held =
            [index(500, &["multi"], &[1, 50]), image(1, &["own"]), image(50, &[]), image(40, &["old"])];
        assert_eq!(going(&held, &keeping(Some(2))), [1]);
        let signature = Held { subject: Some(digest(40)), ..image(60, &[]) };
        assert_eq!(going(&[image(40, &["signed"]), signature], &keeping(Some(1))), Vec::<i64>::new());
    }
}
