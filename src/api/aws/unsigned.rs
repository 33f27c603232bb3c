//! STS without a signature: a token of an identity provider is exchanged for a session.

use super::call::AwsAnswer;
use super::form::Form;
use super::operation::operations;
use super::sts::{credentials, wish};
use crate::admit::origin::Origin;
use crate::admit::web_identity::Introduced;
use crate::control::Desk;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::control::aws::sts::role::Assume;
use crate::control::aws::sts::session::session_name;
use crate::control::aws::sts::web_identity::WebAssume;
use crate::credential::foreign::TOKEN_MAX;
use crate::secret::Secret;

operations! {
    /// The operations that nobody signs.
    Unsigned, "sts": AssumeRoleWithWebIdentity,
}

/// Answers a call, and tells who made it as far as it says.
pub async fn answer(
    operation: Unsigned,
    desk: &Desk,
    form: &Form,
    origin: Origin,
) -> (Option<Introduced>, Result<AwsAnswer, AwsProblem>) {
    match operation {
        Unsigned::AssumeRoleWithWebIdentity => match asked(form, origin) {
            Ok(asked) => assume(desk, asked).await,
            Err(problem) => (None, Err(problem)),
        },
    }
}

async fn assume(desk: &Desk, asked: WebAssume) -> (Option<Introduced>, Result<AwsAnswer, AwsProblem>) {
    let role = asked.assume.role.clone();
    let (introduced, done) = desk.assume_role_with_web_identity(asked).await;
    let answer = done.map(|done| {
        let answer = AwsAnswer::xml(done, |xml, web| {
            let assumed = web.assumed;
            xml.element("AssumedRoleUser", |xml| {
                xml.text("AssumedRoleId", assumed.id).text("Arn", assumed.arn);
            });
            credentials(xml, &assumed.begun);
            xml.optional("PackedPolicySize", assumed.begun.packed);
            xml.optional("SourceIdentity", assumed.source_identity);
            xml.text("SubjectFromWebIdentityToken", web.subject).text("Provider", web.issuer);
            xml.text("Audience", web.audience);
        });
        answer.about(&role)
    });
    (introduced, answer)
}

fn asked(form: &Form, origin: Origin) -> Result<WebAssume, AwsProblem> {
    let role = form.required("RoleArn")?.to_owned();
    let session = session_name("roleSessionName", form.required("RoleSessionName")?, 64)?;
    let token = form.required("WebIdentityToken")?;
    let constraint = match token.len() {
        0..4 => "greater than or equal to 4".to_owned(),
        length if length > TOKEN_MAX => format!("less than or equal to {TOKEN_MAX}"),
        _ => String::new(),
    };
    if !constraint.is_empty() {
        let message = format!(
            "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length {constraint}"
        );
        return Err(AwsProblem::said(AwsCode::ValidationError, message));
    }
    if form.optional("ProviderId").is_some() {
        let message = "ProviderId is for OAuth 2.0 access tokens, of which none are believed: leave it out";
        return Err(AwsProblem::said(AwsCode::ValidationError, message));
    }
    let assume = Assume {
        role,
        session,
        wish: wish(form)?,
        transitive: Vec::new(),
        external_id: None,
        source_identity: None,
    };
    // Tags and their like are for the issuer to say.
    let tagged = !assume.wish.tags.is_empty();
    if tagged {
        let message = "Tags of a web identity's session come with its token";
        return Err(AwsProblem::said(AwsCode::ValidationError, message));
    }
    Ok(WebAssume { assume, token: Secret::from(token), origin })
}
