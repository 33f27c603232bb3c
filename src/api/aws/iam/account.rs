//! The account as a whole, and lists that are always empty here.

use super::super::call::{AwsAnswer, AwsCall};
use super::{Answered, input};
use crate::control::aws::iam::role::Absent;
use crate::policy::aws::kind::Owner;
use crate::policy::table::IamAction;

pub(super) async fn summary(call: &AwsCall<'_>) -> Answered {
    let done = call.desk.account_summary(&call.caller).await?;
    Ok(AwsAnswer::xml(done, |xml, summary| {
        xml.element("SummaryMap", |xml| {
            for (key, value) in summary {
                xml.element("entry", |xml| {
                    xml.text("key", key).text("value", value);
                });
            }
        });
    }))
}

pub(super) async fn password_policy(call: &AwsCall<'_>) -> Answered {
    Ok(AwsAnswer::done(call.desk.password_policy(&call.caller).await?))
}

pub(super) async fn login_profile(call: &AwsCall<'_>) -> Answered {
    let name = input::name_if_any(&call.form, "UserName", 128)?;
    Ok(AwsAnswer::done(call.desk.login_profile(&call.caller, name.as_ref()).await?))
}

pub(super) async fn none(call: &AwsCall<'_>, action: IamAction, list: &'static str) -> Answered {
    let done = call.desk.none_of_account(&call.caller, action).await?;
    Ok(AwsAnswer::xml(done, |xml, ()| {
        xml.element(list, |_| ()).text("IsTruncated", false);
    }))
}

pub(super) async fn none_of(call: &AwsCall<'_>, absent: Absent) -> Answered {
    let (list, kind) = match absent {
        Absent::InstanceProfiles => ("InstanceProfiles", Owner::Role),
        Absent::MfaDevices => ("MFADevices", Owner::User),
        Absent::ServiceSpecificCredentials => ("ServiceSpecificCredentials", Owner::User),
        Absent::SigningCertificates => ("Certificates", Owner::User),
        Absent::SshPublicKeys => ("SSHPublicKeys", Owner::User),
    };
    let done = match kind {
        Owner::Role => {
            call.desk.none_of_entity(&call.caller, absent, &input::named(&call.form, kind)?).await?
        }
        Owner::Group | Owner::User => {
            let name = input::name_if_any(&call.form, "UserName", 128)?;
            call.desk.none_of_user(&call.caller, absent, name.as_ref()).await?
        }
    };
    Ok(AwsAnswer::xml(done, |xml, ()| {
        xml.element(list, |_| ()).text("IsTruncated", false);
    }))
}
