//! Whole configurations: the documented defaults, every mistake at once, the environment, the warnings.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::mistake::Origin;
use super::settings::{StorePlace, Surface, UpstreamAddress, UpstreamCredentials};
use super::{Loaded, load, parse};
use crate::client::certificate::Naming;
use crate::network::endpoint::Endpoint;
use crate::record::audit::{Destination, OnFailure};
use crate::record::log::Level;

const MINIMAL: &str = r#"
[account]
id = "123456789012"
[[registry]]
name = "us.registry.test"
region = "us-south"
upstream = "http://127.0.0.1:5000"
[[listener]]
address = "127.0.0.1:8443"
surfaces = ["registry", "control", "health"]
"#;

const DEFAULT: &str = include_str!("../../config/default.toml");

fn read(text: &str) -> Result<Loaded, super::mistake::Mistakes> {
    parse(Path::new("test.toml"), text, [])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, super::mistake::Mistakes> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    parse(Path::new("test.toml"), text, variables.iter().map(own))
}

/// The mistakes of a text, one line each.
fn mistakes(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// `config/default.toml` with every commented key in force.
fn uncommented() -> String {
    let live = |line: &str| {
        let key = line.strip_prefix("# ").unwrap_or_default();
        let word = key.split(" = ").next().unwrap_or_default();
        let is_key = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if is_key && key != word { key.to_owned() } else { line.to_owned() }
    };
    DEFAULT.lines().map(live).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documented_defaults_are_the_real_ones() {
    let (documented, bare) = (uncommented(), read(DEFAULT).unwrap());
    assert_ne!(documented, DEFAULT);
    assert_eq!(read(&documented).unwrap(), bare);
}

/// The other direction: no key is left out of the documentation.
#[test]
fn every_known_key_is_documented() {
    // An unknown key in each section makes the section list its keys.
    let text = "nothing_like = 1\n[account]\nnothing_like = 1\n[store]\nnothing_like = 1\n[token]\nnothing_like = 1\n\
        [audit]\nnothing_like = 1\n[limits]\nnothing_like = 1\n[log]\nnothing_like = 1\n\
        [[registry]]\nnothing_like = 1\n[registry.upstream_options]\nnothing_like = 1\n\
        [[listener]]\nnothing_like = 1\n[listener.tls]\nnothing_like = 1\n[federation]\nnothing_like = 1\n\
        [[federation.internal]]\nnothing_like = 1\n[acme]\nnothing_like = 1\n[findings]\nnothing_like = 1\n\
        [alerts]\nnothing_like = 1\n[[alerts.internal]]\nnothing_like = 1\n[telemetry]\nnothing_like = 1\n";
    let report = mistakes(text);
    let lists: Vec<&str> =
        report.lines().filter_map(|line| line.split_once("known here: ")).map(|(_, l)| l).collect();
    assert_eq!(lists.len(), 18, "{report}");
    let keys: Vec<&str> = lists.iter().flat_map(|list| list.split(", ")).collect();
    for key in &keys {
        let mentioned = |pattern: String| DEFAULT.contains(&pattern);
        assert!(
            mentioned(format!("{key} = ")) || mentioned(format!("[{key}]")) || mentioned(format!(".{key}]")),
            "{key}"
        );
    }
    assert!(keys.contains(&"upload_lease") && keys.contains(&"private_name"));
}

#[test]
fn the_example_of_the_design_is_understood() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, "pem").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let (crt, key) = (file("tls.crt"), file("tls.key"));
    let text = format!(
        r#"
[account]
id = "123456789012"
name = "example"
[store]
url = "sqlite:data/portcullis.db"
master_key_file = "data/master.key"
[[registry]]
name = "us.registry.test"
aliases = ["localhost"]
private_name = "private.us.registry.test"
region = "us-south"
upstream = "http://127.0.0.1:5000"
[[listener]]
address = "0.0.0.0:8443"
endpoint = "private"
surfaces = ["registry", "control", "health"]
tls = {{ certificate = "{}", key = "{}" }}
proxy_protocol = true
trusted_proxies = ["10.0.0.0/8", "::ffff:192.0.2.1", "2001:db8::1 - 2001:db8::9"]
[[listener]]
address = "127.0.0.1:9464"
surfaces = ["metrics", "health"]
"#,
        crt.display(),
        key.display()
    );
    let settings = read(&text).unwrap().settings;
    assert_eq!(settings.listeners[0].tls[0].key, key);
    assert_eq!(settings.listeners[0].endpoint, Endpoint::Private);
    let proxies = &settings.listeners[0].trusted_proxies;
    for (proxy, is_trusted) in
        [("10.1.1.1", true), ("192.0.2.1", true), ("2001:db8::9", true), ("11.0.0.0", false)]
    {
        assert_eq!(proxies.contains(proxy.parse().unwrap()), is_trusted, "{proxy}");
    }
    assert!(settings.listeners[0].proxy_protocol && !settings.listeners[1].proxy_protocol);
    assert!(settings.listeners[1].trusted_proxies.is_empty());
    assert_eq!(settings.listeners[1].surfaces, [Surface::Metrics, Surface::Health]);
    assert_eq!(settings.registries[0].aliases[0].as_str(), "localhost");
    assert_eq!(
        settings.registries[0].upstream.address,
        UpstreamAddress::Http("127.0.0.1".parse().unwrap(), 5000)
    );
    assert_eq!(settings.audit.on_failure, OnFailure::Refuse);
    assert!(settings.workers >= 1);
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    let report = mistakes(
        r#"
colour = "red"
[account]
id = "12"
[store]
urll = "sqlite:x"
max_staleness = 30
[token]
lifetime = "2d"
[[registry]]
name = "us.registry.test"
upstream = "http://user:hunter2@h"
[[listener]]
address = "8443"
surfaces = ["registri"]
"#,
    );
    for expected in [
        "test.toml:2:1: colour: is not a known key; known here: account, store, registry, listener",
        "test.toml:4:6: account.id: `12` is not an account id of 12 digits",
        "test.toml:6:1: store.urll: is not a known key; did you mean `url`?",
        "test.toml:7:17: store.max_staleness: must be a text in quotes, not a number",
        "test.toml:9:12: token.lifetime: must be between 1m and 12h",
        "registry[0].region: is missing; write a region",
        "test.toml:12:12: registry[0].upstream: must not hold credentials",
        "test.toml:14:11: listener[0].address: `8443` is no address",
        "test.toml:15:13: listener[0].surfaces[0]: `registri` is not one of registry, control, metrics, health",
    ] {
        assert!(report.contains(expected), "{expected}\nis not in\n{report}");
    }
    assert!(report.starts_with("9 mistakes") && !report.contains("hunter2"), "{report}");
}

