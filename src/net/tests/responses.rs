use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Method, header};

use super::server::{moved, reply};
use super::*;
use crate::domain::time::Timestamp;
use crate::net::retry_after::RetryAfter;
use crate::net::signed_fetch::SharedFetchSigner;

/// Redirects `/a` to `/b` to `/c` and so on. All other paths response with themselves.
fn chain(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap();
    match path {
        "/a" => moved("/b"),
        "/b" => moved("c"),
        "/c" => moved("?d"),
        "/c?d" => moved("/end"),
        "/loop" => moved("/back"),
        "/back" => moved("/loop#x"),
        "/self" => moved(""),
        "/nowhere" => reply(302, "", b""),
        "/unreadable" => moved("http://["),
        "/stale" => reply(304, "etag: x\r\n", b""),
        "/missing" => reply(404, "", b"none"),
        _ => ok(path),
    }
}

#[tokio::test]
async fn e5_at_most_three_redirects_are_followed() {
    let server = Server::start(chain).await;
    let client = local(&[("m.example", &server)]);
    let fetched = get(&client, "http://m.example/b").await.unwrap();
    assert_eq!((fetched.url.as_str(), &fetched.body[..]), ("http://m.example/end", &b"/end"[..]));
    assert_eq!(server.accepted(), 4);
    for path in ["a", "loop", "self", "nowhere", "unreadable"] {
        let error = get(&client, &format!("http://m.example/{path}")).await.unwrap_err();
        assert_eq!(error, NetError::InvalidRedirect, "{path}");
    }
    assert_eq!(get(&client, "http://m.example/stale").await.unwrap().status, 304);
    assert_eq!(get(&client, "http://m.example/missing").await.unwrap().status, 404);
    let kept = get(&client, "http://m.example/x#main-key").await.unwrap();
    assert_eq!(kept.url.as_str(), "http://m.example/x#main-key");
}

#[tokio::test]
async fn each_redirect_is_signed_again_and_secrets_are_not_forwarded() {
    let other = Server::start(|_| ok("other")).await;
    let first = Server::start(|request| {
        moved(if request.starts_with("GET /a") { "/b" } else { "http://other.example/c" })
    })
    .await;
    let client = local(&[("m.example", &first), ("other.example", &other)]);
    let url: Url = "http://m.example/a".parse().unwrap();
    let signer: SharedFetchSigner = Arc::new(|method: &Method, url: &Url| {
        let text = format!("{method} {url}");
        HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_static("wrong.example")),
            ("signature".parse().unwrap(), HeaderValue::from_str(&text).unwrap()),
        ])
    });
    let mut get = request(&url);
    get.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("secret"));
    get.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("tag"));
    get.signer = Some(&signer);
    client.get(get).await.unwrap();
    let requests = [first.requests(), other.requests()].concat();
    for (request, path, secret) in [
        (&requests[0], "m.example/a", true),
        (&requests[1], "m.example/b", true),
        (&requests[2], "other.example/c", false),
    ] {
        assert_eq!(request.matches("signature: ").count(), 1, "{request}");
        assert!(request.contains(&format!("signature: get http://{path}\r\n")), "{request}");
        assert_eq!(request.contains("secret"), secret, "{request}");
        assert!(request.contains("if-none-match: tag\r\n"), "{request}");
        assert!(request.contains("user-agent: marquee/0 (+https://crit.example)\r\n"), "{request}");
        assert!(!request.contains("wrong.example") && !request.contains("referer"), "{request}");
    }
}

/// Answers with bodies of more than 1000 bytes, in several ways.
fn large(request: &str) -> Vec<u8> {
    match request.split(' ').nth(1).unwrap() {
        "/announced" => reply(200, "", &[b'x'; 1001]),
        "/chunked" => {
            let chunk = format!("200\r\n{}\r\n", "x".repeat(512));
            let head = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
            format!("{head}{}", chunk.repeat(50)).into_bytes()
        }
        "/endless" => [b"HTTP/1.1 200 X\r\n\r\n".to_vec(), vec![b'x'; 100_000]].concat(),
        "/bomb" => reply(200, "content-encoding: gzip\r\n", &bomb()),
        _ => reply(200, "content-encoding: gzip\r\n", &gzip(b"small")),
    }
}

const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Gzip (RFC 1952) of one stored block.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let block = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat();
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    });
    let end = [(!crc).to_le_bytes(), u32::from(length).to_le_bytes()].concat();
    [&GZIP_HEAD[..], &block, &end].concat()
}

/// Gzip of 50 MB of zeros that never ends: one literal, then copies of 258 bytes (RFC 1951 section 3.2.6).
fn bomb() -> Vec<u8> {
    let start = [true, true, false, false, false, true, true, false, false, false, false];
    let copy = "1100010100000".bytes().map(|bit| bit == b'1');
    let bits: Vec<bool> = start.into_iter().chain(copy.cycle().take(13 * 200_000)).collect();
    let packed =
        bits.chunks(8).map(|byte| byte.iter().rev().fold(0u8, |packed, bit| packed << 1 | u8::from(*bit)));
    GZIP_HEAD.into_iter().chain(packed).collect()
}

