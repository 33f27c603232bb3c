//! One request head, line by line, held to a grammar that leaves no second reading (RFC 9112 §2 to §6, RFC 9110 §5).
//!
//! It never repairs anything: a head is passed on as it came, or refused.

use super::super::rejection::Rejection;
use crate::ids::host::HostName;

const MAX_REQUEST_LINE: usize = 16 * 1024;
const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;
/// How many bytes are looked at together.
const BLOCK: usize = 32;

/// How the body after a head is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// There is none.
    Empty,
    /// This many bytes, at least one.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// A head that is sound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Complete {
    /// Bytes from the start of the input to the end of the head.
    pub(super) len: usize,
    /// What follows.
    pub(super) framing: Framing,
    /// Whether no further request may follow on the connection.
    pub(super) last: bool,
}

/// Reads one head; fed the same input again, grown at its end, until it is complete.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    checked: usize,
    line_start: usize,
    after_cr: bool,
    blank_before: bool,
    head: Head,
}

impl HeadReader {
    /// Whether nothing of a head has come yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.checked == 0
    }

    /// Whether it is that of a `HEAD`, as far as it has come.
    pub(super) fn is_of_head(&self) -> bool {
        self.head.of_head
    }

    /// Looks at what has come since the last call. `None`: more is needed.
    ///
    /// # Errors
    /// As soon as no continuation could make the head sound, so that a malformed one never waits for its end.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Option<Complete>, Rejection> {
        loop {
            if !self.after_cr {
                self.checked += printable_run(input.get(self.checked..).unwrap_or_default());
                self.within_limits()?;
            }
            let Some(&byte) = input.get(self.checked) else { return Ok(None) };
            self.checked += 1;
            match byte {
                b'\n' if self.after_cr => {
                    let line = input.get(self.line_start..self.checked - 2).unwrap_or_default();
                    (self.line_start, self.after_cr) = (self.checked, false);
                    if let Some(complete) = self.end_of_line(line)? {
                        return Ok(Some(complete));
                    }
                }
                b'\n' => return Err(Rejection::malformed("a line ends without a carriage return")),
                _ if self.after_cr => return Err(Rejection::malformed("a carriage return stands alone")),
                b'\r' => self.after_cr = true,
                _ => return Err(Rejection::malformed("the head has bytes that are not printable ASCII")),
            }
            self.within_limits()?;
        }
    }

    fn within_limits(&self) -> Result<(), Rejection> {
        if !self.head.begun && self.checked - self.line_start > MAX_REQUEST_LINE {
            Err(Rejection::target_too_long())
        } else if self.checked >= MAX_HEAD {
            Err(Rejection::head_too_large())
        } else {
            Ok(())
        }
    }

    fn end_of_line(&mut self, line: &[u8]) -> Result<Option<Complete>, Rejection> {
        let text = std::str::from_utf8(line).unwrap_or_default();
        match (self.head.begun, text) {
            (true, "") => {
                let framing = self.head.finish()?;
                return Ok(Some(Complete { len: self.checked, framing, last: self.head.last }));
            }
            (true, field) => self.head.field(field)?,
            // One empty line before a request is tolerated (RFC 9112 §2.2).
            (false, "") if !self.blank_before => self.blank_before = true,
            (false, "") => return Err(Rejection::malformed("empty lines precede the request")),
            (false, request) => self.head.request_line(request)?,
        }
        Ok(None)
    }
}

/// What is known of a head so far.
#[derive(Debug, Default)]
struct Head {
    begun: bool,
    bodiless: bool,
    of_head: bool,
    old: bool,
    last: bool,
    fields: usize,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
    expects: bool,
}

impl Head {
    fn request_line(&mut self, line: &str) -> Result<(), Rejection> {
        self.begun = true;
        let malformed = Rejection::malformed("the request line is not METHOD SP /path SP HTTP/1.1");
        let (method, rest) = line.split_once(' ').ok_or(malformed)?;
        let (target, version) = rest.rsplit_once(' ').ok_or(malformed)?;
        match version {
            "HTTP/1.1" => {}
            "HTTP/1.0" => (self.old, self.last) = (true, true),
            _ => return Err(malformed),
        }
        if !is_token(method) {
            return Err(malformed);
        }
        if !is_known_method(method) {
            return Err(Rejection::method());
        }
        (self.bodiless, self.of_head) = (matches!(method, "GET" | "HEAD"), method == "HEAD");
        check_target(target)
    }

