//! Reads bytes as `scope` parameters and checks that what was understood is spelt so that it is understood again.

use portcullis::registry::scope::{ENTRIES_MAX, Scope};

/// `data` is one parameter per line.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let scope = Scope::parse(text.split('\n'));
    let entries = scope.clone().into_entries();
    assert!(entries.len() <= ENTRIES_MAX + 1);
    let words: Vec<_> = entries.iter().map(ToString::to_string).collect();
    assert_eq!(Scope::parse(words.iter().map(String::as_str)), scope, "{text:?}");
}
