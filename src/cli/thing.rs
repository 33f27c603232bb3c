//! What is done to one thing, told before and after: it is shown, made, changed, deleted. Decides how that is said, as tables, as named
//! values, as ids alone or as JSON; never what is asked of the server.

use http::{Method, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::args::iam::Consent;
use crate::cli::display::{self, Display, Table, pairs, tame};
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::session::Session;
use crate::cli::terminal::Io;
use crate::cli::wire;

/// What is shown of one thing.
pub(super) trait Detailed: DeserializeOwned {
    /// Its named values; the one that is called ID, or else the first, is what it is known by.
    fn pairs(self) -> Vec<(&'static str, String)>;
}

/// What is shown of one thing in a list.
pub(super) trait Listed: DeserializeOwned {
    /// What stands above the columns.
    const HEADINGS: &'static [&'static str];

    /// The columns.
    fn cells(self) -> Vec<String>;
}

/// Shows one thing.
pub(super) fn detail<T: Detailed>(io: &mut Io, display: Display, found: &Value) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(found));
        return Ok(());
    }
    let values = wire::row::<T>(found)?.pairs();
    match values.iter().find(|(name, _)| *name == "ID").or(values.first()) {
        Some((_, id)) if display.quiet => io.line(tame(id)),
        _ => io.line(pairs(values)),
    }
    Ok(())
}

/// Shows a list, or says `none`.
pub(super) fn table<T: Listed>(
    io: &mut Io,
    display: Display,
    found: Vec<Value>,
    none: &str,
) -> Result<(), Failure> {
    if display.is_json() {
        io.line(display::json(&Value::Array(found)));
        return Ok(());
    }
    let rows: Vec<T> = wire::rows(&found)?;
    io.ok(display);
    if rows.is_empty() {
        io.announce(display, none);
        return Ok(());
    }
    let mut table = Table::new(T::HEADINGS);
    rows.into_iter().for_each(|row| table.row(row.cells()));
    io.line(table.render());
    Ok(())
}

/// Prints the ids of a list and nothing else.
pub(super) fn ids(io: &mut Io, found: &[Value]) {
    found.iter().filter_map(|row| row.get("id")?.as_str()).for_each(|id| io.line(tame(id)));
}

/// One thing, as messages name it.
pub(super) struct Thing<'a> {
    /// What it is: `access group`.
    pub(super) noun: &'a str,
    /// What it is called.
    pub(super) name: &'a str,
    /// Where it is, with a space in front, if that is said.
    pub(super) within: &'a str,
}

/// What is done to something that is written.
struct Verb {
    doing: &'static str,
    done: &'static str,
}

impl Thing<'_> {
    fn named(&self) -> String {
        format!("{} {}", self.noun, tame(self.name))
    }

    /// The name at the beginning of a sentence.
    fn headed(&self) -> String {
        let named = self.named();
        let mut letters = named.chars();
        letters
            .next()
            .map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
    }

    fn say(&self, io: &mut Io, session: &Session, display: Display, doing: &str) {
        let (named, within) = (self.named(), self.within);
        io.announce(display, format!("{doing} {named}{within} as {}...", session.user()));
    }

    /// Says that it is about to be shown.
    pub(super) fn getting(&self, io: &mut Io, session: &Session, display: Display) {
        self.say(io, session, display, "Getting");
    }

    /// Makes it.
    pub(super) async fn create<T: Detailed>(
        &self,
        io: &mut Io,
        session: &mut Session,
        display: Display,
        request: Request,
    ) -> Result<(), Failure> {
        let verb = Verb { doing: "Creating", done: "created" };
        self.write::<T>(io, session, display, (verb, request)).await
    }

    /// Changes it, if it is still what the caller has seen of it.
    pub(super) async fn update<T: Detailed>(
        &self,
        io: &mut Io,
        session: &mut Session,
        display: Display,
        (request, version): (Request, &str),
    ) -> Result<(), Failure> {
        let version = if version.is_empty() { "*" } else { version };
        let verb = Verb { doing: "Updating", done: "updated" };
        self.write::<T>(io, session, display, (verb, request.header(header::IF_MATCH, version))).await
    }

    async fn write<T: Detailed>(
        &self,
        io: &mut Io,
        session: &mut Session,
        display: Display,
        (verb, request): (Verb, Request),
    ) -> Result<(), Failure> {
        self.say(io, session, display, verb.doing);
        let written = session.call(request).await?.json()?;
        io.ok(display);
        io.announce(display, format!("{} is {} successfully\n", self.headed(), verb.done));
        detail::<T>(io, display, &written)
    }

    /// Deletes it, once whoever asks for that has said yes to `question`, or to the plain one if that is empty.
    pub(super) async fn delete(
        &self,
        io: &mut Io,
        session: &mut Session,
        consent: &Consent,
        (question, path): (&str, &str),
    ) -> Result<(), Failure> {
        let display = consent.display();
        let plain = format!("Really delete {}?", self.named());
        if !io.confirm(if question.is_empty() { &plain } else { question }, consent.force)? {
            return Ok(());
        }
        self.say(io, session, display, "Deleting");
        session.call(Request::new(Method::DELETE, path)).await?;
        io.ok(display);
        io.announce(display, format!("{} is deleted successfully", self.headed()));
        Ok(())
    }
}

/// Shows what is at this path.
pub(super) async fn found<T: Detailed>(
    io: &mut Io,
    session: &mut Session,
    display: Display,
    path: &str,
) -> Result<(), Failure> {
    let found = session.read(path).await?;
    io.ok(display);
    io.announce(display, "");
    detail::<T>(io, display, &found)
}

/// The version of what is at this path, for a change of it.
pub(super) async fn version(session: &mut Session, path: &str) -> Result<String, Failure> {
    let reply = session.call(Request::new(Method::GET, path)).await?;
    Ok(reply.header("etag").unwrap_or("*").to_owned())
}
