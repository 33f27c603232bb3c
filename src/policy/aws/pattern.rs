//! ARN patterns: six segments, each with its own wildcards and variables. It never sees a request.

use super::variable::{Part, Parts, Template};

/// How many segments an ARN has; the last keeps its colons.
pub const SEGMENTS: usize = 6;

/// A pattern that is compared with an ARN segment by segment, so that a wildcard never swallows a separating colon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArnPattern(Option<Box<[Template; SEGMENTS]>>);

impl ArnPattern {
    /// Splits `text` at its first five colons; those inside variables do not count. If there are fewer, and the text
    /// ends in `*`, the missing segments are `*` too.
    #[must_use]
    pub fn of(text: &Template) -> Self {
        let mut segments = split(text);
        let open = segments.last().is_some_and(|last| last.parts().last() == Some(&Part::Any));
        if open {
            let mut any = Parts::default();
            any.push(Part::Any);
            segments.resize(SEGMENTS, any.finish());
        }
        Self(<[Template; SEGMENTS]>::try_from(segments).ok().map(Box::new))
    }

    /// Partition label, partition, service, region, account and resource, each to match its own segment; `None` for a
    /// pattern too short to match any ARN.
    #[must_use]
    pub fn segments(&self) -> Option<&[Template; SEGMENTS]> {
        self.0.as_deref()
    }
}

fn split(text: &Template) -> Vec<Template> {
    let mut segments = Vec::with_capacity(SEGMENTS);
    let mut segment = Parts::default();
    for part in text.parts() {
        let Part::Literal(literal) = part else {
            segment.push(part.clone());
            continue;
        };
        let mut rest = &**literal;
        while let Some((before, after)) = rest.split_once(':').filter(|_| segments.len() + 1 < SEGMENTS) {
            segment.literal(before);
            segments.push(segment.finish());
            rest = after;
        }
        segment.literal(rest);
    }
    segments.push(segment.finish());
    segments
}

#[cfg(test)]
mod tests {
    use super::ArnPattern;
    use crate::policy::aws::variable::{Part, Syntax, Template};

    /// The segments, written with `*`, `?` and `$key`, joined by blanks.
    fn segments(text: &str) -> Option<String> {
        let template = Template::parse(text, Syntax { variables: true, wildcards: true }).unwrap();
        let written = |part: &Part| match part {
            Part::Any => "*".to_owned(),
            Part::Literal(text) => text.to_string(),
            Part::One => "?".to_owned(),
            Part::Variable(variable) => format!("${}", variable.key),
        };
        let pattern = ArnPattern::of(&template);
        let segments = pattern.segments()?.iter();
        Some(segments.map(|s| s.parts().iter().map(written).collect()).collect::<Vec<String>>().join(" "))
    }

    #[test]
    fn patterns_split_at_the_first_five_colons() {
        let cases = [
            ("arn:aws:ecr:*:1:repository/a*", Some("arn aws ecr * 1 repository/a*")),
            ("arn:aws:s3:::b/k:x:*", Some("arn aws s3   b/k:x:*")),
            ("arn:aws:sns:?:1:a:b", Some("arn aws sns ? 1 a:b")),
            ("arn:aws:iam::1:user/${aws:username}", Some("arn aws iam  1 user/$aws:username")),
            ("${aws:PrincipalArn}:b:c:d:e:f", Some("$aws:PrincipalArn b c d e f")),
            ("arn:aws:ecr:*", Some("arn aws ecr * * *")),
            ("arn:aws:ecr:us-*", Some("arn aws ecr us-* * *")),
            ("*", Some("* * * * * *")),
            ("arn:aws:ecr", None),
            ("arn:aws:ecr:us-east-1", None),
            ("arn:aws:ecr:${*}", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(segments(text).as_deref(), expected, "{text}");
        }
    }
}
