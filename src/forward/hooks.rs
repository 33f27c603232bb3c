//! How webhooks are told: one fresh connection for each message, with bounds on time and size.
//!
//! An endpoint was named by whoever administers the account, who need not be the operator of this machine. So messages go over
//! TLS to addresses of the public Internet, whatever a name resolves to, except to this machine and to where the operator's own
//! configuration says that a receiver is inside. Redirects are not followed, of the answer only the status is read, and
//! nothing is sent but the message.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http_body_util::Full;
use tokio::time::timeout;

use super::connect::{Dialer, Reach};
use super::settings::{TlsFiles, UpstreamUrl};
use crate::ids::issuer::{DocumentUrl, Origin};

/// A receiver that may be anywhere, because the operator says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inside {
    /// Where; also without TLS, on this machine.
    pub origin: Origin,
    /// The only authorities that are trusted there; `None` for those of the system.
    pub ca: Option<PathBuf>,
}

/// Tells webhooks.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// The only authorities that are trusted on the public Internet; `None` for those of the system.
    pub ca: Option<PathBuf>,
    /// Whether this machine may be told, by its very name.
    pub loopback: bool,
    /// Those inside.
    pub internal: Vec<Inside>,
    /// For one message, connecting and the answer included.
    pub patience: Duration,
}

impl Hooks {
    /// How far a connection to there may reach, and whom it trusts.
    ///
    /// # Errors
    /// Why nothing may go there at all, and what would change that.
    pub fn way(&self, to: &DocumentUrl) -> Result<(Reach, Option<PathBuf>), String> {
        let origin = to.origin();
        if let Some(inside) = self.internal.iter().find(|inside| inside.origin == *origin) {
            return Ok((Reach::Anywhere, inside.ca.clone()));
        }
        if origin.is_loopback() {
            let advice = "write [[alerts.internal]] with this origin into the configuration";
            return match self.loopback {
                true => Ok((Reach::Anywhere, self.ca.clone())),
                false => Err(format!("messages do not go to this machine ({origin}): {advice}")),
            };
        }
        Ok((Reach::Public, self.ca.clone()))
    }

    /// Sends a message, and says with which status it was answered.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn post(
        &self,
        to: &DocumentUrl,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<u16, String> {
        let sent = timeout(self.patience, self.send(to, headers, body)).await;
        sent.map_err(|_| "it took too long to answer".to_owned()).flatten()
    }

    async fn send(&self, to: &DocumentUrl, headers: &[(&str, &str)], body: Vec<u8>) -> Result<u16, String> {
        let (reach, ca) = self.way(to)?;
        let files = TlsFiles { ca, ..TlsFiles::default() };
        let place = UpstreamUrl::parse(to.origin().as_str()).map_err(|error| error.to_string())?;
        let dialer = Dialer::new(&place, &files, self.patience).map_err(|error| error.to_string())?;
        let mut request = Request::post(to.target())
            .header(HOST, to.origin().authority())
            .header(CONTENT_LENGTH, body.len())
            .header(USER_AGENT, "portcullis");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        Ok(dialer.within(reach).ask(request).await?.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Hooks, Inside};
    use crate::forward::connect::Reach;
    use crate::ids::issuer::DocumentUrl;

    fn hooks(loopback: bool) -> Hooks {
        let origin = "https://hooks.corp.test:8443".parse().unwrap();
        let internal = vec![Inside { origin, ca: Some("ca.pem".into()) }];
        Hooks { ca: None, loopback, internal, patience: Duration::from_secs(5) }
    }

    fn reach(hooks: &Hooks, url: &str) -> Result<Reach, String> {
        hooks.way(&DocumentUrl::parse(url).unwrap()).map(|(reach, _)| reach)
    }

    #[test]
    fn only_what_the_operator_vouches_for_may_be_inside() {
        let open = hooks(true);
        assert_eq!(reach(&open, "https://alerts.example.com/x"), Ok(Reach::Public));
        assert_eq!(reach(&open, "https://10.0.0.1/x"), Ok(Reach::Public), "refused when it is connected to");
        assert_eq!(reach(&open, "https://hooks.corp.test:8443/x"), Ok(Reach::Anywhere));
        assert_eq!(reach(&open, "https://hooks.corp.test/x"), Ok(Reach::Public), "that is another origin");
        assert_eq!(reach(&open, "http://127.0.0.1:9/x"), Ok(Reach::Anywhere));
        assert!(reach(&hooks(false), "http://127.0.0.1:9/x").is_err());
        assert!(DocumentUrl::parse("http://alerts.example.com/x").is_err(), "nothing goes out in the clear");
    }

    #[tokio::test]
    async fn an_address_inside_is_never_connected_to() {
        for url in ["https://10.255.255.1/x", "https://169.254.169.254/latest", "https://[fd00::1]/x"] {
            let to = DocumentUrl::parse(url).unwrap();
            let why = hooks(true).post(&to, &[], Vec::new()).await.unwrap_err();
            assert!(why.contains("no address on the public Internet"), "{url}: {why}");
        }
    }
}
