//! The registry behind all proxies, when it is not docker-registry: it answers from memory, takes uploads without
//! keeping them, and counts what it is asked, so that what is measured is the proxy.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::image::{Image, Object};

/// The running server; it lives as long as the program.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    asked: Arc<Asked>,
}

type Asked = Mutex<HashMap<String, u64>>;

impl Origin {
    pub(crate) async fn start(image: &Image) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let asked = Arc::new(Asked::default());
        let serves = Arc::new((image.paths(), Arc::clone(&asked)));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let _ = stream.set_nodelay(true);
                let serves = Arc::clone(&serves);
                let service = hyper::service::service_fn(move |request| {
                    let serves = Arc::clone(&serves);
                    async move { answer(request, &serves.0, &serves.1).await }
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .max_buf_size(256 << 10)
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(serving.await) });
            }
        });
        Self { address, asked }
    }

    /// What has been asked since the last call, as `GET /path` and how often.
    pub(crate) fn asked(&self) -> HashMap<String, u64> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panics here"))
    }
}

async fn answer(
    request: Request<Incoming>,
    objects: &HashMap<String, Object>,
    asked: &Asked,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    {
        let mut asked = asked.lock().expect("nobody panics here");
        let key = (head.method.as_str(), head.uri.path());
        // An allocation for the first question only.
        match asked.get_mut(&*format!("{} {}", key.0, key.1)) {
            Some(count) => *count += 1,
            None => drop(asked.insert(format!("{} {}", key.0, key.1), 1)),
        }
    }
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        taken += frame.data_ref().map_or(0, Bytes::len);
    }
    let reply = Response::builder().header("docker-distribution-api-version", "registry/2.0");
    let path = head.uri.path();
    let uploads = format!("/v2/{}/blobs/uploads/", crate::image::REPOSITORY);
    let made = match head.method {
        Method::GET | Method::HEAD => match objects.get(path) {
            Some(object) => found(reply, object, head.method == Method::HEAD),
            None if path == "/_auth" => reply.status(StatusCode::NO_CONTENT).body(Full::default()),
            None if path == "/v2/" => reply.body(Full::from("{}")),
            None => reply.status(StatusCode::NOT_FOUND).body(Full::default()),
        },
        Method::POST if path == uploads => accepted(reply, &uploads, 0),
        Method::PATCH => accepted(reply, &uploads, taken),
        Method::PUT => reply.status(StatusCode::CREATED).body(Full::default()),
        _ => reply.status(StatusCode::METHOD_NOT_ALLOWED).body(Full::default()),
    };
    Ok(made.expect("valid headers"))
}

type Built = Result<Response<Full<Bytes>>, http::Error>;

fn found(reply: http::response::Builder, object: &Object, head: bool) -> Built {
    let reply = reply
        .header("content-type", object.kind)
        .header("docker-content-digest", &object.digest)
        .header("etag", format!("\"{}\"", object.digest))
        .header("content-length", object.bytes.len());
    reply.body(if head { Full::default() } else { Full::new(object.bytes.clone()) })
}

fn accepted(reply: http::response::Builder, uploads: &str, taken: usize) -> Built {
    let reply = reply
        .status(StatusCode::ACCEPTED)
        .header("location", format!("{uploads}6e2f1c7a-54a3-4f46-9a4e-0f3d6f7d9f10?_state=bench"))
        .header("docker-upload-uuid", "6e2f1c7a-54a3-4f46-9a4e-0f3d6f7d9f10")
        .header("range", format!("0-{}", taken.saturating_sub(1)))
        .header("content-length", 0);
    reply.body(Full::default())
}
