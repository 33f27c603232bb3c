//! Access keys.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::api::aws::form::Form;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::arn::Name;
use crate::store::aws::access_key::AccessKeyRecord;

fn user(form: &Form) -> Result<Option<Name>, AwsProblem> {
    input::name_if_any(form, "UserName", 128)
}

/// 16 to 128 letters and digits.
fn id(form: &Form) -> Result<&str, AwsProblem> {
    let text = form.required("AccessKeyId")?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if (16..=128).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text);
    }
    Err(input::broken("AccessKeyId", Some(text), "satisfy regular expression pattern: [\\w]+"))
}

const fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let done = call.desk.create_access_key(&call.caller, user(&call.form)?.as_ref()).await?;
    let id = done.value.row.id.clone();
    let answer = AwsAnswer::xml(done, |xml, fresh| {
        xml.element("AccessKey", |xml| {
            xml.text("UserName", &fresh.user).text("AccessKeyId", &fresh.row.id);
            xml.text("Status", status(fresh.row.active)).text("SecretAccessKey", fresh.secret.expose());
            xml.time("CreateDate", fresh.row.created_at);
        });
    });
    Ok(answer.about(&id))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let page = input::page(&call.form)?;
    let done = call.desk.list_access_keys(&call.caller, user(&call.form)?.as_ref(), &page).await?;
    Ok(AwsAnswer::xml(done, |xml, (user, paged)| {
        let one = |xml: &mut Xml, row: AccessKeyRecord| {
            xml.text("UserName", &user).text("AccessKeyId", &row.id).text("Status", status(row.active));
            xml.time("CreateDate", row.created_at);
        };
        shape::page(xml, "AccessKeyMetadata", paged, one);
    }))
}

pub(super) async fn update(call: &AwsCall<'_>) -> Answered {
    let (user, id) = (user(&call.form)?, id(&call.form)?);
    call.form.required("Status")?;
    let states = [("Active", true), ("Inactive", false)];
    let active = input::choice(&call.form, "Status", &states)?.unwrap_or_default();
    let done = call.desk.update_access_key(&call.caller, user.as_ref(), id, active).await?;
    Ok(AwsAnswer::done(done).about(&id))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let (user, id) = (user(&call.form)?, id(&call.form)?);
    let done = call.desk.delete_access_key(&call.caller, user.as_ref(), id).await?;
    Ok(AwsAnswer::done(done).about(&id))
}

pub(super) async fn last_used(call: &AwsCall<'_>) -> Answered {
    let done = call.desk.access_key_last_used(&call.caller, id(&call.form)?).await?;
    Ok(AwsAnswer::xml(done, |xml, (user, used)| {
        xml.text("UserName", user);
        xml.element("AccessKeyLastUsed", |xml| match used {
            Some(used) => {
                xml.time("LastUsedDate", used.at)
                    .text("ServiceName", used.service)
                    .text("Region", used.region);
            }
            None => {
                xml.text("ServiceName", "N/A").text("Region", "N/A");
            }
        });
    }))
}
