//! What conditions compare: numbers, instants, networks, bytes. Text that is not one of them is `None`.

use std::net::IpAddr;

/// Places after the decimal point that are kept; more are no number.
const PLACES: usize = 9;

/// A whole or decimal number, in units of 10^-9.
pub(crate) fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let readable = all_digits(whole) && all_digits(fraction) && whole.len() <= 18 && fraction.len() <= PLACES;
    let padded = format!("{whole}{fraction:0<PLACES$}");
    if readable { Some(sign * padded.parse::<i128>().ok()?) } else { None }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// An instant, in units of 10^-9 seconds since 1970: ISO 8601 as the W3C profiles it, or seconds since 1970.
pub(crate) fn instant(text: &str) -> Option<i128> {
    if number(text).is_some() {
        return number(text);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let (clock, offset) = clock_and_offset(time)?;
    Some((i128::from(day_number(date)?) * 86_400 - i128::from(offset)) * 1_000_000_000 + clock)
}

/// Days from 1970-01-01 to `YYYY-MM-DD` or the first of `YYYY-MM`, counted one year and one month at a time.
pub(crate) fn day_number(date: &str) -> Option<i64> {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day) = match parts[..] {
        [year, month] => (year, month, 1),
        [year, month, day] => (year, month, day),
        _ => return None,
    };
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
    {
        return None;
    }
    let years: i64 = (1970..year).map(|y| (1..=12).map(|m| days_in(y, m)).sum::<i64>()).sum();
    let months: i64 = (1..month).map(|m| days_in(year, m)).sum();
    Some(years + months + day - 1)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `hh:mm[:ss[.f]]` with `Z`, `+hh:mm` or `-hh:mm`: the time of day in 10^-9 seconds, and the offset in
/// seconds.
pub(crate) fn clock_and_offset(text: &str) -> Option<(i128, i64)> {
    let at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let parts: Vec<i128> = clock.split(':').map(number).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] => (hours, minutes, 0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    // `number` counts in 10^-9. Only seconds have a fraction.
    let unit = 1_000_000_000;
    let whole = |part: i128, end: i128| part % unit == 0 && (0..end * unit).contains(&part);
    if !whole(hours, 24) || !whole(minutes, 60) || !(0..60 * unit).contains(&seconds) {
        return None;
    }
    let clock = hours * 3600 + minutes * 60 + seconds;
    Some((clock, offset(zone)?))
}

/// `Z`, `+hh:mm` or `-hh:mm` in seconds east.
pub(crate) fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let east = if zone.strip_prefix('-').is_some() { -1 } else { 1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let within = |part: &str, end: i64| part.parse::<i64>().ok().filter(|part| (0..end).contains(part));
    Some(east * (within(hours, 24)? * 3600 + within(minutes, 60)? * 60))
}

/// `true` or `false`, in any case.
pub(crate) fn truth(text: &str) -> Option<bool> {
    text.to_lowercase().parse().ok()
}

/// The bytes of base64 text with its padding.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bits = String::new();
    for c in body.chars() {
        bits.push_str(&format!("{:06b}", ALPHABET.find(c)?));
    }
    let whole = bits.len() / 8 * 8;
    let byte = |chunk: &[char]| u8::from_str_radix(&chunk.iter().collect::<String>(), 2).ok();
    bits.chars().take(whole).collect::<Vec<_>>().chunks(8).map(byte).collect()
}

/// An address block: the bits that count, as text of `0` and `1`, and how many bits an address of the family
/// has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    prefix: String,
    width: usize,
}

/// `address/length`, or an address alone.
pub(crate) fn network(text: &str) -> Option<Network> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<usize>().ok()?)),
        None => (text, None),
    };
    let bits = match address.parse().ok()? {
        IpAddr::V4(v4) => format!("{:032b}", v4.to_bits()),
        IpAddr::V6(v6) => format!("{:0128b}", v6.to_bits()),
    };
    let width = bits.len();
    let length = length.unwrap_or(width);
    (length <= width).then(|| Network { prefix: bits.chars().take(length).collect(), width })
}

/// Whether all of `inner` lies in `outer`. Families never mix.
pub(crate) fn contains(outer: &Network, inner: &Network) -> bool {
    outer.width == inner.width && inner.prefix.starts_with(&outer.prefix)
}

#[test]
fn values_are_read_as_documented() {
    assert_eq!(number("5.0"), number("5"));
    assert_eq!(number("-0.5"), Some(-500_000_000));
    assert!(number("10") > number("9.75"));
    assert!(["", "abc", "1e3", "0x1", " 1", "1.", ".5"].iter().all(|text| number(text).is_none()));
    assert_eq!(instant("1970-01-02T00:00:00Z"), instant("86400"));
    assert_eq!(instant("2024-03-01T01:30:00+01:30"), instant("2024-03"));
    assert_eq!(instant("2024-03-01"), instant("1709251200"));
    assert_eq!(instant("2024-03-01T00:00:00.5Z"), instant("1709251200.5"));
    assert!(["2023-02-29", "x", "2024-13-01", "2024-01-01T10"].iter().all(|text| instant(text).is_none()));
    assert_eq!(bytes("aGk="), Some(b"hi".to_vec()));
    assert_eq!(bytes(""), Some(Vec::new()));
    assert!(["aGk", "!!!!", "a==="].iter().all(|text| bytes(text).is_none()));
    let within = |outer: &str, inner: &str| contains(&network(outer).unwrap(), &network(inner).unwrap());
    assert!(
        within("10.9.9.9/8", "10.1.2.3")
            && within("0.0.0.0/0", "1.2.3.4")
            && within("2001:db8::/32", "2001:db8::1")
    );
    assert!(!within("10.0.0.0/8", "11.0.0.0") && !within("0.0.0.0/0", "::1") && !within("::/0", "1.2.3.4"));
    assert!(network("10.0.0.0/33").is_none() && network("10.0.0").is_none());
}
