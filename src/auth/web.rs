//! Browsers: the cookie of a signed-in session, the link that is printed at start, and whether a request comes from a page
//! of this server. The only place that mints sessions.
//!
//! The cookie is random and says nothing; the server keeps its hash, whose row decides. A session ends after [`IDLE`]
//! without use, at the latest after [`ABSOLUTE`], when its browser signs out, and when its key is revoked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, HOST, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::{Auth, AuthError, Caller, FRESH, Via};
use crate::model::id::{KeyId, OrgId};
use crate::model::query::WebSession;
use crate::model::units::Micros;

/// How long a session lives without being used.
const IDLE: Duration = Duration::from_secs(3 * 24 * 3600);
/// How long a session lives at most.
const ABSOLUTE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How far the recorded last use may lag behind.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);
/// How long the link printed at start can be used.
const LINK: Duration = Duration::from_secs(3600);

/// The cookie's name on plain HTTP, and on HTTPS, where browsers hold names with this prefix to this very host.
const PLAIN: &str = "trailgate_session";
const SECURE: &str = "__Host-trailgate_session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The link printed at start: its hash and when it was made, until it is used.
#[derive(Clone, Default)]
pub(super) struct StartLink(Arc<Mutex<Option<Made>>>);

/// A token's hash, and when it was made.
type Made = ([u8; 32], Instant);

/// What a browser is believed to be for a while.
#[derive(Clone)]
pub(super) struct Seen {
    session: WebSession,
    asked: Instant,
}

/// A session that was just minted.
#[derive(Debug)]
pub struct SignedIn {
    pub caller: Caller,
    /// For `Set-Cookie`.
    pub cookie: HeaderValue,
}

impl Auth {
    /// A session for a key.
    ///
    /// # Errors
    /// [`AuthError::Unknown`] for a key that is none, [`AuthError::Unavailable`] when it cannot be checked.
    pub async fn sign_in(&self, key: &SecretString, headers: &HeaderMap) -> Result<SignedIn, AuthError> {
        let Some(caller) = self.look_up(key.expose_secret().trim()).await? else { return Err(AuthError::Unknown) };
        self.mint(caller.org, caller.key, headers).await
    }

    /// A session for the link that was printed at start, which then is used up.
    ///
    /// # Errors
    /// As [`Auth::sign_in`].
    pub async fn sign_in_by_link(&self, token: &SecretString, headers: &HeaderMap) -> Result<SignedIn, AuthError> {
        let presented = hash(token.expose_secret());
        {
            let mut link = self.link.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fits =
                link.as_ref().is_some_and(|(known, made)| bool::from(known.ct_eq(&presented)) && made.elapsed() < LINK);
            if !fits {
                return Err(AuthError::Unknown);
            }
            *link = None;
        }
        self.mint(OrgId::DEFAULT, None, headers).await
    }

    /// Makes the link's token; one that was made before is worth nothing from now on.
    pub fn start_link(&self) -> SecretString {
        let token = random();
        *self.link.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((hash(&token), Instant::now()));
        SecretString::from(token)
    }

    /// Ends the session of the request's cookie, if it has one, and gives the cookie that replaces it.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] when the session cannot be ended now.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<HeaderValue, AuthError> {
        for token in tokens(headers) {
            let hash = hash(token);
            if let Err(error) = self.store.delete_web_session(&hash).await {
                tracing::warn!(%error, "auth.sign_out_failed");
                return Err(AuthError::Unavailable);
            }
            self.browsers.invalidate(&hash).await;
        }
        Ok(cookie("", 0, is_https(headers)))
    }

    /// Whether a request without a key may change something ([`is_own_page`]), for what needs no caller.
    pub fn is_own_page(&self, method: &Method, headers: &HeaderMap) -> bool {
        is_own_page(method, headers)
    }

    async fn mint(&self, org: OrgId, key: Option<KeyId>, headers: &HeaderMap) -> Result<SignedIn, AuthError> {
        let token = random();
        let now = Micros::now();
        let hash = hash(&token);
        let unavailable = |error: crate::store::StoreError| {
            tracing::warn!(%error, "auth.sign_in_failed");
            AuthError::Unavailable
        };
        self.store.insert_web_session(&hash, org, key, now).await.map_err(unavailable)?;
        let session = self.store.web_session(&hash).await.map_err(unavailable)?.ok_or(AuthError::Unknown)?;
        let (created, seen) = (now.plus_us(-micros(ABSOLUTE)), now.plus_us(-micros(IDLE)));
        if let Err(error) = self.store.delete_old_web_sessions(created, seen).await {
            tracing::warn!(%error, "auth.old_sessions_stay");
        }
        let cookie = cookie(&token, ABSOLUTE.as_secs(), is_https(headers));
        Ok(SignedIn { caller: caller_of(&session), cookie })
    }

    /// The caller of the request's cookie.
    pub(super) async fn by_cookie(&self, headers: &HeaderMap) -> Result<Option<Caller>, AuthError> {
        for token in tokens(headers) {
            if let Some(session) = self.web_session(&hash(token)).await? {
                return Ok(Some(caller_of(&session)));
            }
        }
        Ok(None)
    }

    async fn web_session(&self, hash: &[u8; 32]) -> Result<Option<WebSession>, AuthError> {
        let remembered = self.browsers.get(hash).await;
        if let Some(seen) = &remembered
            && seen.asked.elapsed() < FRESH
        {
            return Ok(alive(seen.session));
        }
        let session = match (self.store.web_session(hash).await, remembered) {
            (Ok(Some(session)), _) => session,
            (Ok(None), _) => {
                self.browsers.invalidate(hash).await;
                return Ok(None);
            }
            (Err(_), Some(seen)) => seen.session,
            (Err(error), None) => {
                tracing::warn!(%error, "auth.session_check_failed");
                return Err(AuthError::Unavailable);
            }
        };
        let Some(mut session) = alive(session) else { return Ok(None) };
        let now = Micros::now();
        if now - session.seen_at > micros(SEEN_EVERY) && self.store.web_session_seen(hash, now).await.is_ok() {
            session.seen_at = now;
        }
        self.browsers.insert(*hash, Seen { session, asked: Instant::now() }).await;
        Ok(Some(session))
    }
}

