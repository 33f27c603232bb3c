//! Tags of users, roles, managed policies and OpenID Connect providers.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::api::aws::form::Form;
use crate::control::aws::iam::tag::Subject;
use crate::control::aws::problem::AwsProblem;
use crate::policy::aws::kind::Owner;
use crate::store::aws::tag::Tag;

/// What is tagged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// A managed policy.
    Policy,
    /// An OpenID Connect provider.
    Provider,
    /// A role.
    Role,
    /// A user.
    User,
}

fn subject(form: &Form, of: Of) -> Result<Subject, AwsProblem> {
    Ok(match of {
        Of::Policy => Subject::Policy(input::policy_arn(form, "PolicyArn")?),
        Of::Provider => Subject::Provider(input::arn(form, "OpenIDConnectProviderArn")?),
        Of::Role => Subject::Entity(input::named(form, Owner::Role)?),
        Of::User => Subject::Entity(input::named(form, Owner::User)?),
    })
}

pub(super) async fn tag(call: &AwsCall<'_>, of: Of) -> Answered {
    let (subject, tags) = (subject(&call.form, of)?, input::tags(&call.form)?);
    Ok(AwsAnswer::done(call.desk.tag(&call.caller, &subject, &tags).await?))
}

pub(super) async fn untag(call: &AwsCall<'_>, of: Of) -> Answered {
    let (subject, keys) = (subject(&call.form, of)?, input::tag_keys(&call.form)?);
    Ok(AwsAnswer::done(call.desk.untag(&call.caller, &subject, &keys).await?))
}

pub(super) async fn list(call: &AwsCall<'_>, of: Of) -> Answered {
    let (subject, page) = (subject(&call.form, of)?, input::page(&call.form)?);
    let done = call.desk.list_tags(&call.caller, &subject, &page).await?;
    let one = |xml: &mut Xml, tag: Tag| {
        xml.text("Key", tag.key()).text("Value", tag.value());
    };
    Ok(AwsAnswer::xml(done, |xml, paged| shape::page(xml, "Tags", paged, one)))
}
