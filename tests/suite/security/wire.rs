//! One connection, spoken to byte by byte, for as many requests as it lasts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::client::Trust;
use crate::support::http::Stream;
use crate::support::portcullis::Portcullis;
use crate::support::wait::PATIENCE;

/// A connection to the public listener.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// One answer on it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The value of a header, if there is one.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        assert!(values.next().is_none(), "`{name}` came twice: {:?}", self.headers);
        Some(value)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The id that log and audit know the request by.
    pub(super) fn request_id(&self) -> &str {
        self.header("x-request-id").unwrap_or_else(|| panic!("no request id: {self:?}"))
    }

    /// All that a client can compare, with the request's id and the time taken out.
    pub(super) fn faceless(&self) -> String {
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("date"))
            .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
            .filter(|line| !line.starts_with("content-length: "))
            .collect();
        headers.sort();
        // The length that was announced counts the id, which is one digit longer now and then.
        let announced = self.header("content-length").map_or(0, |length| length.parse::<usize>().unwrap());
        let ids = self.text().matches(self.request_id()).count() * self.request_id().len();
        headers.push(format!("content-length: {}", announced.saturating_sub(ids)));
        let shown = format!("{} {}\n{}", self.status, headers.join("\n"), self.text());
        shown.replace(self.request_id(), "ID")
    }
}

impl Wire {
    /// Opens one, through the TLS handshake as every client does it.
    pub(super) fn open(at: &Portcullis) -> Self {
        Self::over(at.http().connect())
    }

    /// Opens one from another of this machine's addresses.
    pub(super) fn from(at: &Portcullis, source: &str) -> Self {
        Self::over(at.http().from(source).connect())
    }

    /// Opens one with another server name, or other protocols on offer.
    pub(super) fn with_tls(at: &Portcullis, server_name: &str, protocols: &[&str]) -> Self {
        Self::over(Box::new(tls(at, server_name, protocols)))
    }

    /// Speaks on a stream that is open already.
    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// Sends bytes as they are. A server that has closed already is no failure here.
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush());
    }

    /// Sends one request and reads its answer.
    pub(super) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        let request = request.as_ref();
        self.send(request);
        let method =
            String::from_utf8_lossy(request.split(|b| *b == b' ').next().unwrap_or_default()).into_owned();
        self.answer(&method)
            .unwrap_or_else(|| panic!("closed without an answer to {}", String::from_utf8_lossy(request)))
    }

    /// Reads the next answer; `None` when the connection ends before it is whole.
    pub(super) fn answer(&mut self, method: &str) -> Option<Answer> {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let head = String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let mut answer = Answer { status, headers: lines.filter_map(header).collect(), body: Vec::new() };
        if (100..200).contains(&status) || matches!(status, 204 | 304) || method == "HEAD" {
            return Some(answer);
        }
        answer.body = match answer.header("content-length") {
            Some(length) => self.exactly(length.parse().ok()?)?,
            None if answer.header("transfer-encoding").is_some() => self.chunks()?,
            None => panic!("an answer whose end is not marked: {answer:?}"),
        };
        Some(answer)
    }

    /// Whether nothing more comes, and the other side closes.
    pub(super) fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && self.more().is_none() && self.unread.is_empty()
    }

    /// All bytes that still come before the other side closes.
    pub(super) fn rest(mut self) -> Vec<u8> {
        while self.more().is_some() {}
        self.unread
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let end = loop {
                match self.unread.windows(2).position(|two| two == b"\r\n") {
                    Some(end) => break end,
                    None => self.more()?,
                }
            };
            let line = self.exactly(end + 2)?;
            let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
            let chunk = self.exactly(size + 2)?;
            content.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Some(content);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.more()?;
        }
        Some(self.unread.drain(..length).collect())
    }

    /// Reads on; `None` at the end. A connection that neither ends nor says anything stops the test.
    fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(count @ 1..) => {
                self.unread.extend_from_slice(&chunk[..count]);
                Some(())
            }
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                panic!("neither an answer nor an end within {PATIENCE:?}")
            }
            Ok(_) | Err(_) => None,
        }
    }
}

/// A TLS stream to the public listener.
pub(super) fn tls(
    at: &Portcullis,
    server_name: &str,
    protocols: &[&str],
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(server_name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(tls_settings(at, protocols), name).unwrap(), socket(at))
}

/// A bare socket to the public listener.
pub(super) fn socket(at: &Portcullis) -> TcpStream {
    let socket = TcpStream::connect(address(at)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Where the public listener listens.
pub(super) fn address(at: &Portcullis) -> SocketAddr {
    at.host().replace("localhost", "127.0.0.1").parse().unwrap()
}

/// What a client needs to speak TLS to the server.
pub(super) fn tls_settings(at: &Portcullis, protocols: &[&str]) -> Arc<ClientConfig> {
    let Trust::Authority(ca) = at.trust() else { panic!("the public listener speaks TLS") };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}
