//! Where traces are sent: a collector that the operator has named, over HTTP with JSON (OTLP). One connection for each message, which
//! tells of many requests.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::Full;
use tokio::time::timeout;

use super::connect::{Dialer, TlsError};
use super::settings::{TlsFiles, UpstreamUrl};

/// Where OTLP takes traces.
const PATH: &str = "/v1/traces";
/// For one message, connecting and the answer included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes traces.
#[derive(Debug)]
pub struct Collector {
    dialer: Dialer,
    host: String,
    path: String,
}

impl Collector {
    /// The collector at `url`; `ca` names the only authorities that are trusted there.
    ///
    /// # Errors
    /// [`TlsError`] when the file cannot be used.
    pub fn new(url: &UpstreamUrl, ca: Option<PathBuf>) -> Result<Self, TlsError> {
        let dialer = Dialer::new(url, &TlsFiles { ca, ..TlsFiles::default() }, PATIENCE)?;
        let path = format!("{}{PATH}", url.prefix());
        Ok(Self { dialer, host: url.authority().to_owned(), path })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, message: Vec<u8>) -> Result<(), String> {
        let request = Request::post(&self.path)
            .header(HOST, &self.host)
            .header(CONTENT_LENGTH, message.len())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("portcullis"))
            .body(Full::new(Bytes::from(message)))
            .map_err(|error| error.to_string())?;
        let answered = timeout(PATIENCE, self.dialer.ask(request)).await;
        let answer = answered.map_err(|_| "it took too long to answer".to_owned())??;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}
