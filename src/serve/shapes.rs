//! What manifests are, by digest: it never changes, so it is remembered.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::ids::region::Region;
use crate::registry::name::RepositoryName;
use crate::registry::reference::Digest;
use crate::registry::shape::Shape;

/// How many manifests are remembered.
const SHAPES: usize = 4_096;

/// How many children of indexes are remembered, and how many indexes of each.
const CHILDREN: usize = 65_536;
const PARENTS_MAX: usize = 8;

/// What is remembered.
#[derive(Debug)]
pub struct Shapes {
    known: Cache<u64, Arc<Shape>>,
    parents: Cache<u64, Arc<[Digest]>>,
    hasher: RandomState,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { known: Cache::new(SHAPES), parents: Cache::new(CHILDREN), hasher: RandomState::new() }
    }
}

impl Shapes {
    /// What a manifest of the repository is, if that is known. That another repository has it tells nobody anything.
    #[must_use]
    pub fn of(&self, place: (&Region, &RepositoryName), digest: &Digest) -> Option<Arc<Shape>> {
        self.known.get(&self.key(place, digest))
    }

    /// Remembers what a manifest of the repository is.
    pub fn learn(&self, place: (&Region, &RepositoryName), digest: &Digest, shape: Arc<Shape>) {
        for child in &shape.children {
            let key = self.key(place, child);
            let mut parents: Vec<Digest> =
                self.parents.get(&key).map(|list| list.to_vec()).unwrap_or_default();
            if !parents.contains(digest) {
                parents.insert(0, digest.clone());
                parents.truncate(PARENTS_MAX);
                self.parents.insert(key, parents.into());
            }
        }
        if shape.is_small() {
            self.known.insert(self.key(place, digest), shape);
        }
    }

    /// The indexes of the repository that the image is known to be part of.
    #[must_use]
    pub fn parents(&self, place: (&Region, &RepositoryName), child: &Digest) -> Arc<[Digest]> {
        self.parents.get(&self.key(place, child)).unwrap_or_default()
    }

    fn key(&self, (region, name): (&Region, &RepositoryName), child: &Digest) -> u64 {
        self.hasher.hash_one((region, name, child))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Shapes;
    use crate::registry::reference::Digest;
    use crate::registry::shape::Shape;

    #[test]
    fn a_child_has_parents_in_its_own_repository_only() {
        let digest = |n: u8| Digest::parse(&format!("sha256:{n:064x}")).unwrap();
        let (region, here, there) =
            ("us-south".parse().unwrap(), "a/b".parse().unwrap(), "a/c".parse().unwrap());
        let index = format!(r#"{{"manifests":[{{"digest":"{}"}}]}}"#, digest(1));
        let shapes = Shapes::default();
        shapes.learn((&region, &here), &digest(9), Arc::new(Shape::read(index.as_bytes()).unwrap()));
        shapes.learn((&region, &here), &digest(9), Arc::new(Shape::read(index.as_bytes()).unwrap()));
        assert_eq!(*shapes.parents((&region, &here), &digest(1)), [digest(9)]);
        assert!(shapes.parents((&region, &there), &digest(1)).is_empty());
        assert!(shapes.of((&region, &here), &digest(9)).is_some());
        assert!(shapes.of((&region, &here), &digest(1)).is_none());
        assert!(shapes.of((&region, &there), &digest(9)).is_none(), "another repository's");
    }

    #[test]
    fn what_is_larger_than_any_image_is_not_remembered() {
        let digest = |n: u8| Digest::parse(&format!("sha256:{n:064x}")).unwrap();
        let (region, here) = ("us-south".parse().unwrap(), "a/b".parse().unwrap());
        let long = format!(r#"{{"artifactType":"{}"}}"#, "x".repeat(5_000));
        let layer = format!(r#"{{"mediaType":"a/b","digest":"{}","size":1}}"#, digest(2));
        let many = format!(r#"{{"layers":[{}]}}"#, vec![layer; 600].join(","));
        let shapes = Shapes::default();
        for (number, text) in [long, many].iter().enumerate() {
            let digest = digest(u8::try_from(number).unwrap());
            shapes.learn((&region, &here), &digest, Arc::new(Shape::read(text.as_bytes()).unwrap()));
            assert!(shapes.of((&region, &here), &digest).is_none(), "{number}");
        }
    }
}
