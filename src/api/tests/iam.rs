//! IAM in AWS's dialect: every operation asks for its own action, and what it answers is AWS's.

use super::House;
use crate::admit::origin::Origin;
use crate::admit::refusal::{Challenge, Refusal};
use crate::api::aws::iam::Iam;
use crate::api::aws::{AwsRequest, Named};
use crate::client::address::ClientAddr;
use crate::control::aws::problem::AwsProblem;
use crate::ids::principal::PrincipalId;
use crate::network::endpoint::Endpoint;
use crate::store::contract::samples;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}"#;

fn allowing(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// What came of a call.
#[derive(Debug)]
struct Said {
    status: u16,
    body: String,
}

impl Said {
    /// The text of the first element of that name.
    #[track_caller]
    fn text(&self, name: &str) -> String {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let rest = self.body.split_once(&open).unwrap_or_else(|| panic!("no {name} in {}", self.body)).1;
        rest.split_once(&close).unwrap().0.replace("&quot;", "\"")
    }

    fn code(&self) -> String {
        if self.status == 200 { "OK".to_owned() } else { self.text("Code") }
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    #[track_caller]
    fn refused(&self, code: &str, message: &str) {
        assert_eq!((self.code().as_str(), self.text("Message").as_str()), (code, message));
    }
}

impl House {
    async fn iam_as(&self, who: Option<&PrincipalId>, action: &str, parameters: &[(&str, &str)]) -> Said {
        let head = [("Action", action), ("Version", "2010-05-08")];
        let body = encoded(&[&head, parameters].concat());
        let caller = match who {
            Some(who) => Ok(self.caller(who).await),
            None => Err(AwsProblem::Refused(Refusal::Challenge { because: Challenge::Absent, scope: None })),
        };
        let headers = http::HeaderMap::new();
        let named = Named::read(&headers, body.as_bytes());
        let request = AwsRequest {
            headers,
            body: body.into(),
            caller,
            origin: Origin {
                from: ClientAddr::from_socket("192.0.2.1:9".parse().unwrap()),
                local: "10.0.0.1".parse().unwrap(),
                endpoint: Endpoint::Public,
                secure: true,
                certificate: None,
            },
            region: samples::region("us-south"),
            authority: "us.registry.test:8443".to_owned(),
            request_id: "req-1".to_owned(),
        };
        let reply = self.api.respond_aws(named, request).await;
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        Said { status: reply.status.as_u16(), body }
    }

    /// As the administrator.
    async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Said {
        let admin = self.admin.clone();
        self.iam_as(Some(&admin), action, parameters).await
    }

    /// Makes a user with an inline policy.
    async fn aws_user(&self, name: &str, document: Option<&str>) -> PrincipalId {
        self.iam("CreateUser", &[("UserName", name)]).await.ok();
        if let Some(document) = document {
            let put = [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", document)];
            self.iam("PutUserPolicy", &put).await.ok();
        }
        let store: &dyn crate::store::Store = &*self.store;
        PrincipalId::User(store.aws_user_named(name).await.unwrap().unwrap().user.id)
    }
}

/// Parameters for every operation at once; each takes what it knows.
fn everything(policy: &str) -> Vec<(&'static str, String)> {
    let fixed = [
        ("UserName", "target"),
        ("GroupName", "target"),
        ("RoleName", "target"),
        ("PolicyName", "target"),
        ("Url", "https://idp.example.com"),
        ("ThumbprintList.member.1", "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"),
        ("OpenIDConnectProviderArn", "arn:aws:iam::123456789012:oidc-provider/idp.example.com"),
        ("ClientID", "client"),
        ("PolicyArn", policy),
        ("PermissionsBoundary", policy),
        ("VersionId", "v1"),
        ("AssumeRolePolicyDocument", TRUST),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
        ("Status", "Active"),
        ("Arn", "arn:aws:iam::123456789012:user/target"),
        ("PolicySourceArn", "arn:aws:iam::123456789012:user/target"),
        ("ServiceNamespaces.member.1", "ecr"),
        ("ActionNames.member.1", "ecr:ListImages"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("TagKeys.member.1", "team"),
        ("Description", "d"),
    ];
    fixed.map(|(name, value)| (name, value.to_owned())).to_vec()
}

/// The document that an operation reads, if it reads one.
fn document_of(operation: Iam) -> String {
    match operation {
        Iam::UpdateAssumeRolePolicy => TRUST.to_owned(),
        _ => allowing("ecr:ListImages"),
    }
}

async fn asked(house: &House, who: Option<&PrincipalId>, operation: Iam) -> Said {
    let mut all = everything("arn:aws:iam::123456789012:policy/target");
    all.push(("PolicyDocument", document_of(operation)));
    all.push(("PolicyInputList.member.1", allowing("ecr:ListImages")));
    let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    house.iam_as(who, operation.name(), &all).await
}

#[tokio::test]
async fn no_operation_answers_who_is_not_allowed_its_own_action() {
    let house = House::open().await;
    let stranger = house.stranger.clone();
    for operation in Iam::ALL {
        let (name, label) = (operation.name(), operation.label());
        assert_eq!(asked(&house, None, *operation).await.code(), "MissingAuthenticationToken", "{name}");
        let said = asked(&house, Some(&stranger), *operation).await;
        assert_eq!((said.status, said.code().as_str()), (403, "AccessDenied"), "{name}");
        let needed = format!("is not authorized to perform: {label} on resource: ");
        assert!(said.text("Message").contains(&needed), "{name}: {}", said.body);
    }
}

#[tokio::test]
async fn each_action_is_enough_for_its_operation_and_all_others_are_not() {
    let house = House::open().await;
    let user = house.aws_user("somebody", None).await;
    // What sets tags while it makes something takes the right to tag besides.
    let tags = "iam:TagUser\",\"iam:TagRole\",\"iam:TagPolicy\",\"iam:TagOpenIDConnectProvider";
    for operation in Iam::ALL {
        let (name, label) = (operation.name(), operation.label());
        let put = |document: String| {
            [
                ("UserName", "somebody".to_owned()),
                ("PolicyName", "p".to_owned()),
                ("PolicyDocument", document),
            ]
        };
        let all_others = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","NotAction":"{label}","Resource":"*"}}]}}"#
        );
        let only = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{label}","{tags}"],"Resource":"*"}}]}}"#
        );
        for (document, allowed) in [(all_others, false), (only, true)] {
            let put = put(document);
            let put: Vec<(&str, &str)> = put.iter().map(|(name, value)| (*name, value.as_str())).collect();
            house.iam("PutUserPolicy", &put).await.ok();
            let said = asked(&house, Some(&user), *operation).await;
            assert!(said.status < 500, "{name}: {}", said.body);
            assert_eq!(said.code() != "AccessDenied", allowed, "{name}: {}", said.body);
        }
    }
}

#[tokio::test]
async fn ibms_roles_give_nothing_here() {
    let house = House::open().await;
    let id = house.service_id("robot").await;
    let robot = PrincipalId::parse(&format!("iam-{id}")).or_else(|_| PrincipalId::parse(&id)).unwrap();
    house.grant(&robot, super::role("role", "Administrator"), &[("serviceType", "platform_service")]).await;
    assert_eq!(house.iam_as(Some(&robot), "ListUsers", &[]).await.code(), "AccessDenied");
}

#[tokio::test]
async fn users_see_only_themselves_with_the_policy_of_the_guide() {
    let house = House::open().await;
    let own = r#"{"Version":"2012-10-17","Statement":[{"Sid":"ViewOwnUserInfo","Effect":"Allow","Action":["iam:GetUserPolicy","iam:ListGroupsForUser","iam:ListAttachedUserPolicies","iam:ListUserPolicies","iam:GetUser"],"Resource":["arn:aws:iam::*:user/${aws:username}"]}]}"#;
    let bob = house.aws_user("bob", Some(own)).await;
    house.aws_user("alice", None).await;
    let said = house.iam_as(Some(&bob), "GetUser", &[]).await.ok();
    assert_eq!(said.text("UserName"), "bob");
    assert_eq!(said.text("Arn"), "arn:aws:iam::123456789012:user/bob");
    assert!(said.text("UserId").starts_with("AIDA"));
    house.iam_as(Some(&bob), "ListUserPolicies", &[("UserName", "bob")]).await.ok();
    for other in ["alice", "nobody", "BOB"] {
        let said = house.iam_as(Some(&bob), "GetUser", &[("UserName", other)]).await;
        let denied = format!(
            "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:GetUser on resource: \
             arn:aws:iam::123456789012:user/{other} because no identity-based policy allows the iam:GetUser action"
        );
        said.refused("AccessDenied", &denied);
    }
    house
        .iam("GetUser", &[("UserName", "BOB")])
        .await
        .refused("NoSuchEntity", "The user with name BOB cannot be found.");
}

#[tokio::test]
async fn documents_come_back_to_the_letter() {
    let house = House::open().await;
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"ecr:*\", \
                \"Resource\": \"*\", \"Condition\": {\"StringEquals\": {\"aws:PrincipalTag/a\": \"b+c%3A d\"}}}\n}";
    let policy = [("RoleName", "r"), ("PolicyName", "p"), ("PolicyDocument", text)];
    house.iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)]).await.ok();
    house.iam("PutRolePolicy", &policy).await.ok();
    let said = house.iam("GetRolePolicy", &policy[..2]).await.ok();
    let decoded = percent_encoding::percent_decode_str(&said.text("PolicyDocument"))
        .decode_utf8()
        .unwrap()
        .into_owned();
    assert_eq!(decoded, text);
}