fn alive(session: WebSession) -> Option<WebSession> {
    let now = Micros::now();
    let within = now - session.created_at < micros(ABSOLUTE) && now - session.seen_at < micros(IDLE);
    within.then_some(session)
}

fn caller_of(session: &WebSession) -> Caller {
    Caller { org: session.org, key: session.key, rights: session.rights, via: Via::Cookie }
}

/// Whether a request whose right is not in its headers (a cookie, or no key needed) may change something: not if a browser
/// sends it for a page of another origin. Programs that are no browsers say nothing of an origin and may.
pub(super) fn is_own_page(method: &Method, headers: &HeaderMap) -> bool {
    is_page_of(host(headers), method, headers)
}

/// The same for a request whose host was taken out of its headers.
pub(super) fn is_page_of(host: Option<&str>, method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    origin(headers).zip(host).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Host and port of the page that a browser sends a request for.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let (_, authority) = headers.get(ORIGIN)?.to_str().ok()?.split_once("://")?;
    Some(authority)
}

/// Whether a page that this machine serves makes its browser send this: somebody tries an application out.
pub(super) fn is_page_of_this_machine(headers: &HeaderMap) -> bool {
    origin(headers).is_some_and(|page| is_local_name(Some(page)))
}

/// Whether it looks like a browser's. What these send, a page can change but not take away.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
    agent || [ORIGIN, REFERER, SEC_FETCH_SITE].iter().any(|name| headers.contains_key(name))
}

/// Which header says that a proxy passed a request on.
pub(super) fn forwarded_by(headers: &HeaderMap) -> Option<&'static str> {
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
        .into_iter()
        .find(|name| headers.contains_key(*name))
}

/// The host that was asked for.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    // What is no text is no name of ours.
    headers.get(HOST).map(|host| host.to_str().unwrap_or("?.invalid"))
}

/// Whether the name is one of Helicone's own, which clients that were moved here may still use.
pub(super) fn is_helicones_name(host: Option<&str>) -> bool {
    let name = without_port(host.unwrap_or_default()).to_ascii_lowercase();
    [".helicone.ai", ".hconeai.com"].iter().any(|end| name.ends_with(end))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether the host name that was asked for is one that only this machine or its network gives out: an address, a name of
/// one label, or one below a top label that nobody can register (RFC 6761, RFC 8375 and the customs of networks).
pub(super) fn is_local_name(host: Option<&str>) -> bool {
    const LOCAL: [&str; 6] = ["localhost", "local", "internal", "lan", "test", "home.arpa"];
    let Some(host) = host else { return true };
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    name.starts_with('[')
        || name.parse::<std::net::IpAddr>().is_ok()
        || !name.contains('.')
        || LOCAL.iter().any(|top| name.strip_suffix(top).is_some_and(|rest| rest.ends_with('.')))
}

/// Takes our cookie out of a request that goes to a provider.
pub(super) fn strip_cookie(headers: &mut HeaderMap) {
    if !headers.get_all(COOKIE).iter().any(|value| value.as_bytes().windows(PLAIN.len()).any(|w| w == PLAIN.as_bytes()))
    {
        return;
    }
    let kept: Vec<HeaderValue> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| {
            let text = value.to_str().ok()?;
            let others: Vec<&str> = text.split(';').map(str::trim).filter(|pair| !is_ours(pair)).collect();
            let mut value = HeaderValue::from_str(&others.join("; ")).ok().filter(|_| !others.is_empty())?;
            value.set_sensitive(true);
            Some(value)
        })
        .collect();
    headers.remove(COOKIE);
    for value in kept {
        headers.append(COOKIE, value);
    }
}

