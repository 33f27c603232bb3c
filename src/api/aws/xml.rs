//! What Query calls answer: elements in AWS's order, escaped, without attributes.

use std::fmt::{Display, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clock::UnixTime;

/// Documents are percent-encoded as RFC 3986 says: botocore reads `+` as a plus.
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Elements, one after another.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Xml(String);

impl Xml {
    /// No elements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An element that holds text.
    pub fn text(&mut self, name: &str, text: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.0, "<{name}>{}</{name}>", escaped(&text.to_string()));
        self
    }

    /// The same, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<impl Display>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// A time, to the second.
    pub fn time(&mut self, name: &str, time: UnixTime) -> &mut Self {
        self.text(name, time.rfc3339_seconds())
    }

    /// A policy document, percent-encoded as AWS does.
    pub fn document(&mut self, name: &str, document: &str) -> &mut Self {
        self.text(name, utf8_percent_encode(document, DOCUMENT))
    }

    /// An element that holds elements.
    pub fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) -> &mut Self {
        let _ = write!(self.0, "<{name}>");
        inner(self);
        let _ = write!(self.0, "</{name}>");
        self
    }

    /// A list: one `<member>` for each.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut inner: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| inner(xml, item));
            }
        })
    }

    /// A list of texts.
    pub fn texts<T: Display>(&mut self, name: &str, items: impl IntoIterator<Item = T>) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.text("member", item);
            }
        })
    }

    /// The elements as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What XML cannot hold at all becomes the character for what cannot be shown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            '\t' | '\n' => escaped.push(character),
            control if control.is_control() || matches!(control, '\u{FFFE}' | '\u{FFFF}') => {
                escaped.push('\u{FFFD}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::Xml;

    #[test]
    fn text_is_escaped_and_documents_are_encoded() {
        let mut xml = Xml::new();
        xml.text("A", "<a> & \"b\"\u{1}\r").optional("B", None::<&str>);
        xml.document("D", r#"{"a": "b+c"}"#).texts("L", ["x"]).list("E", Vec::<u8>::new(), |_, _| {});
        let expected = "<A>&lt;a&gt; &amp; &quot;b&quot;\u{FFFD}&#xD;</A>\
            <D>%7B%22a%22%3A%20%22b%2Bc%22%7D</D><L><member>x</member></L><E></E>";
        assert_eq!(xml.as_str(), expected);
    }
}
