"""Calls every operation of ECR that is named on the command line, as four kinds of people."""
import json, sys
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

known = json.loads(sys.argv[1])
users = json.loads(sys.argv[2])
account = boto3.client("sts").get_caller_identity()["Account"]
image = {"imageTag": "v1"}
said = {
    "repositoryName": "team-a/app", "imageIds": [image], "imageId": image, "layerDigests": ["x"], "layerDigest": "x",
    "uploadId": "x", "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": b"x", "imageManifest": "{}",
    "policyText": "{}", "lifecyclePolicyText": "{}", "imageTagMutability": "MUTABLE", "imageScanningConfiguration": {},
    "resourceArn": f"arn:aws:ecr:us-south:{account}:repository/team-a/app", "tags": [], "tagKeys": [],
    "subjectId": {"imageDigest": "x"}, "destination": {"region": "eu-de", "registryId": account},
    "replicationBackfillId": "00000000-0000-0000-0000-000000000000",
    "name": "BLOB_MOUNTING", "value": "ENABLED", "replicationConfiguration": {"rules": []},
}
READS = {"BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "DescribeImageScanFindings",
         "DescribeRepositories", "GetAuthorizationToken", "GetDownloadUrlForLayer", "GetLifecyclePolicy",
         "GetLifecyclePolicyPreview", "GetRepositoryPolicy", "ListImages", "ListTagsForResource"}
SIGNED = {"nobody": None, "bad credential": users["wrong"], "stranger": users["stranger"], "reader": users["reader"]}
EXPECTED = {"nobody": "MissingAuthenticationTokenException", "bad credential": "InvalidSignatureException",
            "stranger": "AccessDeniedException", "reader": "AccessDeniedException"}
walked = 0
for who, key in SIGNED.items():
    quiet = {"parameter_validation": False, "retries": {"max_attempts": 0}}
    if key is None:
        ecr = boto3.client("ecr", config=Config(signature_version=UNSIGNED, **quiet))
    else:
        ecr = boto3.client("ecr", aws_access_key_id=key[0], aws_secret_access_key=key[1], config=Config(**quiet))
    for operation in known:
        if operation not in ecr.meta.service_model.operation_names:
            continue
        shape = ecr.meta.service_model.operation_model(operation).input_shape
        arguments = {member: said[member] for member in shape.members if member in said}
        if operation == "BatchGetRepositoryScanningConfiguration":
            arguments["repositoryNames"] = ["team-a/app"]
        code, text = "", ""
        try:
            ecr._make_api_call(operation, arguments)
        except ClientError as error:
            code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, (who, operation, error.response)
        walked += 1
        if who == "reader" and operation in READS:
            assert code != "AccessDeniedException", (operation, text)
        else:
            assert code == EXPECTED[who], (who, operation, code, text)
        if who == "stranger":
            assert f"user/stranger is not authorized to perform: ecr:{operation} on resource: " in text, text
            assert text.endswith(f"because no identity-based policy allows the ecr:{operation} action"), text
print(walked)
