use super::*;
use crate::store::StoreOptions;

#[test]
fn keys_have_the_form_that_clients_check() {
    let (_, secret) = new_key(OrgId::DEFAULT, "x", Rights::ALL);
    let groups: Vec<&str> = secret.expose_secret().strip_prefix("sk-helicone-").unwrap().split('-').collect();
    assert_eq!(groups.len(), 4);
    assert!(groups.iter().all(|g| g.len() == 7 && g.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())));
    let (_, other) = new_key(OrgId::DEFAULT, "x", Rights::ALL);
    assert_ne!(secret.expose_secret(), other.expose_secret());
}

#[test]
fn a_header_may_hold_one_key_or_two() {
    let of = |text: &str| candidates(&HeaderValue::from_str(text).unwrap()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of("Bearer a"), ["a"]);
    assert_eq!(of("bearer  a , Bearer b"), ["a", "b"]);
    assert_eq!(of("a"), ["a"]);
    assert_eq!(of("Bearer "), Vec::<String>::new());
}

#[tokio::test]
async fn known_keys_outlive_a_store_that_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        url: format!("sqlite://{}", dir.path().join("t.db").display()),
        max_read_connections: 1,
        statement_timeout: Duration::from_secs(10),
    };
    let store = Store::open(&options).await.unwrap();
    store.migrate().await.unwrap();
    let from_config = SecretString::from("sk-helicone-config".to_owned());
    let auth = Auth::new(store.clone(), true).with_key(Some(&from_config));
    let by = Caller { org: OrgId::DEFAULT, key: None, rights: Rights::ALL, via: Via::Key };
    let (row, known) = auth.create_key(&by, "known", Rights::ALL).await.unwrap();
    let (other, revoked) = auth.create_key(&by, "revoked", Rights::ALL).await.unwrap();
    let ask = async |key: &SecretString| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {}", key.expose_secret()).parse().unwrap());
        auth.caller(&Method::POST, &headers).await
    };
    assert_eq!(ask(&known).await.unwrap().key, Some(row.id));
    assert_eq!(ask(&revoked).await.unwrap().key, Some(other.id));
    assert!(auth.revoke(OrgId::DEFAULT, other.id).await.unwrap());
    store.close().await;
    assert_eq!(ask(&revoked).await, Err(AuthError::Unavailable), "a revoked key is not known any more");
    let old = Instant::now().checked_sub(FRESH).unwrap();
    let hashed = hash(known.expose_secret());
    let row_of = auth.known.get(&hashed).await.unwrap().row;
    for away in [false, true] {
        auth.away.store(away, Ordering::Relaxed);
        auth.known.insert(hashed, Known { row: Arc::clone(&row_of), asked: old }).await;
        assert_eq!(ask(&known).await.unwrap().key, Some(row.id));
        assert!(auth.away.load(Ordering::Relaxed));
        assert_eq!(ask(&from_config).await, Ok(by), "the configured key needs no store");
        assert_eq!(ask(&SecretString::from("sk-helicone-x")).await, Err(AuthError::Unavailable));
    }
}
