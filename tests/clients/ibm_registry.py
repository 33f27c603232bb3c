"""ContainerRegistryV1: namespaces, images, tags, trash, quotas, retention, settings; and what is refused on the way.

Expects two images in the registry, pushed before: walk/owl:1 and :2 (also :latest), and walk/crow:1.
"""

import cloud
from cloud import ACCOUNT, KEY, URL, done
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, IAMAuthenticator
from ibm_container_registry.container_registry_v1 import ContainerRegistryV1

HOST = URL.split("://")[1]


def service(account=ACCOUNT, known=None):
    made = ContainerRegistryV1(account=account, authenticator=known or IAMAuthenticator(KEY, url=URL))
    made.set_service_url(URL)
    return made


def refused(status, code, call, *arguments, **named):
    cloud.steps += 1
    try:
        answer = call(*arguments, **named)
    except ApiException as error:
        body = error.http_response.json()
        assert (error.status_code, body["code"]) == (status, code), f"{error.status_code} {body}"
        assert body["message"] == error.message and body["request-id"], body
        return body["message"]
    raise AssertionError(f"{call.__name__} was answered: {answer}")


icr = service()

# Whoever is nobody, or names another account.
refused(401, "CRG0014E", service(known=BearerTokenAuthenticator("eyJhbGciOiJub25lIn0.e30.AA")).get_auth)
refused(403, "CRG0009E", service(account="210987654321").get_auth)
done(204, icr.get_messages())

# Settings of the registry.
assert done(200, icr.get_auth()) == {"iam_authz": True, "private_only": False}
done(204, icr.update_auth(iam_authz=True))
refused(409, "CRG0409E", icr.update_auth, iam_authz=False)
assert done(200, icr.get_settings()) == {"platform_metrics": False}
done(204, icr.update_settings(platform_metrics=True))
assert done(200, icr.get_settings()) == {"platform_metrics": True}
assert done(200, icr.get_plans()) == {"plan": "Standard"}
done(200, icr.update_plans(plan="Standard"))
refused(400, "CRG0400E", icr.update_plans, plan="Platinum")

# Namespaces, and the resource groups that they are put into.
from ibm_platform_services import ResourceManagerV2

manager = ResourceManagerV2(authenticator=IAMAuthenticator(KEY, url=URL))
manager.set_service_url(URL)
groups = {name: done(201, manager.create_resource_group(name=name, account_id=ACCOUNT))["id"] for name in ("beaks", "paws", "claws")}
listed = done(200, manager.list_resource_groups(account_id=ACCOUNT))["resources"]
assert [row["name"] for row in listed] == ["Default", "beaks", "claws", "paws"], listed
assert listed[0]["default"] and not listed[1]["default"] and listed[1]["state"] == "ACTIVE", listed
assert done(200, manager.get_resource_group(id=groups["paws"]))["name"] == "paws"
assert done(200, manager.update_resource_group(id=groups["claws"], name="talons"))["name"] == "talons"
assert done(201, icr.create_namespace(name="birds", x_auth_resource_group=groups["beaks"])) == {"namespace": "birds"}
assert done(200, icr.create_namespace(name="birds")) == {"namespace": "birds"}
refused(400, "CRG0400E", icr.create_namespace, name="Birds!")
done(201, icr.create_namespace(name="cats4"))
done(200, icr.assign_namespace(x_auth_resource_group="paws", name="cats4"))
refused(409, "CRG0409E", icr.assign_namespace, x_auth_resource_group="talons", name="cats4")
assert done(200, icr.list_namespaces()) == ["birds", "cats4", "walk"]
details = {row["name"]: row for row in done(200, icr.list_namespace_details())}
assert details["birds"]["resource_group"] == groups["beaks"] and details["birds"]["account"] == ACCOUNT, details
done(204, icr.delete_namespace(name="cats4"))
refused(404, "CRG0404E", icr.delete_namespace, name="cats4")

# Images.
owl = f"{HOST}/walk/owl"
crow = f"{HOST}/walk/crow"
images = done(200, icr.list_images(namespace="walk"))
tags = sorted(tag for row in images for tag in row["RepoTags"])
assert tags == [f"{crow}:1", f"{owl}:1", f"{owl}:2", f"{owl}:latest"], tags
two = next(row for row in images if f"{owl}:2" in row["RepoTags"])
assert two["Size"] > 0 and two["Id"] in two["DigestTags"], two
assert done(200, icr.list_images(include_private=False)) == []
assert len(done(200, icr.list_images(repository=crow))) == 1
listed = done(200, icr.list_image_digests(repositories=[owl]))
assert {row["id"] for row in listed} == {row["Id"] for row in images if "/owl" in row["RepoTags"][0]}, listed
assert set(next(row for row in listed if row["id"] == two["Id"])["repoTags"][owl]) == {"2", "latest"}
inspected = done(200, icr.inspect_image(image=f"{owl}:2"))
assert inspected["Id"] == two["Id"] and inspected["Architecture"] and inspected["RootFS"]["Layers"], inspected
manifest = done(200, icr.get_image_manifest(image=f"{owl}@{two['Id']}"))
assert manifest["config"]["digest"].startswith("sha256:"), manifest
refused(404, "CRG0404E", icr.inspect_image, image=f"{owl}:none")
refused(400, "CRG0400E", icr.inspect_image, image="Not An Image")

