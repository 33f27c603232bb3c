//! Rows of AWS's dialect to try a store with.

use super::samples::{account_id, group, region, time, user};
use crate::clock::SequenceEntropy;
use crate::ids::aws::{AccessKeyId, ManagedPolicyId, ProviderUrl, RoleId};
use crate::ids::principal::PrincipalId;
use crate::policy::aws::arn::{Name, Path};
use crate::policy::aws::kind::Kind;
use crate::registry::name::RepositoryName;
use crate::store::Store;
use crate::store::aws::access_key::AccessKeyRecord;
use crate::store::aws::group::AwsGroup;
use crate::store::aws::holder::{Actor, AwsPolicyArn, Holder, PolicyRef};
use crate::store::aws::inline_policy::InlinePolicy;
use crate::store::aws::managed_policy::{ManagedPolicy, VersionNumber};
use crate::store::aws::oidc_provider::OidcProvider;
use crate::store::aws::repository::{Mutability, Repository};
use crate::store::aws::role::Role;
use crate::store::aws::tag::Tag;
use crate::store::aws::text::DocumentText;
use crate::store::aws::user::AwsUser;
use crate::store::identity::Stamp;

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

/// Odd numbers are filed under `/odd/`.
fn path_of(n: u64) -> Path {
    path(if n % 2 == 1 { "/odd/" } else { "/" })
}

/// A document that allows one action; the white space in it must survive.
pub(crate) fn text(action: &str) -> DocumentText {
    let text = format!(
        "{{ \"Version\": \"2012-10-17\",\n\t\"Statement\": {{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\"}} }}"
    );
    DocumentText::read(&text, Kind::Managed).unwrap().0
}

pub(crate) fn trust(account: &str) -> DocumentText {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{account}"}}}}}}"#
    );
    DocumentText::read(&text, Kind::Trust).unwrap().0
}

pub(crate) fn aws_user(n: u64) -> AwsUser {
    AwsUser { user: user(n), path: path_of(n) }
}

pub(crate) fn aws_group(n: u64) -> AwsGroup {
    AwsGroup { group: group(n), path: path_of(n) }
}

pub(crate) fn role(n: u64) -> Role {
    Role {
        id: RoleId::fresh(&account_id(), &SequenceEntropy::seeded(n)),
        name: name(&format!("Role{n}")),
        path: path_of(n),
        trust: trust("123456789012"),
        description: "for 'builds'".to_owned(),
        max_session: 3600,
        last_used: None,
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn managed(n: u64) -> ManagedPolicy {
    ManagedPolicy {
        id: ManagedPolicyId::fresh(&account_id(), &SequenceEntropy::seeded(n)),
        name: name(&format!("Policy{n}")),
        path: path_of(n),
        description: "reads".to_owned(),
        default_version: VersionNumber::FIRST,
        attachments: 0,
        boundaries: 0,
        created_at: time(n),
        updated_at: time(n),
    }
}

/// Adds a policy and says how it is referred to.
pub(crate) async fn add_managed(store: &dyn Store, n: u64) -> PolicyRef {
    store.insert_managed_policy(&managed(n), &text("ecr:ListImages"), &[]).await.unwrap();
    PolicyRef::Customer(managed(n).id)
}

pub(crate) fn by_aws(name: &str) -> PolicyRef {
    PolicyRef::Aws(AwsPolicyArn::parse(&format!("arn:aws:iam::aws:policy/{name}")).unwrap())
}

pub(crate) fn inline(called: &str, action: &str) -> InlinePolicy {
    InlinePolicy { name: name(called), document: text(action) }
}

pub(crate) fn access_key(n: u64, owner: &PrincipalId) -> AccessKeyRecord {
    AccessKeyRecord {
        id: AccessKeyId::fresh(&account_id(), &SequenceEntropy::seeded(n)),
        owner: owner.clone(),
        sealed: vec![1, 0, 255],
        active: true,
        last_used: None,
        created_at: time(n),
    }
}

pub(crate) fn provider(n: u64) -> OidcProvider {
    OidcProvider {
        url: ProviderUrl::parse(&format!("https://issuer{n}.test/org")).unwrap(),
        client_ids: vec!["sts.amazonaws.com".to_owned(), "other \"one\"".to_owned()],
        thumbprints: vec!["a".repeat(40)],
        stamp: Stamp::new(time(n)),
    }
}

pub(crate) fn repository(n: u64) -> Repository {
    Repository {
        region: region("us-south"),
        name: RepositoryName::parse(&format!("team-{n}/app")).unwrap(),
        mutability: Mutability::MutableWithExclusion,
        exclusions: vec!["prod-*".to_owned()],
        scan_on_push: false,
        created_at: time(n),
    }
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::parse(key, value).unwrap()
}

pub(crate) fn user_actor(n: u64) -> Actor {
    Actor::Principal(PrincipalId::User(user(n).id))
}

pub(crate) fn role_actor(n: u64) -> Actor {
    Actor::Role(role(n).id)
}

/// A user, a group and a role, of that number.
pub(crate) async fn holders(store: &dyn Store, n: u64) -> [Holder; 3] {
    store.insert_aws_user(&aws_user(n), None, &[]).await.unwrap();
    store.insert_aws_group(&aws_group(n)).await.unwrap();
    store.insert_role(&role(n), None, &[]).await.unwrap();
    [user_actor(n).into(), Holder::Group(group(n).id), role_actor(n).into()]
}
