//! Case 15, the handshake's side: certificates by name and network, certificates that clients must hold, and sessions that
//! stay where they were made (H-09).

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use tempfile::TempDir;

use super::scene::{Scene, yes};
use super::wire::{Answer, Wire, address};
use crate::support::certificate::{self, Authority, Certificate};
use crate::support::client::Trust;
use crate::support::portcullis::Portcullis;
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};

const TARGET: &str = "/v2/tenant-a/app/manifests/v1";

/// A server that has, besides its public listener, two private ones that ask for client certificates.
struct Guarded {
    scene: Scene<Recorder>,
    folder: TempDir,
    server: Certificate,
    clients: Authority,
    required: SocketAddr,
    optional: SocketAddr,
}

impl Guarded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, clients) = (certificate::make(folder.path()), Authority::new(folder.path(), "clients"));
        let revoked = clients.revoke(folder.path(), "clients", &[]);
        let listener = |demand: &str| {
            let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n";
            let (chain, key, ca) = (server.chain.display(), server.key.display(), clients.pem.display());
            let asked = format!("client_ca = \"{ca}\", client_crl = \"{}\"", revoked.display());
            format!(
                "{listener}tls = {{ certificate = \"{chain}\", key = \"{key}\", {asked}, client_certificate = \"{demand}\" }}\n"
            )
        };
        let scene = Scene::scripted(yes, &(listener("required") + &listener("optional")));
        let [required, optional] = private(&scene.at)[..] else { panic!("{}", scene.at.log()) };
        Self { scene, folder, server, clients, required, optional }
    }

    /// A client that remembers its sessions and believes this server's authorities.
    fn client(&self, own: Option<&(PathBuf, PathBuf)>) -> Arc<ClientConfig> {
        let Trust::Authority(public) = self.scene.at.trust() else {
            panic!("the public listener speaks TLS")
        };
        client(&[&public, &self.server.ca], own)
    }

    /// Makes the server read its files again, the `count`th time.
    fn reload(&self, count: usize) {
        self.scene.at.signal("HUP");
        let line = format!("portcullis_config_reloads_total{{outcome=\"ok\"}} {count}");
        until(&line, PATIENCE, || {
            self.scene.at.observer().get("/metrics").text().contains(&line).then_some(())
        });
    }

    /// What alice is answered, and how the handshake went; `None` when she is not let in.
    fn ask(&self, at: SocketAddr, client: &Arc<ClientConfig>) -> (HandshakeKind, Option<Answer>) {
        let (kind, mut wire) = open(at, client, "localhost");
        wire.send(format!("GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", self.scene.alice.basic()));
        let answer = wire.answer("GET");
        assert_eq!(
            self.scene.heard().len(),
            usize::from(answer.is_some()),
            "the upstream hears of who is let in"
        );
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 200), "{answer:?}");
        (kind, answer)
    }

    fn lets_in(&self, at: SocketAddr, own: Option<&(PathBuf, PathBuf)>) -> bool {
        self.ask(at, &self.client(own)).1.is_some()
    }
}

/// The addresses of the private listeners that serve images, in order.
pub(super) fn private(at: &Portcullis) -> Vec<SocketAddr> {
    let log = at.log();
    let lines = log.lines().filter(|line| line.contains("(private; surfaces registry"));
    lines.filter_map(|line| line.split_once("listening on ")?.1.split(' ').next()?.parse().ok()).collect()
}

/// A client that believes these authorities, and holds a certificate or none.
pub(super) fn client(authorities: &[&Path], own: Option<&(PathBuf, PathBuf)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for ca in authorities {
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = vec![CertificateDer::from_pem_file(chain).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
        }
    })
}

fn open(at: SocketAddr, client: &Arc<ClientConfig>, name: &str) -> (HandshakeKind, Wire) {
    let mut socket = TcpStream::connect(at).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(client), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    let kind = connection.handshake_kind().unwrap();
    (kind, Wire::over(Box::new(StreamOwned::new(connection, socket))))
}

