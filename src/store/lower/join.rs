//! Conditions joined by `and` and `or`, however many, to SQL that is not deep.

use sea_query::{Expr, ExprTrait};

/// Terms in one chain. SQLite allows an expression to be 1,000 deep, and a chain of `and` is as deep as it is long.
const CHAIN: usize = 64;

pub(in crate::store) fn all(conditions: Vec<Expr>) -> Expr {
    join(conditions, ExprTrait::and).unwrap_or_else(always)
}

pub(super) fn any(conditions: Vec<Expr>) -> Expr {
    join(conditions, ExprTrait::or).unwrap_or_else(never)
}

fn join(mut conditions: Vec<Expr>, with: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    if conditions.len() > CHAIN {
        let mut chains = Vec::with_capacity(conditions.len() / CHAIN + 1);
        while !conditions.is_empty() {
            let chain = conditions.split_off(conditions.len().saturating_sub(CHAIN));
            chains.push(Expr::case(halves(chain, with)?, 1).finally(0).eq(1));
        }
        conditions = chains;
    }
    halves(conditions, with)
}

/// Joined by halves and not one by one: what builds the SQL calls itself once a level.
fn halves(mut conditions: Vec<Expr>, with: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    if conditions.len() < 2 {
        return conditions.pop();
    }
    let right = conditions.split_off(conditions.len() / 2);
    Some(with(halves(conditions, with)?, halves(right, with)?))
}

pub(super) fn always() -> Expr {
    Expr::cust("1 = 1")
}

pub(super) fn never() -> Expr {
    Expr::cust("1 = 0")
}
