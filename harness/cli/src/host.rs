//! Facts of this machine and build, for provenance. None of them is in a key.

use std::collections::BTreeMap;
use std::process::Command;

/// Operating system and processor.
pub(crate) fn describe() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    cpu.map_or_else(|| format!("{os} {arch}"), |cpu| format!("{os} {arch}, {cpu}"))
}

/// All of the machine's cores.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Half of the machine's memory; 4 GiB where it cannot be read.
pub(crate) fn default_memory() -> u64 {
    let total_kib = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    total_kib.map_or(4 << 30, |kib| kib * 512)
}

/// Versions of the libraries that make numbers, from the lock file this binary was built with.
pub(crate) fn libraries() -> BTreeMap<String, String> {
    const NUMBERS: [&str; 7] = ["candle-core", "gemm", "kodama", "linfa-clustering", "statrs", "tokenizers", "libm"];
    let lock = include_str!("../../../Cargo.lock");
    let field = |block: &str, name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned))
    };
    lock.split("[[package]]")
        .filter_map(|block| Some((field(block, "name")?, field(block, "version")?)))
        .filter(|(name, _)| NUMBERS.contains(&name.as_str()))
        .collect()
}

/// Commit of the working directory and whether it has uncommitted changes; nothing outside a repository.
pub(crate) fn vcs() -> (Option<String>, Option<bool>) {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    (git(&["rev-parse", "HEAD"]), git(&["status", "--porcelain"]).map(|changes| !changes.is_empty()))
}
