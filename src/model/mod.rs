//! Plain data that every layer shares: identifiers, units, what was captured, what a row holds, what can be asked.
//!
//! Nothing here does I/O, knows HTTP or knows SQL.

pub mod agent;
pub mod capture;
pub mod dead_letter;
pub mod exchange;
pub mod figures;
pub mod filter;
pub mod gap;
pub mod headers;
pub mod id;
pub mod pairing;
pub mod path;
pub mod query;
pub mod session;
pub mod steps;
pub mod tags;
pub mod tools;
pub mod tree;
pub mod units;
pub mod user;
