//! Groups and memberships.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::AwsDone;
use crate::control::aws::iam::entity::Person;
use crate::control::aws::iam::page::Paged;
use crate::store::aws::group::AwsGroup;

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let (name, path) = (input::name_of(&call.form, "GroupName", 128)?, input::path(&call.form)?);
    let done = call.desk.create_aws_group(&call.caller, &name, path).await?;
    Ok(AwsAnswer::xml(done, |xml, row| {
        xml.element("Group", |xml| shape::group(xml, &call.desk.account, &row));
    }))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let (name, page) = (input::name_of(&call.form, "GroupName", 128)?, input::page(&call.form)?);
    let done = call.desk.aws_group(&call.caller, &name, &page).await?;
    let account = &call.desk.account;
    let one = |xml: &mut Xml, person: Person| shape::person(xml, account, &person);
    Ok(AwsAnswer::xml(done, |xml, (row, members)| {
        xml.element("Group", |xml| shape::group(xml, account, &row));
        shape::page(xml, "Users", members, one);
    }))
}

fn groups(call: &AwsCall<'_>, done: AwsDone<Paged<AwsGroup>>) -> AwsAnswer {
    let one = |xml: &mut Xml, row: AwsGroup| shape::group(xml, &call.desk.account, &row);
    AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Groups", paged, one))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let (prefix, page) = (input::prefix(&call.form)?, input::page(&call.form)?);
    Ok(groups(call, call.desk.aws_groups(&call.caller, &prefix, &page).await?))
}

pub(super) async fn list_for_user(call: &AwsCall<'_>) -> Answered {
    let (name, page) = (input::name_of(&call.form, "UserName", 128)?, input::page(&call.form)?);
    Ok(groups(call, call.desk.aws_groups_for(&call.caller, &name, &page).await?))
}

pub(super) async fn update(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "GroupName", 128)?;
    let new_name = input::name_if_any(&call.form, "NewGroupName", 128)?;
    let new_path = input::new_path(&call.form)?;
    let done = call.desk.update_aws_group(&call.caller, &name, new_name, new_path).await?;
    Ok(AwsAnswer::done(done))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let name = input::name_of(&call.form, "GroupName", 128)?;
    Ok(AwsAnswer::done(call.desk.delete_aws_group(&call.caller, &name).await?))
}

pub(super) async fn add_user(call: &AwsCall<'_>) -> Answered {
    let group = input::name_of(&call.form, "GroupName", 128)?;
    let user = input::name_of(&call.form, "UserName", 128)?;
    Ok(AwsAnswer::done(call.desk.add_user_to_group(&call.caller, &group, &user).await?))
}

pub(super) async fn remove_user(call: &AwsCall<'_>) -> Answered {
    let group = input::name_of(&call.form, "GroupName", 128)?;
    let user = input::name_of(&call.form, "UserName", 128)?;
    Ok(AwsAnswer::done(call.desk.remove_user_from_group(&call.caller, &group, &user).await?))
}
