//! Lists that are filtered or sorted before they are cut into windows.

use std::future::Future;

use super::problem::Problem;
use crate::store::StoreError;
use crate::store::identity::{Listed, Window};

/// How many rows are read at once.
const STEP: u32 = 500;

/// Reads a whole list.
///
/// # Errors
/// What the store says.
pub(super) async fn every<T, F, R>(fetch: F) -> Result<Vec<T>, Problem>
where
    F: Fn(Window) -> R + Send,
    R: Future<Output = Result<Listed<T>, StoreError>> + Send,
{
    Ok(rows(fetch).await?)
}

/// The same, for those who have their own words for what the store says.
///
/// # Errors
/// What the store says.
pub(super) async fn rows<T, F, R>(fetch: F) -> Result<Vec<T>, StoreError>
where
    F: Fn(Window) -> R + Send,
    R: Future<Output = Result<Listed<T>, StoreError>> + Send,
{
    read_as(fetch, |row| row).await
}

/// The same, of which each row becomes something else as soon as it is read: a long list is never in memory as it is stored.
///
/// # Errors
/// What the store says.
pub(super) async fn read_as<T, U, F, R>(fetch: F, turn: impl Fn(T) -> U) -> Result<Vec<U>, StoreError>
where
    F: Fn(Window) -> R + Send,
    R: Future<Output = Result<Listed<T>, StoreError>> + Send,
{
    let mut rows = Vec::new();
    loop {
        let offset = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let listed = fetch(Window { offset, limit: STEP }).await?;
        let came = listed.rows.len();
        rows.extend(listed.rows.into_iter().map(&turn));
        if came == 0 || rows.len() >= usize::try_from(listed.total).unwrap_or(usize::MAX) {
            return Ok(rows);
        }
    }
}

/// How many rows to read for a page of so many, and then how many if most of them are passed over: few for a page of which
/// all are shown, few times for one of which hardly any are.
fn steps(limit: u32) -> impl Iterator<Item = u32> {
    let first = limit.saturating_add(1).min(STEP);
    std::iter::successors(Some(first), |step| Some(step.saturating_mul(2).min(STEP)))
}

/// A page of what a caller may see of a list. It is read from where the one before has ended, so that no page costs more
/// than what it shows and passes over.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the page before begins, if this is not the first.
    pub previous: Option<u32>,
    /// Where the next page begins, if there is more.
    pub next: Option<u32>,
}

/// Reads a page from the row at `window.offset` on, of those that are to be kept.
///
/// # Errors
/// What the store says.
pub(super) async fn page<T, F, R>(
    fetch: F,
    keep: impl Fn(&T) -> bool,
    window: Window,
) -> Result<Page<T>, Problem>
where
    F: Fn(Window) -> R + Send,
    R: Future<Output = Result<Listed<T>, StoreError>> + Send,
{
    let wanted = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let previous = before(&fetch, &keep, window).await?;
    let (mut rows, mut at) = (Vec::new(), window.offset);
    let mut steps = steps(window.limit);
    loop {
        let listed = fetch(Window { offset: at, limit: steps.next().unwrap_or(STEP) }).await?;
        if listed.rows.is_empty() {
            return Ok(Page { rows, previous, next: None });
        }
        for row in listed.rows {
            if keep(&row) {
                if rows.len() == wanted {
                    return Ok(Page { rows, previous, next: Some(at) });
                }
                rows.push(row);
            }
            at = at.saturating_add(1);
        }
        if at >= listed.total {
            return Ok(Page { rows, previous, next: None });
        }
    }
}

/// Where the page before begins: as many rows back that are kept as a page has.
async fn before<T, F, R>(
    fetch: &F,
    keep: &impl Fn(&T) -> bool,
    window: Window,
) -> Result<Option<u32>, Problem>
where
    F: Fn(Window) -> R + Send,
    R: Future<Output = Result<Listed<T>, StoreError>> + Send,
{
    let (mut end, mut left) = (window.offset, window.limit);
    let mut steps = steps(window.limit.saturating_sub(1));
    while end > 0 && left > 0 {
        let start = end.saturating_sub(steps.next().unwrap_or(STEP));
        let listed = fetch(Window { offset: start, limit: end - start }).await?;
        for (at, row) in (start..end).zip(listed.rows).rev() {
            if keep(&row) {
                left = left.saturating_sub(1);
            }
            if left == 0 {
                return Ok(Some(at));
            }
        }
        end = start;
    }
    Ok((window.offset > 0).then_some(0))
}

/// Cuts a page out of a list in memory.
#[must_use]
pub(super) fn page_of<T>(rows: Vec<T>, window: Window) -> Page<T> {
    let listed = cut(rows, window);
    let end = window.offset.saturating_add(u32::try_from(listed.rows.len()).unwrap_or(u32::MAX));
    Page {
        previous: (window.offset > 0).then(|| window.offset.saturating_sub(window.limit)),
        next: (end < listed.total && !listed.rows.is_empty()).then_some(end),
        rows: listed.rows,
    }
}

