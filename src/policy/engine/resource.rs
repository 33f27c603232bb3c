//! Which resources a statement speaks of.

use super::condition::segments;
use super::context::{Context, Key};
use super::glob::{Fit, Glob};
use crate::policy::aws::document::{ResourceClause, ResourcePattern};
use crate::policy::aws::pattern::SEGMENTS;
use crate::policy::aws::variable::{Part, Template};

/// The longest ARN that is asked about, in bytes.
pub const RESOURCE_MAX: usize = 2_048;

/// What is acted on: an ARN, or `*` for actions without a resource type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Resource<'a> {
    text: &'a str,
    segments: Option<[&'a str; SEGMENTS]>,
}

impl<'a> Resource<'a> {
    /// What actions without a resource type are asked on.
    pub const NOTHING: Resource<'static> = Resource { text: "*", segments: None };

    /// The resource of that ARN; `None` if it is longer than [`RESOURCE_MAX`]. A text that is no ARN is only matched by
    /// `*`.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        (text.len() <= RESOURCE_MAX).then(|| Self { text, segments: segments(text) })
    }

    /// As given.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

/// A statement's `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(super) enum Resources {
    Listed {
        negated: bool,
        patterns: Box<[Pattern]>,
    },
    /// The one that the document is attached to.
    Owner,
    /// None: an identity policy's statement without the element.
    Unnamed,
}

#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Arn(Box<[Glob; SEGMENTS]>),
    Everything,
    /// Too short for any ARN.
    Nothing,
}

impl Resources {
    pub(super) fn compile(clause: Option<&ResourceClause>, attached: bool) -> Self {
        match clause {
            Some(clause) => Self::Listed {
                negated: clause.negated,
                patterns: clause.patterns.iter().map(Pattern::compile).collect(),
            },
            None if attached => Self::Owner,
            None => Self::Unnamed,
        }
    }

    /// Whether the resource is one of them. One that a variable without a value excludes is not.
    pub(super) fn include(&self, resource: &Resource<'_>, context: &Context<'_>) -> bool {
        match self {
            Self::Listed { negated: false, patterns } => {
                patterns.iter().any(|pattern| pattern.fit(resource, context) == Fit::Yes)
            }
            Self::Listed { negated: true, patterns } => {
                patterns.iter().all(|pattern| pattern.fit(resource, context) == Fit::No)
            }
            Self::Owner => true,
            Self::Unnamed => false,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let patterns = match self {
            Self::Listed { patterns, .. } => &**patterns,
            Self::Owner | Self::Unnamed => &[],
        };
        patterns.iter().flat_map(Pattern::globs).flat_map(Glob::keys)
    }

    /// The text that every resource of the statement begins with.
    pub(super) fn literal_prefix(&self) -> String {
        let Self::Listed { negated: false, patterns } = self else { return String::new() };
        let common = |one: String, other: String| {
            let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
            same.map(|(character, _)| character).collect()
        };
        patterns.iter().map(Pattern::literal_prefix).reduce(common).unwrap_or_default()
    }
}

impl Pattern {
    pub(super) fn compile(pattern: &ResourcePattern) -> Self {
        match &pattern.arn {
            None => Self::Everything,
            Some(arn) => arn
                .segments()
                .map_or(Self::Nothing, |segments| Self::Arn(Box::new(segments.each_ref().map(Glob::of)))),
        }
    }

    fn fit(&self, resource: &Resource<'_>, context: &Context<'_>) -> Fit {
        match self {
            Self::Everything => Fit::Yes,
            Self::Nothing => Fit::No,
            Self::Arn(globs) if globs.iter().any(|glob| glob.is_unresolved(context)) => Fit::Unresolved,
            Self::Arn(globs) => {
                let all = |found: &[&str; SEGMENTS]| {
                    globs.iter().zip(found).all(|(glob, text)| glob.fit(text, context) == Fit::Yes)
                };
                Fit::from(resource.segments.as_ref().is_some_and(all))
            }
        }
    }

    fn globs(&self) -> &[Glob] {
        match self {
            Self::Arn(globs) => &**globs,
            Self::Everything | Self::Nothing => &[],
        }
    }

    fn literal_prefix(&self) -> String {
        let mut prefix = String::new();
        for (at, glob) in self.globs().iter().enumerate() {
            let (text, whole) = glob.literal_prefix();
            prefix.push_str(if at == 0 { "" } else { ":" });
            prefix.push_str(text);
            if !whole {
                break;
            }
        }
        prefix
    }
}

/// Whether everything that `small` matches is matched by `large`. It may say no although it is.
pub(crate) fn covers(large: &ResourcePattern, small: &ResourcePattern) -> bool {
    let (Some(large_arn), Some(small_arn)) = (&large.arn, &small.arn) else { return large.arn.is_none() };
    let (Some(wide), Some(narrow)) = (large_arn.segments(), small_arn.segments()) else { return false };
    wide == narrow || wide.iter().zip(narrow).all(|(wide, narrow)| segment_covers(wide, narrow))
}

fn segment_covers(wide: &Template, narrow: &Template) -> bool {
    let simple = wide.parts().iter().all(|part| matches!(part, Part::Any | Part::Literal(_)));
    // What the narrow pattern leaves open is a character that no pattern has: only a `*` can stand for it.
    let open = |part: &Part| match part {
        Part::Any | Part::One | Part::Variable(_) => "\0".to_owned(),
        Part::Literal(text) => text.to_string(),
    };
    let spelt: String = narrow.parts().iter().map(open).collect();
    wide == narrow || (simple && Glob::of(wide).fit(&spelt, &Context::default()) == Fit::Yes)
}
