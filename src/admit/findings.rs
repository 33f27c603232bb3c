//! What is known of the image that a call reads: its worst vulnerability, the age of its scan, whether it is signed.
//!
//! Findings come from the view, which hears of every change; what an index holds and what stands beside an image is asked of
//! the upstream, and only for callers whose policies read it. Each image is decided on by itself, however it is reached.

use std::sync::LazyLock;

use super::context::Facts;
use super::fault::Fault;
use super::gate::Gate;
use super::judge::Judge;
use crate::clock::UnixTime;
use crate::findings::severity::Severity;
use crate::findings::standing::Worst;
use crate::ids::region::Region;
use crate::policy::engine::context::Key;
use crate::policy::engine::question::Verdict;
use crate::policy::resource::Resource;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Reference, Tag};
use crate::registry::shape::{Nature, Shape};

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// How many names of an image are looked up, because something may be exempt by them.
const NAMES_MAX: usize = 16;

/// What the upstream has under a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved {
    /// What it hashes to.
    pub digest: Digest,
    /// What it is.
    pub nature: Nature,
    /// The images that it is an index of.
    pub children: Vec<Digest>,
}

/// Says what the upstream has. The gate asks only when some policy that applies depends on it.
pub trait Upstream {
    /// Whether the repository has the tag.
    ///
    /// # Errors
    /// [`Fault`] when the upstream cannot say; the call is stopped then.
    fn exists(&self, repository: &RepositoryName, tag: &Tag) -> impl Future<Output = Result<bool, Fault>>;

    /// What a tag or digest stands for now.
    ///
    /// # Errors
    /// As [`Upstream::exists`].
    fn resolved(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> impl Future<Output = Result<Option<Resolved>, Fault>>;

    /// Whether a signature stands beside the image, or beside an index that it is known to be part of.
    ///
    /// # Errors
    /// As [`Upstream::exists`].
    fn signed(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> impl Future<Output = Result<bool, Fault>>;
}

impl Resolved {
    /// What a manifest is; `None` for one that cannot be told.
    #[must_use]
    pub fn of(digest: &Digest, text: &[u8]) -> Option<Self> {
        let Shape { nature, children, runs, .. } = Shape::read(text)?;
        // Without a look at its layers, what is configured to be run may be.
        let nature = if nature == Nature::Signature && runs { Nature::Image } else { nature };
        Some(Self { digest: digest.clone(), nature, children })
    }
}

/// What an image is, as somebody has looked it up who asks the gate about it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it is.
    pub resolved: Resolved,
    /// The tag that it was asked for by.
    pub tag: Option<Tag>,
    /// Whether a signature stands beside it.
    pub signed: bool,
}

impl Upstream for Seen {
    async fn exists(&self, _: &RepositoryName, tag: &Tag) -> Result<bool, Fault> {
        Ok(self.tag.as_ref() == Some(tag))
    }

    async fn resolved(&self, _: &RepositoryName, by: &Reference) -> Result<Option<Resolved>, Fault> {
        let is_it = match by {
            Reference::Digest(digest) => *digest == self.resolved.digest,
            Reference::Tag(tag) => self.tag.as_ref() == Some(tag),
        };
        Ok(is_it.then(|| self.resolved.clone()))
    }

    async fn signed(&self, _: &RepositoryName, _: &Digest) -> Result<bool, Fault> {
        Ok(self.signed)
    }
}

/// Which of it some policy reads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Wanted {
    severity: bool,
    age: bool,
    signed: bool,
}

/// What is known of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Known {
    wanted: Wanted,
    worst: Worst,
    /// Whole days; `None` if nobody has looked, or not at all of it.
    age: Option<i64>,
    signed: bool,
}

/// The keys, in the order of [`Wanted`].
static KEYS: LazyLock<[Key; 3]> =
    LazyLock::new(|| ["registry:VulnerabilitySeverity", "registry:ScanAge", "registry:Signed"].map(Key::of));

