//! Helm, and what it made of values.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Finished, bare, run};

/// The version whose schemas manifests are held against: the oldest with all that the chart uses switched on.
const KUBERNETES: &str = "1.33.0";

/// One registry with a certificate of its own: the least that can be installed.
pub(super) const LEAST: &str = r#"{
    "account": {"id": "123456789012"},
    "registries": [{"name": "us.registry.test", "region": "us-south", "upstream": "http://registry:5000"}],
    "tls": {"existingSecret": "registry-tls"}
}"#;

/// Replicas, with everything that can be switched on.
pub(super) const MOST: &str = r#"{
    "account": {"id": "123456789012", "name": "a \"quoted\" <name>"},
    "replicas": 3,
    "store": {"kind": "postgres", "url": "postgres://portcullis@db.internal:6432/portcullis"},
    "secret": {"external": {"enabled": true, "secretStore": "vault"}},
    "registries": [
        {"name": "us.registry.test", "aliases": ["registry.test"], "privateName": "private.us.registry.test", "region": "us-south",
         "upstream": "https://registry.internal:5000", "createOnPush": false, "options": {"connect_timeout": "3s"}},
        {"name": "eu.registry.test", "region": "eu-de", "upstream": "http://other"}
    ],
    "tls": {"mode": "certManager", "certManager": {"issuer": "corp", "issuerKind": "ClusterIssuer"}},
    "service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "annotations": {"a": "b"}},
    "privateListener": {"enabled": true},
    "trustedProxies": ["10.0.0.0/8"],
    "extraConfig": "[cache]\nmax_bytes = 10000000\n",
    "extraFiles": [{"name": "upstream", "secret": "upstream-ca"}, {"name": "more", "configMap": "more"}],
    "autoscaling": {"enabled": true},
    "networkPolicy": {
        "clients": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "upstream": [{"ipBlock": {"cidr": "198.51.100.0/24"}}],
        "extraEgress": [{"ports": [{"port": 443}], "to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}]}]
    },
    "metrics": {"serviceMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}, "dashboard": {"enabled": true}}
}"#;

/// One replica whose certificate an authority signs.
pub(super) const ACME: &str = r#"{
    "account": {"id": "123456789012"},
    "registries": [{"name": "us.registry.test", "region": "us-south", "upstream": "http://registry:5000"}],
    "secret": {"existingSecret": "portcullis"},
    "tls": {"mode": "acme", "acme": {"agreeToTerms": true, "contact": ["mailto:ops@example.com"]}}
}"#;

/// The programs; `None`, and says why, where one is missing.
pub(super) struct Helm {
    program: PathBuf,
    python: PathBuf,
    folder: TempDir,
}

impl Helm {
    pub(super) fn find() -> Option<Self> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        let (program, python) = (target.join("helm/helm"), target.join("manifests/bin/python"));
        for needed in [&program, &python] {
            if !needed.exists() {
                eprintln!(
                    "skipped: {} is not there (make deps installs it, and says why if it cannot)",
                    needed.display()
                );
                return None;
            }
        }
        Some(Self { program, python, folder: tempfile::tempdir().unwrap() })
    }

    /// `helm VERB` on the chart with those values.
    pub(super) fn runs(&self, verb: &[&str], values: &str) -> Finished {
        let file = self.folder.path().join("values.json");
        fs::write(&file, values).unwrap();
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/chart/portcullis");
        let mut command = bare(&self.program);
        command.args(verb).arg(chart).args(["--kube-version", KUBERNETES, "--values"]).arg(file);
        run(command.env("HOME", self.folder.path()), "")
    }

    /// The manifests, as text.
    pub(super) fn text(&self, values: &str) -> String {
        self.runs(&["template", "registry"], values).must_succeed().stdout
    }

    /// The manifests.
    pub(super) fn manifests(&self, values: &str) -> Vec<Value> {
        let read = "import json, sys, yaml; json.dump([one for one in yaml.safe_load_all(sys.stdin) if one], sys.stdout)";
        let json = run(bare(&self.python).args(["-c", read]), &self.text(values)).must_succeed();
        serde_json::from_str(&json.stdout).unwrap()
    }

    /// What Kubernetes' schemas say of them, strictly.
    pub(super) fn validated(&self, values: &str) -> Finished {
        let file = self.folder.path().join("manifests.yaml");
        fs::write(&file, self.text(values)).unwrap();
        let validator = self.python.with_file_name("kubernetes-validate");
        run(bare(validator).args(["--strict", "--kubernetes-version", "1.33"]).arg(file), "")
    }
}

/// The one manifest of a kind, by the end of its name.
#[track_caller]
pub(super) fn one<'a>(manifests: &'a [Value], kind: &str, ending: &str) -> &'a Value {
    let is_it =
        |one: &&Value| one["kind"] == kind && one["metadata"]["name"] == format!("registry{ending}").as_str();
    let found: Vec<_> = manifests.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{kind} {ending}: {manifests:#?}");
    found[0]
}

/// The kinds, sorted.
pub(super) fn kinds(manifests: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = manifests.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}
