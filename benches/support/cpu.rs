//! CPU time and peak memory of a process, as the kernel accounts for them.

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Returns the CPU time of a process so far, including threads that have ended, with the resolution of a
/// clock tick.
pub fn of(pid: u32) -> anyhow::Result<Duration> {
    Ok(ticks(pid, 11)? + ticks(pid, 12)?)
}

/// Returns the CPU time of the children of this process that have ended and been waited for.
pub fn of_ended_children() -> anyhow::Result<Duration> {
    let own = std::process::id();
    Ok(ticks(own, 13)? + ticks(own, 14)?)
}

/// Returns the CPU time of the current threads of a process, in nanoseconds. Only for processes whose threads
/// do not end.
pub fn of_threads(pid: u32) -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let spent = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += spent.split(' ').next().context("a schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Returns the peak memory of a process in MiB.
pub fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(f64::from(kib) / 1024.0)
}

/// Reads a field of `/proc/PID/stat` as a time. Fields are counted from the one after the program's name.
fn ticks(pid: u32, field: usize) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    let (_, fields) = stat.rsplit_once(") ").context("a stat")?;
    let ticks: u32 = fields.split(' ').nth(field).context("a field of stat")?.parse()?;
    Ok(Duration::from_secs(1) * ticks / ticks_per_second()?)
}

fn ticks_per_second() -> anyhow::Result<u32> {
    static TICKS: OnceLock<u32> = OnceLock::new();
    if let Some(known) = TICKS.get() {
        return Ok(*known);
    }
    let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf CLK_TCK")?;
    let ticks: u32 = String::from_utf8(output.stdout)?.trim().parse()?;
    ensure!(ticks > 0, "getconf CLK_TCK printed 0");
    Ok(*TICKS.get_or_init(|| ticks))
}
