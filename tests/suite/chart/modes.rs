//! Each way to install it, whole: one replica with a file, replicas on PostgreSQL, a certificate from an authority.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use super::rendered::{ACME, Helm, LEAST, MOST, kinds, one};
use crate::support::certificate;
use crate::support::portcullis::BINARY;
use crate::support::postgres::Postgres;
use crate::support::process::{Finished, bare, run};

#[test]
fn kubernetes_takes_what_each_mode_renders() {
    let Some(helm) = Helm::find() else { return };
    let common = [
        "ConfigMap",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "Service",
        "ServiceAccount",
        "StatefulSet",
    ];
    let most = [
        "Certificate",
        "ConfigMap",
        "ConfigMap",
        "Deployment",
        "ExternalSecret",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "Service",
        "Service",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    ];
    for (values, expected) in [(LEAST, &common[..]), (ACME, &common[..]), (MOST, &most[..])] {
        helm.runs(&["lint", "--strict"], values).must_succeed();
        let manifests = helm.manifests(values);
        assert_eq!(kinds(&manifests), expected);
        let said = helm.validated(values).must_succeed();
        let passed = said.said().matches("passed for resource").count();
        // What others than Kubernetes define has no schema there.
        let foreign = ["Certificate", "ExternalSecret", "PrometheusRule", "ServiceMonitor"];
        let own = expected.iter().filter(|kind| !foreign.contains(*kind)).count();
        assert_eq!(passed, own, "{}", said.said());
        assert!(!manifests.iter().any(|one| one["kind"] == "Secret"), "secrets are made elsewhere");
    }
}

#[test]
fn pods_may_do_no_more_than_they_must() {
    let Some(helm) = Helm::find() else { return };
    for (values, kind, replicas) in
        [(LEAST, "StatefulSet", json!(1)), (ACME, "StatefulSet", json!(1)), (MOST, "Deployment", Value::Null)]
    {
        let manifests = helm.manifests(values);
        let spec = &one(&manifests, kind, "")["spec"];
        assert_eq!(spec["replicas"], replicas, "with an autoscaler the number is its own");
        let pod = &spec["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        let security = &pod["securityContext"];
        assert_eq!(
            (&security["runAsNonRoot"], &security["seccompProfile"]["type"]),
            (&json!(true), &json!("RuntimeDefault"))
        );
        let container = &pod["containers"][0];
        assert_eq!(
            container["securityContext"],
            json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
        );
        let number = |value: &Value| value.as_i64().unwrap();
        let pause = number(&container["lifecycle"]["preStop"]["sleep"]["seconds"]);
        assert!(number(&pod["terminationGracePeriodSeconds"]) > pause + 30, "drained before it is killed");
        for (probe, path) in
            [("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/livez")]
        {
            assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "metrics"}));
        }
        let account = one(&manifests, "ServiceAccount", "");
        assert_eq!(account["automountServiceAccountToken"], false);
        // Nobody who watches the pods finds a secret among their settings.
        let environment = container["env"].as_array().cloned().unwrap_or_default();
        assert!(
            environment.iter().all(|one| one["valueFrom"]["secretKeyRef"].is_object()),
            "{environment:?}"
        );
    }
    let deployment = helm.manifests(MOST);
    let strategy = &one(&deployment, "Deployment", "")["spec"]["strategy"];
    assert_eq!(strategy["rollingUpdate"], json!({"maxUnavailable": 0, "maxSurge": 1}));
}

#[test]
fn the_network_lets_in_and_out_what_is_needed_and_no_more() {
    let Some(helm) = Helm::find() else { return };
    let names = json!({
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    });
    let monitoring = json!({
        "ports": [{"port": "metrics", "protocol": "TCP"}],
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
    });
    let to = |port: u16, peer: &Value| json!({"ports": [{"port": port, "protocol": "TCP"}], "to": [peer]});
    let here = json!({"podSelector": {}});
    let manifests = helm.manifests(LEAST);
    let spec = &one(&manifests, "NetworkPolicy", "")["spec"];
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(spec["ingress"], json!([{"ports": [{"port": "public", "protocol": "TCP"}]}, monitoring]));
    assert_eq!(spec["egress"], json!([names, to(5000, &here)]), "a file needs no database");
    let manifests = helm.manifests(MOST);
    let spec = &one(&manifests, "NetworkPolicy", "")["spec"];
    let both = json!([{"port": "public", "protocol": "TCP"}, {"port": "private", "protocol": "TCP"}]);
    assert_eq!(
        spec["ingress"],
        json!([{"ports": both, "from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}, monitoring])
    );
    let upstreams = json!({
        "ports": [{"port": 5000, "protocol": "TCP"}, {"port": 80, "protocol": "TCP"}],
        "to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}],
    });
    let more = json!({"ports": [{"port": 443}], "to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}]});
    assert_eq!(spec["egress"], json!([names, upstreams, to(6432, &here), more]));
    // It is about the very pods that the workload makes.
    let labels = &one(&manifests, "Deployment", "")["spec"]["template"]["metadata"]["labels"];
    for (name, value) in spec["podSelector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(&labels[name], value);
    }
}

/// Has the real program check the settings of some manifests, with their files where they are here.
fn checked(manifests: &[Value], folder: &Path, changes: &[(&str, &str)]) -> Finished {
    let mut text = one(manifests, "ConfigMap", "")["data"]["portcullis.toml"].as_str().unwrap().to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "no {from} in\n{text}");
        text = text.replace(from, to);
    }
    let file = folder.join("portcullis.toml");
    fs::write(&file, text).unwrap();
    run(bare(BINARY).args(["check", "--config"]).arg(file), "")
}

#[test]
fn portcullis_accepts_the_settings_of_each_mode() {
    let Some(helm) = Helm::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    certificate::make(folder.path());
    let place = folder.path().display().to_string();
    let files = [("/etc/portcullis/tls", &*place), ("/var/lib/portcullis", &*place)];
    checked(&helm.manifests(LEAST), folder.path(), &files).must_succeed();
    checked(&helm.manifests(ACME), folder.path(), &files[1..]).must_succeed();
    let Some(postgres) = Postgres::start() else { return };
    // As they are in a pod: root's, and its group may read them.
    let owner = fs::metadata(folder.path()).unwrap().uid();
    let key = run(bare("openssl").args(["rand", "-base64", "32"]), "").must_succeed().stdout;
    for (name, text) in [("master.key", &*key), ("store-password", "never asked for\n")] {
        fs::write(folder.path().join(name), text).unwrap();
        let mode = fs::Permissions::from_mode(if owner == 0 { 0o440 } else { 0o400 });
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    }
    let values = MOST.replace("postgres://portcullis@db.internal:6432/portcullis", &postgres.url());
    let done =
        checked(&helm.manifests(&values), folder.path(), &[files[0], ("/etc/portcullis/secret", &place)]);
    assert!(done.must_succeed().stdout.ends_with(": ok\n"));
}
