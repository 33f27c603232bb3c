//! Clear text where TLS is spoken: told what is wrong, which says more than a closed connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::socket::Socket;

/// How the requests of HTTP/1.1 begin. Anything else, a PROXY header for one, is left to fail as TLS.
const METHODS: [&[u8]; 6] = [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE "];

/// Nothing in it comes from the client: the request is not even read.
const ADVICE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 102\r\n\
Cache-Control: no-store\r\nConnection: close\r\n\r\n\
{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"This port speaks TLS: use https:// in place of http://\"}]}";

/// Whether a client begins with HTTP where TLS is spoken. Waits for its first bytes, and leaves them where they are.
pub(super) async fn is_spoken(socket: &Socket) -> io::Result<bool> {
    let mut first = [0; 8];
    let count = socket.peek(&mut first).await?;
    let first = first.get(..count).unwrap_or_default();
    Ok(METHODS.iter().any(|method| first.starts_with(method)))
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
