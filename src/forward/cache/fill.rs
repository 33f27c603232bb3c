//! Whoever pours: reads the upstream once, and fills a window of memory or a file.
//!
//! It goes on as long as anybody takes what it pours. What does not hash to its name never ends cleanly where it goes through a
//! file: its last piece is held back until the hash is known.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use tokio::time::timeout;

use super::disk::draft::Draft;
use super::disk::{Disk, Layer};
use super::object::Object;
use super::pour::{Over, Pour};
use super::{Shelf, Stamp};
use crate::admit::fault::Fault;
use crate::forward::body::ForwardBody;
use crate::forward::digest::Hashing;

/// How much is gathered before it is written, if it comes at once.
const GATHERED: usize = 256 * 1024;
/// How long the slow are waited for, the first time; each time after that, half as long.
const LAG: Duration = Duration::from_millis(250);

/// How long nobody may take it before it is given up.
const GRACE: Duration = Duration::from_millis(250);

/// Pours through memory. Nobody looks at the content: its reader does.
pub(super) async fn through_memory(mut body: ForwardBody, pour: Arc<Pour>) {
    let _ending = Ending(Arc::clone(&pour));
    let mut patience = LAG;
    let over = loop {
        if !is_wanted(&pour).await {
            break Over::Abandoned;
        }
        match gather(&mut body, &pour).await {
            Gathered::Pieces(pieces) => pieces.into_iter().for_each(|piece| pour.push(piece)),
            Gathered::End => break Over::Whole,
            Gathered::Broken(fault) => break Over::Broken(fault),
            Gathered::Deserted => continue,
        }
        while timeout(patience, poll_fn(|cx| pour.poll_room(cx))).await.is_err() {
            if pour.shed() {
                patience /= 2;
            } else {
                // Everybody is slow: they set the pace.
                patience = patience.max(LAG / 8);
            }
        }
    };
    pour.end(over);
}

/// However whoever pours ends, those who wait hear of it.
struct Ending(Arc<Pour>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(Over::Abandoned);
    }
}

/// Where a file goes when it is whole.
pub(super) struct Destination {
    pub(super) disk: Arc<Disk>,
    pub(super) shelf: Shelf,
    pub(super) stamp: Stamp,
}

/// Pours into a file, which becomes the layer of that name if it hashes to it.
pub(super) async fn into_file(mut body: ForwardBody, pour: Arc<Pour>, draft: Draft, to: Destination) {
    let _ending = Ending(Arc::clone(&pour));
    let over = written(&mut body, &pour, draft, to).await;
    // Before whoever waits is told: the connection is free for the next one.
    drop(body);
    pour.end(over);
}

async fn written(body: &mut ForwardBody, pour: &Pour, mut draft: Draft, to: Destination) -> Over {
    let digest = pour.place.digest();
    let mut hashing = Hashing::by(digest);
    loop {
        if !is_wanted(pour).await {
            return Over::Abandoned;
        }
        let before = draft.written();
        match gather(body, pour).await {
            Gathered::Pieces(pieces) => {
                pieces.iter().for_each(|piece| hashing.take(piece));
                if let Err(error) = draft.write(pieces).await {
                    tracing::warn!(%error, "a layer is not kept in cache.disk");
                    return Over::Abandoned;
                }
                pour.reach(before);
            }
            Gathered::End => break,
            Gathered::Broken(fault) => return Over::Broken(fault),
            Gathered::Deserted => {}
        }
    }
    let length = draft.written();
    if length != pour.object.length() {
        return Over::Broken(Fault::UpstreamBroken("a body that is shorter than announced".into()));
    }
    match draft.publish(&to.disk, hashing, &Layer::of(&to.shelf.upstream, digest)).await {
        Ok(Some(stored)) => {
            let object = Arc::new(Object::on_disk(&pour.object, &stored));
            to.shelf.keep(pour.place.clone(), &object, to.stamp);
        }
        Ok(None) => {
            return Over::Broken(Fault::UpstreamBroken("content that does not hash to its digest".into()));
        }
        // It is what it should be, all the same.
        Err(error) => tracing::warn!(%error, "a layer is not kept in cache.disk"),
    }
    pour.reach(length);
    Over::Whole
}

/// Whether anybody takes it, or is about to: those who wait for its beginning join when they run next.
async fn is_wanted(pour: &Pour) -> bool {
    timeout(GRACE, poll_fn(|cx| pour.poll_wanted(cx))).await.is_ok()
}

enum Gathered {
    Pieces(Vec<Bytes>),
    End,
    Broken(Fault),
    Deserted,
}

/// What has come since the last time, at least one piece.
async fn gather(body: &mut ForwardBody, pour: &Pour) -> Gathered {
    let (mut pieces, mut length) = (Vec::new(), 0);
    poll_fn(|cx| {
        loop {
            if length >= GATHERED {
                return Poll::Ready(Gathered::Pieces(std::mem::take(&mut pieces)));
            }
            let next = Pin::new(&mut *body).poll_frame(cx);
            match next {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        length += data.len();
                        pieces.push(data);
                    }
                }
                // What came before is passed on first: a body that is over says so again.
                Poll::Ready(None) if pieces.is_empty() => return Poll::Ready(Gathered::End),
                Poll::Ready(Some(Err(fault))) => return Poll::Ready(Gathered::Broken(fault)),
                Poll::Pending if pieces.is_empty() => {
                    return pour.poll_deserted(cx).map(|()| Gathered::Deserted);
                }
                Poll::Ready(None) | Poll::Pending => {
                    return Poll::Ready(Gathered::Pieces(std::mem::take(&mut pieces)));
                }
            }
        }
    })
    .await
}
