//! Policy documents as they are kept: the text that was given.

use serde_json::Value;

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

    /// The same with other names for those whom its statements name under `Principal`; to the letter where none is named.
    #[must_use]
    pub fn with_principals(self, names: &[(String, String)]) -> Self {
        let Ok(mut document) = serde_json::from_str::<Value>(&self.0) else { return self };
        let mut changed = false;
        let mut rename = |text: &mut Value| {
            let known = names.iter().find(|(from, _)| text.as_str() == Some(from));
            if let Some((_, to)) = known {
                *text = Value::from(to.as_str());
                changed = true;
            }
        };
        for statement in items(document.get_mut("Statement")) {
            let clause = statement.get_mut("Principal");
            items(clause.and_then(|clause| clause.get_mut("AWS"))).for_each(&mut rename);
        }
        if changed { Self(escaped(&document.to_string()).into()) } else { self }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// JSON in which characters beyond U+00FF are escaped, as documents write them.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if u32::from(letter) <= 0xFF {
            text.push(letter);
        } else {
            let units = letter
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&units);
        }
    }
    text
}

/// The items of a list, or the one thing that stands in its place.
fn items(value: Option<&mut Value>) -> std::slice::IterMut<'_, Value> {
    match value {
        Some(Value::Array(list)) => list.iter_mut(),
        Some(one) => std::slice::from_mut(one).iter_mut(),
        None => [].iter_mut(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::DocumentText;
    use crate::policy::aws::kind::Kind;

    #[test]
    fn only_principals_are_renamed_and_all_of_them() {
        let ada = "arn:aws:iam::123456789012:user/ada";
        let statement = |principal: Value| {
            json!({
                "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:PrincipalArn": ada}},
            })
        };
        let document = |first: &str| {
            let list = json!([statement(json!(first)), statement(json!([first, "123456789012"]))]);
            json!({"Version": "2012-10-17", "Statement": list})
        };
        let (text, _) = DocumentText::read(&format!(" {}", document(ada)), Kind::Trust).unwrap();
        let ids = [(ada.to_owned(), "AIDACA64ZAF45A2FCXYZW".to_owned())];
        let kept = text.clone().with_principals(&ids);
        assert_eq!(serde_json::from_str::<Value>(kept.as_str()).unwrap(), document("AIDACA64ZAF45A2FCXYZW"));
        assert_eq!(text.clone().with_principals(&[]), text, "to the letter");
        let single = json!({"Version": "2012-10-17", "Statement": statement(json!(ada))}).to_string();
        let kept = DocumentText::read(&single, Kind::Trust).unwrap().0.with_principals(&ids);
        assert!(kept.as_str().contains("\"AIDACA64ZAF45A2FCXYZW\""));
        let foreign = single.replacen(":user/ada\"}}", ":user/\\u4e2d\\ud83d\\ude00\"}}", 1);
        let kept = DocumentText::read(&foreign, Kind::Trust).unwrap().0.with_principals(&ids);
        assert!(kept.as_str().contains("\\u4e2d\\ud83d\\ude00"), "{}", kept.as_str());
        assert!(DocumentText::read(kept.as_str(), Kind::Trust).is_ok());
    }
}
