//! `explain`: whether somebody may do something, and which policies say so; and `who-can`: who may. The server decides;
//! this lays it out.

use http::Method;
use serde_json::{Value, json};

use super::args;
use super::display;
use super::failure::Failure;
use super::http::Request;
use super::lookup;
use super::session::Session;
use super::terminal::Io;
use super::wire;
use answer::{Able, WhoCan};

mod answer;
mod question;
mod tree;

/// More pages than any account has; ends a list that does not end by itself.
const PAGES_MAX: usize = 100_000;

/// Asks the server why, and shows its answer as a tree.
pub(super) async fn run(io: &mut Io, explain: args::Explain) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let mut body = question::body(&mut session, &explain.question()).await?;
    if let Some(principal) = &explain.principal {
        let id = match ["AROA", "arn:"].iter().any(|known| principal.starts_with(known)) {
            true => principal.clone(),
            false => lookup::principal(&mut session, principal).await?.iam_id,
        };
        body.insert("principal".to_owned(), id.into());
    }
    let request = Request::new(Method::POST, "/api/native/explain").json(&Value::Object(body));
    let answer = session.call(request).await?.json()?;
    if explain.display.is_json() {
        io.line(display::json(&answer));
        return Ok(());
    }
    let explanation: answer::Explanation = wire::row(&answer)?;
    explanation.warnings().for_each(|warning| io.note(warning));
    io.line(if explain.display.quiet { tree::head(&explanation) } else { tree::whole(&explanation) });
    Ok(())
}

/// Asks the server who may, page by page, and shows each of them as it comes.
pub(super) async fn who_can(io: &mut Io, who: args::WhoCan) -> Result<(), Failure> {
    let mut session = Session::open(io).await?;
    let mut body = question::body(&mut session, &who.question()).await?;
    let (mut rows, mut found) = (Vec::new(), 0_usize);
    for page in 0..PAGES_MAX {
        let request = Request::new(Method::POST, "/api/native/who-can").json(&Value::Object(body.clone()));
        let mut answer = session.call(request).await?.json()?;
        let read: WhoCan = wire::row(&answer)?;
        found += read.principals.len();
        if who.display.is_json() {
            rows.extend(answer.get_mut("principals").and_then(Value::as_array_mut).map(std::mem::take));
        } else {
            if page == 0 {
                begin(io, &read, who.display);
            }
            read.principals.iter().for_each(|able| io.line(row(able, who.display)));
        }
        let Some(next) = read.next else {
            if who.display.is_json() {
                let rows = Value::Array(rows.into_iter().flatten().collect());
                answer.as_object_mut().map(|answer| answer.insert("principals".to_owned(), rows));
                io.line(display::json(&answer));
            } else {
                io.announce(who.display, format!("\n{found} of {} principals may.", read.total));
            }
            return Ok(());
        };
        body.insert("start".to_owned(), json!(next));
    }
    Err(Failure::misunderstood("the list of principals does not end".to_owned()))
}

fn begin(io: &mut Io, answer: &WhoCan, display: display::Display) {
    answer.warnings.iter().for_each(|warning| io.note(display::tame(&format!("Warning: {warning}."))));
    let what = format!("Who may do {} on {}:", answer.action, tree::place(&answer.resource));
    io.announce(display, display::tame(&what));
    if answer.policies_enforced == Some(false) {
        io.announce(
            display,
            "policies are not enforced in this registry: everyone in the account has access",
        );
    }
}

fn row(able: &Able, display: display::Display) -> String {
    if display.quiet {
        return display::tame(&able.iam_id);
    }
    let kind = able.kind.replace('_', " ");
    let mut lines = vec![display::tame(&format!("{} ({kind} {})", able.name, able.iam_id))];
    let last = able.through.len().saturating_sub(1);
    lines.extend(
        able.through.iter().enumerate().map(|(at, decider)| {
            format!("{} {}", if at == last { "└─" } else { "├─" }, tree::through(decider))
        }),
    );
    lines.join("\n")
}
