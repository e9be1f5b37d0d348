//! Bodies and headers, exactly as they passed.

use std::io::Read;

use bytes::Bytes;
use sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use super::error::StoreError;
use super::{Store, sql};
use crate::model::capture::Body;
use crate::model::headers::HeaderLines;
use crate::model::id::{OrgId, RequestId};
use crate::model::query::CallBodies;

/// Calls whose bodies one query reads.
const MOST_IDS: usize = 1_000;

#[derive(sqlx::FromRow)]
struct BodyRecord {
    call_id: Uuid,
    request: Option<Vec<u8>>,
    response: Option<Vec<u8>>,
    request_facts: Vec<u8>,
    response_facts: Vec<u8>,
    request_headers: Vec<u8>,
    response_headers: Vec<u8>,
}

impl Store {
    pub async fn call_bodies(&self, org: OrgId, id: RequestId) -> Result<Option<CallBodies>, StoreError> {
        Ok(self.calls_bodies(org, &[id]).await?.pop().map(|(_, bodies)| bodies))
    }

    /// Several at once, in the order asked for; ids that do not exist are left out, and so are those after the first 1,000.
    pub async fn calls_bodies(
        &self,
        org: OrgId,
        ids: &[RequestId],
    ) -> Result<Vec<(RequestId, CallBodies)>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().take(MOST_IDS).map(|id| id.0).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let select = Query::select()
            .expr(Expr::cust(
                "b.call_id, b.request, b.response, b.request_facts, b.response_facts, b.request_headers, \
                 b.response_headers",
            ))
            .from_as("body", "b")
            .and_where(Expr::cust("b.org_id").eq(org.0))
            .and_where(Expr::cust("b.call_id").is_in(ids.iter().copied()))
            .take();
        let rows: Vec<BodyRecord> = sql::fetch_all(self, &select).await?;
        // Off the runtime's threads: a page may hold many megabytes.
        let unpacked = tokio::task::spawn_blocking(move || rows.iter().map(unpack).collect::<Result<Vec<_>, _>>());
        let mut found = unpacked.await.map_err(|e| broken(std::io::Error::other(e)))?.map_err(broken)?;
        found.sort_by_key(|(id, _)| ids.iter().position(|wanted| *wanted == id.0));
        Ok(found)
    }
}

fn unpack(row: &BodyRecord) -> Result<(RequestId, CallBodies), std::io::Error> {
    let bodies = CallBodies {
        request: body(row.request.as_deref(), &row.request_facts)?,
        response: body(row.response.as_deref(), &row.response_facts)?,
        request_headers: headers(&row.request_headers)?,
        response_headers: headers(&row.response_headers)?,
    };
    Ok((RequestId(row.call_id), bodies))
}

pub(super) fn body(packed: Option<&[u8]>, facts: &[u8]) -> Result<Body, std::io::Error> {
    let mut bytes = Vec::new();
    if let Some(packed) = packed {
        zstd::Decoder::new(packed)?.read_to_end(&mut bytes)?;
    }
    Ok(Body { facts: serde_json::from_slice(facts)?, bytes: Bytes::from(bytes) })
}

fn headers(json: &[u8]) -> Result<HeaderLines, std::io::Error> {
    Ok(serde_json::from_slice(json)?)
}

fn broken(error: std::io::Error) -> StoreError {
    StoreError::Internal(sqlx::Error::Decode(Box::new(error)))
}
