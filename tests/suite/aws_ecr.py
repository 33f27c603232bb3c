"""Every operation of ECR, as boto3 calls it. Prints what the story compares."""
import base64, hashlib, json, os, ssl, sys, urllib.request
import boto3
from botocore.exceptions import ClientError

ecr = boto3.client("ecr")
name = "team-a/made"
account = boto3.client("sts").get_caller_identity()["Account"]


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        said = error.response["Error"]
        assert said["Code"] == code, (code, said)
        return said["Message"]
    raise AssertionError(f"{call} should have failed with {code}")


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def upload(data, part=None):
    begun = ecr.initiate_layer_upload(repositoryName=name)
    part = part or begun["partSize"]
    for first in range(0, len(data), part):
        piece = data[first:first + part]
        last = first + len(piece) - 1
        got = ecr.upload_layer_part(repositoryName=name, uploadId=begun["uploadId"], partFirstByte=first,
                                    partLastByte=last, layerPartBlob=piece)
        assert got["lastByteReceived"] == last, got
    digest = sha256(data)
    done = ecr.complete_layer_upload(repositoryName=name, uploadId=begun["uploadId"], layerDigests=[digest])
    assert done["layerDigest"] == digest, done
    return digest


# Repositories.
fails("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=[name])
made = ecr.create_repository(repositoryName=name, tags=[{"Key": "team", "Value": "a"}],
                             imageScanningConfiguration={"scanOnPush": True})["repository"]
assert made["repositoryArn"] == f"arn:aws:ecr:us-south:{account}:repository/{name}", made
assert made["imageTagMutability"] == "MUTABLE" and made["imageScanningConfiguration"]["scanOnPush"], made
assert made["repositoryUri"].endswith("/" + name), made
fails("RepositoryAlreadyExistsException", ecr.create_repository, repositoryName=name)
fails("InvalidParameterException", ecr.create_repository, repositoryName="Team-A/UP")
for number in range(3):
    ecr.create_repository(repositoryName=f"team-b/r{number}")
pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2}))
listed = [one["repositoryName"] for page in pages for one in page["repositories"]]
assert listed == sorted(listed) and set(listed) >= {name, "team-b/r0", "team-b/r1", "team-b/r2"}, listed
assert len(pages) >= 2
assert "999999999999" in fails("RepositoryNotFoundException", ecr.list_images, repositoryName=name,
                               registryId="999999999999")

# Layers.
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "created": "2024-01-02T03:04:05Z",
                     "rootfs": {"type": "layers", "diff_ids": []}}).encode()
layer = os.urandom(6 << 20)
missing = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[sha256(layer), "nonsense"])
assert missing["layers"][0]["layerAvailability"] == "UNAVAILABLE", missing
assert missing["failures"][0]["failureCode"] == "InvalidLayerDigest", missing
begun = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
fails("EmptyUploadException", ecr.complete_layer_upload, repositoryName=name, uploadId=begun,
      layerDigests=[sha256(layer)])
fails("InvalidLayerPartException", ecr.upload_layer_part, repositoryName=name, uploadId=begun, partFirstByte=5,
      partLastByte=6, layerPartBlob=b"xy")
ecr.upload_layer_part(repositoryName=name, uploadId=begun, partFirstByte=0, partLastByte=1, layerPartBlob=b"xy")
fails("LayerPartTooSmallException", ecr.upload_layer_part, repositoryName=name, uploadId=begun, partFirstByte=2,
      partLastByte=3, layerPartBlob=b"xy")
fails("InvalidLayerException", ecr.complete_layer_upload, repositoryName=name, uploadId=begun,
      layerDigests=[sha256(b"another")])
fails("UploadNotFoundException", ecr.upload_layer_part, repositoryName=name,
      uploadId="00000000-0000-0000-0000-000000000000", partFirstByte=0, partLastByte=0, layerPartBlob=b"x")
config_digest, layer_digest = upload(config), upload(layer, 5 << 20)
again = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
ecr.upload_layer_part(repositoryName=name, uploadId=again, partFirstByte=0, partLastByte=len(config) - 1,
                      layerPartBlob=config)
fails("LayerAlreadyExistsException", ecr.complete_layer_upload, repositoryName=name, uploadId=again,
      layerDigests=[config_digest])
there = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[layer_digest])["layers"][0]
assert (there["layerAvailability"], there["layerSize"]) == ("AVAILABLE", len(layer)), there
url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=layer_digest)["downloadUrl"]
trust = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
assert urllib.request.urlopen(url, context=trust).read() == layer
try:
    urllib.request.urlopen(url[:-4] + "AAAA", context=trust)
    raise AssertionError("a forged ticket should be refused")
