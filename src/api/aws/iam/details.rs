//! Everything about everybody: `GetAccountAuthorizationDetails`.

use super::super::call::{AwsAnswer, AwsCall};
use super::super::xml::Xml;
use super::{Answered, input, shape};
use crate::control::aws::iam::details::{Detail, Filter, Holdings};
use crate::control::aws::iam::page::Paged;
use crate::control::aws::problem::AwsProblem;
use crate::ids::account::AccountId;

const KINDS: &[(&str, Filter)] = &[
    ("User", Filter::User),
    ("Role", Filter::Role),
    ("Group", Filter::Group),
    ("LocalManagedPolicy", Filter::Local),
    ("AWSManagedPolicy", Filter::AwsManaged),
];

pub(super) async fn list(call: &AwsCall<'_>) -> Answered {
    let filter: Vec<Filter> = call.form.list("Filter").into_iter().map(kind).collect::<Result<_, _>>()?;
    let page = input::page(&call.form)?;
    let done = call.desk.authorization_details(&call.caller, &filter, &page).await?;
    let account = &call.desk.account;
    Ok(AwsAnswer::xml(done, |xml, paged| {
        let Paged { items, next } = paged;
        for section in Section::ALL {
            xml.element(section.name(), |xml| {
                for item in items.iter().filter(|item| Section::of(item) == section) {
                    xml.element("member", |xml| detail(xml, account, item));
                }
            });
        }
        xml.text("IsTruncated", next.is_some()).optional("Marker", next.as_deref().map(input::marker));
    }))
}

fn kind(text: &str) -> Result<Filter, AwsProblem> {
    let found = KINDS.iter().find(|(word, _)| *word == text).map(|(_, kind)| *kind);
    let constraint = "satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]";
    found.ok_or_else(|| input::broken("Filter", Some(text), constraint))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Section {
    Groups,
    Policies,
    Roles,
    Users,
}

impl Section {
    const ALL: [Self; 4] = [Self::Users, Self::Groups, Self::Roles, Self::Policies];

    const fn name(self) -> &'static str {
        match self {
            Self::Groups => "GroupDetailList",
            Self::Policies => "Policies",
            Self::Roles => "RoleDetailList",
            Self::Users => "UserDetailList",
        }
    }

    const fn of(detail: &Detail) -> Self {
        match detail {
            Detail::Group(..) => Self::Groups,
            Detail::Policy(..) => Self::Policies,
            Detail::Role(..) => Self::Roles,
            Detail::User(..) => Self::Users,
        }
    }
}

fn detail(xml: &mut Xml, account: &AccountId, detail: &Detail) {
    match detail {
        Detail::Group(row, held) => {
            shape::group(xml, account, row);
            holdings(xml, "GroupPolicyList", held);
        }
        Detail::Policy(shown, versions) => {
            shape::policy(xml, shown);
            xml.list("PolicyVersionList", versions, |xml, version| shape::version(xml, version, true));
        }
        Detail::Role(row, held) => {
            shape::role(xml, account, row);
            xml.element("InstanceProfileList", |_| ());
            holdings(xml, "RolePolicyList", held);
            more(xml, account, held);
            shape::role_used(xml, row);
        }
        Detail::User(person, held, groups) => {
            shape::person(xml, account, person);
            holdings(xml, "UserPolicyList", held);
            xml.texts("GroupList", groups);
            more(xml, account, held);
        }
    }
}

fn holdings(xml: &mut Xml, list: &str, held: &Holdings) {
    xml.list(list, &held.inline, |xml, policy| {
        xml.text("PolicyName", policy.name.as_str());
        xml.document("PolicyDocument", policy.document.as_str());
    });
    xml.list("AttachedManagedPolicies", &held.attached, shape::attached);
}

fn more(xml: &mut Xml, account: &AccountId, held: &Holdings) {
    shape::boundary(xml, account, held.boundary.as_ref());
    shape::all_tags(xml, &held.tags);
}
