//! Roles.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::api::aws::form::Form;
use crate::control::aws::AwsDone;
use crate::control::aws::iam::role::NewRole;
use crate::control::aws::iam::user::Portrait;
use crate::control::aws::problem::AwsProblem;
use crate::store::aws::role::Role;

/// The longest name of a role.
const NAME: usize = 64;

/// How long a session may last if nobody says, in seconds.
const HOUR: u32 = 3_600;

fn role(call: &AwsCall<'_>, done: AwsDone<Portrait<Role>>, used: bool) -> AwsAnswer {
    let account = &call.desk.account;
    AwsAnswer::xml(done, |xml, portrait| {
        xml.element("Role", |xml| {
            shape::role(xml, account, &portrait.of);
            shape::role_more(xml, &portrait.of);
            shape::boundary(xml, account, portrait.boundary.as_ref());
            shape::tags(xml, &portrait.tags);
            if used {
                shape::role_used(xml, &portrait.of);
            }
        });
    })
}

fn max_session(form: &Form) -> Result<Option<u32>, AwsProblem> {
    let name = "MaxSessionDuration";
    let Some(given) = form.number(name)? else { return Ok(None) };
    let bound = |word: &str, bound: u32| {
        let constraint = format!("have value {word} than or equal to {bound}");
        input::broken(name, Some(&given.to_string()), &constraint)
    };
    match u32::try_from(given) {
        Ok(seconds @ HOUR..=43_200) => Ok(Some(seconds)),
        Ok(0..HOUR) => Err(bound("greater", HOUR)),
        Err(_) if given < 0 => Err(bound("greater", HOUR)),
        Ok(_) | Err(_) => Err(bound("less", 43_200)),
    }
}

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let new = NewRole {
        name: input::name_of(&call.form, "RoleName", NAME)?,
        path: input::path(&call.form)?,
        trust: input::document(&call.form, "AssumeRolePolicyDocument")?,
        description: input::description(&call.form)?.unwrap_or_default(),
        max_session: max_session(&call.form)?.unwrap_or(HOUR),
        boundary: input::policy_arn_if_any(&call.form, "PermissionsBoundary")?,
        tags: input::tags(&call.form)?,
    };
    Ok(role(call, call.desk.create_role(&call.caller, new).await?, false))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "RoleName", NAME)?;
    Ok(role(call, call.desk.role(&call.caller, &name).await?, true))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let (prefix, page) = (input::prefix(&call.form)?, input::page(&call.form)?);
    let done = call.desk.roles(&call.caller, &prefix, &page).await?;
    let one = |xml: &mut Xml, row: Role| {
        shape::role(xml, &call.desk.account, &row);
        shape::role_more(xml, &row);
    };
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Roles", paged, one)))
}

pub(super) async fn update(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "RoleName", NAME)?;
    let (description, longest) = (input::description(&call.form)?, max_session(&call.form)?);
    let done = call.desk.update_role(&call.caller, &name, description, longest).await?;
    Ok(AwsAnswer::xml(done, |_, ()| ()))
}

pub(super) async fn describe(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "RoleName", NAME)?;
    call.form.required("Description")?;
    let description = input::description(&call.form)?.unwrap_or_default();
    Ok(role(call, call.desk.describe_role(&call.caller, &name, description).await?, false))
}

pub(super) async fn update_trust(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "RoleName", NAME)?;
    let trust = input::document(&call.form, "PolicyDocument")?;
    Ok(AwsAnswer::done(call.desk.update_trust(&call.caller, &name, &trust).await?))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "RoleName", NAME)?;
    Ok(AwsAnswer::done(call.desk.delete_role(&call.caller, &name).await?))
}
