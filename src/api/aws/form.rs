//! The parameters of a Query call: each once, lists and structures spelt out with dots and numbers from 1.

use std::collections::BTreeMap;

use crate::control::aws::problem::{AwsCode, AwsProblem};

/// The most parameters of a call.
const PARAMETERS: usize = 2_000;

/// The parameters.
#[derive(Clone, Default)]
pub struct Form(BTreeMap<String, String>);

// Parameters hold secrets and tokens.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Form {
    /// Reads a body, or the query of a presigned URL.
    ///
    /// # Errors
    /// `MalformedQueryString` for what is not such text, has a parameter twice, or too many.
    pub fn parse(bytes: &[u8]) -> Result<Self, AwsProblem> {
        let wrong = |why: &str| AwsProblem::said(AwsCode::MalformedQueryString, why);
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("The query is not UTF-8 text."))?;
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decoded(name).zip(decoded(value));
            let (name, value) = decoded.ok_or_else(|| wrong("The query is not percent-encoded UTF-8."))?;
            if parameters.insert(name, value).is_some() {
                return Err(wrong("The query has a parameter twice."));
            }
            if parameters.len() > PARAMETERS {
                return Err(wrong("The query has too many parameters."));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter; an empty one is one that is given.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `ValidationError`
    pub fn required(&self, name: &str) -> Result<&str, AwsProblem> {
        let message = || {
            let member = camel(name);
            format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            )
        };
        self.optional(name).ok_or_else(|| AwsProblem::said(AwsCode::ValidationError, message()))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// `ValidationError` for any other text.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, AwsProblem> {
        match self.optional(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(AwsProblem::said(
                AwsCode::ValidationError,
                format!("Value at '{}' is neither true nor false", camel(name)),
            )),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// `ValidationError` for any other text.
    pub fn number(&self, name: &str) -> Result<Option<i64>, AwsProblem> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let wrong = |_| {
            AwsProblem::said(AwsCode::ValidationError, format!("Value at '{}' is no number", camel(name)))
        };
        text.parse().map(Some).map_err(wrong)
    }

    /// The texts of a list: `Name.member.1`, `Name.member.2` … up to the first that is missing.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|at: u32| self.optional(&format!("{name}.member.{at}"))).collect()
    }

    /// The structures of a list, each as the form of its own members: of `Tags.member.2.Key` the form at 1 has `Key`.
    #[must_use]
    pub fn structures(&self, name: &str) -> Vec<Form> {
        let all = (1..).map(|at: u32| self.below(&format!("{name}.member.{at}.")));
        all.take_while(|form| !form.0.is_empty()).collect()
    }

    fn below(&self, prefix: &str) -> Form {
        let near = self.0.range(prefix.to_owned()..);
        let below =
            near.map_while(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())));
        Form(below.collect())
    }
}

/// The name of a member as AWS's messages write it.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::Form;
    use crate::control::aws::problem::{AwsCode, AwsProblem};

    #[test]
    fn lists_and_structures_are_numbered_from_one() {
        let text =
            b"Action=CreateRole&Tags.member.1.Key=team&Tags.member.1.Value=a%2Bb+c&Tags.member.2.Key=x\
            &Tags.member.2.Value=&Names.member.1=one&Names.member.2=two&Names.member.4=four";
        let form = Form::parse(text).unwrap();
        assert_eq!(form.list("Names"), ["one", "two"]);
        let tags = form.structures("Tags");
        assert_eq!(tags.len(), 2);
        assert_eq!((tags[0].optional("Key"), tags[0].optional("Value")), (Some("team"), Some("a+b c")));
        assert_eq!(tags[1].optional("Value"), Some(""));
    }

    #[test]
    fn what_is_given_twice_or_not_text_is_refused() {
        for wrong in [&b"A=1&A=2"[..], b"A=1&%41=2", b"A=%ff", b"\xff=1"] {
            let error = Form::parse(wrong).unwrap_err();
            assert!(
                matches!(error, AwsProblem::Said { code: AwsCode::MalformedQueryString, .. }),
                "{error:?}"
            );
        }
        let many = (0..3_000).map(|n| format!("P{n}=1")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(many.as_bytes()).is_err());
    }

    #[test]
    fn a_missing_parameter_is_named_as_aws_names_it() {
        let AwsProblem::Said { message, .. } = Form::default().required("RoleName").unwrap_err() else {
            panic!("said");
        };
        assert!(message.contains("'roleName'"), "{message}");
    }
}
