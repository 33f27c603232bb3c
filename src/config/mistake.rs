//! What is wrong with a configuration, where, and what to do about it.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value was written.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// In the file as a whole: for what is missing.
    Whole,
    /// In the file, counted from 1.
    File {
        /// The line.
        line: usize,
        /// The character in the line.
        column: usize,
    },
    /// In the environment variable of this name.
    Environment(String),
}

/// A key and where it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The key from the top, for example `registry[0].upstream`.
    pub(super) key: String,
    pub(super) origin: Origin,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Where it was written.
    pub origin: Origin,
    /// The key from the top, for example `registry[0].upstream`; empty for a mistake of syntax.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistakes {
    /// The file.
    pub file: PathBuf,
    /// At least one mistake, in the order of the file.
    pub list: Vec<Mistake>,
}

impl Mistakes {
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot be read: {error}; name the file with --config FILE");
        let mistake = Mistake { origin: Origin::Whole, key: String::new(), message };
        Self { file: file.to_owned(), list: vec![mistake] }
    }

    /// One sentence for each mistake, with its place.
    pub fn sentences(&self) -> impl Iterator<Item = String> + '_ {
        self.list.iter().map(|mistake| sentence(mistake, &self.file))
    }

    /// Whether there is nothing wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.list.len() == 1 { "mistake" } else { "mistakes" };
        write!(f, "{} {many} in the configuration:", self.list.len())?;
        self.sentences().try_for_each(|sentence| write!(f, "\n  {sentence}"))
    }
}

fn sentence(mistake: &Mistake, file: &Path) -> String {
    let file = file.display();
    let key = if mistake.key.is_empty() { String::new() } else { format!("{}: ", mistake.key) };
    match &mistake.origin {
        Origin::Whole => format!("{file}: {key}{}", mistake.message),
        Origin::File { line, column } => format!("{file}:{line}:{column}: {key}{}", mistake.message),
        Origin::Environment(name) => format!("environment variable {name}: {key}{}", mistake.message),
    }
}

/// Collects mistakes and warnings while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
}

impl Notes {
    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many mistakes were noted so far.
    pub(super) fn count(&self) -> usize {
        self.mistakes.borrow().len()
    }

    /// Notes what is wrong at `place`.
    pub(super) fn mistake(&self, place: &Place, message: impl Into<String>) {
        self.mistakes.borrow_mut().push(note(place, message.into()));
    }

    /// Notes what works but is probably not meant.
    pub(super) fn warning(&self, place: &Place, message: impl Into<String>) {
        self.warnings.borrow_mut().push(note(place, message.into()));
    }

    pub(super) fn into_parts(self, file: &Path) -> (Mistakes, Vec<String>) {
        let mut list = self.mistakes.into_inner();
        list.sort_by(|a, b| a.origin.cmp(&b.origin));
        let warnings = self.warnings.into_inner().iter().map(|warning| sentence(warning, file)).collect();
        (Mistakes { file: file.to_owned(), list }, warnings)
    }
}

fn note(place: &Place, message: String) -> Mistake {
    Mistake { origin: place.origin.clone(), key: place.key.clone(), message }
}
