//! A fresh installation with one role, whose sessions sign calls.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue};
use portcullis::admit::authenticate::Authenticator;
use portcullis::admit::caller::Caller;
use portcullis::admit::origin::Origin;
use portcullis::admit::signature::Unproven;
use portcullis::client::address::ClientAddr;
use portcullis::clock::{ManualClock, SystemEntropy, UnixTime};
use portcullis::credential::session::{Kind, Limit, Sealer, Session, Temporary};
use portcullis::credential::sigv4::Received;
use portcullis::credential::sigv4::claim::Claim;
use portcullis::ids::account::AccountId;
use portcullis::ids::aws::{RoleId, SessionKeyId};
use portcullis::ids::principal::PrincipalId;
use portcullis::network::endpoint::Endpoint;
use portcullis::policy::aws::arn::{Name, Path as Filed};
use portcullis::policy::aws::kind::Kind as DocumentKind;
use portcullis::run::init;
use portcullis::run::sources::Sources;
use portcullis::store::aws::role::Role;
use portcullis::store::aws::text::DocumentText;
use portcullis::store::identity::Stamp;
use portcullis::view::{Settings, View};
use tokio::runtime::Handle;

/// When everything happens: 2026-11-21T00:00:00Z.
const NOW: i64 = 1_795_219_200;

/// A policy that each session is limited by.
const LIMIT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}"#;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;

const SETTINGS: &str = r#"
[account]
id = "123456789012"
[store]
url = "sqlite:FOLDER/portcullis.db"
master_key_file = "FOLDER/master.key"
[[registry]]
name = "us.registry.test"
region = "us-south"
upstream = "http://127.0.0.1:9"
[[listener]]
address = "127.0.0.1:0"
surfaces = ["registry"]
"#;

/// What proves callers, over a real store.
pub(crate) struct Installed {
    authenticator: Authenticator,
    sealer: Sealer,
    role: RoleId,
}

impl Installed {
    /// In that folder; on the runtime that it is called on.
    pub(crate) async fn open(folder: &Path) -> Self {
        let text = SETTINGS.replace("FOLDER", &folder.display().to_string());
        let settings = portcullis::config::parse(Path::new("test.toml"), &text, []).unwrap().settings;
        let clock = Arc::new(ManualClock::at(UnixTime::from_seconds(NOW)));
        let sources = Sources { clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let installation = init::open(&settings, &sources).await.unwrap();
        let api_key = Some("sessions-at-once-administrator-0123456789abcdef");
        let given = init::Given { api_key, ..init::Given::default() };
        init::ensure(&installation, &settings, false, given, &sources, None).await.unwrap();
        let init::Installation { store, master, pepper } = installation;
        let account = account();
        let role = Role {
            id: RoleId::fresh(&account, &SystemEntropy),
            name: Name::parse("builder").unwrap(),
            path: Filed::parse("/").unwrap(),
            trust: DocumentText::read(TRUST, DocumentKind::Trust).unwrap().0,
            description: String::new(),
            max_session: 3600,
            last_used: None,
            stamp: Stamp::new(UnixTime::from_seconds(NOW)),
        };
        let view = View::new(Arc::clone(&store), Handle::current(), account.clone(), Settings::default());
        // It returns when the view has heard of it.
        store.insert_role(&role, None, &[]).await.unwrap();
        let view = Arc::new(view);
        let sealer = Sealer::new(master);
        let believed = (Arc::new(pepper), sealer.clone());
        let authenticator = Authenticator::new(
            view,
            account,
            "https://a.test".to_owned(),
            believed,
            (clock, Arc::new(SystemEntropy)),
        );
        Self { authenticator, sealer, role: role.id }
    }

    /// A session of the role.
    pub(crate) fn begin(&self, number: usize) -> Temporary {
        let session = Session {
            account: account(),
            id: SessionKeyId::fresh(&account(), &SystemEntropy),
            principal: PrincipalId::Role(self.role.clone()),
            kind: Kind::Role(format!("build-{number}")),
            made_with: None,
            taken_on_by: None,
            limits: Some(vec![Limit::Inline(LIMIT.to_owned())]),
            tags: vec![("team".to_owned(), "a".to_owned())],
            transitive: Vec::new(),
            source_identity: None,
            context: Vec::new(),
            issued_at: UnixTime::from_seconds(NOW),
            expires_at: UnixTime::from_seconds(NOW + 3600),
        };
        self.sealer.begin(session, &SystemEntropy)
    }

    /// One call that the session signs, as far as who it is.
    pub(crate) async fn call(&self, session: &Temporary) -> Result<Arc<Caller>, Unproven> {
        let headers = signed(session);
        let received = Received { method: "POST", path: "/", query: "", host: "a.test", headers: &headers };
        let claim = Claim::read(&received).unwrap().unwrap();
        claim.check("sts", UnixTime::from_seconds(NOW)).unwrap();
        let claimant = self.authenticator.claimant(&claim, &origin()).await.unwrap();
        self.authenticator.signed(claimant, &claim, &received, b"").await
    }
}

fn account() -> AccountId {
    AccountId::parse("123456789012").unwrap()
}

fn origin() -> Origin {
    Origin {
        from: ClientAddr::from_socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))),
        local: IpAddr::V4(Ipv4Addr::LOCALHOST),
        endpoint: Endpoint::Public,
        secure: true,
        certificate: None,
    }
}

/// The headers of a signed call without a body.
fn signed(session: &Temporary) -> HeaderMap {
    let token = session.token.expose();
    let hash = |text: &str| HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let names = "host;x-amz-date;x-amz-security-token";
    let date = "20261121T000000Z";
    let canonical = format!(
        "POST\n/\n\nhost:a.test\nx-amz-date:{date}\nx-amz-security-token:{token}\n\n{names}\n{}",
        hash("")
    );
    let scope = "20261121/us-south/sts/aws4_request";
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
    let mut key = format!("AWS4{}", session.secret.expose()).into_bytes();
    for part in scope.split('/').chain([text.as_str()]) {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    let signature = HEXLOWER.encode(&key);
    let id = &session.session.id;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", value(&authorization));
    headers.insert("x-amz-date", value(date));
    headers.insert("x-amz-security-token", value(token));
    headers
}
