//! The chunked coding (RFC 9112 §7.1), followed byte by byte so that its end is known exactly.
//!
//! It decodes nothing: the same bytes are decoded behind it, and there is only one way to read what it lets through.

const MAX_EXTENSION: usize = 256;
const MAX_TRAILERS: usize = 8 * 1024;

/// Where in a chunked body the input stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Chunks {
    /// In the hexadecimal size of a chunk: its value and number of digits so far.
    Size(u64, usize),
    /// In a chunk extension: the size and the length of the extension so far.
    Extension(u64, usize),
    /// After the carriage return that ends a size line.
    SizeEnd(u64),
    /// In the data: bytes to come, at least one.
    Data(u64),
    /// After the data.
    DataEnd,
    /// After the data and a carriage return.
    DataEndCr,
    /// At the start of a trailer line, or of the empty line that ends the body: bytes of trailers so far.
    Trailer(usize),
    /// Inside a trailer line.
    TrailerLine(usize),
    /// After the carriage return that ends a trailer line.
    TrailerLineEnd(usize),
    /// After the carriage return of the last line.
    LastCr,
    /// Behind the body.
    Done,
}

/// Bytes that are no chunked coding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Garbled;

impl Chunks {
    /// Before the first chunk.
    pub(super) const START: Self = Self::Size(0, 0);

    /// Follows `input` as far as the body reaches, and returns how many bytes of it belong to the body.
    ///
    /// # Errors
    /// [`Garbled`] at the first byte that a strict reader would not expect.
    pub(super) fn follow(&mut self, input: &[u8]) -> Result<usize, Garbled> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            match *self {
                Self::Done => break,
                Self::Data(left) => {
                    let here = left.min((input.len() - at) as u64);
                    *self = if here == left { Self::DataEnd } else { Self::Data(left - here) };
                    at += usize::try_from(here).map_err(|_| Garbled)?;
                }
                state => {
                    *self = state.step(byte).ok_or(Garbled)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Size(size, 1..), b'\r') => Some(Self::SizeEnd(size)),
            (Self::Size(size, 1..), b';') => Some(Self::Extension(size, 0)),
            (Self::Size(size, digits @ 0..16), _) => {
                let digit = char::from(byte).to_digit(16)?;
                Some(Self::Size(size << 4 | u64::from(digit), digits + 1))
            }
            (Self::Extension(size, _), b'\r') => Some(Self::SizeEnd(size)),
            (Self::Extension(size, len @ 0..MAX_EXTENSION), b'\t' | b' '..=b'~') => {
                Some(Self::Extension(size, len + 1))
            }
            (Self::SizeEnd(0), b'\n') => Some(Self::Trailer(0)),
            (Self::SizeEnd(size), b'\n') => Some(Self::Data(size)),
            (Self::DataEnd, b'\r') => Some(Self::DataEndCr),
            (Self::DataEndCr, b'\n') => Some(Self::START),
            (Self::Trailer(_), b'\r') => Some(Self::LastCr),
            (Self::LastCr, b'\n') => Some(Self::Done),
            (Self::Trailer(len @ 0..MAX_TRAILERS), b'!'..=b'~') => Some(Self::TrailerLine(len + 1)),
            (Self::TrailerLine(len), b'\r') => Some(Self::TrailerLineEnd(len)),
            (Self::TrailerLine(len @ 0..MAX_TRAILERS), b'\t' | b' '..=b'~') => {
                Some(Self::TrailerLine(len + 1))
            }
            (Self::TrailerLineEnd(len), b'\n') => Some(Self::Trailer(len)),
            _ => None,
        }
    }
}
