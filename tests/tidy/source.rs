//! Reading Rust files as text: what is code, what is comment, what is there only for tests, and what the words are.
//!
//! It is a lexer, not a parser: it knows strings, characters, comments and braces, which is all that the checks need.

use std::fs;
use std::path::Path;

/// One thing that is wrong, and what to do about it.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) place: String,
    pub(super) what: String,
}

/// Stops the test with the whole list, unless it is empty.
pub(super) fn demand_none(violations: &[Violation]) {
    let list: Vec<String> = violations.iter().map(|v| format!("  {}: {}", v.place, v.what)).collect();
    assert!(list.is_empty(), "{} to put right:\n{}", list.len(), list.join("\n"));
}

/// One Rust file. All texts have the same lines as the file.
pub(super) struct Source {
    /// Path below the root of the project, with `/`.
    pub(super) path: String,
    /// As written.
    pub(super) text: String,
    /// Without comments and without the insides of string and character literals.
    pub(super) code: String,
    /// Only the insides of comments.
    pub(super) comments: String,
    /// `code` without the items that `cfg(test)` guards.
    pub(super) production: String,
    /// How many lines belong to those items.
    pub(super) test_lines: usize,
}

/// A word or sign of the code, with its line counted from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, comments) = separate(text);
        let (production, test_lines) = without_tests(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, comments, production, test_lines }
    }

    /// The place of a line, as terminals and editors read it.
    pub(super) fn at(&self, line: usize, what: impl Into<String>) -> Violation {
        Violation { place: format!("{}:{line}", self.path), what: what.into() }
    }

    /// The top-level module that the file belongs to: `src/store/sqlite/group.rs` is of `store`.
    pub(super) fn module(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inner.split('/').next().unwrap_or(inner);
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How deep the file's module lies: `src/clock.rs` and `src/ids/mod.rs` 1, `src/ids/host.rs` 2.
    pub(super) fn depth(&self) -> usize {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let names = inner.split('/').count();
        let is_root = matches!(inner, "lib.rs" | "main.rs");
        if is_root {
            0
        } else if inner.ends_with("/mod.rs") {
            names - 1
        } else {
            names
        }
    }
}

