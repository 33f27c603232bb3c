//! One call, with its parameters decoded: what endpoints read from.

use std::sync::Arc;

use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::page;
use super::query::Query;
use super::routes::Params;
use super::{ApiRequest, body};
use crate::admit::caller::Caller;
use crate::control::Desk;
use crate::control::list::{Order, Refine, SortKey};
use crate::control::problem::{Noun, Problem};
use crate::control::version::Expected;
use crate::ids::Malformed;
use crate::store::identity::Window;

/// A call.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) desk: &'a Desk,
    pub(super) caller: Arc<Caller>,
    pub(super) query: Query,
    pub(super) request: &'a ApiRequest,
    params: Params,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        desk: &'a Desk,
        request: &'a ApiRequest,
        params: Params,
        caller: Arc<Caller>,
    ) -> Result<Self, Problem> {
        let params = params.decoded()?;
        let query = Query::parse(request.query.as_deref().unwrap_or_default())?;
        let call = Self { desk, caller, query, request, params };
        call.same_account("account_id", call.query.one("account_id")?)?;
        Ok(call)
    }

    /// A path parameter as text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.params.value(name)
    }

    /// A path parameter that names a `noun`; one that cannot be such a name names nothing that exists.
    pub(super) fn id<T>(
        &self,
        name: &str,
        noun: Noun,
        parse: fn(&str) -> Result<T, Malformed>,
    ) -> Result<T, Problem> {
        let text = self.text(name);
        parse(text).map_err(|_| Problem::NotFound(noun, Malformed::new(text, "").text))
    }

    /// The body.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(&self.request.headers, &self.request.body)
    }

    /// The body, if it is a list.
    pub(super) fn list<T: DeserializeOwned>(&self) -> Result<Vec<T>, Problem> {
        body::read_list(&self.request.headers, &self.request.body)
    }

    /// Refuses an account other than the caller's, wherever it is named.
    pub(super) fn same_account(&self, field: &str, given: Option<&str>) -> Result<(), Problem> {
        match given {
            Some(other) if other != self.caller.account.as_str() => {
                let text =
                    format!("`{field}` is not the account that you are logged in to: log in to that one");
                Err(Problem::Invalid(text))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A header with at most one value, as text.
    pub(super) fn header(&self, name: &str) -> Result<Option<&str>, Problem> {
        single(&self.request.headers, name)
    }

    /// Whether a header says `true`.
    pub(super) fn header_flag(&self, name: &str) -> Result<bool, Problem> {
        match self.header(name)? {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(_) => Err(Problem::Invalid(format!("the header `{name}` is neither `true` nor `false`"))),
        }
    }

    /// The version in `If-Match`, which every change names.
    pub(super) fn if_match(&self) -> Result<Expected, Problem> {
        let missing = || {
            let text =
                "the header `If-Match` is missing: send the ETag of the version that you have read, or `*`";
            Problem::Invalid(text.to_owned())
        };
        let text = self.header("if-match")?.ok_or_else(missing)?.trim();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        Ok(if bare == "*" { Expected::Any } else { Expected::Tag(bare.to_owned()) })
    }

    /// The window that `limit` and an opaque token ask for.
    pub(super) fn window(&self, limit: &str, max: u32, default: u32, token: &str) -> Result<Window, Problem> {
        let limit = self.query.number(limit, 1..=max, default)?;
        let offset = page::offset(&self.listed(token), self.query.one(token)?, token)?;
        Ok(Window { offset, limit })
    }

    /// The URL of the page of this list that starts at `offset`.
    pub(super) fn page_url(&self, token: &str, offset: u32) -> String {
        let list = self.listed(token);
        let joint = if list.contains('?') { '&' } else { '?' };
        format!("{}{joint}{token}={}", self.url(&list), page::token(&list, offset))
    }

    /// The URL of this list without its page.
    pub(super) fn first_url(&self, token: &str) -> String {
        self.url(&self.listed(token))
    }

    /// An absolute URL on the host that the client used.
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.request.authority)
    }

    /// The path and query of this list, without the page: what a page token belongs to.
    pub(super) fn listed(&self, token: &str) -> String {
        let is_page = |pair: &&str| pair.split('=').next() == Some(token) || pair.is_empty();
        let query = self.request.query.as_deref().unwrap_or_default();
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_page(pair)).collect();
        match kept.is_empty() {
            true => self.request.path.clone(),
            false => format!("{}?{}", self.request.path, kept.join("&")),
        }
    }

    /// `filter`.
    pub(super) fn refine(&self) -> Result<Option<Refine>, Problem> {
        self.query.one("filter")?.map(Refine::read).transpose()
    }

    /// `sort` and `order`.
    pub(super) fn order(&self) -> Result<Option<Order>, Problem> {
        let descending = match self.query.one("order")? {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Problem::Invalid("`order` is neither `asc` nor `desc`".to_owned())),
        };
        let by = match self.query.one("sort")? {
            None if descending => SortKey::CreatedAt,
            None => return Ok(None),
            Some("created_at") => SortKey::CreatedAt,
            Some("description") => SortKey::Description,
            Some("modified_at") => SortKey::ModifiedAt,
            Some("name") => SortKey::Name,
            Some(_) => {
                let text = "`sort` is none of `name`, `description`, `created_at` and `modified_at`";
                return Err(Problem::Invalid(text.to_owned()));
            }
        };
        Ok(Some(Order { by, descending }))
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut given = headers.get_all(name).into_iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => {
            let wrong = |_| Problem::Invalid(format!("the header `{name}` is not readable text"));
            only.to_str().map(Some).map_err(wrong)
        }
        (Some(_), Some(_)) => Err(Problem::Invalid(format!("the header `{name}` is given twice"))),
    }
}
