//! Clear text where TLS is spoken: told what is wrong, which says more than a closed connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::socket::Socket;

/// The first byte of every TLS connection: a record that holds a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Nothing in it comes from the client: the request is not even read.
const ADVICE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 102\r\n\
Cache-Control: no-store\r\nConnection: close\r\n\r\n\
{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"This port speaks TLS: use https:// in place of http://\"}]}";

/// Whether a client begins with something else than TLS. Waits for its first byte.
pub(super) async fn is_spoken(socket: &Socket) -> io::Result<bool> {
    Ok(socket.first_byte().await?.is_some_and(|byte| byte != HANDSHAKE))
}

/// Gives the advice, and waits a little for the client to take it.
pub(super) async fn refuse(mut socket: Socket, patience: Duration) {
    let farewell = async {
        socket.write_all(ADVICE).await?;
        socket.shutdown().await?;
        // Closing on unread bytes would reset the connection, and the advice with it.
        let mut unread = [0; 1024];
        while socket.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // A client that does not take it needs no more of it.
    let _ = timeout(patience, farewell).await;
}

#[cfg(test)]
mod tests {
    use super::ADVICE;

    #[test]
    fn the_advice_is_as_long_as_it_says() {
        let text = std::str::from_utf8(ADVICE).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
