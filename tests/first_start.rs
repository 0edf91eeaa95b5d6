//! Before the first start there is no site: commands that read say so and create nothing, and a start that fails fixes nothing.
//! Errors name the key of the config and the reason of the system.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::both_databases;
use crate::support::Database;
use crate::support::config_file::quoted;
use crate::support::feed::markdown;
use crate::support::own_database::{OwnDatabase, Sql};
use crate::support::temp_dir::TempDir;
use crate::support::template::program;

both_databases!(reading_commands_create_nothing, a_start_that_fails_fixes_no_origin);

/// A site that was never started.
struct UnstartedSite {
    folder: TempDir,
    database: OwnDatabase,
    url: String,
}

impl UnstartedSite {
    async fn new(kind: Database) -> Self {
        let (folder, database) = (TempDir::new(), OwnDatabase::new(kind).await);
        let url = match kind {
            Database::Sqlite => format!("sqlite://{}", folder.file("data/marquee.sqlite").display()),
            Database::Postgres => database.url(),
        };
        Self { folder, database, url }
    }

    /// Writes its config, with these keys before all sections and these sections after them.
    fn configure(&self, origin: &str, listen: &str, more: &str) {
        let data_dir = quoted(&self.folder.file("data").display().to_string());
        let (url, origin, listen) = (quoted(&self.url), quoted(origin), quoted(listen));
        self.folder.write(
            "marquee.toml",
            &format!(
                "data_dir = {data_dir}\n[server]\norigin = {origin}\nlisten = {listen}\n[database]\nurl = {url}\n\
                 [[critics]]\nhandle = \"critic\"\nname = \"A Critic\"\n{more}"
            ),
        );
    }

