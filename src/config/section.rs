//! Reads a table key by key: each key is asked for by name and type, and what nobody asked for is a mistake.
//!
//! Reading never stops at a mistake: a wrong value is noted and reads as absent.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::amount::{duration_text, parse_duration};
use super::mistake::{Notes, Origin, Place};
use super::raw::{Entry, Node, Value};

/// One table that is being read.
pub(super) struct Section<'n> {
    entries: Vec<Entry>,
    asked: Vec<&'static str>,
    /// The key of the table, and where it stands.
    place: Place,
    pub(super) notes: &'n Notes,
}

/// A value with its place, for mistakes that only show when it is compared with others.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<'n> Section<'n> {
    /// The whole configuration.
    pub(super) fn top(entries: Vec<Entry>, notes: &'n Notes) -> Self {
        let place = Place { key: String::new(), origin: Origin::Whole };
        Self { entries, asked: Vec::new(), place, notes }
    }

    fn of(node: Node, key: String, notes: &'n Notes) -> Self {
        let place = Place { key, origin: node.origin };
        let entries = match node.value {
            Value::Table(entries) => entries,
            other => {
                notes.mistake(&place, format!("must be a table, not {}", other.kind()));
                Vec::new()
            }
        };
        Self { entries, asked: Vec::new(), place, notes }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Where the table stands.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where `key` stands or, if it is absent, where it would.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let found = self.entries.iter().find(|entry| entry.key == key);
        let origin = found.map_or_else(|| self.place.origin.clone(), |entry| entry.origin.clone());
        Place { key: self.key(key), origin }
    }

    fn key(&self, key: &str) -> String {
        if self.place.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place.key) }
    }

    fn take(&mut self, key: &'static str) -> Option<Placed<Node>> {
        self.asked.push(key);
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        let entry = self.entries.remove(at);
        let place = Place { key: self.key(key), origin: entry.node.origin.clone() };
        Some(Placed { value: entry.node, place })
    }

    /// Like the reading of an optional key, but its absence is a mistake, for which `advice` says what to write.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        advice: &str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let (place, present) = (self.place_of(key), self.entries.iter().any(|entry| entry.key == key));
        let value = read(self, key);
        if !present {
            self.notes.mistake(&place, format!("is missing; {advice}"));
        }
        value
    }

    /// A text that `parse` understands.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Placed { value: node, place } = self.take(key)?;
        let result = match node.value {
            Value::Text(text) => parse(&text).map_err(|error| error.to_string()),
            other => Err(format!("must be a text in quotes, not {}", other.kind())),
        };
        result.map_err(|message| self.notes.mistake(&place, message)).ok()
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.parsed(key, |text| if text.is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) })
    }

    /// A file, with its place.
    pub(super) fn path(&mut self, key: &'static str) -> Option<Placed<PathBuf>> {
        let place = self.place_of(key);
        self.text(key).map(|text| Placed { value: PathBuf::from(text), place })
    }

    /// One of a closed set of words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        self.parsed(key, |text| choose(text, words))
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let Placed { value: node, place } = self.take(key)?;
        match (node.value, &node.origin) {
            (Value::Boolean(value), _) => return Some(value),
            (Value::Text(text), Origin::Environment(_)) if text == "true" || text == "false" => {
                return Some(text == "true");
            }
            (other, _) => self.notes.mistake(&place, format!("must be true or false, not {}", other.kind())),
        }
        None
    }

    /// A whole number.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let Placed { value: node, place } = self.take(key)?;
        let number = match node.value {
            Value::Integer(number) => u64::try_from(number).map_err(|_| "must not be negative".to_owned()),
            Value::Text(text) => text.parse().map_err(|_| format!("`{text}` is no whole number")),
            other => Err(format!("must be a number, not {}", other.kind())),
        };
        let fits = |number: u64| {
            let outside = || format!("must be between {} and {}", range.start(), range.end());
            if range.contains(&number) { Ok(number) } else { Err(outside()) }
        };
        number.and_then(fits).map_err(|message| self.notes.mistake(&place, message)).ok()
    }

    /// A duration.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.parsed(key, |text| {
            let duration = parse_duration(text)?;
            let (least, most) = (duration_text(*range.start()), duration_text(*range.end()));
            let outside = || format!("must be between {least} and {most}");
            if range.contains(&duration) { Ok(duration) } else { Err(outside()) }
        })
    }

    /// A list of texts that `parse` understands, each with its place. In a variable, commas may separate them.
    pub(super) fn list<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<Placed<T>>> {
        let Placed { value: node, place } = self.take(key)?;
        let notes = self.notes;
        let one = |(index, node): (usize, Node)| {
            let place = Place { key: format!("{}[{index}]", place.key), origin: node.origin };
            let result = match node.value {
                Value::Text(text) => parse(&text).map_err(|error| error.to_string()),
                other => Err(format!("must be a text in quotes, not {}", other.kind())),
            };
            result.map_err(|message| notes.mistake(&place, message)).ok().map(|value| Placed { value, place })
        };
        match (node.value, node.origin) {
            (Value::List(list), _) => Some(list.into_iter().enumerate().filter_map(one).collect()),
            (Value::Text(text), origin @ Origin::Environment(_)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let node = |item: &str| Node { value: Value::Text(item.to_owned()), origin: origin.clone() };
                Some(items.map(node).enumerate().filter_map(one).collect())
            }
            (other, _) => {
                notes.mistake(&place, format!("must be a list in brackets, not {}", other.kind()));
                None
            }
        }
    }

    /// A table; an empty one if the key is absent.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'n> {
        let absent = self.place_of(key);
        match self.take(key) {
            Some(Placed { value, place }) => Section::of(value, place.key, self.notes),
            None => Section { entries: Vec::new(), asked: Vec::new(), place: absent, notes: self.notes },
        }
    }

    /// A list of tables, or a single table.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'n>> {
        let Some(Placed { value: node, place }) = self.take(key) else { return Vec::new() };
        let notes = self.notes;
        match node.value {
            Value::List(list) => list
                .into_iter()
                .enumerate()
                .map(|(index, node)| Section::of(node, format!("{}[{index}]", place.key), notes))
                .collect(),
            single => vec![Section::of(Node { value: single, origin: node.origin }, place.key, notes)],
        }
    }

    /// Ends the reading: every key that nobody asked for is a mistake.
    pub(super) fn end(self) {
        for entry in &self.entries {
            let place = Place { key: self.key(&entry.key), origin: entry.origin.clone() };
            self.notes
                .mistake(&place, format!("is not a known key; {}", suggestion(&entry.key, &self.asked)));
        }
    }
}

/// Finds `text` among `words`.
pub(super) fn choose<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, String> {
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("`{text}` is not one of {}", all.join(", ")))
}

fn suggestion(key: &str, known: &[&str]) -> String {
    let steps = |known: &str| if known.starts_with(key) { 0 } else { distance(key, known) };
    match known.iter().map(|known| (steps(known), known)).min() {
        Some((steps, known)) if steps <= key.len().max(3) / 3 => format!("did you mean `{known}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// How many characters must be added, dropped or replaced to turn one text into the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (at, a) in from.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((b, &diagonal), &above) in to.chars().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
