//! What stands above the results: what was compared, on what, and how to read it.

use std::fs;
use std::process::Command;

use crate::contender::portcullis::program;

pub(crate) fn text() -> String {
    let versions = [
        first_line(&program(), "--version"),
        first_line("nginx", "-v"),
        first_line("haproxy", "-v"),
        first_line("docker-registry", "--version"),
        first_line("wrk", "-v"),
        first_line("openssl", "version"),
    ];
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "# Results\n\nMade by `make bench`, which says how; read the ratios, not the absolute figures.\n\n{}\n\n\
         {count} processors of {}, Linux {}. Each server has one worker on processor 0 to itself; clients and the registry behind have the others. \
         TLS 1.3, AES-128-GCM, X25519 and one ECDSA P-256 certificate for all; no logs for the others, while Portcullis verifies, decides, meters and \
         writes its audit log. Medians of five interleaved rounds; no error and no wrong answer is tolerated.\n",
        versions.map(|version| format!("- {version}")).join("\n"),
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
    )
}

fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().ok();
    let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("?").trim().to_owned()
}
