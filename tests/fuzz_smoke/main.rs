//! The fuzz targets' checks on mutations of a small corpus, so that every test run exercises them a little.

#![cfg(test)]

use portcullis::clock::Entropy;
use portcullis::clock::SequenceEntropy;
use portcullis::policy::aws::kind::Kind;
use portcullis::policy::aws::validate;

mod aws_policy;
mod decision;
mod forwarded;
mod operation;
mod proxy;
mod report;
mod scope;
mod sigv4;

const MUTATIONS: u64 = 20_000;

const REQUESTS: [&str; 8] = [
    "GET\n/v2/\n",
    "GET\n/v2/_catalog?n=10&last=ns%2Fa\n",
    "GET\n/v2/ns/a/manifests/latest\n",
    "GET\n/v2/ns/a/blobs/sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nbytes=0-9",
    "POST\n/v2/ns/a/blobs/uploads/?mount=sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef&from=b\n",
    "PATCH\n/v2/ns/a/blobs/uploads/u-1?lease=abc\n0-9",
    "PUT\n/v2/a/blobs/uploads/u?digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
    "GET\n/v2/a/tags/list?n=1&last=v1\n",
];

const SCOPES: [&str; 4] = [
    "repository:ns/a:pull,push",
    "repository:ns/a:* registry:catalog:*\nrepository(plugin):b:delete",
    "repository:host:5000/x:pull",
    "repository:a__b/c-d.e:push",
];

/// Lines of `Forwarded`; those that begin with a space are `X-Forwarded-For`.
const CLAIMS: [&str; 5] = [
    "for=203.0.113.9;proto=http, for=\"[2001:db8::1]:4711\";by=_x, for=10.0.0.1",
    " 1.1.1.1, 203.0.113.9:80 , [2001:db8::1]:1,::1, 10.0.0.1",
    " 1.1.1.1\n 203.0.113.9,unknown\n10.0.0.2",
    "for=\"a\\\"b,c;d\"\nfor=_hidden, for=unknown,for=10.0.0.2",
    " ::ffff:10.0.0.1,::ffff:10.0.0.2,10.0.0.3\nfor=203.0.113.9",
];

const INTRODUCTIONS: [&str; 5] = [
    "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET",
    "PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 0 65535\r\n",
    "PROXY UNKNOWN anything\r\n\r\n",
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\x0a\0\0\x01\x7f\0\0\x01\x30\x39\x01\x0b\x04\0\x04abcd",
    "\r\n\r\n\0\r\nQUIT\n\x20\0\0\x04abcdGET",
];

/// A path, a query, and headers.
const SIGNED: [&str; 3] = [
    "/\n\nhost:example.test\nx-amz-date:20150830T123600Z\ncontent-type:application/x-www-form-urlencoded\nauthorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    "/a/../b//c/./%2e\nAction=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\nhost:example.test",
    "/\n\nhost:a:8443\ndate:Sun, 30 Aug 2015 12:36:00 GMT\nx-amz-security-token:abc\nauthorization:AWS4-HMAC-SHA256 Credential=ASIA/20150830/r/ecr/aws4_request,SignedHeaders=date;host;x-amz-security-token,Signature=00",
];

const POLICIES: [&str; 5] = [
    r#"{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"a","Effect":"Allow","Action":["ecr:Get*","iam:*"],"Resource":["*","arn:aws:ecr:*:123456789012:repository/${aws:username}/*"],"Condition":{"StringLike":{"aws:PrincipalTag/t":["a*","${aws:x, 'y'}${*}"]},"ForAllValues:DateLessThanIfExists":{"aws:CurrentTime":"2026-11-21T08:30:00Z"},"NumericEquals":{"n":[1,-2.5e3]},"Bool":{"b":true}}},{"Sid":"b","Effect":"Deny","NotAction":"ecr:*","NotResource":"arn:aws:iam::123456789012:role/x"}]}"#,
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","*"],"Service":"x","Federated":"y"},"Action":"sts:AssumeRole","Condition":{}}}"#,
    r#"{"Version":"2008-10-17","Statement":[{"Sid":"a b","Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"ecr:*","Condition":{"ArnLike":{"k":"arn:aws:iam::*:${*"}}}]}"#,
    "{\n\t\"Version\" : \"2012-10-17\",\r\n  \"Statement\" : [ {\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Principal\":\"*\"} ] }",
    r#"[{"é\u00e9\ud83d\ude00":[null,true,false,0,"\"\\\/\b\f\n\r\t"]}]"#,
];

