//! Where a text has a run of characters, some of which may be any: one pass, however the two are made.
//!
//! All beginnings of the run that the text read so far ends in are kept as bits and moved on together (Shift-And), so each
//! character of the text costs one step for every 64 of the run. Nothing is allocated.

/// As much of a run as is looked for in one pass: all of it, for any text that is asked about.
const RUN_MAX: usize = 2_048;

/// What characters are told apart by: Latin-1 by themselves, all others by their last seven bits.
const SLOTS: usize = 256;

/// What `fits` says of the first place where it says anything, of those that may be a place of the run. It is asked of
/// places that are none only for runs with characters beyond Latin-1, and for longer ones than any that are asked about.
pub(super) fn first<I, T>(run: impl Fn() -> I, text: &str, fits: impl Fn(usize) -> Option<T>) -> Option<T>
where
    I: Iterator<Item = Option<char>>,
{
    // One more than the text can have is already too many.
    match run().take(text.len() + 1).count() {
        0 => fits(0),
        length if length > text.len() => None,
        length @ 1..=64 => pass::<1, T>(run(), length, text, fits).0,
        length @ 65..=512 => pass::<8, T>(run(), length, text, fits).0,
        length => pass::<{ RUN_MAX / 64 }, T>(run(), length.min(RUN_MAX), text, fits).0,
    }
}

/// The same for runs of at most 64 characters for each of the words; and how often a character met a word.
fn pass<const WORDS: usize, T>(
    run: impl Iterator<Item = Option<char>>,
    length: usize,
    text: &str,
    fits: impl Fn(usize) -> Option<T>,
) -> (Option<T>, usize) {
    let (used, last) = (length.div_ceil(64), 1_u64 << ((length - 1) % 64));
    let (mut wanted, mut anything) = ([[0_u64; WORDS]; SLOTS], [0_u64; WORDS]);
    for (place, character) in run.take(length).enumerate() {
        let words = match character {
            Some(character) => wanted.get_mut(slot(character)),
            None => Some(&mut anything),
        };
        words
            .and_then(|words| words.get_mut(place / 64))
            .into_iter()
            .for_each(|word| *word |= 1 << (place % 64));
    }
    let (mut begun, mut steps) = ([0_u64; WORDS], 0);
    for (at, character) in text.char_indices() {
        let Some(wanted) = wanted.get(slot(character)) else { break };
        let mut carry = 1;
        for ((word, wanted), any) in begun.iter_mut().zip(wanted).zip(&anything).take(used) {
            let moved = *word << 1 | carry;
            carry = *word >> 63;
            *word = moved & (wanted | any);
            steps += 1;
        }
        let complete = begun.get(used - 1).is_some_and(|word| word & last != 0);
        let read = text.get(..at + character.len_utf8()).filter(|_| complete);
        let begin = read.and_then(|read| read.char_indices().nth_back(length - 1));
        if let Some(found) = begin.and_then(|(begin, _)| fits(begin)) {
            return (Some(found), steps);
        }
    }
    (None, steps)
}

const fn slot(character: char) -> usize {
    let code = character as usize;
    if code < SLOTS { code } else { SLOTS / 2 + code % (SLOTS / 2) }
}

#[cfg(test)]
mod tests {
    use super::{first, pass};

    /// A run in which `?` may be any.
    fn run(text: &str) -> impl Iterator<Item = Option<char>> {
        text.chars().map(|character| (character != '?').then_some(character))
    }

    /// The first place by trying all of them.
    fn slowly(wanted: &str, text: &str) -> Option<usize> {
        let fits = |at: usize| {
            let mut found = text.split_at(at).1.chars();
            run(wanted).all(|wanted| found.next().is_some_and(|found| wanted.is_none_or(|one| one == found)))
        };
        let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        places.find(|at| fits(*at))
    }

    #[test]
    fn the_first_place_is_found_wherever_it_is() {
        let long = format!("{}b{}", "a".repeat(600), "\u{e9}c".repeat(100));
        for text in ["", "a", "ab", "aab", "\u{e9}\u{142}b", "xxaxab", long.as_str()] {
            let runs = ["", "?", "a", "a?", "??", "?b", "a?b", "\u{e9}?", "\u{142}b", "\u{c2}b", "x?x?b"];
            let longer = [64, 65, 128, 513].map(|length| format!("{}?", "a".repeat(length)));
            for wanted in runs.into_iter().chain(longer.iter().map(String::as_str)) {
                let fits =
                    |at: usize| slowly(wanted, text.split_at(at).1).filter(|found| *found == 0).map(|_| at);
                assert_eq!(first(|| run(wanted), text, fits), slowly(wanted, text), "{wanted} {text}");
            }
        }
    }

    /// What takes chunk × text steps one by one, here 1,000,000.
    #[test]
    fn the_worst_text_for_the_worst_run_takes_one_step_for_64_of_the_run() {
        let (wanted, text) = (format!("{}b", "a?".repeat(500)), "a".repeat(2_048));
        let (found, steps) = pass::<16, usize>(run(&wanted), 1_001, &text, Some);
        assert_eq!((found, steps), (None, 2_048 * 16));
        let (found, steps) = pass::<32, usize>(run(&"a?".repeat(1_024)), 2_048, &text, Some);
        assert_eq!((found, steps), (Some(0), 2_048 * 32));
    }
}
