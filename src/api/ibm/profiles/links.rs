//! `/v1/profiles/{id}/links`.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::answer::Answer;
use super::super::super::call::Call;
use super::{compute_kind, id, wrong};
use crate::control::Done;
use crate::control::problem::{Noun, Problem};
use crate::control::version::entity_tag;
use crate::ids::tagged::ProfileLinkId;
use crate::policy::ibm::trust::LinkTarget;
use crate::store::trusted_profile::ProfileLink;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Links {
    Create,
    Delete,
    DeleteOf,
    List,
    Read,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkBody {
    cr_type: String,
    link: LinkTargetBody,
    #[serde(default)]
    name: String,
    is_cross_account: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkTargetBody {
    crn: String,
    namespace: Option<String>,
    name: Option<String>,
}

pub(in super::super::super) async fn answer(which: Links, call: &Call<'_>) -> Result<Answer, Problem> {
    let (desk, caller, profile) = (call.desk, &call.caller, id(call)?);
    let link = || call.id("link", Noun::Link, ProfileLinkId::parse);
    match which {
        Links::Create => {
            let body: LinkBody = call.body()?;
            if body.is_cross_account == Some(true) {
                let text = "`is_cross_account` is not supported here: there is one account";
                return Err(Problem::Invalid(text.to_owned()));
            }
            let target = target(&body.cr_type, body.link.crn, body.link.namespace, body.link.name)?;
            let done = desk.create_profile_link(caller, &profile, body.name, target).await?;
            Ok(whole_link(StatusCode::CREATED, done))
        }
        Links::Delete => {
            let link = link()?;
            let done = desk.delete_profile_link(caller, &profile, |row| row.id == link).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Links::DeleteOf => {
            let one = |name: &str| call.query.one(name).map(|text| text.map(str::to_owned));
            let kind = one("type")?.unwrap_or_default();
            let target = target(&kind, one("crn")?.unwrap_or_default(), one("namespace")?, one("name")?);
            let meant = |row: &ProfileLink| target.as_ref().is_ok_and(|target| row.target == *target);
            let done = desk.delete_profile_link(caller, &profile, meant).await?;
            Ok(Answer::done(StatusCode::NO_CONTENT, done))
        }
        Links::Read => {
            let (link, done) = (link()?, desk.profile_links(caller, &profile).await?);
            let missing = || Problem::NotFound(Noun::Link, link.to_string());
            let row = done.value.into_iter().find(|row| row.id == link).ok_or_else(missing)?;
            Ok(whole_link(StatusCode::OK, Done { value: row, permit: done.permit }))
        }
        Links::List => {
            let done = desk.profile_links(caller, &profile).await?;
            let shown = |rows: Vec<ProfileLink>| rows.iter().map(link_shape).collect::<Vec<_>>();
            Ok(Answer::of(StatusCode::OK, done, |rows| json!({"links": shown(rows)})))
        }
    }
}

fn target(
    kind: &str,
    crn: String,
    namespace: Option<String>,
    name: Option<String>,
) -> Result<LinkTarget, Problem> {
    let missing = || wrong("a link names the `crn`, and the `namespace` and `name` of a service account");
    if !crn.starts_with("crn:v1:") {
        return Err(missing());
    }
    Ok(LinkTarget {
        kind: compute_kind(kind)?,
        crn,
        namespace: namespace.ok_or_else(missing)?,
        name: name.ok_or_else(missing)?,
    })
}

fn whole_link(status: StatusCode, done: Done<ProfileLink>) -> Answer {
    let (id, tag) = (done.value.id.clone(), entity_tag(&done.value.id, &done.value.stamp));
    Answer::of(status, done, |row| link_shape(&row)).tagged(tag).about(&id)
}

fn link_shape(row: &ProfileLink) -> Value {
    json!({
        "id": row.id,
        "entity_tag": entity_tag(&row.id, &row.stamp),
        "created_at": row.stamp.created_at.ibm(),
        "modified_at": row.stamp.modified_at.ibm(),
        "name": row.name,
        "cr_type": row.target.kind.name(),
        "link": {
            "crn": row.target.crn,
            "namespace": row.target.namespace,
            "name": row.target.name,
        },
    })
}