#[test]
fn a_broken_file_reports_its_syntax_and_nothing_that_follows_from_it() {
    let error = read("[account]\nid = \n[[registry]\n").unwrap_err();
    assert!(error.list.iter().all(|mistake| mistake.key.is_empty()), "{error}");
    assert!(error.to_string().contains("test.toml:2:"), "{error}");
    assert_eq!(error.list.len(), 2, "{error}");
}

#[test]
fn an_empty_file_says_what_is_missing() {
    let report = mistakes("");
    for key in ["account.id: is missing", "registry: is missing", "listener: is missing"] {
        assert!(report.contains(key), "{report}");
    }
}

#[test]
fn a_listener_that_serves_nothing_is_a_mistake_told_once() {
    let report = mistakes(&MINIMAL.replace(r#"["registry", "control", "health"]"#, "[]"));
    assert!(
        report.contains("listener[0].surfaces: is empty") && report.starts_with("1 mistake "),
        "{report}"
    );
    assert!(mistakes(&MINIMAL.replace("surfaces", "# surfaces")).starts_with("1 mistake "));
}

#[test]
fn a_missing_file_is_a_mistake() {
    let error = load(Path::new("/nonexistent/portcullis.toml"), []).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/portcullis.toml: cannot be read"), "{error}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let loaded = with(
        MINIMAL,
        &[
            ("PORTCULLIS__STORE__URL", "sqlite:/var/lib/p.db"),
            ("PORTCULLIS__REGISTRY__0__UPSTREAM", "https://upstream.test"),
            ("PORTCULLIS__REGISTRY__0__ALIASES", "localhost, other.test"),
            ("PORTCULLIS__REGISTRY__0__CREATE_ON_PUSH", "false"),
            ("PORTCULLIS__LISTENER__1__SURFACES", r#"["metrics"]"#),
            ("PORTCULLIS__LISTENER__1__ADDRESS", "127.0.0.1:9464"),
            ("PORTCULLIS__LIMITS__MAX_CONNECTIONS", "77"),
            ("PORTCULLIS__AUDIT__PATH", "none"),
            ("PORTCULLIS__LOG__LEVEL", "debug"),
            ("PORTCULLIS_API_KEY", "not ours"),
            ("PATH", "/bin"),
        ],
    );
    let settings = loaded.unwrap().settings;
    assert_eq!(settings.store.place, StorePlace::Sqlite("/var/lib/p.db".into()));
    assert_eq!(
        settings.registries[0].upstream.address,
        UpstreamAddress::Https("upstream.test".parse().unwrap(), 443)
    );
    assert_eq!(settings.registries[0].aliases.len(), 2);
    assert!(!settings.registries[0].create_on_push);
    assert_eq!(settings.listeners[1].surfaces, [Surface::Metrics]);
    assert_eq!(settings.limits.max_connections, 77);
    assert_eq!((settings.audit.destination, settings.log.level), (Destination::None, Level::Debug));
}

#[test]
fn the_environment_alone_is_enough() {
    let loaded = with(
        "",
        &[
            ("PORTCULLIS__ACCOUNT__ID", "123456789012"),
            ("PORTCULLIS__REGISTRY__0__NAME", "r.test"),
            ("PORTCULLIS__REGISTRY__0__REGION", "eu"),
            ("PORTCULLIS__REGISTRY__0__UPSTREAM", "unix:/run/r.sock"),
            ("PORTCULLIS__LISTENER__0__ADDRESS", "127.0.0.1:0"),
            ("PORTCULLIS__LISTENER__0__SURFACES", "registry"),
        ],
    );
    assert_eq!(
        loaded.unwrap().settings.registries[0].upstream.address,
        UpstreamAddress::Unix("/run/r.sock".into())
    );
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let error = with(
        MINIMAL,
        &[
            ("PORTCULLIS__LIMITS__MAX_CONECTIONS", "7"),
            ("PORTCULLIS__REGISTRY__7__NAME", "x.test"),
            ("PORTCULLIS__REGISTRY__NAME", "x.test"),
            ("PORTCULLIS__WORKERS", "many"),
            ("PORTCULLIS__", "x"),
        ],
    );
    let error = error.unwrap_err();
    let report = error.to_string();
    for expected in [
        "PORTCULLIS__LIMITS__MAX_CONECTIONS: limits.max_conections: is not a known key; did you mean `max_connections`?",
        "PORTCULLIS__REGISTRY__7__NAME: sets item 7 of a list that has 1",
        "PORTCULLIS__REGISTRY__NAME: needs a number in place of `name`",
        "PORTCULLIS__WORKERS: workers: `many` is no whole number",
        "PORTCULLIS__: names no key",
    ] {
        assert!(report.contains(expected), "{expected}\nis not in\n{report}");
    }
    assert!(error.list.iter().all(|mistake| matches!(mistake.origin, Origin::Environment(_))));
}

#[test]
fn names_regions_and_addresses_are_unique() {
    let second = r#"
[[registry]]
name = "eu.registry.test"
aliases = ["US.registry.test"]
region = "us-south"
upstream = "http://127.0.0.1:8443"
[[listener]]
address = "0.0.0.0:8443"
surfaces = ["health", "health"]
proxy_protocol = true
"#;
    let report = mistakes(&format!("{MINIMAL}{second}"));
    for expected in [
        "registry[1].aliases[0]: the host `us.registry.test` is taken by registry[0].name",
        "registry[1].region: the region `us-south` is taken by registry[0].region",
        "registry[1]: the upstream is this server's own listener[0]",
        "listener[1]: the address 0.0.0.0:8443 is taken by listener[0]",
        "listener[1].surfaces[1]: is listed twice",
        "listener[1].proxy_protocol: needs trusted_proxies",
    ] {
        assert!(report.contains(expected), "{expected}\nis not in\n{report}");
    }
}

/// H-26
#[test]
fn trusted_proxies_are_addresses_and_not_everybody() {
    let listed = |list: &str| mistakes(&format!("{MINIMAL}trusted_proxies = {list}\n"));
    for (list, expected) in [
        ("[\"10.0.0.5/8\"]", "trusted_proxies[0]: 10.0.0.5/8 has bits behind its prefix; write 10.0.0.0/8"),
        ("[\"10.0.0.1\", \"proxy.test\"]", "trusted_proxies[1]: `proxy.test` is no IP address"),
        ("[\"0.0.0.0/0\"]", "trusted_proxies[0]: is everybody"),
        ("[\"::/0\"]", "trusted_proxies[0]: is everybody"),
        ("[\"128.0.0.0/1\", \"0.0.0.0/1\"]", "trusted_proxies: are everybody, taken together"),
        ("[\"::/1\", \"10.0.0.1\", \"8000::/1\"]", "trusted_proxies: are everybody, taken together"),
        ("true", "trusted_proxies: must be a list in brackets"),
    ] {
        let report = listed(list);
        assert!(report.contains(expected), "{expected}\nis not in\n{report}");
    }
}

#[test]
fn files_must_exist_and_secrets_must_not_be_open_to_everyone() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open.key");
    std::fs::write(&open, "secret").unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o604)).unwrap();
    let text = format!(
        "{MINIMAL}tls = {{ certificate = \"/nonexistent.crt\", key = \"{0}\" }}\n\
         [store]\nmaster_key_file = \"{0}\"\n",
        open.display()
    );
    let report = mistakes(&text);
    assert!(report.contains("listener[0].tls.certificate: `/nonexistent.crt` cannot be read"), "{report}");
    assert!(report.contains("listener[0].tls.key: everyone may use"), "{report}");
    assert!(report.contains("store.master_key_file: others may use"), "{report}");
    assert!(report.contains("chmod o= ") && report.contains("chmod go= "), "{report}");
}

