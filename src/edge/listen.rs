//! Listening sockets: one per worker and address, so that the kernel spreads connections and no worker hands them over.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// Connections that the kernel keeps ready for a worker.
pub(super) const BACKLOG: i32 = 1024;
/// Unsent bytes that the kernel holds per connection before it asks for no more: bounds memory for slow readers and
/// makes their progress visible.
const UNSENT_LOW_WATER: u32 = 128 * 1024;

/// Binds `address` once per worker. Port 0 picks one free port, the same for all workers.
///
/// # Errors
/// The first failure of the operating system, with the address in its message.
pub fn bind(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    let explain =
        |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    let first = bind_one(address).map_err(explain)?;
    let chosen = first.local_addr().map_err(explain)?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(bind_one(chosen).map_err(explain)?);
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit these, which saves the calls per connection.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(UNSENT_LOW_WATER)?;
    let probes =
        TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
    socket.set_tcp_keepalive(&probes.with_retries(3))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::bind;

    #[test]
    fn port_zero_gives_all_workers_the_same_port() {
        let listeners = bind("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        let ports: std::collections::HashSet<u16> =
            listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        assert_eq!((listeners.len(), ports.len()), (3, 1));
        assert!(!ports.contains(&0));
    }

    #[test]
    fn a_failure_names_the_address() {
        let error = bind("192.0.2.1:0".parse().unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains("cannot listen on 192.0.2.1:0"), "{error}");
    }
}
