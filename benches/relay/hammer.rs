//! Requests one after another on kept-alive connections, for what wrk cannot read: answers to HEAD have a length and no body.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::client::{Client, Stream};
use crate::contender::Contender;
use crate::round::{Meter, Round};

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(4);

/// One round of HEAD for a path.
pub(crate) fn head(runtime: &Runtime, contender: &Contender, path: &str) -> Round {
    let client = Client::of(contender);
    let request = client.head("HEAD", path, "").into_bytes();
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            streams.push(client.connect().await);
        }
        let meter = Meter::start(contender);
        let until = Instant::now() + ROUND;
        let asking = streams.into_iter().map(|stream| ask(stream, &request, until));
        let answered: u32 = futures_util::future::join_all(asking).await.into_iter().sum();
        meter.stop(f64::from(answered))
    })
}

async fn ask(mut stream: Stream, request: &[u8], until: Instant) -> u32 {
    let mut buffer = vec![0; 16 * 1024];
    let mut answered = 0;
    while Instant::now() < until {
        stream.write_all(request).await.expect("it takes requests");
        stream.flush().await.expect("it takes requests");
        let mut have = 0;
        while !buffer[..have].ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut buffer[have..]).await.expect("it answers");
            assert!(read > 0, "it closes a connection after {answered} answers");
            have += read;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"));
        answered += 1;
    }
    answered
}
