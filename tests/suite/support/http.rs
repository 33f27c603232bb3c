//! A small HTTP/1.1 client over TCP or TLS, for requests that no real client would send.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::image::{Blob, Image, MANIFEST};
use super::wait::PATIENCE;

/// A connection that can be written to and read from.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Someone who speaks HTTP to one server.
#[derive(Clone)]
pub(crate) struct Http {
    address: SocketAddr,
    /// The value of `Host`.
    host: String,
    tls: Option<Arc<ClientConfig>>,
    /// The address that it connects from; `None` for whichever the system chooses.
    from: Option<IpAddr>,
    authorization: Option<String>,
    room: Option<usize>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header, if it came exactly once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        assert!(values.next().is_none(), "`{name}` came twice: {:?}", self.headers);
        Some(value)
    }

    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Connects from one of this machine's addresses.
pub(crate) fn connect_from(source: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

impl Http {
    /// Without TLS.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { address, host: address.to_string(), tls: None, from: None, authorization: None, room: None }
    }

    /// Over TLS to `localhost`, believing one authority.
    pub(crate) fn tls(address: SocketAddr, ca: &Path) -> Self {
        Self::trusting(address, &[ca])
    }

    /// The same, believing several authorities.
    pub(crate) fn trusting(address: SocketAddr, authorities: &[&Path]) -> Self {
        let mut roots = RootCertStore::empty();
        for ca in authorities {
            roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Self::speaking(address, Arc::new(config))
    }

    /// Over TLS to `localhost`, as that says.
    pub(crate) fn speaking(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        let host = format!("localhost:{}", address.port());
        Self { address, host, tls: Some(config), from: None, authorization: None, room: None }
    }

    /// The same server by another of its names.
    pub(crate) fn called(mut self, name: &str) -> Self {
        self.host = format!("{name}:{}", self.address.port());
        self
    }

    /// The same, connecting from another address of this machine.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().unwrap());
        self
    }

    /// The same, sending `Authorization: Basic …` with every request.
    pub(crate) fn basic(mut self, user: &str, password: &str) -> Self {
        let pair = format!("{user}:{password}");
        self.authorization = Some(format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes())));
        self
    }

    /// The same, on connections that hold few bytes which nobody has read.
    pub(crate) fn with_little_room(mut self) -> Self {
        self.room = Some(16 * 1024);
        self
    }

    /// The same, sending `Authorization: Bearer …` with every request.
    pub(crate) fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"")
    }

    /// Sends one request on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.try_send(method, path, headers, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// The same; `None` if there is no answer, or not all of it.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Response> {
        let head = self.head(method, path, headers, body.len());
        parse(&self.raw(&[head.as_bytes(), body].concat()), method)
    }

    /// The head of a request with a body of that length.
    pub(crate) fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.host);
        let own = self.authorization.as_deref().map(|value| ("Authorization", value));
        for (name, value) in own.iter().chain(headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if length > 0 || matches!(method, "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head + "\r\n"
    }

    /// Sends bytes as they are, and returns all that comes back before the other side closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(mut stream) = self.try_connect() else { return Vec::new() };
        // A server may answer and close before it has read everything.
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        read_all(&mut *stream)
    }

    /// What it is called and whom it believes, for other kinds of connections to the same server.
    pub(crate) fn parts(&self) -> (SocketAddr, &str, Option<&ClientConfig>, Option<&str>) {
        (self.address, &self.host, self.tls.as_deref(), self.authorization.as_deref())
    }

    /// A connection, through the TLS handshake if there is one.
    #[track_caller]
    pub(crate) fn connect(&self) -> Box<dyn Stream> {
        self.try_connect().unwrap()
    }

    fn try_connect(&self) -> Option<Box<dyn Stream>> {
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, None).unwrap();
        if let Some(from) = self.from {
            socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        }
        if let Some(room) = self.room {
            socket.set_recv_buffer_size(room).unwrap();
        }
        socket.connect(&self.address.into()).ok()?;
        let socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let Some(config) = &self.tls else { return Some(Box::new(socket)) };
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name).to_owned();
        let name = ServerName::try_from(name).unwrap();
        Some(Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), socket)))
    }

    /// The certificate that the server shows.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        // A resumed session would show the certificate of the first one.
        let mut config = ClientConfig::clone(self.tls.as_ref().unwrap());
        config.resumption = Resumption::disabled();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut socket).unwrap();
        }
        tls.peer_certificates().unwrap()[0].to_vec()
    }

    /// A registry token for some scopes, for whoever this is.
    pub(crate) fn token(&self, scopes: &[&str]) -> String {
        let scopes: String = scopes.iter().map(|scope| format!("&scope={scope}")).collect();
        let answer = self.get(&format!("/oauth/token?service=registry{scopes}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A management call.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &serde_json::Value) -> Response {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(method, path, &[("Content-Type", "application/json"), ("If-Match", "*")], &body)
    }

    /// Begins an upload and returns where it goes on.
    pub(crate) fn begin_upload(&self, name: &str) -> String {
        let begun = self.send("POST", &format!("/v2/{name}/blobs/uploads/"), &[], b"");
        assert_eq!(begun.status, 202, "{}", begun.text());
        path_of(begun.header("location").unwrap()).to_owned()
    }

    /// Pushes a blob in the way of the specification: POST, then one PUT.
    pub(crate) fn push_blob(&self, name: &str, blob: &Blob) -> Response {
        let begun = self.send("POST", &format!("/v2/{name}/blobs/uploads/"), &[], b"");
        if begun.status != 202 {
            return begun;
        }
        let place = path_of(begun.header("location").unwrap());
        let join = if place.contains('?') { '&' } else { '?' };
        let octets = [("Content-Type", "application/octet-stream")];
        self.send("PUT", &format!("{place}{join}digest={}", blob.digest), &octets, &blob.bytes)
    }

    /// Pushes an image blob by blob.
    pub(crate) fn push(&self, image: &Image, name: &str, tag: &str) -> Response {
        for blob in image.blobs() {
            let stored = self.push_blob(name, blob);
            if stored.status != 201 {
                return stored;
            }
        }
        let target = format!("/v2/{name}/manifests/{tag}");
        self.send("PUT", &target, &[("Content-Type", MANIFEST)], &image.manifest.bytes)
    }
}

/// Connects from an IPv4 address of this machine.
pub(crate) fn dial(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// All that comes before the other side closes.
pub(crate) fn read_all(stream: &mut dyn Stream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..count]);
    }
    answer
}

