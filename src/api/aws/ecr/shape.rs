//! What ECR answers, as JSON.

use serde_json::{Map, Value, json};

use crate::api::aws::call::AwsCall;
use crate::clock::UnixTime;
use crate::control::aws::ecr::image::{ImageFailure, ImageId};
use crate::control::aws::ecr::referrer::Referrer;
use crate::control::aws::ecr::scan::ImageDetail;
use crate::control::stock::Manifest;
use crate::registry::name::RepositoryName;
use crate::registry::reference::{Digest, Tag};
use crate::store::aws::repository::Repository;

/// Seconds since the epoch, with milliseconds.
pub(super) fn time(time: UnixTime) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit until the year 287396")]
    let seconds = time.millis() as f64 / 1000.0;
    json!(seconds)
}

/// The same, without members that are null: clients read these as given.
pub(super) fn compact(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, compact(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(compact).collect()),
        other => other,
    }
}

/// A repository.
pub(super) fn repository(call: &AwsCall<'_>, row: &Repository) -> Value {
    let exclusions = (!row.exclusions.is_empty()).then(|| filters(&row.exclusions));
    compact(json!({
        "repositoryArn": row.arn(call.desk.account.clone()).to_string(),
        "registryId": call.desk.account.as_str(),
        "repositoryName": row.name.as_str(),
        "repositoryUri": format!("{}/{}", call.authority, row.name),
        "createdAt": time(row.created_at),
        "imageTagMutability": row.mutability.as_str(),
        "imageTagMutabilityExclusionFilters": exclusions,
        "imageScanningConfiguration": {"scanOnPush": row.scan_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }))
}

/// Filters of tags.
pub(super) fn filters(filters: &[String]) -> Value {
    filters.iter().map(|filter| json!({"filterType": "WILDCARD", "filter": filter})).collect()
}

/// The id of an image.
pub(super) fn image_id(digest: &Digest, tag: Option<&Tag>) -> Value {
    compact(json!({"imageDigest": digest.as_str(), "imageTag": tag.map(Tag::as_str)}))
}

/// What is about an image.
pub(super) fn referrer(one: &Referrer) -> Value {
    compact(json!({
        "digest": one.described.digest.as_str(),
        "mediaType": one.described.media_type,
        "artifactType": one.described.artifact_type,
        "size": one.size,
        "annotations": one.annotations,
        "artifactStatus": "ACTIVE",
    }))
}

/// An image.
pub(super) fn detail(call: &AwsCall<'_>, name: &RepositoryName, one: &ImageDetail) -> Value {
    let ImageDetail { held, described: found, scan } = one;
    let tags: Vec<&str> = held.tags.iter().map(Tag::as_str).collect();
    compact(json!({
        "registryId": call.desk.account.as_str(),
        "repositoryName": name.as_str(),
        "imageDigest": held.digest.as_str(),
        "imageTags": (!tags.is_empty()).then_some(tags),
        "imageSizeInBytes": found.size,
        "imagePushedAt": time(held.pushed(found)),
        "imageManifestMediaType": found.media_type,
        "artifactMediaType": found.artifact_type,
        "lastRecordedPullTime": held.pulled_at.map(time),
        "subjectManifestDigest": found.subject.as_ref().map(Digest::as_str),
        "imageStatus": "ACTIVE",
        "imageScanStatus": scan.as_ref().map(|scan| super::scan::status(scan.progress.as_ref())),
        "imageScanFindingsSummary": scan.as_ref().and_then(super::scan::summary),
    }))
}

/// An image with its manifest.
pub(super) fn image(
    call: &AwsCall<'_>,
    name: &RepositoryName,
    (manifest, tag): &(Manifest, Option<Tag>),
) -> Value {
    json!({
        "registryId": call.desk.account.as_str(),
        "repositoryName": name.as_str(),
        "imageId": image_id(&manifest.digest, tag.as_ref()),
        "imageManifest": String::from_utf8_lossy(&manifest.content),
        "imageManifestMediaType": manifest.media_type,
    })
}

/// Images of a batch where it did not work.
pub(super) fn failures(failures: &[ImageFailure]) -> Value {
    let one = |failure: &ImageFailure| {
        let ImageId { digest, tag } = &failure.id;
        json!({
            "imageId": compact(json!({"imageDigest": digest, "imageTag": tag})),
            "failureCode": failure.code,
            "failureReason": failure.reason,
        })
    };
    failures.iter().map(one).collect()
}
