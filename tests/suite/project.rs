//! What surrounds the code keeps its word: the compose file, the scripts.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::certificate;
use crate::support::client::{Docker, Trust};
use crate::support::process::{bare, is_installed, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `docker compose` where it exists, else `docker-compose`.
fn compose() -> Option<Command> {
    if run(bare("docker").args(["compose", "version"]), "").code == Some(0) {
        let mut command = bare("docker");
        command.arg("compose");
        return Some(command);
    }
    is_installed("docker-compose").then(|| bare("docker-compose"))
}

/// The compositions, and services of each.
const COMPOSITIONS: [(&str, &[&str]); 2] = [
    (
        "docker-compose.yml",
        &["portcullis-1:", "portcullis-2:", "haproxy:", "postgres:", "registry:", "prometheus:", "grafana:"],
    ),
    ("deploy/single/docker-compose.yml", &["portcullis:", "registry:", "prometheus:"]),
];

#[test]
fn compose_accepts_the_compose_files() {
    for (file, services) in COMPOSITIONS {
        let Some(mut command) = compose() else {
            eprintln!(
                "skipped: neither `docker compose` nor `docker-compose` is installed (make deps installs one)"
            );
            return;
        };
        let shown = run(command.arg("-f").arg(root().join(file)).arg("config"), "").must_succeed();
        for service in services {
            assert!(shown.stdout.contains(service), "no service `{service}` in\n{}", shown.stdout);
        }
    }
}

#[test]
fn every_file_that_compose_mounts_is_there() {
    for (file, _) in COMPOSITIONS {
        let file = root().join(file);
        let compose = std::fs::read_to_string(&file).unwrap();
        let mounts = compose.lines().filter_map(|line| line.trim().strip_prefix("- ."));
        let mounted: Vec<String> =
            mounts.map(|mount| format!(".{}", mount.split(':').next().unwrap())).collect();
        assert!(mounted.len() >= 4, "{mounted:?}");
        for name in mounted {
            assert!(file.parent().unwrap().join(&name).is_file(), "{name} is not there");
        }
    }
}

#[test]
fn the_settings_of_the_single_replica_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    certificate::make(folder.path());
    let settings = std::fs::read_to_string(root().join("deploy/single/portcullis.toml")).unwrap();
    let settings = settings.replace("/etc/portcullis/tls", &place).replace("/var/lib/portcullis", &place);
    let file = folder.path().join("portcullis.toml");
    std::fs::write(&file, settings).unwrap();
    run(bare(env!("CARGO_BIN_EXE_portcullis")).args(["check", "--config"]).arg(&file), "").must_succeed();
}

/// The demo with one client, without a terminal.
fn demo(client: &str) -> Command {
    let mut demo = bare("bash");
    demo.arg(root().join("scripts/demo.sh")).env("CLIENT", client);
    demo.env("HOME", "/nonexistent").env("PORTCULLIS", env!("CARGO_BIN_EXE_portcullis"));
    demo
}

fn goes_as_it_should(mut demo: Command) {
    let shown = run(&mut demo, "").must_succeed();
    assert!(shown.stdout.contains("All 13 steps went as they should."), "{}", shown.stdout);
}

#[test]
fn the_demo_goes_as_it_should_with_docker() {
    let docker = Docker::start(&Trust::Plain);
    let mut demo = demo("docker");
    demo.envs(docker.environment());
    goes_as_it_should(demo);
}

#[test]
fn the_demo_goes_as_it_should_with_podman() {
    goes_as_it_should(demo("podman"));
}

#[test]
fn the_demo_goes_as_it_should_with_skopeo() {
    goes_as_it_should(demo("skopeo"));
}

/// A skopeo of our own on the PATH does one thing differently, and is the real one otherwise.
#[test]
fn the_demo_fails_when_a_step_goes_differently() {
    let real = run(bare("sh").args(["-c", "command -v skopeo"]), "").must_succeed();
    for (words, differently, why) in [
        ("*docker://*dir:*", "exit 0", "step 8 went differently: it should have been refused"),
        ("*docker://*dir:*", "echo no route to host >&2; exit 1", "it failed, but not for want of a right"),
        ("*oci:*docker://*", "exit 1", "step 4 went differently: it should have worked"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in {words}) {differently} ;; *) exec {} \"$@\" ;; esac\n",
            real.stdout.trim()
        );
        let program = folder.path().join("skopeo");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut demo = demo("skopeo");
        let path = demo.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
        demo.env("PATH", format!("{}:{}", folder.path().display(), path.display()));
        let shown = run(&mut demo, "");
        assert_eq!(shown.code, Some(1), "{}", shown.said());
        shown.must_fail_saying(&[why]);
    }
}

#[test]
fn scripts_are_valid_bash() {
    for script in [
        ".ci/run",
        "scripts/deps.sh",
        "scripts/demo.sh",
        "scripts/image-root.sh",
        "deploy/make-certificate.sh",
        "deploy/make-secrets.sh",
    ] {
        run(bare("bash").arg("-n").arg(root().join(script)), "").must_succeed();
    }
}

#[test]
fn the_image_copies_every_file_that_the_build_needs() {
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    for name in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "src"] {
        assert!(dockerfile.contains(name), "the Dockerfile does not copy {name}");
    }
}
