//! `/v2/accounts/{account}/users`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::page;
use super::accounts::settings_shape;
use super::activity;
use super::policies::RoleBody;
use crate::control::list::Search;
use crate::control::problem::{Noun, Problem};
use crate::control::user::{Invitation, UserChange};
use crate::ids::principal::PrincipalId;
use crate::ids::tagged::{AccessGroupId, UserId};
use crate::policy::ibm::document::{PolicyDocument, ResourceDocument, RoleReference};
use crate::store::identity::User;
use crate::store::network::ListHolder;
use crate::store::profile::Profile;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Users {
    Invite,
    List,
    Read,
    Remove,
    Update,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteBody {
    users: Vec<InvitedBody>,
    #[serde(default)]
    iam_policy: Vec<GrantBody>,
    #[serde(default)]
    access_groups: Vec<AccessGroupId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantBody {
    r#type: String,
    roles: Vec<RoleBody>,
    resources: Vec<ResourceDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateBody {
    firstname: Option<String>,
    lastname: Option<String>,
    state: Option<String>,
    email: Option<String>,
    phonenumber: Option<String>,
    altphonenumber: Option<String>,
    photo: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvitedBody {
    email: String,
    #[serde(rename = "account_role")]
    _account_role: Option<String>,
}

pub(in super::super) async fn answer(which: Users, call: &Call<'_>) -> Result<Answer, Problem> {
    call.same_account("account in the path", Some(call.text("account")))?;
    match which {
        Users::Invite => invite(call).await,
        Users::List => list(call).await,
        Users::Read => {
            let done = call.desk.user(&call.caller, &id(call)?).await?;
            let profile = call.desk.profile(&done.value.id).await?;
            let activity = activity(call, &done.value.id).await?;
            Ok(Answer::of(StatusCode::OK, done, |row| shape(call, &row, &profile, activity)))
        }
        Users::Update => update(call).await,
        Users::Remove => {
            let done = call.desk.remove_user(&call.caller, &id(call)?).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
    }
}

fn id(call: &Call<'_>) -> Result<UserId, Problem> {
    call.id("iam_id", Noun::User, UserId::parse)
}

async fn list(call: &Call<'_>) -> Result<Answer, Problem> {
    const TOKEN: &str = "_start";
    let window = call.window("limit", 100, 100, TOKEN)?;
    let search = Search { text: call.query.one("search")?.map(str::to_owned), order: None };
    let done = call.desk.users(&call.caller, call.query.one("user_id")?, &search, window).await?;
    let with_settings = call.query.flag("include_settings")?;
    let mut shapes = Vec::with_capacity(done.value.rows.len());
    for row in &done.value.rows {
        let activity = activity(call, &row.id).await?;
        let mut shown = shape(call, row, &call.desk.profile(&row.id).await?, activity);
        if let (true, Some(members)) = (with_settings, shown.as_object_mut()) {
            let holder = ListHolder::Principal(PrincipalId::User(row.id.clone()));
            let list = call.desk.allow_list(&call.caller, &holder).await?.value;
            members.insert("user_settings".to_owned(), settings_shape(list.as_ref()));
        }
        shapes.push(shown);
    }
    Ok(Answer::of(StatusCode::OK, done, |listed| {
        json!({
            "total_results": listed.total,
            "limit": window.limit,
            "first_url": call.first_url(TOKEN),
            "next_url": page::next(window, listed.rows.len(), listed.total).map(|at| call.page_url(TOKEN, at)),
            "resources": shapes,
        })
    }))
}

async fn invite(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: InviteBody = call.body()?;
    if body.iam_policy.iter().any(|policy| policy.r#type != "access") {
        return Err(Problem::Invalid("only policies of type `access` are supported here".to_owned()));
    }
    let document = |grant: GrantBody| PolicyDocument {
        roles: grant.roles.into_iter().map(|role| RoleReference::named(role.role_id)).collect(),
        resources: grant.resources,
        pattern: None,
        rule: None,
    };
    let invitation = Invitation {
        names: body.users.into_iter().map(|user| user.email).collect(),
        policies: body.iam_policy.into_iter().map(document).collect(),
        groups: body.access_groups,
    };
    let done = call.desk.invite_users(&call.caller, invitation).await?;
    let first = done.value.first().map(|row| row.id.to_string()).unwrap_or_default();
    let made = Answer::of(StatusCode::ACCEPTED, done, |rows| {
        let shape = |row: &User| json!({"email": row.name, "id": row.id, "state": state(row)});
        json!({"resources": rows.iter().map(shape).collect::<Vec<_>>()})
    });
    Ok(made.about(&first))
}

async fn update(call: &Call<'_>) -> Result<Answer, Problem> {
    let (id, body) = (id(call)?, call.body::<UpdateBody>()?);
    let active = match body.state.as_deref() {
        None => None,
        Some(ACTIVE) => Some(true),
        Some(DISABLED) => Some(false),
        Some(_) => {
            return Err(Problem::Invalid(format!("`state` can only become `{ACTIVE}` or `{DISABLED}` here")));
        }
    };
    if body.email.is_some() {
        return Err(Problem::Invalid(
            "`email` is what the user is known by, and stays: leave it out".to_owned(),
        ));
    }
    let change = UserChange {
        firstname: body.firstname,
        lastname: body.lastname,
        phonenumber: body.phonenumber,
        altphonenumber: body.altphonenumber,
        photo: body.photo,
        active,
    };
    Ok(Answer::done(StatusCode::NO_CONTENT, call.desk.update_user(&call.caller, &id, change).await?))
}

const ACTIVE: &str = "ACTIVE";
const DISABLED: &str = "DISABLED_CLASSIC_INFRASTRUCTURE";

const fn state(row: &User) -> &'static str {
    if row.active { ACTIVE } else { DISABLED }
}

fn shape(call: &Call<'_>, row: &User, profile: &Profile, activity: Option<Value>) -> Value {
    json!({
        "id": row.id,
        "iam_id": row.id,
        "realm": "IBMid",
        "user_id": row.name,
        "firstname": profile.firstname,
        "lastname": profile.lastname,
        "phonenumber": profile.phonenumber,
        "altphonenumber": profile.altphonenumber,
        "photo": profile.photo,
        "state": state(row),
        "email": row.name,
        "account_id": call.caller.account,
        "added_on": row.stamp.created_at.rfc3339(),
        "activity": activity,
    })
}