except urllib.error.HTTPError as error:
    assert error.code == 403, error.code
fails("LayersNotFoundException", ecr.get_download_url_for_layer, repositoryName=name,
      layerDigest=sha256(b"not there"))

# Images.
OCI = "application/vnd.oci.image.manifest.v1+json"


def manifest(layers, **more):
    return json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {
        "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": len(config)},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}
                   for digest, size in layers], **more})


text = manifest([(layer_digest, len(layer))])
fails("LayersNotFoundException", ecr.put_image, repositoryName=name, imageTag="v1",
      imageManifest=manifest([(sha256(b"not there"), 9)]))
fails("ImageDigestDoesNotMatchException", ecr.put_image, repositoryName=name, imageTag="v1", imageManifest=text,
      imageDigest=sha256(b"another"))
fails("InvalidParameterException", ecr.put_image, repositoryName=name, imageTag="v1", imageManifest="no JSON")
put = ecr.put_image(repositoryName=name, imageTag="v1", imageManifest=text)["image"]
assert put["imageId"] == {"imageDigest": sha256(text.encode()), "imageTag": "v1"}, put
assert put["imageManifest"] == text and put["imageManifestMediaType"] == OCI
fails("ImageAlreadyExistsException", ecr.put_image, repositoryName=name, imageTag="v1", imageManifest=text)
ecr.put_image(repositoryName=name, imageTag="v2", imageManifest=text)
other = manifest([(layer_digest, len(layer))], annotations={"n": "2"})
ecr.put_image(repositoryName=name, imageTag="v3", imageManifest=other)
untagged = manifest([(layer_digest, len(layer))], annotations={"n": "3"})
ecr.put_image(repositoryName=name, imageManifest=untagged, imageDigest=sha256(untagged.encode()))
index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
    {"mediaType": OCI, "digest": sha256(untagged.encode()), "size": len(untagged),
     "platform": {"architecture": "amd64", "os": "linux"}}]})
ecr.put_image(repositoryName=name, imageTag="multi", imageManifest=index)
ids = [one for page in ecr.get_paginator("list_images").paginate(repositoryName=name,
       PaginationConfig={"PageSize": 2}) for one in page["imageIds"]]
assert sorted((one.get("imageTag", ""), one["imageDigest"]) for one in ids) == sorted([
    ("v1", sha256(text.encode())), ("v2", sha256(text.encode())), ("v3", sha256(other.encode())),
    ("multi", sha256(index.encode())), ("", sha256(untagged.encode()))]), ids
only = ecr.list_images(repositoryName=name, filter={"tagStatus": "UNTAGGED"})["imageIds"]
assert only == [{"imageDigest": sha256(untagged.encode())}], only
details = [one for page in ecr.get_paginator("describe_images").paginate(repositoryName=name,
           PaginationConfig={"PageSize": 1}) for one in page["imageDetails"]]
assert len(details) == 4, details
first = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
assert first["imageTags"] == ["v1", "v2"] and first["imageSizeInBytes"] == len(layer) + len(config), first
assert first["imagePushedAt"].year >= 2025, first
multi = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "multi"}])["imageDetails"][0]
assert multi["imageSizeInBytes"] == len(layer) + len(config), multi
fails("ImageNotFoundException", ecr.describe_images, repositoryName=name, imageIds=[{"imageTag": "v9"}])
got = ecr.batch_get_image(repositoryName=name, imageIds=[
    {"imageTag": "v1"}, {"imageDigest": sha256(other.encode())}, {"imageTag": "v9"}, {"imageDigest": "x"}, {},
    {"imageTag": "v1", "imageDigest": sha256(other.encode())}])
assert [one["imageManifest"] for one in got["images"]] == [text, other], got
assert [one["failureCode"] for one in got["failures"]] == [
    "ImageNotFound", "InvalidImageDigest", "MissingDigestAndTag", "ImageTagDoesNotMatchDigest"], got["failures"]

# Settings, policies and tags.
arn = made["repositoryArn"]
ecr.tag_resource(resourceArn=arn, tags=[{"Key": "stage", "Value": "test"}])
ecr.untag_resource(resourceArn=arn, tagKeys=["team"])
assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "stage", "Value": "test"}]
fails("InvalidParameterException", ecr.list_tags_for_resource, resourceArn="arn:aws:ecr:x")
fails("InvalidTagParameterException", ecr.tag_resource, resourceArn=arn, tags=[{"Key": "aws:x", "Value": "y"}])
fails("TooManyTagsException", ecr.tag_resource, resourceArn=arn,
      tags=[{"Key": f"k{n}", "Value": "v"} for n in range(50)])
