//! Auth: from the credentials on a request to a [`Caller`]. This is the only place that does it, for the proxy, the manual
//! logger and the API alike, so that every carrier gives the same rights.
//!
//! Keys are random and long, so the store keeps a plain BLAKE3 hash; a presented key is hashed before it touches anything
//! else. Known keys are remembered, and go on working while the database is away, for as long as that is, without a call
//! waiting for it; unknown ones are answered with [`AuthError::Unavailable`] then, never called unknown.

mod web;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use moka::future::Cache;
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::id::{KeyId, OrgId};
use crate::model::query::{KeyRow, Rights};
use crate::model::units::Micros;
use crate::store::{Store, StoreError};
pub use web::SignedIn;

/// How long a browser's session is remembered at most, while the database is away.
const BROWSERS: Duration = Duration::from_secs(24 * 3600);
/// How long a known key is believed before the store is asked again: the time in which a revoked key dies on every replica.
const FRESH: Duration = Duration::from_secs(15);
/// How long a call waits for the store to confirm a key that is known; past it the store counts as away.
const ASK_LIMIT: Duration = Duration::from_millis(250);
/// How often a store that is away is asked whether it is back.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long an unknown key is not asked for again.
const UNKNOWN: Duration = Duration::from_secs(5);

const HELICONE_AUTH: HeaderName = HeaderName::from_static("helicone-auth");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");
const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
/// Headers in which clients carry a provider's key, and perhaps one of ours.
static PROVIDER_KEYS: [HeaderName; 4] = [AUTHORIZATION, X_API_KEY, API_KEY, GOOGLE_KEY];

/// Who is calling: the tenant and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub org: OrgId,
    /// `None` where no key was needed and none was shown.
    pub key: Option<KeyId>,
    pub rights: Rights,
    pub via: Via,
}

/// What a caller showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A key in a header or a path.
    Key,
    /// The cookie of a browser that signed in.
    Cookie,
    /// Nothing: no key is needed here.
    Nothing,
}

/// Why there is no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("no API key was given: send Helicone-Auth: Bearer <key>, or Authorization: Bearer <key> to the API")]
    Missing,
    #[error("the API key is not known or was revoked")]
    Unknown,
    #[error("the API key does not have the right that this needs")]
    Forbidden,
    #[error("a page of another site may not do this: send an API key in a header")]
    CrossSite,
    #[error(
        "this gateway asks for no key because it listens on this machine only, so it answers only to names of this \
         machine: use 127.0.0.1 or localhost, send an API key, or set auth.mode"
    )]
    ForeignName,
    #[error(
        "this gateway asks for no key because it listens on this machine only, and this request came through a proxy \
         ({0}): send an API key, or set auth.mode"
    )]
    Forwarded(&'static str),
    #[error("the API key cannot be checked now: the database is away")]
    Unavailable,
}

/// Why a key could not be made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum AuthFault {
    #[error("a key can give only rights that its maker has")]
    TooMuch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The keeper of keys. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: Store,
    required: bool,
    /// No key is needed because the gateway can be reached from this machine alone.
    local: bool,
    /// The hash of `auth.key`, which is good whether the store can be asked or not.
    configured: Option<[u8; 32]>,
    known: Cache<[u8; 32], Known>,
    unknown: Cache<[u8; 32], ()>,
    /// The store did not answer in time: known keys are believed until [`Auth::watch`] finds it back.
    away: Arc<AtomicBool>,
    browsers: Cache<[u8; 32], web::Seen>,
    link: web::StartLink,
}

#[derive(Clone)]
struct Known {
    row: Arc<KeyRow>,
    asked: Instant,
}

/// What a proxied call showed: our own credentials taken out, the provider's left to be forwarded.
#[derive(Debug)]
pub struct Presented {
    pub method: Method,
    /// As the client sent it.
    pub host: Option<String>,
    /// From `Helicone-Auth`, or from the path.
    pub own: Option<SecretString>,
    /// It names its upstream itself.
    pub names_target: bool,
}

impl Auth {
    /// `required`: whether a call without a known key is refused.
    pub fn new(store: Store, required: bool) -> Self {
        Self {
            store,
            required,
            local: false,
            configured: None,
            // No limit on age: the store is asked again when it can be.
            known: Cache::builder().max_capacity(100_000).build(),
            unknown: Cache::builder().max_capacity(100_000).time_to_live(UNKNOWN).build(),
            away: Arc::default(),
            browsers: Cache::builder().max_capacity(10_000).time_to_live(BROWSERS).build(),
            link: web::StartLink::default(),
        }
    }

