//! Whether a condition value is a date, as leniently as AWS reads them: `2026`, `2026-11-21t8:30+01:00`, `01T`, seconds.

use std::ops::RangeInclusive;

/// The years that fit into milliseconds of 64 bits.
const YEARS: RangeInclusive<i64> = -292_275_054..=292_278_993;

/// Whether `text` is an ISO 8601 date, with or without time and zone, or a number of seconds since the epoch.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    match text.split_once('t') {
        Some((date, time)) => is_day(date) && is_time(time),
        None if text.contains('-') => is_day(&text),
        None => number(&text, 0..=i64::MAX),
    }
}

fn is_day(text: &str) -> bool {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let mut parts = digits.split('-');
    let year = parts.next().is_some_and(|year| {
        is_digits(year) && format!("{sign}{year}").parse().is_ok_and(|year: i64| YEARS.contains(&year))
    });
    let month = parts.next().is_none_or(|month| number(month, 1..=12));
    let day = parts.next().is_none_or(|day| number(day, 1..=31));
    year && month && day && parts.next().is_none()
}

/// `hh`, `hh:mm` or `hh:mm:ss.fraction`, with or without a zone; or nothing.
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut parts = clock.split(':');
    let hour = parts.next().is_some_and(|hour| (hour.is_empty() && clock.is_empty()) || number(hour, 0..=23));
    let minute = parts.next().is_none_or(|minute| number(minute, 0..=59));
    let second = parts.next().is_none_or(is_second);
    hour && minute && second && parts.next().is_none() && is_zone(zone)
}

fn is_second(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    number(whole, 0..=59) && fraction.is_none_or(|digits| digits.len() <= 9 && is_digits(digits))
}

/// Nothing, `z`, `+hh` or `+hh:mm`.
fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return matches!(text, "" | "z") };
    let (hours, minutes) = match offset.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None => (offset, "00"),
    };
    hours.len() == 2 && number(hours, 0..=23) && minutes.len() == 2 && number(minutes, 0..=59)
}

fn number(text: &str, range: RangeInclusive<i64>) -> bool {
    is_digits(text) && text.parse().is_ok_and(|value| range.contains(&value))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn dates_are_read_leniently() {
        for text in [
            "2026",
            "0",
            "9223372036854775807",
            "2026-11",
            "2026-11-21",
            "2026-11-21T08:30Z",
            "2026-11-21T08:30:15.123456789Z",
            "2026-11-21t8:30:15-07:00",
            "2016-12-13t2:00:00.593194+23",
            "01T",
            "-292275054",
        ] {
            assert!(is_date(text), "{text}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for text in [
            "",
            "soon",
            "T",
            "9223372036854775808",
            "-",
            "-292275055",
            "2026-13",
            "2026-11-32",
            "2026-11-21-1",
            "2026-11-21T24:00",
            "2026-11-21T08:60",
            "2026-11-21T08:30:60",
            "2026-11-21T08:30:00.1234567890",
            "2026-11-21T08:30:00:00",
            "2026-11-21T:30",
            "2026-11-21T08:30+1",
            "2026-11-21T08:30z1",
            "2026-11-21T08:30+24",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
