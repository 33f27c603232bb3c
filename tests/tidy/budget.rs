//! How long files and functions may be. Only the program counts, not its tests.

use super::source::{Source, Violation, demand_none, production_files, tokens};

const FILE_MEDIAN: usize = 120;
const FILE_P90: usize = 350;
const FILE_MOST: usize = 600;
const FUNCTION_MEDIAN: usize = 10;
const FUNCTION_MOST: usize = 60;

/// A length of something, and where that is.
struct Length {
    place: String,
    lines: usize,
}

fn file_length(source: &Source) -> Length {
    let lines = source.text.lines().count() - source.test_lines;
    Length { place: format!("{}:1", source.path), lines }
}

/// All functions with a body, from the line of `fn` to that of the closing brace.
fn function_lengths(source: &Source) -> Vec<Length> {
    let words = tokens(&source.production);
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.text == "fn") {
        let mut depth = 0_usize;
        let is_pointer = words.get(at + 1).is_none_or(|next| next.text == "(");
        for next in words[at..].iter().take_while(|_| !is_pointer) {
            match next.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" => depth -= 1,
                "}" if depth == 1 => {
                    let place = format!("{}:{}", source.path, word.line);
                    found.push(Length { place, lines: next.line - word.line + 1 });
                    break;
                }
                "}" => depth -= 1,
                ";" if depth == 0 => break,
                _ => {}
            }
        }
    }
    found
}

/// The value below which that share of the lengths lies.
fn percentile(lengths: &[Length], share: usize) -> usize {
    let mut sorted: Vec<usize> = lengths.iter().map(|length| length.lines).collect();
    sorted.sort_unstable();
    let rank = (sorted.len() * share).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

fn too_long(lengths: &[Length], most: usize, advice: &str) -> Vec<Violation> {
    let long = lengths.iter().filter(|length| length.lines > most);
    let what = |lines| format!("{lines} lines, {most} at most: {advice}");
    long.map(|l| Violation { place: l.place.clone(), what: what(l.lines) }).collect()
}

fn too_long_on_the_whole(lengths: &[Length], share: usize, most: usize) -> Option<Violation> {
    let found = percentile(lengths, share);
    let longest =
        lengths.iter().filter(|length| length.lines > most).map(|l| format!("{} ({})", l.place, l.lines));
    let what = format!(
        "percentile {share} is {found} lines, {most} at most; split some of {}",
        longest.collect::<Vec<_>>().join(", ")
    );
    (found > most).then(|| Violation { place: "src".to_owned(), what })
}

#[test]
fn files_are_short() {
    let lengths: Vec<Length> = production_files().iter().map(file_length).collect();
    let mut found = too_long(&lengths, FILE_MOST, "split it by what it decides");
    found.extend(too_long_on_the_whole(&lengths, 90, FILE_P90));
    found.extend(too_long_on_the_whole(&lengths, 50, FILE_MEDIAN));
    demand_none(&found);
}

#[test]
fn functions_are_short() {
    let lengths: Vec<Length> = production_files().iter().flat_map(function_lengths).collect();
    let mut found = too_long(&lengths, FUNCTION_MOST, "give its steps names");
    found.extend(too_long_on_the_whole(&lengths, 50, FUNCTION_MEDIAN));
    demand_none(&found);
}

#[test]
fn these_checks_can_fail() {
    let body = "    x();\n".repeat(61);
    let text = format!(
        "trait T {{\n    fn none(&self) -> [u8; 3];\n}}\nfn short(f: fn(u8)) {{}}\nfn long() {{\n{body}}}\n#[cfg(test)]\nmod tests {{\n{body}}}\n"
    );
    let bad = Source::new("src/x.rs", &text);
    let lengths = function_lengths(&bad);
    assert_eq!(
        lengths.iter().map(|l| (l.place.as_str(), l.lines)).collect::<Vec<_>>(),
        [("src/x.rs:4", 1), ("src/x.rs:5", 63)]
    );
    assert_eq!(too_long(&lengths, FUNCTION_MOST, "").len(), 1);
    assert_eq!(file_length(&bad).lines, 67);
    assert!(too_long_on_the_whole(&[file_length(&bad)], 50, 66).is_some());
    assert!(too_long_on_the_whole(&[file_length(&bad)], 50, 67).is_none());
}

#[test]
fn percentiles_are_counted_from_the_shortest() {
    let lengths: Vec<Length> = (1..=10).map(|lines| Length { place: String::new(), lines }).collect();
    assert_eq!((percentile(&lengths, 50), percentile(&lengths, 90), percentile(&lengths, 100)), (5, 9, 10));
    assert_eq!(percentile(&[], 50), 0);
}