/// Whether a key is about what is found in images.
#[must_use]
pub fn is_of_findings(key: &Key) -> bool {
    KEYS.contains(key)
}

impl Wanted {
    /// Those that `reads` says are read; `None` if none is.
    pub(super) fn of(reads: impl Fn(&Key) -> bool) -> Option<Self> {
        let [severity, age, signed] = &*KEYS;
        let wanted = Self { severity: reads(severity), age: reads(age), signed: reads(signed) };
        (wanted != Self::default()).then_some(wanted)
    }
}

impl Known {
    /// An image of which only good is known.
    pub(super) fn faultless() -> &'static Self {
        static FAULTLESS: LazyLock<Known> = LazyLock::new(|| Known {
            wanted: Wanted { severity: true, age: true, signed: true },
            worst: Worst::default(),
            age: Some(0),
            signed: true,
        });
        &FAULTLESS
    }

    /// `registry:VulnerabilitySeverity`.
    pub(super) fn severity(&self) -> Option<&'static str> {
        match (self.worst.severity, self.age) {
            (Some(severity), _) => Some(severity.label()),
            (None, Some(_)) => Some("NONE"),
            (None, None) => None,
        }
    }

    /// `registry:ScanAge`.
    pub(super) const fn age(&self) -> Option<i64> {
        self.age
    }

    /// `registry:Signed`.
    pub(super) const fn signed(&self) -> bool {
        self.signed
    }

    /// What may be wrong with the image, in a sentence for whoever may pull it but for that.
    pub(super) fn complaint(&self) -> String {
        let mut said = Vec::new();
        if let (true, Some(severity)) = (self.wanted.severity, self.worst.severity) {
            said.push(vulnerabilities(severity, &self.worst));
        }
        match self.age {
            None if self.wanted.severity || self.wanted.age => said.push("has not been scanned".to_owned()),
            Some(1) if self.wanted.age => said.push("was last scanned a day ago".to_owned()),
            Some(days) if self.wanted.age => said.push(format!("was last scanned {days} days ago")),
            Some(_) | None => {}
        }
        if self.wanted.signed && !self.signed {
            said.push("has no signature".to_owned());
        }
        match said.is_empty() {
            true => "What is known of the image does not permit it.".to_owned(),
            false => format!("The image {}.", said.join(", and ")),
        }
    }
}

