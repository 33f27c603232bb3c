//! How the authority is asked: one fresh TLS connection for each request, with bounds on time and size.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt, Limited};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::time::timeout;

use crate::forward::connect::Dialer;
use crate::forward::settings::{TlsFiles, UpstreamUrl};

/// For one request, connecting included.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer.
const ANSWER_MAX: usize = 1024 * 1024;

/// Asks authorities.
pub(super) struct Transport {
    /// Who may vouch for them; `None` for whomever the system believes.
    pub(super) ca: Option<PathBuf>,
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let files = TlsFiles { ca: self.ca.clone(), ..TlsFiles::default() };
        Box::pin(async move {
            let asked = timeout(PATIENCE, ask(request, files)).await;
            asked.map_err(|_| failed("the authority took too long to answer"))?
        })
    }
}

async fn ask(mut request: Request<BodyWrapper<Bytes>>, files: TlsFiles) -> Result<BytesResponse, Error> {
    let uri = request.uri().clone();
    // Every URL but the first is the authority's own word.
    if uri.scheme_str() != Some("https") {
        return Err(failed("the authority names a URL that is not https"));
    }
    let authority = uri.authority().ok_or_else(|| failed("the authority names a URL without a host"))?;
    let url = UpstreamUrl::parse(&format!("https://{authority}")).map_err(failed)?;
    let dialer = Dialer::new(&url, &files, PATIENCE).map_err(failed)?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(failed)?);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse::<Uri>()?;
    let (mut sender, connection) = dialer.dial().await.map_err(|fault| failed(fault.to_string()))?;
    // Ends with the connection, which ends with its one request.
    tokio::spawn(async move { connection.await.ok() });
    let (parts, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(Error::Other)?.to_bytes();
    Ok(BytesResponse { parts, body: Box::new(body) })
}

fn failed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Other(why.into())
}
