//! One spelling per signature: of the two values of `s` that verify, only the lower one is ours.
//!
//! ECDSA accepts `(r, s)` and `(r, n - s)` alike, so a stranger could respell a token without knowing the key, and slip
//! past whatever remembers tokens by their text.

/// The order of P-256 (FIPS 186-4, D.1.2.3), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Half the order, rounded down: the greatest low `s`.
const HALF: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde,
    0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether a signature of 64 bytes, `r` then `s`, has the low `s`.
pub(super) fn is_low(signature: &[u8; 64]) -> bool {
    halves(signature).is_some_and(|(_, s)| s <= HALF)
}

/// The spelling of `signature` with the low `s`; `None` unless it has 64 bytes and `s` is below the order.
pub(super) fn normalised(signature: &[u8]) -> Option<[u8; 64]> {
    let signature: [u8; 64] = signature.try_into().ok()?;
    let (r, s) = halves(&signature)?;
    if s <= HALF {
        return Some(signature);
    }
    let low = order_minus(s)?;
    let mut normalised = signature;
    for (to, from) in normalised.iter_mut().zip(r.iter().chain(&low)) {
        *to = *from;
    }
    Some(normalised)
}

fn halves(signature: &[u8; 64]) -> Option<([u8; 32], [u8; 32])> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    Some((*r, s.try_into().ok()?))
}

/// `ORDER - s`, by subtraction with borrow from the last byte on; `None` if `s` is greater than the order.
pub(super) fn order_minus(s: [u8; 32]) -> Option<[u8; 32]> {
    let mut difference = ORDER;
    let mut borrow = false;
    for (digit, subtrahend) in difference.iter_mut().zip(s).rev() {
        let (once, under) = digit.overflowing_sub(subtrahend);
        let (twice, again) = once.overflowing_sub(u8::from(borrow));
        *digit = twice;
        borrow = under || again;
    }
    (!borrow).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::{HALF, ORDER, is_low, normalised, order_minus};

    fn with_s(s: [u8; 32]) -> [u8; 64] {
        let mut signature = [7; 64];
        signature[32..].copy_from_slice(&s);
        signature
    }

    #[test]
    fn half_the_order_is_the_greatest_low_s() {
        let mut above = HALF;
        above[31] += 1;
        // The order is odd, so the two halves differ by one.
        assert_eq!(order_minus(HALF), Some(above));
        assert!(is_low(&with_s(HALF)) && !is_low(&with_s(above)));
        assert_eq!(normalised(&with_s(above)), Some(with_s(HALF)));
        assert_eq!(normalised(&with_s(HALF)), Some(with_s(HALF)));
        assert_eq!(order_minus(ORDER), Some([0; 32]));
    }

    #[test]
    fn what_is_no_signature_is_not_normalised() {
        assert_eq!(normalised(&with_s([0xff; 32])), None);
        assert_eq!(normalised(&[0; 63]), None);
        assert_eq!(normalised(&[0; 65]), None);
    }
}