fn vulnerabilities(severity: Severity, worst: &Worst) -> String {
    let noun = if worst.count == 1 { "vulnerability" } else { "vulnerabilities" };
    let named = worst.examples.join(", ");
    let more = worst.count.saturating_sub(worst.examples.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("has {} {} {noun} ({named}{more})", worst.count, severity.label())
}

impl Gate {
    /// What is known now of an image.
    ///
    /// # Errors
    /// [`Fault`] when the view or the upstream cannot say.
    pub(super) async fn known(
        &self,
        (region, repository): (&Region, &RepositoryName),
        image: &Resolved,
        wanted: Wanted,
        upstream: &impl Upstream,
    ) -> Result<Known, Fault> {
        let now = self.clock.now();
        let runs = matches!(image.nature, Nature::Image | Nature::Index);
        let signed = match image.nature {
            Nature::Signature => true,
            Nature::Artifact | Nature::Image | Nature::Index if wanted.signed => {
                upstream.signed(repository, &image.digest).await?
            }
            Nature::Artifact | Nature::Image | Nature::Index => false,
        };
        if !runs || !(wanted.severity || wanted.age) {
            let age = if runs { None } else { Some(0) };
            return Ok(Known { wanted, worst: Worst::default(), age, signed });
        }
        let own = self.view.standing(region, repository, &image.digest).await?;
        let mut parts = Vec::with_capacity(image.children.len());
        for child in &image.children {
            parts.push(self.view.standing(region, repository, child).await?);
        }
        let mut names: Vec<&Reference> =
            std::iter::once(&own).chain(&parts).flat_map(|one| one.names(now)).collect();
        names.sort_by_key(|name| name.as_str().to_owned());
        names.dedup();
        let names = names_of(repository, image, names, upstream).await?;
        let all = std::iter::once(&own).chain(&parts);
        let worst = all.fold(Worst::default(), |worst, one| worst.or(one.at(now, &names)));
        let scanned_at = match parts.is_empty() {
            true => own.scanned_at,
            // As old as the oldest; if one of them was never scanned, neither was the index.
            false => {
                parts.iter().map(|one| one.scanned_at).min_by_key(|at| at.map(UnixTime::millis)).flatten()
            }
        };
        let age = scanned_at.map(|at| (now.millis().saturating_sub(at.millis())).max(0) / DAY);
        Ok(Known { wanted, worst, age, signed })
    }
}

/// Those of these names that the image has: they stand for it, or for an index that it is part of.
async fn names_of(
    repository: &RepositoryName,
    image: &Resolved,
    names: Vec<&Reference>,
    upstream: &impl Upstream,
) -> Result<Vec<Reference>, Fault> {
    let mut own = Vec::new();
    for name in names.into_iter().take(NAMES_MAX) {
        let Some(found) = upstream.resolved(repository, name).await? else { continue };
        if found.digest == image.digest || found.children.contains(&image.digest) {
            own.push(name.clone());
        }
    }
    Ok(own)
}

impl Gate {
    /// What is known of an image that somebody has looked up, if it matters.
    pub(super) async fn known_if_seen(
        &self,
        resource: &Resource,
        seen: Option<&Seen>,
        reads: impl Fn(&Key) -> bool,
    ) -> Result<Option<Known>, Fault> {
        let (Some(region), Some(name)) = (&resource.region, &resource.repository) else { return Ok(None) };
        let (Some(seen), Some(wanted)) = (seen, Wanted::of(reads)) else { return Ok(None) };
        self.known((region, name), &seen.resolved, wanted, seen).await.map(Some)
    }
}

impl Judge<'_> {
    /// The verdict if only good were known of the image, and what is not, where it would be let through then.
    pub(super) fn but_for_findings(&self, ask: impl FnOnce(&Self) -> Verdict) -> Option<(Verdict, String)> {
        let complaint = self.facts.complaint()?;
        let verdict = ask(&Self { facts: self.facts.faultless()?, ..*self });
        verdict.is_allow().then_some((verdict, complaint))
    }
}

impl<'a> Facts<'a> {
    /// The same, if only good were known of the image; `None` if nothing is known of it anyway.
    pub(super) fn faultless(self) -> Option<Self> {
        self.known.map(|_| Facts { known: Some(Known::faultless()), ..self })
    }

    /// What may be wrong with the image that is read.
    pub(super) fn complaint(&self) -> Option<String> {
        self.known.map(Known::complaint)
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Wanted};
    use crate::findings::severity::Severity;
    use crate::findings::standing::Worst;

    fn known(severity: Option<Severity>, age: Option<i64>, signed: bool) -> Known {
        let examples = vec!["CVE-1".into(), "CVE-2".into()];
        let worst = Worst { severity, count: if severity.is_some() { 5 } else { 0 }, examples };
        Known { wanted: Wanted { severity: true, age: true, signed: true }, worst, age, signed }
    }

    #[test]
    fn what_nobody_has_scanned_has_no_severity_and_what_is_clean_has_none() {
        assert_eq!(known(None, None, true).severity(), None);
        assert_eq!(known(None, Some(3), true).severity(), Some("NONE"));
        assert_eq!(known(Some(Severity::High), None, true).severity(), Some("HIGH"), "in part of an index");
    }

    #[test]
    fn a_complaint_says_all_that_policies_may_mind() {
        let said = known(Some(Severity::Critical), Some(12), false).complaint();
        assert_eq!(
            said,
            "The image has 5 CRITICAL vulnerabilities (CVE-1, CVE-2 and 3 more), and was last scanned 12 days ago, and has no signature."
        );
        assert_eq!(known(None, None, true).complaint(), "The image has not been scanned.");
    }
}
