//! How issuers of identity tokens are asked: one fresh TLS connection for each document, with bounds on time and size.
//!
//! What is asked was named by others: by whoever registered the issuer, and by the issuer itself. So only addresses of the
//! public Internet are connected to, whatever a name resolves to, except where the operator's own configuration says that an
//! issuer is inside. Redirects are not followed, and nothing is sent but the question.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use tokio::time::timeout;

use super::connect::{Dialer, Reach};
use super::settings::{TlsFiles, UpstreamUrl};
use crate::ids::issuer::{DocumentUrl, Issuer, Origin};
use crate::token::federation::{Library, Unread};

/// For one document, connecting included.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest document, in bytes.
const DOCUMENT_MAX: usize = 256 * 1024;

/// The longest token that is sent, in bytes.
const BEARER_MAX: u64 = 16 * 1024;

/// An issuer's origin that may be anywhere, because the operator says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Internal {
    /// Which; also one without TLS, on this machine.
    pub origin: Origin,
    /// The only authorities that are trusted there; `None` for those of the system.
    pub ca: Option<PathBuf>,
    /// The file with a token to show there, read anew each time.
    pub token: Option<PathBuf>,
}

/// Asks issuers.
#[derive(Clone, Debug, Default)]
pub struct Issuers {
    /// The only authorities that are trusted on the public Internet; `None` for those of the system.
    pub ca: Option<PathBuf>,
    /// Those inside.
    pub internal: Vec<Internal>,
}

#[async_trait]
impl Library for Issuers {
    async fn read(&self, issuer: &Issuer, url: &DocumentUrl) -> Result<Vec<u8>, Unread> {
        let inside = self.inside(issuer.origin()).and_then(|_| self.inside(url.origin()));
        let read = timeout(PATIENCE, self.ask(inside, url)).await;
        let read = read.map_err(|_| "it took too long to answer".to_owned());
        read.flatten().map_err(|why| Unread(format!("{url}: {why}")))
    }
}

impl Issuers {
    fn inside(&self, origin: &Origin) -> Option<&Internal> {
        self.internal.iter().find(|internal| internal.origin == *origin)
    }

    /// Reads a document. `inside`: where the operator vouches both for the issuer and for where the document is.
    async fn ask(&self, inside: Option<&Internal>, url: &DocumentUrl) -> Result<Vec<u8>, String> {
        let origin = url.origin();
        if inside.is_none() && !origin.is_encrypted() {
            return Err("it is not https, and no internal origin of the configuration".to_owned());
        }
        let (ca, reach) = match inside {
            Some(internal) => (internal.ca.clone(), Reach::Anywhere),
            None => (self.ca.clone(), Reach::Public),
        };
        let files = TlsFiles { ca, ..TlsFiles::default() };
        let place = UpstreamUrl::parse(origin.as_str()).map_err(|error| error.to_string())?;
        let dialer = Dialer::new(&place, &files, PATIENCE).map_err(|error| error.to_string())?;
        let request = request(url, inside.and_then(|internal| internal.token.as_ref())).await?;
        let answer = dialer.within(reach).ask(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answers {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), DOCUMENT_MAX).collect().await;
        body.map(|body| body.to_bytes().to_vec()).map_err(|error| error.to_string())
    }
}

async fn request(url: &DocumentUrl, token: Option<&PathBuf>) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = Request::get(url.target())
        .header(HOST, url.origin().authority())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "portcullis");
    if let Some(path) = token {
        request = request.header(AUTHORIZATION, bearer(path).await?);
    }
    request.body(Empty::new()).map_err(|error| error.to_string())
}

/// The token in a file, as a header says it.
async fn bearer(path: &PathBuf) -> Result<HeaderValue, String> {
    use tokio::io::AsyncReadExt;
    let shown = path.display();
    let wrong = |error: std::io::Error| format!("{shown}: {error}");
    let file = tokio::fs::File::open(path).await.map_err(wrong)?;
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(BEARER_MAX).read_to_string(&mut text).await.map_err(wrong)?;
    let header = zeroize::Zeroizing::new(format!("Bearer {}", text.trim()));
    let mut value = HeaderValue::from_str(&header).map_err(|_| format!("{shown}: this is no token"))?;
    value.set_sensitive(true);
    Ok(value)
}
