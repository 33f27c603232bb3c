//! OpenID Connect providers.

use super::super::call::{AwsAnswer, AwsCall};
use super::{Answered, input, shape};
use crate::api::aws::form::Form;
use crate::control::aws::iam::provider::{ClientChange, NewProvider};
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::ids::aws::ProviderUrl;

const ARN: &str = "OpenIDConnectProviderArn";

fn url(form: &Form) -> Result<ProviderUrl, AwsProblem> {
    let text = form.required("Url")?;
    if !text.starts_with("https://") {
        let text = "Invalid Open ID Connect Provider URL: it must begin with https://";
        return Err(AwsProblem::said(AwsCode::ValidationError, text));
    }
    let wrong = |_| AwsProblem::said(AwsCode::ValidationError, "Invalid Open ID Connect Provider URL");
    ProviderUrl::parse(text).map_err(wrong)
}

fn client_id(parameter: &str, text: &str) -> Result<String, AwsProblem> {
    let fits = (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let wrong = || input::broken(parameter, None, "have length less than or equal to 255");
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn thumbprints_of(form: &Form) -> Result<Vec<String>, AwsProblem> {
    let given = form.list("ThumbprintList");
    let fits = |text: &&str| text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !given.iter().all(fits) {
        let constraint = "have length equal to 40";
        return Err(input::broken("ThumbprintList", None, constraint));
    }
    Ok(given.into_iter().map(str::to_ascii_lowercase).collect())
}

pub(super) async fn create(call: &AwsCall<'_>) -> Answered {
    let clients = call.form.list("ClientIDList");
    let new = NewProvider {
        url: url(&call.form)?,
        client_ids: clients.iter().map(|text| client_id("ClientIDList", text)).collect::<Result<_, _>>()?,
        thumbprints: thumbprints_of(&call.form)?,
        tags: input::tags(&call.form)?,
    };
    let done = call.desk.create_provider(&call.caller, new).await?;
    Ok(AwsAnswer::xml(done, |xml, (arn, tags)| {
        xml.text(ARN, arn);
        shape::tags(xml, &tags);
    }))
}

pub(super) async fn get(call: &AwsCall<'_>) -> Answered {
    let done = call.desk.provider(&call.caller, &input::arn(&call.form, ARN)?).await?;
    Ok(AwsAnswer::xml(done, |xml, (row, tags)| {
        xml.text("Url", &row.url).texts("ClientIDList", &row.client_ids);
        xml.texts("ThumbprintList", &row.thumbprints).time("CreateDate", row.stamp.created_at);
        shape::tags(xml, &tags);
    }))
}

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let done = call.desk.providers(&call.caller).await?;
    Ok(AwsAnswer::xml(done, |xml, arns| {
        xml.list("OpenIDConnectProviderList", arns, |xml, arn| {
            xml.text("Arn", arn);
        });
    }))
}

async fn change(call: &AwsCall<'_>, change: ClientChange) -> Answered {
    let arn = input::arn(&call.form, ARN)?;
    let client = client_id("ClientID", call.form.required("ClientID")?)?;
    Ok(AwsAnswer::done(call.desk.change_client(&call.caller, &arn, change, &client).await?))
}

pub(super) async fn add_client(call: &AwsCall<'_>) -> Answered {
    change(call, ClientChange::Add).await
}

pub(super) async fn remove_client(call: &AwsCall<'_>) -> Answered {
    change(call, ClientChange::Remove).await
}

pub(super) async fn thumbprints(call: &AwsCall<'_>) -> Answered {
    let (arn, thumbprints) = (input::arn(&call.form, ARN)?, thumbprints_of(&call.form)?);
    Ok(AwsAnswer::done(call.desk.replace_thumbprints(&call.caller, &arn, thumbprints).await?))
}

pub(super) async fn delete(call: &AwsCall<'_>) -> Answered {
    let arn = input::arn(&call.form, ARN)?;
    Ok(AwsAnswer::done(call.desk.delete_provider(&call.caller, &arn).await?))
}
