//! HTTP/2, with many requests at once on one connection.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::http::{Http, path_of};
use super::image::Blob;

/// One connection. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Http2 {
    sender: SendRequest<Full<Bytes>>,
    origin: String,
    authorization: String,
}

impl Http2 {
    /// Connects as someone who has spoken HTTP/1.1 so far.
    pub(crate) async fn like(http: &Http) -> Self {
        let (address, host, tls, authorization) = http.parts();
        let mut config = tls.unwrap().clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            origin: format!("https://{host}"),
            authorization: authorization.unwrap_or_default().to_owned(),
        }
    }

    /// Sends one request; returns the status, the path of `Location` and the body.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, String, Bytes) {
        self.try_send(method, path, body).await.unwrap()
    }

    /// The same; an error when its stream ends before its answer does.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(u16, String, Bytes), hyper::Error> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header("authorization", &self.authorization)
            .header("content-type", "application/octet-stream")
            .body(Full::from(body))
            .unwrap();
        let answer = self.sender.clone().send_request(request).await?;
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, path_of(&location.unwrap_or_default()).to_owned(), body))
    }

    /// Pushes one blob in one piece.
    pub(crate) async fn store(&self, name: &str, blob: &Blob) {
        let (status, place, _) = self.send("POST", &format!("/v2/{name}/blobs/uploads/"), Vec::new()).await;
        assert_eq!(status, 202);
        let path = format!("{place}&digest={}", blob.digest);
        let (status, _, body) = self.send("PUT", &path, blob.bytes.clone()).await;
        assert_eq!(status, 201, "{body:?}");
    }

    /// Pulls one blob.
    pub(crate) async fn blob(&self, name: &str, digest: &str) -> Bytes {
        let (status, _, body) = self.send("GET", &format!("/v2/{name}/blobs/{digest}"), Vec::new()).await;
        assert_eq!(status, 200, "{body:?}");
        body
    }
}
