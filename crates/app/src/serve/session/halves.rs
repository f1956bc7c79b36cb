//! Both halves of a session in the head of a request: the cookie, and the key in a header. Pure.
//!
//! A browser also sends a cookie to other ports of the same host, and with requests that pages there
//! make. So the cookie opens nothing without the key, which only the console's own pages can read.

use axum::http::{HeaderMap, Method, header, request::Parts};
use mailhaul_operations::Peer;

/// Cookie of the console. Its prefix makes browsers refuse one that another host or path set.
const COOKIE: &str = "__Host-mailhaul";
/// The same cookie for browsers that refuse the prefix without TLS.
const CLEAR_COOKIE: &str = "mailhaul";
/// Header with the key.
const KEY: &str = "mailhaul-key";

/// Parts of a session that a request shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halves<'a> {
    None,
    /// Only the cookie or only the key.
    One,
    Both {
        cookie: &'a str,
        key: &'a str,
    },
}

impl<'a> Halves<'a> {
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let key = headers.get(KEY).and_then(|it| it.to_str().ok());
        match (cookie(headers), key) {
            (Some(cookie), Some(key)) => Self::Both { cookie, key },
            (None, None) => Self::None,
            _ => Self::One,
        }
    }
}

/// Cookie half. Alone it opens nothing but a one-time link of its own session.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let pairs: Vec<(&str, &str)> =
        all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('=')).collect();
    [COOKIE, CLEAR_COOKIE]
        .iter()
        .find_map(|name| pairs.iter().find(|(it, _)| it == name).map(|(_, value)| *value))
}

/// Returns the `Set-Cookie` headers of a new session; of an ended one if the value is empty.
pub(crate) fn set_cookies(value: &str, is_encrypted: bool) -> Vec<String> {
    let end = if value.is_empty() { "; Max-Age=0" } else { "" };
    let mut cookies = vec![format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{end}")];
    if !is_encrypted {
        cookies.push(format!("{CLEAR_COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{end}"));
    }
    cookies
}

/// True if a page of this origin sent the request, or if the request changes nothing.
pub(crate) fn is_same_origin(head: &Parts) -> bool {
    if [Method::GET, Method::HEAD].contains(&head.method) {
        return true;
    }
    let text = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let is_encrypted = head.extensions.get::<Peer>().is_some_and(|peer| peer.is_encrypted);
    let scheme = if is_encrypted { "https" } else { "http" };
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin == format!("{scheme}://{host}"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(method: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn one_half_is_seen_as_one() {
        let (cookie, key) = (("cookie", "a=b; __Host-mailhaul=c"), ("mailhaul-key", "k"));
        assert_eq!(Halves::of(&head("GET", &[]).headers), Halves::None);
        assert_eq!(Halves::of(&head("GET", &[cookie]).headers), Halves::One);
        assert_eq!(Halves::of(&head("GET", &[key]).headers), Halves::One);
        let both = Halves::Both { cookie: "c", key: "k" };
        assert_eq!(Halves::of(&head("GET", &[cookie, key]).headers), both);
        assert_eq!(Halves::of(&head("GET", &[("cookie", "x__Host-mailhaul=c"), key]).headers), Halves::One);
    }

    #[test]
    fn changes_need_the_same_origin() {
        let (host, site) = (("host", "127.0.0.1:7"), |site| ("sec-fetch-site", site));
        let origin = |origin| ("origin", origin);
        assert!(is_same_origin(&head("POST", &[host, site("same-origin")])));
        assert!(is_same_origin(&head("POST", &[host, origin("http://127.0.0.1:7")])));
        assert!(is_same_origin(&head("GET", &[])));
        for headers in [
            vec![],
            vec![host],
            vec![host, site("same-site"), origin("http://127.0.0.1:7")],
            vec![host, site("cross-site")],
            vec![host, site("none")],
            vec![host, origin("http://127.0.0.1:8")],
            vec![host, origin("https://127.0.0.1:7")],
            vec![host, origin("null")],
        ] {
            assert!(!is_same_origin(&head("POST", &headers)), "{headers:?}");
        }
    }
}
