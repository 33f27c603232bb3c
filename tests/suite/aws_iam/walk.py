"""Walks every operation of IAM with boto3, whose parser checks the types of what comes back; required members and those
that no shape has are checked here."""

import json

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

iam = boto3.client("iam", config=Config(retries={"max_attempts": 1}))
account = boto3.client("sts").get_caller_identity()["Account"]
asked = set()


def check(shape, value, path):
    if shape.type_name == "structure":
        for name in shape.required_members:
            assert name in value, f"{path}: no {name}"
        for name, inner in value.items():
            if name != "ResponseMetadata":
                assert name in shape.members, f"{path}: {name} is unknown"
                check(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            check(shape.member, inner, f"{path}[]")


def ask(operation, **parameters):
    asked.add(operation)
    reply = getattr(iam, botocore.xform_name(operation))(**parameters)
    shape = iam.meta.service_model.operation_model(operation).output_shape
    if shape is not None:
        check(shape, reply, operation)
    return reply


def refused(code, operation, **parameters):
    asked.add(operation)
    try:
        getattr(iam, botocore.xform_name(operation))(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{operation} was not refused")


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


trust = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {},
        }
    ],
}
document = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": "ecr:*",
        "Resource": f"arn:aws:ecr:*:{account}:repository/${{aws:username}}/*",
    },
}
text, tags = json.dumps(document), [{"Key": "team", "Value": "a b"}]

# Users, with waiters and pages that are deleted while they are read.
ann = ask("CreateUser", UserName="ann", Path="/d/", Tags=tags)["User"]
same(ann["Arn"], f"arn:aws:iam::{account}:user/d/ann")
assert ann["UserId"].startswith("AIDA")
iam.get_waiter("user_exists").wait(UserName="ann")
same(ask("GetUser", UserName="ann")["User"]["Tags"], tags)
many = [f"many{number:02}" for number in range(25)]
for name in many:
    iam.create_user(UserName=name, Path="/many/")
pages = iam.get_paginator("list_users").paginate(PathPrefix="/many/", PaginationConfig={"PageSize": 10})
same([user["UserName"] for page in pages for user in page["Users"]], many)
for page in iam.get_paginator("list_users").paginate(PathPrefix="/many/", PaginationConfig={"PageSize": 10}):
    for user in page["Users"]:
        iam.delete_user(UserName=user["UserName"])
same(ask("ListUsers", PathPrefix="/many/")["Users"], [])
ask("UpdateUser", UserName="ann", NewUserName="anna", NewPath="/e/")
ask("UpdateUser", UserName="anna", NewUserName="ann", NewPath="/")
ask("TagUser", UserName="ann", Tags=[{"Key": "x", "Value": "1"}])
same(len(ask("ListUserTags", UserName="ann")["Tags"]), 2)
ask("UntagUser", UserName="ann", TagKeys=["x", "never"])

# Groups.
assert ask("CreateGroup", GroupName="devs")["Group"]["GroupId"].startswith("AGPA")
ask("AddUserToGroup", GroupName="devs", UserName="ann")
same([user["UserName"] for user in ask("GetGroup", GroupName="devs")["Users"]], ["ann"])
same([group["GroupName"] for group in ask("ListGroupsForUser", UserName="ann")["Groups"]], ["devs"])
ask("ListGroups")
ask("UpdateGroup", GroupName="devs", NewGroupName="others", NewPath="/g/")
ask("UpdateGroup", GroupName="others", NewGroupName="devs", NewPath="/")

