//! Security Insights' findings, version 1, as others report them: notes and occurrences, at `/findings/v1`.

use http::StatusCode;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::occurrences::{self, Occurrences};
use crate::clock::UnixTime;
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::findings::alert::message::PROVIDER;
use crate::findings::insight::InsightName;
use crate::findings::insight::note::Note;
use crate::findings::insight::occurrence::Occurrence;
use crate::store::insight::{Insight, Named, Of, Put};

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Insights {
    Create,
    CreateNote,
    Delete,
    DeleteNote,
    List,
    Note,
    NoteOf,
    Notes,
    OfNote,
    Providers,
    Read,
    Replace,
    ReplaceNote,
}

/// How many rows a page has that asks for no number.
const PAGE: u32 = 100;

pub(in super::super) async fn answer(which: Insights, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account", Some(call.text("account")))?;
    let ours = call.text("provider") == PROVIDER;
    match which {
        Insights::Create => put(call, None).await,
        Insights::CreateNote => put_note(call, None).await,
        Insights::Delete => {
            let done = call.desk.delete_insight_occurrence(&call.caller, &occurrence_name(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |()| json!({})))
        }
        Insights::DeleteNote => {
            let done = call.desk.delete_insight_note(&call.caller, &note_name(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |()| json!({})))
        }
        Insights::List if ours => occurrences::answer(Occurrences::List, call).await,
        Insights::List => {
            let provider = name(call, "provider", Noun::Finding)?;
            list(call, Of::Provider(provider)).await
        }
        Insights::Note if ours => occurrences::answer(Occurrences::Note, call).await,
        Insights::Note => {
            let done = call.desk.insight_note(&call.caller, &note_name(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| note(call, &row)))
        }
        Insights::NoteOf if ours => occurrences::answer(Occurrences::NoteOf, call).await,
        Insights::NoteOf => {
            let found = call.desk.insight_occurrence(&call.caller, &occurrence_name(call)?).await?.value;
            let (_, (provider, id)) =
                found.document.check(call.caller.account.as_str()).map_err(Problem::Invalid)?;
            let done = call.desk.insight_note(&call.caller, &Named { provider, id }).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| note(call, &row)))
        }
        Insights::Notes if ours => occurrences::answer(Occurrences::Notes, call).await,
        Insights::Notes => notes(call).await,
        Insights::OfNote if ours => occurrences::answer(Occurrences::OfNote, call).await,
        Insights::OfNote => list(call, Of::Note(note_name(call)?)).await,
        Insights::Providers => providers(call).await,
        Insights::Read if ours => occurrences::answer(Occurrences::Read, call).await,
        Insights::Read => {
            let done = call.desk.insight_occurrence(&call.caller, &occurrence_name(call)?).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| occurrence(call, &row)))
        }
        Insights::Replace => put(call, Some(occurrence_name(call)?)).await,
        Insights::ReplaceNote => put_note(call, Some(note_name(call)?)).await,
    }
}

fn name(call: &Call<'_>, parameter: &str, noun: Noun) -> Result<InsightName, Problem> {
    let text = call.text(parameter);
    let missing = || Problem::NotFound(noun, crate::ids::Malformed::new(text, "").text);
    InsightName::parse(text).ok_or_else(missing)
}

fn note_name(call: &Call<'_>) -> Result<Named, Problem> {
    Ok(Named { provider: name(call, "provider", Noun::Note)?, id: name(call, "note", Noun::Note)? })
}

fn occurrence_name(call: &Call<'_>) -> Result<Named, Problem> {
    let id = name(call, "occurrence", Noun::Finding)?;
    Ok(Named { provider: name(call, "provider", Noun::Finding)?, id })
}

/// Refuses a body that names another thing than the path.
fn same(of: Option<&Named>, id: &str) -> Result<(), Problem> {
    match of.filter(|of| of.id.as_str() != id) {
        Some(_) => Err(Problem::Invalid("`id` is another than in the path".to_owned())),
        None => Ok(()),
    }
}

async fn put_note(call: &Call<'_>, over: Option<Named>) -> Result<Answer, Problem> {
    let provider = name(call, "provider", Noun::Note)?;
    let document: Note = call.body()?;
    same(over.as_ref(), &document.id)?;
    let how = if over.is_some() { Put::Over } else { Put::Fresh };
    let done = call.desk.put_insight_note(&call.caller, &provider, document, how).await?;
    let id = done.value.name.id.clone();
    Ok(Answer::of(StatusCode::OK, done, |row| note(call, &row)).about(&id))
}

async fn put(call: &Call<'_>, over: Option<Named>) -> Result<Answer, Problem> {
    let provider = name(call, "provider", Noun::Finding)?;
    let document: Occurrence = call.body()?;
    same(over.as_ref(), &document.id)?;
    let how = match over {
        Some(_) => Put::Over,
        None if call.header_flag("replace-if-exists")? => Put::Either,
        None => Put::Fresh,
    };
    let done = call.desk.put_insight_occurrence(&call.caller, &provider, document, how).await?;
    let id = done.value.name.id.clone();
    Ok(Answer::of(StatusCode::OK, done, |row| occurrence(call, &row)).about(&id))
}

