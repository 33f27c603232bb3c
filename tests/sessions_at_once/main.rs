//! Ten thousand sessions of a role live at once: each is in its token, so they cost the server what its caches hold and no more.
//! In a binary of its own, because the allocator counts.

#![cfg(test)]

mod installation;

use allocation_counter::measure;
use portcullis::credential::session::Temporary;
use tokio::runtime::Builder;

use installation::Installed;

/// How many there are.
const SESSIONS: usize = 10_000;

/// What the caches may hold of them, in bytes: 4096 sessions' policies and signing keys.
const CACHES: i64 = 32 << 20;

/// What may come and go besides.
const NOISE: i64 = 512 << 10;

#[test]
fn ten_thousand_sessions_live_at_once_in_the_memory_of_the_caches() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let installed = runtime.block_on(Installed::open(folder.path()));
    // What the clients hold is theirs.
    let sessions: Vec<Temporary> = (0..SESSIONS).map(|number| installed.begin(number)).collect();
    let used = |sessions: &[Temporary]| {
        let all = || {
            runtime.block_on(async {
                for session in sessions {
                    let caller = installed.call(session).await.unwrap();
                    assert_eq!(caller.principal(), &session.session.principal);
                }
            });
        };
        measure(all).bytes_current
    };
    used(&sessions[..10]);
    let first = used(&sessions);
    assert!(first < CACHES, "{first} bytes are kept of the first use of each");
    let again = used(&sessions);
    assert!(again.abs() < NOISE, "{again} bytes more are kept of the second");
    let last = used(&sessions);
    assert!(last.abs() < NOISE, "{last} bytes more are kept of the third");
}
