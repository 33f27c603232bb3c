//! Tasks of one worker thread. A panic in one of them is logged and ends that task only.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// Spawns HTTP/2 streams on the worker that accepted their connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(contained(future));
    }
}

/// Runs `future`; a panic in it ends here. No `async fn`: that would hold the future twice, as what it was given and as what it
/// runs, for the whole life of a connection.
pub(super) fn contained<F: Future>(future: F) -> impl Future<Output = ()> {
    // Nothing that the future borrowed is looked at again, so a broken invariant cannot be seen.
    AssertUnwindSafe(future).catch_unwind().map(|ended| {
        if let Err(panic) = ended {
            tracing::error!(
                message = message(panic.as_ref()),
                "a request panicked; its connection or stream is cut"
            );
        }
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}