async fn providers(call: &Call<'_>) -> Result<Answer, Problem> {
    let (limit, skip) =
        (call.query.number("limit", 1..=1000, PAGE)?, call.query.number("skip", 0..=100_000, 0)?);
    let others = call.desk.insight_providers(&call.caller).await?;
    let (first, last) = (call.query.one("start_provider_id")?, call.query.one("end_provider_id")?);
    let mut all: Vec<&str> =
        std::iter::once(PROVIDER).chain(others.iter().map(InsightName::as_str)).collect();
    all.sort_unstable();
    all.retain(|id| first.is_none_or(|first| *id >= first) && last.is_none_or(|last| *id <= last));
    let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let one = |id: &&str| json!({"name": provider_name(call, id), "id": id});
    let page: Vec<Value> = all.iter().skip(wide(skip)).take(wide(limit)).map(one).collect();
    Ok(Answer::public(json!({"providers": page, "limit": limit, "skip": skip, "total_count": all.len()})))
}

/// The size of the page that is asked for, and the last name of the page before.
fn window<'c>(call: &'c Call<'_>) -> Result<(u32, Option<&'c str>), Problem> {
    Ok((call.query.number("page_size", 1..=1000, PAGE)?, call.query.one("page_token")?))
}

fn bad_token() -> Problem {
    Problem::Invalid("`page_token` is none that a list has given".to_owned())
}

/// A page, and the token of the next one if this one is full.
fn page<D>(
    call: &Call<'_>,
    (member, limit): (&str, u32),
    done: Done<Vec<Insight<D>>>,
    shown: impl Fn(&Call<'_>, &Insight<D>) -> Value,
    token: impl Fn(&Named) -> String,
) -> Answer {
    Answer::of(StatusCode::OK, done, |rows| {
        let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = rows.last().filter(|_| full).map(|last| token(&last.name));
        json!({member: rows.iter().map(|row| shown(call, row)).collect::<Vec<_>>(), "next_page_token": next})
    })
}

async fn notes(call: &Call<'_>) -> Result<Answer, Problem> {
    let (limit, token) = window(call)?;
    let after = token.map(|token| InsightName::parse(token).ok_or_else(bad_token)).transpose()?;
    if !call.desk.may_read_insights(&call.caller) {
        return Ok(Answer::public(json!({"notes": []})));
    }
    let provider = name(call, "provider", Noun::Note)?;
    let done = call.desk.insight_notes(&call.caller, &provider, after.as_ref(), limit).await?;
    Ok(page(call, ("notes", limit), done, note, |name| name.id.to_string()))
}

async fn list(call: &Call<'_>, of: Of) -> Result<Answer, Problem> {
    let (limit, token) = window(call)?;
    let read = |token: &str| {
        let (provider, id) = token.split_once('/')?;
        Some(Named { provider: InsightName::parse(provider)?, id: InsightName::parse(id)? })
    };
    let after = token.map(|token| read(token).ok_or_else(bad_token)).transpose()?;
    if !call.desk.may_read_insights(&call.caller) {
        return Ok(Answer::public(json!({"occurrences": []})));
    }
    let done = call.desk.insight_occurrences(&call.caller, &of, after.as_ref(), limit).await?;
    let token = |name: &Named| format!("{}/{}", name.provider, name.id);
    Ok(page(call, ("occurrences", limit), done, occurrence, token))
}

fn provider_name(call: &Call<'_>, id: &str) -> String {
    format!("{}/providers/{id}", call.caller.account)
}

fn note(call: &Call<'_>, row: &Insight<Note>) -> Value {
    let name = format!("{}/notes/{}", provider_name(call, row.name.provider.as_str()), row.name.id);
    with_origin(call, row, json!(row.document), &[("name", json!(name))])
}

fn occurrence(call: &Call<'_>, row: &Insight<Occurrence>) -> Value {
    with_origin(call, row, json!(row.document), &[])
}

/// What was reported, with what the server adds: who has, and when.
fn with_origin<D>(call: &Call<'_>, row: &Insight<D>, mut shown: Value, more: &[(&str, Value)]) -> Value {
    let provider = row.name.provider.as_str();
    let (created, updated): (UnixTime, UnixTime) = (row.created_at, row.modified_at);
    let added = [
        ("provider_id", json!(provider)),
        ("provider_name", json!(provider_name(call, provider))),
        ("create_time", json!(created.rfc3339())),
        ("create_timestamp", json!(created.millis())),
        ("update_time", json!(updated.rfc3339())),
        ("update_timestamp", json!(updated.millis())),
        ("author", json!({"account_id": call.caller.account, "id": row.created_by, "kind": "user"})),
    ];
    if let Some(fields) = shown.as_object_mut() {
        for (name, value) in added.iter().chain(more) {
            fields.insert((*name).to_owned(), value.clone());
        }
    }
    shown
}
