//! Keys of issuers, kept for a while: fetched once for all who ask at the same time, and again when a token names an unknown key,
//! but not more often than an issuer can bear.
//!
//! When an issuer cannot be asked, the keys that it last gave serve on, for some hours: long enough for an outage, and not for a
//! key that was withdrawn to be good forever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Library, Rejected, Unread};
use crate::credential::foreign::Unverified;
use crate::credential::foreign::keys::KeySet;
use crate::ids::issuer::{DocumentUrl, Issuer};

/// How long keys serve without a question.
pub(super) const FRESH: Duration = Duration::from_secs(15 * 60);

/// How long they serve if the issuer cannot be asked.
pub(super) const USABLE: Duration = Duration::from_secs(6 * 60 * 60);

/// How long an issuer that answered is left alone, whatever keys tokens name.
pub(super) const REST: Duration = Duration::from_secs(30);

/// How long one is left alone that did not.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// How many issuers are remembered.
pub(super) const ISSUERS_MAX: usize = 256;

/// How many are asked at once.
const ASKED_AT_ONCE: usize = 8;

/// What is known of the keys of each issuer.
#[derive(Debug)]
pub(super) struct Shelf {
    library: Arc<dyn Library>,
    books: Mutex<HashMap<Issuer, Arc<Book>>>,
    asking: Semaphore,
}

/// What is known of one issuer's.
#[derive(Debug)]
struct Book {
    state: Mutex<State>,
    /// Held while the issuer is asked.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    keys: Option<(Arc<KeySet>, Instant)>,
    /// When the issuer was last asked.
    asked: Option<Instant>,
    /// Why there was no answer; `None` if there was.
    failure: Option<String>,
    used: Instant,
}

impl Shelf {
    pub(super) fn new(library: Arc<dyn Library>) -> Self {
        Self { library, books: Mutex::default(), asking: Semaphore::new(ASKED_AT_ONCE) }
    }

    /// Keys that are good enough to judge this token by.
    pub(super) async fn keys(
        &self,
        issuer: &Issuer,
        token: &Unverified<'_>,
    ) -> Result<Arc<KeySet>, Rejected> {
        let book = self.book(issuer);
        if let Some(keys) = book.fresh(token) {
            return Ok(keys);
        }
        let _turn = book.turn.lock().await;
        // Whoever had the turn before may have asked already.
        if let Some(keys) = book.fresh(token) {
            return Ok(keys);
        }
        if book.begin() {
            let fetched = self.fetch(issuer).await;
            if let Err(Unread(why)) = &fetched {
                tracing::warn!(%issuer, why, "the keys of an issuer could not be read");
            }
            book.end(fetched);
        }
        book.usable().map_err(Rejected::Unreachable)
    }

    fn book(&self, issuer: &Issuer) -> Arc<Book> {
        let now = Instant::now();
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(issuer) {
            book.state().used = now;
            return Arc::clone(book);
        }
        if books.len() >= ISSUERS_MAX {
            let oldest = books.iter().min_by_key(|(_, book)| book.state().used);
            if let Some(oldest) = oldest.map(|(issuer, _)| issuer.clone()) {
                books.remove(&oldest);
            }
        }
        let state = State { keys: None, asked: None, failure: None, used: now };
        let book = Arc::new(Book { state: Mutex::new(state), turn: tokio::sync::Mutex::default() });
        books.insert(issuer.clone(), Arc::clone(&book));
        book
    }

    /// Asks the issuer: first where its keys are (OpenID Connect Discovery section 4), then for them.
    async fn fetch(&self, issuer: &Issuer) -> Result<KeySet, Unread> {
        // The semaphore is never closed.
        let _room = self.asking.acquire().await;
        let url = issuer.discovery();
        let document = self.library.read(issuer, &url).await?;
        let wrong = |why: &str| Unread(format!("{url}: {why}"));
        let document: Value = serde_json::from_slice(&document).map_err(|_| wrong("this is no JSON"))?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        // Section 4.3: otherwise one issuer could speak for another.
        if Issuer::parse(text("issuer")).as_ref() != Ok(issuer) {
            return Err(wrong("it names another issuer"));
        }
        let keys = DocumentUrl::parse(text("jwks_uri")).map_err(|_| wrong("it has no jwks_uri of https"))?;
        let set = self.library.read(issuer, &keys).await?;
        KeySet::parse(&set).map_err(|why| Unread(format!("{keys}: {why}")))
    }
}

impl Book {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys that need no question: young, and the one that the token names among them.
    fn fresh(&self, token: &Unverified<'_>) -> Option<Arc<KeySet>> {
        let state = self.state();
        let (keys, since) = state.keys.as_ref()?;
        (since.elapsed() < FRESH && token.is_known_to(keys)).then(|| Arc::clone(keys))
    }

    /// Whether the issuer may be asked now.
    fn begin(&self) -> bool {
        let mut state = self.state();
        let rest = if state.failure.is_some() { RETRY } else { REST };
        let rested = state.asked.is_none_or(|asked| asked.elapsed() >= rest);
        if rested {
            state.asked = Some(Instant::now());
        }
        rested
    }

    fn end(&self, fetched: Result<KeySet, Unread>) {
        let mut state = self.state();
        match fetched {
            Ok(keys) => {
                state.keys = Some((Arc::new(keys), Instant::now()));
                state.failure = None;
            }
            Err(Unread(why)) => state.failure = Some(why),
        }
    }

    /// The keys that there are, or why there are none.
    fn usable(&self) -> Result<Arc<KeySet>, String> {
        let state = self.state();
        match &state.keys {
            Some((keys, since)) if since.elapsed() < USABLE => Ok(Arc::clone(keys)),
            Some(_) | None => Err(state.failure.clone().unwrap_or_else(|| "no answer yet".to_owned())),
        }
    }
}
