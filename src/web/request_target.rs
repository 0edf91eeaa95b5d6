//! The host that a request names: in its target, in `:authority` or in `Host`.
//!
//! Everything after this reads `Host` alone. HTTP/2 sends it as `:authority` (RFC 9113 section 8.3.1). An absolute-form
//! target of HTTP/1.1, which proxies receive, takes the place of `Host` (RFC 9112 section 3.2.2); whoever sends one for
//! another host takes this server for a proxy.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Version};

use super::error::WebError;
use crate::domain::origin::Origin;

/// Sets `Host` to the host that the target of the request names, if it names one.
///
/// # Errors
/// If an absolute-form target names another host than ours, or `Host` contradicts `:authority`.
pub(super) fn resolve_host(request: &mut Request, ours: &Origin) -> Result<(), WebError> {
    let Some(authority) = request.uri().authority() else { return Ok(()) };
    let authority = authority.as_str();
    if request.version() < Version::HTTP_2 {
        if !is_same_host(authority, ours.authority()) {
            return Err(WebError::Misdirected);
        }
    } else if contradicts(request, authority) {
        return Err(WebError::BadRequest("Host differs from :authority".to_owned()));
    }
    let host = HeaderValue::from_str(authority)
        .map_err(|_| WebError::BadRequest("the host is not valid".to_owned()))?;
    request.headers_mut().insert(HOST, host);
    Ok(())
}

/// Whether a `Host` header names another host than `:authority` does.
fn contradicts(request: &Request, authority: &str) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    hosts.any(|host| !host.to_str().is_ok_and(|host| is_same_host(host, authority)))
}

/// Whether both name the same host. The default port may be omitted; behind a proxy, it is that of HTTPS.
fn is_same_host(one: &str, other: &str) -> bool {
    let bare = |host: &str| {
        let port = [":443", ":80"].into_iter().find_map(|port| host.strip_suffix(port));
        port.unwrap_or(host).to_ascii_lowercase()
    };
    one.eq_ignore_ascii_case(other) || bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// The `Host` of a request, or the status of its rejection.
    fn host(version: Version, target: &str, hosts: &[&str], ours: &str) -> Result<Option<String>, u16> {
        use axum::response::IntoResponse as _;

        let mut request = Request::builder().version(version).uri(target).body(Body::empty()).unwrap();
        for host in hosts {
            request.headers_mut().append(HOST, host.parse().unwrap());
        }
        resolve_host(&mut request, &Origin::parse(ours).unwrap())
            .map_err(|error| error.into_response().status().as_u16())?;
        let mut all = request.headers().get_all(HOST).iter();
        let host = all.next().map(|host| host.to_str().unwrap().to_owned());
        assert!(all.count() < hosts.len().max(1));
        Ok(host)
    }

    const OURS: &str = "https://crit.example";

    #[test]
    fn an_absolute_form_target_of_another_host_is_misdirected() {
        let host = |target, ours| host(Version::HTTP_11, target, &["crit.example"], ours);
        for target in [
            "http://other.example/",
            "https://other.example/ap/inbox",
            "https://crit.example:8443/",
            "https://crit.example.other.example/",
            "https://user@crit.example/",
            "http://127.0.0.1/",
            "other.example:443",
        ] {
            assert_eq!(host(target, OURS), Err(421), "{target}");
        }
        for target in ["http://crit.example/", "https://CRIT.example:443/a?b", "http://crit.example:80/"] {
            assert!(host(target, OURS).is_ok(), "{target}");
        }
        let trial = "http://localhost:8080";
        assert!(host("http://localhost:8080/", trial).is_ok());
        assert_eq!(host("http://localhost:9090/", trial), Err(421));
        assert_eq!(host("http://localhost/", trial), Err(421));
    }

    #[test]
    fn an_absolute_form_target_takes_the_place_of_host() {
        for hosts in [&["other.example"][..], &[], &["crit.example", "other.example"]] {
            let host = host(Version::HTTP_11, "https://Crit.Example/", hosts, OURS);
            assert_eq!(host, Ok(Some("Crit.Example".to_owned())), "{hosts:?}");
        }
    }

    #[test]
    fn an_origin_form_target_leaves_host_as_it_is() {
        for name in ["crit.example", "other.example", "localhost:8080"] {
            assert_eq!(host(Version::HTTP_11, "/a?b", &[name], OURS), Ok(Some(name.to_owned())));
        }
        assert_eq!(host(Version::HTTP_11, "/", &[], OURS), Ok(None));
    }

    #[test]
    fn the_authority_of_http_2_counts_as_host() {
        let host = |target, hosts| host(Version::HTTP_2, target, hosts, OURS);
        assert_eq!(host("https://crit.example/", &[]), Ok(Some("crit.example".to_owned())));
        assert_eq!(host("https://other.example/", &[]), Ok(Some("other.example".to_owned())));
        for same in [&["crit.example"][..], &["CRIT.example:443"], &["crit.example", "crit.example"]] {
            assert_eq!(host("https://crit.example/", same), Ok(Some("crit.example".to_owned())), "{same:?}");
        }
        for other in
            [&["other.example"][..], &["crit.example:8443"], &["crit.example", "other.example"], &[""]]
        {
            assert_eq!(host("https://crit.example/", other), Err(400), "{other:?}");
        }
        assert_eq!(host("https://other.example/", &["crit.example"]), Err(400));
    }
}