#[test]
fn a_certificate_is_a_second_factor_where_it_is_asked_for() {
    let guarded = Guarded::new();
    let folder = guarded.folder.path();
    let own = guarded.clients.client(folder, "builder", 7);
    let foreign = Authority::new(folder, "others").client(folder, "stranger", 7);
    for (at, nobody) in [(guarded.required, false), (guarded.optional, true)] {
        assert_eq!(guarded.lets_in(at, None), nobody);
        assert!(!guarded.lets_in(at, Some(&foreign)), "one that is shown must be good");
        let (_, answer) = guarded.ask(at, &guarded.client(Some(&own)));
        let record = guarded.scene.audited(answer.unwrap().request_id());
        let shown = &record["initiator"]["host"]["certificate"];
        assert_eq!(shown["subject"], "CN=builder", "{record}");
        assert_eq!(shown["uris"], serde_json::json!(["spiffe://suite.test/builder"]), "{record}");
        assert_eq!(shown["sha256"].as_str().map(str::len), Some(64), "{record}");
    }
    let (_, answer) = guarded.ask(address(&guarded.scene.at), &guarded.client(Some(&own)));
    let record = guarded.scene.audited(answer.unwrap().request_id());
    assert!(record["initiator"]["host"].get("certificate").is_none(), "nobody asked for it: {record}");

    // It is no first factor: without a key, its holder is nobody.
    let (_, mut wire) = open(guarded.required, &guarded.client(Some(&own)), "localhost");
    assert_eq!(wire.ask(format!("GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 401);
}

#[test]
fn a_revoked_certificate_and_a_changed_authority_count_from_the_next_connection_on() {
    let guarded = Guarded::new();
    let folder = guarded.folder.path();
    let (first, second) =
        (guarded.clients.client(folder, "first", 1), guarded.clients.client(folder, "second", 2));
    assert!(
        guarded.lets_in(guarded.required, Some(&first)) && guarded.lets_in(guarded.required, Some(&second))
    );
    guarded.clients.revoke(folder, "clients", &[1]);
    guarded.reload(1);
    assert!(
        !guarded.lets_in(guarded.required, Some(&first)) && !guarded.lets_in(guarded.optional, Some(&first))
    );
    assert!(guarded.lets_in(guarded.required, Some(&second)));

    let next = Authority::new(folder, "clients");
    let third = next.client(folder, "third", 3);
    guarded.reload(2);
    assert!(!guarded.lets_in(guarded.required, Some(&third)), "its authority has not said what it revoked");
    next.revoke(folder, "clients", &[]);
    guarded.reload(3);
    assert!(guarded.lets_in(guarded.required, Some(&third)));
    assert!(!guarded.lets_in(guarded.required, Some(&second)), "its authority is believed no more");
}

/// H-09
#[test]
fn a_session_of_one_listener_is_not_resumed_at_another() {
    let guarded = Guarded::new();
    let public = address(&guarded.scene.at);
    let nobody = guarded.client(None);
    assert_eq!(guarded.ask(public, &nobody).0, HandshakeKind::Full);
    assert_eq!(guarded.ask(public, &nobody).0, HandshakeKind::Resumed, "the client does remember");
    assert!(guarded.ask(guarded.required, &nobody).1.is_none());
    let (kind, answer) = guarded.ask(guarded.optional, &nobody);
    assert_eq!((kind, answer.is_some()), (HandshakeKind::Full, true));

    // Where certificates are asked for, each connection proves its own.
    let own = guarded.client(Some(&guarded.clients.client(guarded.folder.path(), "builder", 7)));
    for at in [guarded.required, guarded.required, guarded.optional, public, guarded.required] {
        let (kind, answer) = guarded.ask(at, &own);
        assert_eq!((kind, answer.is_some()), (HandshakeKind::Full, true));
    }
}

/// H-05, H-30: names, certificates and listeners of two networks
#[test]
fn each_listener_has_its_own_names_and_shows_the_certificate_for_them() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let named = certificate::make_for(folder.path(), &["private.us.registry.test"]);
    let rest = certificate::make_for(other.path(), &["localhost", "us.registry.test"]);
    let pair = |files: &Certificate| {
        format!("{{ certificate = \"{}\", key = \"{}\" }}", files.chain.display(), files.key.display())
    };
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nendpoint = \"private\"\nsurfaces = [\"registry\"]\n";
    let settings = format!("{listener}tls = [{}, {}]\n", pair(&rest), pair(&named));
    let scene = Scene::scripted(yes, &format!("{settings}{settings}"));
    let inside = private(&scene.at);
    assert_eq!(inside.len(), 2);
    let ask = |at: SocketAddr, ca: &Path, sni: &str, host: &str| {
        let (_, mut wire) = open(at, &client(&[ca], None), sni);
        let who = scene.alice.basic();
        wire.ask(format!("GET {TARGET} HTTP/1.1\r\nHost: {host}\r\n{who}\r\n")).status
    };
    let (name, private_name) = ("us.registry.test", "private.us.registry.test");
    for at in inside {
        // Only the right authority is believed, so the handshake shows which certificate was chosen.
        assert_eq!(ask(at, &named.ca, private_name, private_name), 200);
        assert_eq!(ask(at, &rest.ca, "localhost", "localhost"), 200);
        assert_eq!(ask(at, &rest.ca, name, name), 421, "the public name");
        assert_eq!(ask(at, &named.ca, private_name, name), 421);
        assert_eq!(ask(at, &rest.ca, name, private_name), 421);
    }
    assert_eq!(scene.heard().len(), 4);
}
