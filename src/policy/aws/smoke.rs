//! The fuzz target's check on mutations of a small corpus, so that every test run exercises it a little.

/// The check as the fuzz target compiles it; from in here this crate goes by its outer name too.
mod check {
    extern crate self as portcullis;

    include!("../../../fuzz/checks/aws_policy.rs");
}

const MUTATIONS: usize = 10_000;

const CORPUS: [&str; 5] = [
    r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a","Effect":"Allow","Action":["ecr:Get*","iam:*"],"Resource":["*","arn:aws:ecr:*:123456789012:repository/${aws:username}/*"],"Condition":{"StringLike":{"aws:PrincipalTag/t":["a*","${aws:x, 'y'}${*}"]},"ForAllValues:DateLessThanIfExists":{"aws:CurrentTime":"2026-11-21T08:30:00Z"},"NumericEquals":{"n":[1,-2.5e3]},"Bool":{"b":true}}},{"Sid":"b","Effect":"Deny","NotAction":"ecr:*","NotResource":"arn:aws:iam::123456789012:role/x"}]}"#,
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","*"],"Service":"x","Federated":"y"},"Action":"sts:AssumeRole","Condition":{}}}"#,
    r#"{"Version":"2008-10-17","Statement":[{"Sid":"a b","Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"ecr:*","Condition":{"ArnLike":{"k":"arn:aws:iam::*:${*"}}}]}"#,
    "{\n\t\"Version\" : \"2012-10-17\",\r\n  \"Statement\" : [ {\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Principal\":\"*\"} ] }",
    r#"[{"é\u00e9\ud83d\ude00":[null,true,false,0,"\"\\\/\b\f\n\r\t"]}]"#,
];

const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "*",
    "?",
    "${",
    "}",
    "'",
    "null",
    "1e9",
    "é",
    "Ā",
    "\u{feff}",
    "\\u12",
    "Not",
    "IfExists",
    "::",
    "\"Id\":\"\",",
];

/// A small generator of our own: the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

/// Inserts tokens, drops, doubles and moves pieces.
fn mutated(seed: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..dice.throw(4) {
        let at = dice.throw(bytes.len());
        let end = (at + dice.throw(12)).min(bytes.len());
        match dice.throw(4) {
            0 => drop(bytes.splice(at..at, TOKENS[dice.throw(TOKENS.len())].bytes())),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(end),
            _ => {
                let piece = bytes[at..end].to_vec();
                let to = dice.throw(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
        }
    }
    bytes
}

#[test]
fn mutated_documents_hold_what_the_fuzz_target_checks() {
    let mut dice = Dice(20);
    for seed in CORPUS.iter().cycle().take(MUTATIONS) {
        check::check(&mutated(seed, &mut dice));
    }
}

#[test]
fn the_corpus_itself_is_read() {
    use crate::policy::aws::kind::Kind;
    use crate::policy::aws::validate::read;

    let kinds = [Kind::Managed, Kind::Trust, Kind::Repository, Kind::Registry];
    for (text, kind) in CORPUS.into_iter().zip(kinds) {
        assert_eq!(read(text, kind).err().map(|invalid| invalid.to_string()), None, "{text}");
    }
}
