//! Users.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::AwsDone;
use crate::control::aws::iam::entity::Person;
use crate::control::aws::iam::user::{NewUser, Portrait};

/// The longest name of a user.
const NAME: usize = 64;

fn user(call: &AwsCall<'_>, done: AwsDone<Portrait<Person>>) -> AwsAnswer {
    let account = &call.desk.account;
    AwsAnswer::xml(done, |xml, portrait| {
        xml.element("User", |xml| {
            shape::person(xml, account, &portrait.of);
            shape::boundary(xml, account, portrait.boundary.as_ref());
            shape::tags(xml, &portrait.tags);
        });
    })
}

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let new = NewUser {
        name: input::name_of(&call.form, "UserName", NAME)?,
        path: input::path(&call.form)?,
        boundary: input::policy_arn_if_any(&call.form, "PermissionsBoundary")?,
        tags: input::tags(&call.form)?,
    };
    Ok(user(call, call.desk.create_aws_user(&call.caller, new).await?))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let name = input::name_if_any(&call.form, "UserName", 128)?;
    Ok(user(call, call.desk.aws_user(&call.caller, name.as_ref()).await?))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let (prefix, page) = (input::prefix(&call.form)?, input::page(&call.form)?);
    let done = call.desk.aws_users(&call.caller, &prefix, &page).await?;
    let one = |xml: &mut Xml, person: Person| shape::person(xml, &call.desk.account, &person);
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Users", paged, one)))
}

pub(super) async fn update(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "UserName", 128)?;
    let new_name = input::name_if_any(&call.form, "NewUserName", NAME)?;
    let new_path = input::new_path(&call.form)?;
    let done = call.desk.update_aws_user(&call.caller, &name, new_name, new_path).await?;
    Ok(AwsAnswer::done(done))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "UserName", 128)?;
    Ok(AwsAnswer::done(call.desk.delete_aws_user(&call.caller, &name).await?))
}