/// The path and query of a `Location`, whether it was absolute or not.
pub(crate) fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("/", |(host, _)| rest.split_at(host.len()).1),
        None => location,
    }
}

/// Reads the last response in some bytes; interim ones (`100 Continue`) before it are skipped.
pub(crate) fn parse(bytes: &[u8], method: &str) -> Option<Response> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 4..]);
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    if (100..200).contains(&status) {
        return parse(body, method);
    }
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let mut response = Response { status, headers: lines.filter_map(header).collect(), body: Vec::new() };
    let without_body = method == "HEAD" || matches!(status, 204 | 304);
    let length = response.header("content-length").and_then(|text| text.parse::<usize>().ok());
    response.body = match length {
        _ if without_body => Vec::new(),
        _ if response.header("transfer-encoding").is_some() => unchunk(body)?,
        Some(length) => body.get(..length)?.to_vec(),
        None => body.to_vec(),
    };
    Some(response)
}

/// The content of a chunked body; `None` if its end is missing.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(content);
        }
        content.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[test]
fn a_cut_answer_is_not_taken_for_a_whole_one() {
    assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "GET").is_none());
    assert!(parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "GET").is_none());
    let whole =
        parse(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", "PUT")
            .unwrap();
    assert_eq!((whole.status, whole.text().as_str()), (201, "hello"));
    let chunked = parse(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "GET",
    )
    .unwrap();
    assert_eq!(chunked.text(), "hello");
    assert!(parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD").unwrap().body.is_empty());
}

#[test]
fn a_location_may_be_absolute_or_not() {
    assert_eq!(
        path_of("https://localhost:8443/v2/a/blobs/uploads/1?_state=x"),
        "/v2/a/blobs/uploads/1?_state=x"
    );
    assert_eq!(path_of("/v2/a"), "/v2/a");
}