    fn run(&self, args: &[&str]) -> (bool, String) {
        let output = std::process::Command::new(program())
            .args(args)
            .arg("--config")
            .arg(self.folder.file("marquee.toml"))
            .current_dir(self.folder.path())
            .output()
            .expect("Marquee");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The tables in its database.
    async fn tables(&self) -> usize {
        match self.url.strip_prefix("sqlite://") {
            Some(file) if !Path::new(file).exists() => 0,
            _ => Sql::connect(&self.url).await.schema().await.len(),
        }
    }
}

async fn reading_commands_create_nothing(database: Database) {
    let site = UnstartedSite::new(database).await;
    site.configure("https://films.test", "127.0.0.1:1", "");
    let before = site.names();
    let location = match site.url.strip_prefix("sqlite://") {
        Some(file) => file.to_owned(),
        None => site.url.rsplit('/').next().expect("its name").to_owned(),
    };
    for command in [
        &["review", "list"][..],
        &["review", "show", "x"],
        &["feed", "log"],
        &["feed", "held"],
        &["quote", "list"],
        &["report", "list"],
        &["comment", "list"],
        &["block", "list"],
        &["follower", "list"],
        &["delivery", "status", "x"],
        &["host", "list"],
        &["insights"],
        &["preview", "x"],
    ] {
        let (is_ok, printed) = site.run(command);
        assert!(!is_ok, "{command:?}: {printed}");
        assert!(
            printed.contains("there is no site at ") && printed.contains(&location),
            "{command:?}: {printed}"
        );
        assert!(printed.contains("serve` to create it"), "{command:?}: {printed}");
        assert_eq!(printed.trim().lines().count(), 1, "{command:?}: {printed}");
        assert_eq!(site.names(), before, "{command:?}");
        assert_eq!(site.tables().await, 0, "{command:?}");
    }
    // Nor do those that change what does not exist.
    let (is_ok, printed) = site.run(&["comment", "hide", "x"]);
    assert!(!is_ok && printed.contains("there is no site at "), "{printed}");
    // A file can be previewed before.
    let file =
        site.folder.write("review.md", &markdown("The Night Ferry", "The Night Ferry", "It leaves at six."));
    let (is_ok, printed) = site.run(&["preview", &file.display().to_string()]);
    assert!(is_ok && printed.to_lowercase().contains("the night ferry"), "{printed}");
    assert!(!site.folder.file("data").exists());
    // An empty file is no site, either.
    if let Some(file) = site.url.strip_prefix("sqlite://") {
        fs::create_dir(site.folder.file("data")).expect("a folder");
        fs::write(file, "").expect("a file");
        let (_, printed) = site.run(&["review", "list"]);
        assert!(printed.contains("there is no site at "), "{printed}");
        assert_eq!(fs::read_dir(site.folder.file("data")).expect("a folder").count(), 1);
        assert_eq!(fs::read(file).expect("the file"), b"");
    }
}

async fn a_start_that_fails_fixes_no_origin(database: Database) {
    let site = UnstartedSite::new(database).await;
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = other.local_addr().expect("its address").to_string();
    let missing = "[looks]\nfolder = \"missing\"\n";
    fs::create_dir_all(site.folder.file("looks")).expect("a folder");
    site.folder.write("looks/home.html", "{% if %}");
    let broken = "[looks]\nfolder = \"looks\"\n";
    for (listen, more, message) in [
        (taken.as_str(), "", "config: server.listen: could not listen on "),
        ("127.0.0.1:0", missing, "missing"),
        ("127.0.0.1:0", broken, "home.html"),
    ] {
        site.configure("https://wrong.test", listen, more);
        let (is_ok, printed) = site.run(&["serve"]);
        assert!(!is_ok && printed.contains(message), "{printed}");
    }
    site.configure("https://wrong.test", &taken, "");
    let (_, printed) = site.run(&["serve"]);
    assert_eq!(printed.matches("ddress already in use").count(), 1, "the reason, once: {printed}");
    // The right origin is free to be chosen.
    site.configure("https://films.test", "127.0.0.1:0", "");
    let file =
        site.folder.write("review.md", &markdown("The Night Ferry", "The Night Ferry", "It leaves at six."));
    let (is_ok, printed) = site.run(&["publish", &file.display().to_string()]);
    assert!(is_ok && printed.contains("https://films.test/"), "{printed}");
    site.configure("https://wrong.test", "127.0.0.1:0", "");
    let (is_ok, printed) = site.run(&["review", "list"]);
    assert!(!is_ok && printed.contains("config: server.origin: "), "{printed}");
    drop(site.database);
}

/// Each error has one line, with the key and the reason of the system, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_the_key_and_the_reason_once() {
    let site = UnstartedSite::new(Database::Sqlite).await;
    let folder = |name: &str| site.folder.file(name).display().to_string();
    fs::write(folder("file"), "").expect("a file");
    fs::create_dir(folder("folder")).expect("a folder");
    let listen = "127.0.0.1:0";
    let config = |data_dir: &str, more: &str| {
        site.folder.write(
            "marquee.toml",
            &format!(
                "data_dir = {}\n[server]\norigin = \"https://films.test\"\nlisten = \"{listen}\"\n\
                 [[critics]]\nhandle = \"critic\"\nname = \"A Critic\"\n{more}",
                quoted(data_dir)
            ),
        );
        site.run(&["serve"])
    };
    let database = |path: &str| format!("[database]\nurl = {}\n", quoted(&format!("sqlite://{path}")));
    let authority = |path: &str| format!("[federation]\nextra_ca_file = {}\n", quoted(path));
    for ((is_ok, printed), key, reason) in [
        (config(&folder("file"), ""), "data_dir", "ot a directory"),
        (config(&folder("file/below"), ""), "data_dir", "ot a directory"),
        (config(&folder("a"), &database(&folder("folder"))), "database.url", "Is a directory"),
        (config(&folder("a"), &database(&folder("file/x.sqlite"))), "database.url", "ot a directory"),
        (config(&folder("a"), &authority(&folder("no.pem"))), "federation.extra_ca_file", "not found"),
        (
            config(&folder("a"), "[database]\nurl = \"postgres://nobody@127.0.0.1:1/none\"\n"),
            "database.url",
            "onnection refused",
        ),
    ] {
        assert!(!is_ok, "{printed}");
        assert_eq!(printed.trim().lines().count(), 1, "{printed}");
        assert!(printed.contains(&format!("config: {key}: ")), "{printed}");
        assert_eq!(printed.matches(reason).count(), 1, "{reason}: {printed}");
    }
}
