//! Parameters of IAM's calls, read as what they must be; what is wrong with one is said in AWS's words.

use data_encoding::BASE64URL_NOPAD;

use crate::api::aws::form::Form;
use crate::control::aws::iam::entity::Named;
use crate::control::aws::iam::page::{MOST, Page};
use crate::control::aws::iam::tag::distinct;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::policy::aws::arn::{Name, Path};
use crate::policy::aws::kind::{DOCUMENT_MAX, Owner};
use crate::store::aws::managed_policy::VersionNumber;
use crate::store::aws::tag::Tag;

/// The name of a parameter as AWS's messages write it.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// One constraint that a value breaks.
pub(super) fn broken(name: &str, value: Option<&str>, constraint: &str) -> AwsProblem {
    let shown =
        value.map(|value| format!(" '{}'", crate::ids::Malformed::new(value, "").text)).unwrap_or_default();
    let text = format!(
        "1 validation error detected: Value{shown} at '{}' failed to satisfy constraint: Member must {constraint}",
        camel(name)
    );
    AwsProblem::said(AwsCode::ValidationError, text)
}

fn too_long(name: &str, value: &str, most: usize) -> AwsProblem {
    broken(name, Some(value), &format!("have length less than or equal to {most}"))
}

/// A name of up to so many characters.
pub(super) fn name_of(form: &Form, parameter: &str, most: usize) -> Result<Name, AwsProblem> {
    parsed_name(parameter, form.required(parameter)?, most)
}

/// The same, if there is one.
pub(super) fn name_if_any(form: &Form, parameter: &str, most: usize) -> Result<Option<Name>, AwsProblem> {
    form.optional(parameter).map(|text| parsed_name(parameter, text, most)).transpose()
}

fn parsed_name(parameter: &str, text: &str, most: usize) -> Result<Name, AwsProblem> {
    if text.chars().count() > most {
        return Err(too_long(parameter, text, most));
    }
    if text.is_empty() {
        return Err(broken(parameter, Some(""), "have length greater than or equal to 1"));
    }
    Name::parse(text).map_err(|_| {
        let text = format!(
            "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: \
             +=,.@_-",
            camel(parameter)
        );
        AwsProblem::said(AwsCode::ValidationError, text)
    })
}

/// A user, group or role by name.
pub(super) fn named(form: &Form, kind: Owner) -> Result<Named, AwsProblem> {
    let parameter = match kind {
        Owner::Group => "GroupName",
        Owner::Role => "RoleName",
        Owner::User => "UserName",
    };
    Ok(Named { kind, name: name_of(form, parameter, 128)? })
}

/// Where something is filed; `/` if it is not said.
pub(super) fn path(form: &Form) -> Result<Path, AwsProblem> {
    parsed_path("Path", form.optional("Path").unwrap_or("/"))
}

/// A new path, if there is one.
pub(super) fn new_path(form: &Form) -> Result<Option<Path>, AwsProblem> {
    form.optional("NewPath").map(|text| parsed_path("NewPath", text)).transpose()
}

fn parsed_path(parameter: &str, text: &str) -> Result<Path, AwsProblem> {
    Path::parse(text).map_err(|_| {
        let text = format!(
            "The specified value for {} is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters.",
            camel(parameter)
        );
        AwsProblem::said(AwsCode::ValidationError, text)
    })
}

/// What a path must begin with; everything begins with nothing.
pub(super) fn prefix(form: &Form) -> Result<String, AwsProblem> {
    let text = form.optional("PathPrefix").unwrap_or_default();
    let fits = text.is_empty() || text.starts_with('/');
    if fits && text.len() <= 512 && text.bytes().all(|b| (0x21..=0x7F).contains(&b)) {
        return Ok(text.to_owned());
    }
    let text = "The specified value for pathPrefix is invalid. It must begin with the / character and contain only \
                alphanumeric characters and/or / characters.";
    Err(AwsProblem::said(AwsCode::ValidationError, text))
}

/// The text of a document; what it says is for others to read.
pub(super) fn document(form: &Form, parameter: &str) -> Result<String, AwsProblem> {
    let text = form.required(parameter)?;
    if text.is_empty() {
        return Err(broken(parameter, Some(""), "have length greater than or equal to 1"));
    }
    if text.chars().count() > DOCUMENT_MAX {
        return Err(broken(parameter, None, &format!("have length less than or equal to {DOCUMENT_MAX}")));
    }
    Ok(text.to_owned())
}

