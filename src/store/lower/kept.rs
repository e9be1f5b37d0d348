//! What is kept of sessions beside their calls: which properties and which users these have. A filter that asks for one of them
//! need not look at calls, and one that asks for more looks at fewer.

use sea_query::{Expr, ExprTrait, Query};

use super::{Lower, session_column};
use crate::model::filter::{CallField, Field, Filter, Leaf, Test, TextOp};
use crate::store::text::{index_key, property_key};

/// A property that a call must have, with a value that is not empty: what the indices can answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Needed {
    pub key_lower: String,
    pub value_key: String,
}

impl Needed {
    /// The property that this filter asks for, if that is all that it asks.
    pub fn of(filter: &Filter) -> Option<Self> {
        let Filter::Leaf(Leaf { field: Field::Property(key), test: Test::Text(TextOp::Equals, value) }) = filter else {
            return None;
        };
        if value.is_empty() || session_column(key).is_some() {
            return None;
        }
        Some(Self { key_lower: property_key(key), value_key: index_key(value).into_owned() })
    }
}

/// The user whose call this filter asks for, if that is all that it asks: a session's users are kept beside it.
pub(super) fn user_of(filter: &Filter) -> Option<&str> {
    match filter {
        Filter::Leaf(Leaf { field: Field::Call(CallField::UserId), test: Test::Text(TextOp::Equals, user) }) => {
            Some(user.as_str()).filter(|user| !user.is_empty())
        }
        _ => None,
    }
}

impl Lower {
    /// That some call of session `s` has the property.
    pub(super) fn session_has(&self, needed: &Needed) -> Expr {
        let select = Query::select()
            .expr(Expr::cust("1"))
            .from_as("session_property", "p")
            .and_where(Expr::cust("p.org_id").eq(self.org))
            .and_where(Expr::cust("p.session_key = s.session_key"))
            .and_where(Expr::cust("p.key_lower").eq(needed.key_lower.as_str()))
            .and_where(Expr::cust("p.value_key").eq(needed.value_key.as_str()))
            .take();
        Expr::exists(select)
    }

    /// That some call of session `s` is the user's.
    pub(super) fn session_of(&self, user: &str) -> Expr {
        let select = Query::select()
            .expr(Expr::cust("1"))
            .from_as("session_user_id", "u")
            .and_where(Expr::cust("u.org_id").eq(self.org))
            .and_where(Expr::cust("u.session_key = s.session_key"))
            .and_where(Expr::cust("u.user_key").eq(index_key(user).into_owned()))
            .take();
        Expr::exists(select)
    }
}
