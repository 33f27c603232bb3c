//! What conditions compare: numbers, instants, networks, truth. Text that is not one of them is `None`.

use std::net::IpAddr;

/// Places after the decimal point that are kept; more are no number.
const PLACES: u32 = 9;

/// Places before it.
const WHOLE_MAX: usize = 18;

const NANOSECONDS: i128 = 1_000_000_000;

/// A whole or decimal number, in units of 10^-9.
pub(super) fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= PLACES)?;
    if whole.len() > WHOLE_MAX {
        return None;
    }
    let scaled = i128::from(natural(whole)?) * NANOSECONDS;
    Some(sign * (scaled + i128::from(natural(fraction)?) * 10_i128.pow(PLACES - places)))
}

/// Digits only, and at least one.
fn natural(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// An instant, in units of 10^-9 seconds since 1970: ISO 8601 as the W3C profiles it, or seconds since 1970.
pub(super) fn instant(text: &str) -> Option<i128> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let (clock, offset) = clock_and_offset(time)?;
    Some((i128::from(day_number(date)?) * 86_400 - i128::from(offset)) * NANOSECONDS + clock)
}

/// Days from 1970-01-01 to `YYYY-MM-DD` or the first of `YYYY-MM`.
pub(super) fn day_number(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(natural);
    let (year, month) = (parts.next()??, parts.next()??);
    let day = parts.next().unwrap_or(Some(1))?;
    let known = (1970..=9999).contains(&year) && (1..=12).contains(&month) && parts.next().is_none();
    if !known || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    Some(years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `hh:mm[:ss[.f]]` with `Z`, `+hh:mm` or `-hh:mm`: the time of day in 10^-9 seconds, and the offset in seconds.
pub(super) fn clock_and_offset(text: &str) -> Option<(i128, i64)> {
    let (clock, zone) = text.split_at(text.find(['Z', '+', '-'])?);
    let mut parts = clock.split(':');
    let hours = natural(parts.next()?).filter(|hours| *hours < 24)?;
    let minutes = natural(parts.next()?).filter(|minutes| *minutes < 60)?;
    let seconds = number(parts.next().unwrap_or("0")).filter(|seconds| *seconds < 60 * NANOSECONDS)?;
    let clock = i128::from(hours * 3600 + minutes * 60) * NANOSECONDS + seconds;
    if parts.next().is_some() { None } else { Some((clock, offset(zone)?)) }
}

/// `Z`, `+hh:mm` or `-hh:mm` in seconds east.
pub(super) fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let east = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let hours = natural(hours).filter(|hours| *hours < 24)?;
    Some(east * (hours * 3600 + natural(minutes).filter(|minutes| *minutes < 60)? * 60))
}

/// `true` or `false`, in any case.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// An address block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Network {
    /// The address, at the upper end of the bits.
    bits: u128,
    length: u32,
    wide: bool,
}

impl Network {
    /// `address/length`, or an address alone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(u32::try_from(natural(length)?).ok()?)),
            None => (text, None),
        };
        let (bits, width, wide) = match address.parse().ok()? {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32, false),
            IpAddr::V6(v6) => (v6.to_bits(), 128, true),
        };
        let length = length.unwrap_or(width);
        (length <= width).then_some(Self { bits, length, wide })
    }

    /// Whether all of `inner` lies in it. Families never mix.
    pub(super) fn contains(&self, inner: &Self) -> bool {
        let differing = (self.bits ^ inner.bits).leading_zeros();
        self.wide == inner.wide && self.length <= inner.length && differing >= self.length
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, clock_and_offset, instant, number, offset};

    #[test]
    fn numbers_are_whole_or_decimal() {
        assert_eq!(number("5.0"), number("5"));
        assert_eq!(number("-0.5"), Some(-500_000_000));
        for text in ["", "-", "abc", "1e3", "0x1", " 1", "1.", ".5", "+1", "1.2.3", "1.0000000001"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert!(number(&"9".repeat(18)).is_some() && number(&"9".repeat(19)).is_none());
    }

    #[test]
    fn instants_are_read_as_documented() {
        assert_eq!(instant("1970-01-02T00:00:00Z"), instant("86400"));
        assert_eq!(instant("2024-03-01T01:30:00+01:30"), instant("2024-03"));
        assert_eq!(instant("2024-03-01"), instant("1709251200"));
        assert_eq!(instant("2000-12-31"), instant("978220800"));
        assert_eq!(instant("9999-12-31"), instant("253402214400"));
        assert_eq!(instant("2024-03-01T00:00:00.5Z"), instant("1709251200.5"));
        for text in ["2023-02-29", "x", "2024-13-01", "2024-01-01T10", "2024-01-01T24:00Z", "2024-1-1-1", ""]
        {
            assert_eq!(instant(text), None, "{text}");
        }
        assert_eq!(clock_and_offset("00:00:01-01:00"), Some((1_000_000_000, -3600)));
        assert_eq!(offset("+24:00"), None);
    }

    #[test]
    fn networks_contain_their_own_family_only() {
        let within = |outer: &str, inner: &str| {
            Network::parse(outer).unwrap().contains(&Network::parse(inner).unwrap())
        };
        assert!(within("10.9.9.9/8", "10.1.2.3") && within("0.0.0.0/0", "1.2.3.4"));
        assert!(within("2001:db8::/32", "2001:db8::1") && within("10.0.0.0/8", "10.0.0.0/9"));
        assert!(
            !within("10.0.0.0/8", "11.0.0.0") && !within("0.0.0.0/0", "::1") && !within("::/0", "1.2.3.4")
        );
        assert!(!within("10.0.0.0/9", "10.0.0.0/8"));
        for text in ["10.0.0.0/33", "10.0.0", "10.0.0.0/", "10.0.0.0/+8", "::1/129", ""] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
