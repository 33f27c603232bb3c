//! Lists as AWS pages them: in the order of a key, from after the last key that the client saw.
//!
//! A marker is a key, not a place, so nothing is left out when a client deletes what it has read before it reads on.

/// How much of a list is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// The last key of the page before.
    pub after: Option<String>,
    /// The most items, at least 1.
    pub most: usize,
}

/// How many items a page has if the client does not say.
pub const DEFAULT: usize = 100;

/// How many items a page has at most.
pub const MOST: usize = 1_000;

impl Default for Page {
    fn default() -> Self {
        Self { after: None, most: DEFAULT }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paged<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` if there is none.
    pub next: Option<String>,
}

impl Page {
    /// Cuts the page out of the whole list; no two rows have the same key.
    #[must_use]
    pub fn cut<T>(&self, rows: Vec<T>, key: impl Fn(&T) -> String) -> Paged<T> {
        let mut keyed: Vec<(String, T)> = rows.into_iter().map(|row| (key(&row), row)).collect();
        keyed.retain(|(key, _)| self.after.as_ref().is_none_or(|after| key > after));
        keyed.sort_by(|one, other| one.0.cmp(&other.0));
        let more = keyed.len() > self.most;
        keyed.truncate(self.most);
        let next = if more { keyed.last().map(|(key, _)| key.clone()) } else { None };
        Paged { items: keyed.into_iter().map(|(_, row)| row).collect(), next }
    }
}

impl<T> Paged<T> {
    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn page(after: Option<&str>, most: usize, rows: &[&str]) -> (Vec<String>, Option<String>) {
        let page = Page { after: after.map(str::to_owned), most };
        let cut = page.cut(rows.to_vec(), |row| (*row).to_owned());
        (cut.items.into_iter().map(str::to_owned).collect(), cut.next)
    }

    #[test]
    fn pages_follow_each_other_without_gaps_or_repeats() {
        let rows = ["d", "a", "c", "b", "e"];
        assert_eq!(page(None, 2, &rows), (vec!["a".into(), "b".into()], Some("b".into())));
        assert_eq!(page(Some("b"), 2, &rows), (vec!["c".into(), "d".into()], Some("d".into())));
        assert_eq!(page(Some("d"), 2, &rows), (vec!["e".into()], None));
        assert_eq!(page(None, 5, &rows).1, None);
        assert_eq!(page(None, 5, &[]), (vec![], None));
    }

    #[test]
    fn what_is_deleted_while_a_list_is_read_hides_nothing() {
        assert_eq!(page(Some("b"), 2, &["c", "d", "e"]).0, ["c", "d"]);
    }
}
