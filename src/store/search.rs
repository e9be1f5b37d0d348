//! Filters that look into bodies.
//!
//! A body is kept compressed, as bytes that may be no text, so no database can search it. The language has no negation above
//! its leaves: with every condition on a body taken for true a filter lets through at least what it should. So the database
//! finds candidates with that wider filter, in the order that was asked for and a batch at a time, and says of each which of
//! the other conditions hold; the bodies decide the rest here. That is exact for any tree of `and` and `or`.
//!
//! What a condition sees is the text of the body as it was kept: content encodings undone, what is no UTF-8 replaced. A body
//! that was not kept, or whose encoding cannot be undone, passes no test of text, neither `contains` nor `not-contains`; the
//! test for `null` finds the bodies that were not kept.
//!
//! Bounds: a search takes at most the time of one statement, and answers [`StoreError::TooBroad`] where that is not enough,
//! never a part of the truth. Candidates whose other conditions decide alone are not unpacked. Bodies are read some megabytes
//! at a time and unpacked one by one; one search at a time does so, on a thread of its own.

mod calls;
mod rest;
mod sessions;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use tokio::time::timeout_at;
use uuid::Uuid;

use super::bodies::body;
use super::error::StoreError;
use super::{Store, compare, sql};
use crate::model::capture::{Body, Kept};
use crate::model::filter::{Filter, Test};
use crate::model::id::OrgId;
use crate::wire::body::readable;
pub(super) use rest::names_body;
use rest::{Rest, Side, wider};

/// Bodies read together: so many calls, or so many bytes as they passed, whichever comes first; at least one.
const READ_CALLS: usize = 64;
const READ_BYTES: i64 = 8 << 20;

/// A call that passes the wider filter.
#[derive(Clone, Debug)]
struct Candidate {
    id: Uuid,
    started_at: i64,
    session_key: Option<String>,
    /// Length of its bodies as they passed.
    bytes: i64,
    answers: Vec<bool>,
}

const CANDIDATE: &str = "e.id, e.started_at, e.session_key, e.request_bytes, e.response_bytes";
/// How many columns that is; the answers follow.
const CANDIDATE_COLUMNS: usize = 5;

impl<'r, R: Row> FromRow<'r, R> for Candidate
where
    usize: ColumnIndex<R>,
    i32: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let (request, response): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        Ok(Self {
            id: row.try_get(0)?,
            started_at: row.try_get(1)?,
            session_key: row.try_get(2)?,
            bytes: request.saturating_add(response),
            answers: (CANDIDATE_COLUMNS..row.len())
                .map(|n| row.try_get::<i32, _>(n).map(|holds| holds == 1))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(FromRow)]
struct BodyRecord {
    call_id: Uuid,
    request: Option<Vec<u8>>,
    response: Option<Vec<u8>>,
    request_facts: Vec<u8>,
    response_facts: Vec<u8>,
}

/// One search: a filter, taken apart, and its time.
struct Search<'s> {
    store: &'s Store,
    org: OrgId,
    wider: Filter,
    rest: Arc<Rest>,
    asked: Vec<Filter>,
    until: Instant,
    /// Candidates looked at.
    seen: u64,
}

impl<'s> Search<'s> {
    fn new(store: &'s Store, org: OrgId, filter: &Filter) -> Self {
        let mut asked = Vec::new();
        let rest = Arc::new(Rest::of(filter, true, &mut asked));
        Self { store, org, wider: wider(filter), rest, asked, until: Instant::now() + store.db.limit(), seen: 0 }
    }

    fn in_time(&self) -> Result<(), StoreError> {
        if Instant::now() > self.until { Err(self.too_broad()) } else { Ok(()) }
    }

    const fn too_broad(&self) -> StoreError {
        StoreError::TooBroad { looked_at: self.seen }
    }

    /// Adds the columns of [`Candidate`].
    fn columns(&self, select: &mut SelectStatement) -> Result<(), StoreError> {
        select.expr(Expr::cust(CANDIDATE));
        for filter in &self.asked {
            let holds = self.store.lower(self.org).call(filter)?;
            select.expr(CaseStatement::new().case(holds, Expr::cust("1")).finally(Expr::cust("0")));
        }
        Ok(())
    }

