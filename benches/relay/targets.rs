//! What is aimed at, and what must be reached: ratios in one run, and two plain figures.

/// One row of the table.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    ProxiedAgainstNginx,
    ProxiedAgainstAuthRequest,
    ProxiedAgainstJwtVerify,
    KeptAgainstProxyCache,
    KeptAgainstRegistry,
    Download,
    Upload,
    Handshakes,
    Grants,
    Storm,
    IdleMemory,
    Latency,
    Scale,
}

/// What it says.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) against: &'static str,
    pub(crate) must: f64,
    pub(crate) aim: f64,
    /// Whether less is better.
    pub(crate) less: bool,
}

impl Target {
    pub(crate) const ALL: [Self; 13] = [
        Self::ProxiedAgainstNginx,
        Self::ProxiedAgainstAuthRequest,
        Self::ProxiedAgainstJwtVerify,
        Self::KeptAgainstProxyCache,
        Self::KeptAgainstRegistry,
        Self::Download,
        Self::Upload,
        Self::Handshakes,
        Self::Grants,
        Self::Storm,
        Self::IdleMemory,
        Self::Latency,
        Self::Scale,
    ];

    pub(crate) fn row(self) -> Row {
        let more = |what, against, must, aim| Row { what, against, must, aim, less: false };
        let less = |what, against, must, aim| Row { what, against, must, aim, less: true };
        let proxied = "authorised manifest, passed on, requests per CPU-second";
        let kept = "authorised manifest from memory, requests/s";
        match self {
            Self::ProxiedAgainstNginx => more(proxied, "nginx, asking nobody", 0.95, 1.2),
            Self::ProxiedAgainstAuthRequest => more(proxied, "nginx, auth_request", 1.8, 2.5),
            Self::ProxiedAgainstJwtVerify => more(proxied, "HAProxy, jwt_verify ES256", 2.0, 4.0),
            Self::KeptAgainstProxyCache => more(kept, "nginx, auth_request and proxy_cache", 1.5, 2.5),
            Self::KeptAgainstRegistry => more(kept, "docker-registry, token auth", 10.0, 25.0),
            Self::Download => more("blob download, bytes per CPU-second", "nginx, the better way", 1.7, 2.5),
            Self::Upload => more("blob upload, bytes per CPU-second", "nginx, unbuffered", 1.2, 1.5),
            Self::Handshakes => more("full TLS handshakes per CPU-second", "nginx", 1.5, 2.0),
            Self::Grants => more("warm token grants per CPU-second", "none: a figure", 20_000.0, 50_000.0),
            Self::Storm => less(
                "cold storm of 500 clients: upstream requests for one object",
                "none: a figure",
                1.0,
                1.0,
            ),
            Self::IdleMemory => less("memory of an idle TLS connection", "nginx", 1.0, 0.6),
            Self::Latency => less("p99 at half load", "nginx, asking nobody", 1.1, 0.9),
            Self::Scale => {
                more("the same work with 10⁶ policies, per CPU-second", "itself with 10³", 0.95, 1.0)
            }
        }
    }
}

impl Row {
    /// What has become of it.
    pub(crate) fn verdict(&self, reached: f64) -> &'static str {
        let (as_must, as_aim) = if self.less {
            (reached <= self.must, reached <= self.aim)
        } else {
            (reached >= self.must, reached >= self.aim)
        };
        match (as_must, as_aim) {
            (_, true) => "aim reached",
            (true, false) => "reached",
            (false, false) => "missed",
        }
    }
}