/// A description of up to 1,000 characters; none if it is not said.
pub(super) fn description(form: &Form) -> Result<Option<String>, AwsProblem> {
    let Some(text) = form.optional("Description") else { return Ok(None) };
    if text.chars().count() > 1_000 {
        return Err(too_long("Description", text, 1_000));
    }
    let fits = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    if !text.chars().all(fits) {
        let pattern =
            "satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*";
        return Err(broken("Description", Some(text), pattern));
    }
    Ok(Some(text.to_owned()))
}

/// The ARN of a managed policy.
pub(super) fn policy_arn(form: &Form, parameter: &str) -> Result<String, AwsProblem> {
    let text = form.required(parameter)?;
    let segments = text.splitn(6, ':').collect::<Vec<_>>();
    let ["arn", _, "iam", "", _, resource] = segments.as_slice() else { return Err(unparsed(text)) };
    let named = resource.strip_prefix("policy/").is_some_and(|name| !name.is_empty());
    let fits = text.len() <= 2_048 && text.bytes().all(|b| b.is_ascii_graphic());
    if named && fits { Ok(text.to_owned()) } else { Err(unparsed(text)) }
}

/// The ARN of a managed policy, if there is one.
pub(super) fn policy_arn_if_any(form: &Form, parameter: &str) -> Result<Option<String>, AwsProblem> {
    form.optional(parameter).map(|_| policy_arn(form, parameter)).transpose()
}

fn unparsed(text: &str) -> AwsProblem {
    let shown = if text.starts_with("arn:") { text } else { "" };
    let shown = crate::ids::Malformed::new(shown, "").text;
    AwsProblem::said(AwsCode::ValidationError, format!("Invalid ARN: {shown} Could not be parsed!"))
}

/// Any ARN.
pub(super) fn arn(form: &Form, parameter: &str) -> Result<String, AwsProblem> {
    let text = form.required(parameter)?;
    let fits = (20..=2_048).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits && text.starts_with("arn:") { Ok(text.to_owned()) } else { Err(unparsed(text)) }
}

/// `v1`
pub(super) fn version(form: &Form) -> Result<VersionNumber, AwsProblem> {
    let text = form.required("VersionId")?;
    let pattern = "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?";
    VersionNumber::parse(text).map_err(|_| broken("VersionId", Some(text), pattern))
}

/// Tags; each key once.
pub(super) fn tags(form: &Form) -> Result<Vec<Tag>, AwsProblem> {
    let given = form.structures("Tags");
    if given.len() > 50 {
        return Err(broken("Tags", None, "have length less than or equal to 50"));
    }
    let mut tags = Vec::with_capacity(given.len());
    for (at, one) in (1..).zip(&given) {
        let (key, value) = (one.required("Key")?, one.optional("Value").unwrap_or_default());
        let wrong = |part: &str| {
            let pattern = "satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+";
            broken(&format!("tags.{at}.member.{part}"), None, pattern)
        };
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            let text = "System tag keys are reserved for internal use: a key may not begin with aws:";
            return Err(AwsProblem::said(AwsCode::InvalidInput, text));
        }
        let part = if Tag::parse(key, "").is_ok() { "value" } else { "key" };
        tags.push(Tag::parse(key, value).map_err(|_| wrong(part))?);
    }
    distinct(&tags)?;
    Ok(tags)
}

/// The keys of tags that are to go.
pub(super) fn tag_keys(form: &Form) -> Result<Vec<String>, AwsProblem> {
    let keys = form.list("TagKeys");
    match keys.iter().find(|key| key.is_empty() || key.chars().count() > 128) {
        Some(key) => Err(broken("TagKeys", Some(key), "have length less than or equal to 128")),
        None => Ok(keys.into_iter().map(str::to_owned).collect()),
    }
}

/// Which part of a list is wanted.
pub(super) fn page(form: &Form) -> Result<Page, AwsProblem> {
    let most = match form.number("MaxItems")? {
        None => Page::default().most,
        Some(most) => match usize::try_from(most) {
            Ok(most @ 1..=MOST) => most,
            Ok(0) | Err(_) => {
                return Err(broken(
                    "MaxItems",
                    Some(&most.to_string()),
                    "have value greater than or equal to 1",
                ));
            }
            Ok(_) => {
                let constraint = format!("have value less than or equal to {MOST}");
                return Err(broken("MaxItems", Some(&most.to_string()), &constraint));
            }
        },
    };
    let after = form.optional("Marker").map(read_marker).transpose()?;
    Ok(Page { after, most })
}

