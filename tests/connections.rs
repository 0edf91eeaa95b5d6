//! Connections of clients that send nothing, stop halfway, read nothing, or are too many, on raw sockets.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, timeout};

use crate::both_databases;
use crate::steps;
use crate::support::config_file::HOST;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, WAIT_TIMEOUT};

both_databases!(
    h7_every_wait_for_a_client_has_an_end,
    h7_many_connections_of_one_address_do_not_shut_out_others,
    connections_of_proxies_are_kept_longer_and_are_not_counted,
    a_proxy_that_nobody_named_is_noticed_once,
    requests_name_their_host_in_several_ways,
);

/// Opens a connection from an address of this machine.
async fn connect_from(address: &str, fixture: &Fixture) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    // The responses of a client that does not read should soon be in the way.
    socket.set_recv_buffer_size(8 * 1024).expect("a smaller buffer");
    let from: SocketAddr = format!("{address}:0").parse().expect("an address");
    socket.bind(from).expect("a local address");
    socket.connect(fixture.app.backend()).await.expect("Marquee listens")
}

async fn connect(fixture: &Fixture) -> TcpStream {
    connect_from("127.0.0.1", fixture).await
}

/// Sends bytes. If the connection is closed already, reading from it tells.
async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
}

/// A request on a connection that stays open.
fn get(target: &str, more: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n{more}\r\n").into_bytes()
}

/// Reads until the server closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = async {
        // A connection that is reset is closed, too.
        let _ = stream.read_to_end(&mut bytes).await;
    };
    finish("the end of a connection", read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn finish<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(WAIT_TIMEOUT, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

/// Reads the response to a request for `/health/live`; the status is 0 if the connection is closed.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut bytes = Vec::new();
    let head = async {
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => bytes.push(byte),
                Err(_) => return 0,
            }
        }
        let head = String::from_utf8_lossy(&bytes).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        stream.read_exact(&mut body).await.expect("the body");
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
    };
    finish("a response", head).await
}

/// How many lines of the log contain the text.
fn logged(fixture: &Fixture, text: &str) -> usize {
    fixture.app.log().iter().filter(|line| line.contains(text)).count()
}

async fn h7_every_wait_for_a_client_has_an_end(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        let names = ["head_seconds", "body_seconds", "idle_seconds", "write_seconds"];
        names.into_iter().fold(settings, |settings, name| settings.set("budgets", name, "1"))
    })
    .await;
    steps!(&fixture;
        a_head_that_does_not_arrive_is_given_up,
        a_head_that_trickles_is_given_up,
        an_idle_connection_is_closed,
        an_idle_connection_of_http_2_is_closed,
        a_body_that_does_not_arrive_is_given_up,
        a_response_that_nobody_reads_is_given_up,
    );
}

async fn a_head_that_does_not_arrive_is_given_up(fixture: &Fixture) {
    let half = get("/", "");
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for begin in [&b""[..], b"G", &half[..half.len() - 2], &http2[..12], http2] {
        let mut stream = connect(fixture).await;
        send(&mut stream, begin).await;
        let response = read_to_end(&mut stream).await;
        assert!(!response.contains("HTTP/1.1 200"), "{response}");
    }
}

async fn a_head_that_trickles_is_given_up(fixture: &Fixture) {
    let mut stream = connect(fixture).await;
    let mut pace = interval(Duration::from_millis(50));
    send(&mut stream, b"GET / HTTP/1.1\r\nX-Long: ").await;
    finish("the end of a connection", async {
        loop {
            pace.tick().await;
            if stream.write_all(b"a").await.is_err() {
                return;
            }
        }
    })
    .await;
}

async fn an_idle_connection_is_closed(fixture: &Fixture) {
    for times in [1, 3] {
        let mut stream = connect(fixture).await;
        for _ in 0..times {
            send(&mut stream, &get("/health/live", "")).await;
            assert_eq!(status(&mut stream).await, 200);
        }
        let idle = Instant::now();
        assert_eq!(read_to_end(&mut stream).await, "");
        assert!(idle.elapsed() > Duration::from_millis(500), "{:?}", idle.elapsed());
    }
}

async fn an_idle_connection_of_http_2_is_closed(fixture: &Fixture) {
    let stream = connect(fixture).await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = http::Request::get(format!("http://{HOST}/health/live"));
    let request = request.body(Full::<Bytes>::default()).expect("a request");
    assert_eq!(sender.send_request(request).await.expect("a response").status(), 200);
    let ended = finish("the end of a connection", connection).await.expect("no panic");
    assert!(ended.is_ok(), "it is closed gracefully: {ended:?}");
}

async fn a_body_that_does_not_arrive_is_given_up(fixture: &Fixture) {
    for begin in ["Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":"] {
        let mut stream = connect(fixture).await;
        let head = format!("POST /ap/inbox HTTP/1.1\r\nHost: {HOST}\r\nSignature: keyId=\"a\"\r\n{begin}");
        send(&mut stream, head.as_bytes()).await;
        let response = read_to_end(&mut stream).await;
        assert!(response.starts_with("HTTP/1.1 503"), "{response}");
    }
}

async fn a_response_that_nobody_reads_is_given_up(fixture: &Fixture) {
    let mut stream = connect(fixture).await;
    let request = get("/", "Accept: text/html\r\n");
    finish("the end of a connection", async { while stream.write_all(&request).await.is_ok() {} }).await;
}

