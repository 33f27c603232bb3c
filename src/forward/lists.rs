//! Lists, walked page by page at the upstream and cut anew for the caller.
//!
//! What the caller may not see leaves no trace: not in the names, not in the size of a page, not in whether there is a
//! next one. It never decides what is visible.

use std::collections::BTreeSet;

use http::header::{self, HeaderMap};

use super::body::{Unread, read};
use super::outgoing::Outgoing;
use super::{Exchange, Failure, Forwarder, refused};
use crate::admit::fault::Fault;
use crate::registry::name::RepositoryName;
use crate::registry::operation::{Operation, Page};
use crate::registry::reference::Tag;

/// How many repositories a page has, if the caller does not say.
pub const CATALOG_DEFAULT: u32 = 100;
/// The largest page of repositories; a vanilla registry refuses to be asked for more.
const CATALOG_MAX: u32 = 1000;
/// The longest walk, in upstream pages.
const WALK_MAX: usize = 1000;
/// The longest list that is read, in bytes, over all of its pages.
const BYTES_MAX: usize = 16 << 20;

/// One page of the repositories that a caller may see.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CatalogPage {
    /// Their names, in the upstream's order.
    pub repositories: Vec<RepositoryName>,
    /// Whether there are more that the caller may see; the next page begins after the last name here.
    pub more: bool,
}

/// One page of tags.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagPage {
    /// The tags, in byte order.
    pub tags: Vec<Tag>,
    /// Whether there are more.
    pub more: bool,
}

#[derive(serde::Deserialize)]
struct CatalogBody {
    #[serde(default)]
    repositories: Option<Vec<String>>,
}

#[derive(serde::Deserialize)]
struct TagsBody {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Forwarder {
    /// The repositories after `page.last` that `visible` lets through, which is asked about one upstream page at a time: `page.limit` of them (100 if not given, at most
    /// 1000), fewer only at the end.
    ///
    /// # Errors
    /// [`Fault`] when the upstream or `visible` fails, or needs more than 1000 pages to fill this one.
    pub async fn catalog(
        &self,
        page: &Page,
        visible: impl AsyncFn(Vec<RepositoryName>) -> Result<Vec<RepositoryName>, Fault>,
    ) -> Result<CatalogPage, Fault> {
        let limit = page.limit.unwrap_or(CATALOG_DEFAULT).min(CATALOG_MAX);
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let mut last = page.last.clone();
        let mut ask = limit.saturating_add(1).clamp(CATALOG_DEFAULT, CATALOG_MAX);
        if limit == 0 {
            return Ok(CatalogPage { repositories: found, more: false });
        }
        for _ in 0..WALK_MAX {
            let operation = Operation::Catalog { page: Page { limit: Some(ask), last: last.clone() } };
            let Listed { body, more, .. } =
                self.list::<CatalogBody>(&operation, BYTES_MAX).await.map_err(fault)?;
            let names = body.repositories.unwrap_or_default();
            let end = names.last().cloned();
            let known = names.iter().filter_map(|name| RepositoryName::parse(name).ok());
            found.extend(visible(known.collect()).await?);
            // One more than wanted tells whether there is a next page, in what the caller may see.
            if found.len() > wanted || !more || end.is_none() {
                let more = found.len() > wanted;
                found.truncate(wanted);
                return Ok(CatalogPage { repositories: found, more });
            }
            if end == last {
                return Err(Fault::UpstreamBroken("its catalog does not advance".into()));
            }
            last = end;
            ask = CATALOG_MAX;
        }
        Err(Fault::UpstreamTimeout(format!(
            "its catalog has more than {WALK_MAX} pages without enough visible names"
        )))
    }

    /// The tags of `repository` after `page.last`: `page.limit` of them, or all. Sorted and cut here, since a vanilla
    /// registry 2.8 ignores both parameters and a later one does not.
    ///
    /// # Errors
    /// [`Failure`] when the repository does not exist, the upstream fails, or the list exceeds 16 MiB.
    pub async fn tags(&self, repository: &RepositoryName, page: &Page) -> Result<TagPage, Failure> {
        self.tags_shown(repository, page, |_| true).await
    }

    /// The same, of those that are `shown`: the others leave no trace in pages either.
    ///
    /// # Errors
    /// As [`Forwarder::tags`].
    pub async fn tags_shown(
        &self,
        repository: &RepositoryName,
        page: &Page,
        shown: impl Fn(&Tag) -> bool,
    ) -> Result<TagPage, Failure> {
        let wanted = page.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let after = page.last.clone().unwrap_or_default();
        let mut found = BTreeSet::new();
        let mut last = page.last.clone().filter(|last| !last.is_empty());
        let mut budget = BYTES_MAX;
        for _ in 0..WALK_MAX {
            let limit = page.limit.map(|limit| limit.saturating_add(1).clamp(CATALOG_DEFAULT, CATALOG_MAX));
            let operation = Operation::TagList {
                repository: repository.clone(),
                page: Page { limit, last: last.clone() },
            };
            let Listed { body, more, bytes } = self.list::<TagsBody>(&operation, budget).await?;
            budget = budget.saturating_sub(bytes);
            let tags = body.tags.unwrap_or_default();
            let end = tags.iter().max().cloned();
            let known = tags.iter().filter(|tag| **tag > after).filter_map(|tag| Tag::parse(tag).ok());
            found.extend(known.filter(&shown));
            if !more || end.is_none() || found.len() > wanted {
                let more = wanted > 0 && found.len() > wanted;
                return Ok(TagPage { tags: found.into_iter().take(wanted).collect(), more });
            }
            if end == last {
                return Err(Fault::UpstreamBroken("its list of tags does not advance".into()).into());
            }
            last = end;
        }
        Err(Fault::UpstreamTimeout(format!("its list of tags has more than {WALK_MAX} pages")).into())
    }

    /// Fetches one page, and whether the upstream says that there is another.
    async fn list<T: serde::de::DeserializeOwned>(
        &self,
        operation: &Operation,
        limit: usize,
    ) -> Result<Listed<T>, Failure> {
        let headers = HeaderMap::new();
        let answer = self.exchange(operation, &Exchange::ours(&headers), Outgoing::empty()).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(refused::failure(operation, answer).await);
        }
        let more = answer.headers().contains_key(header::LINK);
        let body = read(answer.into_body(), limit).await.map_err(|unread| match unread {
            Unread::Broken(fault) => fault,
            Unread::TooLong => Fault::UpstreamBroken(format!("a list of more than {BYTES_MAX} bytes")),
        })?;
        let parsed = serde_json::from_slice(&body);
        let parsed =
            parsed.map_err(|error| Fault::UpstreamBroken(format!("a list that does not parse: {error}")))?;
        Ok(Listed { body: parsed, more, bytes: body.len() })
    }
}

/// One page of the upstream's list.
struct Listed<T> {
    body: T,
    /// Whether the upstream says that there is another page.
    more: bool,
    /// How long the page was.
    bytes: usize,
}

/// A catalog that the upstream refuses to show is a fault: the caller asked for nothing that could be wrong.
fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Fault(fault) => fault,
        Failure::Limited { .. } | Failure::Oci(_) => Fault::UpstreamBroken(format!("catalog: {failure}")),
    }
}
