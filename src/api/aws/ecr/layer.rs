//! Layers: whether they are there, and their way in.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::repository::of;
use super::shape::time;
use super::{asker, wire};
use crate::api::aws::call::{AwsAnswer, AwsCall};
use crate::control::aws::ecr::invalid;
use crate::control::aws::ecr::layer::{Availability, PART_SIZE};
use crate::control::aws::problem::AwsProblem;

pub(super) async fn availability(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Layers> = call.json()?;
    let name = said.name()?;
    if !(1..=100).contains(&said.rest.layer_digests.len()) {
        return Err(invalid("layerDigests", "must have 1 to 100 members"));
    }
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_layer_availability(asker, &name, said.rest.layer_digests).await?;
    Ok(AwsAnswer::json(done, |found| {
        let (mut layers, mut failures): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
        for one in found {
            match one {
                Availability::There(digest, size) => layers.push(json!({
                    "layerDigest": digest.as_str(),
                    "layerAvailability": "AVAILABLE",
                    "layerSize": size,
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                })),
                // ECR has both ways to say so; the registry's own clients read this one.
                Availability::Missing(digest) => {
                    layers.push(json!({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}));
                }
                Availability::Wrong(text) => failures.push(json!({
                    "layerDigest": text,
                    "failureCode": "InvalidLayerDigest",
                    "failureReason": format!("Invalid layer digest '{text}'"),
                })),
            }
        }
        json!({"layers": layers, "failures": failures})
    }))
}

/// The URL is on this very host, and needs no signature.
pub(super) async fn download(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Layer> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_layer_ticket(asker, &name, &said.rest.layer_digest).await?;
    let origin = origin(call);
    Ok(AwsAnswer::json(
        done,
        |(digest, ticket)| json!({"downloadUrl": format!("{origin}/ecr/layers/{ticket}"), "layerDigest": digest.as_str()}),
    ))
}

/// What `docker login -u AWS` takes, in Base64 with its user name; once for each registry that is named.
pub(super) async fn authorization(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Registries = call.json()?;
    let named = said.registry_ids.unwrap_or_default();
    if named.len() > 10 || named.iter().any(|id| id != call.desk.account.as_str()) {
        return Err(invalid("registryIds", "must be the account of this registry"));
    }
    let done = call.desk.ecr_authorization_token(asker(call, None)).await?;
    let origin = origin(call);
    Ok(AwsAnswer::json(done, |(password, expires_at)| {
        let pair = zeroize::Zeroizing::new(format!("AWS:{}", password.expose()));
        let one = json!({
            "authorizationToken": BASE64.encode(pair.as_bytes()),
            "expiresAt": time(expires_at),
            "proxyEndpoint": origin,
        });
        json!({"authorizationData": vec![one; named.len().max(1)]})
    }))
}

fn origin(call: &AwsCall<'_>) -> String {
    let scheme = if call.caller.secure { "https" } else { "http" };
    format!("{scheme}://{}", call.authority)
}

pub(super) async fn initiate(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::NoMore> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let done = call.desk.ecr_initiate_layer_upload(asker, &name).await?;
    Ok(AwsAnswer::json(done, |id| json!({"uploadId": id, "partSize": PART_SIZE})))
}

pub(super) async fn part(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::Part> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let part = said.rest;
    let bytes = BASE64.decode(part.layer_part_blob.as_bytes());
    let bytes = bytes.map_err(|_| invalid("layerPartBlob", "must be Base64"))?;
    let span = (part.part_first_byte, part.part_last_byte);
    let done = call.desk.ecr_upload_layer_part(asker, &name, &part.upload_id, span, bytes.into()).await?;
    Ok(AwsAnswer::json(done, |last| {
        of(call, &name, json!({"uploadId": part.upload_id, "lastByteReceived": last}))
    }))
}

pub(super) async fn complete(call: &AwsCall<'_>) -> Result<AwsAnswer, AwsProblem> {
    let said: wire::Repository<wire::CompletedUpload> = call.json()?;
    let name = said.name()?;
    let asker = asker(call, said.registry_id.as_deref());
    let upload = &said.rest.upload_id;
    let done = call.desk.ecr_complete_layer_upload(asker, &name, upload, &said.rest.layer_digests).await?;
    Ok(AwsAnswer::json(done, |digest| {
        of(call, &name, json!({"uploadId": upload, "layerDigest": digest.as_str()}))
    }))
}