#[test]
fn what_is_asked_of_clients_is_said_once_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tls.key");
    std::fs::write(&file, "pem").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.display();
    let pair = |more: &str| format!("{{ certificate = \"{file}\", key = \"{file}\"{more} }}");
    let listener = |tls: &str| read(&format!("{MINIMAL}tls = {tls}\n"));
    let whole = format!(", client_ca = \"{file}\", client_certificate = \"required\"");
    let asked = listener(&pair(&whole)).unwrap().settings.listeners.remove(0).client_certificates.unwrap();
    assert!(asked.required && asked.crl.is_none());
    assert_eq!(asked.identity, None);
    let named = pair(&format!("{whole}, client_identity = \"uri\""));
    let asked = listener(&named).unwrap().settings.listeners.remove(0).client_certificates.unwrap();
    assert_eq!(asked.identity, Some(Naming::Uri));
    for (tls, expected) in [
        (
            pair(", client_identity = \"cn\""),
            "listener[0].tls.client_identity: needs client_ca and client_certificate",
        ),
        (pair(&format!("{whole}, client_identity = \"san\"")), "`san` is not one of cn, uri"),
        (pair(&format!(", client_ca = \"{file}\"")), "listener[0].tls.client_ca: needs client_certificate"),
        (pair(", client_certificate = \"optional\""), "listener[0].tls.client_certificate: needs client_ca"),
        (
            pair(&format!(", client_crl = \"{file}\"")),
            "listener[0].tls.client_crl: is only for listeners with client_ca",
        ),
        (pair(", client_certificate = \"maybe\""), "`maybe` is not one of optional, required"),
        (
            pair(", client_ca = \"/nonexistent\", client_certificate = \"required\""),
            "client_ca: `/nonexistent` cannot be read",
        ),
        (
            format!("[{0}, {0}]", pair(&whole)),
            "listener[0].tls[1].client_ca: is said of this listener before",
        ),
    ] {
        let report = listener(&tls).unwrap_err().to_string();
        assert!(report.contains("test.toml:11:") && report.starts_with("1 mistake "), "{report}");
        assert!(report.contains(expected), "{expected}\nis not in\n{report}");
    }
}