fails("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName=name)
policy = {"Version": "2012-10-17", "Statement": [{"Sid": "Shared", "Effect": "Allow", "Principal": "*",
                                                  "Action": "ecr:BatchGetImage"}]}
said = ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(policy))["policyText"]
assert said.startswith('{\n  "Version" : "2012-10-17",\n  "Statement" : [ {'), said
assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]) == policy
fails("InvalidParameterException", ecr.set_repository_policy, repositoryName=name, policyText="{}")
locking = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
                                                   "Action": "ecr:SetRepositoryPolicy"}]}
fails("InvalidParameterException", ecr.set_repository_policy, repositoryName=name, policyText=json.dumps(locking))
assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]) == policy
ecr.delete_repository_policy(repositoryName=name)
fails("RepositoryPolicyNotFoundException", ecr.delete_repository_policy, repositoryName=name)
fails("RegistryPolicyNotFoundException", ecr.get_registry_policy)
registry = {"Version": "2012-10-17", "Statement": [{"Sid": "R", "Effect": "Allow", "Principal": {
    "AWS": f"arn:aws:iam::{account}:root"}, "Action": ["ecr:ReplicateImage"],
    "Resource": [f"arn:aws:ecr:us-south:{account}:repository/*"]}]}
ecr.put_registry_policy(policyText=json.dumps(registry))
assert json.loads(ecr.get_registry_policy()["policyText"]) == registry
ecr.delete_registry_policy()
fails("RegistryPolicyNotFoundException", ecr.delete_registry_policy)
registry["Statement"][0]["Action"] = ["ecr:PutImage"]
fails("InvalidParameterException", ecr.put_registry_policy, policyText=json.dumps(registry))
assert ecr.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"] == "V1"
ecr.put_account_setting(name="BASIC_SCAN_TYPE_VERSION", value="CLAIR")
assert ecr.get_account_setting(name="BASIC_SCAN_TYPE_VERSION")["value"] == "CLAIR"
fails("InvalidParameterException", ecr.put_account_setting, name="REGISTRY_POLICY_SCOPE", value="V2")
# What is about an image.
empty = upload(b"{}")
subject = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]["imageDigest"]


def about(kind, note):
    oci = "application/vnd.oci.image.manifest.v1+json"
    descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2}
    return ecr.put_image(repositoryName=name, imageManifestMediaType=oci, imageManifest=json.dumps({
        "schemaVersion": 2, "mediaType": oci, "artifactType": kind, "config": descriptor, "layers": [descriptor],
        "subject": {"mediaType": oci, "digest": subject, "size": 1}, "annotations": {"note": note}}))


assert ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": subject})["referrers"] == []
put = {kind: about(kind, kind[-3:])["image"]["imageId"]["imageDigest"]
       for kind in ("application/vnd.example.sbom", "application/vnd.example.sig")}
pages, token = [], {}
while True:
    page = ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": subject}, maxResults=1, **token)
    pages.append(page["referrers"])
    if "nextToken" not in page:
        break
    token = {"nextToken": page["nextToken"]}
found = {one["artifactType"]: (one["digest"], one["annotations"]["note"]) for page in pages for one in page}
assert found == {kind: (digest, kind[-3:]) for kind, digest in put.items()} and len(pages) == 2, pages
only = ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": subject},
                                filter={"artifactTypes": ["application/vnd.example.sig"]})["referrers"]
assert [one["digest"] for one in only] == [put["application/vnd.example.sig"]], only
assert ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": subject},
                                filter={"artifactStatus": "ARCHIVED"})["referrers"] == []
fails("ImageNotFoundException", ecr.list_image_referrers, repositoryName=name,
      subjectId={"imageDigest": "sha256:" + "0" * 64})
gone = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": digest} for digest in put.values()])
assert gone["failures"] == [], gone

