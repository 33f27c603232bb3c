//! Takes the PROXY header from the beginning of a connection, and not one byte more.

use std::io;

use tokio::io::AsyncReadExt;

use super::socket::Socket;
use crate::client::proxy::{self, Malformed, Reading, Source};

/// How many bytes are looked at at once: more than any header that is not full of extensions.
const LOOK: usize = 512;

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the connection ended in its PROXY header: {0}")]
    Gone(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Waits for a whole header; whom it names.
pub(super) async fn take(socket: &mut Socket) -> Result<Source, Unread> {
    let mut bytes = Vec::new();
    loop {
        let mut ahead = [0; LOOK];
        let count = socket.peek(&mut ahead).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let taken = bytes.len();
        bytes.extend_from_slice(ahead.get(..count).unwrap_or_default());
        let (own, source) = match proxy::read(&bytes)? {
            Reading::Complete { length, source } => (length - taken, Some(source)),
            Reading::Partial => (count, None),
        };
        // They are there already, so this takes no time.
        socket.read_exact(ahead.get_mut(..own).unwrap_or_default()).await?;
        if let Some(source) = source {
            return Ok(source);
        }
    }
}