#[test]
fn upstream_options_belong_together() {
    let with_options = |options: &str| {
        let header = "upstream = \"http://127.0.0.1:5000\"\n[registry.upstream_options]\n";
        read(&MINIMAL.replace("upstream = \"http://127.0.0.1:5000\"\n", &format!("{header}{options}\n")))
    };
    let settings = with_options("connect_timeout = \"250ms\"").unwrap().settings;
    assert_eq!(settings.registries[0].upstream.connect_timeout, Duration::from_millis(250));
    assert_eq!(settings.registries[0].upstream.credentials, UpstreamCredentials::None);
    for (options, expected) in [
        ("username = \"u\"", "needs username and password_file together"),
        ("ca_file = \"/dev/null\"", "is only for https upstreams"),
        ("password = \"hunter2\"", "is not a known key; did you mean"),
        ("connect_timeout = \"0s\"", "must be between 10ms and 1h"),
    ] {
        let report = with_options(options).unwrap_err().to_string();
        assert!(report.contains(expected) && !report.contains("hunter2"), "{options}\n{report}");
    }
}

#[test]
fn what_the_cache_may_hold_and_for_how_long_has_bounds() {
    for (key, expected) in [
        ("max_bytes = 1000", "cache.max_bytes: must be between 1048576 and"),
        ("max_blob_bytes = 99999999", "cache.max_blob_bytes: must be between 0 and"),
        ("tag_staleness = \"1h\"", "cache.tag_staleness: must be between 0s and 1m"),
        ("content_staleness = \"1d\"", "cache.content_staleness: must be between 0s and 1h"),
        ("content = 1", "cache.content: must be true or false"),
        ("disk = \"\"", "cache.disk: must not be empty"),
        ("disk_max_bytes = 1000", "cache.disk_max_bytes: must be between 1048576 and"),
    ] {
        let report = mistakes(&format!("{MINIMAL}[cache]\n{key}\n"));
        assert!(report.contains(expected), "{key}\n{report}");
    }
    let off = read(&format!("{MINIMAL}[cache]\ncontent = false\n")).unwrap().settings.cache;
    assert_eq!((off.content, off.max_bytes, off.disk), (false, 64 << 20, None));
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let text = MINIMAL.replace("127.0.0.1:8443", "0.0.0.0:8443").replace("\"health\"", "\"metrics\"");
    let text = format!("{text}[audit]\npath = \"none\"\n");
    let warnings = read(&text).unwrap().warnings.join("\n");
    for expected in [
        "listener[0]: registry without TLS",
        "listener[0]: control without TLS",
        "listener[0]: metrics on a public network",
        "listener[0]: control on a public network",
        "audit.path: there is no audit log",
    ] {
        assert!(warnings.contains(expected), "{expected}\nis not in\n{warnings}");
    }
    assert_eq!(read(MINIMAL).unwrap().warnings, Vec::<String>::new());
    for (proxies, warned) in [
        ("\"0.0.0.0/1\"", true),
        ("\"1.0.0.0 - 255.255.255.255\"", true),
        ("\"2000::/4\"", true),
        ("\"10.0.0.0/8\", \"fd00::/8\", \"2001:db8::/32\"", false),
    ] {
        let warnings =
            read(&format!("{MINIMAL}trusted_proxies = [{proxies}]\n")).unwrap().warnings.join("\n");
        assert_eq!(warnings.contains("trusted_proxies: hold most of the internet"), warned, "{warnings}");
    }
    let private = MINIMAL
        .replace("surfaces", "endpoint = \"private\"\nsurfaces")
        .replace("127.0.0.1:8443", "10.0.0.1:8443");
    let warnings = read(&private).unwrap().warnings.join("\n");
    assert!(warnings.contains("control without TLS") && !warnings.contains("public network"), "{warnings}");
}

