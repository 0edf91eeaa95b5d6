use http::{HeaderValue, Method};

use super::server::{moved, reply};
use super::*;
use crate::net::signed_fetch::SharedFetchSigner;

fn document(request: &str) -> Vec<u8> {
    let ld = "content-type: application/ld+json;charset=utf-8; profile=\"https://www.w3.org/ns/activitystreams\"\r\n";
    let activity = "content-type: application/activity+json\r\n";
    match request.split(' ').nth(1).unwrap() {
        "/ld" => reply(200, ld, b"{}"),
        "/moved" => moved("hop"),
        "/hop" => moved("/ld"),
        "/private" => moved("https://10.0.0.1/"),
        "/missing" => reply(404, activity, b"{}"),
        "/gone" => reply(410, "content-type: text/html\r\n", b"gone"),
        "/html" => reply(200, "content-type: text/html\r\n", b"{}"),
        "/twice" => reply(200, &format!("{activity}{ld}"), b"{}"),
        "/large" => reply(200, activity, &vec![b' '; 1_100_000]),
        _ => reply(200, "", b"{}"),
    }
}

#[tokio::test]
async fn c6_the_library_gets_documents_with_their_final_url_or_errors() {
    let server = Server::start(document).await;
    let signer: SharedFetchSigner = Arc::new(|_: &Method, url: &Url| {
        let value = HeaderValue::from_str(url.path()).unwrap();
        HeaderMap::from_iter([("signature".parse().unwrap(), value)])
    });
    let fetcher = local(&[("m.example", &server)]).activitypub_client(Some(signer));
    let fetch = async |path: &str| {
        let request = fetcher.get(format!("http://m.example{path}"));
        request.header("accept", "application/activity+json").send().await
    };
    for path in ["/ld", "/moved"] {
        let response = fetch(path).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.url().as_str(), "http://m.example/ld");
        assert_eq!(response.headers()["content-type"], "application/activity+json");
        assert!(response.headers().get("location").is_none());
        assert_eq!(response.bytes().await.unwrap(), "{}");
    }
    assert!(server.requests().iter().all(|request| request.contains("signature: /")));
    assert_eq!(fetch("/gone").await.unwrap().status(), 410);
    for (path, error) in [
        ("/missing", NetError::UnexpectedStatus(http::StatusCode::NOT_FOUND)),
        ("/html", NetError::UnexpectedContentType),
        ("/twice", NetError::UnexpectedContentType),
        ("/untyped", NetError::UnexpectedContentType),
        ("/large", NetError::TooLarge(1024 * 1024)),
        ("/private", NetError::Guard(GuardError::IpLiteral)),
    ] {
        match fetch(path).await.unwrap_err() {
            reqwest_middleware::Error::Middleware(inner) => {
                assert_eq!(inner.downcast_ref(), Some(&error), "{path}");
            }
            other @ reqwest_middleware::Error::Reqwest(_) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn the_library_can_only_fetch() {
    let server = Server::start(document).await;
    let fetcher = local(&[("m.example", &server)]).activitypub_client(None);
    assert!(fetcher.post("http://m.example/inbox").send().await.is_err());
    assert_eq!(server.accepted(), 0);
}
