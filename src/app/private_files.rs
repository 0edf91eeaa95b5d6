//! Who may read the files of a site. The database has the private keys, so everything is for the user that runs Marquee and
//! for nobody else.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::domain::untrusted::Untrusted;

/// Makes new files and folders private, whatever the process inherited. This applies to the whole process.
pub fn make_new_files_private() {
    #[cfg(unix)]
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

/// Takes the permissions of all others from the files and folders of the site, which an older version or a restored backup may
/// have left.
#[cfg(unix)]
pub fn restrict_existing_files(config: &Config) {
    let mut restricted = Restricted::default();
    restricted.folder(&config.data_dir, 0);
    let media = config.media_dir();
    restricted.folder(&media, MAX_DEPTH);
    if let Some(file) = config.database_file() {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = file.clone().into_os_string();
            path.push(suffix);
            let path = PathBuf::from(path);
            if path.is_file() {
                restricted.path(&path);
            }
        }
    }
    restricted.log(&config.data_dir);
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
pub fn restrict_existing_files(_: &Config) {}

/// The depth to which the folder of the images is walked. It has no folders of its own.
#[cfg(unix)]
const MAX_DEPTH: u32 = 4;

/// What was restricted so far.
#[cfg(unix)]
#[derive(Default)]
struct Restricted {
    count: usize,
    failed: Option<(PathBuf, std::io::Error)>,
}

#[cfg(unix)]
impl Restricted {
    /// A folder, with what is in it down to that depth. Symbolic links in it are not followed.
    fn folder(&mut self, folder: &Path, depth: u32) {
        if !folder.is_dir() {
            return;
        }
        self.path(folder);
        if depth == 0 {
            return;
        }
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&entry.path(), depth - 1),
                Ok(kind) if kind.is_file() => self.path(&entry.path()),
                _ => {}
            }
        }
    }

    fn path(&mut self, path: &Path) {
        use std::os::unix::fs::PermissionsExt as _;

        const OTHERS: u32 = 0o077;
        /// A folder that everybody may write to, such as `/tmp`, is not the site's.
        const STICKY: u32 = 0o1000;
        let Ok(metadata) = std::fs::metadata(path) else { return };
        let mut permissions = metadata.permissions();
        let mode = permissions.mode();
        if mode & OTHERS == 0 || mode & STICKY != 0 {
            return;
        }
        permissions.set_mode(mode & 0o7777 & !OTHERS);
        match std::fs::set_permissions(path, permissions) {
            Ok(()) => self.count += 1,
            Err(error) => self.failed = self.failed.take().or_else(|| Some((path.to_owned(), error))),
        }
    }

    fn log(self, data_dir: &Path) {
        if self.count > 0 {
            let folder = data_dir.display();
            tracing::info!(folder = %Untrusted::new(&folder), count = self.count, "files and folders of the site are private now: others could read them");
        }
        if let Some((path, error)) = self.failed {
            let path = path.display();
            tracing::warn!(path = %Untrusted::new(&path), error = ?Untrusted::chain(&error), "others can read files of the site; could not change that");
        }
    }
}