#[tokio::test]
async fn things_are_deleted_in_awss_order() {
    let house = House::open().await;
    let read_only = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    house.aws_user("u", Some(&allowing("ecr:*"))).await;
    house.iam("AttachUserPolicy", &[("UserName", "u"), ("PolicyArn", read_only)]).await.ok();
    house.iam("CreateGroup", &[("GroupName", "g")]).await.ok();
    house.iam("AddUserToGroup", &[("GroupName", "g"), ("UserName", "u")]).await.ok();
    let key = house.iam("CreateAccessKey", &[("UserName", "u")]).await.ok().text("AccessKeyId");
    let in_group = "Cannot delete entity, must remove users from group first.";
    house.iam("DeleteGroup", &[("GroupName", "g")]).await.refused("DeleteConflict", in_group);
    let has_keys = "Cannot delete entity, must remove referenced objects first.";
    let attached = "Cannot delete entity, must detach all policies first.";
    let inline = "Cannot delete entity, must delete policies first.";
    for (message, action, parameter) in [
        (in_group, "RemoveUserFromGroup", ("GroupName", "g")),
        (has_keys, "DeleteAccessKey", ("AccessKeyId", key.as_str())),
        (attached, "DetachUserPolicy", ("PolicyArn", read_only)),
        (inline, "DeleteUserPolicy", ("PolicyName", "p")),
    ] {
        house.iam("DeleteUser", &[("UserName", "u")]).await.refused("DeleteConflict", message);
        house.iam(action, &[("UserName", "u"), parameter]).await.ok();
    }
    house.iam("DeleteUser", &[("UserName", "u")]).await.ok();
    house.iam("DeleteGroup", &[("GroupName", "g")]).await.ok();
}