fn is_ours(pair: &str) -> bool {
    pair.split_once('=').is_some_and(|(name, _)| name == PLAIN || name == SECURE)
}

/// What our cookies hold; the one that only HTTPS can have set comes first.
fn tokens(headers: &HeaderMap) -> Vec<&str> {
    let all: Vec<(&str, &str)> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .collect();
    [SECURE, PLAIN]
        .into_iter()
        .filter_map(|name| all.iter().find(|(known, value)| *known == name && !value.is_empty()))
        .map(|(_, value)| *value)
        .collect()
}

/// Whether the browser's page came over HTTPS. Only the browser knows: it may be that a proxy ends TLS before us.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn cookie(token: &str, max_age: u64, https: bool) -> HeaderValue {
    let (name, secure) = if https { (SECURE, "; Secure") } else { (PLAIN, "") };
    let text = format!("{name}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// 256 random bits as text.
fn random() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(token: &str) -> [u8; 32] {
    blake3::derive_key("trailgate 2026 web session", token.as_bytes())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn only_pages_of_this_server_change_things_without_a_key() {
        for (pairs, own) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "http://a:1"), ("host", "a:1")], false),
            (vec![("origin", "http://a:1"), ("host", "a:1")], true),
            (vec![("origin", "https://A"), ("host", "a")], true),
            (vec![("origin", "http://a:2"), ("host", "a:1")], false),
            (vec![("origin", "http://evil"), ("host", "a")], false),
            (vec![("origin", "null"), ("host", "null")], false),
            (vec![("origin", "http://a")], false),
        ] {
            assert_eq!(is_own_page(&Method::POST, &headers(&pairs)), own, "{pairs:?}");
            assert_eq!(is_own_page(&Method::DELETE, &headers(&pairs)), own, "{pairs:?}");
            assert!(is_own_page(&Method::GET, &headers(&pairs)));
        }
    }

    #[test]
    fn names_that_strangers_may_own_are_told_from_those_of_the_machine() {
        for (host, local) in [
            ("127.0.0.1:8787", true),
            ("[::1]:8787", true),
            ("::1", true),
            ("localhost:8787", true),
            ("LOCALHOST.", true),
            ("trailgate:8787", true),
            ("oai.localhost:8787", true),
            ("host.docker.internal:8787", true),
            ("gateway.home.arpa", true),
            ("evil.example.com:8787", false),
            ("localhost.evil.com", false),
            ("127.0.0.1.evil.com:8787", false),
            ("notlocal", true),
            ("evil.notlocal", false),
            ("evil.com:x", false),
        ] {
            assert_eq!(is_local_name(Some(host)), local, "{host}");
        }
        assert!(is_local_name(None));
        let mut odd = HeaderMap::new();
        odd.insert(HOST, HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert!(!is_local_name(super::host(&odd)));
        assert!(is_helicones_name(Some("oai.helicone.ai:8787")) && is_helicones_name(Some("OAI.hconeai.com")));
        assert!(!is_helicones_name(Some("helicone.ai.evil.com")) && !is_helicones_name(Some("evilhelicone.ai")));
    }

    #[test]
    fn cookies_are_found_among_others_and_never_forwarded() {
        let mut map = headers(&[("cookie", "a=b; trailgate_session=x"), ("cookie", "__Host-trailgate_session=y; c=d")]);
        assert_eq!(tokens(&map), ["y", "x"]);
        strip_cookie(&mut map);
        let left: Vec<&HeaderValue> = map.get_all(COOKIE).iter().collect();
        assert_eq!(left, ["a=b", "c=d"]);
        let mut alone = headers(&[("cookie", "trailgate_session=x")]);
        strip_cookie(&mut alone);
        assert!(alone.is_empty());
        let mut foreign = headers(&[("cookie", "not_trailgate=x;  odd")]);
        strip_cookie(&mut foreign);
        assert_eq!(foreign[COOKIE], "not_trailgate=x;  odd", "what is not ours passes byte for byte");
    }

    #[test]
    fn cookies_are_bound_to_the_host_where_the_page_is_https() {
        let plain = cookie("t", 5, false);
        assert_eq!(plain, "trailgate_session=t; Path=/; Max-Age=5; HttpOnly; SameSite=Lax");
        let secure = cookie("t", 5, true);
        assert_eq!(secure, "__Host-trailgate_session=t; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure");
        assert!(secure.is_sensitive());
    }
}
