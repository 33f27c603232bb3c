//! Images in Container Registry's API: digests, manifests, tags, deletion.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::super::call::Call;
use super::registry::same_account;
use crate::clock::UnixTime;
use crate::control::inventory::Held;
use crate::control::problem::Problem;
use crate::control::stocktaking::{DigestFilter, ImageName, Inspected};
use crate::registry::name::RepositoryName;
use crate::registry::reference::Reference;

/// The most images that are deleted in one call.
const BULK_MAX: usize = 1000;

/// The endpoints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the route table says which is which")]
pub enum Images {
    BulkDelete,
    Delete,
    Digests,
    Inspect,
    Manifest,
    Tag,
    Untag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DigestsBody {
    exclude_tagged: bool,
    exclude_va: bool,
    include_ibm: bool,
    include_private: Option<bool>,
    repositories: Vec<String>,
}

pub(in super::super) async fn answer(which: Images, call: &Call<'_>) -> Result<Answer, Problem> {
    same_account(call)?;
    let (desk, caller, region) = (call.desk, &call.caller, &call.request.region);
    match which {
        Images::BulkDelete => bulk_delete(call).await,
        Images::Delete => {
            let image = named(call, call.text("image"))?;
            let done = desk.delete_image(caller, region, &image).await?;
            let name = full(call, &image);
            Ok(Answer::of(StatusCode::OK, done, |_| json!({"Untagged": name})))
        }
        Images::Digests => digests(call).await,
        Images::Inspect => {
            let image = named(call, call.text("image"))?;
            Ok(Answer::of(StatusCode::OK, desk.inspect_image(caller, region, &image).await?, |one| {
                inspected(&one)
            }))
        }
        Images::Manifest => {
            let image = named(call, call.text("image"))?;
            let done = desk.image_manifest(caller, region, &image).await?;
            Ok(Answer::verbatim(StatusCode::OK, done, |manifest| manifest.content))
        }
        Images::Tag => {
            let from = named(call, required(call, "fromimage")?)?;
            let to = named(call, required(call, "toimage")?)?;
            let done = desk.tag_image(caller, region, &from, &to).await?;
            Ok(Answer::done(StatusCode::CREATED, done).about(&to))
        }
        Images::Untag => {
            let image = named(call, call.text("image"))?;
            let done = desk.delete_tag(caller, region, &image).await?;
            let name = full(call, &image);
            Ok(Answer::of(StatusCode::OK, done, |()| json!({"Untagged": name})))
        }
    }
}

fn required<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c str, Problem> {
    call.query.one(name)?.ok_or_else(|| Problem::Invalid(format!("`{name}` is missing: name an image")))
}

/// Reads the name of an image: the registry's host may stand before it, `latest` is meant by none.
pub(in crate::api) fn named(call: &Call<'_>, text: &str) -> Result<ImageName, Problem> {
    let wrong = || {
        let text = crate::ids::Malformed::new(text, "").text;
        Problem::Invalid(format!("`{text}` is no image: write REPOSITORY:TAG or REPOSITORY@DIGEST"))
    };
    let bare = bare(call, text);
    let (repository, reference) = match bare.split_once('@') {
        Some((repository, digest)) => (repository.split(':').next().unwrap_or_default(), digest),
        None => bare.rsplit_once(':').unwrap_or((bare, "latest")),
    };
    let repository = RepositoryName::parse(repository).map_err(|_| wrong())?;
    let reference = Reference::parse(reference).map_err(|_| wrong())?;
    Ok(ImageName { repository, reference })
}

/// Without the registry's host.
pub(super) fn bare<'t>(call: &Call<'_>, text: &'t str) -> &'t str {
    let host = &call.request.authority;
    let named = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let rest = |host: &str| text.strip_prefix(host).and_then(|rest| rest.strip_prefix('/'));
    rest(host).or_else(|| rest(named)).unwrap_or(text)
}

/// With the registry's host.
pub(super) fn full(call: &Call<'_>, image: &ImageName) -> String {
    format!("{}/{image}", call.request.authority)
}

async fn bulk_delete(call: &Call<'_>) -> Result<Answer, Problem> {
    let names: Vec<String> = call.list()?;
    if names.len() > BULK_MAX {
        return Err(Problem::Invalid(format!("more than {BULK_MAX} images: delete them in several calls")));
    }
    let (mut success, mut error, mut last) = (Vec::new(), Map::new(), None);
    for name in names {
        let deleted = match named(call, &name) {
            Ok(image) => call.desk.delete_image(&call.caller, &call.request.region, &image).await,
            Err(problem) => Err(problem),
        };
        match deleted {
            Ok(done) => {
                success.push(name);
                last = Some(done);
            }
            Err(Problem::Fault(fault)) => return Err(Problem::Fault(fault)),
            Err(problem) => {
                let (code, message) = super::super::envelope::in_registry_list(&problem);
                error.insert(name, json!({"code": code, "message": message}));
            }
        }
    }
    let body = json!({"success": success, "error": error});
    Ok(match last {
        Some(done) => Answer::of(StatusCode::OK, done, |_| body),
        None => Answer::public(body),
    })
}

async fn digests(call: &Call<'_>) -> Result<Answer, Problem> {
    let body: DigestsBody = call.body()?;
    let filter = DigestFilter {
        repositories: body.repositories.iter().map(|name| bare(call, name).to_owned()).collect(),
        untagged_only: body.exclude_tagged,
    };
    if body.include_private == Some(false) {
        return Ok(Answer::public(json!([])));
    }
    let done = call.desk.digests(&call.caller, &call.request.region, &filter).await?;
    Ok(Answer::of(StatusCode::OK, done, |rows| {
        rows.iter().map(|(name, held)| digest(call, name, held)).collect()
    }))
}

fn digest(call: &Call<'_>, name: &RepositoryName, held: &Held) -> Value {
    let tags: Map<String, Value> = held.tags.iter().map(|tag| (tag.to_string(), json!({}))).collect();
    let mut by_name = Map::new();
    by_name.insert(format!("{}/{name}", call.request.authority), Value::Object(tags));
    json!({
        "id": held.digest,
        "created": held.created.map(UnixTime::seconds),
        "manifestType": held.media_type,
        "size": held.size(),
        "repoTags": by_name,
    })
}

/// As docker's remote API shows an image.
fn inspected(one: &Inspected) -> Value {
    let configuration = |name: &str| one.configuration.get(name).cloned().unwrap_or_default();
    let text = |name: &str| configuration(name).as_str().unwrap_or_default().to_owned();
    let created = UnixTime::parse(&text("created")).ok().map(UnixTime::seconds);
    let size = |part: &Value| part.get("size").and_then(Value::as_u64).unwrap_or_default();
    let layers = one.said.get("layers").and_then(Value::as_array);
    let total =
        layers.into_iter().flatten().chain(one.said.get("config")).map(size).fold(0, u64::saturating_add);
    json!({
        "Id": one.manifest.digest,
        "Parent": text("parent"),
        "Created": created,
        "Architecture": text("architecture"),
        "Os": text("os"),
        "OsVersion": text("os.version"),
        "Author": text("author"),
        "Comment": text("comment"),
        "Container": text("container"),
        "Config": configuration("config"),
        "ContainerConfig": configuration("container_config"),
        "DockerVersion": text("docker_version"),
        "ManifestType": one.manifest.media_type,
        "RootFS": {
            "Type": configuration("rootfs").get("type").cloned().unwrap_or_default(),
            "BaseLayer": "",
            "Layers": configuration("rootfs").get("diff_ids").cloned().unwrap_or_default(),
        },
        "Size": total,
        "VirtualSize": total,
    })
}
