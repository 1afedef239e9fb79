//! What /proc tells of a process (`proc_pid_status(5)`, `proc_pid_smaps(5)`).

use std::fs;
use std::io;

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Its proportional share of everything mapped.
    pub(crate) pss: u64,
    /// What it alone has written.
    pub(crate) private_dirty: u64,
}

/// Reads a process's memory; only root may read that of one that hides its secrets.
pub(crate) fn memory(pid: u32) -> io::Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name: &str| number(&text, name).unwrap_or_default();
    Ok(Memory { pss: field("Pss:"), private_dirty: field("Private_Dirty:") })
}

/// Counts how often the threads of a process were put on a CPU.
pub(crate) fn switches(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(thread?.path().join("status"))?;
        let field = |name: &str| number(&text, name).unwrap_or_default();
        sum += field("voluntary_ctxt_switches:") + field("nonvoluntary_ctxt_switches:");
    }
    Ok(sum)
}

/// Lists a process and all that it has started, itself first.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while at < all.len() {
        let path = format!("/proc/{0}/task/{0}/children", all[at]);
        let children = fs::read_to_string(path).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        at += 1;
    }
    all
}

/// Says whether a process has set an inotify watch.
pub(crate) fn watches(pid: u32) -> bool {
    let Ok(folder) = fs::read_dir(format!("/proc/{pid}/fdinfo")) else { return false };
    let texts = folder.flatten().map(|entry| fs::read_to_string(entry.path()).unwrap_or_default());
    texts.into_iter().any(|text| text.contains("inotify wd:"))
}

fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
