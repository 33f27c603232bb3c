//! One server before two registries, each in a region of its own: what is done in one does not reach the other.

use serde_json::{Value, json};

use crate::support::client::{Client, Docker};
use crate::support::http::Http;
use crate::support::image::{Image, MANIFEST};
use crate::support::portcullis::{Cli, Portcullis};
use crate::support::registry::Registry;
use crate::support::robot::Robot;
use crate::support::sdk;
use crate::support::who::{IAMAPIKEY, ServiceId, Who};

/// The name of the registry in `eu-de`; that in `us-south` answers to `localhost`.
const NORTH: &str = "127.0.0.1";

/// Both registries, and the server before them.
struct World {
    at: Portcullis,
    south: Registry,
    north: Registry,
}

impl World {
    fn begin() -> Self {
        let (south, north) = (Registry::start(), Registry::start());
        let more =
            format!("[[registry]]\nname = \"{NORTH}\"\nregion = \"eu-de\"\nupstream = \"{}\"\n", north.url());
        Self { at: Portcullis::with(&south.url(), &[], &more), south, north }
    }

    fn in_north(&self, name: &str) -> String {
        format!("{NORTH}:{}/{name}", self.at.public().port())
    }

    /// docker, logged in to both.
    fn docker(&self, key: &str) -> Docker {
        let docker = Docker::start(&self.at.trust());
        for host in [self.at.host(), format!("{NORTH}:{}", self.at.public().port())] {
            docker.login(&host, IAMAPIKEY, key).must_succeed();
        }
        docker
    }

    /// A command line that targets `eu-de`.
    fn northern(&self) -> Cli {
        let cli = self.at.administration();
        let set = cli.run("cr region-set eu-de").must_succeed();
        let expected = format!("The region is set to 'eu-de', the registry is '{}'.", self.in_north(""));
        assert!(set.stdout.contains(&expected.replace("/'", "'")), "{}", set.stdout);
        cli
    }
}