    /// The candidates that pass, in their order. With `one_each` at least one of each session that has any.
    async fn passing(&mut self, candidates: Vec<Candidate>, one_each: bool) -> Result<Vec<Candidate>, StoreError> {
        let mut passed: HashSet<Uuid> = HashSet::new();
        let mut done: HashSet<String> = HashSet::new();
        let mut group: Vec<&Candidate> = Vec::new();
        let mut bytes = 0_i64;
        for (n, candidate) in candidates.iter().enumerate() {
            self.seen += 1;
            let known = self.rest.holds(&candidate.answers, &mut |_, _| None);
            let skipped = one_each && candidate.session_key.as_ref().is_some_and(|key| done.contains(key));
            match known {
                _ if skipped => {}
                Some(true) => {
                    passed.insert(candidate.id);
                    done.extend(candidate.session_key.clone());
                }
                Some(false) => {}
                None => {
                    bytes = bytes.saturating_add(candidate.bytes);
                    group.push(candidate);
                }
            }
            if group.len() == READ_CALLS || bytes >= READ_BYTES || n + 1 == candidates.len() {
                let found = self.read(&group).await?;
                done.extend(group.iter().filter(|c| found.contains(&c.id)).filter_map(|c| c.session_key.clone()));
                passed.extend(found);
                group.clear();
                bytes = 0;
            }
        }
        Ok(candidates.into_iter().filter(|candidate| passed.contains(&candidate.id)).collect())
    }

    /// Which of these pass by their bodies.
    async fn read(&self, group: &[&Candidate]) -> Result<HashSet<Uuid>, StoreError> {
        self.in_time()?;
        if group.is_empty() {
            return Ok(HashSet::new());
        }
        let column = |side, name, none| if self.rest.names(side) { name } else { none };
        let select = Query::select()
            .expr(Expr::cust("b.call_id, b.request_facts, b.response_facts"))
            .expr(Expr::cust(column(Side::Request, "b.request", "NULL AS request")))
            .expr(Expr::cust(column(Side::Response, "b.response", "NULL AS response")))
            .from_as("body", "b")
            .and_where(Expr::cust("b.org_id").eq(self.org.0))
            .and_where(Expr::cust("b.call_id").is_in(group.iter().map(|candidate| candidate.id)))
            .take();
        let turn = timeout_at(self.until.into(), Arc::clone(&self.store.unpacking).acquire_owned());
        let permit = turn.await.map_err(|_| self.too_broad())?;
        let rows: Vec<BodyRecord> = sql::fetch_all(self.store, &select).await?;
        let answers: HashMap<Uuid, Vec<bool>> = group.iter().map(|c| (c.id, c.answers.clone())).collect();
        let (rest, until) = (Arc::clone(&self.rest), self.until);
        let unpacked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            rows.into_iter()
                .filter_map(|row| {
                    let answers = answers.get(&row.call_id).map_or(&[][..], Vec::as_slice);
                    row.passes(&rest, answers, until).map(|passes| passes.then_some(row.call_id)).transpose()
                })
                .collect::<Result<HashSet<Uuid>, Stop>>()
        });
        match unpacked.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(Stop::Late)) => Err(self.too_broad()),
            Ok(Err(Stop::Broken(error))) => Err(StoreError::Internal(sqlx::Error::Decode(Box::new(error)))),
            Err(error) => Err(StoreError::Internal(sqlx::Error::Io(std::io::Error::other(error)))),
        }
    }
}

enum Stop {
    Late,
    Broken(std::io::Error),
}

impl BodyRecord {
    fn passes(&self, rest: &Rest, answers: &[bool], until: Instant) -> Result<bool, Stop> {
        if Instant::now() > until {
            return Err(Stop::Late);
        }
        let unpack = |side| match side {
            Side::Request => body(self.request.as_deref(), &self.request_facts),
            Side::Response => body(self.response.as_deref(), &self.response_facts),
        };
        let (mut request, mut response) = (None, None);
        let mut fault = None;
        let holds = rest.holds(answers, &mut |side, test| {
            let slot = if side == Side::Request { &mut request } else { &mut response };
            if slot.is_none() {
                match unpack(side) {
                    Ok(body) => *slot = Some(Text::of(&body)),
                    Err(error) => {
                        fault = Some(Stop::Broken(error));
                        return None;
                    }
                }
            }
            let holds = slot.as_ref()?.passes(test, until);
            if holds.is_none() {
                fault = Some(Stop::Late);
            }
            holds
        });
        match fault {
            Some(fault) => Err(fault),
            None => Ok(holds.unwrap_or_default()),
        }
    }
}

/// A body as conditions see it.
enum Text {
    /// The sender did not want it to be kept.
    NotKept,
    /// It came in an encoding that cannot be undone.
    Unreadable,
    Read(String),
}

impl Text {
    fn of(body: &Body) -> Self {
        if body.facts.kept == Kept::Omitted {
            return Self::NotKept;
        }
        let read = readable(body, "");
        if read.unreadable { Self::Unreadable } else { Self::Read(read.text.into_owned()) }
    }

    /// `None` where the time does not suffice to tell.
    fn passes(&self, test: &Test, until: Instant) -> Option<bool> {
        match (test, self) {
            (Test::IsNull(null), text) => Some(matches!(text, Self::NotKept) == *null),
            (Test::Text(op, term), Self::Read(text)) => compare::matches_by(text, *op, term, Some(until)),
            _ => Some(false),
        }
    }
}
