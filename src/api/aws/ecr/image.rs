//! Images: listed, described, read, put and removed.

use serde_json::{Value, json};

use super::page::{paging, token};
use super::repository::of;
use super::shape::{compact, detail, failures, image, image_id, referrer};
use super::{asker, wire};
use crate::api::aws::call::{AwsAnswer, AwsCall};
use crate::control::aws::ecr::image::ImageId;
use crate::control::aws::ecr::invalid;
use crate::control::aws::ecr::put_image::NewImage;
use crate::control::aws::problem::{AwsCode, AwsProblem};
use crate::registry::reference::{Digest, Tag};

pub(super) async fn list(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Listed> = call.json()?;
    let name = said.name()?;
    let paging = paging(said.rest.next_token.as_deref(), said.rest.max_results, 1_000)?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_list_images(asker, &name, said.rest.status()?, &paging).await?;
    Ok(AwsAnswer::json(done, |page| {
        let ids: Value = page.items.iter().map(|(digest, tag)| image_id(digest, tag.as_ref())).collect();
        compact(json!({"imageIds": ids, "nextToken": page.next.as_deref().map(token)}))
    }))
}

pub(super) async fn describe(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Listed> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let status = said.rest.status()?;
    if let Some(ids) = said.rest.image_ids.filter(|ids| !ids.is_empty()) {
        if ids.len() > 100 || said.rest.next_token.is_some() || said.rest.max_results.is_some() {
            return Err(invalid("imageIds", "at most 100, and without nextToken and maxResults"));
        }
        let ids: Vec<ImageId> = ids.into_iter().map(ImageId::from).collect();
        let done = call.desk.ecr_describe_named_images(asker, &name, &ids).await?;
        let list = |found: Vec<_>| found.iter().map(|one| detail(call, &name, one)).collect::<Value>();
        return Ok(AwsAnswer::json(done, |found| json!({"imageDetails": list(found)})));
    }
    let paging = paging(said.rest.next_token.as_deref(), said.rest.max_results, 1_000)?;
    let done = call.desk.ecr_describe_images(asker, &name, status, &paging).await?;
    Ok(AwsAnswer::json(done, |page| {
        let details: Value = page.items.iter().map(|one| detail(call, &name, one)).collect();
        compact(json!({"imageDetails": details, "nextToken": page.next.as_deref().map(token)}))
    }))
}

pub(super) async fn batch_get(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Images> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_batch_get_image(asker, &name, said.rest.ids()?).await?;
    Ok(AwsAnswer::json(done, |batch| {
        let images: Value = batch.done.iter().map(|one| image(call, &name, one)).collect();
        json!({"images": images, "failures": failures(&batch.failures)})
    }))
}

pub(super) async fn batch_delete(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Images> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_batch_delete_image(asker, &name, said.rest.ids()?).await?;
    Ok(AwsAnswer::json(done, |batch| {
        let gone: Value = batch.done.iter().map(|(digest, tag)| image_id(digest, tag.as_ref())).collect();
        json!({"imageIds": gone, "failures": failures(&batch.failures)})
    }))
}

pub(super) async fn referrers(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Referrers> = call.json()?;
    let name = said.name()?;
    let paging = paging(said.rest.next_token.as_deref(), said.rest.max_results, 50)?;
    let filter = said.rest.filter.as_ref();
    let types = filter.and_then(|filter| filter.artifact_types.clone()).unwrap_or_default();
    if types.len() > 5 {
        return Err(invalid("filter.artifactTypes", "at most 5"));
    }
    let archived = match filter.and_then(|filter| filter.artifact_status.as_deref()) {
        None | Some("ACTIVE" | "ANY") => false,
        Some("ACTIVATING" | "ARCHIVED") => true,
        Some(_) => return Err(invalid("filter.artifactStatus", "one of ACTIVE, ARCHIVED, ACTIVATING, ANY")),
    };
    let asker = asker(call, said.registry_id.as_deref());
    let of = (said.rest.subject_id.image_digest.as_str(), types.as_slice());
    let done = call.desk.ecr_list_image_referrers(asker, &name, of, &paging).await?;
    Ok(AwsAnswer::json(done, |page| {
        // Nothing is ever archived here.
        let shown = page.items.iter().filter(|_| !archived).map(referrer).collect::<Value>();
        compact(json!({"referrers": shown, "nextToken": page.next.as_deref().map(token)}))
    }))
}