/// Pieces of policies, inserted besides single bytes.
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

/// Replaces, doubles, drops or inserts a few bytes.
fn mutated(seed: &str, entropy: &SequenceEntropy) -> Vec<u8> {
    let dice = |sides: usize| {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes);
        usize::from(u16::from_le_bytes(bytes)) % sides.max(1)
    };
    let interesting = b"/.%?&=;:+,-_#\\ \r\n\0aA09*()\"\xff";
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..dice(4) {
        let at = dice(bytes.len());
        match dice(5) {
            0 => bytes[at] = interesting[dice(interesting.len())],
            1 => bytes.insert(at, interesting[dice(interesting.len())]),
            2 => drop(bytes.remove(at)),
            3 => bytes.extend_from_within(at..),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            bytes.push(b'/');
        }
    }
    bytes
}

fn feed(corpus: &[&str], check: fn(&[u8])) {
    let entropy = SequenceEntropy::seeded(20);
    for (seed, _) in corpus.iter().cycle().zip(0..MUTATIONS) {
        check(&mutated(seed, &entropy));
    }
}

#[test]
fn mutated_requests_hold_what_the_fuzz_target_checks() {
    feed(&REQUESTS, operation::check);
}

#[test]
fn mutated_scopes_hold_what_the_fuzz_target_checks() {
    feed(&SCOPES, scope::check);
}

#[test]
fn mutated_claims_hold_what_the_fuzz_target_checks() {
    feed(&CLAIMS, forwarded::check);
}

#[test]
fn mutated_signatures_hold_what_the_fuzz_target_checks() {
    feed(&SIGNED, sigv4::check);
}

#[test]
fn mutated_proxy_headers_hold_what_the_fuzz_target_checks() {
    feed(&INTRODUCTIONS, proxy::check);
}

/// A report in each format.
const REPORTS: [&str; 6] = [
    include_str!("../vectors/findings/attestation.json"),
    include_str!("../vectors/findings/cyclonedx.json"),
    include_str!("../vectors/findings/grype.json"),
    include_str!("../vectors/findings/sarif.json"),
    include_str!("../vectors/findings/trivy.json"),
    include_str!("../vectors/findings/vex.json"),
];

#[test]
fn mutated_reports_hold_what_the_fuzz_target_checks() {
    let entropy = SequenceEntropy::seeded(22);
    for (seed, _) in REPORTS.iter().cycle().zip(0..4_000) {
        report::check(&mutated(seed, &entropy));
    }
}

#[test]
fn the_reports_of_the_corpus_are_read_before_they_are_changed() {
    for seed in REPORTS {
        assert!(portcullis::findings::read::read(seed.as_bytes()).is_ok_and(|one| !one.findings.is_empty()));
        report::check(seed.as_bytes());
    }
}

/// Puts a piece of a policy into one of them, before the bytes are changed.
fn mutated_policies(entropy: &SequenceEntropy) -> impl Iterator<Item = Vec<u8>> {
    POLICIES.iter().cycle().map(|seed| {
        let mut dice = [0; 4];
        entropy.fill(&mut dice);
        let [low, high, token, whether] = dice.map(usize::from);
        let at = seed.floor_char_boundary((high * 256 + low) % seed.len());
        let (before, after) = seed.split_at(at);
        let token = if whether % 2 == 0 { TOKENS[token % TOKENS.len()] } else { "" };
        mutated(&format!("{before}{token}{after}"), entropy)
    })
}

#[test]
fn mutated_policies_hold_what_the_fuzz_target_checks() {
    let entropy = SequenceEntropy::seeded(20);
    for policy in mutated_policies(&entropy).take(10_000) {
        aws_policy::check(&policy);
    }
}

#[test]
fn decisions_by_mutated_policies_hold_what_the_fuzz_target_checks() {
    let entropy = SequenceEntropy::seeded(21);
    for policy in mutated_policies(&entropy).take(4_000) {
        decision::check(&policy);
    }
}

#[test]
fn the_policies_of_the_corpus_are_valid_before_they_are_changed() {
    let kinds = [Kind::Managed, Kind::Trust, Kind::Repository, Kind::Registry];
    for (text, kind) in POLICIES.into_iter().zip(kinds) {
        assert_eq!(validate::read(text, kind).err().map(|invalid| invalid.to_string()), None, "{text}");
    }
}
