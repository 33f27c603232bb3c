//! The digests that manifests and layers are checked by.

use aws_lc_rs::digest::{Context, SHA256, SHA512, digest};
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

/// Content that is hashed as it comes.
#[derive(Clone)]
pub(super) struct Hashing(Context);

impl Hashing {
    /// By the algorithm that `expected` names.
    pub(super) fn by(expected: &Digest) -> Self {
        let long = expected.as_str().starts_with("sha512:");
        Self(Context::new(if long { &SHA512 } else { &SHA256 }))
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Whether all that came hashes to `expected`.
    pub(super) fn gives(self, expected: &Digest) -> bool {
        let hex = expected.as_str().split_once(':').unwrap_or_default().1;
        HEXLOWER.encode(self.0.finish().as_ref()) == hex
    }
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Hashing, matches, sha256};
    use crate::registry::reference::Digest;

    #[test]
    fn both_algorithms_are_checked_by_name() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").unwrap().as_str(), format!("sha256:{empty}"));
        assert!(matches(&sha256(b"x").unwrap(), b"x") && !matches(&sha256(b"x").unwrap(), b"y"));
        let long = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                    47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        let long = Digest::parse(&format!("sha512:{long}")).unwrap();
        assert!(matches(&long, b""));
        for expected in [sha256(b"xy").unwrap(), long] {
            let mut hashing = Hashing::by(&expected);
            let right = expected.as_str().starts_with("sha256:");
            for piece in ["x", "y"].iter().filter(|_| right) {
                hashing.take(piece.as_bytes());
            }
            assert!(hashing.clone().gives(&expected));
            hashing.take(b"z");
            assert!(!hashing.gives(&expected));
        }
    }
}
