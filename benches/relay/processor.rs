//! Which processor runs what, and what was spent there: the contender has processor 0 to itself, everybody else has the others.

use std::fs;
use std::process::Command;

/// Where the contenders run.
pub(crate) const CONTENDER: &str = "0";

/// Moves this program, and whatever it starts from now on, off the contenders' processor.
pub(crate) fn leave_it_to_the_contenders() {
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!(all >= 2, "two processors are needed: one for the proxy, one for its clients and the registry");
    let me = std::process::id().to_string();
    let done = Command::new("taskset").args(["-a", "-c", "-p", &format!("1-{}", all - 1), &me]).output();
    assert!(done.expect("taskset is installed").status.success(), "taskset may set affinities");
}

/// Processor time of some processes, all threads of each, in seconds, to the nanosecond as the scheduler counts it.
pub(crate) fn seconds_of(pids: &[u32]) -> f64 {
    let mut nanoseconds = 0_u64;
    for pid in pids {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let first = text.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
            nanoseconds += first.unwrap_or_default();
        }
    }
    nanoseconds as f64 / 1e9
}

/// How busy the contenders' processor has been, in seconds since it was started: what everybody did there, interrupts too.
pub(crate) fn busy_seconds() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("cpu0 ")).unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq; a tick is 10 ms.
    let busy: u64 = [0, 1, 2, 5, 6].iter().filter_map(|&at| ticks.get(at)).sum();
    busy as f64 / 100.0
}

/// Proportional memory of some processes, in KiB: what they share is counted once.
pub(crate) fn memory_kib(pids: &[u32]) -> u64 {
    let pss = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:").map(str::to_owned));
        line.unwrap_or_default().trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default()
    };
    pids.iter().map(pss).sum()
}
