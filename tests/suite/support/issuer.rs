//! An issuer of identity tokens, as CI systems and clusters have one: over TLS, with keys that change and outages.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificate;

/// A private key, and what it is called.
pub(crate) struct Key {
    id: String,
    pair: RsaKeyPair,
}

impl Key {
    pub(crate) fn fresh(id: &str) -> Self {
        Self { id: id.to_owned(), pair: RsaKeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.id, "x5t": self.id});
        let message = format!("{}.{}", encoded(&header), encoded(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn published(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let (n, e) = (public.modulus(), public.exponent());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(n.big_endian_without_leading_zero()), "e": number(e.big_endian_without_leading_zero()),
        })
    }
}

/// One part of a token.
pub(crate) fn encoded(part: &Value) -> String {
    BASE64URL_NOPAD.encode(part.to_string().as_bytes())
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the issuer's clock is the machine's")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What the server's thread reads.
struct State {
    url: String,
    keys: Mutex<Vec<Value>>,
    down: AtomicBool,
    stopped: AtomicBool,
    /// The paths that were asked for.
    asked: Mutex<Vec<String>>,
    /// Who does not show this is refused.
    bearer: Option<String>,
}

/// A running issuer; it stops with this value.
pub(crate) struct Issuer {
    /// `https://localhost:PORT/PATH`
    pub(crate) url: String,
    ca: PathBuf,
    key: Key,
    address: SocketAddr,
    state: Arc<State>,
    folder: TempDir,
}

impl Issuer {
    /// One that anybody may ask.
    pub(crate) fn start(path: &str) -> Self {
        Self::with_bearer(path, None)
    }

    /// A cluster's, which answers only those who show a token.
    pub(crate) fn with_bearer(path: &str, bearer: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = certificate::make(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://localhost:{}{path}", address.port());
        let key = Key::fresh("one");
        let state = Arc::new(State {
            url: url.clone(),
            keys: Mutex::new(vec![key.published()]),
            down: AtomicBool::default(),
            stopped: AtomicBool::default(),
            asked: Mutex::default(),
            bearer: bearer.map(str::to_owned),
        });
        let chain = CertificateDer::pem_file_iter(&files.chain).unwrap().collect::<Result<_, _>>().unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&files.key).unwrap())
            .unwrap();
        let (config, seen) = (Arc::new(config), Arc::clone(&state));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if seen.stopped.load(Ordering::SeqCst) {
                    return;
                }
                // Who goes away in the middle is none of the issuer's business.
                let _ = serve(stream, &config, &seen);
            }
        });
        Self { url, ca: files.ca, key, address, state, folder }
    }

    /// What the settings of Portcullis must say of it.
    pub(crate) fn settings(&self) -> String {
        let token = self.state.bearer.as_ref().map_or_else(String::new, |bearer| {
            let path = self.folder.path().join("reader.token");
            std::fs::write(&path, bearer).unwrap();
            format!("token_file = \"{}\"\n", path.display())
        });
        let origin = format!("https://localhost:{}", self.address.port());
        format!(
            "[[federation.internal]]\norigin = \"{origin}\"\nca_file = \"{}\"\n{token}",
            self.ca.display()
        )
    }

    /// The issuer without its scheme, as ARNs and condition keys have it.
    pub(crate) fn name(&self) -> &str {
        self.url.strip_prefix("https://").unwrap()
    }

    /// A token with these claims besides its issuer and times.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.key.sign(&self.claims(claims))
    }

    /// All claims of such a token.
    pub(crate) fn claims(&self, more: &Value) -> Value {
        let mut claims = json!({"iss": self.url, "iat": now(), "nbf": now(), "exp": now() + 600});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// Publishes another key, and signs with it from now on.
    pub(crate) fn rotate(&mut self) {
        self.key = Key::fresh("two");
        *self.state.keys.lock().unwrap() = vec![self.key.published()];
    }

    /// Answers nobody any more, or again.
    pub(crate) fn down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|path| path.ends_with("/keys")).count()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: TcpStream, config: &Arc<rustls::ServerConfig>, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    if state.down.load(Ordering::SeqCst) {
        return Ok(());
    }
    let connection = rustls::ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    state.asked.lock().unwrap().push(path.clone());
    let known = state.bearer.as_ref().is_none_or(|bearer| {
        head.lines().any(|line| line.eq_ignore_ascii_case(&format!("authorization: Bearer {bearer}")))
    });
    let document = match path.as_str() {
        _ if !known => None,
        path if path.ends_with("/.well-known/openid-configuration") => {
            Some(json!({"issuer": state.url, "jwks_uri": format!("{}/keys", state.url)}))
        }
        path if path.ends_with("/keys") => Some(json!({"keys": *state.keys.lock().unwrap()})),
        _ => None,
    };
    let (status, body) =
        document.map_or(("403 Forbidden", String::new()), |json| ("200 OK", json.to_string()));
    let length = body.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    reader.get_mut().conn.send_close_notify();
    reader.get_mut().flush()
}
