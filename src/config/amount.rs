//! Durations as people write them: `15m`, `1h30m`, `500ms`.

use std::time::Duration;

/// Units of time, largest first, in milliseconds.
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Parses a duration: numbers with units, largest first.
///
/// # Errors
/// What would have been right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is no duration; write a number and a unit, such as 500ms, 30s, 15m, 1h30m, 2d");
    let (mut rest, mut millis, mut smallest) = (text, 0u64, u64::MAX);
    while !rest.is_empty() {
        let (number, tail) = split_number(rest).ok_or_else(wrong)?;
        let length = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(length).ok_or_else(wrong)?;
        let size = TIMES.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size).ok_or_else(wrong)?;
        if size >= smallest {
            return Err(wrong());
        }
        let part = number.checked_mul(size).ok_or_else(wrong)?;
        millis = millis.checked_add(part).ok_or_else(wrong)?;
        (rest, smallest) = (tail, size);
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_millis(millis)) }
}

/// Writes a duration as [`parse_duration`] reads it.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in TIMES {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration_text, parse_duration};

    #[test]
    fn durations_are_read_and_written_back() {
        for (text, millis) in
            [("15m", 900_000), ("1h30m", 5_400_000), ("500ms", 500), ("2d", 172_800_000), ("0s", 0)]
        {
            let duration = parse_duration(text).unwrap();
            assert_eq!((duration, duration_text(duration)), (Duration::from_millis(millis), text.to_owned()));
        }
        for wrong in ["", "15", "m", "15 m", "-1s", "1.5h", "30m1h", "1m1m", "1min", "99999999999999999999d"]
        {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