# Managed policies and their versions.
made = ask("CreatePolicy", PolicyName="own", PolicyDocument=text, Description="mine", Tags=tags)["Policy"]
arn = made["Arn"]
assert made["PolicyId"].startswith("ANPA")
iam.get_waiter("policy_exists").wait(PolicyArn=arn)
same(ask("GetPolicy", PolicyArn=arn)["Policy"]["Description"], "mine")
same(ask("GetPolicyVersion", PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"], document)
ask("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
same([one["VersionId"] for one in ask("ListPolicyVersions", PolicyArn=arn)["Versions"]], ["v2", "v1"])
ask("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v1")
ask("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
ask("TagPolicy", PolicyArn=arn, Tags=[{"Key": "x", "Value": ""}])
same(len(ask("ListPolicyTags", PolicyArn=arn)["Tags"]), 2)
ask("UntagPolicy", PolicyArn=arn, TagKeys=["x"])
aws = {one["PolicyName"] for one in ask("ListPolicies", Scope="AWS")["Policies"]}
assert {"AmazonEC2ContainerRegistryReadOnly", "AdministratorAccess"} <= aws, aws
same([one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]], [arn])
refused("AccessDenied", "DeletePolicy", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

# Roles.
role = ask(
    "CreateRole",
    RoleName="role",
    AssumeRolePolicyDocument=json.dumps(trust),
    Description="d",
    MaxSessionDuration=7200,
    PermissionsBoundary=arn,
    Tags=tags,
)["Role"]
assert role["RoleId"].startswith("AROA")
same(role["AssumeRolePolicyDocument"], trust)
iam.get_waiter("role_exists").wait(RoleName="role")
role = ask("GetRole", RoleName="role")["Role"]
same((role["MaxSessionDuration"], role["Description"], role["RoleLastUsed"]), (7200, "d", {}))
same(role["PermissionsBoundary"], {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn})
same([one["RoleName"] for one in ask("ListRoles")["Roles"]], ["role"])
ask("UpdateRole", RoleName="role", Description="e", MaxSessionDuration=3600)
ask("UpdateRoleDescription", RoleName="role", Description="f")
ask("UpdateAssumeRolePolicy", RoleName="role", PolicyDocument=json.dumps(trust))
ask("TagRole", RoleName="role", Tags=[{"Key": "x", "Value": "y"}])
same(len(ask("ListRoleTags", RoleName="role")["Tags"]), 2)
ask("UntagRole", RoleName="role", TagKeys=["x"])
ask("ListInstanceProfilesForRole", RoleName="role")

# What they hold.
everyone = [("User", "ann"), ("Group", "devs"), ("Role", "role")]
for kind, name in everyone:
    who = {f"{kind}Name": name}
    ask(f"Attach{kind}Policy", PolicyArn=arn, **who)
    attached = ask(f"ListAttached{kind}Policies", **who)["AttachedPolicies"]
    same(attached, [{"PolicyName": "own", "PolicyArn": arn}])
    ask(f"Put{kind}Policy", PolicyName="inline", PolicyDocument=text, **who)
    same(ask(f"Get{kind}Policy", PolicyName="inline", **who)["PolicyDocument"], document)
    same(ask(f"List{kind}Policies", **who)["PolicyNames"], ["inline"])
entities = ask("ListEntitiesForPolicy", PolicyArn=arn)
same([len(entities[f"Policy{kind}s"]) for kind, _ in everyone], [1, 1, 1])
ask("PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=arn)
ask("PutRolePermissionsBoundary", RoleName="role", PermissionsBoundary=arn)

# Access keys: a deactivated one proves nobody.
key = ask("CreateAccessKey", UserName="ann")["AccessKey"]
assert key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40
credentials = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
sts = boto3.client("sts", **credentials)
same(sts.get_caller_identity()["Arn"], f"arn:aws:iam::{account}:user/ann")
ask("UpdateAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
try:
    sts.get_caller_identity()
    raise AssertionError("a deactivated key signs")
except ClientError as error:
    same(error.response["Error"]["Code"], "InvalidClientTokenId")
same(ask("ListAccessKeys", UserName="ann")["AccessKeyMetadata"][0]["Status"], "Inactive")
same(ask("GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"])["UserName"], "ann")

# The account.
details = ask("GetAccountAuthorizationDetails")
shown = next(one for one in details["UserDetailList"] if one["UserName"] == "ann")
same((shown["GroupList"], shown["UserPolicyList"][0]["PolicyDocument"]), (["devs"], document))
paged = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 3})
lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
same(sum(len(page[name]) for page in paged for name in lists), sum(len(details[name]) for name in lists))
same(ask("GetAccountSummary")["SummaryMap"]["Roles"], 1)
for operation in ["ListAccountAliases", "ListInstanceProfiles", "ListSAMLProviders", "ListServerCertificates"]:
    ask(operation)
ask("ListVirtualMFADevices")
for operation in ["ListMFADevices", "ListSSHPublicKeys", "ListServiceSpecificCredentials"]:
    ask(operation, UserName="ann")
ask("ListSigningCertificates", UserName="ann")
refused("NoSuchEntity", "GetAccountPasswordPolicy")
refused("NoSuchEntity", "GetLoginProfile", UserName="ann")

# The simulator.
source = f"arn:aws:iam::{account}:user/ann"
repository = f"arn:aws:ecr:us-south:{account}:repository/ann/x"
answers = ask(
    "SimulatePrincipalPolicy",
    PolicySourceArn=source,
    ActionNames=["ecr:ListImages", "iam:GetUser"],
    ResourceArns=[repository],
    ContextEntries=[{"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["192.0.2.1"], "ContextKeyType": "ip"}],
)["EvaluationResults"]
same([one["EvalDecision"] for one in answers], ["allowed", "implicitDeny"])
same(answers[0]["MatchedStatements"][0]["SourcePolicyId"], "user_ann_inline")
custom = ask("SimulateCustomPolicy", PolicyInputList=[text], ActionNames=["ecr:ListImages"])["EvaluationResults"]
same(custom[0]["MissingContextValues"], ["aws:username"])
same(ask("GetContextKeysForCustomPolicy", PolicyInputList=[text])["ContextKeyNames"], ["aws:username"])
same(ask("GetContextKeysForPrincipalPolicy", PolicySourceArn=source)["ContextKeyNames"], ["aws:username"])
granting = ask("ListPoliciesGrantingServiceAccess", Arn=source, ServiceNamespaces=["ecr", "s3"])
same([len(one["Policies"]) for one in granting["PoliciesGrantingServiceAccess"]], [3, 0])

# OpenID Connect providers.
provider = {
    "OpenIDConnectProviderArn": ask(
        "CreateOpenIDConnectProvider",
        Url="https://idp.example.com/x",
        ClientIDList=["a"],
        ThumbprintList=["9" * 40],
        Tags=tags,
    )["OpenIDConnectProviderArn"]
}
same(ask("ListOpenIDConnectProviders")["OpenIDConnectProviderList"], [{"Arn": provider["OpenIDConnectProviderArn"]}])
ask("AddClientIDToOpenIDConnectProvider", ClientID="b", **provider)
ask("RemoveClientIDFromOpenIDConnectProvider", ClientID="a", **provider)
ask("UpdateOpenIDConnectProviderThumbprint", ThumbprintList=["8" * 40], **provider)
shown = ask("GetOpenIDConnectProvider", **provider)
same((shown["Url"], shown["ClientIDList"], shown["ThumbprintList"]), ("idp.example.com/x", ["b"], ["8" * 40]))
ask("TagOpenIDConnectProvider", Tags=[{"Key": "x", "Value": "1"}], **provider)
same(len(ask("ListOpenIDConnectProviderTags", **provider)["Tags"]), 2)
ask("UntagOpenIDConnectProvider", TagKeys=["x"], **provider)
ask("DeleteOpenIDConnectProvider", **provider)

# Deletes are ordered.
refused("DeleteConflict", "DeleteUser", UserName="ann")
refused("DeleteConflict", "DeleteGroup", GroupName="devs")
refused("DeleteConflict", "DeleteRole", RoleName="role")
refused("DeleteConflict", "DeletePolicy", PolicyArn=arn)
ask("DeleteUserPermissionsBoundary", UserName="ann")
ask("DeleteRolePermissionsBoundary", RoleName="role")
for kind, name in everyone:
    who = {f"{kind}Name": name}
    ask(f"Detach{kind}Policy", PolicyArn=arn, **who)
    ask(f"Delete{kind}Policy", PolicyName="inline", **who)
ask("DeleteAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"])
ask("RemoveUserFromGroup", GroupName="devs", UserName="ann")
ask("DeleteGroup", GroupName="devs")
ask("DeleteRole", RoleName="role")
ask("DeletePolicy", PolicyArn=arn)
ask("DeleteUser", UserName="ann")
refused("NoSuchEntity", "GetUser", UserName="ann")

# What is real but not here is an error like any other.
try:
    iam.create_virtual_mfa_device(VirtualMFADeviceName="x")
    raise AssertionError("not refused")
except ClientError as error:
    same((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]), ("InvalidAction", 400))

print("\n".join(sorted(asked)))
