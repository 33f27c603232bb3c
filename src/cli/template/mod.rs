//! Go templates, as far as a format of a list needs them: fields, comparisons, conditions, text.
//!
//! It turns one record into text. It knows neither loops nor variables nor templates in templates, and says so when it
//! is read; every field that a template names is looked up then, so that a slip shows without a server.

mod evaluate;
mod read;
mod word;

use read::Node;

/// What a template prints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    List(Vec<Value>),
    Number(i64),
    /// Names and values, in the order in which Go prints them.
    Record(Vec<(&'static str, Value)>),
    Text(String),
}

impl Value {
    /// A number, or the largest there is.
    pub(super) fn number(value: impl TryInto<i64>) -> Self {
        Self::Number(value.try_into().unwrap_or(i64::MAX))
    }
}

/// Why a text is no template, with the place, in characters from 1.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{what} (character {at} of the format)")]
pub(super) struct Fault {
    what: String,
    at: usize,
}

impl Fault {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { what: what.into(), at }
    }
}

/// A template that can be filled in.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Node>);

impl Template {
    /// Reads a template for records like `example`, whose values do not matter.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub(super) fn read(text: &str, example: &Value) -> Result<Self, Fault> {
        let nodes = read::nodes(&word::words(text)?)?;
        evaluate::check(&nodes, example)?;
        Ok(Self(nodes))
    }

    /// Fills the template in with one record.
    ///
    /// # Errors
    /// A [`Fault`] where values cannot be compared or formatted as the template says.
    pub(super) fn fill(&self, record: &Value) -> Result<String, Fault> {
        let mut out = String::new();
        evaluate::write(&self.0, record, &mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, Value};

    fn record(tag: &str, size: i64) -> Value {
        let status = vec![("Status", Value::Text("No Issues".into())), ("IssueCount", Value::Number(0))];
        Value::Record(vec![
            ("Repository", Value::Text("us.icr.io/birds/owl".into())),
            ("SecurityStatus", Value::Record(status)),
            ("Size", Value::Number(size)),
            ("Tag", Value::Text(tag.into())),
            ("Tags", Value::List(vec![Value::Text(tag.into()), Value::Text("latest".into())])),
        ])
    }

    fn filled(text: &str) -> String {
        let template = Template::read(text, &record("", 0)).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        template.fill(&record("1.0", 2_000_000)).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn wrong(text: &str) -> String {
        match Template::read(text, &record("", 0)) {
            Ok(template) => template.fill(&record("1.0", 1)).unwrap_err().to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_formats_of_the_manual_and_of_published_scripts_print_what_they_do_there() {
        for (text, printed) in [
            ("{{ .Repository }}:{{ .Tag }}", "us.icr.io/birds/owl:1.0"),
            (
                "{{ if gt .Size 1000000 }}{{ .Repository }}:{{ .Tag }} {{ .SecurityStatus.Status }}{{end}}",
                "us.icr.io/birds/owl:1.0 No Issues",
            ),
            ("{{ if gt .Size 3000000 }}{{ .Repository }}{{end}}", ""),
            (
                r#"{{if and (and (eq .Repository "us.icr.io/birds/owl") (ne .Tag "latest")) (ne .Tag "test")}}{{.Tag}}{{end}}"#,
                "1.0",
            ),
            ("{{.SecurityStatus}}", "{No Issues 0}"),
        ] {
            assert_eq!(filled(text), printed, "{text}");
        }
    }

    #[test]
    fn conditions_functions_and_pipes_do_what_go_does() {
        for (text, printed) in [
            ("plain } text {", "plain } text {"),
            (r#"a{{"\t"}}b{{ `\n` }}"#, "a\tb\\n"),
            ("x {{- /* no */ -}} y", "xy"),
            ("{{if lt .Size 1}}a{{else if le .Size 2000000}}b{{else}}c{{end}}", "b"),
            ("{{if not .SecurityStatus.IssueCount}}none{{end}}", "none"),
            ("{{with .Tag}}<{{.}}>{{else}}none{{end}}", "<1.0>"),
            (r#"{{eq .Tag "2" "1.0"}} {{ge .Size 1}} {{true}}"#, "true true true"),
            (r#"{{or "" .Tag}} {{and .Tag 0}} {{len .Tag}}"#, "1.0 0 3"),
            (r#"{{printf "%-5s|%5d|%q|%v%%" .Tag 42 .Tag .Size}}"#, "1.0  |   42|\"1.0\"|2000000%"),
            (r#"{{.Tag | printf "%s-%s" "v"}}"#, "v-1.0"),
            (r#"{{print .Size 1 "a" "b"}}"#, "2000000 1ab"),
            ("{{.Tags}} {{len .Tags}} {{if not .Tags}}untagged{{end}}", "[1.0 latest] 2 "),
        ] {
            assert_eq!(filled(text), printed, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_place() {
        for (text, words) in [
            ("{{ .Repo }}", "there is no field `Repo`"),
            ("{{ .Tag.X }}", "there is no field `X`"),
            ("{{ .Tags.X }}", "there is no field `X`"),
            ("{{ eq .Tags .Tags }}", "cannot be compared"),
            ("ab{{ .Tag", "(character 3 of the format)"),
            ("{{ if .Tag }}x", "`{{end}}` is missing"),
            ("{{ end }}", "nothing is open"),
            ("{{ else }}", "nothing is open"),
            ("{{}}", "a value is missing"),
            ("{{ range .Tag }}{{ end }}", "`range` is not supported"),
            ("{{ $x := .Tag }}", "not understood"),
            ("{{ upper .Tag }}", "there is no function `upper`"),
            (r#"{{ "a }}"#, "quote"),
            ("{{ (eq .Tag .Tag }}", "`)` is missing"),
            ("{{ gt .Tag 1 }}", "cannot be compared"),
            ("{{ eq .Tag }}", "takes two values"),
            (r#"{{ printf "%d" .Tag }}"#, "%d"),
            (r#"{{ printf "%999999999d" 1 }}"#, "width"),
            ("{{ .Tag 1 }}", "takes no values"),
        ] {
            assert!(wrong(text).contains(words), "{text}: {}", wrong(text));
        }
        let deep = format!("{{{{{}1{}}}}}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(wrong(&deep).contains("nested"), "{}", wrong(&deep));
        let deep = "{{if 1}}".repeat(5_000) + &"{{end}}".repeat(5_000);
        assert!(wrong(&deep).contains("nested"));
        let deep = format!("{{{{1{}}}}}", " | not".repeat(30_000));
        assert!(wrong(&deep).contains("nested"));
        let doubling = format!("{{{{with print .Tag{}}}}}", " .Tag".repeat(100))
            + &format!("{{{{with print .{}}}}}", " .".repeat(100)).repeat(20)
            + &"{{end}}".repeat(21);
        assert!(wrong(&doubling).contains("more than"));
    }
}