#[test]
fn what_an_acme_authority_could_not_verify_is_a_mistake() {
    let acme = "[acme]\ndirectory = \"https://acme.test/directory\"\nnames = [\"us.registry.test\"]\nagree_to_terms = true\n";
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:8444\"\nsurfaces = [\"registry\"]\ntls = { acme = true }\n";
    let page = "[[listener]]\naddress = \"127.0.0.1:8080\"\nsurfaces = [\"acme\"]\n";
    let (by_page, whole) = ("challenge = \"http-01\"\n", format!("{MINIMAL}{listener}{acme}"));
    assert!(read(&whole).unwrap().warnings.is_empty());
    assert!(read(&format!("{MINIMAL}{listener}{page}{acme}{by_page}")).is_ok());
    for (text, mistake) in [
        (format!("{MINIMAL}{listener}"), "needs a section [acme]"),
        (format!("{MINIMAL}{listener}{page}{acme}"), "for acme.challenge = \"http-01\" only"),
        (format!("{whole}{by_page}"), "needs a listener without tls on port 80"),
        (whole.replace("= true\n", "= false\n"), "those who agree to its terms"),
        (whole.replace("https:", "http:"), "must be an https:// URL"),
        (whole.replace("names = [\"us.", "names = [\"eu."), "no registry is called `eu.registry.test`"),
        (whole.replace("names = [\"us.registry.test\"]", "names = []"), "names is empty"),
        (
            whole.replace(
                "{ acme = true }",
                "{ acme = true }\nproxy_protocol = true\ntrusted_proxies = [\"10.0.0.1\"]",
            ),
            "choose challenge = \"http-01\"",
        ),
        (whole.replace("acme = true", "acme = true, certificate = \"x\""), "is not a known key"),
    ] {
        assert!(mistakes(&text).contains(mistake), "{mistake}: {}", mistakes(&text));
    }
    let unused = read(&format!("{MINIMAL}{acme}")).unwrap();
    assert!(unused.warnings.iter().any(|warning| warning.to_string().contains("no listener has tls")));
}

#[test]
fn a_shared_store_is_named_by_its_url_and_its_password_is_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let store = |url: &str, password: &Path| {
        with(
            MINIMAL,
            &[
                ("PORTCULLIS__STORE__URL", url),
                ("PORTCULLIS__STORE__PASSWORD_FILE", password.to_str().unwrap()),
            ],
        )
    };
    let loaded = store("postgres://p@db.example.com/portcullis", &file).unwrap();
    assert!(loaded.warnings.is_empty());
    assert_eq!(loaded.settings.store.place.to_string(), "postgres://p@db.example.com:5432/portcullis");
    let loaded = store("postgres://p@db.example.com/portcullis?sslmode=require", &file).unwrap();
    assert_eq!(loaded.warnings.len(), 1, "whoever is in the middle reads along");
    for url in [
        "postgres://p:hunter2@db.example.com/portcullis",
        "postgres://hunter2@db.example.com",
        "postgresql:hunter2",
        "hunter2",
        "sqlite:hunter2.db",
    ] {
        let mistakes = store(url, &file).unwrap_err().to_string();
        assert!(mistakes.contains("store.url") && !mistakes.contains("hunter2"), "{mistakes}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(store("postgres://p@h/d", &file).unwrap_err().to_string().contains("chmod o="));
}
