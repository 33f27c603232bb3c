//! The digests that manifests are checked by.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use data_encoding::HEXLOWER;

use crate::registry::reference::Digest;

/// The `sha256` digest of `content`; `None` cannot happen, as hex of the right length always parses.
pub(super) fn sha256(content: &[u8]) -> Option<Digest> {
    Digest::parse(&format!("sha256:{}", HEXLOWER.encode(digest(&SHA256, content).as_ref()))).ok()
}

/// Whether `content` hashes to `expected`, by the algorithm that `expected` names.
pub(super) fn matches(expected: &Digest, content: &[u8]) -> bool {
    let (algorithm, hex) = expected.as_str().split_once(':').unwrap_or_default();
    let algorithm = if algorithm == "sha512" { &SHA512 } else { &SHA256 };
    HEXLOWER.encode(digest(algorithm, content).as_ref()) == hex
}

#[cfg(test)]
mod tests {
    use super::{matches, sha256};
    use crate::registry::reference::Digest;

    #[test]
    fn both_algorithms_are_checked_by_name() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").unwrap().as_str(), format!("sha256:{empty}"));
        assert!(matches(&sha256(b"x").unwrap(), b"x") && !matches(&sha256(b"x").unwrap(), b"y"));
        let long = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                    47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        assert!(matches(&Digest::parse(&format!("sha512:{long}")).unwrap(), b""));
    }
}