#[track_caller]
fn json_of(cli: &Cli, line: &str) -> Value {
    let done = cli.run(&format!("{line} --output json")).must_succeed();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

#[track_caller]
fn refused(docker: &Docker, image: &str, words: &str) {
    let said = docker.push(&Image::tiny(), image);
    assert!(said.code != Some(0) && said.said().contains(words), "{image}: {}", said.said());
}

#[test]
fn a_grant_in_one_region_does_not_reach_the_other() {
    let world = World::begin();
    let south = world.at.administration();
    let robot = ServiceId::with_roles(&south, "builder", "Reader,Writer", "birds");
    let docker = world.docker(robot.key().unwrap());
    let (here, there) = (world.at.image("birds/owl:1"), world.in_north("birds/owl:1"));
    let denied = "denied: You are not authorized to access the specified resource.";
    // The namespace is there in both, so that nothing but the grant can tell them apart.
    world.northern().run("cr namespace-add birds").must_succeed();
    docker.push(&Image::tiny(), &here).must_succeed();
    refused(&docker, &there, denied);
    assert!(docker.pull(&there).code != Some(0));
    let own = |region: &str| {
        let cli = Cli::new();
        cli.login(&world.at, robot.key().unwrap()).must_succeed();
        cli.run(&format!("cr region-set {region}")).must_succeed();
        json_of(&cli, "cr image-list").as_array().unwrap().len()
    };
    assert_eq!((own("us-south"), own("eu-de")), (1, 0));
    let policy = format!(
        "iam service-policy-create {} --roles Reader,Writer --service-name container-registry --region eu-de \
         --resource-type namespace --resource birds",
        robot.name
    );
    south.run(&policy).must_succeed();
    docker.push(&Image::tiny(), &there).must_succeed();
    assert_eq!((own("us-south"), own("eu-de")), (1, 1));
}

#[test]
fn a_reader_made_by_sdk_pulls_in_its_region_and_nothing_else() {
    if !sdk::are_there() {
        return;
    }
    let world = World::begin();
    let (here, there) =
        (world.at.image("my_namespace/hello-world:3.6"), world.in_north("my_namespace/hello-world:3.6"));
    let administrator = world.docker(world.at.admin_key());
    for image in [&here, &there] {
        administrator.push(&Image::tiny(), image).must_succeed();
    }
    let run = |line: &str, key: &str| {
        let said = sdk::script(&world.at, &format!("ibm_seed.py {line}"), &[("SERVICE_ID_KEY", key)]);
        said.must_succeed().stdout.trim().to_owned()
    };
    let key = run("identity", "");
    run(&format!("enforce {}", world.at.host()), "");
    let docker = world.docker(&key);
    let denied = "You are not authorized to access the specified resource.";
    let pull = |image: &str| docker.pull(image);
    pull(&here).must_fail_saying(&[denied, "not found"]);
    run("grant Reader us-south", &key);
    pull(&here).must_succeed();
    refused(&docker, &here, denied);
    pull(&there).must_fail_saying(&[denied, "not found"]);
    let north = format!("{NORTH}:{}", world.at.public().port());
    assert!(run(&format!("images {}", world.at.host()), &key).contains("hello-world:3.6"));
    assert_eq!(run(&format!("images {north}"), &key), "");
    run("grant Writer eu-de", &key);
    docker.push(&Image::tiny(), &there).must_succeed();
    refused(&docker, &here, denied);
}

#[test]
fn a_token_and_an_upload_of_one_region_are_worth_nothing_in_the_other() {
    let world = World::begin();
    let administrator = world.at.administrator();
    let robot = Robot::with_role(&administrator, "robot", "Writer", "birds");
    let scope = "repository:birds/owl:pull,push";
    let southern = world.at.http().bearer(&robot.at(&world.at).token(&[scope]));
    let image = Image::tiny();
    assert_eq!(southern.push(&image, "birds/owl", "1").status, 201);
    let stray = world.at.http().called(NORTH).bearer(&robot.at(&world.at).token(&[scope]));
    let begun = stray.send("POST", "/v2/birds/owl/blobs/uploads/", &[], b"");
    assert!([401, 403].contains(&begun.status), "{} {}", begun.status, begun.text());
    let place = "/v2/birds/owl/manifests/1";
    assert!([401, 403].contains(&stray.send("GET", place, &[("Accept", MANIFEST)], b"").status));
    // Not even somebody who may everywhere goes on in one with what was begun in the other.
    let (south, north) = (world.at.administrator(), world.at.administrator().called(NORTH));
    let begun = south.begin_upload("birds/owl");
    let chunk = [("Content-Type", "application/octet-stream"), ("Content-Range", "0-3")];
    assert_eq!(north.send("PATCH", &begun, &chunk, b"owls").status, 404);
    assert_eq!(south.send("PATCH", &begun, &chunk, b"owls").status, 202);
    // Layers do not cross either.
    let mount = format!("/v2/birds/owl/blobs/uploads/?mount={}&from=birds/owl", image.config.digest);
    assert_eq!(north.send("POST", &mount, &[], b"").status, 202, "a plain upload, no mount");
    assert_eq!(south.send("POST", &mount, &[], b"").status, 201);
}

#[test]
fn quotas_settings_retention_and_trash_are_each_regions_own() {
    let world = World::begin();
    let (south, north) = (world.at.administration(), world.northern());
    let docker = world.docker(world.at.admin_key());
    let large = Image::with_layers(&[700_000; 3]);
    let (here, there) = (world.at.image("birds/owl:1"), world.in_north("birds/owl:1"));
    for name in [&here, &there] {
        docker.push(&large, name).must_succeed();
    }
    // A quota.
    south.run("cr quota-set --storage 1").must_succeed();
    refused(&docker, &world.at.image("birds/crow:1"), "exceeded its image storage quota");
    docker.push(&Image::tiny(), &world.in_north("birds/crow:1")).must_succeed();
    assert_eq!(json_of(&north, "cr quota")["limit"]["store"], -1);
    south.run("cr quota-set --storage -1").must_succeed();
    // Settings.
    north.run("cr private-only --enable").must_succeed();
    refused(&docker, &world.in_north("birds/crow:2"), "Private-only access is enabled on this account");
    docker.push(&Image::tiny(), &world.at.image("birds/crow:2")).must_succeed();
    north.run("cr private-only --disable").must_succeed();
    north.run("cr platform-metrics --enable").must_succeed();
    let shown = world.at.observer().get("/metrics").text();
    let published = |region: &str| {
        shown.lines().any(|line| line.starts_with("ibm_containerregistry_storage{") && line.contains(region))
    };
    assert_eq!((published("eu-de"), published("us-south")), (true, false), "{shown}");
    // Retention, namespaces and resource groups.
    south.run("cr retention-policy-set --images 5 --force birds").must_succeed();
    assert_eq!(json_of(&north, "cr retention-policy-list"), json!({}));
    south.run("cr namespace-add beasts").must_succeed();
    assert_eq!(json_of(&north, "cr namespace-list").as_array().unwrap().len(), 1);
    // The trash.
    south.run("cr image-rm birds/owl:1").must_succeed();
    assert!(docker.pull(&here).code != Some(0));
    docker.pull(&there).must_succeed();
    assert_eq!(json_of(&north, "cr trash-list"), json!({}));
    assert_eq!(json_of(&south, "cr trash-list").as_object().unwrap().len(), 1);
    for upstream in [&world.south, &world.north] {
        let held = Http::plain(upstream.address().parse().unwrap()).get("/v2/_catalog").json();
        assert_eq!(held["repositories"], json!(["birds/crow", "birds/owl"]), "each upstream has its own");
    }
}
