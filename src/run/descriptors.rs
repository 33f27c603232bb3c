//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open beside them: the store, logs, listeners, event loops, and connections to upstreams.
const OTHERS: u64 = 1024;

/// Takes all that the system allows, and says so when that is not enough for `connections` clients.
pub fn raise(connections: usize) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
    let needed = needed(connections);
    if let Some(allowed) = getrlimit(Resource::Nofile).current.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            "limits.max_connections needs {needed} open files, and {allowed} are allowed: raise that limit \
             (LimitNOFILE, ulimit -Hn) or lower max_connections"
        );
    }
}

fn needed(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS)
}

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, getrlimit};

    use super::{needed, raise};

    #[test]
    fn the_process_may_open_as_many_files_as_the_system_allows() {
        raise(10);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(needed(10_000), 11_024);
    }
}