    fn field(&mut self, line: &str) -> Result<(), Rejection> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(Rejection::head_too_large());
        }
        if line.starts_with([' ', '\t']) {
            return Err(Rejection::malformed("a field line begins with a space"));
        }
        let (name, value) = line.split_once(':').ok_or(Rejection::malformed("a field line has no colon"))?;
        if !is_token(name) || name.contains('_') {
            return Err(Rejection::malformed("a field name is not made of letters, digits and dashes"));
        }
        let value = value.trim_matches([' ', '\t']);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.host(value)
        } else if is("content-length") {
            self.content_length(value)
        } else if is("transfer-encoding") {
            self.transfer_encoding(value)
        } else if is("expect") {
            self.expect(value)
        } else {
            self.last |=
                is("connection") && value.split(',').any(|token| token.trim().eq_ignore_ascii_case("close"));
            Ok(())
        }
    }

    fn host(&mut self, value: &str) -> Result<(), Rejection> {
        self.hosts += 1;
        HostName::parse_with_port(value).map_err(|_| Rejection::malformed("the Host is not host[:port]"))?;
        Ok(())
    }

    fn content_length(&mut self, value: &str) -> Result<(), Rejection> {
        let malformed = Rejection::malformed("the Content-Length is not one plain number");
        if self.length.is_some() {
            return Err(malformed);
        }
        self.length = Some(plain_number(value).ok_or(malformed)?);
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &str) -> Result<(), Rejection> {
        if self.chunked {
            return Err(Rejection::malformed("Transfer-Encoding is given twice"));
        }
        if !value.eq_ignore_ascii_case("chunked") {
            return Err(unknown_coding(value));
        }
        self.chunked = true;
        Ok(())
    }

    fn expect(&mut self, value: &str) -> Result<(), Rejection> {
        if self.expects || !value.eq_ignore_ascii_case("100-continue") {
            return Err(Rejection::expectation());
        }
        self.expects = true;
        Ok(())
    }

    fn finish(&self) -> Result<Framing, Rejection> {
        if self.hosts != 1 {
            return Err(Rejection::malformed("there is not exactly one Host"));
        }
        let framing = match (self.chunked, self.length) {
            (true, Some(_)) => return Err(Rejection::malformed("both Content-Length and Transfer-Encoding")),
            (true, None) if self.old => return Err(Rejection::malformed("Transfer-Encoding in HTTP/1.0")),
            (true, None) => Framing::Chunked,
            (false, None | Some(0)) => Framing::Empty,
            (false, Some(length)) => Framing::Length(length),
        };
        match framing {
            Framing::Empty if self.expects => Err(Rejection::expectation()),
            Framing::Length(_) | Framing::Chunked if self.bodiless => {
                Err(Rejection::malformed("GET and HEAD have no body"))
            }
            Framing::Empty | Framing::Length(_) | Framing::Chunked => Ok(framing),
        }
    }
}

/// Whether `method` is one that anything here answers. Methods are case-sensitive (RFC 9110 §9.1).
pub(in crate::edge) fn is_known_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS")
}

/// Holds a request target to origin form: one leading slash, and only what RFC 3986 allows in a path and a query.
///
/// # Errors
/// A 400 for anything else: absolute form, `*`, `//`, fragments, backslashes.
pub(in crate::edge) fn check_target(target: &str) -> Result<(), Rejection> {
    if target.starts_with('/') && !target.starts_with("//") && target.bytes().all(is_legal_in_target) {
        Ok(())
    } else {
        Err(Rejection::malformed("the request target is not a path that begins with one slash"))
    }
}

const fn is_legal_in_target(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// How many bytes at the start of `text` may stand within a line. Looked at in blocks, without a branch for each byte: most of
/// a head is one long token.
fn printable_run(text: &[u8]) -> usize {
    let printable = |byte: u8| (byte == b'\t') | (b' '..=b'~').contains(&byte);
    let sound = |block: &&[u8]| block.iter().fold(true, |all, &byte| all & printable(byte));
    let whole = BLOCK * text.chunks_exact(BLOCK).take_while(sound).count();
    let rest = text.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|&&byte| printable(byte)).count()
}

/// Digits without sign, leading zeros or anything else.
pub(in crate::edge) fn plain_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_of_token)
}

const fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+')
        || matches!(byte, b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Codings that exist get 501 (RFC 9112 §6.1), anything else is malformed.
fn unknown_coding(value: &str) -> Rejection {
    let lower = value.to_ascii_lowercase();
    let known = |coding: &str| matches!(coding, "gzip" | "x-gzip" | "compress" | "x-compress" | "deflate");
    match lower.rsplit_once(',') {
        Some((before, "chunked" | " chunked")) if before.split(',').all(|coding| known(coding.trim())) => {
            Rejection::transfer_coding()
        }
        _ => Rejection::malformed("the Transfer-Encoding is not exactly `chunked`"),
    }
}