    /// The same with a key that is accepted before the store could be asked even once.
    #[must_use]
    pub fn with_key(mut self, key: Option<&SecretString>) -> Self {
        self.configured = key.map(|key| hash(key.expose_secret()));
        self
    }

    /// The same where no key is needed because only this machine can reach the gateway. A web page whose host name turns
    /// into a loopback address can, too, and its browser takes it for a page of ours ([`AuthError::ForeignName`]).
    #[must_use]
    pub const fn for_this_machine(mut self, local: bool) -> Self {
        self.local = local;
        self
    }

    /// Looks whether a store that is away is back, for as long as it is polled.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(ASK_AGAIN).await;
            if self.away.load(Ordering::Relaxed) && self.store.ping().await.is_ok() {
                self.away.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Whether a key is needed.
    pub const fn required(&self) -> bool {
        self.required
    }

    /// The caller of an API request or a manual log: by `Helicone-Auth`, `Authorization`, `x-api-key` or `api-key`, else by
    /// the cookie of a browser that signed in. A browser sends cookies for pages of any site, and reaches a server that asks
    /// for no key from any page; so without a key only pages of this server may change something.
    ///
    /// # Errors
    /// Without a known key or session where one is needed, when it cannot be checked, and when another site asks.
    pub async fn caller(&self, method: &Method, headers: &HeaderMap) -> Result<Caller, AuthError> {
        let carriers = [HELICONE_AUTH, AUTHORIZATION, X_API_KEY, API_KEY];
        let mut presented = false;
        for value in carriers.iter().filter_map(|name| headers.get(name)) {
            for candidate in candidates(value) {
                presented = true;
                if let Some(caller) = self.look_up(candidate).await? {
                    return Ok(caller);
                }
            }
        }
        let ambient = match self.by_cookie(headers).await? {
            Some(caller) => caller,
            None => self.without_key(presented)?,
        };
        if web::is_own_page(method, headers) { Ok(ambient) } else { Err(AuthError::CrossSite) }
    }

    /// The caller of a request that reads what was logged, or rules over it: as [`Auth::caller`], and nobody without a key
    /// under a name that a stranger may own, or who comes through a proxy: where only this machine was to reach the gateway, a
    /// proxy on it lets in whoever reaches that.
    ///
    /// # Errors
    /// As [`Auth::caller`], and [`AuthError::ForeignName`], [`AuthError::Forwarded`].
    pub async fn asker(&self, method: &Method, headers: &HeaderMap) -> Result<Caller, AuthError> {
        let caller = self.caller(method, headers).await?;
        if !self.local || caller.via != Via::Nothing {
            return Ok(caller);
        }
        if let Some(name) = web::forwarded_by(headers) {
            return Err(AuthError::Forwarded(name));
        }
        if web::is_local_name(web::host(headers)) { Ok(caller) } else { Err(AuthError::ForeignName) }
    }

    /// The caller of a proxied call. Whatever in the headers that carry keys is a key of ours is taken out of them, so that it
    /// never reaches a provider. Without a key of ours, pages of other sites may call only with a provider's key and from
    /// this machine, and under a name that a stranger may own nobody's browser may call, nor anybody choose the upstream.
    ///
    /// # Errors
    /// As [`Auth::caller`], and [`AuthError::ForeignName`].
    pub async fn admit(&self, headers: &mut HeaderMap, presented: &Presented) -> Result<Caller, AuthError> {
        web::strip_cookie(headers);
        let own = presented.own.as_ref().map(|secret| strip_bearer(secret.expose_secret()));
        let mut caller = None;
        if let Some(own) = own {
            caller = self.look_up(own).await?;
            if caller.is_none() && self.required {
                return Err(AuthError::Unknown);
            }
        }
        for name in &PROVIDER_KEYS {
            let mut all: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
            let mut changed = false;
            for value in &mut all {
                let search_all = self.required && caller.is_none();
                let (kept, found) = self.split_own(value, search_all).await?;
                caller = caller.or(found);
                changed |= !matches!(kept, Kept::All);
                match kept {
                    Kept::All => {}
                    Kept::Part(rest) => *value = rest,
                    Kept::Nothing => *value = HeaderValue::from_static(""),
                }
            }
            if changed {
                headers.remove(name);
                for value in all.into_iter().filter(|value| !value.is_empty()) {
                    headers.append(name, value);
                }
            }
        }
        match caller {
            Some(caller) => Ok(caller),
            None => {
                let stranger = self.without_key(own.is_some())?;
                self.may_call(headers, presented)?;
                Ok(stranger)
            }
        }
    }

    /// Whether a proxied call without a key of ours is none that a page of a stranger makes a browser send.
    fn may_call(&self, headers: &HeaderMap, presented: &Presented) -> Result<(), AuthError> {
        let host = presented.host.as_deref();
        let brings_key = PROVIDER_KEYS.iter().any(|name| headers.contains_key(name));
        let is_known =
            web::is_page_of(host, &presented.method, headers) || (brings_key && web::is_page_of_this_machine(headers));
        if !is_known {
            return Err(AuthError::CrossSite);
        }
        let is_foreign = self.local && !web::is_local_name(host) && !web::is_helicones_name(host);
        if is_foreign && (presented.names_target || web::is_browser(headers)) {
            return Err(AuthError::ForeignName);
        }
        Ok(())
    }

    /// Splits one credential header into what is ours and what is the provider's. Parts that do not look like ours are
    /// looked up only if `search_all`: a provider's key is nobody's business otherwise.
    async fn split_own(&self, value: &HeaderValue, search_all: bool) -> Result<(Kept, Option<Caller>), AuthError> {
        let Ok(text) = value.to_str() else { return Ok((Kept::All, None)) };
        let mut found = None;
        let mut rest = Vec::new();
        for part in text.split(',') {
            let key = strip_bearer(part);
            let ours = if looks_own(key) || search_all { self.look_up(key).await? } else { None };
            match ours {
                Some(caller) => found = found.or(Some(caller)),
                // A key in our form never goes to a provider, known or not.
                None if looks_own(key) => {}
                None => rest.push(part.trim()),
            }
        }
        if rest.len() == text.split(',').count() {
            return Ok((Kept::All, found));
        }
        let kept = match HeaderValue::from_str(&rest.join(", ")) {
            Ok(mut value) if !rest.is_empty() => {
                value.set_sensitive(true);
                Kept::Part(value)
            }
            _ => Kept::Nothing,
        };
        Ok((kept, found))
    }

    fn without_key(&self, presented: bool) -> Result<Caller, AuthError> {
        match (self.required, presented) {
            (false, _) => Ok(Caller { org: OrgId::DEFAULT, key: None, rights: Rights::ALL, via: Via::Nothing }),
            (true, true) => Err(AuthError::Unknown),
            (true, false) => Err(AuthError::Missing),
        }
    }

    async fn look_up(&self, key: &str) -> Result<Option<Caller>, AuthError> {
        if key.is_empty() {
            return Ok(None);
        }
        let hash = hash(key);
        let remembered = self.known.get(&hash).await;
        if let Some(known) = &remembered
            && (known.asked.elapsed() < FRESH || self.away.load(Ordering::Relaxed))
        {
            return Ok(Some(caller_of(&known.row)));
        }
        if remembered.is_none() && self.unknown.contains_key(&hash) {
            return Ok(None);
        }
        match (self.ask(&hash, remembered.is_some()).await, remembered) {
            (Ok(Some(row)), _) => {
                let row = Arc::new(row);
                self.known.insert(hash, Known { row: Arc::clone(&row), asked: Instant::now() }).await;
                Ok(Some(caller_of(&row)))
            }
            (Ok(None), _) => {
                self.known.invalidate(&hash).await;
                self.unknown.insert(hash, ()).await;
                Ok(None)
            }
            (Err(_), Some(known)) => Ok(Some(caller_of(&known.row))),
            (Err(_), None) if self.configured == Some(hash) => {
                Ok(Some(Caller { org: OrgId::DEFAULT, key: None, rights: Rights::ALL, via: Via::Key }))
            }
            (Err(error), None) if self.required => {
                tracing::warn!(%error, "auth.key_check_failed");
                Err(AuthError::Unavailable)
            }
            (Err(_), None) => Ok(None),
        }
    }

    /// Asks the store, not for long where the answer can be done without.
    async fn ask(&self, hash: &[u8; 32], dispensable: bool) -> Result<Option<KeyRow>, StoreError> {
        let dispensable = dispensable || !self.required || self.configured.as_ref() == Some(hash);
        if dispensable && self.away.load(Ordering::Relaxed) {
            return Err(StoreError::away());
        }
        let limit = if dispensable { ASK_LIMIT } else { Duration::MAX };
        let answer = tokio::time::timeout(limit, self.store.key_by_hash(hash)).await;
        let answer = answer.unwrap_or_else(|_| Err(StoreError::away()));
        self.away.store(answer.is_err(), Ordering::Relaxed);
        answer
    }

    /// Makes a key; the secret is shown this once.
    ///
    /// # Errors
    /// When it would have more rights than its maker, or the store fails.
    pub async fn create_key(
        &self,
        by: &Caller,
        name: &str,
        rights: Rights,
    ) -> Result<(KeyRow, SecretString), AuthFault> {
        if !by.rights.includes(rights) {
            return Err(AuthFault::TooMuch);
        }
        let (row, secret) = new_key(by.org, name, rights);
        self.store.insert_key(&row, &hash(secret.expose_secret())).await?;
        Ok((row, secret))
    }

    /// The organisation's keys, revoked ones included.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keys(&self, org: OrgId) -> Result<Vec<KeyRow>, AuthFault> {
        Ok(self.store.keys(org).await?)
    }

