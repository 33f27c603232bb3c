//! The layers of ARCHITECTURE.md as data: the order of the modules, the absences that hold the house up, and which vendor may be
//! named where. This file is data; `layers.rs` reads it.

/// The top-level modules of `src` with their layer. A module may name only those above it.
pub(super) const ORDER: &[(u8, &str)] = &[
    // words
    (1, "clock"),
    (1, "ids"),
    (1, "secret"),
    // pure protocol: no sockets, no clock, no database
    (2, "registry"),
    (2, "client"),
    (2, "credential"),
    (2, "network"),
    (2, "policy"),
    // judgement
    (3, "findings"),
    (3, "compliance"),
    // memory
    (4, "record"),
    (4, "store"),
    (4, "view"),
    // the gate: the only maker of permits
    (5, "admit"),
    // data plane
    (6, "token"),
    (6, "forward"),
    (6, "edge"),
    (6, "acme"),
    // control plane
    (7, "control"),
    (7, "api"),
    (7, "console"),
    // assembly
    (8, "serve"),
    (8, "config"),
    (8, "cli"),
    (8, "run"),
    (8, "main"),
];

/// A module that lies above, and yet must not be named.
pub(super) struct Absence {
    pub(super) modules: &'static [&'static str],
    pub(super) never: &'static str,
    pub(super) instead: &'static str,
}

pub(super) const ABSENCES: &[Absence] = &[Absence {
    modules: &["admit", "token", "forward", "edge", "serve"],
    never: "store",
    instead: "the data plane reads the view and leaves writes to `record` and `control`",
}];

/// Crates that only some modules may name.
pub(super) struct Vendor {
    pub(super) crates: &'static [&'static str],
    pub(super) only_in: &'static [&'static str],
}

pub(super) const VENDORS: &[Vendor] = &[
    Vendor { crates: &["sqlx"], only_in: &["store"] },
    Vendor { crates: &["hyper", "hyper_util"], only_in: &["edge", "forward", "serve", "cli"] },
    Vendor {
        crates: &["rustls", "tokio_rustls", "rustls_native_certs"],
        only_in: &["edge", "forward", "cli"],
    },
    Vendor { crates: &["x509_parser"], only_in: &["acme", "client"] },
    Vendor { crates: &["instant_acme"], only_in: &["acme"] },
    Vendor { crates: &["clap", "clap_complete"], only_in: &["cli", "main"] },
    Vendor { crates: &["unicode_width"], only_in: &["cli"] },
    Vendor { crates: &["toml"], only_in: &["config"] },
    Vendor { crates: &["prometheus", "tracing_subscriber"], only_in: &["record"] },
    Vendor { crates: &["axum"], only_in: &["api", "console"] },
    Vendor { crates: &["mimalloc"], only_in: &["main"] },
    Vendor { crates: &["rustix"], only_in: &["run"] },
];

/// Names of crates and types that a module must never write, with what to do instead.
pub(super) struct Ban {
    pub(super) modules: &'static [&'static str],
    pub(super) crates: &'static [&'static str],
    pub(super) types: &'static [&'static str],
    pub(super) instead: &'static str,
}

pub(super) const BANS: &[Ban] = &[
    Ban {
        modules: &["registry", "client", "credential", "network", "policy"],
        crates: &["tokio", "hyper", "hyper_util", "sqlx", "socket2"],
        types: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "ToSocketAddrs"],
        instead: "pure protocol works on bytes and values; sockets, clocks and databases are for layers 4 and up",
    },
    Ban {
        modules: &["control"],
        crates: &["http", "http_body", "http_body_util", "hyper", "hyper_util", "axum"],
        types: &["StatusCode", "HeaderMap", "HeaderValue", "Uri"],
        instead: "use cases take and return values; `api` turns them into requests and responses",
    },
];

/// The functions that only one module may call: type, function, module.
pub(super) const OWN_CALLS: &[(&str, &str, &str)] = &[("Permit", "new", "admit")];
