//! The header policy: what of a request's head goes upstream, what of an answer's head goes to the client, and what of
//! both is kept. End-to-end headers pass in the case in which they were written, and those of one name in their order;
//! between names the order is not kept, as it means nothing (RFC 9110, 5.3). Hop-by-hop headers (7.6.1) and everything of ours
//! stop here.

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::headers::{Headers, is_credential};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const PROXY_AUTHORIZATION: HeaderName = HeaderName::from_static("proxy-authorization");
const PROXY_AUTHENTICATE: HeaderName = HeaderName::from_static("proxy-authenticate");

/// Takes out of a request what does not go upstream. `Host` is written anew from the upstream's address; `Expect` was
/// answered by this server; `TE: trailers` may pass, as this proxy passes trailers on.
pub fn strip_request(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.remove(HOST);
    headers.remove(EXPECT);
    headers.remove(PROXY_AUTHORIZATION);
}

/// Whether a request asks to go on as a WebSocket (RFC 6455 4.1).
pub fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let names = |header: HeaderName, wanted: &str| {
        let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(wanted))
    };
    headers.contains_key(UPGRADE) && names(UPGRADE, "websocket") && names(CONNECTION, "upgrade")
}

/// Takes out of an answer what belongs to the upstream connection only.
pub fn strip_response(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.remove(PROXY_AUTHENTICATE);
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let nominated: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in nominated {
            // Framing is not the sender's to take away.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING && name != TE {
                headers.remove(name);
            }
        }
        headers.remove(CONNECTION);
    }
    // A length beside a transfer coding means nothing (RFC 9112, 6.3): the next one to read it would cut the body there.
    if headers.remove(TRANSFER_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, UPGRADE] {
        headers.remove(name);
    }
    if let Some(te) = headers.get(TE) {
        let trailers =
            te.to_str().is_ok_and(|te| te.split(',').any(|item| item.trim().eq_ignore_ascii_case("trailers")));
        if trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        } else {
            headers.remove(TE);
        }
    }
}

/// Headers for the record: names in lower case, credentials blanked, bytes that are no UTF-8 replaced.
pub fn kept(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .map(|(name, value)| {
            let secret = is_credential(name.as_str());
            (name.as_str(), if secret { "[redacted]".into() } else { String::from_utf8_lossy(value.as_bytes()) })
        })
        .collect()
}

/// A header's value as text, if it is there and is text.
pub fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        lines.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap())).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn hop_by_hop_headers_stop_here() {
        let mut request = map(&[
            ("host", "h"),
            ("connection", "close, X-Secret, content-length"),
            ("x-secret", "s"),
            ("keep-alive", "5"),
            ("te", "gzip, trailers"),
            ("upgrade", "h2c"),
            ("expect", "100-continue"),
            ("proxy-authorization", "p"),
            ("content-length", "3"),
            ("accept", "*/*"),
        ]);
        strip_request(&mut request);
        assert_eq!(names(&request), ["accept", "content-length", "te"]);
        assert_eq!(request["te"], "trailers");
    }

    #[test]
    fn a_length_beside_a_transfer_coding_is_none() {
        let both = [("content-length", "3"), ("transfer-encoding", "chunked"), ("accept", "*/*")];
        let (mut request, mut answer) = (map(&both), map(&both));
        strip_request(&mut request);
        strip_response(&mut answer);
        assert_eq!((names(&request), names(&answer)), (vec!["accept"], vec!["accept"]));
    }

    #[test]
    fn answers_keep_what_is_end_to_end() {
        let mut answer =
            map(&[("connection", "keep-alive"), ("trailer", "x-sum"), ("set-cookie", "a=b"), ("te", "gzip")]);
        strip_response(&mut answer);
        assert_eq!(names(&answer), ["set-cookie", "trailer"]);
    }

    #[test]
    fn credentials_are_not_kept() {
        let kept = kept(&map(&[
            ("authorization", "Bearer s"),
            ("x-custom-token", "s"),
            ("openai-organization", "org"),
            ("cookie", "s"),
        ]));
        let kept = kept.lines();
        assert!(kept.iter().all(|(_, value)| value != "s" && !value.contains("Bearer")), "{kept:?}");
        assert!(kept.contains(&("openai-organization".to_owned(), "org".to_owned())));
    }
}
