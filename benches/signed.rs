//! What a signed call costs before it is decided: reading the claim, and verifying it with a key that is derived anew, and with
//! one that was kept. Calls per second are those of one core.

use std::hint::black_box;

use aws_lc_rs::{digest, hmac};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue};
use portcullis::credential::sigv4::Received;
use portcullis::credential::sigv4::canonical::Paths;
use portcullis::credential::sigv4::claim::Claim;
use portcullis::credential::sigv4::keys::SigningKeys;
use portcullis::secret::Secret;

/// The product's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SCOPE: &str = "20261121/us-south/sts/aws4_request";
const DATE: &str = "20261121T000000Z";

fn hash(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// The headers of a call that is signed as AWS's clients sign it.
fn headers() -> Option<HeaderMap> {
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let names = "content-type;host;x-amz-date";
    let canonical =
        format!("POST\n/\n\ncontent-type:{kind}\nhost:a.test\nx-amz-date:{DATE}\n\n{names}\n{}", hash(BODY));
    let text = format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{}", hash(&canonical));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in SCOPE.split('/').chain([text.as_str()]) {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    let signature = HEXLOWER.encode(&key);
    let credential = format!("AKIAIOSFODNN7EXAMPLE/{SCOPE}");
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&authorization).ok()?);
    headers.insert("content-type", HeaderValue::from_static(kind));
    headers.insert("x-amz-date", HeaderValue::from_static(DATE));
    Some(headers)
}

fn signed(criterion: &mut Criterion) {
    let Some(headers) = headers() else { return };
    let received = Received { method: "POST", path: "/", query: "", host: "a.test", headers: &headers };
    let secret = Secret::from(SECRET);
    let mut group = criterion.benchmark_group("signed calls");
    group.throughput(Throughput::Elements(1));
    let keys = SigningKeys::new(4096);
    let call = |keep: bool| {
        let claim = Claim::read(black_box(&received)).ok().flatten();
        claim.is_some_and(|claim| {
            let key = keys.key(&claim, &secret);
            let fits = claim.verify(&key, &received, BODY.as_bytes(), Paths::Normalised).is_ok();
            if keep {
                keys.keep(&claim, &secret, &key);
            }
            fits
        })
    };
    // A bench of refusals would be a fast one.
    assert!(call(false), "the signature is good");
    group.bench_function("with a key derived anew", |bencher| bencher.iter(|| call(false)));
    call(true);
    group.bench_function("with a key that was kept", |bencher| bencher.iter(|| call(true)));
    group.finish();
}

criterion_group!(benches, signed);
criterion_main!(benches);
