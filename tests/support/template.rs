//! Databases that Marquee has set up once, which tests copy: its tables, and the critic with a key.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::config_file::ConfigFile;
use super::postgres::Postgres;
use super::temp_dir::TempDir;

/// The Marquee under test: `MARQUEE_TEST_BIN`, or the binary that was built with these tests.
pub fn program() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_marquee"));
    std::env::var_os("MARQUEE_TEST_BIN").map_or_else(built, PathBuf::from)
}

/// The config of the site whose database is copied.
pub fn config(database_url: &str) -> ConfigFile {
    ConfigFile::new(Path::new("."), database_url)
}

/// Starts Marquee on an empty database and stops it as soon as it is ready.
fn set_up(database_url: &str) {
    let folder = TempDir::new();
    let file = folder.write("marquee.toml", &config(database_url).toml());
    let mut child = Command::new(program())
        .args(["serve", "--config"])
        .arg(file)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Marquee");
    let mut greeting = String::new();
    let output = child.stdout.take().expect("its standard output");
    BufReader::new(output).read_line(&mut greeting).expect("its standard output");
    assert!(!greeting.is_empty(), "Marquee does not start on {database_url}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    child.wait().expect("its end");
}

/// Copies the SQLite database to a file. The original is kept in the target folder for as long as the program stays
/// the same.
pub async fn copy_sqlite(to: PathBuf) {
    let copied = tokio::task::spawn_blocking(move || {
        let program = program();
        let metadata = fs::metadata(&program).expect("the program");
        let stamp = format!("{} {} {}", metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        let mut hasher = DefaultHasher::new();
        program.hash(&mut hasher);
        let file =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{:016x}.sqlite", hasher.finish()));
        let lock = File::create(file.with_extension("lock")).expect("a file in the target folder");
        lock.lock().expect("a lock");
        let stamp_file = file.with_extension("stamp");
        if fs::read_to_string(&stamp_file).unwrap_or_default() != stamp {
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{suffix}", file.display()));
            }
            set_up(&format!("sqlite://{}", file.display()));
            let wal = PathBuf::from(format!("{}-wal", file.display()));
            assert!(!wal.exists(), "Marquee has not closed its database");
            fs::write(&stamp_file, stamp).expect("a file in the target folder");
        }
        fs::copy(&file, to).expect("a copy of the database");
    });
    copied.await.expect("a copy of the database");
}

/// The name of a PostgreSQL database to copy; `None` on a cluster that outlives the test run.
pub async fn postgres(postgres: &Postgres) -> Option<String> {
    const NAME: &str = "marquee_template";
    let marker = postgres.run_folder()?.join("template");
    let lock = tokio::task::spawn_blocking({
        let file = marker.with_extension("lock");
        move || {
            let lock = File::create(file).expect("a lock file");
            lock.lock().expect("a lock");
            lock
        }
    });
    let lock = lock.await.expect("a lock");
    if !marker.exists() {
        let template = postgres.sibling(NAME);
        template.create_database("template0").await;
        let url = template.url();
        tokio::task::spawn_blocking(move || set_up(&url)).await.expect("a database");
        // It stays for the other tests.
        template.keep();
        File::create(&marker).expect("a file in a temporary folder");
    }
    drop(lock);
    Some(NAME.to_owned())
}
