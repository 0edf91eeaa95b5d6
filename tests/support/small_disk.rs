//! A small disk that a test can fill: a tmpfs in a mount namespace that only Marquee uses. It disappears with the
//! process that holds the namespace, even if the test is killed.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::temp_dir::TempDir;

/// A small disk.
pub struct SmallDisk {
    folder: TempDir,
    holder: Child,
    is_root: bool,
}

impl SmallDisk {
    /// # Panics
    /// If no such disk can be made: skipping the test would prove nothing.
    pub fn new(mebibytes: u32) -> Self {
        let folder = TempDir::new();
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n");
        // An unprivileged user needs a user namespace as well.
        let flags = if is_root { "-m" } else { "-Urm" };
        let script = "mount -t tmpfs -o size=\"$1\"m tmpfs \"$2\" && echo mounted && exec cat";
        let mut holder = Command::new("unshare")
            .args([flags, "sh", "-c", script, "disk", &mebibytes.to_string()])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("unshare, of util-linux");
        let mut line = String::new();
        let out = holder.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its output");
        if line != "mounted\n" {
            let output = holder.wait_with_output().expect("its exit status");
            panic!(
                "cannot make a disk to fill: this needs root with CAP_SYS_ADMIN, or user namespaces ({}). In a \
                 container, give it `--cap-add SYS_ADMIN --security-opt apparmor=unconfined`.",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Self { folder, holder, is_root }
    }

    /// The command that runs a program inside the namespace.
    pub fn command(&self) -> Vec<String> {
        let pid = self.holder.id().to_string();
        let user: &[&str] = if self.is_root { &[] } else { &["-U", "--preserve-credentials"] };
        let words = [&["nsenter"], user, &["-m", "-t", pid.as_str(), "--"]].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    /// The path of the disk inside the namespace.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same directory, as the test sees it.
    fn outside_path(&self) -> PathBuf {
        let inside = self.path().strip_prefix("/").expect("a whole path");
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// Fills the disk to the last byte.
    pub fn fill(&self) {
        let mut filler = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.outside_path().join("filler"))
            .expect("a file on the small disk");
        for size in [64 * 1024, 4096, 1] {
            let block = vec![b'#'; size];
            let full = loop {
                if let Err(error) = filler.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    /// Frees the space again.
    pub fn free(&self) {
        fs::remove_file(self.outside_path().join("filler")).expect("the filler");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The namespace and the disk end with the last process in it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
