//! API keys of the caller's organisation. The secret is shown once, when the key is made.

use axum::Json as AxumJson;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ApiState;
use super::answer::{Answer, Done, iso, ok};
use super::error::ApiError;
use super::extract::{Admin, Json, Text};
use super::openapi::{Faults, Missing};
use crate::auth;
use crate::model::id::KeyId;
use crate::model::query::{KeyRow, Rights};

const MOST_NAME_BYTES: usize = 256;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// At most 256 bytes.
    api_key_name: String,
    /// `rw` (default), `r`, `w` or `admin`. Never more than the maker has.
    #[serde(default)]
    key_permissions: Permissions,
}

/// What a key may do: `r` asks the API, `w` writes logs and sends calls, `rw` both, `admin` makes keys as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    #[default]
    Rw,
    R,
    W,
    Admin,
}

impl Permissions {
    const fn rights(self) -> Rights {
        match self {
            Self::Rw => Rights { write: true, read: true, admin: false },
            Self::R => Rights { write: false, read: true, admin: false },
            Self::W => Rights { write: true, read: false, admin: false },
            Self::Admin => Rights::ALL,
        }
    }
}

/// `admin`, `rw`, `r`, `w`, or empty for a key that may do nothing.
const fn name(rights: Rights) -> &'static str {
    match rights {
        Rights { admin: true, .. } => "admin",
        Rights { read: true, write: true, .. } => "rw",
        Rights { read: true, .. } => "r",
        Rights { write: true, .. } => "w",
        _ => "",
    }
}

/// A new key. Not in the wrapper, as in the original.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewKey {
    id: String,
    /// The secret; it is not kept and cannot be shown again.
    api_key: String,
    /// What is kept of it, in hex.
    hashed_key: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct KeyResult {
    id: String,
    organization_id: String,
    api_key_name: String,
    #[schema(value_type = String)]
    key_permissions: &'static str,
    created_at: String,
    /// True: revoked.
    soft_delete: bool,
    revoked_at: Option<String>,
}

impl KeyResult {
    fn new(row: KeyRow) -> Self {
        Self {
            id: row.id.to_string(),
            organization_id: row.org.to_string(),
            api_key_name: row.name,
            key_permissions: name(row.rights),
            created_at: iso(row.created_at),
            soft_delete: row.revoked_at.is_some(),
            revoked_at: row.revoked_at.map(iso),
        }
    }
}

/// Makes a key
#[utoipa::path(post, path = "/v1/api-keys", tag = "keys", operation_id = "createApiKey",
    request_body = NewKeyBody, responses((status = 200, body = NewKey), Faults))]
pub async fn create(
    State(state): State<ApiState>,
    Admin(caller): Admin,
    Json(body): Json<NewKeyBody>,
) -> Result<Response, ApiError> {
    if body.api_key_name.len() > MOST_NAME_BYTES {
        return Err(ApiError::bad("api_key_name", format!("is longer than {MOST_NAME_BYTES} bytes")));
    }
    let (row, secret) = state.auth.create_key(&caller, &body.api_key_name, body.key_permissions.rights()).await?;
    let secret = secret.expose_secret();
    let hashed_key = auth::hash(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(AxumJson(NewKey { id: row.id.to_string(), api_key: secret.to_owned(), hashed_key }).into_response())
}

/// The keys, revoked ones included
#[utoipa::path(get, path = "/v1/api-keys", tag = "keys", operation_id = "listApiKeys",
    responses((status = 200, body = Answer<Vec<KeyResult>>), Faults))]
pub async fn list(State(state): State<ApiState>, Admin(caller): Admin) -> Result<Response, ApiError> {
    let rows = state.auth.keys(caller.org).await?;
    Ok(ok(rows.into_iter().map(KeyResult::new).collect::<Vec<_>>()))
}

/// Revokes a key
#[utoipa::path(delete, path = "/v1/api-keys/{id}", tag = "keys", operation_id = "revokeApiKey",
    params(("id" = String, Path)), responses((status = 200, body = Done), Missing, Faults))]
pub async fn revoke(State(state): State<ApiState>, Admin(caller): Admin, Text(id): Text) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("no API key has that id".to_owned());
    let key: KeyId = id.parse().map_err(|_| missing())?;
    if !state.auth.revoke(caller.org, key).await? {
        return Err(missing());
    }
    Ok(ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_come_back_under_their_name() {
        for (permissions, text) in
            [(Permissions::Rw, "rw"), (Permissions::R, "r"), (Permissions::W, "w"), (Permissions::Admin, "admin")]
        {
            assert_eq!(name(permissions.rights()), text);
            assert_eq!(serde_json::to_value(permissions).unwrap(), text);
        }
        assert_eq!(name(Rights::NONE), "");
    }
}
