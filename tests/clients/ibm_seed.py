"""The walk that the project began with, by SDK instead of command line. Its steps are told one by one, as docker comes in between.

    ibm_seed.py identity              makes the service ID and prints its API key
    ibm_seed.py enforce HOST          has the registry of that host enforce policies
    ibm_seed.py grant ROLE REGION     grants the service ID a role on `my_namespace` there
    ibm_seed.py images HOST           prints what the service ID sees there, given its key in SERVICE_ID_KEY
"""

import os
import sys

from cloud import ACCOUNT, KEY, URL, done, refused, service
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_container_registry.container_registry_v1 import ContainerRegistryV1
from ibm_platform_services import IamIdentityV1, IamPolicyManagementV1

NAME = "think-registry-demo"


def registry(host, key=KEY):
    made = ContainerRegistryV1(account=ACCOUNT, authenticator=IAMAuthenticator(key, url=URL))
    made.set_service_url(f"https://{host}")
    return made


def identity():
    iam = service(IamIdentityV1)
    text = "Service ID created for session 2406 at Think 2019"
    made = done(201, iam.create_service_id(account_id=ACCOUNT, name=NAME, description=text))
    listed = done(200, iam.list_service_ids(account_id=ACCOUNT, name=NAME))["serviceids"]
    assert [one["id"] for one in listed] == [made["id"]] and listed[0]["description"] == text, listed
    print(done(201, iam.create_api_key(name=f"{NAME}-key", iam_id=made["iam_id"], account_id=ACCOUNT))["apikey"])


def enforce(host):
    done(204, registry(host).update_auth(iam_authz=True))
    assert done(200, registry(host).get_auth())["iam_authz"]


def grant(role, region):
    found = done(200, service(IamIdentityV1).list_service_ids(account_id=ACCOUNT, name=NAME))["serviceids"]
    about = {"accountId": ACCOUNT, "serviceName": "container-registry", "region": region, "resourceType": "namespace"}
    attributes = [{"name": name, "value": value} for name, value in {**about, "resource": "my_namespace"}.items()]
    draft = {
        "type": "access",
        "subjects": [{"attributes": [{"name": "iam_id", "value": found[0]["iam_id"]}]}],
        "roles": [{"role_id": f"crn:v1:bluemix:public:iam::::serviceRole:{role}"}],
        "resources": [{"attributes": attributes}],
    }
    done(201, service(IamPolicyManagementV1).create_policy(**draft))
    # A reader grants nothing, itself least of all.
    own = service(IamPolicyManagementV1, os.environ["SERVICE_ID_KEY"])
    refused(403, "insufficent_permissions", own.create_policy, **{**draft, "roles": [{"role_id": draft["roles"][0]["role_id"].replace(role, "Manager")}]})


def images(host):
    for image in done(200, registry(host, os.environ["SERVICE_ID_KEY"]).list_images()):
        print(image["RepoTags"])


{"identity": identity, "enforce": enforce, "grant": grant, "images": images}[sys.argv[1]](*sys.argv[2:])