async fn h7_many_connections_of_one_address_do_not_shut_out_others(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings.set("budgets", "connections_per_address", "20").set("budgets", "connections", "60")
    })
    .await;
    let mut held = Vec::new();
    for (address, count) in [("127.0.0.1", 70), ("127.0.0.3", 20), ("127.0.0.4", 20), ("127.0.0.5", 20)] {
        for number in 0..count {
            let mut stream = connect_from(address, &fixture).await;
            send(&mut stream, [&b""[..], b"GET / HT", b"PRI * HTTP/2.0\r\n\r\n"][number % 3]).await;
            held.push(stream);
        }
        let mut honest = connect_from("127.0.0.2", &fixture).await;
        send(&mut honest, &get("/", "Connection: close\r\n")).await;
        assert!(read_to_end(&mut honest).await.starts_with("HTTP/1.1 200"), "{address}");
    }
    // Not one was kept longer than there was room for it.
    for stream in &mut held[..50] {
        read_to_end(stream).await;
    }
    assert_eq!(logged(&fixture, "too many connections from one address"), 1);
    assert_eq!(logged(&fixture, "too many connections: the oldest idle ones are closed"), 1);
}

async fn connections_of_proxies_are_kept_longer_and_are_not_counted(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings
            .set("server", "trusted_proxies", "[\"127.0.0.1\"]")
            .set("budgets", "connections_per_address", "5")
            .set("budgets", "idle_seconds", "1")
            .set("budgets", "proxy_idle_seconds", "8")
    })
    .await;
    let mut proxied = join_all((0..20).map(|_| connect(&fixture))).await;
    for stream in &mut proxied {
        send(stream, &get("/health/live", "X-Forwarded-For: 203.0.113.9\r\n")).await;
        assert_eq!(status(stream).await, 200);
    }
    let mut stranger = connect_from("127.0.0.2", &fixture).await;
    send(&mut stranger, &get("/health/live", "")).await;
    read_to_end(&mut stranger).await;
    for stream in &mut proxied {
        send(stream, &get("/health/live", "")).await;
        assert_eq!(status(stream).await, 200, "a proxy's connection outlives a stranger's");
    }
    for stream in &mut proxied {
        assert_eq!(read_to_end(stream).await, "");
    }
}

async fn a_proxy_that_nobody_named_is_noticed_once(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings.set("server", "trusted_proxies", "[\"10.1.2.0/24\"]").set(
            "budgets",
            "connections_per_address",
            "5",
        )
    })
    .await;
    let line = "trusted_proxies = [\"10.1.2.0/24\", \"127.0.0.1\"]";
    assert_eq!(logged(&fixture, line), 0);
    for header in ["X-Forwarded-For: 203.0.113.9\r\n", "Forwarded: for=203.0.113.9\r\n"] {
        let mut hidden = Vec::new();
        for _ in 0..20 {
            let mut stream = connect(&fixture).await;
            send(&mut stream, &get("/health/live", header)).await;
            assert_eq!(status(&mut stream).await, 200);
            hidden.push(stream);
        }
        for stream in &mut hidden {
            send(stream, &get("/health/live", header)).await;
            assert_eq!(status(stream).await, 200, "it was kept: the clients behind a proxy are many");
        }
    }
    fixture.app.await_log("the proxy", |entry| entry.contains(line)).await;
    assert_eq!(logged(&fixture, "forwards requests of others"), 1);
}

async fn requests_name_their_host_in_several_ways(database: Database) {
    let fixture = Fixture::new(database).await;
    steps!(&fixture;
        an_absolute_target_of_another_host_is_misdirected,
        the_authority_of_http_2_is_what_a_signature_covers,
    );
}

async fn an_absolute_target_of_another_host_is_misdirected(fixture: &Fixture) {
    for (target, expected) in [
        ("http://other.test/", 421),
        ("https://other.test:443/ap/inbox", 421),
        (&*format!("http://{HOST}.other.test/"), 421),
        (&*format!("https://{HOST}:8443/"), 421),
        (&*format!("http://{HOST}/health/live"), 200),
        (&*format!("https://{HOST}:443/health/live"), 200),
        ("/health/live", 200),
    ] {
        let mut stream = connect(fixture).await;
        send(&mut stream, &get(target, "Connection: close\r\n")).await;
        let response = read_to_end(&mut stream).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {expected} ")), "{target}: {response}");
    }
    // The present behaviour for other hosts in origin-form: only signatures depend on it.
    let mut stream = connect(fixture).await;
    send(&mut stream, b"GET /health/live HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n").await;
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

/// Sends a signed Like over HTTP/2, and returns the status.
async fn like_over_http_2(fixture: &Fixture, authority: &str, host: Option<&str>) -> u16 {
    let like = fixture.alice.like(fixture.actor());
    let signed = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &like).sign();
    let stream = connect(fixture).await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    let path = fixture.inbox().strip_prefix(&format!("https://{HOST}")).expect("our inbox");
    let mut request = http::Request::post(format!("https://{authority}{path}"));
    for (name, value) in signed.headers.iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value);
    }
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let request = request.body(Full::new(Bytes::from(signed.body))).expect("a request");
    sender.send_request(request).await.expect("a response").status().as_u16()
}

async fn the_authority_of_http_2_is_what_a_signature_covers(fixture: &Fixture) {
    assert_eq!(like_over_http_2(fixture, HOST, None).await, 202);
    assert_eq!(like_over_http_2(fixture, HOST, Some(HOST)).await, 202);
    assert_eq!(like_over_http_2(fixture, "other.test", None).await, 401);
    assert_eq!(like_over_http_2(fixture, "other.test", Some(HOST)).await, 400);
    assert_eq!(like_over_http_2(fixture, HOST, Some("other.test")).await, 400);
}
