//! STS: who am I, and sessions.

use super::call::{AwsAnswer, AwsCall};
use super::form::Form;
use super::operation::operations;
use super::xml::Xml;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::aws::sts::role::Assume;
use crate::control::aws::sts::session::{Begun, Wish, session_name};
use crate::store::aws::tag::Tag;

operations! {
    /// The operations of STS.
    Sts, "sts": AssumeRole, DecodeAuthorizationMessage, GetAccessKeyInfo, GetCallerIdentity, GetFederationToken,
    GetSessionToken,
}

/// Answers a call.
///
/// # Errors
/// [`AwsProblem`]
pub async fn answer(operation: Sts, call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let form = &call.form;
    match operation {
        Sts::AssumeRole => assume_role(call).await,
        Sts::DecodeAuthorizationMessage => {
            form.required("EncodedMessage")?;
            Ok(AwsAnswer::done(call.desk.decoded_message(&call.caller).await?))
        }
        Sts::GetAccessKeyInfo => {
            let id = form.required("AccessKeyId")?;
            let done = call.desk.account_of_key(&call.caller, id).await?;
            Ok(AwsAnswer::xml(done, |xml, account| {
                xml.text("Account", account);
            }))
        }
        Sts::GetCallerIdentity => {
            let done = call.desk.caller_identity(&call.caller).await?;
            Ok(AwsAnswer::xml(done, |xml, identity| {
                xml.text("Arn", identity.arn).text("UserId", identity.user_id);
                xml.text("Account", identity.account);
            }))
        }
        Sts::GetFederationToken => {
            let name = session_name("name", form.required("Name")?, 32)?;
            let done = call.desk.federation_token(&call.caller, &name, &wish(form)?).await?;
            Ok(AwsAnswer::xml(done, |xml, federated| {
                credentials(xml, &federated.begun);
                xml.element("FederatedUser", |xml| {
                    xml.text("FederatedUserId", federated.id).text("Arn", federated.arn);
                });
                xml.optional("PackedPolicySize", federated.begun.packed);
            }))
        }
        Sts::GetSessionToken => {
            let done = call.desk.session_token(&call.caller, form.number("DurationSeconds")?)?;
            Ok(AwsAnswer::xml(done, |xml, begun| credentials(xml, &begun)))
        }
    }
}

async fn assume_role(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let form = &call.form;
    let text = |name: &str| form.optional(name).map(str::to_owned);
    let source = form.optional("SourceIdentity");
    let assume = Assume {
        role: form.required("RoleArn")?.to_owned(),
        session: session_name("roleSessionName", form.required("RoleSessionName")?, 64)?,
        wish: wish(form)?,
        transitive: form.list("TransitiveTagKeys").into_iter().map(str::to_owned).collect(),
        external_id: text("ExternalId"),
        source_identity: match source {
            Some(source) => Some(session_name("sourceIdentity", source, 64)?.as_str().to_owned()),
            None => None,
        },
    };
    let role = assume.role.clone();
    let done = call.desk.assume_role(&call.caller, assume).await?;
    let answer = AwsAnswer::xml(done, |xml, assumed| {
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", assumed.id).text("Arn", assumed.arn);
        });
        credentials(xml, &assumed.begun);
        xml.optional("PackedPolicySize", assumed.begun.packed);
        xml.optional("SourceIdentity", assumed.source_identity);
    });
    Ok(answer.about(&role))
}

pub(super) fn credentials(xml: &mut Xml, begun: &Begun) {
    let temporary = &begun.temporary;
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &temporary.session.id).text("SecretAccessKey", temporary.secret.expose());
        xml.text("SessionToken", temporary.token.expose()).time("Expiration", temporary.session.expires_at);
    });
}

/// What limits and describes a session.
pub(super) fn wish(form: &Form) -> Result<Wish, AwsProblem> {
    let tag = |form: &Form| {
        let tag = Tag::parse(form.required("Key")?, form.required("Value")?);
        tag.map_err(|malformed| AwsProblem::said(AwsCode::ValidationError, malformed.to_string()))
    };
    let arn = |form: Form| form.required("arn").map(str::to_owned);
    Ok(Wish {
        duration: form.number("DurationSeconds")?,
        policy: form.optional("Policy").map(str::to_owned),
        policy_arns: form.structures("PolicyArns").into_iter().map(arn).collect::<Result<_, _>>()?,
        tags: form.structures("Tags").iter().map(tag).collect::<Result<_, _>>()?,
    })
}