/// Cuts a window out of a list in memory.
#[must_use]
pub(super) fn cut<T>(rows: Vec<T>, window: Window) -> Listed<T> {
    let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let whole = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Listed { rows: rows.into_iter().skip(whole(window.offset)).take(whole(window.limit)).collect(), total }
}

/// Which of a list of identities are shown, in what order, and which part of that.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Only those of this name.
    pub name: Option<&'a str>,
    /// Only those that this keeps.
    pub refine: Option<&'a Refine>,
    /// The order; oldest first unless given.
    pub sorted: Option<Order>,
    /// The part.
    pub window: Window,
}

impl Choice<'_> {
    /// Of all: `fetch` knows the name.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn of_all<T, F, R>(&self, fetch: F) -> Result<Listed<T>, Problem>
    where
        T: Sortable,
        F: Fn(Window) -> R + Send,
        R: Future<Output = Result<Listed<T>, StoreError>> + Send,
    {
        if self.sorted.is_none() && self.refine.is_none() {
            return Ok(fetch(self.window).await?);
        }
        let mut rows = every(fetch).await?;
        rows.retain(|row| self.refine.is_none_or(|refine| refine.keeps(row)));
        if let Some(sorted) = self.sorted {
            order(&mut rows, sorted);
        }
        Ok(cut(rows, self.window))
    }

    /// Of the only one that somebody sees; `same` compares names.
    pub(super) fn of_own<T: Sortable>(&self, own: Option<T>, same: fn(&str, &str) -> bool) -> Listed<T> {
        let named = |row: &T| self.name.is_none_or(|name| same(row.facets().0, name));
        let kept = |row: &T| self.refine.is_none_or(|refine| refine.keeps(row));
        cut(own.into_iter().filter(named).filter(kept).collect(), self.window)
    }
}

/// By what a list is ordered; by creation time, oldest first, unless asked otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Order {
    /// The field.
    pub by: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A field that identities and keys can be ordered by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SortKey {
    /// When it was made.
    CreatedAt,
    /// Its description.
    Description,
    /// When it was last changed.
    ModifiedAt,
    /// Its name.
    Name,
}

/// What a list is searched for, and how it is ordered.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Text that one of the fields has in it, in any case.
    pub text: Option<String>,
    /// The order; oldest first unless given.
    pub order: Option<Order>,
}

impl Search {
    /// Whether one of these texts is what is searched for.
    #[must_use]
    pub fn finds(&self, texts: &[&str]) -> bool {
        let Some(wanted) = &self.text else { return true };
        let wanted = wanted.to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    }
}

/// What is kept of a list of identities or keys: those of which one field is such.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refine {
    /// Whether the description is looked at, and not the name.
    pub description: bool,
    /// How it is compared.
    pub like: Like,
    /// With what, in any case.
    pub text: String,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Like {
    /// It has the text in it.
    Contains,
    /// It is the text.
    Equals,
    /// It begins with the text.
    StartsWith,
}

impl Refine {
    /// Reads `name co "text"`: `name` or `description`; `eq`, `co` or `sw`.
    ///
    /// # Errors
    /// [`Problem::Invalid`] for anything else: a filter that is not understood must not show more.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let wrong = || {
            let rule = "write `name` or `description`, then `eq`, `co` or `sw`, then a text in double quotes";
            Problem::Invalid(format!("`filter` is not understood: {rule}"))
        };
        let mut parts = text.trim().splitn(3, ' ');
        let description = match parts.next() {
            Some("name") => false,
            Some("description") => true,
            _ => return Err(wrong()),
        };
        let like = match parts.next() {
            Some("co") => Like::Contains,
            Some("eq") => Like::Equals,
            Some("sw") => Like::StartsWith,
            _ => return Err(wrong()),
        };
        let quoted = parts.next().and_then(|rest| rest.trim().strip_prefix('"')?.strip_suffix('"'));
        let text = quoted.filter(|text| !text.contains(['"', '\\'])).ok_or_else(wrong)?.to_lowercase();
        Ok(Self { description, like, text })
    }

    pub(super) fn keeps(&self, row: &impl Sortable) -> bool {
        let (name, description, _) = row.facets();
        let field = if self.description { description } else { name }.to_lowercase();
        match self.like {
            Like::Contains => field.contains(&self.text),
            Like::Equals => field == self.text,
            Like::StartsWith => field.starts_with(&self.text),
        }
    }
}

/// What [`SortKey`] looks at.
pub(super) trait Sortable {
    /// Name, description and stamp.
    fn facets(&self) -> (&str, &str, crate::store::identity::Stamp);
}

/// Orders `rows`; rows that are equal stay oldest first.
pub(super) fn order<T: Sortable>(rows: &mut [T], order: Order) {
    rows.sort_by(|left, right| {
        let ((a_name, a_text, a), (b_name, b_text, b)) = (left.facets(), right.facets());
        let found = match order.by {
            SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
            SortKey::Description => a_text.cmp(b_text),
            SortKey::ModifiedAt => a.modified_at.cmp(&b.modified_at),
            SortKey::Name => a_name.cmp(b_name),
        };
        if order.descending { found.reverse() } else { found }
    });
}
