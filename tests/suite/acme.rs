//! Certificates from a real ACME server, acme2certifier: ordered, proven in both ways, served, and renewed in time.
//!
//! Where it is not installed, the stories say so and are skipped; with `CI=true` they fail.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, date_time_ymd};
use tempfile::TempDir;

use crate::support::certificate::{self, Authority};
use crate::support::http::{Http, parse, read_all};
use crate::support::portcullis::Portcullis;
use crate::support::process::{Running, bare, run};
use crate::support::recorder::Recorder;
use crate::support::wait::{PATIENCE, until};

/// An ACME server, which has its own opinion of where ports 80 and 443 of everybody are.
struct Acme {
    running: Running,
    directory: String,
    /// Whom its own certificate is from.
    ca: PathBuf,
    signs: Authority,
    /// Port 80, and port 443.
    looks: [SocketAddr; 2],
    folder: TempDir,
}

impl Acme {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = project.join("target/scanners/bin/python3");
        let installed =
            python.exists() && run(bare(&python).args(["-c", "import acme2certifier"]), "").code == Some(0);
        let missing = "acme2certifier is not installed, so no certificate was ordered: run `make deps`, which says why it cannot";
        assert!(installed || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
        if !installed {
            println!("skipped: {missing}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let own = certificate::make(folder.path());
        let signer = folder.path().join("signer");
        fs::create_dir(&signer).unwrap();
        let signs = Authority::new(&signer, "ca");
        signs.write_key(&signer, "ca");
        signs.revoke(&signer, "ca", &[]);
        let looks = [free(), free()];
        let mut server = bare(python);
        server.arg(project.join("tests/acme_server.py")).arg(&signer).args([&own.chain, &own.key]);
        server.args(looks.map(|at| at.port().to_string())).env("HOME", folder.path());
        let mut running = Running::start(&mut server);
        let port = running.await_log("the port", |log| {
            log.lines().find_map(|line| line.strip_prefix("acme server on ")).map(str::to_owned)
        });
        let directory = format!("https://localhost:{port}/directory");
        Some(Self { running, directory, ca: own.ca, signs, looks, folder })
    }

    /// A server that gets its certificate from here.
    fn serves(&self, challenge: &str) -> Portcullis {
        let upstream = Recorder::silent();
        let (directory, ca, [page, tls]) = (&self.directory, self.ca.display(), self.looks);
        let pages = match challenge {
            "http-01" => format!("[[listener]]\naddress = \"{page}\"\nsurfaces = [\"acme\"]\n"),
            _ => String::new(),
        };
        let settings = format!(
            "[[listener]]\naddress = \"{tls}\"\nsurfaces = [\"registry\"]\ntls = {{ acme = true }}\n{pages}\
             [acme]\ndirectory = \"{directory}\"\nca_file = \"{ca}\"\nagree_to_terms = true\n\
             names = [\"us.registry.test\", \"localhost\"]\ncontact = [\"mailto:somebody@example.com\"]\n\
             cache_dir = \"{}\"\nchallenge = \"{challenge}\"\n",
            self.cache().display()
        );
        Portcullis::with(&format!("http://{}", upstream.address()), &[], &settings)
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// What a client that believes only one authority gets to see under a name; nothing, if that one did not sign.
    fn shown(&self, name: &str, by: &Path) -> Option<String> {
        let port = self.looks[1].port();
        let mut curl = bare("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"]).arg(by);
        curl.args(["--resolve", &format!("{name}:{port}:127.0.0.1"), &format!("https://{name}:{port}/v2/")]);
        let done = run(&mut curl, "");
        (done.code == Some(0)).then_some(done.stdout)
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn names_are_proven_in_either_way_and_the_certificate_is_served_at_once_and_after_a_restart() {
    for challenge in ["tls-alpn-01", "http-01"] {
        let Some(acme) = Acme::start() else { return };
        let mut at = acme.serves(challenge);
        let signed = || acme.shown("us.registry.test", &acme.signs.pem);
        until(&format!("a certificate by {challenge}; {}", at.log()), PATIENCE, signed);
        assert_eq!(acme.shown("localhost", &acme.signs.pem).as_deref(), Some("401"));
        for entry in fs::read_dir(acme.cache()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        // It is for good: the authority is not asked again.
        let orders = |log: &str| log.matches("POST /acme/neworders").count();
        assert_eq!(orders(&acme.running.log()), 1);
        at.restart();
        assert_eq!(acme.shown("localhost", &acme.signs.pem).as_deref(), Some("401"), "{}", at.log());
        assert_eq!(orders(&acme.running.log()), 1);
        if challenge == "http-01" {
            // The proof is gone, and nothing else is served there.
            for path in ["x", "", "../../v2/", "../../livez"] {
                let path = format!("/.well-known/acme-challenge/{path}");
                assert_eq!(Http::plain(acme.looks[0]).get(&path).status, 404, "{path}");
            }
            assert_eq!(Http::plain(acme.looks[0]).get("/v2/").status, 421);
        }
    }
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_no_connection_notices() {
    let Some(acme) = Acme::start() else { return };
    // Of its ninety-odd years, more than two thirds are over.
    let before = Authority::new(acme.folder.path(), "before");
    let mut leaf =
        CertificateParams::new(vec!["localhost".to_owned(), "us.registry.test".to_owned()]).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    (leaf.not_before, leaf.not_after) = (date_time_ymd(1970, 1, 2), date_time_ymd(2045, 1, 1));
    fs::create_dir(acme.cache()).unwrap();
    before.issue(&acme.cache(), "acme", &leaf);

    acme.running.signal("STOP");
    let at = acme.serves("tls-alpn-01");
    assert_eq!(acme.shown("localhost", &before.pem).as_deref(), Some("401"), "the old one is still good");
    let client = Http::tls(acme.looks[1], &before.pem);
    let (mut kept, head) = (client.connect(), client.head("GET", "/v2/", &[], 0));
    // The handshake is over with the first bytes.
    kept.write_all(&head.as_bytes()[..5]).unwrap();
    acme.running.signal("CONT");
    until(&format!("a new one; {}", at.log()), PATIENCE, || acme.shown("localhost", &acme.signs.pem));
    assert_eq!(acme.shown("localhost", &before.pem), None);
    kept.write_all(&head.as_bytes()[5..]).unwrap();
    assert_eq!(parse(&read_all(&mut *kept), "GET").unwrap().status, 401);
}

#[test]
fn what_the_authority_cannot_verify_changes_nothing() {
    let Some(acme) = Acme::start() else { return };
    let mut at = acme.serves("http-01");
    until("the first", PATIENCE, || acme.shown("localhost", &acme.signs.pem));
    let first = fs::read(acme.cache().join("acme.crt")).unwrap();
    at.kill();
    // Another name makes it due, and nobody finds the page of that name.
    let settings = at.folder().join("portcullis.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let other = text.replace("names = [\"us", "names = [\"private.us.registry.test\", \"us");
    let elsewhere = other.replace(&acme.looks[0].to_string(), &free().to_string());
    assert!(elsewhere != other && other != text);
    fs::write(&settings, elsewhere).unwrap();
    at.restart();
    at.await_log("no certificate from the ACME authority; trying again in 60 s");
    assert_eq!(fs::read(acme.cache().join("acme.crt")).unwrap(), first);
    assert_eq!(acme.shown("localhost", &acme.signs.pem).as_deref(), Some("401"));
}