#[tokio::test]
async fn quotas_and_duplicates_are_refused_in_awss_words() {
    let house = House::open().await;
    house.aws_user("u", None).await;
    house
        .iam("CreateUser", &[("UserName", "U")])
        .await
        .refused("EntityAlreadyExists", "User with name U already exists.");
    house.iam("CreateAccessKey", &[("UserName", "u")]).await.ok();
    house.iam("CreateAccessKey", &[("UserName", "u")]).await.ok();
    house
        .iam("CreateAccessKey", &[("UserName", "u")])
        .await
        .refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    let document = allowing("ecr:*");
    let made = house.iam("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", &document)]).await.ok();
    let arn = made.text("Arn");
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/p");
    for _ in 0..4 {
        house.iam("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", &document)]).await.ok();
    }
    let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
    house
        .iam("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", &document)])
        .await
        .refused("LimitExceeded", message);
    house
        .iam("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")])
        .await
        .refused("DeleteConflict", "Cannot delete the default version of a policy.");
    let listed = house.iam("ListPolicyVersions", &[("PolicyArn", &arn), ("MaxItems", "1")]).await.ok();
    assert_eq!((listed.text("VersionId").as_str(), listed.text("IsTruncated").as_str()), ("v5", "true"));
    let marker = listed.text("Marker");
    let next = house
        .iam("ListPolicyVersions", &[("PolicyArn", &arn), ("MaxItems", "1"), ("Marker", &marker)])
        .await
        .ok();
    assert_eq!(next.text("VersionId"), "v4");
}

#[tokio::test]
async fn bad_documents_and_principals_are_refused_in_awss_words() {
    let house = House::open().await;
    let put = |text| [("UserName", "u"), ("PolicyName", "p"), ("PolicyDocument", text)];
    house.aws_user("u", None).await;
    house
        .iam("PutUserPolicy", &put("{"))
        .await
        .refused("MalformedPolicyDocument", "Syntax errors in policy.");
    let role = |trust| [("RoleName", "r"), ("AssumeRolePolicyDocument", trust)];
    house
        .iam("CreateRole", &role("{"))
        .await
        .refused("MalformedPolicyDocument", "This policy contains invalid Json");
    let stranger = TRUST.replace(":root", ":user/nobody");
    house.iam("CreateRole", &role(&stranger)).await.refused(
        "MalformedPolicyDocument",
        "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/nobody\"",
    );
    house.iam("CreateRole", &role(&TRUST.replace(":root", ":user/u"))).await.ok();
    let missing = "Policy arn:aws:iam::123456789012:policy/x does not exist or is not attachable.";
    let attach = [("UserName", "u"), ("PolicyArn", "arn:aws:iam::123456789012:policy/x")];
    house.iam("AttachUserPolicy", &attach).await.refused("NoSuchEntity", missing);
    house
        .iam("GetPolicy", &attach)
        .await
        .refused("NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/x was not found.");
}

