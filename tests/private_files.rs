//! The files of a site are for the user that runs it and for nobody else, whatever the process inherits and whatever an older
//! version left.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::config_file::quoted;
use crate::support::feed::markdown;
use crate::support::remote::Document;
use crate::support::temp_dir::TempDir;
use crate::support::{Database, Fixture, eventually};

/// The smallest PNG, which every decoder reads.
const PICTURE: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144,
    119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 8, 215, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 24, 221, 141,
    176, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("a file").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its own file");
}

/// Everything in a folder, and the folder itself.
fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(all_in(&path)) } else { found.push(path) }
    }
    found
}

/// Those that others may read, write or enter.
fn open_to_others(folder: &Path) -> Vec<(PathBuf, u32)> {
    let modes = all_in(folder).into_iter().map(|path| (path.clone(), mode_of(&path)));
    modes.filter(|(_, mode)| mode & 0o077 != 0).collect()
}

/// A site in a folder of its own, whose processes inherit this umask.
async fn site(folder: &Path, umask: &str, database: Option<&Path>) -> Fixture {
    let data_dir = folder.display().to_string();
    let url = database.map(|file| format!("sqlite://{}", file.display()));
    let script = format!("umask {umask}; exec \"$@\"");
    let wrapper = ["sh", "-c", &script, "marquee"].map(str::to_owned).to_vec();
    let fixture = Fixture::with(Database::Sqlite, |_, settings| {
        let settings = settings.set("", "data_dir", &quoted(&data_dir)).wrap_with(wrapper);
        match url {
            Some(url) => settings.set("database", "url", &quoted(&url)),
            None => settings,
        }
    })
    .await;
    fixture.remote.serve("/poster.png", Document::new("image/png", PICTURE));
    let poster = fixture.remote.url("/poster.png");
    let text = markdown("The Night Ferry", "The Night Ferry", "It leaves at six.");
    let text = text.replacen("---\n", &format!("---\nposter: {poster}\nposter_alt: A ferry\n"), 1);
    let file = fixture.app.write("review.md", &text);
    fixture.app.command_output(&["publish", &file]).await;
    fixture
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_files_are_private_whatever_the_umask() {
    for umask in ["000", "022", "0777"] {
        let outer = TempDir::new();
        let (folder, database) = (outer.path().join("data/site"), outer.path().join("db/site.sqlite"));
        let fixture = site(&folder, umask, Some(&database)).await;
        eventually("the image", || async { (all_in(&folder.join("media")).len() > 1).then_some(()) }).await;
        for inner in [folder.as_path(), database.parent().expect("a folder")] {
            assert_eq!(open_to_others(inner), [], "umask {umask}");
        }
        let files =
            ["", "-wal", "-shm"].map(|suffix| PathBuf::from(format!("{}{suffix}", database.display())));
        for file in files {
            assert_eq!(mode_of(&file), 0o600, "{}", file.display());
        }
        assert_eq!((mode_of(&folder), mode_of(&folder.join("media"))), (0o700, 0o700));
        drop(fixture);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looser_files_are_made_private_with_one_line() {
    let outer = TempDir::new();
    let (folder, database) = (outer.path().join("data"), outer.path().join("data/marquee.sqlite"));
    let mut fixture = site(&folder, "022", Some(&database)).await;
    let is_report = |line: &&String| line.contains("are private now");
    assert_eq!(fixture.app.log().iter().filter(is_report).count(), 0, "a new site is private");
    fixture.app.terminate().await;
    let image = all_in(&folder.join("media")).pop().expect("an image");
    let variants: [&[(&Path, u32)]; 3] = [
        &[(&folder, 0o755), (&database, 0o644)],
        &[(&image, 0o644)],
        &[(&folder.join("media"), 0o777), (&database, 0o640), (&image, 0o666)],
    ];
    for (at, loose) in variants.into_iter().enumerate() {
        for (path, mode) in loose {
            set_mode(path, *mode);
        }
        fixture.app.start().await;
        assert_eq!(open_to_others(&folder), []);
        let reports = fixture.app.log().iter().filter(is_report).count();
        assert_eq!(reports, at + 1, "one line each time: {:?}", fixture.app.log());
        assert_eq!(fixture.app.get_page("/").await.status, 200);
        fixture.app.restart().await;
        assert_eq!(fixture.app.log().iter().filter(is_report).count(), at + 1, "nothing was left to do");
        fixture.app.terminate().await;
    }
}

/// The commands of the documentation.
#[test]
fn the_documented_backup_is_private() {
    let guide = include_str!("../docs/deploy.md");
    let backups = guide.split("## Backups").nth(1).and_then(|rest| rest.split("```sh").nth(1));
    let commands = backups.and_then(|rest| rest.split("```").next()).expect("the commands");
    let first = commands.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    assert!(first.is_some_and(|line| line.starts_with("umask 077")), "{commands}");
}
