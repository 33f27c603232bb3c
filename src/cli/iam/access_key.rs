//! Access keys, which the `aws` command signs with. A fresh secret is shown once.

use http::Method;
use serde_json::{Value, json};

use crate::cli::args::iam::AccessKeyCreate;
use crate::cli::display::{self, pairs};
use crate::cli::failure::Failure;
use crate::cli::http::Request;
use crate::cli::lookup;
use crate::cli::session::Session;
use crate::cli::terminal::Io;

/// `iam access-key-create`.
pub(super) async fn create(io: &mut Io, session: &mut Session, new: AccessKeyCreate) -> Result<(), Failure> {
    let (user, display) = (session.user(), new.display);
    let owner = match &new.user {
        Some(name) => lookup::principal(session, name).await?,
        None => lookup::Principal { iam_id: session.login.who.iam_id.clone(), name: user.clone() },
    };
    io.announce(display, format!("Creating an access key of {} as {user}...", display::tame(&owner.name)));
    let request = Request::new(Method::POST, "/api/native/access-keys");
    let made = session.call(request.json(&json!({ "iam_id": owner.iam_id }))).await?.json()?;
    if display.is_json() {
        io.line(display::json(&made));
        return Ok(());
    }
    let text = |name: &str| {
        let found = made.get(name).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| Failure::misunderstood("the access key is missing"))
    };
    let rows = [
        ("Access Key ID", text("access_key_id")?),
        ("Secret Access Key", text("secret_access_key")?),
        ("Created At", text("created_at")?),
    ];
    io.ok(display);
    io.announce(
        display,
        "Please preserve the secret access key! It cannot be retrieved after it's created.\n",
    );
    io.line(pairs(rows));
    Ok(())
}