/// All Rust files below a folder of the project that are there, in order of their paths.
pub(super) fn rust_files(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, &root.join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The files of `src` that are part of the program: those that only `cfg(test)` declares are left out.
pub(super) fn production_files() -> Vec<Source> {
    let all = rust_files("src");
    let tests: Vec<String> = all.iter().flat_map(test_modules).collect();
    let is_test =
        |path: &str| tests.iter().any(|t| path == format!("{t}.rs") || path.starts_with(&format!("{t}/")));
    all.into_iter().filter(|source| !is_test(&source.path)).collect()
}

/// Paths, without ending, of the modules that a file declares for tests only (`#[cfg(test)] mod tests;`).
pub(super) fn test_modules(source: &Source) -> Vec<String> {
    let stem = source.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => folder,
        _ => stem,
    };
    let declared = |code: &str| -> Vec<String> {
        let words = tokens(code);
        words
            .windows(3)
            .filter(|w| w[0].text == "mod" && w[2].text == ";")
            .map(|w| w[1].text.clone())
            .collect()
    };
    let kept = declared(&source.production);
    let all = declared(&source.code);
    all.into_iter().filter(|name| !kept.contains(name)).map(|name| format!("{folder}/{name}")).collect()
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Splits a text into code and comments, each with blanks where the other was.
fn separate(text: &str) -> (String, String) {
    let input: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut at = 0;
    while at < input.len() {
        let end = span_end(&input, at);
        let kind = kind_at(&input, at);
        for (offset, &letter) in input[at..end].iter().enumerate() {
            let blank = if letter == '\n' { '\n' } else { ' ' };
            let edge = offset == 0 || at + offset + 1 == end;
            let (to_code, to_comments) = match kind {
                Kind::Code => (letter, blank),
                Kind::Comment => (blank, letter),
                Kind::Literal => (if edge { '"' } else { blank }, blank),
            };
            code.push(to_code);
            comments.push(to_comments);
        }
        at = end;
    }
    (code, comments)
}

#[derive(Clone, Copy)]
enum Kind {
    Code,
    Comment,
    Literal,
}

fn kind_at(input: &[char], at: usize) -> Kind {
    match (input[at], input.get(at + 1)) {
        ('/', Some('/' | '*')) => Kind::Comment,
        ('"', _) => Kind::Literal,
        ('r', _) if raw_hashes(input, at).is_some() => Kind::Literal,
        ('\'', _) if char_end(input, at).is_some() => Kind::Literal,
        _ => Kind::Code,
    }
}

fn span_end(input: &[char], at: usize) -> usize {
    let end = match (input[at], input.get(at + 1)) {
        ('/', Some('/')) => find(input, at, |rest| rest[0] == '\n'),
        ('/', Some('*')) => block_comment_end(input, at),
        ('"', _) => string_end(input, at),
        ('r', _) => raw_hashes(input, at).map_or(at + 1, |hashes| raw_end(input, at, hashes)),
        ('\'', _) => char_end(input, at).unwrap_or(at + 1),
        _ => at + 1,
    };
    end.min(input.len())
}

fn find(input: &[char], from: usize, is: impl Fn(&[char]) -> bool) -> usize {
    (from..input.len()).find(|&i| is(&input[i..])).unwrap_or(input.len())
}

fn block_comment_end(input: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < input.len() {
        match (input[i], input[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    input.len()
}

fn string_end(input: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < input.len() && input[i] != '"' {
        i += if input[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The number of `#` of the raw string that begins here, if one does.
fn raw_hashes(input: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|i| input[i]);
    let inside_word = before.is_some_and(|c| is_word(c) && !matches!(c, 'b' | 'c'));
    let hashes = input[at + 1..].iter().take_while(|&&c| c == '#').count();
    (!inside_word && input.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn raw_end(input: &[char], at: usize, hashes: usize) -> usize {
    let closes =
        |rest: &[char]| rest[0] == '"' && rest[1..].iter().take_while(|&&c| c == '#').count() >= hashes;
    find(input, at + hashes + 2, closes) + 1 + hashes
}

/// The end of the character literal that begins here; a lifetime is none.
fn char_end(input: &[char], at: usize) -> Option<usize> {
    match (input.get(at + 1)?, input.get(at + 2)?) {
        ('\\', _) => Some(find(input, at + 3, |rest| rest[0] == '\'') + 1),
        (_, '\'') => Some(at + 3),
        _ => None,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words and signs of a code text; `::`, `->`, `=>` are one sign each.
pub(super) fn tokens(code: &str) -> Vec<Token> {
    code.lines().enumerate().flat_map(|(line, text)| line_tokens(line + 1, text)).collect()
}

fn line_tokens(line: usize, text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let word = letters[at..].iter().take_while(|&&c| is_word(c)).count();
        let pair: String = letters[at..].iter().take(2).collect();
        let length = if word > 0 {
            word
        } else if matches!(pair.as_str(), "::" | "->" | "=>") {
            2
        } else {
            1
        };
        if !letters[at].is_whitespace() {
            found.push(Token { line, text: letters[at..at + length].iter().collect() });
        }
        at += length;
    }
    found
}

/// Blanks the items under `#[cfg(test)]`, and counts the lines that they took.
fn without_tests(code: &str) -> (String, usize) {
    if code.contains("#![cfg(test)]") {
        return ("\n".repeat(code.lines().count()), code.lines().count());
    }
    let mut kept = String::new();
    let mut lost = 0;
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        let (before, guarded) = rest.split_at(start);
        let (item, after) = guarded.split_at(item_length(guarded));
        let lines = item.matches('\n').count();
        kept.push_str(before);
        kept.push_str(&"\n".repeat(lines));
        lost += lines + 1;
        rest = after;
    }
    kept.push_str(rest);
    (kept, lost)
}

/// The length in bytes of an item with its attributes: to its `;`, or to the brace that closes it.
fn item_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' if depth == 0 => return at,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "let a = \"// no\"; // yes\nlet b = r#\"x \" y\"#; /* one /* two */ */ let c = '\"'; fn f<'a>(x: &'a str) {}\n";
    let source = Source::new("src/x.rs", text);
    assert_eq!(
        source.comments.split_whitespace().collect::<Vec<_>>().join(" "),
        "// yes /* one /* two */ */"
    );
    assert!(!source.code.contains("no") && !source.code.contains("x \" y"));
    assert!(source.code.contains("fn f<'a>(x: &'a str) {}"));
    assert_eq!(source.code.lines().count(), text.lines().count());
}

#[test]
fn items_for_tests_are_not_production() {
    let text = "use a::b;\n#[cfg(test)]\nuse c::d;\nfn f() {}\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n    use e::g;\n}\nfn h() {}\n";
    let source = Source::new("src/x.rs", text);
    let words: Vec<String> =
        tokens(&source.production).into_iter().map(|t| format!("{}{}", t.text, t.line)).collect();
    assert!(words.contains(&"h10".to_owned()) && words.contains(&"f4".to_owned()));
    assert!(!words.iter().any(|w| w.starts_with('d') || w.starts_with('e') || w.starts_with('g')));
    assert_eq!(source.test_lines, 2 + 5);
}

#[test]
fn a_module_declared_for_tests_is_found() {
    let source = Source::new("src/store/mod.rs", "pub mod feed;\n#[cfg(test)]\nmod contract;\n");
    assert_eq!(test_modules(&source), ["src/store/contract"]);
    let source = Source::new("src/clock.rs", "#[cfg(test)]\nmod tests;\n");
    assert_eq!(test_modules(&source), ["src/clock/tests"]);
}
