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
/// The first failure of the operating system, with the address and what to do in its message.
pub fn bind(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    let explain = |error: io::Error| {
        let advice = advice(error.kind());
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}{advice}"))
    };
    demand_free(address).map_err(explain)?;
    let first = bind_one(address).map_err(explain)?;
    let chosen = first.local_addr().map_err(explain)?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(bind_one(chosen).map_err(explain)?);
    }
    Ok(listeners)
}

const fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => "; choose another port, or end what listens there (`ss -ltnp` shows it)",
        io::ErrorKind::AddrNotAvailable => "; choose an address of this machine",
        io::ErrorKind::PermissionDenied => {
            "; choose a port from 1024 on, or give the program the capability CAP_NET_BIND_SERVICE"
        }
        _ => "",
    }
}

/// Sockets that share their port would share it with another server of the same user too, and the kernel would spread
/// connections over both. One that does not share it tells.
fn demand_free(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
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
    fn a_port_that_another_server_listens_on_is_refused() {
        let first = bind("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let address = first[0].local_addr().unwrap();
        let error = bind(address, 2).unwrap_err().to_string();
        assert!(error.contains("in use") && error.contains("choose another port"), "{error}");
        drop(first);
        assert!(bind(address, 2).is_ok());
    }

    #[test]
    fn a_failure_names_the_address() {
        let error = bind("192.0.2.1:0".parse().unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains("cannot listen on 192.0.2.1:0"), "{error}");
    }
}
