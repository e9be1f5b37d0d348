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
        let key = Expr::cust("k.key_lower").eq(needed.key_lower.as_str());
        self.kept("session_property", key.and(Expr::cust("k.value_key").eq(needed.value_key.as_str())))
    }

    /// That some call of session `s` is the user's.
    pub(super) fn session_of(&self, user: &str) -> Expr {
        self.kept("session_user_id", Expr::cust("k.user_key").eq(index_key(user).into_owned()))
    }

    /// That a row `k` of session `s` in this table is such a one.
    fn kept(&self, table: &'static str, holds: Expr) -> Expr {
        let select = Query::select()
            .expr(Expr::cust("1"))
            .from_as(table, "k")
            .and_where(Expr::cust("k.org_id").eq(self.org))
            .and_where(Expr::cust("k.session_key = s.session_key"))
            .and_where(holds)
            .take();
        Expr::exists(select)
    }
}