#[tokio::test]
async fn h1_h5_the_body_limit_applies_after_decompression() {
    let server = Server::start(large).await;
    let client = local(&[("m.example", &server)]);
    for path in ["announced", "chunked", "endless", "bomb"] {
        let error = get(&client, &format!("http://m.example/{path}")).await.unwrap_err();
        assert_eq!(error, NetError::TooLarge(1000), "{path}");
    }
    assert_eq!(get(&client, "http://m.example/small").await.unwrap().body, "small");
}

#[tokio::test]
async fn h6_a_slow_response_times_out() {
    let pause = Duration::from_millis(100);
    let drip = move |request: &str| match request.split(' ').nth(1).unwrap() {
        "/silent" => vec![(Duration::from_secs(30), Vec::new())],
        "/headers" => vec![(pause, b"x: y\r\n".to_vec()); 300],
        _ => {
            let mut pieces = vec![(pause, b"HTTP/1.1 200 X\r\n\r\n".to_vec())];
            pieces.extend(vec![(pause, b"x".to_vec()); 300]);
            pieces
        }
    };
    let server = Server::start_slow(drip).await;
    let script = names(&[("m.example", &[&[server.address]])]);
    let client = Client::with_lookup(loopback(), script, SHORT_TIMEOUTS).unwrap();
    for path in ["silent", "body"] {
        let started = Instant::now();
        let error = get(&client, &format!("http://m.example/{path}")).await.unwrap_err();
        assert_eq!(error, NetError::Timeout, "{path}");
        assert!(started.elapsed() < Duration::from_secs(3), "{path}");
    }
    assert!(get(&client, "http://m.example/headers").await.is_err());
    // For a POST the status is enough.
    let url = "http://m.example/body".parse().unwrap();
    let response = client.post(&url, HeaderMap::new(), Bytes::new()).await.unwrap();
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn failures_are_distinguished() {
    let garbage = Server::start(|_| b"not http at all\r\n\r\n".to_vec()).await;
    let short = Server::start(|_| b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nx".to_vec()).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = names(&[
        ("garbage.example", &[&[garbage.address]]),
        ("short.example", &[&[short.address]]),
        ("closed.example", &[&[closed]]),
        ("empty.example", &[&[]]),
    ]);
    let client = client(loopback(), script);
    for (host, error) in [
        ("garbage", NetError::InvalidResponse),
        ("short", NetError::InvalidResponse),
        ("closed", NetError::Connect),
        ("unknown", NetError::Dns),
    ] {
        let found = get(&client, &format!("http://{host}.example/")).await.unwrap_err();
        assert_eq!(found, error, "{host}");
        assert!(!found.to_string().contains('\n'));
    }
    assert!(get(&client, "http://empty.example/").await.is_err());
}

#[tokio::test]
async fn a_post_returns_status_retry_after_and_an_excerpt() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/seconds" => reply(429, "retry-after: 120\r\n", b"slow\r\ndown\x1b[2J"),
        "/years" => reply(429, "retry-after: 99999999999999999999999\r\n", &[0xff; 5000]),
        "/date" => reply(503, "retry-after: Tue, 01 Sep 2026 09:00:00 GMT\r\n", b""),
        "/odd" => reply(503, "retry-after: -1\r\n", "ü".repeat(2000).as_bytes()),
        "/moved" => moved("http://m.example/seconds"),
        _ => reply(202, "", b""),
    })
    .await;
    let client = local(&[("m.example", &server)]);
    let post = async |path: &str| {
        let url = format!("http://m.example/{path}").parse().unwrap();
        let headers = HeaderMap::from_iter([(header::DATE, HeaderValue::from_static("now"))]);
        client.post(&url, headers, Bytes::from_static(b"{}")).await.unwrap()
    };
    let response = post("seconds").await;
    assert_eq!(response.status, 429);
    assert_eq!(response.retry_after, Some(RetryAfter::Delay(Duration::from_mins(2))));
    assert_eq!(response.excerpt, "slow  down [2J");
    let years = post("years").await;
    assert!(years.retry_after.unwrap().delay(Timestamp::default()) > Duration::from_hours(24));
    assert!(years.excerpt.len() <= 1024);
    let date = post("date").await.retry_after.unwrap();
    let before = Timestamp::parse_rfc3339("2026-09-01T08:59:00Z").unwrap();
    assert_eq!(date.delay(before), Duration::from_mins(1));
    assert_eq!(date.delay(before + Duration::from_hours(1)), Duration::ZERO);
    let odd = post("odd").await;
    assert_eq!(odd.retry_after, None);
    assert!(odd.excerpt.starts_with('ü') && odd.excerpt.len() <= 1024);
    assert_eq!(post("moved").await.status, 302);
    assert_eq!(post("inbox").await.status, 202);
    let last = server.requests().pop().unwrap();
    assert!(last.starts_with("post /inbox ") && last.contains("\r\ndate: now\r\n"), "{last}");
}
