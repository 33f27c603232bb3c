//! Patterns of tags: `*` stands for any characters, none included; everything else for itself.

/// Whether the whole text fits the pattern.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return text.ends_with(rest) };
    let Some(mut text) = text.strip_suffix(last) else { return false };
    // The leftmost place for each piece leaves the most for the others.
    for piece in middle.split('*') {
        match text.find(piece).and_then(|at| text.get(at + piece.len()..)) {
            Some(left) => text = left,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_any_characters_and_the_rest_is_itself() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "v1"),
            ("latest", "latest"),
            ("prod*", "prod"),
            ("prod*", "prod-1"),
            ("*-rc", "v1-rc"),
            ("*prod*", "my-prod-1"),
            ("v*.*", "v1.2.3"),
            ("a*b*c", "a-b-b-c"),
            ("**", "x"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "v1"),
            ("latest", "latest1"),
            ("prod*", "xprod"),
            ("*-rc", "v1-rc1"),
            ("ab*ba", "aba"),
            ("a*b*c", "a-c-b"),
            ("*b*b", "ab"),
            ("v?", "v1"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