# Tags.
done(201, icr.tag_image(fromimage=f"{owl}:1", toimage=f"{owl}:one"))
done(201, icr.tag_image(fromimage=f"{owl}:1", toimage=f"{HOST}/birds/owl:1"))
refused(404, "CRG0404E", icr.tag_image, fromimage=f"{owl}:none", toimage=f"{owl}:x")
refused(404, "CRG0404E", icr.tag_image, fromimage=f"{owl}:1", toimage=f"{HOST}/nowhere/owl:1")
assert done(200, icr.inspect_image(image=f"{HOST}/birds/owl:1"))["Id"] == done(200, icr.inspect_image(image=f"{owl}:one"))["Id"]
assert done(200, icr.delete_image_tag(image=f"{owl}:one"))["Untagged"] == f"{owl}:one"
refused(404, "CRG0404E", icr.delete_image_tag, image=f"{owl}:one")
done(200, icr.inspect_image(image=f"{owl}:1"))

# The trash.
assert done(200, icr.delete_image(image=f"{owl}:2"))["Untagged"] == f"{owl}:2"
refused(404, "CRG0404E", icr.inspect_image, image=f"{owl}:latest")
trash = done(200, icr.list_deleted_images(namespace="walk"))
assert list(trash) == [f"{owl}@{two['Id']}"], trash
assert sorted(trash[f"{owl}@{two['Id']}"]["tags"]) == ["2", "latest"] and trash[f"{owl}@{two['Id']}"]["daysUntilExpiry"] == 30
refused(404, "CRG0404E", icr.restore_image, image=f"{owl}:none")
restored = done(200, icr.restore_tags(digest=f"{owl}@{two['Id']}"))
assert sorted(restored["successful"]) == ["2", "latest"] and restored["unsuccessful"] == [], restored
done(200, icr.delete_image(image=f"{owl}:2"))
done(200, icr.restore_image(image=f"{owl}:2"))
done(200, icr.inspect_image(image=f"{owl}:2"))
refused(404, "CRG0404E", icr.inspect_image, image=f"{owl}:latest")
done(200, icr.delete_image(image=f"{owl}:2"))
done(201, icr.tag_image(fromimage=f"{owl}:1", toimage=f"{owl}:2"))
assert "by using the digest" in refused(409, "CRT0500E", icr.restore_image, image=f"{owl}:2")
done(200, icr.restore_image(image=f"{owl}@{two['Id']}"))
bulk = done(200, icr.bulk_delete_images(bulk_delete=[f"{owl}@{two['Id']}", f"{owl}@sha256:{'0' * 64}"]))
assert bulk["success"] == [f"{owl}@{two['Id']}"], bulk
assert bulk["error"][f"{owl}@sha256:{'0' * 64}"]["code"] == "CRG0404E", bulk

# Quotas.
quota = done(200, icr.get_quota())
assert quota["limit"] == {"storage_bytes": -1, "traffic_bytes": -1}, quota
done(200, icr.update_quota(storage_megabytes=600, traffic_megabytes=7000))
assert done(200, icr.get_quota())["limit"] == {"storage_bytes": 600 << 20, "traffic_bytes": 7000 << 20}
done(200, icr.update_quota(storage_megabytes=-1, traffic_megabytes=-1))
refused(400, "CRG0400E", icr.update_quota, storage_megabytes=-5)

# Retention: what is analyzed is what goes.
assert done(200, icr.get_retention_policy(namespace="walk"))["images_per_repo"] == -1
done(201, icr.tag_image(fromimage=f"{crow}:1", toimage=f"{owl}:from-crow"))
foretold = done(200, icr.analyze_retention_policy(namespace="walk", images_per_repo=1, retain_untagged=True))
assert list(foretold) == [owl] and len(foretold[owl]) == 1, foretold
before = {row["id"] for row in done(200, icr.list_image_digests(repositories=[owl]))}
gone = done(200, icr.set_retention_policy(namespace="walk", images_per_repo=1, retain_untagged=True))
assert gone == foretold, gone
after = {row["id"] for row in done(200, icr.list_image_digests(repositories=[owl]))}
assert {f"{owl}@{digest}" for digest in before - after} == set(foretold[owl]), (before, after)
assert done(200, icr.list_retention_policies())["walk"]["images_per_repo"] == 1
done(200, icr.set_retention_policy(namespace="walk", images_per_repo=-1, retain_untagged=True))
refused(400, "CRG0400E", icr.set_retention_policy, namespace="walk", images_per_repo=0)
refused(404, "CRG0404E", icr.set_retention_policy, namespace="nowhere", images_per_repo=1)

# A namespace goes with its images.
done(204, icr.delete_namespace(name="walk"))
assert [row for row in done(200, icr.list_images()) if "/walk/" in row["RepoTags"][0]] == []
cloud.finish()