#[tokio::test]
async fn boundaries_and_tags_can_be_demanded_of_who_makes_users() {
    let house = House::open().await;
    let boundary = house
        .iam("CreatePolicy", &[("PolicyName", "b"), ("PolicyDocument", &allowing("ecr:*"))])
        .await
        .ok()
        .text("Arn");
    let delegate = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["iam:CreateUser","iam:AttachUserPolicy"],"Resource":"*","Condition":{"ArnEquals":{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/b"}}},
        {"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}]}"#;
    let boss = house.aws_user("boss", Some(delegate)).await;
    house.aws_user("free", None).await;
    let asked = |parameters: &'static [(&'static str, &'static str)]| {
        house.iam_as(Some(&boss), "CreateUser", parameters)
    };
    assert_eq!(asked(&[("UserName", "x")]).await.code(), "AccessDenied");
    let with = [
        ("UserName", "x"),
        ("PermissionsBoundary", boundary.as_str()),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
    ];
    let made = house.iam_as(Some(&boss), "CreateUser", &with).await.ok();
    assert_eq!(made.text("PermissionsBoundaryArn"), boundary);
    let other = [
        ("UserName", "y"),
        ("PermissionsBoundary", boundary.as_str()),
        ("Tags.member.1.Key", "role"),
        ("Tags.member.1.Value", "a"),
    ];
    assert_eq!(house.iam_as(Some(&boss), "CreateUser", &other).await.code(), "AccessDenied");
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    house.iam_as(Some(&boss), "AttachUserPolicy", &[("UserName", "x"), policy]).await.ok();
    assert_eq!(
        house.iam_as(Some(&boss), "AttachUserPolicy", &[("UserName", "free"), policy]).await.code(),
        "AccessDenied"
    );
}

#[tokio::test]
async fn the_simulator_says_what_decides() {
    let house = House::open().await;
    let document = r#"{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["ecr:ListImages","s3:GetObject"],"Resource":"*"},
  {"Effect":"Deny","Action":"ecr:ListImages","Resource":"arn:aws:ecr:*:*:repository/secret"},
  {"Effect":"Allow","Action":"ecr:PutImage","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"a"}}}]}"#;
    house.aws_user("u", Some(document)).await;
    let asked = |action: &'static str, resource: &'static str| {
        let source = ("PolicySourceArn", "arn:aws:iam::123456789012:user/u");
        house.iam_call(
            "SimulatePrincipalPolicy",
            vec![source, ("ActionNames.member.1", action), ("ResourceArns.member.1", resource)],
        )
    };
    let repository = "arn:aws:ecr:us-east-1:123456789012:repository/open";
    let said = asked("ecr:ListImages", repository).await.ok();
    assert_eq!(
        (said.text("EvalDecision").as_str(), said.text("SourcePolicyId").as_str()),
        ("allowed", "user_u_p")
    );
    assert_eq!(said.text("StartPosition"), "<Line>2</Line><Column>3</Column>");
    let said = asked("ecr:ListImages", "arn:aws:ecr:us-east-1:123456789012:repository/secret").await.ok();
    assert_eq!(said.text("EvalDecision"), "explicitDeny");
    let said = asked("ecr:PutImage", repository).await.ok();
    assert_eq!(
        (said.text("EvalDecision").as_str(), said.text("member").contains("aws:PrincipalTag/Team")),
        ("implicitDeny", true)
    );
    assert_eq!(asked("s3:GetObject", "arn:aws:s3:::b/k").await.ok().text("EvalDecision"), "allowed");
    assert_eq!(asked("s3:*", "*").await.code(), "InvalidInput");
}

impl House {
    async fn iam_call(&self, action: &str, parameters: Vec<(&str, &str)>) -> Said {
        self.iam(action, &parameters).await
    }
}

#[tokio::test]
async fn service_ids_are_users_under_a_path_of_their_own_and_refuse_changes_when_locked() {
    let house = House::open().await;
    let called = house.service_id("robot").await;
    let shown = house.iam("ListUsers", &[("PathPrefix", "/service-id/")]).await.ok();
    let arn = format!("<Arn>arn:aws:iam::123456789012:user/service-id/{called}</Arn>");
    assert!(shown.body.contains(&arn), "{called}: {}", shown.body);
    assert_eq!(house.iam("CreateUser", &[("UserName", &called)]).await.code(), "ValidationError");
    let user = ("UserName", called.as_str());
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess");
    house.iam("AttachUserPolicy", &[user, policy]).await.ok();
    assert_eq!(house.iam("DeleteUser", &[user]).await.code(), "UnmodifiableEntity");
    house.ask(super::post(&format!("/v1/serviceids/{called}/lock"), serde_json::Value::Null)).await;
    assert_eq!(house.iam("DetachUserPolicy", &[user, policy]).await.code(), "UnmodifiableEntity");
    house.iam("ListAttachedUserPolicies", &[user]).await.ok();
}