assert ecr.describe_registry() ["registryId"] == account
ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": False})
scanned = ecr.batch_get_repository_scanning_configuration(repositoryNames=[name, "team-a/none"])
assert scanned["scanningConfigurations"][0]["scanOnPush"] is False and len(scanned["failures"]) == 1, scanned
assert ecr.get_registry_scanning_configuration()["scanningConfiguration"]["scanType"] == "BASIC"
ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
fails("ValidationException", ecr.put_registry_scanning_configuration, scanType="ENHANCED")
fails("ScanNotFoundException", ecr.describe_image_scan_findings, repositoryName=name, imageId={"imageTag": "v1"})
fails("ImageNotFoundException", ecr.describe_image_scan_findings, repositoryName=name, imageId={"imageTag": "v9"})
fails("ValidationException", ecr.start_image_scan, repositoryName=name, imageId={"imageTag": "v1"})
assert ecr.describe_image_replication_status(repositoryName=name, imageId={"imageTag": "v1"})[
    "replicationStatuses"] == []
ecr.put_replication_configuration(replicationConfiguration={"rules": []})
fails("ValidationException", ecr.put_replication_configuration, replicationConfiguration={"rules": [
    {"destinations": [{"region": "eu-de", "registryId": account}]}]})
assert ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
fails("PullThroughCacheRuleNotFoundException", ecr.describe_pull_through_cache_rules,
      ecrRepositoryPrefixes=["docker-hub"])
assert ecr.list_replication_backfills()["backfills"] == []
fails("ValidationException", ecr.start_replication_backfill,
      destination={"region": "eu-de", "registryId": account})
for call in (ecr.stop_replication_backfill, ecr.describe_replication_backfill_results):
    fails("ReplicationBackfillNotFoundException", call,
          replicationBackfillId="00000000-0000-0000-0000-000000000000")
fails("PullThroughCacheRuleNotFoundException", ecr.delete_pull_through_cache_rule, ecrRepositoryPrefix="docker-hub")
fails("ValidationException", ecr.create_pull_through_cache_rule, ecrRepositoryPrefix="docker-hub",
      upstreamRegistryUrl="registry-1.docker.io")
assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
fails("TemplateNotFoundException", ecr.delete_repository_creation_template, prefix="x")

# Lifecycle policies.
fails("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name)
fails("LifecyclePolicyPreviewNotFoundException", ecr.get_lifecycle_policy_preview, repositoryName=name)
keep_one = json.dumps({"rules": [{"rulePriority": 1, "description": "keep the youngest image that has a tag v",
    "selection": {"tagStatus": "tagged", "tagPrefixList": ["v"], "countType": "imageCountMoreThan",
                  "countNumber": 1}, "action": {"type": "expire"}}]})
started = ecr.start_lifecycle_policy_preview(repositoryName=name, lifecyclePolicyText=keep_one)
assert (started["status"], started["lifecyclePolicyText"]) == ("IN_PROGRESS", keep_one), started
ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=name)
pages = list(ecr.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName=name))
going = [one for page in pages for one in page["previewResults"]]
assert [one["imageDigest"] for one in going] == [sha256(text.encode())], going
assert going[0]["action"] == {"type": "EXPIRE"} and going[0]["appliedRulePriority"] == 1, going
assert len(ecr.list_images(repositoryName=name)["imageIds"]) == 5, "a preview removes nothing"
fails("InvalidParameterException", ecr.put_lifecycle_policy, repositoryName=name, lifecyclePolicyText=keep_one.replace(
    "tagged", "none"))
assert ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=keep_one)["lifecyclePolicyText"] == keep_one
assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == keep_one
ecr.delete_lifecycle_policy(repositoryName=name)
fails("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name)

# Deleting.
gone = ecr.batch_delete_image(repositoryName=name, imageIds=[
    {"imageTag": "v2"}, {"imageDigest": sha256(untagged.encode())}, {"imageTag": "v9"}])
assert gone["imageIds"] == [{"imageDigest": sha256(text.encode()), "imageTag": "v2"}], gone
assert [one["failureCode"] for one in gone["failures"]] == ["ImageReferencedByManifestList", "ImageNotFound"], gone
left = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
assert left["imageTags"] == ["v1"], left
gone = ecr.batch_delete_image(repositoryName=name, imageIds=[
    {"imageDigest": sha256(untagged.encode())}, {"imageTag": "multi"}, {"imageTag": "v3"}])
assert not gone["failures"] and len(gone["imageIds"]) == 3, gone
fails("RepositoryNotEmptyException", ecr.delete_repository, repositoryName="team-a/made")
token = ecr.get_authorization_token()["authorizationData"][0]
user, password = base64.b64decode(token["authorizationToken"]).decode().split(":")
assert user == "AWS" and len(password) < 2500 and token["proxyEndpoint"].startswith("https://localhost"), token
print(sha256(text.encode()))