/// The key that a marker holds.
fn read_marker(text: &str) -> Result<String, AwsProblem> {
    let read = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong = || AwsProblem::said(AwsCode::ValidationError, "Invalid Marker.");
    read.filter(|key| !key.is_empty()).ok_or_else(wrong)
}

/// The marker of a key.
#[must_use]
pub(super) fn marker(key: &str) -> String {
    BASE64URL_NOPAD.encode(key.as_bytes())
}

/// One word of a few.
pub(super) fn choice<T: Copy>(
    form: &Form,
    parameter: &str,
    known: &[(&str, T)],
) -> Result<Option<T>, AwsProblem> {
    let Some(text) = form.optional(parameter) else { return Ok(None) };
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    let words = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let constraint = format!("satisfy enum value set: [{words}]");
    found.map(Some).ok_or_else(|| broken(parameter, Some(text), &constraint))
}

#[cfg(test)]
mod tests {
    use super::{arn, marker, name_of, page, path, policy_arn, prefix, tags};
    use crate::api::aws::form::Form;
    use crate::control::aws::problem::AwsProblem;

    fn form(text: &str) -> Form {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[track_caller]
    fn said<T: std::fmt::Debug>(result: Result<T, AwsProblem>) -> String {
        match result.unwrap_err() {
            AwsProblem::Said { code, message } => format!("{}: {message}", code.name()),
            other @ (AwsProblem::Fault(_) | AwsProblem::Refused(_) | AwsProblem::Unproven { .. }) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn names_and_paths_are_refused_in_awss_words() {
        let long = "x".repeat(65);
        assert_eq!(
            said(name_of(&form(&format!("RoleName={long}")), "RoleName", 64)),
            format!(
                "ValidationError: 1 validation error detected: Value '{long}' at 'roleName' failed to satisfy constraint: \
                 Member must have length less than or equal to 64"
            )
        );
        assert!(said(name_of(&form("UserName=a*"), "UserName", 64)).contains("userName is invalid"));
        assert!(said(name_of(&form("UserName="), "UserName", 64)).contains("greater than or equal to 1"));
        assert!(said(name_of(&form(""), "UserName", 64)).contains("'userName'"));
        assert!(said(path(&form("Path=a"))).contains("begin and end with /"));
        assert!(said(prefix(&form("PathPrefix=a"))).contains("pathPrefix"));
        assert_eq!(path(&form("")).unwrap().as_str(), "/");
    }

    #[test]
    fn arns_that_are_none_are_refused() {
        assert_eq!(
            said(policy_arn(&form("PolicyArn=x"), "PolicyArn")),
            "ValidationError: Invalid ARN:  Could not be parsed!"
        );
        for wrong in ["arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:policy/", "arn:aws:s3:::policy/x"] {
            assert!(policy_arn(&form(&format!("PolicyArn={wrong}")), "PolicyArn").is_err(), "{wrong}");
        }
        assert!(policy_arn(&form("PolicyArn=arn:aws:iam::aws:policy/X"), "PolicyArn").is_ok());
        assert!(arn(&form("A=arn:aws:iam::123456789012:user/a"), "A").is_ok());
        assert!(arn(&form("A=user"), "A").is_err());
    }

    #[test]
    fn pages_are_bounded_and_markers_come_back() {
        assert_eq!(page(&form("")).unwrap().most, 100);
        let again = page(&form(&format!("MaxItems=7&Marker={}", marker("bob")))).unwrap();
        assert_eq!((again.most, again.after.as_deref()), (7, Some("bob")));
        for wrong in ["MaxItems=0", "MaxItems=1001", "MaxItems=-1", "MaxItems=x", "Marker=%20", "Marker="] {
            assert!(page(&form(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_have_each_key_once() {
        let one = "Tags.member.1.Key=a&Tags.member.1.Value=b";
        assert_eq!(tags(&form(one)).unwrap().len(), 1);
        assert!(
            said(tags(&form(&format!("{one}&Tags.member.2.Key=A&Tags.member.2.Value=c"))))
                .contains("Duplicate")
        );
        assert!(
            said(tags(&form("Tags.member.1.Key=aws:x&Tags.member.1.Value=b"))).starts_with("InvalidInput")
        );
        assert!(
            said(tags(&form("Tags.member.1.Key=a&Tags.member.1.Value=*"))).contains("tags.1.member.value")
        );
    }
}
