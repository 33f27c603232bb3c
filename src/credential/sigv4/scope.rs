//! When, where and for what a signature is good: the credential's scope, and the time that was signed.

use super::problem::Problem;
use crate::clock::UnixTime;

/// How far clocks may be apart, in minutes.
const SKEW_MINUTES: i64 = 15;

/// The end of every scope.
const TERMINATOR: &str = "aws4_request";

/// `KEY/YYYYMMDD/REGION/SERVICE/aws4_request`
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Scope {
    pub(super) date: Box<str>,
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
    pub(super) terminator: Box<str>,
}

impl Scope {
    /// Reads a credential: the key's id and the scope.
    pub(super) fn read(credential: &str) -> Result<(Box<str>, Self), Problem> {
        let parts: Vec<&str> = credential.split('/').collect();
        let plain = |part: &&str| {
            (1..=128).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        match parts.as_slice() {
            [key, date, region, service, terminator] if parts.iter().all(plain) => {
                let scope = Self {
                    date: (*date).into(),
                    region: (*region).into(),
                    service: (*service).into(),
                    terminator: (*terminator).into(),
                };
                Ok(((*key).into(), scope))
            }
            _ => Err(Problem::Incomplete(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
                    .to_owned(),
            )),
        }
    }

    /// As it stands in the string to sign.
    pub(super) fn text(&self) -> String {
        format!("{}/{}/{}/{}", self.date, self.region, self.service, self.terminator)
    }

    /// Whether it is for this service and the day of the signature. Any region will do: with an endpoint of its own, a client
    /// signs for whatever region its profile names.
    pub(super) fn check(&self, service: &str, timestamp: &str) -> Result<(), Problem> {
        let wrong = |text: String| Err(Problem::Refused(text));
        if *self.service != *service {
            return wrong(format!("Credential should be scoped to correct service: '{service}'."));
        }
        if *self.terminator != *TERMINATOR {
            return wrong(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                self.terminator
            ));
        }
        if timestamp.get(..8) != Some(&*self.date) {
            return wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{timestamp}'.",
                self.date,
                timestamp.get(..8).unwrap_or_default(),
            ));
        }
        Ok(())
    }
}

/// Reads `YYYYMMDDTHHMMSSZ`.
pub(super) fn instant(text: &str) -> Option<UnixTime> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<i16>().ok()
    };
    let small = |range| i8::try_from(number(range)?).ok();
    let plain = text.len() == 16 && text.get(8..9) == Some("T") && text.ends_with('Z');
    let (year, month, day) = (number(0..4)?, small(4..6)?, small(6..8)?);
    let (hour, minute, second) = (small(9..11)?, small(11..13)?, small(13..15)?);
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok().filter(|_| plain)?;
    Some(UnixTime::from_seconds(zoned.timestamp().as_second()))
}

/// Writes `YYYYMMDDTHHMMSSZ`.
pub(super) fn basic(time: UnixTime) -> String {
    let text = UnixTime::from_seconds(time.seconds()).rfc3339();
    let kept = text.split('.').next().unwrap_or_default();
    kept.chars().filter(|c| !matches!(c, '-' | ':')).chain(['Z']).collect()
}

/// Whether a signature made `at` is for now. `lifetime`: of a presigned URL, in seconds.
pub(super) fn timely(at: UnixTime, lifetime: Option<i64>, now: UnixTime) -> Result<(), Problem> {
    let skew = SKEW_MINUTES * 60;
    let minus = |time: UnixTime, seconds: i64| UnixTime::from_seconds(time.seconds().saturating_sub(seconds));
    let (stamp, today) = (basic(at), basic(now));
    let limit = lifetime.unwrap_or(skew).min(skew);
    let oldest = minus(now, limit);
    if at.seconds() < oldest.seconds() {
        let (oldest, minutes) = (basic(oldest), limit / 60);
        return Err(Problem::Refused(format!(
            "Signature expired: {stamp} is now earlier than {oldest} ({today} - {minutes} min.)"
        )));
    }
    let newest = minus(now, -skew);
    if at.seconds() > newest.seconds() {
        let newest = basic(newest);
        return Err(Problem::Refused(format!(
            "Signature not yet current: {stamp} is still later than {newest} ({today} + {SKEW_MINUTES} min.)"
        )));
    }
    Ok(())
}