pub(super) async fn put(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::PutImage> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let new = said.rest;
    let tag = new.image_tag.as_deref().map(Tag::parse).transpose();
    let tag = tag.map_err(|_| {
        invalid("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9-._]{0,127}'")
    })?;
    let digest = new.image_digest.as_deref().map(Digest::parse).transpose().map_err(|_| {
        let text = "The specified image digest does not match the digest that is computed for the manifest.";
        AwsProblem::said(AwsCode::ImageDigestDoesNotMatchException, text)
    })?;
    let new =
        NewImage { manifest: new.image_manifest, media_type: new.image_manifest_media_type, tag, digest };
    let done = call.desk.ecr_put_image(asker, &name, new).await?;
    Ok(AwsAnswer::json(done, |put| json!({"image": image(call, &name, &put)})))
}

/// A call about one image.
struct About {
    name: crate::registry::name::RepositoryName,
    id: ImageId,
    registry_id: Option<String>,
}

fn about(call: &AwsCall<'_>) -> Result<About, AwsProblem> {
    let said: wire::Repository<wire::OneImage> = call.json()?;
    let name = said.name()?;
    Ok(About { name, id: said.rest.image_id.into(), registry_id: said.registry_id })
}

pub(super) async fn scan_findings(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::ScanFindings> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let id = ImageId::from(said.rest.image_id);
    let start = match said.rest.next_token.as_deref() {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("nextToken", "must be a token of this list"))?,
    };
    let limit = usize::try_from(said.rest.max_results.unwrap_or(100).clamp(1, 1000)).unwrap_or(100);
    let tag = id.tag.as_deref().and_then(|text| Tag::parse(text).ok());
    let done = call.desk.ecr_scan_findings(asker, &name, &id).await?;
    Ok(AwsAnswer::json(done, |scan| {
        let shown = super::scan::findings(&scan, (start, limit));
        let mut members = json!({
            "imageId": image_id(&scan.digest, tag.as_ref()),
            "imageScanStatus": super::scan::status(scan.progress.as_ref()),
            "imageScanFindings": shown,
        });
        let next = start.saturating_add(limit);
        if let (true, Some(members)) = (next < scan.findings.len(), members.as_object_mut()) {
            members.insert("nextToken".to_owned(), json!(next.to_string()));
        }
        of(call, &name, compact(members))
    }))
}

pub(super) async fn start_scan(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said = about(call)?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_start_scan(asker, &said.name, &said.id).await?;
    Ok(AwsAnswer::json(done, |digest| {
        let tag = said.id.tag.as_deref().and_then(|text| Tag::parse(text).ok());
        let id = image_id(&digest, tag.as_ref());
        of(call, &said.name, json!({"imageId": id, "imageScanStatus": {"status": "IN_PROGRESS"}}))
    }))
}

pub(super) async fn replication_status(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said = about(call)?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_replication_status(asker, &said.name, &said.id).await?;
    Ok(AwsAnswer::json(done, |digest| {
        let id = image_id(&digest, None);
        compact(json!({"repositoryName": said.name.as_str(), "imageId": id, "replicationStatuses": []}))
    }))
}

pub(super) async fn signing_status(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said = about(call)?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_signing_status(asker, &said.name, &said.id).await?;
    Ok(AwsAnswer::json(done, |digest| {
        of(call, &said.name, json!({"imageId": image_id(&digest, None), "signingStatuses": []}))
    }))
}

pub(super) async fn storage_class(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said = about(call)?;
    let asker = asker(call, said.registry_id.as_deref());
    Ok(AwsAnswer::done(call.desk.ecr_storage_class(asker, &said.name, &said.id).await?))
}
