//! Host names as clients write them, in the one spelling that is ever compared.

use super::{Malformed, text_type};

/// A host name or IP literal without a port, lower-case and without a trailing dot.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HostName(Box<str>);

impl HostName {
    /// Parses a DNS name, an IPv4 address, or an IPv6 address in brackets; folds case and one trailing dot.
    ///
    /// # Errors
    /// [`Malformed`] for empty, over-long or otherwise unusual text (RFC 9110 §7.2 leaves no room for user info,
    /// commas, paths or spaces).
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let folded = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let bracketed = folded.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ok = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => folded.len() <= 253 && folded.split('.').all(is_label),
        };
        if ok { Ok(Self(folded.into())) } else { Err(Malformed::new(text, "a host name")) }
    }

    /// Splits `host[:port]`, as in a `Host` header or an `:authority`.
    ///
    /// # Errors
    /// [`Malformed`] when the host is no host name or the port is not 1 to 65535 without leading zeros.
    pub fn parse_with_port(text: &str) -> Result<(Self, Option<u16>), Malformed> {
        let malformed = || Malformed::new(text, "a host name with an optional port");
        let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
        let tail = text.get(after_bracket..).unwrap_or_default();
        let Some(colon) = tail.find(':') else { return Ok((Self::parse(text)?, None)) };
        let (host, port) = text.split_at_checked(after_bracket + colon).ok_or_else(malformed)?;
        let digits = port.strip_prefix(':').unwrap_or_default();
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        let port = digits.parse::<u16>().ok().filter(|_| plain).ok_or_else(malformed)?;
        Ok((Self::parse(host)?, Some(port)))
    }

    /// The canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

text_type!(HostName);

#[cfg(test)]
mod tests {
    use super::HostName;

    #[test]
    fn case_and_a_trailing_dot_do_not_make_another_host() {
        assert_eq!(HostName::parse("CR.Test.").unwrap().as_str(), "cr.test");
        assert_eq!(HostName::parse_with_port("[::1]:8443").unwrap().1, Some(8443));
        assert_eq!(HostName::parse_with_port("cr.test:8443").unwrap().0.as_str(), "cr.test");
    }

    #[test]
    fn hosts_that_smuggle_something_are_refused() {
        for wrong in ["", "a b", "u@x", "x/../y", "ev\"il", "cr.test,evil", "cr..test", "-a", "a_b", "é.test"]
        {
            assert!(HostName::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["x:0", "x:99999", "x:", "x:08", "x:1:2", "[::1", "::1", "x:+1"] {
            assert!(HostName::parse_with_port(wrong).is_err(), "{wrong}");
        }
    }
}
