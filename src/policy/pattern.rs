//! Text matching: literal, or with `*` and `?`.

/// How an attribute is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Match {
    /// `stringEquals`: the same bytes.
    Equals(Box<str>),
    /// `stringMatch`: a wildcard pattern.
    Like(Pattern),
}

impl Match {
    /// Whether `text` fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => **wanted == *text,
            Self::Like(pattern) => pattern.matches(text),
        }
    }
}

/// A compiled wildcard pattern. `*` stands for any number of bytes, `?` for one; `{{*}}` and `{{?}}` are literal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(Box<[Token]>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Any,
    Byte(u8),
    One,
}

impl Pattern {
    /// Compiles IBM's `stringMatch` syntax; every text is a pattern.
    #[must_use]
    pub fn ibm(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let (token, after) = match rest {
                [b'{', b'{', literal @ (b'*' | b'?'), b'}', b'}', after @ ..] => {
                    (Token::Byte(*literal), after)
                }
                [b'*', ..] => (Token::Any, tail),
                [b'?', ..] => (Token::One, tail),
                _ => (Token::Byte(*first), tail),
            };
            if token != Token::Any || tokens.last() != Some(&Token::Any) {
                tokens.push(token);
            }
            rest = after;
        }
        Self(tokens.into())
    }

    /// Whether the whole of `text` fits. Never worse than the product of the two lengths, never recursive.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (text, tokens) = (text.as_bytes(), &self.0);
        let (mut at, mut token) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while let Some(&byte) = text.get(at) {
            match tokens.get(token) {
                Some(Token::Any) => {
                    retry = Some((token + 1, at));
                    token += 1;
                }
                Some(Token::One) => (at, token) = (at + 1, token + 1),
                Some(Token::Byte(wanted)) if *wanted == byte => (at, token) = (at + 1, token + 1),
                Some(Token::Byte(_)) | None => {
                    let Some((after_star, taken)) = retry else { return false };
                    retry = Some((after_star, taken + 1));
                    (at, token) = (taken + 1, after_star);
                }
            }
        }
        tokens.get(token..).is_some_and(|rest| rest.iter().all(|t| *t == Token::Any))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn wildcards_match_as_documented() {
        let cases = [
            ("*", "", true),
            ("*", "anything", true),
            ("team-*", "team-a", true),
            ("team-*", "teama", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("{{*}}", "*", true),
            ("{{*}}", "x", false),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::ibm(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