    /// Revokes a key; false if the organisation has none of that id. On other replicas it dies within [`FRESH`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revoke(&self, org: OrgId, id: KeyId) -> Result<bool, AuthFault> {
        let revoked = self.store.revoke_key(org, id).await?;
        // That key alone: the others must stay known should the database go away now.
        let its: Vec<_> = self.known.iter().filter(|(_, known)| known.row.id == id).map(|(hash, _)| hash).collect();
        for hash in its {
            self.known.invalidate(hash.as_ref()).await;
        }
        self.browsers.invalidate_all();
        Ok(revoked)
    }

    /// At the first start with keys required: makes the first key of the default organisation. `None` if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_key(&self) -> Result<Option<SecretString>, AuthFault> {
        let (row, secret) = new_key(OrgId::DEFAULT, "first key", Rights::ALL);
        let made = self.store.insert_first_key(&row, &hash(secret.expose_secret())).await?;
        Ok(made.then_some(secret))
    }

    /// Accepts the key of `auth.key`, with all rights in the default organisation. The one that was configured before is
    /// revoked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn accept(&self, key: &SecretString) -> Result<(), AuthFault> {
        let (row, _) = new_key(OrgId::DEFAULT, "auth.key", Rights::ALL);
        self.store.replace_key(&row, &hash(key.expose_secret())).await?;
        Ok(())
    }
}

