//! Where a PostgreSQL store is, and how it is spoken to: parsed once, and never printed with its password.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::secret::Secret;

/// The port when none is named.
const PORT: u16 = 5432;

/// A database on a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// The host.
    pub host: Host,
    /// The port; in the name of the socket, too.
    pub port: u16,
    /// Who we are there.
    pub user: String,
    /// The password, if one is asked for.
    pub password: Option<Secret<String>>,
    /// The database.
    pub database: String,
    /// Whether the connection is encrypted, and to whom.
    pub tls: Tls,
    /// The authorities that the server's certificate may come from, if not those that are commonly known.
    pub authorities: Option<PathBuf>,
}

/// Where the server listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Host {
    /// A name or address.
    Name(String),
    /// The directory of a socket of this machine.
    Socket(PathBuf),
}

/// What is known of the other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tls {
    /// Nothing, and everybody on the way reads along.
    Off,
    /// Nothing, but only whoever is in the middle reads along.
    Unverified,
    /// That a known authority has vouched for it, as whomever.
    VerifiedAuthority,
    /// That it is the host.
    Verified,
}

impl Server {
    /// Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=…&sslrootcert=FILE&host=/SOCKET/DIRECTORY]`. Without
    /// `sslmode`, the server must prove that it is HOST, unless that is this machine. On a socket there is nothing to encrypt.
    ///
    /// # Errors
    /// What is wrong; never with the text itself, for it may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or("must begin with postgres://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').ok_or("must end in /DATABASE")?;
        let (who, at) =
            authority.rsplit_once('@').ok_or("must name a user: postgres://USER@HOST/DATABASE")?;
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(Secret::new(decoded(password)?))),
            None => (who, None),
        };
        let (name, port) = endpoint(at)?;
        let mut server = Self {
            tls: if is_here(&name) { Tls::Off } else { Tls::Verified },
            host: Host::Name(name),
            port,
            user: decoded(user)?,
            password,
            database: decoded(database)?,
            authorities: None,
        };
        for (key, value) in query.split('&').filter(|pair| !pair.is_empty()).map(pair) {
            server.set(key, decoded(value)?)?;
        }
        match &server.host {
            Host::Name(name) if name.is_empty() => {
                return Err("must name a host, or a socket with ?host=/DIRECTORY");
            }
            Host::Name(_) => {}
            // Nobody is in between.
            Host::Socket(_) => server.tls = Tls::Off,
        }
        if server.user.is_empty() || server.database.is_empty() || server.database.contains('/') {
            return Err("must name a user and a database: postgres://USER@HOST/DATABASE");
        }
        Ok(server)
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), &'static str> {
        match key {
            "host" if value.starts_with('/') => self.host = Host::Socket(value.into()),
            "host" => return Err("host= is for the directory of a socket, from /"),
            "sslmode" => {
                self.tls = match value.as_str() {
                    "disable" => Tls::Off,
                    "require" => Tls::Unverified,
                    "verify-ca" => Tls::VerifiedAuthority,
                    "verify-full" => Tls::Verified,
                    _ => return Err("sslmode must be verify-full, verify-ca, require or disable"),
                }
            }
            "sslrootcert" => self.authorities = Some(value.into()),
            _ => return Err("knows sslmode, sslrootcert and host after the ?"),
        }
        Ok(())
    }

    /// Whether whoever is on the way could read along or answer in the server's place.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        match (&self.host, self.tls) {
            (Host::Socket(_), _) | (Host::Name(_), Tls::Verified) => false,
            (Host::Name(name), Tls::Off | Tls::Unverified | Tls::VerifiedAuthority) => !is_here(name),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, port, database, .. } = self;
        match &self.host {
            Host::Name(name) if name.contains(':') => {
                write!(f, "postgres://{user}@[{name}]:{port}/{database}")
            }
            Host::Name(name) => write!(f, "postgres://{user}@{name}:{port}/{database}"),
            Host::Socket(path) => write!(f, "postgres://{user}@/{database}?host={}", path.display()),
        }
    }
}

/// A host and a port; an address of IPv6 stands in brackets.
fn endpoint(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("has a [ without ]")?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| "has a port that is no number up to 65535")?,
        None if port.is_empty() => PORT,
        None => return Err("has something between host and port"),
    };
    Ok((decoded(host)?, port))
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| "has %XX that are no text")?;
    if decoded.contains('\0') { Err("has a null character") } else { Ok(decoded.into_owned()) }
}

/// Whether this is the machine itself; a name that could be looked up elsewhere is not.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Host, Server, Tls};

    fn server(text: &str) -> Server {
        Server::parse(text).unwrap()
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_told_otherwise() {
        let found = server("postgres://p@db.example.com/portcullis");
        assert_eq!((found.port, found.tls, found.is_exposed()), (5432, Tls::Verified, false));
        for (mode, tls) in
            [("disable", Tls::Off), ("require", Tls::Unverified), ("verify-ca", Tls::VerifiedAuthority)]
        {
            let found = server(&format!("postgres://p@db.example.com:7/portcullis?sslmode={mode}"));
            assert_eq!((found.port, found.tls, found.is_exposed()), (7, tls, true), "{mode}");
        }
        for here in ["127.0.0.1", "localhost", "[::1]"] {
            let found = server(&format!("postgresql://p@{here}:5433/portcullis"));
            assert_eq!((found.tls, found.is_exposed()), (Tls::Off, false), "{here}");
        }
        assert_eq!(server("postgres://p@localhost.example.com/d").tls, Tls::Verified);
        assert_eq!(server("postgres://p@localhost/d?sslmode=verify-full").tls, Tls::Verified);
    }

    #[test]
    fn a_password_is_read_and_never_shown() {
        let found = server("postgres://p%40q:hun%3Ater@h2/d%20b?sslrootcert=/etc/ca.pem");
        assert_eq!((found.user.as_str(), found.database.as_str()), ("p@q", "d b"));
        assert_eq!(found.password.as_ref().unwrap().expose(), "hun:ter");
        assert!(!format!("{found:?} {found}").contains("hun"));
        assert_eq!(found.authorities.as_deref(), Some(std::path::Path::new("/etc/ca.pem")));
    }

    #[test]
    fn a_socket_is_named_by_its_directory() {
        let found = server("postgres://p@/d?host=/run/postgresql");
        assert_eq!((found.host.clone(), found.is_exposed()), (Host::Socket("/run/postgresql".into()), false));
        assert_eq!(found.to_string(), "postgres://p@/d?host=/run/postgresql");
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_repeated() {
        for text in [
            "mysql://secret@h/d",
            "postgres://h/d",
            "postgres://secret@h",
            "postgres://secret@/d",
            "postgres://@h/d",
            "postgres://secret@h/",
            "postgres://secret@h/d/e",
            "postgres://secret@h:x/d",
            "postgres://secret@[::1/d",
            "postgres://secret@[::1]x/d",
            "postgres://secret@h/d?sslmode=prefer",
            "postgres://secret@h/d?sslmode=secret",
            "postgres://secret@h/d?host=h2",
            "postgres://secret@h/d?secret=1",
            "postgres://secret:%ff@h/d",
            "postgres://secret:%00@h/d",
        ] {
            let error = Server::parse(text).unwrap_err();
            assert!(!error.contains("secret"), "{text}");
        }
    }
}
