//! Policy documents as they are kept: the text that was given.

use crate::policy::aws::document::Document;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::message::Invalid;
use crate::policy::aws::validate;

/// The text of a document, to the letter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentText(Box<str>);

impl DocumentText {
    /// Reads a document of a kind; the text is kept as it is.
    ///
    /// # Errors
    /// [`Invalid`], with AWS's message.
    pub fn read(text: &str, kind: Kind) -> Result<(Self, Document), Invalid> {
        let document = validate::read(text, kind)?;
        Ok((Self(text.into()), document))
    }

    /// What a row holds. It was valid when it was written; whoever obeys it reads it again.
    pub(in crate::store) fn stored(text: String) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