enum Kept {
    All,
    Part(HeaderValue),
    Nothing,
}

fn caller_of(row: &KeyRow) -> Caller {
    Caller { org: row.org, key: Some(row.id), rights: row.rights, via: Via::Key }
}

/// The keys that a header value may hold: `Bearer a`, `a`, or `Bearer a, Bearer b`.
fn candidates(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(strip_bearer).filter(|key| !key.is_empty())
}

fn strip_bearer(text: &str) -> &str {
    let text = text.trim();
    match text.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer ") => key.trim(),
        _ if text.eq_ignore_ascii_case("bearer") => "",
        _ => text,
    }
}

fn looks_own(key: &str) -> bool {
    key.starts_with("sk-helicone-") || key.starts_with("pk-helicone-")
}

/// What the store knows a key by.
pub fn hash(key: &str) -> [u8; 32] {
    blake3::derive_key("trailgate 2026 api key", key.as_bytes())
}

/// A key in the form that Helicone's clients expect: `sk-helicone-` and four groups of seven base-32 letters, 140 random bits.
fn new_key(org: OrgId, name: &str, rights: Rights) -> (KeyRow, SecretString) {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0_u8; 28];
    rand::rng().fill_bytes(&mut random);
    let mut text = String::from("sk-helicone");
    for (n, byte) in random.into_iter().enumerate() {
        if n % 7 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
        text.push(char::from(letter));
    }
    let row = KeyRow {
        id: KeyId::generate(),
        org,
        name: name.to_owned(),
        rights,
        created_at: Micros::now(),
        revoked_at: None,
    };
    (row, SecretString::from(text))
}

#[cfg(test)]
mod tests;
